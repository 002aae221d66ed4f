#include "protocol/ev07b_data.h"

#include "protocol/calendar.h"
#include "protocol/checksum.h"

#include <string.h>

enum key {
    KEY_ALARM = 0x02,
    KEY_BATTERY = 0x14,
    KEY_POSITION = 0x20,
    KEY_TAG_POSITION = 0x23,
    KEY_STATUS = 0x24,
    KEY_BEACON = 0x28,
    KEY_HOME_POSITION = 0x2A,
    KEY_BEACON_LONG = 0x2C,
    KEY_STEPS = 0x30,
    KEY_HEART_RATE = 0x40,
    KEY_OXYGEN = 0x41
};

#define STATUS_CHARGING (1U << 4)
#define STATUS_STORED (1U << 7)
#define SIGNAL_LEVEL_MAX 31 /* of bits 19-23 */
/* 2016-01-01: no pendant of this kind says an earlier time and means it. */
#define CLOCK_SET_AFTER_S UINT32_C(1451606400)

#define FENCES (0xFU << 4)   /* one bit each: its line was crossed, */
#define ENTERED (0xFU << 27) /* in this direction */
/* Overspeed, motion and bark are no alarms of a person. */
#define IGNORED (1U << 1 | 1U << 10 | ENTERED | 1U << 31)

/* In the order in which they are reported. */
static const struct alarm_bit {
    uint32_t mask;
    uint8_t kind;
} alarm_bits[] = {
    {1U << 12, SIGNAL_PANIC},          {1U << 2, SIGNAL_FALL},
    {1U << 4, SIGNAL_WANDER},          {3U << 13, SIGNAL_SERVICE},
    {1U << 8, SIGNAL_TAMPER},          {1U << 0, SIGNAL_LOW_BATTERY},
    {1U << 9, SIGNAL_TAMPER_RESTORED}, {1U << 4 | 1U << 27, SIGNAL_WANDER_RESTORED},
};
#define ALARM_BIT_COUNT (sizeof(alarm_bits) / sizeof(alarm_bits[0]))
#define KNOWN (1U << 12 | 1U << 2 | FENCES | 3U << 13 | 3U << 8 | 1U << 0)

struct record {
    struct signal signal;
    uint32_t keys[8]; /* one bit for each that it has */
    uint32_t time_s, alarm_time_s, alarms;
    bool has_alarm, alarm_broken;
};

bool ev07b_data_next(struct bytes *rest, uint8_t *key, struct bytes *value)
{
    if (rest->size < 2 || rest->data[0] == 0 || rest->data[0] > rest->size - 1)
        return false;
    *key = rest->data[1];
    *value = bytes_part(*rest, 2, rest->data[0] - 1U);
    *rest = bytes_part(*rest, 1U + rest->data[0], rest->size);
    return true;
}

static void read_place(struct cursor *cursor, struct signal *out)
{
    int32_t latitude = (int32_t)cursor_u32_le(cursor);
    int32_t longitude = (int32_t)cursor_u32_le(cursor);

    if (cursor->failed || latitude < -900000000 || latitude > 900000000 ||
        longitude < -1800000000 || longitude > 1800000000 || (latitude == 0 && longitude == 0))
        return;
    out->latitude_e7 = latitude;
    out->longitude_e7 = longitude;
    out->has |= MEASURE_POSITION;
    out->flags &= ~(uint32_t)SIGNAL_FLAG_NO_POSITION;
}

/* A dilution of zero means no fix: the last place it knew. */
static void read_position(struct cursor *cursor, struct signal *out)
{
    uint16_t dilution;

    read_place(cursor, out);
    cursor_take(cursor, 6); /* speed, course, altitude */
    dilution = cursor_u16_le(cursor);
    if (out->has & MEASURE_POSITION && (cursor->failed || dilution == 0))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
}

static void read_battery(uint32_t percent, struct signal *out)
{
    if (percent > 100)
        return;
    out->battery_percent = (int16_t)percent;
    out->has |= MEASURE_BATTERY;
}

static void read_status(struct cursor *cursor, struct record *record)
{
    uint32_t time_s = cursor_u32_le(cursor), status = cursor_u32_le(cursor);
    uint32_t level = status >> 19 & SIGNAL_LEVEL_MAX;
    struct signal *out = &record->signal;

    if (cursor->failed)
        return;
    record->time_s = time_s;
    read_battery(status >> 24, out);
    if (level > 0) {
        out->gsm_percent = (int16_t)(level * 100 / SIGNAL_LEVEL_MAX);
        out->has |= MEASURE_GSM;
    }
    if (status & STATUS_CHARGING)
        out->flags |= SIGNAL_FLAG_CHARGING;
    if (status & STATUS_STORED)
        out->flags |= SIGNAL_FLAG_STORED;
}

static void read_vital(struct cursor *cursor, int least, int16_t *value, struct record *record,
                       uint32_t measure)
{
    uint32_t time_s = cursor_u32_le(cursor);
    uint8_t reading = cursor_u8(cursor);

    if (cursor->failed || reading < least)
        return;
    *value = reading;
    record->signal.has |= measure;
    record->signal.flags |= SIGNAL_FLAG_WORN;
    if (record->time_s == 0)
        record->time_s = time_s;
}

static void read_steps(struct cursor *cursor, struct record *record)
{
    uint32_t time_s = cursor_u32_le(cursor), steps = cursor_u32_le(cursor);

    if (cursor->failed || steps > INT32_MAX)
        return;
    record->signal.steps = (int32_t)steps;
    record->signal.has |= MEASURE_STEPS;
    if (record->time_s == 0)
        record->time_s = time_s;
}

static void read_alarm(struct cursor *cursor, struct record *record)
{
    record->alarms = cursor_u32_le(cursor);
    record->has_alarm = true;
    record->alarm_broken = cursor->failed;
    if (cursor->rest.size >= 4)
        record->alarm_time_s = cursor_u32_le(cursor);
}

static void read_field(uint8_t key, struct bytes value, struct record *record)
{
    struct cursor cursor = cursor_over(value);
    struct signal *out = &record->signal;

    switch (key) {
    case KEY_ALARM:
        read_alarm(&cursor, record);
        break;
    case KEY_BATTERY:
        read_battery(cursor_u8(&cursor), out);
        break;
    case KEY_POSITION:
        read_position(&cursor, out);
        break;
    case KEY_TAG_POSITION:
        cursor_take(&cursor, 6);
        read_place(&cursor, out);
        break;
    case KEY_STATUS:
        read_status(&cursor, record);
        break;
    case KEY_BEACON:
    case KEY_BEACON_LONG:
        if (cursor_u8(&cursor) & 0x80) {
            cursor_take(&cursor, 8);
            read_place(&cursor, out);
        }
        break;
    case KEY_HOME_POSITION:
        cursor_take(&cursor, 8);
        read_place(&cursor, out);
        break;
    case KEY_STEPS:
        read_steps(&cursor, record);
        break;
    case KEY_HEART_RATE:
        read_vital(&cursor, 2, &out->heart_rate, record, MEASURE_HEART_RATE);
        break;
    case KEY_OXYGEN:
        read_vital(&cursor, 1, &out->oxygen_percent, record, MEASURE_OXYGEN);
        break;
    default:
        break;
    }
}

static void date(struct signal *out, uint32_t time_s)
{
    out->occurred_at_us = time_s * CALENDAR_SECOND_US;
    if (time_s > 0 && time_s < CLOCK_SET_AFTER_S)
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
}

static void name_alarm(struct signal *alarm, uint32_t alarms, uint32_t time_s, uint16_t checksum)
{
    struct writer writer = writer_into(alarm->code, CODE_LIMIT);

    writer_text(&writer, "alarm ");
    writer_hex(&writer, alarms, 8);
    alarm->code[writer.size] = '\0';
    if (time_s < CLOCK_SET_AFTER_S)
        return;
    writer = writer_into(alarm->message_id, MESSAGE_ID_LIMIT);
    writer_decimal(&writer, time_s);
    writer_u8(&writer, '-');
    writer_hex(&writer, alarms, 8);
    writer_u8(&writer, '-');
    writer_hex(&writer, checksum, 4);
    alarm->message_id[writer.size] = '\0';
}

/* Was a fence crossed in this direction? */
static bool is_crossed(uint32_t alarms, bool entered)
{
    uint32_t entries = (alarms & ENTERED) >> 23;

    return alarms & FENCES & (entered ? entries : ~entries);
}

static bool says(uint32_t alarms, const struct alarm_bit *bit)
{
    if (bit->kind == SIGNAL_WANDER || bit->kind == SIGNAL_WANDER_RESTORED)
        return is_crossed(alarms, bit->kind == SIGNAL_WANDER_RESTORED);
    return alarms & bit->mask;
}

/* One signal an alarm bit; bits without a name are a panic unless there is one or a fall. */
static void add_alarms(uint32_t alarms, struct signal *alarm, struct batch *batch)
{
    bool is_unknown = alarms == 0 || alarms & ~(KNOWN | IGNORED);

    for (size_t i = 0; i < ALARM_BIT_COUNT; i++) {
        if (!says(alarms, &alarm_bits[i]))
            continue;
        alarm->kind = alarm_bits[i].kind;
        alarm->service = alarm->kind == SIGNAL_SERVICE ? SERVICE_OTHER : SERVICE_NONE;
        if (alarm->kind == SIGNAL_PANIC || alarm->kind == SIGNAL_FALL)
            is_unknown = false;
        batch_add(batch, alarm);
    }
    if (!is_unknown)
        return;
    alarm->kind = SIGNAL_PANIC;
    alarm->service = SERVICE_NONE;
    alarm->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    batch_add(batch, alarm);
}

/* Adds the alarms of a record. */
static void end_alarms(const struct record *record, struct bytes fields, struct batch *batch)
{
    uint32_t time_s = record->alarm_time_s ? record->alarm_time_s : record->time_s;
    struct signal alarm = record->signal;

    date(&alarm, time_s);
    if (!(alarm.has & MEASURE_POSITION))
        alarm.flags |= SIGNAL_FLAG_NO_POSITION;
    name_alarm(&alarm, record->alarms, time_s, checksum_crc16_x25(fields));
    if (record->alarm_broken) {
        alarm.kind = SIGNAL_UNREADABLE;
        alarm.flags |= SIGNAL_FLAG_UNREADABLE;
        batch_add(batch, &alarm);
    } else {
        add_alarms(record->alarms, &alarm, batch);
    }
}

static void end_record(struct record *record, struct bytes fields, struct batch *batch)
{
    struct signal *signal = &record->signal;

    if (record->has_alarm &&
        (record->alarm_broken || record->alarms == 0 || record->alarms & ~IGNORED)) {
        end_alarms(record, fields, batch);
        return;
    }
    date(signal, record->time_s);
    if (signal->has & MEASURE_POSITION)
        signal->kind = SIGNAL_POSITION;
    else if (signal->has & (MEASURE_HEART_RATE | MEASURE_OXYGEN))
        signal->kind = SIGNAL_VITALS;
    batch_add(batch, signal);
}

/* Beacons are many in one record. */
static bool begins_record(struct record *record, uint8_t key)
{
    bool seen = record->keys[key / 32] >> key % 32 & 1;

    record->keys[key / 32] |= 1U << key % 32;
    return seen && key != KEY_BEACON && key != KEY_BEACON_LONG;
}

void ev07b_data_decode(struct bytes fields, const struct signal *model, struct batch *batch)
{
    const struct record empty = {.signal = *model};
    struct record record = empty;
    struct bytes rest = fields, own = fields, value;
    uint8_t key;

    for (struct bytes before = rest; ev07b_data_next(&rest, &key, &value); before = rest) {
        if (begins_record(&record, key)) {
            own.size = (size_t)(before.data - own.data);
            end_record(&record, own, batch);
            record = empty;
            begins_record(&record, key);
            own = before;
        }
        if (key == EV07B_DATA_KEY_IDENTITY)
            own = rest;
        read_field(key, value, &record);
    }
    if (rest.size)
        record.signal.flags |= SIGNAL_FLAG_LENGTH_WRONG;
    end_record(&record, own, batch);
}

bool ev07b_data_claims_alarm(struct bytes fields)
{
    for (size_t i = 0; i + 6 <= fields.size; i++) {
        struct cursor cursor = cursor_over(bytes_part(fields, i + 2, 4));
        uint32_t alarms = cursor_u32_le(&cursor);

        if ((fields.data[i] == 5 || fields.data[i] == 9) && fields.data[i + 1] == KEY_ALARM &&
            alarms & KNOWN && !(alarms & ~(KNOWN | IGNORED)))
            return true;
    }
    return false;
}

static void write_status(struct writer *out, const struct signal *signal, uint32_t time_s)
{
    uint32_t battery = signal->has & MEASURE_BATTERY ? (uint32_t)signal->battery_percent : 0xFF;
    uint32_t level = signal->has & MEASURE_GSM
                         ? ((uint32_t)signal->gsm_percent * SIGNAL_LEVEL_MAX + 50) / 100
                         : 0;

    writer_u8(out, 9);
    writer_u8(out, KEY_STATUS);
    writer_u32_le(out, time_s);
    writer_u32_le(out, battery << 24 | level << 19 |
                           (signal->flags & SIGNAL_FLAG_CHARGING ? STATUS_CHARGING : 0) |
                           (signal->flags & SIGNAL_FLAG_STORED ? STATUS_STORED : 0));
}

static void write_position(struct writer *out, const struct signal *signal)
{
    writer_u8(out, 22);
    writer_u8(out, KEY_POSITION);
    writer_u32_le(out, (uint32_t)signal->latitude_e7);
    writer_u32_le(out, (uint32_t)signal->longitude_e7);
    for (int i = 0; i < 3; i++)
        writer_u16_le(out, 0);
    writer_u16_le(out, signal->flags & SIGNAL_FLAG_NO_POSITION ? 0 : 10);
    writer_u32_le(out, 0);
    writer_u8(out, 8);
}

static void write_measures(struct writer *out, const struct signal *signal, uint32_t time_s)
{
    if (signal->has & MEASURE_POSITION)
        write_position(out, signal);
    if (signal->has & MEASURE_STEPS) {
        writer_u8(out, 9);
        writer_u8(out, KEY_STEPS);
        writer_u32_le(out, time_s);
        writer_u32_le(out, (uint32_t)signal->steps);
    }
    if (signal->has & MEASURE_HEART_RATE) {
        writer_u8(out, 6);
        writer_u8(out, KEY_HEART_RATE);
        writer_u32_le(out, time_s);
        writer_u8(out, (uint8_t)signal->heart_rate);
    }
    if (signal->has & MEASURE_OXYGEN) {
        writer_u8(out, 6);
        writer_u8(out, KEY_OXYGEN);
        writer_u32_le(out, time_s);
        writer_u8(out, (uint8_t)signal->oxygen_percent);
    }
}

bool ev07b_data_compose(const struct signal *signal, int64_t at_us, struct writer *out)
{
    uint32_t time_s = (uint32_t)(at_us / CALENDAR_SECOND_US), alarms = 0;

    for (size_t i = 0; i < ALARM_BIT_COUNT; i++)
        if (alarm_bits[i].kind == signal->kind)
            alarms = signal->kind == SIGNAL_SERVICE ? 1U << 13 : alarm_bits[i].mask;
    if (alarms == 0 && signal->kind != SIGNAL_HEARTBEAT && signal->kind != SIGNAL_POSITION &&
        signal->kind != SIGNAL_VITALS)
        return false;
    write_status(out, signal, time_s);
    if (alarms) {
        writer_u8(out, 9);
        writer_u8(out, KEY_ALARM);
        writer_u32_le(out, alarms);
        writer_u32_le(out, time_s);
    }
    write_measures(out, signal, time_s);
    return !out->overflow;
}
