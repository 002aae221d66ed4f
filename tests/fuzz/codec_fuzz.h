/*
 * What a fuzz target of a codec does with its input: the promises of codec.h (drive), and for a
 * stream that it does not matter how it arrives.
 */
#ifndef ONEKEY_TESTS_FUZZ_CODEC_FUZZ_H
#define ONEKEY_TESTS_FUZZ_CODEC_FUZZ_H

#include "tests/support/drive.h"

#include <stdlib.h>

/* The target that a *_fuzz.c defines; 0 always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A stream, whole and in chunks of a size that the first byte gives. */
static inline void fuzz_stream(const struct codec *codec, struct bytes input)
{
    static struct outcome whole, parts;
    struct codec_environment environment = drive_environment();
    struct message message = {.body = bytes_part(input, 1, input.size)};

    if (input.size == 0)
        return;
    drive(codec, &message, 0, &environment, &whole);
    drive(codec, &message, 1U + input.data[0], &environment, &parts);
    if (!drive_same(&whole, &parts))
        abort();
}

/* One message: a line with the topic, then the payload. */
static inline void fuzz_message(const struct codec *codec, struct bytes input)
{
    static struct outcome outcome;
    struct codec_environment environment = drive_environment();
    struct bytes rest = input, topic;

    if (!bytes_next_field(&rest, '\n', &topic))
        return;
    drive(codec, &(struct message){topic, rest}, 0, &environment, &outcome);
}

#endif
