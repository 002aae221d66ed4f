#include "protocol/bytes.h"

#include <string.h>

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

bool bytes_equal_nocase(struct bytes a, const char *text)
{
    struct bytes b = bytes_of(text);

    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool bytes_starts_with(struct bytes whole, const char *prefix)
{
    struct bytes head = bytes_of(prefix);

    return whole.size >= head.size && bytes_equal(bytes_part(whole, 0, head.size), head);
}

size_t bytes_find(struct bytes whole, uint8_t byte)
{
    const uint8_t *found = whole.size ? memchr(whole.data, byte, whole.size) : NULL;

    return found ? (size_t)(found - whole.data) : whole.size;
}

bool bytes_next_field(struct bytes *rest, uint8_t separator, struct bytes *field)
{
    if (!rest->data)
        return false;

    size_t end = bytes_find(*rest, separator);

    *field = bytes_part(*rest, 0, end);
    if (end == rest->size)
        *rest = (struct bytes){NULL, 0};
    else
        *rest = bytes_part(*rest, end + 1, rest->size);
    return true;
}

struct bytes bytes_trim(struct bytes text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = bytes_part(text, 1, text.size);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

bool bytes_copy_text(struct bytes text, char *out, size_t out_size)
{
    bool whole = text.size < out_size;
    size_t size = whole ? text.size : out_size - 1;

    for (size_t i = 0; i < size; i++) {
        bool printable = text.data[i] >= 0x20 && text.data[i] < 0x7F;

        out[i] = printable ? (char)text.data[i] : '?';
        whole = whole && printable;
    }
    out[size] = '\0';
    return whole;
}

static bool take_sign(struct bytes *text)
{
    if (text->size && (text->data[0] == '-' || text->data[0] == '+')) {
        bool negative = text->data[0] == '-';

        *text = bytes_part(*text, 1, text->size);
        return negative;
    }
    return false;
}

static bool digits_to_number(struct bytes text, int64_t *out)
{
    int64_t value = 0;

    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    }
    *out = value;
    return true;
}

bool bytes_parse_decimal(struct bytes text, int64_t *out)
{
    bool negative = take_sign(&text);

    if (!digits_to_number(text, out))
        return false;
    if (negative)
        *out = -*out;
    return true;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte = lower(byte);
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool bytes_parse_hex(struct bytes text, uint64_t *out)
{
    uint64_t value = 0;

    if (text.size == 0 || text.size > 16)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        int digit = hex_digit(text.data[i]);

        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

bool bytes_parse_fixed(struct bytes text, int digits, int64_t *out)
{
    bool negative = take_sign(&text);
    size_t point = bytes_find(text, '.');
    struct bytes whole = bytes_part(text, 0, point);
    struct bytes fraction = bytes_part(text, point + 1, text.size);
    int64_t value = 0;

    if (whole.size + fraction.size == 0 || (whole.size && !digits_to_number(whole, &value)))
        return false;
    for (size_t i = 0; i < fraction.size; i++)
        if (fraction.data[i] < '0' || fraction.data[i] > '9')
            return false;
    for (size_t i = 0; i < (size_t)digits; i++) {
        int digit = i < fraction.size ? fraction.data[i] - '0' : 0;

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = negative ? -value : value;
    return true;
}

bool bytes_parse_hex_string(struct bytes text, uint8_t *out, size_t out_limit, size_t *out_size)
{
    if (text.size % 2 || text.size / 2 > out_limit)
        return false;
    for (size_t i = 0; i < text.size; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out_size = text.size / 2;
    return true;
}

void cursor_bcd(struct cursor *cursor, size_t size, char *out)
{
    struct bytes taken = cursor_take(cursor, size);

    for (size_t i = 0; i < taken.size; i++) {
        int high = taken.data[i] >> 4, low = taken.data[i] & 15;

        if (high > 9 || low > 9)
            cursor->failed = true;
        *out++ = (char)('0' + high % 10);
        *out++ = (char)('0' + low % 10);
    }
    *out = '\0';
}

void writer_decimal_padded(struct writer *writer, uint64_t value, int width)
{
    uint8_t out[20];

    for (int i = width; i > 0; i--, value /= 10)
        out[i - 1] = (uint8_t)('0' + value % 10);
    writer_bytes(writer, (struct bytes){out, (size_t)width});
}

static int decimal_width(uint64_t value)
{
    int width = 1;

    for (; value >= 10; value /= 10)
        width++;
    return width;
}

void writer_decimal(struct writer *writer, int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    if (value < 0)
        writer_u8(writer, '-');
    writer_decimal_padded(writer, magnitude, decimal_width(magnitude));
}

void writer_hex(struct writer *writer, uint64_t value, int width)
{
    uint8_t out[16];

    for (int i = width; i > 0; i--, value >>= 4)
        out[i - 1] = (uint8_t) "0123456789ABCDEF"[value & 15];
    writer_bytes(writer, (struct bytes){out, (size_t)width});
}

void writer_fixed(struct writer *writer, int64_t value, int digits)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, unit = 1;

    for (int i = 0; i < digits; i++)
        unit *= 10;
    if (value < 0)
        writer_u8(writer, '-');
    writer_decimal_padded(writer, magnitude / unit, decimal_width(magnitude / unit));
    if (digits) {
        writer_u8(writer, '.');
        writer_decimal_padded(writer, magnitude % unit, digits);
    }
}

void writer_bcd(struct writer *writer, const char *digits, size_t size)
{
    size_t count = strlen(digits);

    for (size_t i = 0; i < size; i++) {
        uint8_t byte = 0;

        for (size_t nibble = 0; nibble < 2; nibble++) {
            size_t from_end = 2 * size - (2 * i + nibble);
            uint8_t digit = from_end <= count ? (uint8_t)(digits[count - from_end] - '0') : 0;

            byte = (uint8_t)(byte << 4 | (digit & 15));
        }
        writer_u8(writer, byte);
    }
}
