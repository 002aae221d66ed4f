#include "protocol/jt808_frame.h"

#include "protocol/checksum.h"

#include <string.h>

#define DELIMITER 0x7E
#define ESCAPE 0x7D
#define ATTRIBUTE_LENGTH 0x03FF
#define ATTRIBUTE_ENCRYPTION 0x1C00
#define ATTRIBUTE_PARTS 0x2000
#define ATTRIBUTE_2019 0x4000
#define PHONE_SIZE 6
#define PHONE_SIZE_2019 10
#define VERSION_2019 1

enum frame jt808_frame_split(struct bytes input, size_t *skip, size_t *size)
{
    size_t start = 0, end;

    while (start + 1 < input.size && input.data[start] == DELIMITER &&
           input.data[start + 1] == DELIMITER)
        start++;
    input = bytes_part(input, start, JT808_FRAME_MAX);
    *skip = start;
    /* From 1 on: the opening delimiter, or the first byte of a frame that lost it. */
    end = 1 + bytes_find(bytes_part(input, 1, input.size), DELIMITER);
    if (input.size > 0 && end < input.size) {
        *size = end + 1;
        return FRAME_READY;
    }
    if (input.size < JT808_FRAME_MAX)
        return FRAME_MORE;
    *skip += JT808_FRAME_MAX;
    return FRAME_BAD;
}

/* An escape that means nothing stays as it is: it shows in the checksum. */
static struct bytes unescape(struct bytes input, uint8_t *memory)
{
    size_t size = 0;

    if (input.size && input.data[0] == DELIMITER)
        input = bytes_part(input, 1, input.size);
    if (input.size && input.data[input.size - 1] == DELIMITER)
        input.size--;
    for (size_t i = 0; i < input.size; i++) {
        uint8_t byte = input.data[i], next = i + 1 < input.size ? input.data[i + 1] : 0;

        if (byte == ESCAPE && (next == 1 || next == 2)) {
            byte = next == 1 ? ESCAPE : DELIMITER;
            i++;
        }
        memory[size++] = byte;
    }
    return (struct bytes){memory, size};
}

bool jt808_frame_read(struct bytes input, uint8_t *memory, struct jt808_frame *frame)
{
    struct bytes raw = unescape(bytes_part(input, 0, JT808_FRAME_MAX), memory);
    struct cursor cursor = cursor_over(bytes_part(raw, 0, raw.size ? raw.size - 1 : 0));
    uint16_t attributes;

    *frame = (struct jt808_frame){.id = cursor_u16_be(&cursor)};
    attributes = cursor_u16_be(&cursor);
    frame->is_2019 = attributes & ATTRIBUTE_2019;
    frame->encrypted = attributes & ATTRIBUTE_ENCRYPTION;
    if (frame->is_2019)
        cursor_u8(&cursor);
    frame->phone = cursor_take(&cursor, frame->is_2019 ? PHONE_SIZE_2019 : PHONE_SIZE);
    frame->serial = cursor_u16_be(&cursor);
    if (attributes & ATTRIBUTE_PARTS) {
        frame->total = cursor_u16_be(&cursor);
        frame->part = cursor_u16_be(&cursor);
        if (frame->total <= 1 || frame->part == 0)
            frame->total = frame->part = 0;
    }
    frame->body = cursor.rest;
    frame->checksum_wrong = checksum_xor(raw) != 0;
    frame->length_wrong = frame->body.size != (attributes & ATTRIBUTE_LENGTH);
    return !cursor.failed;
}

void jt808_frame_identity(struct bytes phone, char out[IDENTITY_LIMIT + 1])
{
    char text[2 * PHONE_SIZE_2019 + 1];
    struct writer writer = writer_into(text, sizeof(text));
    struct bytes digits;

    for (size_t i = 0; i < phone.size; i++)
        writer_hex(&writer, phone.data[i], 2);
    digits = writer_view(&writer);
    while (digits.size > 1 && digits.data[0] == '0')
        digits = bytes_part(digits, 1, digits.size);
    bytes_copy_text(digits, out, IDENTITY_LIMIT + 1);
}

static void write_escaped(struct writer *out, struct bytes raw)
{
    writer_u8(out, DELIMITER);
    for (size_t i = 0; i < raw.size; i++) {
        bool special = raw.data[i] == DELIMITER || raw.data[i] == ESCAPE;

        writer_u8(out, special ? ESCAPE : raw.data[i]);
        if (special)
            writer_u8(out, raw.data[i] == ESCAPE ? 1 : 2);
    }
    writer_u8(out, DELIMITER);
}

bool jt808_frame_write(struct writer *out, const struct jt808_frame *frame)
{
    uint8_t raw[REPLY_MAX];
    struct writer writer = writer_into(raw, sizeof(raw));

    writer_u16_be(&writer, frame->id);
    writer_u16_be(&writer, (uint16_t)((frame->body.size & ATTRIBUTE_LENGTH) |
                                      (frame->is_2019 ? ATTRIBUTE_2019 : 0)));
    if (frame->is_2019)
        writer_u8(&writer, VERSION_2019);
    writer_bytes(&writer, frame->phone);
    writer_u16_be(&writer, frame->serial);
    writer_bytes(&writer, frame->body);
    writer_u8(&writer, checksum_xor(writer_view(&writer)));
    if (writer.overflow)
        return false;
    write_escaped(out, writer_view(&writer));
    return !out->overflow;
}
