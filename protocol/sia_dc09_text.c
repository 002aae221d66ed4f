#include "protocol/sia_dc09_text.h"

#include "protocol/calendar.h"

#include <string.h>

#define BLOCK 16
#define TIME_SIZE 19

bool sia_dc09_text_parse_time(struct bytes text, int64_t *us)
{
    static const char pattern[TIME_SIZE + 1] = "00:00:00,00-00-0000";
    int64_t number[6] = {0};

    if (text.size != TIME_SIZE)
        return false;
    for (size_t i = 0, field = 0; i < TIME_SIZE; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';

        if (pattern[i] == '0' ? !is_digit : text.data[i] != (uint8_t)pattern[i])
            return false;
        if (is_digit)
            number[field] = number[field] * 10 + (text.data[i] - '0');
        else
            field++;
    }

    struct civil civil = {.hour = (int)number[0],
                          .minute = (int)number[1],
                          .second = (int)number[2],
                          .month = (int)number[3],
                          .day = (int)number[4],
                          .year = (int)number[5]};

    return calendar_from_civil(&civil, us);
}

void sia_dc09_text_write_time(struct writer *out, int64_t us)
{
    struct civil civil = calendar_to_civil(us);

    writer_decimal_padded(out, (uint64_t)civil.hour, 2);
    writer_u8(out, ':');
    writer_decimal_padded(out, (uint64_t)civil.minute, 2);
    writer_u8(out, ':');
    writer_decimal_padded(out, (uint64_t)civil.second, 2);
    writer_u8(out, ',');
    writer_decimal_padded(out, (uint64_t)civil.month, 2);
    writer_u8(out, '-');
    writer_decimal_padded(out, (uint64_t)civil.day, 2);
    writer_u8(out, '-');
    writer_decimal_padded(out, (uint64_t)civil.year, 4);
}

/* Divides what follows the `[`, or the padding. */
static void divide(struct bytes plain, struct sia_dc09_text *text)
{
    struct bytes rest = bytes_part(plain, bytes_find(plain, ']') + 1, plain.size);
    struct bytes extensions = rest;

    text->data = bytes_part(plain, 0, bytes_find(plain, ']'));
    while (rest.size && rest.data[0] == '[')
        rest = bytes_part(rest, bytes_find(rest, ']') + 1, rest.size);
    text->extensions = bytes_part(extensions, 0, extensions.size - rest.size);
    text->has_stamp = rest.size && rest.data[0] == '_';
    text->stamped_us = 0;
    if (text->has_stamp)
        sia_dc09_text_parse_time(bytes_part(rest, 1, rest.size), &text->stamped_us);
}

/* What follows the padding: it ends at the first bar; one maker forgets the bar. */
static struct bytes strip_padding(struct bytes plain)
{
    size_t bar = bytes_find(plain, '|');
    size_t close = bytes_find(plain, ']'), event = bytes_find(plain, 'N');

    if (bar < plain.size)
        return bytes_part(plain, bar + 1, plain.size);
    return bytes_part(plain, event < close ? event : close, plain.size);
}

/* Some cipher libraries also pad behind, with as many bytes as each of them says; the text itself
 * ends with a digit. */
static struct bytes strip_trailer(struct bytes plain)
{
    uint8_t count = plain.data[plain.size - 1];

    for (size_t i = 1; i <= count; i++)
        if (count > BLOCK || plain.data[plain.size - i] != count)
            return plain;
    return bytes_part(plain, 0, plain.size - count);
}

static bool decrypt(struct bytes hex, const struct sia_dc09_key *key, const struct cipher *cipher,
                    struct sia_dc09_text *text)
{
    const uint8_t start[BLOCK] = {0};
    size_t size;

    if (!bytes_parse_hex_string(hex, text->memory, sizeof(text->memory), &size) || size == 0 ||
        size % BLOCK != 0)
        return false;

    struct bytes in = {text->memory, size};

    if (!cipher->aes_cbc(false, (struct bytes){key->bytes, key->size}, start, in, text->memory))
        return false;
    divide(strip_padding(strip_trailer(in)), text);
    return text->stamped_us != 0;
}

/* The keys that a device's secret may stand for, the likelier first; returns how many. */
static int find_keys(const char *identity, const struct codec_environment *environment,
                     struct sia_dc09_key keys[2])
{
    uint8_t secret[64];
    size_t size = environment->find_secret
                      ? environment->find_secret(environment->secrets, identity, secret)
                      : 0;
    int count = 0;

    if ((size == 32 || size == 48 || size == 64) &&
        bytes_parse_hex_string((struct bytes){secret, size}, keys[0].bytes, sizeof(keys[0].bytes),
                               &keys[0].size))
        count++;
    if (size == 16 || size == 24 || size == 32) {
        memcpy(keys[count].bytes, secret, size);
        keys[count++].size = size;
    }
    return count;
}

void sia_dc09_text_open(const struct sia_dc09_frame *frame, const char *identity,
                        const struct codec_environment *environment, struct sia_dc09_text *text)
{
    struct sia_dc09_key keys[2];

    text->is_lost = false;
    text->key.size = 0;
    if (!frame->is_encrypted) {
        divide(frame->content, text);
        return;
    }

    int count = environment->cipher ? find_keys(identity, environment, keys) : 0;

    for (int i = 0; i < count; i++) {
        if (decrypt(frame->content, &keys[i], environment->cipher, text)) {
            text->key = keys[i];
            return;
        }
    }
    text->is_lost = true;
    text->data = text->extensions = (struct bytes){NULL, 0};
    text->has_stamp = false;
    text->stamped_us = 0;
}

struct sia_dc09_key sia_dc09_text_find_key(const char *identity,
                                           const struct codec_environment *environment)
{
    struct sia_dc09_key keys[2] = {{.size = 0}};

    find_keys(identity, environment, keys);
    return keys[0];
}

bool sia_dc09_text_encrypt(struct bytes plain, const struct sia_dc09_key *key,
                           const struct cipher *cipher, struct writer *out)
{
    const uint8_t start[BLOCK] = {0};
    uint8_t memory[SIA_DC09_TEXT_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    for (size_t pad = BLOCK - (plain.size + 1) % BLOCK; pad > 0; pad--)
        writer_u8(&writer, '0');
    writer_u8(&writer, '|');
    writer_bytes(&writer, plain);
    if (!cipher || writer.overflow ||
        !cipher->aes_cbc(true, (struct bytes){key->bytes, key->size}, start, writer_view(&writer),
                         memory))
        return false;
    for (size_t i = 0; i < writer.size; i++)
        writer_hex(out, memory[i], 2);
    return true;
}
