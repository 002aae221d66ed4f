/* SIA DC-09 against frames that panels, and the software of others, sent. */
#include "daemon/edge/cipher.h"
#include "protocol/sia_dc09_text.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct kind_of {
    const char *code;
    uint8_t kind;
} kinds[] = {
    {"100", SIGNAL_PANIC},       {"101", SIGNAL_PANIC},    {"120", SIGNAL_PANIC},
    {"302", SIGNAL_LOW_BATTERY}, {"401", SIGNAL_LIFE},     {"407", SIGNAL_HEARTBEAT},
    {"BA", SIGNAL_PANIC},        {"CL", SIGNAL_LIFE},      {"FA", SIGNAL_PANIC},
    {"MA", SIGNAL_PANIC},        {"OP", SIGNAL_LIFE},      {"PA", SIGNAL_PANIC},
    {"QA", SIGNAL_PANIC},        {"RP", SIGNAL_HEARTBEAT}, {"RR", SIGNAL_HEARTBEAT},
    {"WA", SIGNAL_LEAK},         {"XC", SIGNAL_PANIC},     {"YT", SIGNAL_LOW_BATTERY},
};

static const struct vector_difference differences[] = {
    {"tests/test_sia_package_cases.py:158",
     "the peer refuses its broken time; length and checksum end it before, and we take the fire"},
    {"TypeScript API test (body only)", "a body without checksum and length is no frame"},
    {NULL, NULL},
};

static bool differ(char *why, size_t why_size, const char *what, const char *expected,
                   const char *actual)
{
    snprintf(why, why_size, "%s is %s, expected %s", what, actual, expected);
    return false;
}

static const char *key_of(const struct vector *vector)
{
    const char *key = vector_text(vector->line, "key");

    return key ? key : vector_text(vector->derived, "key");
}

static size_t find_secret(const void *secrets, const char *identity, uint8_t out[64])
{
    const char *key = secrets;

    (void)identity;
    if (key)
        memcpy(out, key, strlen(key));
    return key ? strlen(key) : 0;
}

/* The receiver's clock is that of the frame. */
static struct codec_environment environment(const struct vector *vector)
{
    struct codec_environment environment = drive_environment();
    const char *time = vector_text(vector->derived, "timestamp");

    if (time)
        sia_dc09_text_parse_time(bytes_of(time), &environment.now_us);
    environment.cipher = &openssl_cipher;
    environment.find_secret = find_secret;
    environment.secrets = key_of(vector);
    environment.time_window_before_s = 40;
    environment.time_window_after_s = 20;
    return environment;
}

/* Sound ones without LF and CR, so that the length must end them; others with both. */
static size_t wire(const struct vector *vector, uint8_t *out, size_t out_size)
{
    struct bytes frame = vector->frame;
    struct writer writer = writer_into(out, out_size);

    if (frame.size && frame.data[0] == '\n')
        frame = bytes_part(frame, 1, frame.size);
    if (frame.size && frame.data[frame.size - 1] == '\r')
        frame.size--;
    if (!vector->wire_ok)
        writer_u8(&writer, '\n');
    writer_bytes(&writer, frame);
    if (!vector->wire_ok)
        writer_u8(&writer, '\r');
    return writer.size;
}

static bool reply_has(const struct outcome *outcome, const char *text)
{
    return outcome->reply_size &&
           memmem(outcome->reply, outcome->reply_size, text, strlen(text)) != NULL;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* ACK with the request's sequence, receiver, line and account; byte for byte where the receiver of
 * others answered too. */
static bool acknowledged(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    const json_t *derived = vector->derived;
    const char *ack = vector_text(json_object_get(vector->line, "oracle_iobroker_sia"), "ack");
    bool encrypted = vector_true(derived, "encrypted");
    char expected[128];

    snprintf(expected, sizeof(expected), "\"%sACK\"%s%s%s#%s[%s", encrypted ? "*" : "",
             vector_text(derived, "seq"), or_empty(vector_text(derived, "receiver")),
             vector_text(derived, "line"), vector_text(derived, "account"), encrypted ? "" : "]\r");
    if (!reply_has(outcome, expected))
        return differ(why, why_size, "reply", expected, "another");
    if (ack && !encrypted &&
        (outcome->reply_size != strlen(ack) || memcmp(outcome->reply, ack, strlen(ack)) != 0))
        return differ(why, why_size, "reply", ack, "another");
    return true;
}

static bool event_agrees(const struct vector *vector, const struct signal *signal, char *why,
                         size_t why_size)
{
    const json_t *cid = json_object_get(vector->derived, "cid");
    const char *code =
        vector_text(cid ? cid : json_object_get(vector->derived, "sia"), cid ? "event" : "code");
    const char *time = vector_text(vector->derived, "timestamp");
    char text[32];
    struct writer writer = writer_into(text, sizeof(text) - 1);
    uint8_t kind = SIGNAL_NONE;

    for (size_t i = 0; code && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].code, code) == 0)
            kind = kinds[i].kind;
    if (strcmp(vector_text(vector->derived, "id"), "NULL") == 0)
        kind = SIGNAL_HEARTBEAT;
    if (signal->kind != kind)
        return differ(why, why_size, "kind", signal_kind_name(kind),
                      signal_kind_name(signal->kind));
    if (code && strncmp(signal->code + (cid ? 1 : 0), code, strlen(code)) != 0)
        return differ(why, why_size, "code", code, signal->code);
    sia_dc09_text_write_time(&writer, signal->occurred_at_us);
    text[writer.size] = '\0';
    if (time ? strcmp(time, text) != 0 : signal->occurred_at_us != 0)
        return differ(why, why_size, "time", or_empty(time), text);
    return true;
}

static bool refused_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                           size_t why_size)
{
    const struct signal *signal = &outcome->signals[0];
    bool is_null = strcmp(vector_text(vector->derived, "id"), "NULL") == 0;

    if (bytes_starts_with(vector->frame, "\n0101")) /* a Galaxy's, for which that is right */
        return (outcome->reply_size == 4 && signal->kind != SIGNAL_UNREADABLE) ||
               differ(why, why_size, "reply to a Galaxy", "ACK", "another");
    if (outcome->reply_size)
        return differ(why, why_size, "reply to a wrong checksum", "none", "there");
    if (is_null)
        return outcome->signal_count == 0 || differ(why, why_size, "signal", "none", "there");
    return (signal->kind == SIGNAL_UNREADABLE && signal->flags & SIGNAL_FLAG_CHECKSUM_WRONG) ||
           differ(why, why_size, "kind", "unreadable", signal_kind_name(signal->kind));
}

static bool lost_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                        size_t why_size)
{
    const struct signal *signal = &outcome->signals[0];
    bool is_null = strcmp(vector_text(vector->derived, "id"), "NULL") == 0;

    if (signal->kind != (is_null ? SIGNAL_HEARTBEAT : SIGNAL_UNREADABLE) ||
        !(signal->flags & SIGNAL_FLAG_SECRET_LOST))
        return differ(why, why_size, "kind", "unreadable", signal_kind_name(signal->kind));
    return reply_has(outcome, "\"NAK\"0000R0L0A0[]_") || differ(why, why_size, "reply", "NAK", "");
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const json_t *derived = vector->derived;
    const struct signal *signal = &outcome->signals[0];
    const char *account = vector_text(derived, "account"), *id = vector_text(derived, "id");

    if (!id)
        return outcome->signal_count == 0 && strstr(vector->source, "body only") == NULL;
    if (strcmp(id, "NAK") == 0)
        return outcome->signal_count == 0 && outcome->reply_size == 0;
    if (!vector_true(derived, "crc_ok"))
        return refused_agrees(vector, outcome, why, why_size);
    if (outcome->signal_count != 1)
        return differ(why, why_size, "signals", "one", "another number");
    if (strcmp(signal->identity, account) != 0)
        return differ(why, why_size, "identity", account, signal->identity);
    if (vector_true(derived, "encrypted") && !key_of(vector))
        return lost_agrees(vector, outcome, why, why_size);
    if (!(signal->flags & SIGNAL_FLAG_LENGTH_WRONG) != vector_true(derived, "len_ok"))
        return differ(why, why_size, "length", "flagged as derived", "otherwise");
    if (signal->flags & ~(uint32_t)(SIGNAL_FLAG_LENGTH_WRONG | SIGNAL_FLAG_UNKNOWN_CODE))
        return differ(why, why_size, "flags", "none", "some");
    return event_agrees(vector, signal, why, why_size) &&
           acknowledged(vector, outcome, why, why_size);
}

static void test_sia_dc09_vectors(void **state)
{
    const struct vector_file file = {.file = "sia_dc09.jsonl",
                                     .codec = "sia_dc09",
                                     .agrees = agrees,
                                     .differences = differences,
                                     .environment = environment,
                                     .wire = wire};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sia_dc09_vectors)};

    return cmocka_run_group_tests_name("sia_dc09_vectors", tests, NULL, NULL);
}
