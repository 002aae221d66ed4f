#include "protocol/watch_content.h"

#include "protocol/calendar.h"
#include "protocol/checksum.h"

#include <string.h>

/* Type and position block up to the status; cells and Wi-Fi follow and are not used. */
#define FIELDS_MAX 17
/* 2016-01-01: no watch of this kind says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)

enum field {
    FIELD_TYPE,
    FIELD_DATE,
    FIELD_TIME,
    FIELD_FIX,
    FIELD_LATITUDE,
    FIELD_NORTH_SOUTH,
    FIELD_LONGITUDE,
    FIELD_EAST_WEST,
    FIELD_GSM = 12,
    FIELD_BATTERY,
    FIELD_STEPS,
    FIELD_STATUS = 16
};

struct fields {
    struct bytes at[FIELDS_MAX];
    size_t count;
};

/* In the order in which they are reported. Bits below 16 are states that every report repeats, but
 * the power cut counts in an alarm frame. Bit 19 (back inside the fence) ends what bit 18 began. */
static const struct alarm_bit {
    uint32_t mask;
    uint8_t kind;
    bool alarm_frame_only;
} alarm_bits[] = {
    {1U << 16, SIGNAL_PANIC, false},           {3U << 21, SIGNAL_FALL, false},
    {1U << 18, SIGNAL_WANDER, false},          {1U << 14, SIGNAL_MAINS_LOST, true},
    {1U << 20, SIGNAL_TAMPER, false},          {1U << 17, SIGNAL_LOW_BATTERY, false},
    {1U << 19, SIGNAL_WANDER_RESTORED, false},
};
#define ALARM_BIT_COUNT (sizeof(alarm_bits) / sizeof(alarm_bits[0]))

static struct fields split_fields(struct bytes content)
{
    struct fields fields = {.count = 0};
    struct bytes field;

    while (fields.count < FIELDS_MAX && bytes_next_field(&content, ',', &field))
        fields.at[fields.count++] = bytes_trim(field);
    return fields;
}

static bool starts_with_nocase(struct bytes text, const char *prefix)
{
    return bytes_equal_nocase(bytes_part(text, 0, strlen(prefix)), prefix);
}

bool watch_content_is_alarm(struct bytes type)
{
    return starts_with_nocase(type, "AL");
}

/* The number in field `index`, if it is there and within [low, high]. */
static bool parse_within(const struct fields *fields, size_t index, int low, int high, int32_t *out)
{
    int64_t value;

    if (index >= fields->count || !bytes_parse_decimal(fields->at[index], &value))
        return false;
    if (value < low || value > high)
        return false;
    *out = (int32_t)value;
    return true;
}

static bool parse_measure(const struct fields *fields, size_t index, int high, int16_t *out)
{
    int32_t value;

    if (!parse_within(fields, index, 0, high, &value))
        return false;
    *out = (int16_t)value;
    return true;
}

static void parse_battery_and_steps(const struct fields *fields, size_t battery, size_t steps,
                                    struct signal *out)
{
    if (parse_measure(fields, battery, 100, &out->battery_percent))
        out->has |= MEASURE_BATTERY;
    if (parse_within(fields, steps, 0, INT32_MAX, &out->steps))
        out->has |= MEASURE_STEPS;
}

/* Degrees times 1e7. A minus sign counts where the device sends one beside the letter. */
static bool parse_degrees(const struct fields *fields, enum field degrees, int limit, int32_t *out)
{
    bool negative = bytes_equal_nocase(fields->at[degrees + 1], "S") ||
                    bytes_equal_nocase(fields->at[degrees + 1], "W");
    int64_t value;

    if (!bytes_parse_fixed(fields->at[degrees], 7, &value))
        return false;
    if (value < -limit * INT64_C(10000000) || value > limit * INT64_C(10000000))
        return false;
    *out = (int32_t)(negative && value > 0 ? -value : value);
    return true;
}

/* A fix of V is the last place the device knew: kept, and flagged. */
static void parse_place(const struct fields *fields, struct signal *out)
{
    bool readable = parse_degrees(fields, FIELD_LATITUDE, 90, &out->latitude_e7) &&
                    parse_degrees(fields, FIELD_LONGITUDE, 180, &out->longitude_e7);

    if (readable && (out->latitude_e7 || out->longitude_e7))
        out->has |= MEASURE_POSITION;
    if (!(out->has & MEASURE_POSITION) || !bytes_equal_nocase(fields->at[FIELD_FIX], "A"))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
}

static bool is_position_block(const struct fields *fields)
{
    if (fields->count < FIELDS_MAX)
        return false;

    struct bytes status = fields->at[FIELD_STATUS], fix = fields->at[FIELD_FIX];
    uint64_t value;

    if (status.size < 4 || status.size > 8 || !bytes_parse_hex(status, &value))
        return false;
    return watch_content_is_alarm(fields->at[FIELD_TYPE]) || bytes_equal_nocase(fix, "A") ||
           bytes_equal_nocase(fix, "V");
}

static void parse_position_block(const struct fields *fields, struct signal *out)
{
    if (!calendar_parse_ddmmyy(fields->at[FIELD_DATE], fields->at[FIELD_TIME],
                               &out->occurred_at_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    if (bytes_equal_nocase(fields->at[FIELD_TYPE], "UD2"))
        out->flags |= SIGNAL_FLAG_STORED;
    parse_place(fields, out);
    parse_battery_and_steps(fields, FIELD_BATTERY, FIELD_STEPS, out);
    if (parse_measure(fields, FIELD_GSM, 100, &out->gsm_percent))
        out->has |= MEASURE_GSM;
    out->kind = out->has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}

static void name_alarm(struct signal *alarm, const struct fields *fields, struct bytes content)
{
    char text[CODE_LIMIT + MESSAGE_ID_LIMIT];
    struct writer writer = writer_into(text, sizeof(text));

    writer_bytes(&writer, bytes_part(fields->at[FIELD_TYPE], 0, 20));
    writer_u8(&writer, ' ');
    writer_bytes(&writer, fields->at[FIELD_STATUS]);
    bytes_copy_text(writer_view(&writer), alarm->code, sizeof(alarm->code));
    if (alarm->occurred_at_us < CLOCK_SET_AFTER_US)
        return;
    writer = writer_into(text, sizeof(text));
    writer_bytes(&writer, fields->at[FIELD_DATE]);
    writer_bytes(&writer, fields->at[FIELD_TIME]);
    writer_u8(&writer, '-');
    writer_hex(&writer, checksum_crc16_x25(content), 4);
    bytes_copy_text(writer_view(&writer), alarm->message_id, sizeof(alarm->message_id));
}

/* One signal an alarm bit; *out holds the block as a plain position and serves as their model. */
static int decode_alarms(const struct fields *fields, struct bytes content, struct signal *out,
                         int limit)
{
    bool alarm_frame = watch_content_is_alarm(fields->at[FIELD_TYPE]);
    struct signal model = *out;
    uint64_t status = 0;
    int count = 0;

    bytes_parse_hex(fields->at[FIELD_STATUS], &status);
    for (size_t i = 0; i < ALARM_BIT_COUNT && count < limit; i++) {
        if (!(status & alarm_bits[i].mask) || (alarm_bits[i].alarm_frame_only && !alarm_frame))
            continue;
        out[count] = model;
        out[count].kind = alarm_bits[i].kind;
        name_alarm(&out[count++], fields, content);
    }
    if (count == 0 && alarm_frame) {
        out->kind = SIGNAL_PANIC;
        out->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
        name_alarm(out, fields, content);
    }
    return count ? count : 1;
}

/* A zero is no reading. */
static void parse_vital(const struct fields *fields, size_t index, int high, int16_t *value,
                        struct signal *out, uint32_t measure)
{
    if (parse_measure(fields, index, high, value) && *value > 0)
        out->has |= measure;
}

static void parse_blood_pressure(const struct fields *fields, struct signal *out)
{
    int16_t low;

    parse_vital(fields, 1, 300, &out->systolic, out, MEASURE_BLOOD_PRESSURE);
    if (parse_measure(fields, 2, 300, &low) && low > 0)
        out->diastolic = low;
    else
        out->has &= ~(uint32_t)MEASURE_BLOOD_PRESSURE;
}

static void parse_temperature(const struct fields *fields, size_t index, struct signal *out)
{
    int64_t value;

    if (index < fields->count && bytes_parse_fixed(fields->at[index], 2, &value) && value > 0 &&
        value < 10000) {
        out->temperature_c100 = (int16_t)value;
        out->has |= MEASURE_TEMPERATURE;
    }
}

/* Leaves *out a heartbeat where the frame has no vitals or none was measured. */
static void decode_vitals(const struct fields *fields, struct signal *out)
{
    struct bytes type = fields->at[FIELD_TYPE];

    if (bytes_equal_nocase(type, "heart") || bytes_equal_nocase(type, "PULSE"))
        parse_vital(fields, 1, 300, &out->heart_rate, out, MEASURE_HEART_RATE);
    else if (bytes_equal_nocase(type, "BLOOD"))
        parse_blood_pressure(fields, out);
    else if (bytes_equal_nocase(type, "bphrt")) {
        parse_blood_pressure(fields, out);
        parse_vital(fields, 3, 300, &out->heart_rate, out, MEASURE_HEART_RATE);
    } else if (bytes_equal_nocase(type, "oxygen"))
        parse_vital(fields, 2, 100, &out->oxygen_percent, out, MEASURE_OXYGEN);
    else if (bytes_equal_nocase(type, "TEMP"))
        parse_temperature(fields, 1, out);
    else if (bytes_equal_nocase(type, "btemp2"))
        parse_temperature(fields, 2, out);
    if (out->has & (MEASURE_HEART_RATE | MEASURE_BLOOD_PRESSURE | MEASURE_OXYGEN))
        out->flags |= SIGNAL_FLAG_WORN;
    if (out->has)
        out->kind = SIGNAL_VITALS;
}

/* LK,steps,rolls,battery; some send LK,rolls,battery, some nothing. */
static void decode_keep_alive(const struct fields *fields, struct signal *out)
{
    if (fields->count == 3)
        parse_battery_and_steps(fields, 2, fields->count, out);
    else
        parse_battery_and_steps(fields, 3, 1, out);
}

int watch_content_decode(struct bytes content, struct signal *out, int limit)
{
    struct fields fields = split_fields(content);

    if (is_position_block(&fields)) {
        parse_position_block(&fields, out);
        return decode_alarms(&fields, content, out, limit);
    }
    if (fields.count && watch_content_is_alarm(fields.at[FIELD_TYPE])) {
        out->kind = SIGNAL_UNREADABLE;
        out->flags |= SIGNAL_FLAG_UNREADABLE;
    } else if (fields.count && bytes_equal_nocase(fields.at[FIELD_TYPE], "LK")) {
        decode_keep_alive(&fields, out);
    } else if (fields.count) {
        decode_vitals(&fields, out);
    }
    return 1;
}

/* Where there is nothing to say, the field stays empty: a zero would be a reading. */
static void write_measure(struct writer *out, const struct signal *signal, uint32_t measure,
                          int64_t value)
{
    writer_u8(out, ',');
    if (signal->has & measure)
        writer_decimal(out, value);
}

static void write_degrees(struct writer *out, int32_t degrees, const char *positive,
                          const char *negative)
{
    writer_u8(out, ',');
    writer_fixed(out, degrees < 0 ? -(int64_t)degrees : degrees, 7);
    writer_text(out, degrees < 0 ? negative : positive);
}

static void write_position_block(struct writer *out, const struct signal *signal, int64_t at_us,
                                 uint32_t status)
{
    struct civil civil = calendar_to_civil(at_us);
    const int date[] = {civil.day, civil.month, civil.year};
    const int time[] = {civil.hour, civil.minute, civil.second};
    bool fix = signal->has & MEASURE_POSITION && !(signal->flags & SIGNAL_FLAG_NO_POSITION);

    writer_u8(out, ',');
    for (int i = 0; i < 3; i++)
        writer_decimal_padded(out, (uint64_t)date[i], 2);
    writer_u8(out, ',');
    for (int i = 0; i < 3; i++)
        writer_decimal_padded(out, (uint64_t)time[i], 2);
    writer_text(out, fix ? ",A" : ",V");
    write_degrees(out, signal->latitude_e7, ",N", ",S");
    write_degrees(out, signal->longitude_e7, ",E", ",W");
    writer_text(out, ",0.00,0.0,0.0,0");
    write_measure(out, signal, MEASURE_GSM, signal->gsm_percent);
    write_measure(out, signal, MEASURE_BATTERY, signal->battery_percent);
    write_measure(out, signal, MEASURE_STEPS, signal->steps);
    writer_text(out, ",0,");
    writer_hex(out, status, 8);
    writer_text(out, ",0,0");
}

static void write_keep_alive(struct writer *out, const struct signal *signal)
{
    writer_text(out, "LK");
    if (!(signal->has & MEASURE_BATTERY))
        return;
    write_measure(out, signal, MEASURE_STEPS, signal->steps);
    writer_text(out, ",0");
    write_measure(out, signal, MEASURE_BATTERY, signal->battery_percent);
}

/* One vital a frame: the first that the signal has. */
static bool write_vital(struct writer *out, const struct signal *signal)
{
    if (signal->has & MEASURE_BLOOD_PRESSURE) {
        writer_text(out, "bphrt");
        write_measure(out, signal, MEASURE_BLOOD_PRESSURE, signal->systolic);
        write_measure(out, signal, MEASURE_BLOOD_PRESSURE, signal->diastolic);
        write_measure(out, signal, MEASURE_HEART_RATE, signal->heart_rate);
        writer_text(out, ",,,,");
    } else if (signal->has & MEASURE_HEART_RATE) {
        writer_text(out, "heart");
        write_measure(out, signal, MEASURE_HEART_RATE, signal->heart_rate);
    } else if (signal->has & MEASURE_OXYGEN) {
        writer_text(out, "oxygen,0");
        write_measure(out, signal, MEASURE_OXYGEN, signal->oxygen_percent);
    } else if (signal->has & MEASURE_TEMPERATURE) {
        writer_text(out, "btemp2,1,");
        writer_fixed(out, signal->temperature_c100, 2);
    } else {
        return false;
    }
    return true;
}

bool watch_content_compose(const struct signal *signal, int64_t now_us, struct writer *out)
{
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : now_us;

    if (signal->kind == SIGNAL_HEARTBEAT) {
        write_keep_alive(out, signal);
    } else if (signal->kind == SIGNAL_VITALS) {
        return write_vital(out, signal);
    } else if (signal->kind == SIGNAL_POSITION) {
        writer_text(out, signal->flags & SIGNAL_FLAG_STORED ? "UD2" : "UD");
        write_position_block(out, signal, at_us, 0);
    } else {
        for (size_t i = 0; i < ALARM_BIT_COUNT; i++) {
            if (alarm_bits[i].kind != signal->kind)
                continue;
            writer_text(out, "AL");
            write_position_block(out, signal, at_us, alarm_bits[i].mask);
            return true;
        }
        return false;
    }
    return true;
}
