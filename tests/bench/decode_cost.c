/*
 * What a frame costs each codec of the build: the alarm and the regular report that the codec itself
 * composes, found and decoded in a loop. Prints a line a codec: `NAME_alarm=…` and `NAME_report=…`,
 * nanoseconds a frame of processor time; what a codec cannot say is left out.
 */
#include "protocol/codec.h"
#include "tests/bench/bench.h"

#include <string.h>

#define ENOUGH_NS 1e8 /* of processor time, for one figure */
#define NOW_US INT64_C(1790000000000000)
#define SLICE 1000

struct sample {
    const struct codec *codec;
    uint8_t topic[256], body[REPLY_MAX * 2];
    struct message message;
};

static double used_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static const struct codec_environment *environment(void)
{
    static const struct codec_environment plain = {.now_us = NOW_US};
    return &plain;
}

/* The codec's own frame of such a signal; false if it has none for a device of that name. */
static bool compose_as(struct sample *sample, const char *identity, enum signal_kind kind,
                       enum device_kind device)
{
    struct signal signal = {.kind = (uint8_t)kind,
                            .device = (uint8_t)device,
                            .occurred_at_us = NOW_US,
                            .has = MEASURE_BATTERY,
                            .battery_percent = 80};
    struct codec_session session = {0};
    struct writer topic = writer_into(sample->topic, sizeof(sample->topic));
    struct writer body = writer_into(sample->body, sizeof(sample->body));

    snprintf(signal.identity, sizeof(signal.identity), "%s", identity);

    if (kind == SIGNAL_READING) {
        signal.has |= MEASURE_TOTAL;
        signal.total_ml = 123456000;
    }
    if (!sample->codec->compose ||
        !sample->codec->compose(&signal, &session, environment(), &topic, &body))
        return false;
    sample->message = (struct message){writer_view(&topic), writer_view(&body)};
    return sample->message.body.size > 0;
}

/* Digits, in the numbers that one protocol or another takes for an identity. */
static bool compose(struct sample *sample, enum signal_kind kind, enum device_kind device)
{
    return compose_as(sample, "013800138000", kind, device) ||
           compose_as(sample, "78330138001380", kind, device) ||
           compose_as(sample, "100000000000042", kind, device);
}

static void decode_frame(const struct sample *sample, struct codec_session *session,
                         struct bytes body)
{
    static struct signal signals[DECODE_SIGNALS_MAX];
    struct message message = {sample->message.topic, body};

    if (sample->codec->decode(&message, session, environment(), signals, DECODE_SIGNALS_MAX) < 1)
        fail("decode");
}

/* Returns how many frames it was: some protocols log in first. */
static int decode(const struct sample *sample)
{
    struct codec_session session = {0};
    struct bytes rest = sample->message.body;
    size_t skip = 0, size = 0;
    int frames = 0;

    if (!sample->codec->split || sample->message.topic.size > 0) {
        decode_frame(sample, &session, rest);
        return 1;
    }
    for (; sample->codec->split(rest, &skip, &size) == FRAME_READY; frames++) {
        decode_frame(sample, &session, bytes_part(rest, skip, size));
        rest = bytes_part(rest, skip + size, rest.size);
    }
    if (frames == 0)
        fail("split");
    return frames;
}

static void measure(const struct sample *sample, const char *what)
{
    double start_ns = used_ns(), took_ns;
    int count = 0;

    do {
        for (int i = 0; i < SLICE; i++)
            count += decode(sample);
        took_ns = used_ns() - start_ns;
    } while (took_ns < ENOUGH_NS);
    printf("%s_%s=%.0f ", sample->codec->name, what, took_ns / count);
}

int main(void)
{
    static struct sample sample;

    for (int i = 0; i < codec_count; i++) {
        sample.codec = codecs[i];
        if (compose(&sample, SIGNAL_PANIC, DEVICE_CALL_BOX))
            measure(&sample, "alarm");
        if (compose(&sample, SIGNAL_READING, DEVICE_METER) ||
            compose(&sample, SIGNAL_HEARTBEAT, DEVICE_CALL_BOX))
            measure(&sample, "report");
    }
    putchar('\n');
    return 0;
}
