/*
 * H02, text and binary on the same connection, TCP or UDP:
 *
 *     *HQ,identity,V1,hhmmss,A,ddmm.mmmm,N,dddmm.mmmm,E,speed,course,ddmmyy,status,…#
 *     $ identity(5) hhmmss ddmmyy latitude(4) battery longitude(5) speed,course(3) status(4) …
 *
 * Where a frame ends. Text: at its #, or where another text begins. Binary frames are 32, 45 or 48
 * bytes long and nothing in them says which: all that is used stands in the first 29, so a frame
 * is those, and what follows is skipped up to the next thing that looks like a beginning.
 *
 * When an alarm is new. The status is a state, its bits active low: it rings when it begins, within
 * one connection of one device, and again if a report more than a minute after the last one shows
 * it. Its name is the device's time; a device whose clock is not set names nothing.
 */
#include "protocol/batch.h"
#include "protocol/calendar.h"
#include "protocol/codec.h"
#include "protocol/h02_command.h"

#include <string.h>

#define FRAME_MAX 1024
#define BINARY_SIZE 29
#define BINARY_DIGITS 11 /* bytes of packed decimal behind the $ */
#define FIELDS_MAX 64
#define GAP_S 60
/* 2016-01-01: no device says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)

/* Clear bits of the status. */
#define STATUS_SOS (1U << 1 | 1U << 18)
#define STATUS_POWER_CUT (1U << 19)
#define STATUS_QUIET 0xFFFFFFFFU

/* session.state[]: the status of the last report; when it last showed SOS, in seconds. */
enum { STATE_ALARMS, STATE_SEEN };

struct fields {
    struct bytes at[FIELDS_MAX];
    size_t count;
};

static bool is_letter(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Whether a text begins here: *XX, */
static enum frame probe_text(struct bytes input)
{
    for (size_t i = 0; i < 4; i++) {
        if (i == input.size)
            return FRAME_MORE;
        if (i == 0   ? input.data[0] != '*'
            : i == 3 ? input.data[3] != ','
                     : !is_letter(input.data[i]))
            return FRAME_BAD;
    }
    return FRAME_READY;
}

/* Whether a binary frame begins here: a $ and digits that may be a time and a date. */
static enum frame probe_binary(struct bytes input)
{
    static const uint8_t highest[BINARY_DIGITS + 1] = {0,    0x99, 0x99, 0x99, 0x99, 0x99,
                                                       0x23, 0x59, 0x59, 0x31, 0x12, 0x99};

    if (input.size > 0 && input.data[0] != '$')
        return FRAME_BAD;
    for (size_t i = 1; i <= BINARY_DIGITS; i++) {
        if (i >= input.size)
            return FRAME_MORE;
        if (input.data[i] > highest[i] || (input.data[i] & 15) > 9)
            return FRAME_BAD;
    }
    return FRAME_READY;
}

static enum frame h02_recognise(struct bytes first)
{
    enum frame text = probe_text(first);

    return text == FRAME_BAD ? probe_binary(first) : text;
}

/* Size of the text that begins `input`, 0 if its end is not there yet. */
static size_t find_end(struct bytes input)
{
    for (size_t i = 1; i < input.size && i < FRAME_MAX; i++) {
        if (input.data[i] == '#')
            return i + 1;
        if (probe_text(bytes_part(input, i, 4)) == FRAME_READY)
            return i;
    }
    return 0;
}

static enum frame h02_split(struct bytes input, size_t *skip, size_t *size)
{
    enum frame frame = FRAME_BAD;

    for (*skip = 0; *skip < input.size; ++*skip) {
        frame = h02_recognise(bytes_part(input, *skip, BINARY_SIZE));
        if (frame != FRAME_BAD)
            break;
    }
    if (frame != FRAME_READY)
        return FRAME_MORE;
    input = bytes_part(input, *skip, FRAME_MAX);
    *size = input.data[0] == '*' ? find_end(input) : BINARY_SIZE;
    if (*size > 0 && *size <= input.size)
        return FRAME_READY;
    if (input.size < FRAME_MAX)
        return FRAME_MORE;
    *skip += FRAME_MAX;
    return FRAME_BAD;
}

static struct fields split_fields(struct bytes text)
{
    struct fields fields = {.count = 0};
    struct bytes field;

    text = bytes_part(text, 1, bytes_find(text, '#') - 1);
    while (fields.count < FIELDS_MAX && bytes_next_field(&text, ',', &field))
        fields.at[fields.count++] = bytes_trim(field);
    return fields;
}

/* Degrees and minutes as ddmm.mmmm, ddmmmmmm or -dd-mm.mmmm, times 1e7. */
static bool parse_degrees(struct bytes text, int limit, int32_t *out)
{
    struct bytes degrees, minutes;
    int64_t whole = 0, fraction;
    size_t point;

    if (text.size > 0 && text.data[0] == '-') {
        text = bytes_part(text, 1, text.size);
        point = bytes_find(text, '-');
        degrees = bytes_part(text, 0, point);
        minutes = bytes_part(text, point + 1, text.size);
    } else {
        point = bytes_find(text, '.');
        point =
            point == text.size ? point - (point < 6 ? point : 6) : point - (point < 2 ? point : 2);
        degrees = bytes_part(text, 0, point);
        minutes = bytes_part(text, point, text.size);
    }
    if ((degrees.size > 0 && !bytes_parse_decimal(degrees, &whole)) || minutes.size == 0 ||
        !bytes_parse_fixed(minutes, 7, &fraction))
        return false;
    if (bytes_find(minutes, '.') == minutes.size && minutes.size > 4)
        fraction /= 10000;
    if (whole < 0 || whole > limit || fraction < 0)
        return false;
    whole = whole * 10000000 + fraction / 60;
    *out = (int32_t)whole;
    return whole <= limit * INT64_C(10000000);
}

static void set_place(struct signal *out, bool readable, bool south, bool west, bool fix)
{
    if (readable && (out->latitude_e7 || out->longitude_e7)) {
        out->latitude_e7 = south ? -out->latitude_e7 : out->latitude_e7;
        out->longitude_e7 = west ? -out->longitude_e7 : out->longitude_e7;
        out->has |= MEASURE_POSITION;
    } else {
        out->latitude_e7 = out->longitude_e7 = 0;
    }
    if (!(out->has & MEASURE_POSITION) || !fix)
        out->flags |= SIGNAL_FLAG_NO_POSITION;
    out->kind = out->has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}

/* Where the fix (A, V, B) stands, by the letters behind the coordinates; 0 if nowhere. */
static size_t find_fix(const struct fields *fields)
{
    for (size_t i = 3; i + 4 < fields->count; i++) {
        struct bytes fix = fields->at[i], north = fields->at[i + 2], east = fields->at[i + 4];

        if (fix.size <= 2 && (bytes_equal_text(north, "N") || bytes_equal_text(north, "S")) &&
            (bytes_equal_text(east, "E") || bytes_equal_text(east, "W")))
            return i;
    }
    return 0;
}

/* The status: eight hex digits, most of which are F. */
static bool parse_status(struct bytes text, uint32_t *status)
{
    uint64_t value;
    int quiet = 0;

    if (text.size != 8 || !bytes_parse_hex(text, &value))
        return false;
    for (size_t i = 0; i < text.size; i++)
        quiet += text.data[i] == 'F' || text.data[i] == 'f';
    if (quiet < 3)
        return false;
    *status = (uint32_t)value;
    return true;
}

static void take_battery(int64_t percent, struct signal *out)
{
    if (percent < 0 || percent > 100)
        return;
    out->battery_percent = (int16_t)percent;
    out->has |= MEASURE_BATTERY;
}

/* LINK: signal, satellites, battery, steps. */
static void take_link(const struct fields *fields, struct signal *out)
{
    int64_t value;

    if (fields->count > 6 && bytes_parse_decimal(fields->at[6], &value))
        take_battery(value, out);
    if (fields->count > 7 && bytes_parse_decimal(fields->at[7], &value) && value >= 0 &&
        value <= INT32_MAX) {
        out->steps = (int32_t)value;
        out->has |= MEASURE_STEPS;
    }
}

/* Whether a text says a status, and that and all else that it says. */
static bool read_text(const struct fields *fields, uint32_t *status, struct signal *out)
{
    size_t fix = find_fix(fields);
    struct bytes empty = {NULL, 0}, time = empty, date = empty;
    bool has_status = false;

    *status = STATUS_QUIET;
    for (size_t i = fix ? fix + 6 : 4; i < fields->count; i++)
        if (parse_status(fields->at[i], status)) {
            has_status = true;
            date = fields->at[i - 1];
        }
    if (fix) {
        bool readable = parse_degrees(fields->at[fix + 1], 90, &out->latitude_e7) &&
                        parse_degrees(fields->at[fix + 3], 180, &out->longitude_e7);

        set_place(out, readable, bytes_equal_text(fields->at[fix + 2], "S"),
                  bytes_equal_text(fields->at[fix + 4], "W"),
                  !bytes_equal_text(fields->at[fix], "V"));
        date = fix + 7 < fields->count ? fields->at[fix + 7] : empty;
    }
    time = fields->count > 3 ? fields->at[fix ? fix - 1 : 3] : empty;
    if (date.size && !calendar_parse_ddmmyy(date, time, &out->occurred_at_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    if (bytes_equal_text(fields->at[2], "LINK"))
        take_link(fields, out);
    return has_status;
}

/* ddmm.mmmm in packed decimal: `digits` with two for the minutes and four behind their point. */
static int32_t packed_degrees(const char *digits, size_t degree_digits)
{
    int64_t degrees = 0, minutes = 0;

    bytes_parse_decimal(bytes_part(bytes_of(digits), 0, degree_digits), &degrees);
    bytes_parse_decimal(bytes_part(bytes_of(digits), degree_digits, 6), &minutes);
    return (int32_t)(degrees * 10000000 + minutes * 1000 / 60);
}

static uint32_t read_binary(struct bytes frame, struct signal *out)
{
    struct cursor cursor = cursor_over(bytes_part(frame, 1, frame.size));
    char date[13], latitude[9], longitude[11];
    uint8_t level, flags;
    struct cursor packed;

    cursor_bcd(&cursor, 5, out->identity);
    cursor_bcd(&cursor, 6, date);
    if (!calendar_parse_ddmmyy(bytes_part(bytes_of(date), 6, 6), bytes_part(bytes_of(date), 0, 6),
                               &out->occurred_at_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    packed = cursor_over(cursor_take(&cursor, 4));
    cursor_bcd(&packed, 4, latitude);
    level = cursor_u8(&cursor);
    flags = cursor.rest.size > 4 ? cursor.rest.data[4] & 15 : 0;
    /* Nine digits and the flags, which are no digit. */
    for (size_t i = 0; i < 5; i++) {
        uint8_t byte = cursor_u8(&cursor);

        longitude[2 * i] = (char)('0' + (byte >> 4));
        longitude[2 * i + 1] = (char)('0' + (byte & 15));
    }
    longitude[9] = '\0';
    out->latitude_e7 = packed.failed ? 0 : packed_degrees(latitude, 2);
    out->longitude_e7 = packed.failed ? 0 : packed_degrees(longitude, 3);
    set_place(out, out->latitude_e7 <= 900000000 && out->longitude_e7 <= 1800000000, !(flags & 4),
              !(flags & 8), flags & 2);
    if (level > 0 && level <= 6)
        take_battery((level - 1) * (level <= 3 ? 10 : 20), out);
    else if (level > 6)
        take_battery(level, out);
    cursor_take(&cursor, 3); /* speed and course */
    return cursor_u32_be(&cursor);
}

static void name_alarm(uint32_t status, struct signal *alarm)
{
    struct writer writer = writer_into(alarm->code, CODE_LIMIT);

    writer_hex(&writer, status, 8);
    if (alarm->occurred_at_us < CLOCK_SET_AFTER_US)
        return;
    writer = writer_into(alarm->message_id, MESSAGE_ID_LIMIT);
    writer_decimal(&writer, alarm->occurred_at_us / CALENDAR_SECOND_US);
}

static void add_alarm(uint8_t kind, uint32_t status, const struct signal *said, struct batch *batch)
{
    struct signal alarm = *said;

    alarm.kind = kind;
    name_alarm(status, &alarm);
    batch_add(batch, &alarm);
}

/* Adds what has begun or ended with this status, or the report itself. A report without a status says
 * nothing of the mains. */
static void decide(uint32_t status, struct codec_session *session, int64_t now_us,
                   const struct signal *said, struct batch *batch)
{
    uint32_t shown = ~status, before = session->state[STATE_ALARMS];
    uint32_t now_s = (uint32_t)(now_us / CALENDAR_SECOND_US);

    if (shown & STATUS_SOS) {
        if (now_s - session->state[STATE_SEEN] > GAP_S)
            before &= ~STATUS_SOS;
        session->state[STATE_SEEN] = now_s;
    }
    session->state[STATE_ALARMS] = shown;
    if (shown & STATUS_SOS && !(before & STATUS_SOS))
        add_alarm(SIGNAL_PANIC, status, said, batch);
    if ((shown ^ before) & STATUS_POWER_CUT)
        add_alarm(shown & STATUS_POWER_CUT ? SIGNAL_MAINS_LOST : SIGNAL_MAINS_RESTORED, status,
                  said, batch);
    if (batch->count == 0)
        batch_add(batch, said);
}

static int h02_decode(const struct message *message, struct codec_session *session,
                      const struct codec_environment *environment, struct signal *out, int limit)
{
    struct batch batch = {.out = out, .limit = limit};
    struct signal said = {.kind = SIGNAL_HEARTBEAT};
    bool has_status = true;
    uint32_t status;

    if (probe_text(message->body) == FRAME_READY) {
        struct fields fields = split_fields(message->body);

        if (fields.count < 3)
            return DECODE_BAD;
        bytes_copy_text(fields.at[1], said.identity, sizeof(said.identity));
        has_status = read_text(&fields, &status, &said);
    } else if (message->body.size >= BINARY_SIZE && probe_binary(message->body) == FRAME_READY) {
        status = read_binary(message->body, &said);
    } else {
        return DECODE_BAD;
    }
    if (strcmp(session->identity, said.identity) != 0) {
        memset(session->state, 0, sizeof(session->state));
        memcpy(session->identity, said.identity, sizeof(said.identity));
    }
    if (!has_status)
        status = ~(session->state[STATE_ALARMS] & STATUS_POWER_CUT);
    decide(status, session, environment->now_us, &said, &batch);
    return batch.count;
}

static void write_time(struct writer *out, int64_t at_us)
{
    struct civil civil = calendar_to_civil(at_us);

    writer_decimal_padded(out, (uint64_t)civil.hour, 2);
    writer_decimal_padded(out, (uint64_t)civil.minute, 2);
    writer_decimal_padded(out, (uint64_t)civil.second, 2);
}

static void write_date(struct writer *out, int64_t at_us)
{
    struct civil civil = calendar_to_civil(at_us);

    writer_decimal_padded(out, (uint64_t)civil.day, 2);
    writer_decimal_padded(out, (uint64_t)civil.month, 2);
    writer_decimal_padded(out, (uint64_t)civil.year, 2);
}

/* Positions and the frames of bands get the answer V4; without it some stop reporting. */
static void h02_reply(const struct message *message, struct codec_session *session,
                      const struct codec_environment *environment, enum verdict verdict,
                      struct writer *topic, struct writer *out)
{
    struct fields fields;
    struct civil now = calendar_to_civil(environment->now_us);

    (void)session, (void)verdict, (void)topic;
    if (probe_text(message->body) != FRAME_READY)
        return;
    fields = split_fields(message->body);
    if (fields.count < 3 || fields.at[2].size > 8 || fields.at[1].size > IDENTITY_LIMIT ||
        !(bytes_equal_text(fields.at[2], "V1") || bytes_equal_text(fields.at[2], "NBR") ||
          bytes_equal_text(fields.at[2], "LINK")))
        return;
    writer_u8(out, '*');
    writer_bytes(out, fields.at[0]);
    writer_u8(out, ',');
    writer_bytes(out, fields.at[1]);
    writer_text(out, ",V4,");
    writer_bytes(out, fields.at[2]);
    writer_u8(out, ',');
    writer_decimal_padded(out, (uint64_t)now.year, 4);
    writer_decimal_padded(out, (uint64_t)now.month, 2);
    writer_decimal_padded(out, (uint64_t)now.day, 2);
    write_time(out, environment->now_us);
    writer_u8(out, '#');
}

static void write_degrees(struct writer *out, int32_t degrees_e7, int width)
{
    int64_t value = degrees_e7 < 0 ? -(int64_t)degrees_e7 : degrees_e7;
    int64_t minutes_e5 = (value % 10000000 * 60 + 99) / 100;

    writer_decimal_padded(out, (uint64_t)(value / 10000000), width);
    writer_decimal_padded(out, (uint64_t)(minutes_e5 / 100000), 2);
    writer_u8(out, '.');
    writer_decimal_padded(out, (uint64_t)(minutes_e5 % 100000), 5);
}

static void write_position(const struct signal *signal, int64_t at_us, uint32_t status,
                           struct writer *out)
{
    bool fix = signal->has & MEASURE_POSITION && !(signal->flags & SIGNAL_FLAG_NO_POSITION);

    writer_text(out, "V1,");
    write_time(out, at_us);
    writer_text(out, fix ? ",A," : ",V,");
    write_degrees(out, signal->latitude_e7, 2);
    writer_text(out, signal->latitude_e7 < 0 ? ",S," : ",N,");
    write_degrees(out, signal->longitude_e7, 3);
    writer_text(out, signal->longitude_e7 < 0 ? ",W,0.00,0," : ",E,0.00,0,");
    write_date(out, at_us);
    writer_u8(out, ',');
    writer_hex(out, status, 8);
}

static bool h02_compose(const struct signal *signal, struct codec_session *session,
                        const struct codec_environment *environment, struct writer *topic,
                        struct writer *out)
{
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : environment->now_us;

    (void)session, (void)topic;
    if (!signal->identity[0] || signal->identity[strspn(signal->identity, "0123456789")])
        return false;
    writer_text(out, "*HQ,");
    writer_text(out, signal->identity);
    writer_u8(out, ',');
    if (signal->kind == SIGNAL_HEARTBEAT) {
        writer_text(out, "LINK,");
        write_time(out, at_us);
        writer_text(out, ",0,0,");
        if (signal->has & MEASURE_BATTERY)
            writer_decimal(out, signal->battery_percent);
        writer_u8(out, ',');
        if (signal->has & MEASURE_STEPS)
            writer_decimal(out, signal->steps);
        writer_text(out, ",0,");
        write_date(out, at_us);
        writer_text(out, ",FFFFFFFF");
    } else if (signal->kind == SIGNAL_PANIC) {
        write_position(signal, at_us, ~(1U << 1), out);
    } else if (signal->kind == SIGNAL_MAINS_LOST) {
        write_position(signal, at_us, ~STATUS_POWER_CUT, out);
    } else if (signal->kind == SIGNAL_POSITION) {
        write_position(signal, at_us, STATUS_QUIET, out);
    } else {
        return false;
    }
    writer_u8(out, '#');
    return !out->overflow;
}

const struct codec h02_codec = {
    .name = "h02",
    .frame_max = FRAME_MAX,
    .recognise = h02_recognise,
    .split = h02_split,
    .decode = h02_decode,
    .reply = h02_reply,
    .compose = h02_compose,
    .command = h02_command,
    .commands = COMMAND_BIT(COMMAND_REPORT_INTERVAL),
    .command_answer = h02_command_answer,
};
