/*
 * CJ/T 188 water meters, as gateways and NB-IoT modules pass them on: over TCP, over UDP, or in an
 * MQTT message on onekey/v1/meter/<identity>/up/cjt188, as bytes or as hex digits.
 *
 *     FE… 68 type address(7, low byte first) control length DI(2) SER data… checksum 16
 *
 * Where a frame begins: at a 68 with the type of a meter, whose length leads to a 16. What stands
 * before it (the ASCII name of a data unit) is skipped. A frame whose checksum is wrong says
 * nothing: a wrong total would be worse than none; nor does it hide one that is right.
 *
 * A frame to a meter (control below 80) that comes back from the line is refused, not taken for a
 * sign of life: the meter that does not answer it may be dead.
 *
 * The identity is the address as it is printed on the meter: its 14 digits, high byte first.
 *
 * Which alarms are the same. A low battery shows in every answer: it is one message a day.
 */
#include "protocol/batch.h"
#include "protocol/calendar.h"
#include "protocol/checksum.h"
#include "protocol/codec.h"

#include <string.h>

#define ADDRESS_SIZE 7
#define HEAD_SIZE 11 /* up to the length */
#define TAIL_SIZE 2
#define PREAMBLE_MAX 4
#define FRAME_MAX (PREAMBLE_MAX + HEAD_SIZE + 255 + TAIL_SIZE)
#define MESSAGE_MAX (16 * FRAME_MAX)
#define CHINA_US (8 * 3600 * CALENDAR_SECOND_US)
/* An answer tells the present: a clock that differs by more is not set. */
#define CLOCK_WRONG_US (7 * CALENDAR_DAY_US)

enum control {
    CONTROL_READ = 0x01,
    CONTROL_ANSWER = 0x81,
    CONTROL_ADDRESS_ANSWER = 0x83,
    CONTROL_VALVE_ANSWER = 0x84,
    CONTROL_UPLOAD = 0xA1 /* a vendor's, unasked */
};

enum unit { UNIT_LITRE = 0x29, UNIT_CUBIC_METRE = 0x2C };

enum { DATA_CURRENT = 0x901F, DATA_ADDRESS = 0x810A, DATA_VALVE = 0xA017 };

/* session.variant is the type byte of the meter; session.state[]: whether it swaps the DI. */
enum { STATE_SWAPPED };

struct frame_fields {
    uint8_t type, control, serial;
    uint16_t data_id; /* as the standard prints it, whichever order came */
    bool swapped;
    struct bytes address; /* low byte first */
    struct bytes data;    /* behind SER */
};

static bool is_meter_type(uint8_t type)
{
    return (type >= 0x10 && type <= 0x49) || type == 0xAA;
}

static size_t preamble_size(struct bytes input)
{
    size_t size = 0;

    while (size < input.size && size < PREAMBLE_MAX && input.data[size] == 0xFE)
        size++;
    return size;
}

/* Whether a frame begins here, with its preamble; its size, as soon as that can be told (else 0). MORE:
 * as far as can be seen. */
static enum frame probe(struct bytes input, size_t *size)
{
    size_t preamble = preamble_size(input);

    *size = 0;
    input = bytes_part(input, preamble, input.size);
    if (input.size > 0 && input.data[0] != 0x68)
        return FRAME_BAD;
    if (input.size > 1 && !is_meter_type(input.data[1]))
        return FRAME_BAD;
    if (input.size < HEAD_SIZE)
        return FRAME_MORE;
    *size = preamble + HEAD_SIZE + input.data[HEAD_SIZE - 1] + TAIL_SIZE;
    if (input.size < *size - preamble)
        return FRAME_MORE;
    return input.data[*size - preamble - 1] == 0x16 ? FRAME_READY : FRAME_BAD;
}

static bool is_sum_right(struct bytes frame)
{
    size_t preamble = preamble_size(frame);

    frame = bytes_part(frame, preamble, frame.size);
    return checksum_sum(bytes_part(frame, 0, frame.size - TAIL_SIZE)) ==
           frame.data[frame.size - TAIL_SIZE];
}

/* A whole frame with the right sum that ends before the one which begins the input says it ends itself:
 * so the length of that is damaged. False if there is none. */
static bool find_inside(struct bytes input, size_t declared, size_t *skip, size_t *size)
{
    size_t end = declared, length;

    for (size_t i = 1; i < end && i < input.size; i++) {
        struct bytes rest = bytes_part(input, i, input.size);

        if ((input.data[i] != 0x68 && input.data[i] != 0xFE) ||
            probe(rest, &length) != FRAME_READY || i + length >= end ||
            !is_sum_right(bytes_part(rest, 0, length)))
            continue;
        *skip = i;
        *size = length;
        end = i + length;
    }
    return end < declared;
}

static enum frame cjt188_recognise(struct bytes first)
{
    size_t skip = preamble_size(first);

    if (skip < first.size && first.data[skip] != 0x68)
        return FRAME_BAD;
    if (skip + 1 >= first.size)
        return FRAME_MORE;
    return is_meter_type(first.data[skip + 1]) ? FRAME_READY : FRAME_BAD;
}

static enum frame cjt188_split(struct bytes input, size_t *skip, size_t *size)
{
    for (*skip = 0; *skip < input.size; ++*skip) {
        struct bytes rest = bytes_part(input, *skip, input.size);
        enum frame frame = probe(rest, size);
        size_t inside = 0, declared = *size;

        if (declared && find_inside(rest, declared, &inside, size)) {
            *skip += inside;
            return FRAME_READY;
        }
        if (frame != FRAME_BAD)
            return frame;
    }
    return FRAME_MORE;
}

static uint16_t swap(uint16_t value)
{
    return (uint16_t)(value >> 8 | value << 8);
}

static bool is_data_id(uint16_t value)
{
    return value == DATA_CURRENT || value == DATA_ADDRESS || value == DATA_VALVE ||
           (value >= 0xD120 && value <= 0xD12B);
}

/* Reads a frame that probe() found whole. False if its checksum is wrong. */
static bool parse(struct bytes frame, struct frame_fields *fields)
{
    struct cursor cursor;

    frame = bytes_part(frame, preamble_size(frame), frame.size);
    cursor = cursor_over(bytes_part(frame, 1, frame.size - 1 - TAIL_SIZE));
    *fields = (struct frame_fields){.type = cursor_u8(&cursor)};
    fields->address = cursor_take(&cursor, ADDRESS_SIZE);
    fields->control = cursor_u8(&cursor);
    cursor_u8(&cursor);
    if (cursor.rest.size >= 3) {
        fields->data_id = cursor_u16_be(&cursor);
        fields->swapped = !is_data_id(fields->data_id) && is_data_id(swap(fields->data_id));
        if (fields->swapped)
            fields->data_id = swap(fields->data_id);
        fields->serial = cursor_u8(&cursor);
    }
    fields->data = cursor.rest;
    return is_sum_right(frame);
}

static void write_identity(struct bytes address, char out[IDENTITY_LIMIT + 1])
{
    struct writer writer = writer_into(out, IDENTITY_LIMIT);

    for (size_t i = 2 * address.size; i-- > 0;)
        writer_u8(&writer, (uint8_t) "0123456789ABCDEF"[address.data[i / 2] >> i % 2 * 4 & 15]);
    out[writer.size] = '\0';
}

/* Packed decimal, low byte first, as a number; false on a nibble above 9. */
static bool take_bcd(struct cursor *cursor, size_t size, int64_t *value)
{
    struct bytes digits = cursor_take(cursor, size);

    *value = 0;
    for (size_t i = digits.size; i > 0; i--) {
        int high = digits.data[i - 1] >> 4, low = digits.data[i - 1] & 15;

        if (high > 9 || low > 9)
            return false;
        *value = *value * 100 + high * 10 + low;
    }
    return !cursor->failed;
}

/* Eight digits, the last two behind the point, in the unit that stands before or behind them. */
static bool take_total(struct cursor *cursor, bool unit_first, int64_t *total_ml)
{
    uint8_t unit = unit_first ? cursor_u8(cursor) : 0;
    int64_t value;
    bool is_number = take_bcd(cursor, 4, &value);

    if (!unit_first)
        unit = cursor_u8(cursor);
    *total_ml = unit == UNIT_CUBIC_METRE ? value * 10000 : value * 10;
    return is_number && !cursor->failed && (unit == UNIT_CUBIC_METRE || unit == UNIT_LITRE);
}

/* The meter's own clock, seven bytes from the second to the century, in the time of China. */
static void take_time(struct cursor *cursor, int64_t now_us, struct signal *out)
{
    struct bytes time = cursor_take(cursor, 7);
    int parts[7] = {0};
    struct civil civil;
    int64_t at_us;

    for (size_t i = 0; i < time.size; i++)
        parts[i] = (time.data[i] >> 4) * 10 + (time.data[i] & 15);
    civil = (struct civil){.year = parts[6] * 100 + parts[5],
                           .month = parts[4],
                           .day = parts[3],
                           .hour = parts[2],
                           .minute = parts[1],
                           .second = parts[0]};
    if (cursor->failed || !calendar_from_civil(&civil, &at_us) ||
        at_us - CHINA_US > now_us + CLOCK_WRONG_US || at_us - CHINA_US < now_us - CLOCK_WRONG_US)
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    else
        out->occurred_at_us = at_us - CHINA_US;
}

/* Status: valve and battery, by the masks of the standard or of a vendor. */
static bool take_status(struct cursor *cursor, uint32_t options, struct signal *out)
{
    bool vendor = options & CODEC_OPTION_METER_STATUS_VENDOR;
    uint8_t status = cursor_u8(cursor);

    if (cursor->failed)
        return false;
    if ((vendor ? status >> 6 : status & 3) == 1)
        out->flags |= SIGNAL_FLAG_VALVE_CLOSED;
    return status & (vendor ? 0x20 : 0x04);
}

static void add_low_battery(const struct signal *model, int64_t now_us, struct batch *batch)
{
    struct signal alarm = *model;
    struct writer writer = writer_into(alarm.message_id, MESSAGE_ID_LIMIT);

    alarm.kind = SIGNAL_LOW_BATTERY;
    alarm.has = 0;
    alarm.total_ml = 0;
    memcpy(alarm.code, "battery", sizeof("battery"));
    writer_text(&writer, "battery ");
    calendar_write_rfc3339(&writer, now_us - now_us % CALENDAR_DAY_US);
    batch_add(batch, &alarm);
}

/* What a frame of a meter says: *said as a reading or a sign of life, and whether its battery is
 * low. A month's history has no time, so it is no reading. */
static bool decode_data(const struct frame_fields *fields,
                        const struct codec_environment *environment, struct signal *said)
{
    struct cursor cursor = cursor_over(fields->data);
    bool is_upload = fields->control == CONTROL_UPLOAD, is_total;
    bool is_water = fields->type >= 0x10 && fields->type <= 0x19;

    if (fields->control == CONTROL_VALVE_ANSWER && fields->data_id == DATA_VALVE)
        return take_status(&cursor, environment->options, said);
    if (fields->data_id != DATA_CURRENT || (!is_upload && fields->control != CONTROL_ANSWER))
        return false;
    is_total = take_total(&cursor, is_upload, &said->total_ml) && is_water;
    cursor_take(&cursor, is_upload ? 10 : 5); /* the total of the settling day; the flow */
    take_time(&cursor, environment->now_us, said);
    if (is_total) {
        said->kind = SIGNAL_READING;
        said->has |= MEASURE_TOTAL;
    } else {
        said->total_ml = 0;
    }
    return !is_upload && take_status(&cursor, environment->options, said);
}

/* The bytes that an MQTT message spells in hex digits, blanks between them, in `memory`; or the body
 * as it is. */
static struct bytes plain(const struct message *message, uint8_t memory[MESSAGE_MAX])
{
    struct writer digits = writer_into(memory, MESSAGE_MAX);
    size_t size;

    for (size_t i = 0; i < message->body.size && message->topic.size > 0; i++) {
        if (message->body.data[i] > '~')
            return message->body; /* no digits, and likely its first byte */
        if (message->body.data[i] > ' ')
            writer_u8(&digits, message->body.data[i]);
    }
    if (!digits.overflow && digits.size > 0 &&
        bytes_parse_hex_string(writer_view(&digits), memory, MESSAGE_MAX, &size))
        return (struct bytes){memory, size};
    return message->body;
}

static void decode_frame(struct bytes frame, struct codec_session *session,
                         const struct codec_environment *environment, struct batch *batch)
{
    struct signal said = {.kind = SIGNAL_HEARTBEAT, .device = DEVICE_METER};
    struct frame_fields fields;
    bool is_battery_low;

    if (!parse(frame, &fields) || fields.control < 0x80)
        return;
    write_identity(fields.address, said.identity);
    memcpy(session->identity, said.identity, sizeof(said.identity));
    session->variant = fields.type;
    session->state[STATE_SWAPPED] = fields.swapped;
    is_battery_low = decode_data(&fields, environment, &said);
    batch_add(batch, &said);
    if (is_battery_low)
        add_low_battery(&said, environment->now_us, batch);
}

static int cjt188_decode(const struct message *message, struct codec_session *session,
                         const struct codec_environment *environment, struct signal *out, int limit)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes rest = plain(message, memory);
    struct batch batch = {.out = out, .limit = limit};
    size_t skip, size;

    while (cjt188_split(rest, &skip, &size) == FRAME_READY) {
        decode_frame(bytes_part(rest, skip, size), session, environment, &batch);
        rest = bytes_part(rest, skip + size, rest.size);
    }
    return batch.count ? batch.count : DECODE_BAD;
}

static void write_bcd(struct writer *out, int64_t value, int size)
{
    for (int i = 0; i < size; i++, value /= 100)
        writer_u8(out, (uint8_t)(value / 10 % 10 * 16 + value % 10));
}

/* In litres with their hundredths as long as they fit. */
static void write_total(struct writer *out, int64_t total_ml)
{
    bool litres = total_ml < INT64_C(1000000000);

    write_bcd(out, litres ? total_ml / 10 : total_ml / 10000, 4);
    writer_u8(out, litres ? UNIT_LITRE : UNIT_CUBIC_METRE);
}

static void write_time(struct writer *out, int64_t at_us)
{
    struct civil civil = calendar_to_civil(at_us + CHINA_US);
    const int parts[] = {civil.second, civil.minute, civil.hour, civil.day, civil.month};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        write_bcd(out, parts[i], 1);
    write_bcd(out, civil.year, 2);
}

/* The address of an identity; false if it is no 14 digits. */
static bool write_address(struct writer *out, const char *identity)
{
    uint8_t address[ADDRESS_SIZE];
    size_t size;

    if (!bytes_parse_hex_string(bytes_of(identity), address, sizeof(address), &size) ||
        size != sizeof(address))
        return false;
    while (size > 0)
        writer_u8(out, address[--size]);
    return true;
}

struct outgoing {
    uint8_t control;
    uint16_t data_id;
    struct bytes data;
};

static bool write_frame(struct writer *out, const char *identity, struct codec_session *session,
                        const struct outgoing *outgoing)
{
    uint8_t memory[FRAME_MAX];
    struct writer frame = writer_into(memory, sizeof(memory));

    writer_u8(&frame, 0x68);
    writer_u8(&frame, session->variant ? session->variant : 0x10);
    if (!write_address(&frame, identity))
        return false;
    writer_u8(&frame, outgoing->control);
    writer_u8(&frame, (uint8_t)(3 + outgoing->data.size));
    writer_u16_be(&frame,
                  session->state[STATE_SWAPPED] ? swap(outgoing->data_id) : outgoing->data_id);
    writer_u8(&frame, (uint8_t)session->serial++);
    writer_bytes(&frame, outgoing->data);
    writer_u8(&frame, checksum_sum(writer_view(&frame)));
    writer_u8(&frame, 0x16);
    writer_text(out, "\xFE\xFE\xFE\xFE");
    writer_bytes(out, writer_view(&frame));
    return !frame.overflow && !out->overflow;
}

static bool cjt188_compose(const struct signal *signal, struct codec_session *session,
                           const struct codec_environment *environment, struct writer *topic,
                           struct writer *out)
{
    uint8_t data[32];
    struct writer writer = writer_into(data, sizeof(data));
    struct outgoing outgoing = {.control = CONTROL_ANSWER, .data_id = DATA_CURRENT};
    bool vendor = environment->options & CODEC_OPTION_METER_STATUS_VENDOR;
    uint8_t status = signal->flags & SIGNAL_FLAG_VALVE_CLOSED ? vendor ? 0x40 : 0x01 : 0;

    (void)topic;
    if (signal->kind == SIGNAL_READING && signal->has & MEASURE_TOTAL) {
        write_total(&writer, signal->total_ml);
        write_total(&writer, 0);
        write_time(&writer, signal->occurred_at_us ? signal->occurred_at_us : environment->now_us);
        writer_u8(&writer, status);
        writer_u8(&writer, 0);
    } else if (signal->kind == SIGNAL_LOW_BATTERY) {
        outgoing.control = CONTROL_VALVE_ANSWER;
        outgoing.data_id = DATA_VALVE;
        writer_u8(&writer, status | (vendor ? 0x20 : 0x04));
        writer_u8(&writer, 0);
    } else if (signal->kind == SIGNAL_HEARTBEAT) {
        outgoing.control = CONTROL_ADDRESS_ANSWER;
        outgoing.data_id = DATA_ADDRESS;
    } else {
        return false;
    }
    outgoing.data = writer_view(&writer);
    return write_frame(out, signal->identity, session, &outgoing);
}

/* To locate a meter is to read it. Its valve is nobody's business here. */
static bool cjt188_command(const struct command *command, struct codec_session *session,
                           const struct codec_environment *environment, struct writer *topic,
                           struct writer *out)
{
    const struct outgoing read = {.control = CONTROL_READ, .data_id = DATA_CURRENT};

    (void)environment, (void)topic;
    return command->kind == COMMAND_LOCATE && write_frame(out, session->identity, session, &read);
}

static enum command_answer cjt188_command_answer(const struct message *message,
                                                 const struct command *command, uint16_t serial,
                                                 struct writer *text)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes body = plain(message, memory);
    struct frame_fields fields;
    size_t skip, size;

    (void)command, (void)serial;
    if (cjt188_split(body, &skip, &size) != FRAME_READY ||
        !parse(bytes_part(body, skip, size), &fields) || fields.control != CONTROL_ANSWER ||
        fields.data_id != DATA_CURRENT)
        return COMMAND_UNANSWERED;
    writer_text(text, "reading");
    return COMMAND_DONE;
}

/* Nothing is owed: a meter answers, or it reports without waiting. */
static void cjt188_reply(const struct message *message, struct codec_session *session,
                         const struct codec_environment *environment, enum verdict verdict,
                         struct writer *topic, struct writer *out)
{
    (void)message, (void)session, (void)environment, (void)verdict, (void)topic, (void)out;
}

static const char *const topics[] = {"onekey/v1/meter/+/up/cjt188", NULL};

const struct codec cjt188_codec = {
    .name = "cjt188",
    .topics = topics,
    .frame_max = FRAME_MAX,
    .recognise = cjt188_recognise,
    .split = cjt188_split,
    .decode = cjt188_decode,
    .reply = cjt188_reply,
    .compose = cjt188_compose,
    .command = cjt188_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE),
    .command_answer = cjt188_command_answer,
};
