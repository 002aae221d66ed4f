/* GT06 against frames that others recorded. */
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool differ(char *why, size_t why_size, const char *what, int64_t expected, int64_t actual)
{
    snprintf(why, why_size, "%s is %lld, expected %lld", what, (long long)actual,
             (long long)expected);
    return false;
}

/* What the peers call alarms, as ours; SIGNAL_NONE: an affair of vehicles. */
static enum signal_kind kind_of(const char *alarm)
{
    if (strcmp(alarm, "sos") == 0)
        return SIGNAL_PANIC;
    if (strcmp(alarm, "accident") == 0)
        return SIGNAL_FALL;
    if (strcmp(alarm, "removing") == 0 || strcmp(alarm, "tampering") == 0)
        return SIGNAL_TAMPER;
    return SIGNAL_NONE;
}

static bool attribute_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                             size_t why_size)
{
    const char *key = vector_text(vector->expect, "key");
    const char *value = vector_text(vector->expect, "value");
    const char *model = vector_text(vector->expect, "device_model");
    const struct signal *signal = &outcome->signals[0];
    bool is_alarm = key && strcmp(key, "alarm") == 0 && value;

    if (is_alarm && kind_of(value) && signal->kind != kind_of(value))
        return differ(why, why_size, value, kind_of(value), signal->kind);
    if (key && strcmp(key, "batteryLevel") == 0 && signal->has & MEASURE_BATTERY &&
        vector_integer(vector->expect, "value", -1) > 6 &&
        signal->battery_percent != vector_integer(vector->expect, "value", -1))
        return differ(why, why_size, "battery", vector_integer(vector->expect, "value", -1),
                      signal->battery_percent);
    /* No press where the peer sees none, but for codes that one model invented. */
    if (signal->kind == SIGNAL_PANIC && !(is_alarm && kind_of(value) == SIGNAL_PANIC) && !model)
        return differ(why, why_size, "panic", 0, 1);
    return true;
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const char *first = vector_text(vector->expect, "first_frame_hex");
    const char *imei = vector_text(vector->derived, "imei");
    bool checksum_wrong = outcome->signals[0].flags & SIGNAL_FLAG_CHECKSUM_WRONG;

    if (outcome->signal_count == 0 || outcome->bad_frames)
        return differ(why, why_size, "readable frames", 1, (int64_t)outcome->signal_count);
    if (first && outcome->first_size != strlen(first) / 2)
        return differ(why, why_size, "size of the first frame", (int64_t)strlen(first) / 2,
                      (int64_t)outcome->first_size);
    if (imei && strcmp(outcome->signals[0].identity, imei) != 0) {
        snprintf(why, why_size, "identity is %s, expected %s", outcome->signals[0].identity, imei);
        return false;
    }
    if (vector->wire_ok && checksum_wrong)
        return differ(why, why_size, "checksum wrong", 0, 1);
    if (imei && outcome->reply_size != 10)
        return differ(why, why_size, "reply", 10, (int64_t)outcome->reply_size);
    return attribute_agrees(vector, outcome, why, why_size);
}

/* None of these carries an SOS or a fall. */
static const struct vector_difference differences[] = {
    {"Gt06ProtocolDecoderTest.java:270", "taken off, in the modules of 0x70, which we do not read"},
    {"Gt06ProtocolDecoderTest.java:266", "its end is missing"},
    {"Gt06ProtocolDecoderTest.java:538",
     "a log-in without serial and checksum: its length promises "
     "more, so the next frame ends it"},
    {NULL, NULL},
};

static void test_gt06_vectors(void **state)
{
    const struct vector_file file = {
        .file = "gt06.jsonl", .codec = "gt06", .agrees = agrees, .differences = differences};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gt06_vectors)};

    return cmocka_run_group_tests_name("gt06_vectors", tests, NULL, NULL);
}
