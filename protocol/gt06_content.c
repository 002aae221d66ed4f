#include "protocol/gt06_content.h"

#include "protocol/calendar.h"

#define GPS_SIZE 18
/* 2016-01-01: no device says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)
#define MINUTE_US (60 * CALENDAR_SECOND_US)

/* Fields of the course word. */
#define COURSE_FIX (1U << 12)
#define COURSE_WEST (1U << 11)
#define COURSE_NORTH (1U << 10)
/* Information byte: charging, and an alarm in three bits. */
#define INFORMATION_CHARGING 0x04
enum { SHOWN_NONE, SHOWN_SHOCK, SHOWN_POWER_CUT, SHOWN_LOW_BATTERY, SHOWN_SOS, SHOWN_REMOVED = 7 };

/* SIGNAL_NONE: an affair of vehicles, no alarm here. The first row of a kind is what compose says. */
static const struct alarm_code {
    uint8_t code, kind;
} alarm_codes[] = {
    {0x00, SIGNAL_NONE},
    {0x01, SIGNAL_PANIC},
    {0x02, SIGNAL_MAINS_LOST},
    {0x03, SIGNAL_NONE},
    {0x04, SIGNAL_WANDER_RESTORED},
    {0x05, SIGNAL_WANDER},
    {0x06, SIGNAL_NONE},
    {0x09, SIGNAL_NONE},
    {0x0A, SIGNAL_NONE},
    {0x0B, SIGNAL_NONE},
    {0x0C, SIGNAL_NONE},
    {0x0D, SIGNAL_NONE},
    {0x0E, SIGNAL_LOW_BATTERY},
    {0x0F, SIGNAL_LOW_BATTERY},
    {0x10, SIGNAL_NONE},
    {0x11, SIGNAL_NONE},
    {0x12, SIGNAL_NONE},
    {0x13, SIGNAL_TAMPER},
    {0x14, SIGNAL_NONE},
    {0x19, SIGNAL_LOW_BATTERY},
    {0x23, SIGNAL_FALL},
    {0x25, SIGNAL_TAMPER},
    {0x29, SIGNAL_NONE},
    {0x2A, SIGNAL_NONE},
    {0x2B, SIGNAL_NONE},
    {0x2C, SIGNAL_FALL},
    {0x30, SIGNAL_NONE},
    {0x90, SIGNAL_NONE},
    {0x91, SIGNAL_NONE},
    {0x92, SIGNAL_NONE},
    {0x93, SIGNAL_FALL},
    {0xFE, SIGNAL_NONE},
    {0xFF, SIGNAL_NONE},
};
#define ALARM_CODE_COUNT (sizeof(alarm_codes) / sizeof(alarm_codes[0]))

/* What an alarm frame says of itself. */
struct claim {
    uint8_t code, shown;
};

static bool take_time(struct cursor *cursor, const struct codec_session *session, int64_t *at_us)
{
    struct civil civil = {.year = 2000 + cursor_u8(cursor)};

    civil.month = cursor_u8(cursor);
    civil.day = cursor_u8(cursor);
    civil.hour = cursor_u8(cursor);
    civil.minute = cursor_u8(cursor);
    civil.second = cursor_u8(cursor);
    if (cursor->failed || !calendar_from_civil(&civil, at_us))
        return false;
    *at_us -= (int32_t)session->state[GT06_STATE_ZONE] * MINUTE_US;
    return true;
}

/* A fix that is not valid is the last one known: kept, and flagged. */
static void take_place(uint32_t latitude, uint32_t longitude, uint16_t course, struct signal *out)
{
    int64_t latitude_e7 = (int64_t)latitude * 50 / 9, longitude_e7 = (int64_t)longitude * 50 / 9;

    if (latitude_e7 <= 900000000 && longitude_e7 <= 1800000000 && (latitude || longitude)) {
        out->latitude_e7 = (int32_t)(course & COURSE_NORTH ? latitude_e7 : -latitude_e7);
        out->longitude_e7 = (int32_t)(course & COURSE_WEST ? -longitude_e7 : longitude_e7);
        out->has |= MEASURE_POSITION;
    }
    if (!(out->has & MEASURE_POSITION) || !(course & COURSE_FIX))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
}

/* Time and place, if that is what stands here: some variants put other things first. */
static void take_gps(struct cursor *cursor, const struct codec_session *session, struct signal *out)
{
    uint32_t latitude, longitude;

    if (!take_time(cursor, session, &out->occurred_at_us)) {
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG | SIGNAL_FLAG_NO_POSITION;
        cursor_take(cursor, GPS_SIZE - 6);
        return;
    }
    cursor_u8(cursor); /* satellites */
    latitude = cursor_u32_be(cursor);
    longitude = cursor_u32_be(cursor);
    cursor_u8(cursor); /* speed */
    take_place(latitude, longitude, cursor_u16_be(cursor), out);
    out->kind = out->has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}

static void take_battery(int percent, struct signal *out)
{
    if (percent > 100)
        return;
    out->battery_percent = (int16_t)percent;
    out->has |= MEASURE_BATTERY;
}

static void take_gsm(int percent, struct signal *out)
{
    if (percent > 100)
        return;
    out->gsm_percent = (int16_t)percent;
    out->has |= MEASURE_GSM;
}

/* Information, battery and signal; levels of 0–6 and 0–4, or percentages. Returns the alarm shown. */
static uint8_t take_status(struct cursor *cursor, bool percentages, struct signal *out)
{
    uint8_t information = cursor_u8(cursor), battery = cursor_u8(cursor), gsm = cursor_u8(cursor);

    if (cursor->failed)
        return SHOWN_NONE;
    if (information & INFORMATION_CHARGING)
        out->flags |= SIGNAL_FLAG_CHARGING;
    if (percentages || battery <= 6)
        take_battery(percentages ? battery : battery * 100 / 6, out);
    if (percentages || gsm <= 4)
        take_gsm(percentages ? gsm : gsm * 25, out);
    return information >> 3 & 7;
}

/* The same with the battery in hundredths of a volt, which says no percentage. */
static uint8_t take_newer_status(struct cursor *cursor, struct signal *out)
{
    uint8_t information = cursor_u8(cursor), gsm;

    if (cursor->failed)
        return SHOWN_NONE;
    if (information & INFORMATION_CHARGING)
        out->flags |= SIGNAL_FLAG_CHARGING;
    cursor_u16_be(cursor);
    gsm = cursor_u8(cursor);
    if (!cursor->failed && gsm <= 4)
        take_gsm(gsm * 25, out);
    return information >> 3 & 7;
}

/* The cell behind the position: with a length of 8 or 9 before it, or without one. Where six bytes
 * are left, the cell had a byte more and the levels are percentages. */
static struct claim take_alarm(struct cursor *cursor, uint8_t type, struct signal *out)
{
    struct claim claim = {0};
    bool percentages = false, known = true;

    if (type == GT06_ALARM_4G) {
        /* Of the newest form the cells vary; the end does not: …, alarm, language, fence. */
        cursor_take(cursor, cursor->rest.size < 6 ? 0 : cursor->rest.size - 6);
    } else if (cursor->rest.size > 0 && (cursor->rest.data[0] == 8 || cursor->rest.data[0] == 9)) {
        cursor_take(cursor, 9);
        percentages = cursor->rest.size == 6 && type != GT06_ALARM_FENCE;
        if (percentages)
            cursor_u8(cursor);
    } else {
        known = cursor->rest.size == 13;
        cursor_take(cursor, 8);
    }
    claim.shown = take_status(cursor, percentages, out);
    if (!known) /* an alarm is believed anywhere, a level is not */
        out->has &= ~(uint32_t)(MEASURE_BATTERY | MEASURE_GSM);
    claim.code = cursor_u8(cursor);
    return claim;
}

/* Alarms without a position: the code is the last byte but one. */
static struct claim take_cell_alarm(struct bytes content)
{
    struct claim claim = {0};

    if (content.size >= 2)
        claim.code = content.data[content.size - 2];
    return claim;
}

/* Of cameras: the code behind the time, or behind time, place and course. */
static struct claim take_camera_alarm(struct cursor *cursor, const struct codec_session *session,
                                      struct signal *out)
{
    struct claim claim = {0};
    uint32_t latitude, longitude;

    if (!take_time(cursor, session, &out->occurred_at_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    if (cursor->rest.size >= 11) {
        latitude = cursor_u32_be(cursor);
        longitude = cursor_u32_be(cursor);
        take_place(latitude, longitude, cursor_u16_be(cursor), out);
    }
    claim.code = cursor_u8(cursor);
    return claim;
}

static void name_alarm(const struct gt06_frame *frame, uint8_t code, struct signal *out)
{
    struct writer writer = writer_into(out->code, CODE_LIMIT);

    writer_hex(&writer, frame->type, 2);
    writer_u8(&writer, ' ');
    writer_hex(&writer, code, 2);
    if (out->occurred_at_us < CLOCK_SET_AFTER_US)
        return;
    writer = writer_into(out->message_id, MESSAGE_ID_LIMIT);
    writer_decimal(&writer, out->occurred_at_us / CALENDAR_SECOND_US);
    writer_u8(&writer, '-');
    writer_hex(&writer, frame->serial, 4);
}

static uint8_t shown_kind(uint8_t shown)
{
    switch (shown) {
    case SHOWN_SOS:
        return SIGNAL_PANIC;
    case SHOWN_POWER_CUT:
        return SIGNAL_MAINS_LOST;
    case SHOWN_LOW_BATTERY:
        return SIGNAL_LOW_BATTERY;
    case SHOWN_REMOVED:
        return SIGNAL_TAMPER;
    default:
        return SIGNAL_NONE;
    }
}

/* A press shown in either place goes before all else; a code that nobody knows counts as one. */
static uint8_t claim_kind(const struct claim *claim, struct signal *out)
{
    uint8_t shown = shown_kind(claim->shown);

    if (shown == SIGNAL_PANIC)
        return SIGNAL_PANIC;
    for (size_t i = 0; i < ALARM_CODE_COUNT; i++)
        if (alarm_codes[i].code == claim->code)
            return alarm_codes[i].kind ? alarm_codes[i].kind : shown;
    out->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    return SIGNAL_PANIC;
}

static void decide_alarm(const struct gt06_frame *frame, const struct claim *claim,
                         struct codec_session *session, struct signal *out)
{
    uint8_t kind = claim_kind(claim, out);

    if (kind == SIGNAL_NONE)
        return;
    out->kind = kind;
    name_alarm(frame, claim->code, out);
    session->state[GT06_STATE_ALARM] = kind;
}

/* A state that each status repeats: it rings when it is another than before. */
static void decide_status(const struct gt06_frame *frame, uint8_t shown,
                          struct codec_session *session, struct signal *out)
{
    uint8_t kind = shown_kind(shown);

    if (kind != SIGNAL_NONE && kind != session->state[GT06_STATE_ALARM]) {
        out->kind = kind;
        name_alarm(frame, shown, out);
    }
    session->state[GT06_STATE_ALARM] = kind;
}

void gt06_content_decode(const struct gt06_frame *frame, struct codec_session *session,
                         struct signal *out)
{
    struct cursor cursor = cursor_over(frame->content);
    struct claim claim = {0};

    switch (frame->type) {
    case GT06_LBS_GPS:
    case GT06_POSITION:
    case GT06_POSITION_LBS:
    case GT06_GPS_MULTI:
    case GT06_POSITION_4G:
        take_gps(&cursor, session, out);
        break;
    case GT06_STATUS:
        decide_status(frame, take_status(&cursor, false, out), session, out);
        break;
    case GT06_HEARTBEAT:
        decide_status(frame, take_newer_status(&cursor, out), session, out);
        break;
    case GT06_ALARM:
    case GT06_ALARM_LBS:
    case GT06_ALARM_FENCE:
    case GT06_ALARM_4G:
        take_gps(&cursor, session, out);
        claim = take_alarm(&cursor, frame->type, out);
        /* Cut before it says what the alarm is. */
        if (cursor.failed && claim.shown != SHOWN_SOS) {
            out->kind = SIGNAL_UNREADABLE;
            out->flags |= SIGNAL_FLAG_UNREADABLE;
            name_alarm(frame, 0, out);
            break;
        }
        decide_alarm(frame, &claim, session, out);
        break;
    case GT06_LBS_ALARM:
    case GT06_LBS_ALARM_4G:
        claim = take_cell_alarm(frame->content);
        out->flags |= SIGNAL_FLAG_NO_POSITION;
        decide_alarm(frame, &claim, session, out);
        break;
    case GT06_CAMERA_ALARM:
        claim = take_camera_alarm(&cursor, session, out);
        decide_alarm(frame, &claim, session, out);
        break;
    default:
        break;
    }
}

static void write_gps(const struct signal *signal, int64_t at_us, struct writer *out)
{
    struct civil civil = calendar_to_civil(at_us);
    const int time[] = {civil.year % 100, civil.month,  civil.day,
                        civil.hour,       civil.minute, civil.second};
    bool has = signal->has & MEASURE_POSITION;
    bool fix = has && !(signal->flags & SIGNAL_FLAG_NO_POSITION);
    int64_t latitude = has ? signal->latitude_e7 : 0, longitude = has ? signal->longitude_e7 : 0;

    for (int i = 0; i < 6; i++)
        writer_u8(out, (uint8_t)time[i]);
    writer_u8(out, 0xC0);
    /* Rounded up, as reading rounds down. */
    writer_u32_be(out, (uint32_t)(((latitude < 0 ? -latitude : latitude) * 9 + 49) / 50));
    writer_u32_be(out, (uint32_t)(((longitude < 0 ? -longitude : longitude) * 9 + 49) / 50));
    writer_u8(out, 0);
    writer_u16_be(out, (uint16_t)((fix ? COURSE_FIX : 0) | (latitude < 0 ? 0 : COURSE_NORTH) |
                                  (longitude < 0 ? COURSE_WEST : 0)));
}

static void write_cell(struct writer *out, bool with_length)
{
    if (with_length)
        writer_u8(out, 9);
    writer_u32_be(out, 0);
    writer_u32_be(out, 0);
}

/* Battery and signal as levels. */
static void write_status(const struct signal *signal, struct writer *out)
{
    bool battery = signal->has & MEASURE_BATTERY, gsm = signal->has & MEASURE_GSM;

    writer_u8(out, signal->flags & SIGNAL_FLAG_CHARGING ? INFORMATION_CHARGING : 0);
    writer_u8(out, battery ? (uint8_t)((signal->battery_percent * 6 + 99) / 100) : 0xFF);
    writer_u8(out, gsm ? (uint8_t)(signal->gsm_percent / 25) : 0xFF);
}

uint8_t gt06_content_compose(const struct signal *signal, int64_t now_us, struct writer *out)
{
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : now_us;

    if (signal->kind == SIGNAL_HEARTBEAT) {
        write_status(signal, out);
        writer_u16_be(out, 2);
        return GT06_STATUS;
    }
    if (signal->kind == SIGNAL_POSITION) {
        write_gps(signal, at_us, out);
        write_cell(out, false);
        return GT06_POSITION_LBS;
    }
    for (size_t i = 0; i < ALARM_CODE_COUNT; i++) {
        if (alarm_codes[i].kind != signal->kind)
            continue;
        write_gps(signal, at_us, out);
        write_cell(out, true);
        write_status(signal, out);
        writer_u8(out, alarm_codes[i].code);
        writer_u8(out, 2);
        return GT06_ALARM_LBS;
    }
    return 0;
}
