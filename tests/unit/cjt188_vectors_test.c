/* CJ/T 188 against frames from the field and from manuals. */
#include "protocol/calendar.h"
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

/* "2015-05-11 22:01:31" in the time of China, 0 if the line has none. */
static int64_t time_of(const struct vector *vector)
{
    const char *text = vector_text(vector->expect, "time");
    char stamp[32];
    int64_t us;

    snprintf(stamp, sizeof(stamp), "%s+08:00", text ? text : "");
    return calendar_parse_rfc3339(bytes_of(stamp), &us) ? us : 0;
}

/* The day on which the frame was sent, where that is known. */
static struct codec_environment environment_of(const struct vector *vector)
{
    struct codec_environment environment = drive_environment();

    if (time_of(vector))
        environment.now_us = time_of(vector) + CALENDAR_SECOND_US;
    return environment;
}

static bool reading_agrees(const struct vector *vector, const struct signal *signal, char *why,
                           size_t why_size)
{
    const json_t *current = json_object_get(vector->derived, "current");
    double value = json_number_value(json_object_get(current, "value"));
    bool litres = strcmp(vector_text(current, "unit"), "L") == 0;
    int64_t total_ml = (int64_t)(value * (litres ? 1000 : 1000000) + 0.5);
    bool is_closed = strcmp(vector_text(vector->derived, "valve"), "closed") == 0;

    if (signal->kind != SIGNAL_READING || signal->total_ml != total_ml)
        return differ(why, why_size, "total", total_ml, signal->total_ml);
    if (is_closed != ((signal->flags & SIGNAL_FLAG_VALVE_CLOSED) != 0))
        return differ(why, why_size, "valve closed", is_closed, (int64_t)signal->flags);
    return !time_of(vector) || signal->occurred_at_us == time_of(vector) ||
           differ(why, why_size, "time", time_of(vector), signal->occurred_at_us);
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const char *identity = vector_text(vector->derived, "address");
    uint64_t control;

    bytes_parse_hex(bytes_of(vector_text(vector->derived, "ctrl") + 2), &control);
    if (!(control & 0x80) || !vector_true(vector->derived, "cs_ok"))
        return outcome->bad_frames == 1 || differ(why, why_size, "refused", 1, 0);
    if (outcome->signal_count != 1)
        return differ(why, why_size, "signals", 1, (int64_t)outcome->signal_count);
    if (strcmp(outcome->signals[0].identity, identity) != 0) {
        snprintf(why, why_size, "identity is %s, expected %s", outcome->signals[0].identity,
                 identity);
        return false;
    }
    if (control == 0xA1)
        return outcome->signals[0].kind == SIGNAL_READING ||
               differ(why, why_size, "kind", SIGNAL_READING, outcome->signals[0].kind);
    return !json_object_get(vector->derived, "current") ||
           reading_agrees(vector, &outcome->signals[0], why, why_size);
}

static void test_cjt188_vectors(void **state)
{
    const struct vector_file file = {
        .file = "cjt188.jsonl", .codec = "cjt188", .agrees = agrees, .environment = environment_of};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cjt188_vectors)};

    return cmocka_run_group_tests_name("cjt188_vectors", tests, NULL, NULL);
}
