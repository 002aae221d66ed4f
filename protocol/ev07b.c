/*
 * EV-07B, the pendant of Eview and its relations, TCP:
 *
 *     AB flags length:2 crc:2 sequence:2 command fields…        (little endian)
 *
 * Length and checksum are over the command and its fields. Bit 4 of the flags asks for an answer,
 * which has the same sequence number. A frame is as long as it says, unless the head of another
 * frame with its IMEI stands inside: then the length was damaged, and must not swallow that one. What
 * does not begin with AB and a length within bounds is junk.
 */
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/codec.h"
#include "protocol/ev07b_data.h"

#include <string.h>

#define START 0xAB
#define HEAD_SIZE 8
#define LENGTH_MAX 4096
#define FRAME_MAX (HEAD_SIZE + LENGTH_MAX + WHOLE_HEAD_SIZE)
#define FLAG_ANSWER (1U << 4)
#define IDENTITY_SIZE 15
#define SETTINGS_KEY_IDENTITY 0x02
#define WHOLE_HEAD_SIZE (HEAD_SIZE + 4) /* up to the first digit of the IMEI */

enum command_code {
    CODE_DATA = 0x01,
    CODE_SETTINGS = 0x02,
    CODE_SERVICES = 0x03,
    CODE_RESPONSE = 0x7F
};

enum service {
    SERVICE_KEY_ADDRESS = 0x11,
    SERVICE_KEY_TIME = 0x12,
    SERVICE_KEY_ADDRESS_OF_CELL = 0x21,
    SERVICE_KEY_ADDRESS_OF_WIFI = 0x22
};

struct head {
    bool is_sound;
    uint8_t flags, code;
    uint16_t sequence;
    struct bytes fields;
};

/* False if the frame is no frame. */
static bool parse_frame(struct bytes frame, struct head *head)
{
    struct cursor cursor = cursor_over(frame);
    uint8_t start = cursor_u8(&cursor);
    uint16_t length, checksum;

    head->flags = cursor_u8(&cursor);
    length = cursor_u16_le(&cursor);
    checksum = cursor_u16_le(&cursor);
    head->sequence = cursor_u16_le(&cursor);
    head->is_sound = checksum == checksum_crc16_xmodem(cursor.rest) && length == cursor.rest.size;
    head->code = cursor_u8(&cursor);
    head->fields = cursor.rest;
    return start == START && !cursor.failed;
}

static bool is_length(struct bytes head)
{
    size_t length = (size_t)(head.data[2] | head.data[3] << 8);

    return length >= 1 && length <= LENGTH_MAX;
}

static enum frame ev07b_recognise(struct bytes first)
{
    if (first.size > 0 && first.data[0] != START)
        return FRAME_BAD;
    if (first.size < 4)
        return FRAME_MORE;
    return is_length(first) ? FRAME_READY : FRAME_BAD;
}

/* Whether a frame certainly begins here: its first field is an IMEI. */
static enum frame probe_head(struct bytes input)
{
    if (input.data[0] != START || (input.size >= 4 && !is_length(input)))
        return FRAME_BAD;
    if (input.size > HEAD_SIZE + 1 && input.data[HEAD_SIZE + 1] != IDENTITY_SIZE + 1)
        return FRAME_BAD;
    if (input.size > HEAD_SIZE + 2 && input.data[HEAD_SIZE + 2] != EV07B_DATA_KEY_IDENTITY &&
        input.data[HEAD_SIZE + 2] != SETTINGS_KEY_IDENTITY)
        return FRAME_BAD;
    if (input.size < WHOLE_HEAD_SIZE)
        return FRAME_MORE;
    return input.data[HEAD_SIZE + 3] >= '0' && input.data[HEAD_SIZE + 3] <= '9' ? FRAME_READY
                                                                                : FRAME_BAD;
}

/* Size of the frame that begins `input`, 0 if its end is not there yet. */
static size_t find_end(struct bytes input)
{
    size_t declared = HEAD_SIZE + (size_t)(input.data[2] | input.data[3] << 8), i;
    struct bytes inside = bytes_part(input, 0, declared);
    struct head head;

    for (i = HEAD_SIZE; i + WHOLE_HEAD_SIZE <= inside.size; i++)
        if (probe_head(bytes_part(inside, i, WHOLE_HEAD_SIZE)) == FRAME_READY)
            return i;
    if (inside.size < declared)
        return 0;
    /* A damaged one may end in the midst of the next one's head. */
    if (!parse_frame(inside, &head) || !head.is_sound)
        for (; i < declared; i++) {
            enum frame next = probe_head(bytes_part(input, i, WHOLE_HEAD_SIZE));

            if (next != FRAME_BAD)
                return next == FRAME_READY ? i : 0;
        }
    return declared;
}

static enum frame ev07b_split(struct bytes input, size_t *skip, size_t *size)
{
    struct bytes frame;

    *skip = bytes_find(input, START);
    frame = bytes_part(input, *skip, input.size);
    if (frame.size < 4)
        return FRAME_MORE;
    if (!is_length(frame)) {
        *skip += 1;
        return FRAME_BAD;
    }
    *size = find_end(frame);
    return *size ? FRAME_READY : FRAME_MORE;
}

/* Settings have the identity under another key. */
static void find_identity(const struct head *head, char identity[IDENTITY_LIMIT + 1])
{
    uint8_t wanted = head->code == CODE_SETTINGS ? SETTINGS_KEY_IDENTITY : EV07B_DATA_KEY_IDENTITY;
    uint8_t key;
    struct bytes rest = head->fields, value;

    while (ev07b_data_next(&rest, &key, &value)) {
        if (key == wanted && value.size == IDENTITY_SIZE) {
            bytes_copy_text(value, identity, IDENTITY_LIMIT + 1);
            return;
        }
    }
}

/* A frame whose checksum is wrong, but which may hold an alarm. */
static int decode_damaged(const struct head *head, struct signal *out)
{
    if (head->code == CODE_SETTINGS || !ev07b_data_claims_alarm(head->fields))
        return DECODE_BAD;
    find_identity(head, out->identity);
    out->kind = SIGNAL_UNREADABLE;
    out->flags = SIGNAL_FLAG_UNREADABLE | SIGNAL_FLAG_CHECKSUM_WRONG;
    return 1;
}

static int ev07b_decode(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, struct signal *out, int limit)
{
    struct signal model = {.kind = SIGNAL_HEARTBEAT, .device = DEVICE_WRISTBAND};
    struct batch batch = {.out = out, .limit = limit};
    struct head head;

    (void)environment;
    if (!parse_frame(message->body, &head))
        return DECODE_BAD;
    memcpy(model.identity, session->identity, sizeof(model.identity));
    if (!head.is_sound) {
        *out = model;
        return decode_damaged(&head, out);
    }
    find_identity(&head, model.identity);
    memcpy(session->identity, model.identity, sizeof(session->identity));
    if (head.code == CODE_DATA)
        ev07b_data_decode(head.fields, &model, &batch);
    else
        batch_add(&batch, &model);
    return batch.count;
}

static void write_frame(struct writer *out, uint8_t flags, uint16_t sequence, struct bytes content)
{
    writer_u8(out, START);
    writer_u8(out, flags);
    writer_u16_le(out, (uint16_t)content.size);
    writer_u16_le(out, checksum_crc16_xmodem(content));
    writer_u16_le(out, sequence);
    writer_bytes(out, content);
}

/* The time, and an empty address at no place: there is no map here. */
static void write_services(struct writer *out, struct bytes fields, int64_t now_us)
{
    struct bytes value;
    uint8_t key;

    while (ev07b_data_next(&fields, &key, &value)) {
        if (key == SERVICE_KEY_TIME) {
            writer_u8(out, 5);
            writer_u8(out, key);
            writer_u32_le(out, (uint32_t)(now_us / CALENDAR_SECOND_US));
        } else if (key == SERVICE_KEY_ADDRESS || key == SERVICE_KEY_ADDRESS_OF_CELL ||
                   key == SERVICE_KEY_ADDRESS_OF_WIFI) {
            writer_u8(out, 10);
            writer_u8(out, key);
            writer_u64_le(out, 0);
            writer_u8(out, 0);
        }
    }
}

static void ev07b_reply(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, enum verdict verdict,
                        struct writer *topic, struct writer *out)
{
    uint8_t memory[REPLY_MAX - HEAD_SIZE];
    struct writer content = writer_into(memory, sizeof(memory));
    struct head head;

    /* There is no answer but success, and an alarm of an unknown device was taken. */
    (void)session, (void)verdict, (void)topic;
    if (!parse_frame(message->body, &head) || !head.is_sound || !(head.flags & FLAG_ANSWER) ||
        head.code == CODE_RESPONSE)
        return;
    if (head.code == CODE_SERVICES) {
        writer_u8(&content, CODE_SERVICES);
        write_services(&content, head.fields, environment->now_us);
    } else {
        writer_u8(&content, CODE_RESPONSE);
        writer_u16_le(&content, 0x0001); /* one byte: success */
    }
    if (!content.overflow)
        write_frame(out, 0, head.sequence, writer_view(&content));
}

/* The sequence number follows from the time, so that the same signal composed again is the same
 * frame. */
static bool ev07b_compose(const struct signal *signal, struct codec_session *session,
                          const struct codec_environment *environment, struct writer *topic,
                          struct writer *out)
{
    int64_t at_us = signal->occurred_at_us ? signal->occurred_at_us : environment->now_us;
    uint8_t memory[160];
    struct writer content = writer_into(memory, sizeof(memory));

    (void)session, (void)topic;
    if (strlen(signal->identity) != IDENTITY_SIZE)
        return false;
    writer_u8(&content, CODE_DATA);
    writer_u8(&content, IDENTITY_SIZE + 1);
    writer_u8(&content, EV07B_DATA_KEY_IDENTITY);
    writer_text(&content, signal->identity);
    if (!ev07b_data_compose(signal, at_us, &content))
        return false;
    write_frame(out, FLAG_ANSWER, (uint16_t)(at_us / CALENDAR_SECOND_US), writer_view(&content));
    return !out->overflow;
}

const struct codec ev07b_codec = {
    .name = "ev07b",
    .frame_max = FRAME_MAX,
    .recognise = ev07b_recognise,
    .split = ev07b_split,
    .decode = ev07b_decode,
    .reply = ev07b_reply,
    .compose = ev07b_compose,
};
