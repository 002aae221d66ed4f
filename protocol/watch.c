/*
 * The text protocol of elderly wristbands ("SeTracker", "Beesure"; prefixes 3G SG CS ZJ), TCP:
 *
 *     [PP*identity*LLLL*TYPE,field,…]      or with an index    [PP*identity*NNNN*LLLL*TYPE,…]
 *
 * Where a frame ends. The length LLLL is wrong in a fifth of the frames seen in the field, and a
 * Wi-Fi name may hold brackets. So a frame ends at whichever comes first: the bracket that brings
 * the depth to zero, a `]` exactly where LLLL says, or the head of another frame (the end of this
 * one was lost). Each is decided by the bytes up to there, so it does not matter how the network
 * cuts them. Whatever a hostile Wi-Fi name cuts off stands behind the alarm bits and the position.
 */
#include "protocol/codec.h"
#include "protocol/watch_content.h"

#include <string.h>

#define FRAME_MAX 65536
#define IDENTITY_MAX 20
#define HEAD_MAX (1 + 3 + IDENTITY_MAX + 1 + 5)

/* session.state[STATE_HEAD]: the two letters of the device's prefix and whether it sends an index. */
enum { STATE_HEAD };
#define STATE_HAS_INDEX 0x10000U

struct head {
    struct bytes prefix, identity, index, content; /* index is empty if there is none */
    size_t length;                                 /* LLLL */
};

static bool is_alphanumeric(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (!((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= 'a' && byte <= 'z')))
            return false;
    }
    return text.size > 0;
}

/* Takes what stands before a `*` within the next limit+1 bytes. */
static bool take_head_field(struct bytes *rest, size_t limit, struct bytes *field)
{
    struct bytes window = bytes_part(*rest, 0, limit + 1);
    size_t end = bytes_find(window, '*');

    if (end == window.size)
        return false;
    *field = bytes_part(window, 0, end);
    *rest = bytes_part(*rest, end + 1, rest->size);
    return is_alphanumeric(*field);
}

static bool take_hex4(struct bytes *rest, struct bytes *text, uint64_t *value)
{
    struct bytes after = *rest;

    if (!take_head_field(&after, 4, text) || text->size != 4 || !bytes_parse_hex(*text, value))
        return false;
    *rest = after;
    return true;
}

/* Reads the head of what begins with `[`; the content is all that follows it. */
static bool parse_head(struct bytes input, struct head *head)
{
    struct bytes rest = bytes_part(input, 1, input.size), length;
    uint64_t value;

    *head = (struct head){0};
    if (input.size == 0 || input.data[0] != '[')
        return false;
    if (!take_head_field(&rest, 2, &head->prefix) || head->prefix.size != 2)
        return false;
    if (!take_head_field(&rest, IDENTITY_MAX, &head->identity) ||
        !take_hex4(&rest, &length, &value))
        return false;

    struct bytes first = length;

    if (take_hex4(&rest, &length, &value))
        head->index = first;
    head->length = value;
    head->content = rest;
    return true;
}

/* Reads a whole frame: as parse_head, and the content loses its closing bracket. */
static bool parse_frame(struct bytes frame, struct head *head)
{
    if (!parse_head(frame, head))
        return false;
    if (head->content.size && head->content.data[head->content.size - 1] == ']')
        head->content.size--;
    return true;
}

static enum frame watch_recognise(struct bytes first)
{
    if (first.size == 0)
        return FRAME_MORE;
    if (first.data[0] != '[')
        return FRAME_BAD;
    if (first.size > 1 && !is_alphanumeric(bytes_part(first, 1, 2)))
        return FRAME_BAD;
    if (first.size < 4)
        return FRAME_MORE;
    return first.data[3] == '*' ? FRAME_READY : FRAME_BAD;
}

/* Size of the frame that begins `input`, 0 if its end is not there yet. */
static size_t find_end(struct bytes input)
{
    struct head head, next;
    size_t declared = 0; /* where LLLL puts the closing bracket, 0 if nowhere */
    int depth = 1;

    if (parse_head(input, &head))
        declared = (size_t)(head.content.data - input.data) + head.length;
    for (size_t i = 1; i < input.size && i < FRAME_MAX; i++) {
        if (input.data[i] == '[') {
            if (parse_head(bytes_part(input, i, HEAD_MAX), &next))
                return i;
            depth++;
        } else if (input.data[i] == ']') {
            depth--;
            if (depth == 0 || i == declared)
                return i + 1;
        }
    }
    return 0;
}

static enum frame watch_split(struct bytes input, size_t *skip, size_t *size)
{
    *skip = bytes_find(input, '[');

    struct bytes frame = bytes_part(input, *skip, input.size);

    *size = find_end(frame);
    if (*size)
        return FRAME_READY;
    if (frame.size < FRAME_MAX)
        return FRAME_MORE;
    *skip += FRAME_MAX;
    return FRAME_BAD;
}

/* A frame whose head is damaged, but which says AL where the type stands. */
static int decode_damaged(struct bytes frame, struct signal *out)
{
    struct bytes rest = frame, field;
    bool claims_alarm = false;

    for (int i = 0; bytes_next_field(&rest, '*', &field); i++) {
        if (i == 1)
            bytes_copy_text(field, out->identity, sizeof(out->identity));
        claims_alarm = claims_alarm || (i > 1 && watch_content_is_alarm(field));
    }
    if (!claims_alarm)
        return DECODE_BAD;
    out->kind = SIGNAL_UNREADABLE;
    out->flags = SIGNAL_FLAG_UNREADABLE;
    return 1;
}

static void remember_head(const struct head *head, struct codec_session *session)
{
    uint64_t index;

    bytes_copy_text(head->identity, session->identity, sizeof(session->identity));
    session->state[STATE_HEAD] = (uint32_t)(head->prefix.data[0] << 8 | head->prefix.data[1]);
    if (bytes_parse_hex(head->index, &index)) {
        session->state[STATE_HEAD] |= STATE_HAS_INDEX;
        session->serial = (uint16_t)index;
    }
}

static int watch_decode(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, struct signal *out, int limit)
{
    struct head head;

    (void)environment;
    *out = (struct signal){.kind = SIGNAL_HEARTBEAT, .device = DEVICE_WRISTBAND};
    if (!parse_frame(message->body, &head))
        return decode_damaged(message->body, out);
    remember_head(&head, session);
    bytes_copy_text(head.identity, out->identity, sizeof(out->identity));
    if (head.content.size != head.length)
        out->flags |= SIGNAL_FLAG_LENGTH_WRONG;
    return watch_content_decode(head.content, out, limit);
}

static void write_hex4(struct writer *writer, size_t value)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        writer_u8(writer, (uint8_t) "0123456789abcdef"[value >> shift & 15]);
}

static void write_frame(struct writer *out, const struct head *head)
{
    writer_u8(out, '[');
    writer_bytes(out, head->prefix);
    writer_u8(out, '*');
    writer_bytes(out, head->identity);
    writer_u8(out, '*');
    if (head->index.size) {
        writer_bytes(out, head->index);
        writer_u8(out, '*');
    }
    write_hex4(out, head->content.size);
    writer_u8(out, '*');
    writer_bytes(out, head->content);
    writer_u8(out, ']');
}

static void watch_reply(const struct message *message, struct codec_session *session,
                        const struct codec_environment *environment, enum verdict verdict,
                        struct writer *topic, struct writer *out)
{
    struct head head;
    struct bytes type;

    /* A device that is not answered stops reporting, so the verdict changes nothing. */
    (void)session, (void)environment, (void)verdict, (void)topic;
    if (!parse_frame(message->body, &head))
        return;
    type = bytes_part(head.content, 0, bytes_find(head.content, ','));
    if (watch_content_is_alarm(type))
        head.content = bytes_of("AL");
    else if (bytes_equal_nocase(type, "LK"))
        head.content = bytes_of("LK");
    else if (bytes_equal_nocase(type, "INIT"))
        head.content = bytes_of("INIT,1");
    else if (bytes_equal_nocase(type, "JXTK"))
        head.content = bytes_of("JXTKR,1");
    else if (bytes_equal_nocase(type, "TKQ") || bytes_equal_nocase(type, "TKQ2"))
        head.content = type;
    else
        return;
    write_frame(out, &head);
}

/* The head of a frame that starts here: the other side's prefix and, if it counts, our next index.
 * `prefix` is the caller's two bytes, `index` its four. */
static struct head new_head(struct codec_session *session, const char *identity, uint8_t prefix[2],
                            uint8_t index[4])
{
    uint32_t state = session->state[STATE_HEAD];
    struct head head = {.identity = bytes_of(identity)};

    prefix[0] = state ? (uint8_t)(state >> 8) : '3';
    prefix[1] = state ? (uint8_t)state : 'G';
    head.prefix = (struct bytes){prefix, 2};
    if (state & STATE_HAS_INDEX) {
        struct writer writer = writer_into(index, 4);

        writer_hex(&writer, ++session->serial, 4);
        head.index = writer_view(&writer);
    }
    return head;
}

static bool watch_compose(const struct signal *signal, struct codec_session *session,
                          const struct codec_environment *environment, struct writer *topic,
                          struct writer *out)
{
    uint8_t content[WATCH_CONTENT_MAX], prefix[2], index[4];
    struct writer writer = writer_into(content, sizeof(content));

    (void)topic;
    if (!watch_content_compose(signal, environment->now_us, &writer) || writer.overflow)
        return false;

    struct head head = new_head(session, signal->identity, prefix, index);

    head.content = writer_view(&writer);
    write_frame(out, &head);
    return !out->overflow;
}

/* A phone number as a watch stores it: nothing that could end the field or the frame. */
static bool is_phone(const char *text)
{
    const char *digits = *text == '+' ? text + 1 : text;

    return *digits && digits[strspn(digits, "0123456789")] == '\0';
}

static bool write_command(const struct command *command, struct writer *out)
{
    switch (command->kind) {
    case COMMAND_LOCATE:
        writer_text(out, "CR");
        return true;
    case COMMAND_REPORT_INTERVAL:
        writer_text(out, "UPLOAD,");
        writer_decimal(out, command->value);
        return command->value > 0;
    case COMMAND_SOS_NUMBER:
        writer_text(out, "SOS");
        writer_decimal(out, command->value);
        writer_u8(out, ',');
        writer_text(out, command->text);
        return command->value >= 1 && command->value <= 3 && is_phone(command->text);
    case COMMAND_ACKNOWLEDGE: /* the answer to AL is all there is */
        break;
    }
    return false;
}

/* A watch repeats the word of the command. */
static enum command_answer watch_command_answer(const struct message *message,
                                                const struct command *command, uint16_t serial,
                                                struct writer *text)
{
    uint8_t memory[64];
    struct writer wanted = writer_into(memory, sizeof(memory));
    struct bytes rest, said, word = {NULL, 0};
    struct head head;

    (void)serial;
    if (!parse_frame(message->body, &head) || !write_command(command, &wanted))
        return COMMAND_UNANSWERED;
    rest = head.content;
    bytes_next_field(&rest, ',', &said);
    rest = writer_view(&wanted);
    bytes_next_field(&rest, ',', &word);
    if (!bytes_equal(said, word))
        return COMMAND_UNANSWERED;
    writer_bytes(text, bytes_part(head.content, 0, 100));
    return COMMAND_DONE;
}

static bool watch_command(const struct command *command, struct codec_session *session,
                          const struct codec_environment *environment, struct writer *topic,
                          struct writer *out)
{
    uint8_t content[64], prefix[2], index[4];
    struct writer writer = writer_into(content, sizeof(content));

    (void)environment, (void)topic;
    if (!session->identity[0] || !write_command(command, &writer))
        return false;

    struct head head = new_head(session, session->identity, prefix, index);

    /* Watches that call themselves 3G obey commands from SG. */
    if (bytes_equal_text(head.prefix, "3G"))
        head.prefix = bytes_of("SG");
    head.content = writer_view(&writer);
    write_frame(out, &head);
    return !out->overflow;
}

const struct codec watch_codec = {
    .name = "watch",
    .frame_max = FRAME_MAX,
    .recognise = watch_recognise,
    .split = watch_split,
    .decode = watch_decode,
    .reply = watch_reply,
    .compose = watch_compose,
    .command = watch_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE) | COMMAND_BIT(COMMAND_REPORT_INTERVAL) |
                COMMAND_BIT(COMMAND_SOS_NUMBER),
    .command_answer = watch_command_answer,
};
