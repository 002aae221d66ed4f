/*
 * SIA DC-09: call boxes, alarm panels and their links to a receiver, TCP or UDP, in clear or under
 * AES. This is the receiver's side and, in compose, the panel's.
 *
 * Identity. The account, upper case, with its zeros; receiver and line are routes, not devices.
 *
 * Which alarms are the same. A panel repeats a message with its sequence number until it is
 * answered. The number runs from 0001 to 9999, starts again when it is through or, in some panels,
 * when they are switched on, and a pendant's message is the same at each press. So the name of a
 * message is its sequence number, a checksum of its content and its own time. A panel that states
 * no time is named by five minutes of ours instead: a repetition across their edge rings twice,
 * which does no harm, and a press with the number and content of one long ago still rings.
 *
 * What is answered. ACK where the message was understood, also for codes that we have no name for.
 * A Galaxy panel, whose dialect has no checksum, gets its bare ACK. NAK, which tells our time, where an encrypted message is not of now, or no key opens it: the alarm
 * in it is taken all the same, as one that is not authenticated. DUH where the frame is sound and we know of no event in it. Nothing
 * where the checksum is wrong: the panel repeats.
 */
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/sia_dc09_events.h"
#include "protocol/sia_dc09_text.h"

#include <string.h>

/* session.variant: composes SIA codes instead of Contact ID. */
#define VARIANT_SIA 1
#define SEQUENCE_MAX 9999
#define NAMED_BY_ARRIVAL_US (300 * CALENDAR_SECOND_US)
#define PLAIN_MAX 160

struct reading {
    struct sia_dc09_frame frame;
    struct sia_dc09_text text;
    struct bytes account; /* as sent */
    char identity[IDENTITY_LIMIT + 1];
};

/* Leaves the account that stands before the bar of the data, if one does, and takes it off. */
static struct bytes take_account(struct bytes *data)
{
    size_t bar = bytes_find(*data, '|');
    struct bytes head = bytes_part(*data, 0, bar);

    if (head.size && head.data[0] != '#')
        return (struct bytes){NULL, 0};
    if (bar < data->size)
        *data = bytes_part(*data, bar + 1, data->size);
    head = bytes_part(head, 1, head.size);
    return sia_dc09_frame_take_word(&head);
}

static void set_identity(struct reading *reading, struct bytes account)
{
    reading->account = account;
    memset(reading->identity, 0, sizeof(reading->identity)); /* to be compared as a whole */
    bytes_copy_text(account, reading->identity, sizeof(reading->identity));
    for (char *c = reading->identity; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
}

static void read_message(struct bytes body, const struct codec_environment *environment,
                         struct reading *reading)
{
    struct bytes inner;

    reading->frame = sia_dc09_frame_parse(body);
    set_identity(reading, reading->frame.account);
    sia_dc09_text_open(&reading->frame, reading->identity, environment, &reading->text);
    inner = take_account(&reading->text.data);
    if (reading->account.size == 0)
        set_identity(reading, inner);
}

/* What a receiver says to a panel: nothing for us. */
static bool is_answer(const struct sia_dc09_frame *frame)
{
    static const char *const ids[] = {"ACK", "NAK", "DUH", "RSP"};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (bytes_equal_text(frame->id, ids[i]))
            return true;
    return false;
}

static bool is_null(const struct sia_dc09_frame *frame)
{
    return bytes_equal_text(frame->id, "NULL");
}

static bool is_outside_window(int64_t at_us, const struct codec_environment *environment)
{
    int64_t before_us = environment->time_window_before_s * CALENDAR_SECOND_US;
    int64_t after_us = environment->time_window_after_s * CALENDAR_SECOND_US;

    if (before_us == 0 && after_us == 0)
        return false;
    return at_us < environment->now_us - before_us || at_us > environment->now_us + after_us;
}

static void name_message(const struct reading *reading, int64_t now_us, struct signal *signal)
{
    const struct sia_dc09_text *text = &reading->text;
    bool has_time = text->stamped_us != 0;
    struct bytes content = text->data;
    struct writer writer = writer_into(signal->message_id, MESSAGE_ID_LIMIT);

    if (text->is_lost || !reading->frame.is_sound)
        content = reading->frame.content;
    writer_bytes(&writer, reading->frame.sequence);
    writer_u8(&writer, '-');
    writer_hex(&writer, checksum_crc16_arc(content), 4);
    writer_hex(&writer, checksum_crc16_x25(content), 4);
    writer_hex(&writer, checksum_crc16_arc(text->extensions), 4);
    writer_text(&writer, has_time ? "-" : "-~");
    writer_decimal(&writer,
                   has_time ? text->stamped_us / CALENDAR_SECOND_US : now_us / NAMED_BY_ARRIVAL_US);
    signal->message_id[writer.size] = '\0';
}

/* "012W34.1": degrees, hemisphere, minutes. */
static bool parse_degrees(struct bytes text, const char *hemispheres, int limit, int32_t *out)
{
    size_t letter = 0;
    int64_t degrees, minutes_e6;

    while (letter < text.size && text.data[letter] != (uint8_t)hemispheres[0] &&
           text.data[letter] != (uint8_t)hemispheres[1])
        letter++;
    if (!bytes_parse_decimal(bytes_part(text, 0, letter), &degrees) ||
        !bytes_parse_fixed(bytes_part(text, letter + 1, text.size), 6, &minutes_e6))
        return false;
    if (degrees < 0 || degrees > limit || minutes_e6 < 0 || minutes_e6 >= 60000000)
        return false;
    degrees = degrees * 10000000 + minutes_e6 / 6;
    if (degrees > limit * INT64_C(10000000))
        return false;
    *out = (int32_t)(text.data[letter] == (uint8_t)hemispheres[1] ? -degrees : degrees);
    return true;
}

/* [Xlongitude][Ylatitude][Htime of the event]; the others are not used. */
static void read_extensions(struct bytes rest, struct signal *signal)
{
    bool has_longitude = false, has_latitude = false;

    while (rest.size > 1) {
        size_t end = bytes_find(rest, ']');
        struct bytes value = bytes_part(bytes_part(rest, 0, end), 2, end);

        if (rest.data[1] == 'X')
            has_longitude = parse_degrees(value, "EW", 180, &signal->longitude_e7);
        else if (rest.data[1] == 'Y')
            has_latitude = parse_degrees(value, "NS", 90, &signal->latitude_e7);
        else if (rest.data[1] == 'H')
            sia_dc09_text_parse_time(value, &signal->occurred_at_us);
        rest = bytes_part(rest, end + 1, rest.size);
    }
    if (has_longitude && has_latitude)
        signal->has |= MEASURE_POSITION;
    else
        signal->longitude_e7 = signal->latitude_e7 = 0;
}

static void flag_message(const struct reading *reading, const struct codec_environment *environment,
                         struct signal *signal)
{
    const struct sia_dc09_text *text = &reading->text;
    bool has_key = sia_dc09_text_find_key(reading->identity, environment).size != 0;

    if (!reading->frame.length_right)
        signal->flags |= SIGNAL_FLAG_LENGTH_WRONG;
    if (text->is_lost)
        signal->flags |= SIGNAL_FLAG_SECRET_LOST;
    if (text->is_lost || (has_key && !reading->frame.is_encrypted))
        signal->flags |= SIGNAL_FLAG_UNAUTHENTICATED;
    if (text->has_stamp && !text->stamped_us)
        signal->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    /* Its key proves who wrote it, its time that it is no copy which somebody kept. */
    if (reading->frame.is_encrypted && text->stamped_us &&
        is_outside_window(text->stamped_us, environment))
        signal->flags |= SIGNAL_FLAG_CLOCK_WRONG | SIGNAL_FLAG_UNAUTHENTICATED;
}

/* Adds the events of what could be read; returns how many. */
static int read_events(const struct reading *reading, const struct signal *model,
                       struct batch *batch)
{
    if (bytes_equal_text(reading->frame.id, "ADM-CID"))
        return sia_dc09_events_contact_id(reading->text.data, model, batch);
    if (bytes_equal_text(reading->frame.id, "SIA-DCS"))
        return sia_dc09_events_sia(reading->text.data, model, batch);
    return 0;
}

/* An alarm whose content cannot be read or trusted; what it seems to say is its code. */
static int unreadable(const struct reading *reading, const struct signal *model, struct signal *out)
{
    struct signal seems = *model;
    struct batch batch = {.out = &seems, .limit = 1};

    read_events(reading, model, &batch);
    *out = *model;
    out->kind = SIGNAL_UNREADABLE;
    out->flags |= SIGNAL_FLAG_UNREADABLE;
    if (seems.code[0])
        memcpy(out->code, seems.code, sizeof(out->code));
    else
        bytes_copy_text(reading->frame.id, out->code, sizeof(out->code));
    return 1;
}

static int interpret(const struct reading *reading, const struct codec_environment *environment,
                     struct signal *out, int limit)
{
    struct signal model = {.kind = SIGNAL_HEARTBEAT, .device = DEVICE_CALL_BOX};
    struct batch batch = {.out = out, .limit = limit};

    memcpy(model.identity, reading->identity, sizeof(model.identity));
    if (is_answer(&reading->frame) || (is_null(&reading->frame) && !reading->frame.is_sound))
        return DECODE_BAD;
    flag_message(reading, environment, &model);
    model.occurred_at_us = reading->text.stamped_us;
    read_extensions(reading->text.extensions, &model);
    if (is_null(&reading->frame)) {
        *out = model;
        return 1;
    }
    name_message(reading, environment->now_us, &model);
    if (!reading->frame.is_sound) {
        model.flags |= SIGNAL_FLAG_CHECKSUM_WRONG;
        return unreadable(reading, &model, out);
    }
    return read_events(reading, &model, &batch) ? batch.count : unreadable(reading, &model, out);
}

static int sia_dc09_decode(const struct message *message, struct codec_session *session,
                           const struct codec_environment *environment, struct signal *out,
                           int limit)
{
    struct reading reading;
    int count;

    read_message(message->body, environment, &reading);
    count = interpret(&reading, environment, out, limit);
    if (count > 0 && reading.frame.is_sound) {
        memcpy(session->identity, reading.identity, sizeof(session->identity));
        session->authenticated = reading.text.key.size != 0;
    }
    return count;
}

/* `"ID"seq[R]L#account[`, as the request has them. */
static void write_answer_head(struct writer *body, const char *id, const struct reading *reading)
{
    writer_u8(body, '"');
    writer_text(body, id);
    writer_u8(body, '"');
    writer_bytes(body, reading->frame.sequence);
    writer_bytes(body, reading->frame.receiver);
    if (reading->frame.line.size)
        writer_bytes(body, reading->frame.line);
    else
        writer_text(body, "L0");
    if (reading->account.size) {
        writer_u8(body, '#');
        writer_bytes(body, reading->account);
    }
    writer_u8(body, '[');
}

static void write_stamp(struct writer *out, int64_t us)
{
    writer_text(out, "]_");
    sia_dc09_text_write_time(out, us);
}

static void write_acknowledgement(struct writer *body, const struct reading *reading,
                                  const struct codec_environment *environment)
{
    uint8_t memory[PLAIN_MAX];
    struct writer plain = writer_into(memory, sizeof(memory));

    write_answer_head(body, reading->frame.is_encrypted ? "*ACK" : "ACK", reading);
    if (reading->frame.is_encrypted) {
        write_stamp(&plain, environment->now_us);
        if (!sia_dc09_text_encrypt(writer_view(&plain), &reading->text.key, environment->cipher,
                                   body))
            body->overflow = true;
    } else {
        writer_u8(body, ']');
    }
}

static void sia_dc09_reply(const struct message *message, struct codec_session *session,
                           const struct codec_environment *environment, enum verdict verdict,
                           struct writer *topic, struct writer *out)
{
    uint8_t memory[REPLY_MAX];
    struct writer body = writer_into(memory, sizeof(memory) - 16);
    struct reading reading;
    struct signal signal;

    (void)session, (void)topic;
    read_message(message->body, environment, &reading);
    if (!reading.frame.is_sound || interpret(&reading, environment, &signal, 1) == DECODE_BAD)
        return;

    bool is_late = reading.frame.is_encrypted && signal.flags & SIGNAL_FLAG_CLOCK_WRONG;

    if (reading.frame.is_galaxy) {
        writer_text(out, "ACK\r");
        return;
    }
    if (reading.text.is_lost || is_late || verdict == VERDICT_WRONG_TIME) {
        writer_text(&body, "\"NAK\"0000R0L0A0[");
        write_stamp(&body, environment->now_us);
    } else if (signal.kind == SIGNAL_UNREADABLE || verdict == VERDICT_CANNOT_PROCESS) {
        write_answer_head(&body, "DUH", &reading);
        writer_u8(&body, ']');
    } else {
        write_acknowledgement(&body, &reading, environment);
    }
    if (!body.overflow)
        sia_dc09_frame_write(out, writer_view(&body), reading.frame.is_raw);
}

static void write_degrees(struct writer *out, int32_t degrees, int width, const char *hemispheres)
{
    int64_t magnitude = degrees < 0 ? -(int64_t)degrees : degrees;

    writer_decimal_padded(out, (uint64_t)(magnitude / 10000000), width);
    writer_u8(out, (uint8_t)hemispheres[degrees < 0]);
    writer_fixed(out, magnitude % 10000000 * 6, 6);
}

/* What stands behind the `[` of the message that says `signal`. False if there is none. */
static bool write_plain(const struct signal *signal, bool as_sia, int64_t at_us,
                        struct writer *plain)
{
    if (signal->kind != SIGNAL_HEARTBEAT) {
        writer_u8(plain, '#');
        writer_text(plain, signal->identity);
        writer_u8(plain, '|');
        if (!sia_dc09_events_write(signal->kind, as_sia, plain))
            return false;
    }
    if (signal->has & MEASURE_POSITION) {
        writer_text(plain, "][X");
        write_degrees(plain, signal->longitude_e7, 3, "EW");
        writer_text(plain, "][Y");
        write_degrees(plain, signal->latitude_e7, 2, "NS");
    }
    write_stamp(plain, at_us);
    return !plain->overflow;
}

static bool is_account(const char *identity)
{
    struct bytes rest = bytes_of(identity);
    struct bytes word = sia_dc09_frame_take_word(&rest);

    return word.size >= 1 && word.size <= 16 && rest.size == 0;
}

/* The sequence number follows from the time, so that the same signal composed again is the same
 * message and another second another. */
static bool sia_dc09_compose(const struct signal *signal, struct codec_session *session,
                             const struct codec_environment *environment, struct writer *topic,
                             struct writer *out)
{
    bool as_sia = session->variant == VARIANT_SIA;
    const char *id = signal->kind == SIGNAL_HEARTBEAT ? "NULL" : as_sia ? "SIA-DCS" : "ADM-CID";
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : environment->now_us;
    struct sia_dc09_key key = sia_dc09_text_find_key(signal->identity, environment);
    uint8_t plain_memory[PLAIN_MAX], body_memory[3 * PLAIN_MAX];
    struct writer plain = writer_into(plain_memory, sizeof(plain_memory));
    struct writer body = writer_into(body_memory, sizeof(body_memory));

    (void)topic;
    if (!is_account(signal->identity) || !write_plain(signal, as_sia, at_us, &plain))
        return false;
    writer_text(&body, key.size ? "\"*" : "\"");
    writer_text(&body, id);
    writer_u8(&body, '"');
    writer_decimal_padded(&body, 1 + (uint64_t)(at_us / CALENDAR_SECOND_US) % SEQUENCE_MAX, 4);
    writer_text(&body, "L0#");
    writer_text(&body, signal->identity);
    writer_u8(&body, '[');
    if (!key.size)
        writer_bytes(&body, writer_view(&plain));
    else if (!sia_dc09_text_encrypt(writer_view(&plain), &key, environment->cipher, &body))
        return false;
    sia_dc09_frame_write(out, writer_view(&body), false);
    return !body.overflow && !out->overflow;
}

const struct codec sia_dc09_codec = {
    .name = "sia_dc09",
    .frame_max = SIA_DC09_FRAME_MAX,
    .recognise = sia_dc09_frame_recognise,
    .split = sia_dc09_frame_split,
    .decode = sia_dc09_decode,
    .reply = sia_dc09_reply,
    .compose = sia_dc09_compose,
};
