/*
 * JT/T 808, the Chinese standard between terminals and platforms, in its forms of 2011, 2013 and
 * 2019, TCP or UDP. jt808_frame.h has the frames, jt808_location.h the reports and what of them is an
 * alarm; here is who is registered, what is answered and what is commanded.
 *
 * Replies carry the serial of the frame they answer, so they depend on nothing but that frame.
 *
 * Who a terminal is. The code that a registration gets is computed from its phone: it proves nothing,
 * and a terminal without a configured secret needs no proof. Where a secret is configured, only a
 * terminal that presents it with 0x0102 has proved who it is; the alarms of another are flagged, and
 * both are answered alike, because a terminal that is refused stops reporting.
 *
 * Packages of one message: see jt808_reports.h. Of other messages than reports nothing is read.
 */
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/codec.h"
#include "protocol/jt808_frame.h"
#include "protocol/jt808_reports.h"

#include <string.h>

#define BODY_MAX 128
#define PHONE_DIGITS_MAX 20
#define CODE_SIZE 8

enum { VARIANT_UNKNOWN, VARIANT_2013, VARIANT_2019 };

static enum frame jt808_recognise(struct bytes first)
{
    if (first.size == 0)
        return FRAME_MORE;
    return first.data[0] == 0x7E ? FRAME_READY : FRAME_BAD;
}

/* What was remembered of another terminal on this connection does not hold for this one. */
static void remember_terminal(const struct jt808_frame *frame, struct codec_session *session)
{
    char identity[IDENTITY_LIMIT + 1] = "";

    jt808_frame_identity(frame->phone, identity);
    session->variant = frame->is_2019 ? VARIANT_2019 : VARIANT_2013;
    if (strcmp(identity, session->identity) == 0)
        return;
    memcpy(session->identity, identity, sizeof(identity));
    memset(session->state, 0, sizeof(session->state));
    memset(session->carry, 0, sizeof(session->carry));
    session->authenticated = false;
}

static size_t find_secret(const struct codec_session *session,
                          const struct codec_environment *environment, uint8_t out[64])
{
    if (!environment->find_secret)
        return 0;
    return environment->find_secret(environment->secrets, session->identity, out);
}

/* The code that the terminal gets when it registers. */
static void registration_code(struct bytes phone, char out[CODE_SIZE + 1])
{
    struct writer writer = writer_into(out, CODE_SIZE);

    writer_hex(&writer, checksum_crc16_arc(phone), 4);
    writer_hex(&writer, checksum_crc16_xmodem(phone), 4);
    out[CODE_SIZE] = '\0';
}

static void check_code(const struct jt808_frame *frame, struct codec_session *session,
                       const struct codec_environment *environment)
{
    struct bytes code = frame->body;
    char expected[CODE_SIZE + 1];
    uint8_t secret[64];
    size_t size = find_secret(session, environment, secret);

    if (frame->is_2019 && code.size)
        code = bytes_part(code, 1, code.data[0]);
    registration_code(frame->phone, expected);
    session->authenticated =
        size ? bytes_equal(code, (struct bytes){secret, size}) : bytes_equal_text(code, expected);
}

static void decode_heartbeat(struct bytes body, struct signal *said)
{
    if (body.size == 3 && body.data[0] <= 100) {
        said->battery_percent = body.data[0];
        said->has |= MEASURE_BATTERY;
    }
}

/* An encrypted report that cannot be read may be an emergency: it rings, once a connection. */
static bool is_hidden(const struct jt808_frame *frame, struct codec_session *session)
{
    char digits[13] = "";
    struct cursor time = cursor_over(bytes_part(frame->body, 22, 6));

    cursor_bcd(&time, 6, digits);
    if (!frame->encrypted || !time.failed || session->state[JT808_STATE_HIDDEN])
        return false;
    session->state[JT808_STATE_HIDDEN] = 1;
    return true;
}

static void decode_body(const struct jt808_frame *frame, struct jt808_report *report,
                        struct codec_session *session, struct batch *batch)
{
    if (frame->id == JT808_LOCATION && frame->part <= 1 && is_hidden(frame, session)) {
        report->model.kind = SIGNAL_UNREADABLE;
        report->model.flags |= SIGNAL_FLAG_UNREADABLE | SIGNAL_FLAG_SECRET_LOST;
        batch_add(batch, &report->model);
    } else if (jt808_reports_has(frame->id)) {
        jt808_reports_decode(frame, report, session, batch);
    } else if (frame->id == JT808_HEARTBEAT) {
        decode_heartbeat(frame->body, &report->model);
    }
}

/* A damaged frame counts for the alarms that it shows, and for nothing else. */
static int keep_alarms(struct batch *batch)
{
    int kept = 0;

    for (int i = 0; i < batch->count; i++)
        if (signal_is_alarm(batch->out[i].kind))
            batch->out[kept++] = batch->out[i];
    return kept ? kept : DECODE_BAD;
}

static int jt808_decode(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, struct signal *out, int limit)
{
    uint8_t memory[JT808_FRAME_MAX], secret[64];
    struct codec_session before = *session;
    struct batch batch = {.out = out, .limit = limit};
    struct jt808_frame frame;

    if (!jt808_frame_read(message->body, memory, &frame))
        return DECODE_BAD;
    remember_terminal(&frame, session);

    struct jt808_report report = {.serial = frame.serial, .now_us = environment->now_us};

    report.model.kind = SIGNAL_HEARTBEAT;
    memcpy(report.model.identity, session->identity, sizeof(report.model.identity));
    if (frame.checksum_wrong)
        report.model.flags |= SIGNAL_FLAG_CHECKSUM_WRONG;
    if (frame.length_wrong)
        report.model.flags |= SIGNAL_FLAG_LENGTH_WRONG;
    if (frame.id == JT808_AUTHENTICATE && !frame.checksum_wrong)
        check_code(&frame, session, environment);
    if (!session->authenticated && find_secret(session, environment, secret))
        report.model.flags |= SIGNAL_FLAG_UNAUTHENTICATED;
    decode_body(&frame, &report, session, &batch);
    if (!frame.checksum_wrong) {
        if (batch.count == 0)
            batch_add(&batch, &report.model);
        return batch.count;
    }
    /* Neither is its phone worth remembering, nor the end of an emergency that it shows. */
    *session = before;
    return keep_alarms(&batch);
}

/* What the platform owes for each message; an answer of the terminal is owed nothing. */
static enum jt808_result result_of(const struct jt808_frame *frame,
                                   const struct codec_session *session, enum verdict verdict)
{
    if (frame->part && jt808_reports_has(frame->id))
        return jt808_reports_result(frame, session);
    switch (frame->id) {
    case JT808_LOCATION:
        if (jt808_location_alarms(frame->body) & JT808_ALARM_EMERGENCY)
            return JT808_RESULT_ALARM_CONFIRMED;
        return JT808_RESULT_OK;
    case JT808_HEARTBEAT:
    case JT808_LOGOUT:
    case JT808_AUTHENTICATE:
    case JT808_LOCATIONS:
    case JT808_LOCATIONS_SHORT:
    case JT808_TRANSPARENT:
        return verdict == VERDICT_CANNOT_PROCESS ? JT808_RESULT_UNSUPPORTED : JT808_RESULT_OK;
    default:
        return JT808_RESULT_UNSUPPORTED;
    }
}

static bool is_answer(uint16_t id)
{
    static const uint16_t answers[] = {JT808_TERMINAL_REPLY,
                                       0x0104,
                                       0x0107,
                                       JT808_LOCATION_ANSWER,
                                       0x0302,
                                       0x0500,
                                       0x0700,
                                       0x0802,
                                       0x0805,
                                       0x1205};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (answers[i] == id)
            return true;
    return id >= 0x8000; /* ours, come back */
}

/* UTC. 0x8109 has the year in two bytes, 0x8004 all parts in packed decimal. */
static void write_now(struct writer *out, int64_t now_us, bool is_decimal)
{
    struct civil now = calendar_to_civil(now_us);
    const int parts[] = {now.year, now.month, now.day, now.hour, now.minute, now.second};

    if (!is_decimal)
        writer_u8(out, (uint8_t)(now.year >> 8));
    for (int i = 0; i < 6; i++) {
        int part = parts[i] % 100;

        if (is_decimal)
            writer_u8(out, (uint8_t)(part / 10 * 16 + part % 10));
        else
            writer_u8(out, (uint8_t)parts[i]);
    }
}

static uint16_t write_answer(const struct jt808_frame *frame, const struct codec_session *session,
                             int64_t now_us, enum verdict verdict, struct writer *body)
{
    char code[CODE_SIZE + 1];

    switch (frame->id) {
    case JT808_REGISTER:
        registration_code(frame->phone, code);
        writer_u16_be(body, frame->serial);
        writer_u8(body, JT808_RESULT_OK);
        writer_text(body, code);
        return JT808_REGISTER_ANSWER;
    case JT808_TIME_REQUEST:
        write_now(body, now_us, false);
        return JT808_TIME_ANSWER;
    case JT808_SERVER_TIME:
        write_now(body, now_us, true);
        return JT808_SERVER_TIME_ANSWER;
    default:
        writer_u16_be(body, frame->serial);
        writer_u16_be(body, frame->id);
        writer_u8(body, (uint8_t)result_of(frame, session, verdict));
        return JT808_PLATFORM_REPLY;
    }
}

static void jt808_reply(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, enum verdict verdict,
                        struct writer *topic, struct writer *out)
{
    uint8_t memory[JT808_FRAME_MAX], body[BODY_MAX];
    struct writer writer = writer_into(body, sizeof(body));
    struct jt808_frame frame;

    (void)topic;
    if (!jt808_frame_read(message->body, memory, &frame) || is_answer(frame.id))
        return;
    frame.id = write_answer(&frame, session, environment->now_us, verdict, &writer);
    frame.body = writer_view(&writer);
    jt808_frame_write(out, &frame);
}

/* The phone of an identity as the header has it; false if it is no number of that length. */
static bool write_phone(const char *identity, bool is_2019, uint8_t out[10], struct bytes *phone)
{
    size_t size = is_2019 ? 10 : 6, digits = strlen(identity);
    struct writer writer = writer_into(out, size);

    if (digits == 0 || digits > 2 * size || identity[strspn(identity, "0123456789")])
        return false;
    writer_bcd(&writer, identity, size);
    *phone = writer_view(&writer);
    return true;
}

static bool write_message(uint16_t id, struct bytes body, const char *identity,
                          struct codec_session *session, struct writer *out)
{
    uint8_t memory[10];
    struct jt808_frame frame = {
        .id = id, .body = body, .is_2019 = session->variant == VARIANT_2019};

    if (!write_phone(identity, frame.is_2019, memory, &frame.phone))
        return false;
    frame.serial = session->serial++;
    return jt808_frame_write(out, &frame);
}

static bool jt808_compose(const struct signal *signal, struct codec_session *session,
                          const struct codec_environment *environment, struct writer *topic,
                          struct writer *out)
{
    uint8_t body[BODY_MAX], location[JT808_LOCATION_MAX];
    struct writer report = writer_into(location, sizeof(location));
    struct writer writer = writer_into(body, sizeof(body));

    (void)topic;
    if (signal->kind == SIGNAL_HEARTBEAT && !signal->has)
        return write_message(JT808_HEARTBEAT, (struct bytes){body, 0}, signal->identity, session,
                             out);
    if (!jt808_location_compose(signal, environment->now_us, &report) || report.overflow)
        return false;
    if (!(signal->flags & SIGNAL_FLAG_STORED))
        return write_message(JT808_LOCATION, writer_view(&report), signal->identity, session, out);
    writer_u16_be(&writer, 1);
    writer_u8(&writer, 1);
    writer_u16_be(&writer, (uint16_t)report.size);
    writer_bytes(&writer, writer_view(&report));
    return write_message(JT808_LOCATIONS, writer_view(&writer), signal->identity, session, out);
}

static bool jt808_command(const struct command *command, struct codec_session *session,
                          const struct codec_environment *environment, struct writer *topic,
                          struct writer *out)
{
    uint8_t body[BODY_MAX];
    struct writer writer = writer_into(body, sizeof(body));
    uint16_t id = 0;

    (void)environment, (void)topic;
    switch (command->kind) {
    case COMMAND_LOCATE:
        id = JT808_LOCATE;
        break;
    case COMMAND_REPORT_INTERVAL:
        id = JT808_SET_PARAMETERS;
        writer_u8(&writer, 1);
        writer_u32_be(&writer, 0x0029); /* seconds between reports */
        writer_u8(&writer, 4);
        writer_u32_be(&writer, (uint32_t)command->value);
        if (command->value <= 0)
            return false;
        break;
    case COMMAND_ACKNOWLEDGE:
        id = JT808_CONFIRM_ALARM;
        writer_u16_be(&writer, 0); /* every alarm of the kinds that follow */
        writer_u32_be(&writer, JT808_ALARM_EMERGENCY);
        break;
    case COMMAND_SOS_NUMBER: /* the standard's phone book has no number for a button */
        return false;
    }
    return write_message(id, writer_view(&writer), session->identity, session, out);
}

/* 0x0201 answers a locate, 0x0001 everything, by the serial of what it answers. */
static enum command_answer jt808_command_answer(const struct message *message,
                                                const struct command *command, uint16_t serial,
                                                struct writer *text)
{
    static const char *const results[] = {"done", "failed", "wrong message", "unsupported",
                                          "confirmed"};
    uint8_t memory[JT808_FRAME_MAX], result;
    struct jt808_frame frame;
    struct cursor cursor;

    if (!jt808_frame_read(message->body, memory, &frame) || frame.checksum_wrong)
        return COMMAND_UNANSWERED;
    cursor = cursor_over(frame.body);
    if (cursor_u16_be(&cursor) != serial || cursor.failed)
        return COMMAND_UNANSWERED;
    if (frame.id == JT808_LOCATION_ANSWER && command->kind == COMMAND_LOCATE) {
        writer_text(text, "position");
        return COMMAND_DONE;
    }
    cursor_u16_be(&cursor); /* the id that it answers */
    result = cursor_u8(&cursor);
    if (frame.id != JT808_TERMINAL_REPLY || cursor.failed)
        return COMMAND_UNANSWERED;
    bool is_good = result == JT808_RESULT_OK || result == JT808_RESULT_ALARM_CONFIRMED;
    /* "I have your question" is not yet where it is. */
    if (is_good && command->kind == COMMAND_LOCATE)
        return COMMAND_UNANSWERED;
    writer_text(text, result < 5 ? results[result] : "unknown result");
    return is_good ? COMMAND_DONE : COMMAND_REFUSED;
}

const struct codec jt808_codec = {
    .name = "jt808",
    .frame_max = JT808_FRAME_MAX,
    .recognise = jt808_recognise,
    .split = jt808_frame_split,
    .decode = jt808_decode,
    .reply = jt808_reply,
    .compose = jt808_compose,
    .command = jt808_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE) | COMMAND_BIT(COMMAND_REPORT_INTERVAL) |
                COMMAND_BIT(COMMAND_ACKNOWLEDGE),
    .command_answer = jt808_command_answer,
};
