#include "tests/support/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 64

static void must(bool holds, const struct codec *codec, const char *promise)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s\n", codec->name, promise);
    abort();
}

struct codec_environment drive_environment(void)
{
    return (struct codec_environment){.now_us = INT64_C(1780000000000000), .number = 812};
}

static void digest(struct outcome *out, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        out->digest = (out->digest ^ bytes.data[i]) * UINT64_C(1099511628211);
    out->digest = (out->digest ^ bytes.size) * UINT64_C(1099511628211);
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_signal(const struct codec *codec, const struct signal *signal)
{
    must(signal->kind > SIGNAL_NONE && signal->kind < SIGNAL_KIND_COUNT, codec, "kind is none");
    must(signal->kind < SIGNAL_SILENCE || signal->kind > SIGNAL_CARE_CALL, codec,
         "a kind that only the gateway may decide");
    must(signal->service < SERVICE_KIND_COUNT && signal->device < DEVICE_KIND_COUNT, codec,
         "service or device out of range");
    must(is_text(signal->identity, sizeof(signal->identity)) &&
             is_text(signal->message_id, sizeof(signal->message_id)) &&
             is_text(signal->code, sizeof(signal->code)),
         codec, "a text without its end");
}

static void reply_to(const struct codec *codec, const struct message *message,
                     struct codec_session *session, const struct codec_environment *environment,
                     struct outcome *out)
{
    uint8_t body[REPLY_MAX], topic[512];
    struct writer body_writer = writer_into(body, sizeof(body));
    struct writer topic_writer = writer_into(topic, sizeof(topic));

    codec->reply(message, session, environment, VERDICT_ACCEPTED, &topic_writer, &body_writer);
    must(!body_writer.overflow, codec, "a reply beyond REPLY_MAX");
    if (topic_writer.overflow || out->reply_size + body_writer.size > sizeof(out->reply) ||
        out->topic_size + topic_writer.size > sizeof(out->topic))
        return;
    memcpy(out->reply + out->reply_size, body, body_writer.size);
    out->reply_size += body_writer.size;
    memcpy(out->topic + out->topic_size, topic, topic_writer.size);
    out->topic_size += topic_writer.size;
}

/* What the device says is held against every command that it may have been given. */
static void hold_against_commands(const struct codec *codec, const struct message *message)
{
    for (int kind = COMMAND_LOCATE; codec->command_answer && kind <= COMMAND_ACKNOWLEDGE; kind++) {
        const struct command command = {.kind = (enum command_kind)kind, .value = 1, .id = 17};
        uint8_t memory[120];
        struct writer text = writer_into(memory, sizeof(memory));
        enum command_answer answer = codec->command_answer(message, &command, 1, &text);

        must(answer >= COMMAND_UNANSWERED && answer <= COMMAND_REFUSED, codec, "no such answer");
        must(answer != COMMAND_UNANSWERED || text.size == 0, codec, "a text of no answer");
    }
}

static void take_frame(const struct codec *codec, const struct message *message,
                       struct codec_session *session, const struct codec_environment *environment,
                       struct outcome *out)
{
    struct signal signals[DECODE_SIGNALS_MAX];
    int count = codec->decode(message, session, environment, signals, DECODE_SIGNALS_MAX);

    must(count == DECODE_BAD || (count >= 1 && count <= DECODE_SIGNALS_MAX), codec,
         "decode returns neither signals nor DECODE_BAD");
    must(is_text(session->identity, sizeof(session->identity)), codec, "session without identity");
    if (out->frames++ == 0)
        out->first_size = message->body.size;
    digest(out, message->body);
    if (count == DECODE_BAD)
        out->bad_frames++;
    for (int i = 0; i < count; i++) {
        check_signal(codec, &signals[i]);
        if (out->signal_count < OUTCOME_SIGNALS_MAX)
            out->signals[out->signal_count] = signals[i];
        out->signal_count++;
    }
    hold_against_commands(codec, message);
    if (count != DECODE_BAD)
        reply_to(codec, message, session, environment, out);
}

static void take_stream(const struct codec *codec, struct bytes input, size_t chunk,
                        const struct codec_environment *environment, struct outcome *out)
{
    struct codec_session session = {0};
    size_t taken = 0, arrived = chunk && chunk < input.size ? chunk : input.size;

    while (taken < input.size) {
        struct bytes waiting = bytes_part(input, taken, arrived - taken);
        size_t skip = 0, size = 0;
        enum frame frame = codec->split(waiting, &skip, &size);

        must(skip <= waiting.size, codec, "split skips more than there is");
        taken += skip;
        if (frame == FRAME_READY) {
            must(size > 0 && size <= waiting.size - skip && size <= codec->frame_max, codec,
                 "split finds a frame outside the input or beyond frame_max");

            struct message message = {.body = bytes_part(waiting, skip, size)};

            take_frame(codec, &message, &session, environment, out);
            taken += size;
        } else if (frame == FRAME_BAD) {
            must(skip > 0, codec, "FRAME_BAD without a skip");
        } else {
            must(waiting.size - skip < codec->frame_max, codec, "split waits beyond frame_max");
            if (arrived == input.size)
                break;
            arrived = chunk < input.size - arrived ? arrived + chunk : input.size;
        }
    }
}

/* Whose bytes these are is said once: more of them change no answer but MORE. */
static void recognise(const struct codec *codec, struct bytes input)
{
    enum frame before = FRAME_MORE;

    for (size_t size = 0; codec->recognise && size <= input.size && size <= FIRST_BYTES; size++) {
        enum frame now = codec->recognise(bytes_part(input, 0, size));

        must(before == FRAME_MORE || now == before, codec, "recognise thinks better of it");
        before = now;
    }
}

void drive(const struct codec *codec, const struct message *input, size_t chunk,
           const struct codec_environment *environment, struct outcome *out)
{
    /* A copy of exactly this size, so that a sanitizer sees a read behind the end. */
    uint8_t *copy = malloc(input->body.size ? input->body.size : 1);
    struct message message = {input->topic, {copy, input->body.size}};
    struct codec_session session = {0};

    must(copy != NULL, codec, "no memory");
    if (input->body.size)
        memcpy(copy, input->body.data, input->body.size);
    *out = (struct outcome){0};
    recognise(codec, message.body);
    if (codec->split && input->topic.size == 0)
        take_stream(codec, message.body, chunk, environment, out);
    else
        take_frame(codec, &message, &session, environment, out);
    free(copy);
}

bool drive_same(const struct outcome *a, const struct outcome *b)
{
    size_t kept = a->signal_count < OUTCOME_SIGNALS_MAX ? a->signal_count : OUTCOME_SIGNALS_MAX;

    return a->frames == b->frames && a->digest == b->digest && a->signal_count == b->signal_count &&
           a->reply_size == b->reply_size && memcmp(a->reply, b->reply, a->reply_size) == 0 &&
           memcmp(a->signals, b->signals, kept * sizeof(a->signals[0])) == 0;
}

size_t drive_alarms(const struct outcome *outcome)
{
    size_t alarms = 0;

    for (size_t i = 0; i < outcome->signal_count && i < OUTCOME_SIGNALS_MAX; i++)
        alarms += signal_is_alarm(outcome->signals[i].kind);
    return alarms;
}
