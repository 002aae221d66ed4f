/*
 * Eelink, TCP: 67 67 type length(2) serial(2) content, without a checksum: a length that was damaged
 * must not swallow what follows, so a frame also ends where the head of another one begins. A datagram
 * begins with EL length(2) checksum(2) IMEI(8), a frame of its own here, which logs in.
 *
 * Which alarms are the same. A device repeats an alarm until it is answered, with its time and serial:
 * they are its name. A device whose clock is not set names nothing.
 *
 * compose() logs in first where the session does not know the device; so decode() takes several
 * frames in one message, and reply() answers the last.
 */
#include "protocol/batch.h"
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/codec.h"

#include <string.h>

#define FRAME_MAX 4096
#define HEAD_SIZE 7
#define KNOWN_HEAD_SIZE 5
#define DATAGRAM_HEAD_SIZE 14
#define IMEI_SIZE 8
/* 2016-01-01: no device says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)

enum type {
    TYPE_LOGIN = 0x01,
    TYPE_OLD_POSITION = 0x02,
    TYPE_HEARTBEAT = 0x03,
    TYPE_OLD_ALARM = 0x04,
    TYPE_OLD_STATE = 0x05,
    TYPE_POSITION = 0x12,
    TYPE_ALARM = 0x14,
    TYPE_REPORT = 0x15,
    TYPE_COMMAND = 0x80, /* and its answer */
    TYPE_DATA = 0x81
};

/* SIGNAL_NONE: an affair of vehicles, no alarm here. The first row of a kind is what compose says. */
static const struct alarm_code {
    uint8_t code, kind;
} alarm_codes[] = {
    {0x01, SIGNAL_MAINS_LOST},  {0x02, SIGNAL_PANIC},
    {0x03, SIGNAL_LOW_BATTERY}, {0x04, SIGNAL_NONE},
    {0x08, SIGNAL_NONE},        {0x09, SIGNAL_NONE},
    {0x25, SIGNAL_TAMPER},      {0x81, SIGNAL_NONE},
    {0x82, SIGNAL_NONE},        {0x83, SIGNAL_WANDER_RESTORED},
    {0x84, SIGNAL_WANDER},      {0x86, SIGNAL_FALL},
    {0x85, SIGNAL_FALL},
};
#define ALARM_CODE_COUNT (sizeof(alarm_codes) / sizeof(alarm_codes[0]))

static enum frame eelink_recognise(struct bytes first)
{
    if (first.size > 0 && first.data[0] != 0x67 && first.data[0] != 'E')
        return FRAME_BAD;
    if (first.size < 2)
        return FRAME_MORE;
    return first.data[1] == (first.data[0] == 0x67 ? 0x67 : 'L') ? FRAME_READY : FRAME_BAD;
}

/* Whether a frame of a type that we know begins here, with a length that such a frame has. */
static bool is_known_head(struct bytes input)
{
    static const uint8_t types[] = {TYPE_LOGIN,     TYPE_OLD_POSITION, TYPE_HEARTBEAT,
                                    TYPE_OLD_ALARM, TYPE_OLD_STATE,    TYPE_POSITION,
                                    TYPE_ALARM,     TYPE_REPORT};

    return input.size >= KNOWN_HEAD_SIZE && input.data[0] == 0x67 && input.data[1] == 0x67 &&
           memchr(types, input.data[2], sizeof(types)) && input.data[3] <= 1 &&
           (input.data[3] || input.data[4] >= 2);
}

/* Where the head of another frame may stand in this one. What looks like a head in the IMEI of a log-in
 * is none; but a log-in that damage made of something else has no IMEI. */
static size_t heads_from(struct bytes input, size_t declared)
{
    const size_t behind = HEAD_SIZE + IMEI_SIZE;

    if (input.data[2] != TYPE_LOGIN || declared < behind)
        return HEAD_SIZE;
    if (input.size < behind || checksum_is_imei(bytes_part(input, HEAD_SIZE, IMEI_SIZE)))
        return behind;
    return HEAD_SIZE;
}

/* Size of the frame that begins `input`, as far as that can be told by now; 0 if none does. */
static size_t find_end(struct bytes input)
{
    size_t declared = (size_t)(input.data[3] << 8 | input.data[4]) + 5U;

    if (input.data[0] == 'E')
        return DATAGRAM_HEAD_SIZE;
    if (declared < HEAD_SIZE || declared > FRAME_MAX)
        return 0;
    input = bytes_part(input, 0, declared);
    for (size_t i = heads_from(input, declared); i + KNOWN_HEAD_SIZE <= input.size; i++)
        if (is_known_head(bytes_part(input, i, KNOWN_HEAD_SIZE)))
            return i;
    return declared;
}

static enum frame eelink_split(struct bytes input, size_t *skip, size_t *size)
{
    for (*skip = 0; *skip < input.size; ++*skip) {
        struct bytes rest = bytes_part(input, *skip, input.size);
        enum frame frame = eelink_recognise(rest);

        if (frame == FRAME_BAD)
            continue;
        if (frame == FRAME_MORE || rest.size < 5)
            return FRAME_MORE;
        *size = find_end(rest);
        if (*size == 0)
            continue;
        return rest.size < *size ? FRAME_MORE : FRAME_READY;
    }
    return FRAME_MORE;
}

static void log_in(struct cursor *cursor, struct codec_session *session)
{
    char digits[2 * IMEI_SIZE + 1] = "";

    cursor_bcd(cursor, IMEI_SIZE, digits);
    if (!cursor->failed)
        memcpy(session->identity, digits + 1, sizeof(digits) - 1);
}

static void take_time(struct cursor *cursor, struct signal *out)
{
    int64_t at_us = cursor_u32_be(cursor) * CALENDAR_SECOND_US;

    if (cursor->failed || at_us < CLOCK_SET_AFTER_US)
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    else
        out->occurred_at_us = at_us;
}

/* Signed, 1/1,800,000 of a degree. */
static void take_place(struct cursor *cursor, struct signal *out)
{
    int64_t latitude = (int64_t)(int32_t)cursor_u32_be(cursor) * 50 / 9;
    int64_t longitude = (int64_t)(int32_t)cursor_u32_be(cursor) * 50 / 9;

    if (cursor->failed || latitude < -900000000 || latitude > 900000000 ||
        longitude < -1800000000 || longitude > 1800000000 || (latitude == 0 && longitude == 0))
        return;
    out->latitude_e7 = (int32_t)latitude;
    out->longitude_e7 = (int32_t)longitude;
    out->has |= MEASURE_POSITION;
    out->kind = SIGNAL_POSITION;
}

static void take_fix(bool fix, struct signal *out)
{
    if (!fix || !(out->has & MEASURE_POSITION))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
}

/* What the flags say is there of cells and networks. */
static void skip_networks(struct cursor *cursor, uint8_t flags)
{
    static const uint8_t sizes[7] = {0, 11, 7, 7, 7, 7, 7};

    for (int i = 1; i < 7; i++)
        if (flags & 1 << i)
            cursor_take(cursor, sizes[i]);
    if (flags & 0x80) {
        uint8_t counts;

        cursor_u8(cursor);
        counts = cursor_u8(cursor);
        if (counts & 7)
            cursor_take(cursor, 19U + ((counts & 7U) - 1U) * 5U);
        cursor_take(cursor, (counts >> 3 & 15U) * 7U);
    }
}

/* Ends with the alarm's code, or with the status and what follows it. */
static void take_new_head(struct cursor *cursor, struct signal *out)
{
    uint8_t flags;

    take_time(cursor, out);
    flags = cursor_u8(cursor);
    if (flags & 1) {
        take_place(cursor, out);
        cursor_take(cursor, 7); /* height, speed, course, satellites */
    }
    skip_networks(cursor, flags);
}

static void take_status(struct cursor *cursor, struct signal *out)
{
    uint16_t status = cursor_u16_be(cursor);

    if (!cursor->failed && (status & 0x180) == 0x180)
        out->flags |= SIGNAL_FLAG_CHARGING;
    take_fix(!cursor->failed && status & 1, out);
}

static void take_steps(struct cursor *cursor, struct signal *out)
{
    uint16_t steps;

    cursor_take(cursor, 14); /* voltages, mileage, counters */
    steps = cursor_u16_be(cursor);
    if (cursor->failed)
        return;
    out->steps = steps;
    out->has |= MEASURE_STEPS;
}

static void take_old_head(struct cursor *cursor, struct signal *out)
{
    take_time(cursor, out);
    take_place(cursor, out);
    cursor_take(cursor, 3 + 9); /* speed, course, cell */
    take_fix(cursor_u8(cursor) & 1, out);
}

/* An alarm frame too short for its code is an alarm all the same. */
static void decide(bool cut, uint8_t code, uint16_t serial, struct signal *out)
{
    struct writer writer = writer_into(out->code, CODE_LIMIT);

    writer_hex(&writer, code, 2);
    if (out->occurred_at_us) {
        writer = writer_into(out->message_id, MESSAGE_ID_LIMIT);
        writer_decimal(&writer, out->occurred_at_us / CALENDAR_SECOND_US);
        writer_u8(&writer, '-');
        writer_hex(&writer, serial, 4);
    }
    if (cut) {
        out->kind = SIGNAL_UNREADABLE;
        out->flags |= SIGNAL_FLAG_UNREADABLE;
        return;
    }
    for (size_t i = 0; i < ALARM_CODE_COUNT; i++)
        if (alarm_codes[i].code == code) {
            out->kind = alarm_codes[i].kind ? alarm_codes[i].kind : out->kind;
            return;
        }
    out->kind = SIGNAL_PANIC;
    out->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
}

static void decode_content(uint8_t type, uint16_t serial, struct cursor cursor, struct signal *out)
{
    uint8_t code;
    bool cut;

    switch (type) {
    case TYPE_ALARM:
    case TYPE_OLD_ALARM:
        if (type == TYPE_ALARM)
            take_new_head(&cursor, out);
        else
            take_old_head(&cursor, out);
        code = cursor_u8(&cursor);
        cut = cursor.failed;
        if (type == TYPE_ALARM)
            take_status(&cursor, out);
        decide(cut, code, serial, out);
        break;
    case TYPE_POSITION:
        take_new_head(&cursor, out);
        take_status(&cursor, out);
        take_steps(&cursor, out);
        break;
    case TYPE_REPORT:
        take_new_head(&cursor, out);
        cursor_u8(&cursor);
        take_status(&cursor, out);
        break;
    case TYPE_OLD_POSITION:
    case TYPE_OLD_STATE:
        take_old_head(&cursor, out);
        break;
    default:
        break;
    }
}

static void decode_frame(struct bytes frame, struct codec_session *session, struct batch *batch)
{
    struct signal said = {.kind = SIGNAL_HEARTBEAT};
    struct cursor cursor = cursor_over(frame);
    uint16_t mark = cursor_u16_be(&cursor), serial;
    uint8_t type;

    if (mark == 0x454C) {
        cursor_take(&cursor, 4);
        log_in(&cursor, session);
        return;
    }
    type = cursor_u8(&cursor);
    cursor_u16_be(&cursor);
    serial = cursor_u16_be(&cursor);
    if (cursor.failed || mark != 0x6767)
        return;
    if (type == TYPE_LOGIN)
        log_in(&cursor, session);
    memcpy(said.identity, session->identity, sizeof(said.identity));
    decode_content(type, serial, cursor, &said);
    batch_add(batch, &said);
}

static int eelink_decode(const struct message *message, struct codec_session *session,
                         const struct codec_environment *environment, struct signal *out, int limit)
{
    struct batch batch = {.out = out, .limit = limit};
    struct bytes rest = message->body;

    (void)environment;
    while (rest.size > 0)
        decode_frame(batch_next_frame(eelink_split, &rest), session, &batch);
    if (batch.count == 0 && message->body.size == DATAGRAM_HEAD_SIZE &&
        message->body.data[0] == 'E') {
        struct signal said = {.kind = SIGNAL_HEARTBEAT};

        memcpy(said.identity, session->identity, sizeof(said.identity));
        batch_add(&batch, &said);
    }
    return batch.count ? batch.count : DECODE_BAD;
}

static void write_frame(uint8_t type, struct bytes content, uint16_t serial, struct writer *out)
{
    writer_u16_be(out, 0x6767);
    writer_u8(out, type);
    writer_u16_be(out, (uint16_t)(content.size + 2));
    writer_u16_be(out, serial);
    writer_bytes(out, content);
}

/* Everything but positions and data is answered with its type and serial; a log-in learns the time. */
static void eelink_reply(const struct message *message, struct codec_session *session,
                         const struct codec_environment *environment, enum verdict verdict,
                         struct writer *topic, struct writer *out)
{
    struct bytes rest = message->body, last = {NULL, 0};
    uint8_t content[6], type;
    struct writer writer = writer_into(content, sizeof(content));

    (void)session, (void)verdict, (void)topic;
    while (rest.size > 0)
        last = batch_next_frame(eelink_split, &rest);
    if (last.size < HEAD_SIZE || last.data[0] != 0x67)
        return;
    type = last.data[2];
    if (type == TYPE_OLD_POSITION || type == TYPE_DATA)
        return;
    if (type == TYPE_LOGIN) {
        writer_u32_be(&writer, (uint32_t)(environment->now_us / CALENDAR_SECOND_US));
        writer_u8(&writer, 1); /* version of the protocol */
        writer_u8(&writer, 0); /* nothing to be done */
    }
    write_frame(type, writer_view(&writer), (uint16_t)(last.data[5] << 8 | last.data[6]), out);
}

static void write_place(const struct signal *signal, int64_t at_us, struct writer *out)
{
    bool has = signal->has & MEASURE_POSITION;

    writer_u32_be(out, (uint32_t)(at_us / CALENDAR_SECOND_US));
    writer_u8(out, has);
    if (!has)
        return;
    writer_u32_be(out, (uint32_t)((int64_t)signal->latitude_e7 * 9 / 50));
    writer_u32_be(out, (uint32_t)((int64_t)signal->longitude_e7 * 9 / 50));
    writer_u32_be(out, 0);
    writer_u16_be(out, 0);
    writer_u8(out, 0);
}

static uint8_t write_content(const struct signal *signal, int64_t now_us, struct writer *out)
{
    bool fix = signal->has & MEASURE_POSITION && !(signal->flags & SIGNAL_FLAG_NO_POSITION);
    uint16_t status =
        (uint16_t)((fix ? 1 : 0) | (signal->flags & SIGNAL_FLAG_CHARGING ? 0x180 : 0));
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : now_us;

    if (signal->kind == SIGNAL_HEARTBEAT) {
        writer_u16_be(out, status);
        return TYPE_HEARTBEAT;
    }
    for (size_t i = 0; i < ALARM_CODE_COUNT; i++) {
        if (alarm_codes[i].kind != signal->kind)
            continue;
        write_place(signal, at_us, out);
        writer_u8(out, alarm_codes[i].code);
        writer_u16_be(out, status);
        return TYPE_ALARM;
    }
    if (signal->kind != SIGNAL_POSITION)
        return 0;
    write_place(signal, at_us, out);
    writer_u16_be(out, status);
    if (signal->has & MEASURE_STEPS && signal->steps <= UINT16_MAX) {
        for (int i = 0; i < 7; i++)
            writer_u16_be(out, 0);
        writer_u16_be(out, (uint16_t)signal->steps);
    }
    return TYPE_POSITION;
}

static bool eelink_compose(const struct signal *signal, struct codec_session *session,
                           const struct codec_environment *environment, struct writer *topic,
                           struct writer *out)
{
    uint8_t content[64], imei[IMEI_SIZE];
    struct writer writer = writer_into(content, sizeof(content));
    struct writer login = writer_into(imei, sizeof(imei));
    uint8_t type = write_content(signal, environment->now_us, &writer);
    size_t digits = strspn(signal->identity, "0123456789");

    (void)topic;
    if (type == 0 || writer.overflow || digits != 15 || signal->identity[digits])
        return false;
    if (strcmp(session->identity, signal->identity) != 0) {
        writer_bcd(&login, signal->identity, IMEI_SIZE);
        write_frame(TYPE_LOGIN, writer_view(&login), session->serial++, out);
        memcpy(session->identity, signal->identity, sizeof(session->identity));
    }
    write_frame(type, writer_view(&writer), session->serial++, out);
    return !out->overflow;
}

#define COMMAND_TEXT 0x01 /* a command as a person would send it by SMS */

static bool write_text_command(const struct command *command, struct writer *out)
{
    switch (command->kind) {
    case COMMAND_LOCATE:
        writer_text(out, "WHERE#");
        return true;
    case COMMAND_REPORT_INTERVAL:
        writer_text(out, "TIMER,");
        writer_decimal(out, command->value);
        writer_text(out, ",1#");
        return command->value > 0;
    case COMMAND_SOS_NUMBER: /* it has no slots: each is added to the list */
        writer_text(out, "SOS,A,");
        writer_text(out, command->text);
        writer_u8(out, '#');
        return command->text[0] && command->text[strspn(command->text, "+0123456789")] == '\0';
    case COMMAND_ACKNOWLEDGE: /* the answer to the alarm is all there is */
        break;
    }
    return false;
}

static bool eelink_command(const struct command *command, struct codec_session *session,
                           const struct codec_environment *environment, struct writer *topic,
                           struct writer *out)
{
    uint8_t content[64];
    struct writer writer = writer_into(content, sizeof(content));

    (void)environment, (void)topic;
    writer_u8(&writer, COMMAND_TEXT);
    writer_u32_be(&writer, 0);
    if (!write_text_command(command, &writer) || writer.overflow)
        return false;
    write_frame(TYPE_COMMAND, writer_view(&writer), session->serial++, out);
    return !out->overflow;
}

static bool find_text(struct bytes frame, struct bytes *text)
{
    if (frame.size < HEAD_SIZE + 5 || frame.data[0] != 0x67 || frame.data[2] != TYPE_COMMAND)
        return false;
    *text = bytes_part(frame, HEAD_SIZE + 5, frame.size);
    return true;
}

static enum command_answer eelink_command_answer(const struct message *message,
                                                 const struct command *command, uint16_t serial,
                                                 struct writer *text)
{
    (void)command, (void)serial;
    return batch_text_answer(message->body, eelink_split, find_text, text);
}

const struct codec eelink_codec = {
    .name = "eelink",
    .frame_max = FRAME_MAX,
    .recognise = eelink_recognise,
    .split = eelink_split,
    .decode = eelink_decode,
    .reply = eelink_reply,
    .compose = eelink_compose,
    .command = eelink_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE) | COMMAND_BIT(COMMAND_REPORT_INTERVAL) |
                COMMAND_BIT(COMMAND_SOS_NUMBER),
    .command_answer = eelink_command_answer,
};
