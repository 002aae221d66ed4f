/* JT/T 808 frames from hex, and what the gateway makes of them. Invented terminals: phones that
 * begin with 199 0000. */
#ifndef ONEKEY_TESTS_UNIT_JT808_FRAMES_H
#define ONEKEY_TESTS_UNIT_JT808_FRAMES_H

#include "tests/support/drive.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PHONE "019900000042"
/* 30.5 N 104.25 E, 2026-01-02 11:04:05 in China. */
#define PLACE(status)                                                                              \
    status "01d164a00636ba90"                                                                      \
           "000000000000"                                                                          \
           "260102110405"
#define AT_US INT64_C(1767323045000000)

extern const struct codec jt808_codec;

static struct outcome outcome;
static uint8_t stream[4096];
static struct writer input;

static inline void begin(void)
{
    input = writer_into(stream, sizeof(stream));
}

/* Adds the frame of these hex bytes, header and body, with delimiters, checksum and escapes. */
static inline void add(const char *hex)
{
    uint8_t raw[1024], sum = 0;
    size_t size;

    assert_true(bytes_parse_hex_string(bytes_of(hex), raw, sizeof(raw) - 1, &size));
    for (size_t i = 0; i < size; i++)
        sum ^= raw[i];
    raw[size++] = sum;
    writer_u8(&input, 0x7E);
    for (size_t i = 0; i < size; i++) {
        if (raw[i] == 0x7E || raw[i] == 0x7D) {
            writer_u8(&input, 0x7D);
            writer_u8(&input, raw[i] == 0x7E ? 2 : 1);
        } else {
            writer_u8(&input, raw[i]);
        }
    }
    writer_u8(&input, 0x7E);
}

static inline void add_message(unsigned id, unsigned serial, const char *body)
{
    char hex[2048];

    snprintf(hex, sizeof(hex), "%04x%04zx" PHONE "%04x%s", id, strlen(body) / 2, serial, body);
    add(hex);
}

static inline const struct signal *take_with(const struct codec_environment *environment)
{
    struct message message = {.body = writer_view(&input)};

    drive(&jt808_codec, &message, 0, environment, &outcome);
    return &outcome.signals[0];
}

static inline const struct signal *take(void)
{
    struct codec_environment environment = drive_environment();

    return take_with(&environment);
}

static inline const struct signal *take_one(unsigned id, const char *body)
{
    begin();
    add_message(id, 7, body);
    return take();
}

/* The replies are the frames of these hex bytes. */
static inline void replied(const char *first, const char *second)
{
    begin();
    if (first)
        add(first);
    if (second)
        add(second);
    assert_int_equal(outcome.reply_size, input.size);
    assert_memory_equal(outcome.reply, stream, input.size);
}

#endif
