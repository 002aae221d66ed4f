/*
 * Puts bytes through a codec as the gateway does (split, decode, reply) and holds it to the promises
 * of codec.h on the way: a broken one aborts, in a unit test and under a fuzzer alike.
 */
#ifndef ONEKEY_TESTS_SUPPORT_DRIVE_H
#define ONEKEY_TESTS_SUPPORT_DRIVE_H

#include "protocol/codec.h"

#define OUTCOME_SIGNALS_MAX 256

struct outcome {
    struct signal signals[OUTCOME_SIGNALS_MAX]; /* of all frames, in order */
    size_t signal_count;                        /* may exceed what is kept */
    size_t frames, bad_frames;                  /* cut off; of them not readable */
    size_t first_size;                          /* of the first frame */
    uint64_t digest;                            /* over the cut frames and where they end */
    size_t reply_size, topic_size;
    uint8_t reply[4096], topic[1024]; /* all replies, one after another */
};

/* An empty environment at a fixed time in 2026, record number 812. */
struct codec_environment drive_environment(void);
/* One MQTT message, or a stream (codec->split) of which `chunk` bytes arrive at a time, 0 = all at
 * once. The session starts zeroed. */
void drive(const struct codec *codec, const struct message *input, size_t chunk,
           const struct codec_environment *environment, struct outcome *out);
/* Same frames, signals and replies? */
bool drive_same(const struct outcome *a, const struct outcome *b);
/* Signals of the alarm class among those kept. */
size_t drive_alarms(const struct outcome *outcome);

#endif
