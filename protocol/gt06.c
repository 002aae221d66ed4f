/*
 * GT06, the protocol of Concox and its many imitators, TCP:
 *
 *     78 78 length(1) type content serial(2) crc(2) 0D 0A        79 79 with a length of two bytes
 *
 * Where a frame ends: where its length says, if 0D 0A stands there or another frame begins there;
 * else at the first 0D 0A behind that, or at an earlier one that another frame follows. Some frames
 * use the length for a count of networks. Each is decided by what stands up to there.
 *
 * Who it is, a device says only in its log-in; the connection remembers it. An alarm before that is
 * one of an unknown device. A wrong checksum is flagged and nothing more: a third of the variants
 * seen compute another one or none.
 *
 * compose() logs in first where the session does not know the device; so decode() takes several
 * frames in one message, and reply() answers the last.
 */
#include "protocol/batch.h"
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/codec.h"
#include "protocol/gt06_content.h"

#include <string.h>

#define FRAME_MAX 4096
#define IMEI_SIZE 8
#define TAIL_SIZE 6 /* serial, checksum, 0D 0A */

static bool is_head(struct bytes input, size_t at)
{
    return at + 2 <= input.size && input.data[at] == input.data[at + 1] &&
           (input.data[at] == 0x78 || input.data[at] == 0x79);
}

/* Whether what little has arrived here may be the beginning of one. */
static bool may_become_head(struct bytes few)
{
    return few.size == 0 || (few.size == 1 && (few.data[0] == 0x78 || few.data[0] == 0x79));
}

static bool is_end(struct bytes input, size_t end)
{
    return input.data[end - 2] == 0x0D && input.data[end - 1] == 0x0A;
}

static enum frame gt06_recognise(struct bytes first)
{
    if (first.size > 0 && first.data[0] != 0x78 && first.data[0] != 0x79)
        return FRAME_BAD;
    if (first.size < 2)
        return FRAME_MORE;
    return is_head(first, 0) ? FRAME_READY : FRAME_BAD;
}

/* Size of the frame that begins `input` by its length, 0 if that is not there yet. */
static size_t declared_size(struct bytes input)
{
    if (input.data[0] == 0x78)
        return input.size < 3 ? 0 : input.data[2] + 5U;
    return input.size < 4 ? 0 : (size_t)(input.data[2] << 8 | input.data[3]) + 6U;
}

/* Size of the frame that begins `input`, 0 if its end is not there yet. */
static size_t find_end(struct bytes input)
{
    size_t declared = declared_size(input);

    if (declared == 0)
        return 0;
    for (size_t end = 5; end <= input.size && end <= FRAME_MAX; end++) {
        bool marked = is_end(input, end);

        if (marked && end >= declared)
            return end;
        if (!marked && end != declared)
            continue;
        if (is_head(input, end))
            return end;
        if (may_become_head(bytes_part(input, end, 2)))
            return 0;
    }
    return 0;
}

static enum frame gt06_split(struct bytes input, size_t *skip, size_t *size)
{
    *skip = 0;
    while (*skip + 1 < input.size && !is_head(input, *skip))
        ++*skip;
    if (*skip + 1 == input.size && input.data[*skip] != 0x78 && input.data[*skip] != 0x79)
        ++*skip;
    input = bytes_part(input, *skip, FRAME_MAX);
    if (input.size < 2)
        return FRAME_MORE;
    *size = find_end(input);
    if (*size)
        return FRAME_READY;
    if (input.size < FRAME_MAX)
        return FRAME_MORE;
    *skip += FRAME_MAX;
    return FRAME_BAD;
}

static bool read_frame(struct bytes input, struct gt06_frame *frame)
{
    size_t head = input.size > 0 && input.data[0] == 0x79 ? 5 : 4;
    struct cursor tail;

    if (!is_head(input, 0) || input.size < head + 1)
        return false;
    *frame = (struct gt06_frame){.type = input.data[head - 1], .is_long = head == 5};
    if (input.size < head + TAIL_SIZE) {
        frame->checksum_wrong = true;
        return true;
    }
    tail = cursor_over(bytes_part(input, input.size - TAIL_SIZE, 4));
    frame->serial = cursor_u16_be(&tail);
    frame->content = bytes_part(input, head, input.size - head - TAIL_SIZE);
    frame->checksum_wrong =
        cursor_u16_be(&tail) != checksum_crc16_x25(bytes_part(input, 2, input.size - 2 - 4));
    return true;
}

/* The IMEI's fifteen digits behind a zero; some say their time zone behind it. */
static void log_in(struct bytes content, struct codec_session *session)
{
    struct cursor cursor = cursor_over(content);
    char digits[2 * IMEI_SIZE + 1] = "";
    uint16_t zone;

    cursor_bcd(&cursor, IMEI_SIZE, digits);
    if (cursor.failed)
        return;
    memset(session, 0, sizeof(*session));
    memcpy(session->identity, digits + 1, sizeof(digits) - 1);
    cursor_u16_be(&cursor); /* model */
    zone = cursor_u16_be(&cursor);
    if (!cursor.failed) {
        int minutes = (zone >> 4) / 100 * 60 + (zone >> 4) % 100;

        session->state[GT06_STATE_ZONE] = (uint32_t)(zone & 8 ? -minutes : minutes);
    }
}

static void decode_frame(struct bytes bytes, struct codec_session *session, struct batch *batch)
{
    struct signal said = {.kind = SIGNAL_HEARTBEAT};
    struct gt06_frame frame;

    if (!read_frame(bytes, &frame))
        return;
    if (frame.checksum_wrong)
        said.flags |= SIGNAL_FLAG_CHECKSUM_WRONG;
    if (frame.type == GT06_LOGIN)
        log_in(frame.content, session);
    memcpy(said.identity, session->identity, sizeof(said.identity));
    gt06_content_decode(&frame, session, &said);
    batch_add(batch, &said);
}

static int gt06_decode(const struct message *message, struct codec_session *session,
                       const struct codec_environment *environment, struct signal *out, int limit)
{
    struct batch batch = {.out = out, .limit = limit};
    struct bytes rest = message->body;

    (void)environment;
    while (rest.size > 0)
        decode_frame(batch_next_frame(gt06_split, &rest), session, &batch);
    return batch.count ? batch.count : DECODE_BAD;
}

static void write_frame(uint8_t type, struct bytes content, uint16_t serial, struct writer *out)
{
    uint8_t memory[REPLY_MAX];
    struct writer frame = writer_into(memory, sizeof(memory));

    writer_u8(&frame, (uint8_t)(content.size + 5));
    writer_u8(&frame, type);
    writer_bytes(&frame, content);
    writer_u16_be(&frame, serial);
    writer_u16_be(&frame, checksum_crc16_x25(writer_view(&frame)));
    writer_u16_be(out, 0x7878);
    writer_bytes(out, writer_view(&frame));
    writer_u16_be(out, 0x0D0A);
}

static bool is_answered(uint8_t type)
{
    static const uint8_t types[] = {
        GT06_LOGIN,        GT06_POSITION,    GT06_STATUS,    GT06_ALARM,       GT06_LBS_ALARM,
        GT06_POSITION_LBS, GT06_HEARTBEAT,   GT06_ALARM_LBS, GT06_ALARM_FENCE, GT06_TIME,
        GT06_CAMERA_ALARM, GT06_POSITION_4G, GT06_ALARM_4G,  GT06_LBS_ALARM_4G};

    return memchr(types, type, sizeof(types)) != NULL;
}

static void gt06_reply(const struct message *message, struct codec_session *session,
                       const struct codec_environment *environment, enum verdict verdict,
                       struct writer *topic, struct writer *out)
{
    struct bytes rest = message->body, last = {NULL, 0};
    struct civil now = calendar_to_civil(environment->now_us);
    const uint8_t time[] = {(uint8_t)(now.year % 100), (uint8_t)now.month,  (uint8_t)now.day,
                            (uint8_t)now.hour,         (uint8_t)now.minute, (uint8_t)now.second};
    struct gt06_frame frame;

    (void)session, (void)verdict, (void)topic;
    while (rest.size > 0)
        last = batch_next_frame(gt06_split, &rest);
    if (!read_frame(last, &frame) || !is_answered(frame.type))
        return;
    write_frame(frame.type, (struct bytes){time, frame.type == GT06_TIME ? sizeof(time) : 0},
                frame.serial, out);
}

static bool gt06_compose(const struct signal *signal, struct codec_session *session,
                         const struct codec_environment *environment, struct writer *topic,
                         struct writer *out)
{
    uint8_t content[GT06_CONTENT_MAX], imei[IMEI_SIZE];
    struct writer writer = writer_into(content, sizeof(content));
    struct writer login = writer_into(imei, sizeof(imei));
    uint8_t type = gt06_content_compose(signal, environment->now_us, &writer);
    size_t digits = strspn(signal->identity, "0123456789");

    (void)topic;
    if (type == 0 || writer.overflow || digits != 15 || signal->identity[digits])
        return false;
    if (strcmp(session->identity, signal->identity) != 0) {
        writer_bcd(&login, signal->identity, IMEI_SIZE);
        write_frame(GT06_LOGIN, writer_view(&login), session->serial++, out);
        memcpy(session->identity, signal->identity, sizeof(session->identity));
    }
    write_frame(type, writer_view(&writer), session->serial++, out);
    return !out->overflow;
}

/* Commands are text, as a person would send it by SMS. */
static bool write_command(const struct command *command, struct writer *out)
{
    switch (command->kind) {
    case COMMAND_LOCATE:
        writer_text(out, "WHERE#");
        return true;
    case COMMAND_REPORT_INTERVAL:
        writer_text(out, "TIMER,");
        writer_decimal(out, command->value);
        writer_u8(out, '#');
        return command->value > 0;
    case COMMAND_SOS_NUMBER:
        writer_text(out, "SOS,A");
        for (int32_t i = 0; i < command->value && i < 3; i++)
            writer_u8(out, ',');
        writer_text(out, command->text);
        writer_u8(out, '#');
        return command->value >= 1 && command->value <= 3 && command->text[0] &&
               command->text[strspn(command->text, "+0123456789")] == '\0';
    case COMMAND_ACKNOWLEDGE: /* the answer to the alarm is all there is */
        break;
    }
    return false;
}

static bool gt06_command(const struct command *command, struct codec_session *session,
                         const struct codec_environment *environment, struct writer *topic,
                         struct writer *out)
{
    uint8_t content[64];
    struct writer writer = writer_into(content, sizeof(content));

    (void)environment, (void)topic;
    writer_u8(&writer, 0); /* of what follows but the language, below */
    writer_u32_be(&writer, 0);
    if (!write_command(command, &writer))
        return false;
    content[0] = (uint8_t)(writer.size - 1);
    writer_u16_be(&writer, 2); /* English */
    if (writer.overflow)
        return false;
    write_frame(GT06_COMMAND, writer_view(&writer), session->serial++, out);
    return !out->overflow;
}

/* Before it the length, or behind it the encoding, and the four bytes that we sent. */
static bool find_text(struct bytes bytes, struct bytes *text)
{
    struct gt06_frame frame;

    if (!read_frame(bytes, &frame) || frame.checksum_wrong ||
        (frame.type != GT06_TEXT && frame.type != GT06_TEXT_ENCODED))
        return false;
    *text = bytes_part(frame.content, 5, frame.content.size);
    return true;
}

static enum command_answer gt06_command_answer(const struct message *message,
                                               const struct command *command, uint16_t serial,
                                               struct writer *text)
{
    (void)command, (void)serial;
    return batch_text_answer(message->body, gt06_split, find_text, text);
}

const struct codec gt06_codec = {
    .name = "gt06",
    .frame_max = FRAME_MAX,
    .recognise = gt06_recognise,
    .split = gt06_split,
    .decode = gt06_decode,
    .reply = gt06_reply,
    .compose = gt06_compose,
    .command = gt06_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE) | COMMAND_BIT(COMMAND_REPORT_INTERVAL) |
                COMMAND_BIT(COMMAND_SOS_NUMBER),
    .command_answer = gt06_command_answer,
};
