#include "protocol/jt808_location.h"

#include "protocol/calendar.h"
#include "protocol/checksum.h"

#define HEAD_SIZE 28
#define TIME_SIZE 6
#define CHINA_US (8 * 3600 * CALENDAR_SECOND_US)
/* 2016-01-01: no device says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)
/* A gap between emergencies that is longer than any device waits between two reports of one. */
#define EMERGENCY_GAP_S 60

#define STATUS_LOCATED (1U << 1)
#define STATUS_SOUTH (1U << 2)
#define STATUS_WEST (1U << 3)

/* What a report can raise, as bits of session->state[]. */
enum raised {
    RAISED_PANIC = 1 << 0,
    RAISED_FALL = 1 << 1,
    RAISED_WANDER = 1 << 2,
    RAISED_MAINS_LOST = 1 << 3,
    RAISED_TAMPER = 1 << 4,
    RAISED_LOW_BATTERY = 1 << 5,
    RAISED_WANDER_RESTORED = 1 << 6
};

/* In the order in which they are reported; `bits` of the standard's alarm word. */
static const struct alarm {
    uint32_t bits;
    uint32_t raised;
    uint8_t kind;
    uint8_t restored; /* said when it falls, SIGNAL_NONE: nothing */
} alarms[] = {
    {JT808_ALARM_EMERGENCY, RAISED_PANIC, SIGNAL_PANIC, SIGNAL_NONE},
    {1U << 29 | 1U << 30, RAISED_FALL, SIGNAL_FALL, SIGNAL_NONE}, /* collision, overturned */
    {1U << 20 | 1U << 21 | 1U << 23, RAISED_WANDER, SIGNAL_WANDER, SIGNAL_NONE},
    {1U << 8, RAISED_MAINS_LOST, SIGNAL_MAINS_LOST, SIGNAL_MAINS_RESTORED},
    {0, RAISED_TAMPER, SIGNAL_TAMPER, SIGNAL_NONE},
    {1U << 7, RAISED_LOW_BATTERY, SIGNAL_LOW_BATTERY, SIGNAL_BATTERY_RESTORED},
    {0, RAISED_WANDER_RESTORED, SIGNAL_WANDER_RESTORED, SIGNAL_NONE},
};
#define ALARM_COUNT (sizeof(alarms) / sizeof(alarms[0]))

/* Where vendors put the battery percentage, by the id and size of the element. */
static const struct battery_element {
    uint8_t id, size, offset, factor;
} battery_elements[] = {
    {0x04, 1, 0, 1}, {0x06, 1, 0, 1}, {0x56, 2, 0, 10}, {0xD4, 1, 0, 1},
    {0xE1, 1, 0, 1}, {0xE4, 2, 1, 1}, {0xE9, 1, 0, 1},
};
#define BATTERY_ELEMENT_COUNT (sizeof(battery_elements) / sizeof(battery_elements[0]))

uint32_t jt808_location_alarms(struct bytes body)
{
    struct cursor cursor = cursor_over(body);
    uint32_t value = cursor_u32_be(&cursor);

    return cursor.failed ? 0 : value;
}

static void take_battery(struct signal *out, int percent)
{
    if (percent > 100)
        return;
    out->battery_percent = (int16_t)percent;
    out->has |= MEASURE_BATTERY;
}

static uint32_t big_endian(struct bytes value)
{
    uint32_t number = 0;

    for (size_t i = 0; i < value.size; i++)
        number = number << 8 | value.data[i];
    return number;
}

/* Concox' 0xEB: (length u16, id u16, value) of its own; the length counts the id. */
static void take_nested(struct bytes value, struct signal *out, uint32_t *raised)
{
    struct cursor cursor = cursor_over(value);

    while (cursor.rest.size >= 4) {
        uint16_t size = cursor_u16_be(&cursor), id = cursor_u16_be(&cursor);
        struct bytes inner = cursor_take(&cursor, size < 2 ? 0U : size - 2U);

        if (cursor.failed)
            return;
        if (id == 0x0089 && inner.size == 4 && !(big_endian(inner) & 1U << 12))
            *raised |= RAISED_TAMPER; /* taken off: the bits of this word are active low */
        else if (id == 0x00C6 && inner.size == 1 && (inner.data[0] == 3 || inner.data[0] == 4))
            *raised |= RAISED_LOW_BATTERY;
        else if ((id == 0x00A8 || id == 0x00E1) && inner.size == 1)
            take_battery(out, inner.data[0]);
    }
}

/* Jimi's 0xE8: an event u16, a length u8, the rest. */
static void take_event(struct bytes value, uint32_t *raised)
{
    switch (big_endian(bytes_part(value, 0, 2))) {
    case 0x0C01:
        *raised |= RAISED_PANIC;
        break;
    case 0x0C0E:
        *raised |= RAISED_MAINS_LOST;
        break;
    case 0x0C0F:
        *raised |= RAISED_LOW_BATTERY;
        break;
    case 0x0C12:
        *raised |= RAISED_TAMPER;
        break;
    default:
        break;
    }
}

static void take_element(uint8_t id, struct bytes value, struct signal *out, uint32_t *raised)
{
    for (size_t i = 0; i < BATTERY_ELEMENT_COUNT; i++) {
        const struct battery_element *element = &battery_elements[i];

        if (element->id == id && element->size == value.size)
            take_battery(out, value.data[element->offset] * element->factor);
    }
    if (id == 0x12 && value.size == 6 && value.data[5] == 0 && *raised & RAISED_WANDER) {
        *raised &= ~(uint32_t)RAISED_WANDER; /* the fence was entered, not left */
        *raised |= RAISED_WANDER_RESTORED;
    } else if (id == 0x30 && value.size == 1 && value.data[0] <= 31) {
        out->gsm_percent = (int16_t)(value.data[0] * 100 / 31);
        out->has |= MEASURE_GSM;
    } else if (id == 0xE4 && value.size == 2 && value.data[0] == 0) {
        out->flags |= SIGNAL_FLAG_CHARGING;
    } else if (id == 0xE7 && value.size == 8 && big_endian(bytes_part(value, 0, 2)) & 0x0E) {
        *raised |= RAISED_PANIC;
    } else if (id == 0xE8 && value.size >= 2) {
        take_event(value, raised);
    } else if (id == 0xEB) {
        take_nested(value, out, raised);
    } else if (id == 0xF8 && value.size == 2) {
        out->steps = (int32_t)big_endian(value);
        out->has |= MEASURE_STEPS;
    }
}

static void take_elements(struct bytes rest, struct signal *out, uint32_t *raised)
{
    struct cursor cursor = cursor_over(rest);

    while (cursor.rest.size >= 2) {
        uint8_t id = cursor_u8(&cursor), size = cursor_u8(&cursor);
        struct bytes value = cursor_take(&cursor, size);

        if (cursor.failed)
            return;
        take_element(id, value, out, raised);
    }
}

/* A place without a fix is the last one known: kept, and flagged. */
static void take_place(struct cursor *cursor, struct signal *out)
{
    uint32_t status = cursor_u32_be(cursor);
    uint32_t latitude = cursor_u32_be(cursor), longitude = cursor_u32_be(cursor);

    if (!cursor->failed && latitude <= 90000000 && longitude <= 180000000 &&
        (latitude || longitude)) {
        out->latitude_e7 = (int32_t)(latitude * 10) * (status & STATUS_SOUTH ? -1 : 1);
        out->longitude_e7 = (int32_t)(longitude * 10) * (status & STATUS_WEST ? -1 : 1);
        out->has |= MEASURE_POSITION;
    }
    if (!(out->has & MEASURE_POSITION) || !(status & STATUS_LOCATED))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
}

static void take_time(struct cursor *cursor, struct signal *out)
{
    char digits[2 * TIME_SIZE + 1] = "";
    int64_t local_us;

    cursor_take(cursor, 6); /* height, speed, course */
    cursor_bcd(cursor, TIME_SIZE, digits);
    if (cursor->failed || !calendar_parse_yymmdd(bytes_part(bytes_of(digits), 0, 6),
                                                 bytes_part(bytes_of(digits), 6, 6), &local_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    else
        out->occurred_at_us = local_us - CHINA_US;
}

/* What the body says as a position, and in *raised what it shows as set. */
static void read_body(const struct jt808_report *report, struct signal *out, uint32_t *raised)
{
    struct cursor cursor = cursor_over(report->body);
    uint32_t bits = jt808_location_alarms(report->body);

    *raised = 0;
    for (size_t i = 0; i < ALARM_COUNT; i++)
        if (bits & alarms[i].bits)
            *raised |= alarms[i].raised;
    if (report->is_kept)
        out->flags |= SIGNAL_FLAG_STORED;
    cursor_u32_be(&cursor);
    take_place(&cursor, out);
    take_time(&cursor, out);
    take_elements(bytes_part(report->body, HEAD_SIZE, report->body.size), out, raised);
    out->kind = out->has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}

static void name_alarm(const struct jt808_report *report, struct signal *alarm)
{
    struct bytes head = bytes_part(report->body, 0, HEAD_SIZE);
    struct writer writer = writer_into(alarm->code, CODE_LIMIT);

    writer_text(&writer, "0200 ");
    writer_hex(&writer, jt808_location_alarms(report->body), 8);
    if (alarm->occurred_at_us < CLOCK_SET_AFTER_US)
        return;
    writer = writer_into(alarm->message_id, MESSAGE_ID_LIMIT);
    writer_decimal(&writer, alarm->occurred_at_us / CALENDAR_SECOND_US);
    writer_text(&writer, report->is_kept ? "-kept-" : "-");
    writer_hex(&writer, report->is_kept ? checksum_crc16_x25(head) : report->serial, 4);
}

/* What has risen since the last report of this kind, and in *fallen what has fallen. */
static uint32_t compare_state(const struct jt808_report *report, struct codec_session *session,
                              uint32_t raised, uint32_t *fallen)
{
    uint32_t *state = &session->state[report->is_kept ? JT808_STATE_KEPT : JT808_STATE_LIVE];
    uint32_t before = *state, now_s = (uint32_t)(report->now_us / CALENDAR_SECOND_US);

    if (!report->is_kept && raised & RAISED_PANIC) {
        if (now_s - session->state[JT808_STATE_SEEN] > EMERGENCY_GAP_S)
            before &= ~(uint32_t)RAISED_PANIC;
        session->state[JT808_STATE_SEEN] = now_s;
    }
    if (report->is_cut)
        raised |= before;
    *state = raised;
    *fallen = before & ~raised;
    return raised & ~before;
}

uint32_t jt808_location_decode(const struct jt808_report *report, struct codec_session *session,
                               struct batch *batch)
{
    struct signal said = report->model;
    uint32_t raised, risen, fallen;
    bool is_alarm = false;

    read_body(report, &said, &raised);
    raised |= report->shown;
    risen = compare_state(report, session, raised, &fallen);
    for (size_t i = 0; i < ALARM_COUNT; i++) {
        struct signal alarm = said;

        if (risen & alarms[i].raised)
            alarm.kind = alarms[i].kind;
        else if (fallen & alarms[i].raised && alarms[i].restored)
            alarm.kind = alarms[i].restored;
        else
            continue;
        name_alarm(report, &alarm);
        batch_add(batch, &alarm);
        is_alarm = true;
    }
    if (!is_alarm && !report->is_cut)
        batch_add(batch, &said);
    return raised;
}

static void write_elements(struct writer *out, const struct signal *signal)
{
    if (signal->has & MEASURE_BATTERY) {
        writer_u16_be(out, 0xE402);
        writer_u8(out, signal->flags & SIGNAL_FLAG_CHARGING ? 0 : 1);
        writer_u8(out, (uint8_t)signal->battery_percent);
    }
    if (signal->has & MEASURE_STEPS && signal->steps <= UINT16_MAX) {
        writer_u16_be(out, 0xF802);
        writer_u16_be(out, (uint16_t)signal->steps);
    }
    if (signal->has & MEASURE_GSM) {
        writer_u16_be(out, 0x3001);
        writer_u8(out, (uint8_t)((signal->gsm_percent * 31 + 99) / 100));
    }
    if (signal->kind == SIGNAL_WANDER || signal->kind == SIGNAL_WANDER_RESTORED) {
        writer_u16_be(out, 0x1206);
        writer_u8(out, 1);
        writer_u32_be(out, 1);
        writer_u8(out, signal->kind == SIGNAL_WANDER);
    }
}

static void write_time(struct writer *out, int64_t at_us)
{
    struct civil civil = calendar_to_civil(at_us + CHINA_US);
    const int parts[TIME_SIZE] = {civil.year, civil.month,  civil.day,
                                  civil.hour, civil.minute, civil.second};
    char digits[2 * TIME_SIZE + 1] = "";
    struct writer writer = writer_into(digits, 2 * TIME_SIZE);

    for (int i = 0; i < TIME_SIZE; i++)
        writer_decimal_padded(&writer, (uint64_t)parts[i], 2);
    writer_bcd(out, digits, TIME_SIZE);
}

static uint32_t degrees(int32_t degrees_e7)
{
    return (uint32_t)(degrees_e7 < 0 ? -(int64_t)degrees_e7 : degrees_e7) / 10;
}

/* The alarm word of a signal; false if there is none and it is no plain report. */
static bool alarm_word(const struct signal *signal, uint32_t *word)
{
    *word = 0;
    if (signal->kind == SIGNAL_WANDER || signal->kind == SIGNAL_WANDER_RESTORED)
        *word = 1U << 20;
    for (size_t i = 0; i < ALARM_COUNT && !*word; i++)
        if (alarms[i].kind == signal->kind)
            *word = alarms[i].bits & (0U - alarms[i].bits); /* the lowest of them */
    return *word || signal->kind == SIGNAL_POSITION || signal->kind == SIGNAL_HEARTBEAT;
}

bool jt808_location_compose(const struct signal *signal, int64_t now_us, struct writer *out)
{
    bool fix = signal->has & MEASURE_POSITION && !(signal->flags & SIGNAL_FLAG_NO_POSITION);
    uint32_t word;

    if (!alarm_word(signal, &word))
        return false;
    writer_u32_be(out, word);
    writer_u32_be(out, (fix ? STATUS_LOCATED : 0) | (signal->latitude_e7 < 0 ? STATUS_SOUTH : 0) |
                           (signal->longitude_e7 < 0 ? STATUS_WEST : 0));
    writer_u32_be(out, signal->has & MEASURE_POSITION ? degrees(signal->latitude_e7) : 0);
    writer_u32_be(out, signal->has & MEASURE_POSITION ? degrees(signal->longitude_e7) : 0);
    writer_u32_be(out, 0);
    writer_u16_be(out, 0);
    write_time(out, signal->occurred_at_us ? signal->occurred_at_us : now_us);
    write_elements(out, signal);
    return true;
}
