/* The watch protocol against frames that real watches sent. */
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

static bool has_kind(const struct outcome *outcome, enum signal_kind kind)
{
    for (size_t i = 0; i < outcome->signal_count; i++)
        if (outcome->signals[i].kind == kind)
            return true;
    return false;
}

static bool position_agrees(const json_t *position, const struct signal *signal, char *why,
                            size_t why_size)
{
    double latitude = json_number_value(json_object_get(position, "lat"));
    double longitude = json_number_value(json_object_get(position, "lon"));
    bool valid = !(signal->flags & SIGNAL_FLAG_NO_POSITION);

    if (!(signal->has & MEASURE_POSITION) ||
        abs(signal->latitude_e7 - (int)(latitude * 1e7)) > 60 ||
        abs(signal->longitude_e7 - (int)(longitude * 1e7)) > 60)
        return differ(why, why_size, "latitude_e7", (int64_t)(latitude * 1e7), signal->latitude_e7);
    if (valid != vector_true(position, "valid"))
        return differ(why, why_size, "fix", vector_true(position, "valid"), valid);
    return true;
}

/* What `derived` says of a position block: battery and every alarm bit. */
static bool block_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    static const uint8_t kinds[32] = {[16] = SIGNAL_PANIC,  [17] = SIGNAL_LOW_BATTERY,
                                      [18] = SIGNAL_WANDER, [19] = SIGNAL_WANDER_RESTORED,
                                      [20] = SIGNAL_TAMPER, [21] = SIGNAL_FALL,
                                      [22] = SIGNAL_FALL};
    const json_t *derived = vector->derived, *bits = json_object_get(derived, "status_bits_set");
    const char *type = vector_text(derived, "type");
    size_t alarms = 0;

    if (outcome->signals[0].battery_percent != vector_integer(derived, "battery_pct", -1))
        return differ(why, why_size, "battery", vector_integer(derived, "battery_pct", -1),
                      outcome->signals[0].battery_percent);
    for (size_t i = 0; i < json_array_size(bits); i++) {
        uint8_t kind = kinds[json_integer_value(json_array_get(bits, i)) & 31];

        alarms += kind != SIGNAL_NONE;
        if (kind && !has_kind(outcome, kind))
            return differ(why, why_size, "missing alarm", kind, outcome->signals[0].kind);
    }
    if (alarms == 0 && strncmp(type, "AL", 2) == 0)
        alarms = has_kind(outcome, SIGNAL_PANIC);
    if (drive_alarms(outcome) != alarms || (strncmp(type, "AL", 2) == 0 && alarms == 0))
        return differ(why, why_size, "alarms", (int64_t)alarms, (int64_t)drive_alarms(outcome));
    if (strcmp(vector_text(derived, "gps_valid"), "A") == 0 &&
        !(outcome->signals[0].has & MEASURE_POSITION))
        return differ(why, why_size, "position", 1, 0);
    return true;
}

static bool keep_alive_agrees(const json_t *fields, const struct signal *signal, char *why,
                              size_t why_size)
{
    int64_t steps = atoll(json_string_value(json_array_get(fields, 0)));
    int64_t battery = atoll(json_string_value(json_array_get(fields, 2)));

    if (signal->steps != steps || !(signal->has & MEASURE_STEPS))
        return differ(why, why_size, "steps", steps, signal->steps);
    if (signal->battery_percent != battery || !(signal->has & MEASURE_BATTERY))
        return differ(why, why_size, "battery", battery, signal->battery_percent);
    return true;
}

static bool attribute_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                             size_t why_size)
{
    const char *key = vector_text(vector->expect, "key");
    double value = json_number_value(json_object_get(vector->expect, "value"));

    if (strcmp(key, "temp1") == 0)
        return outcome->signals[0].temperature_c100 == (int)(value * 100 + 0.5) ||
               differ(why, why_size, "temperature", (int64_t)(value * 100),
                      outcome->signals[0].temperature_c100);
    if (strcmp(key, "bloodOxygen") == 0)
        return outcome->signals[0].oxygen_percent == (int)value ||
               differ(why, why_size, "oxygen", (int64_t)value, outcome->signals[0].oxygen_percent);
    return strcmp(vector_text(vector->expect, "value"), "removing") == 0 &&
           (has_kind(outcome, SIGNAL_TAMPER) || differ(why, why_size, "removed", 1, 0));
}

/* The reply that the protocol owes: LK, AL and TKQ are answered with their own type. */
static bool reply_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    const char *type = vector_text(vector->derived, "type"), *index;
    bool alarm = strncmp(type, "AL", 2) == 0;
    char expected[128] = "";

    index = vector_text(vector->derived, "index");
    if (alarm || strcmp(type, "LK") == 0 || strcmp(type, "TKQ") == 0)
        snprintf(expected, sizeof(expected), "[%s*%s*%s%s%04zx*%s]",
                 vector_text(vector->derived, "manufacturer"),
                 vector_text(vector->derived, "device_id"), index ? index : "", index ? "*" : "",
                 alarm ? 2 : strlen(type), alarm ? "AL" : type);
    if (strcmp(type, "JXTK") == 0)
        return outcome->reply_size > 0;
    if (outcome->reply_size == strlen(expected) &&
        memcmp(outcome->reply, expected, outcome->reply_size) == 0)
        return true;
    snprintf(why, why_size, "reply is %.*s, expected %s", (int)outcome->reply_size, outcome->reply,
             expected);
    return false;
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const json_t *position = json_object_get(vector->expect, "position");
    const json_t *fields = json_object_get(vector->derived, "lk_fields");
    const char *first = vector_text(vector->expect, "first_frame_hex");
    const char *identity = vector_text(vector->derived, "device_id");
    const struct signal *signal = &outcome->signals[0];

    if (outcome->signal_count == 0 || outcome->bad_frames)
        return differ(why, why_size, "unreadable frames", 0, (int64_t)outcome->bad_frames);
    if (strcmp(signal->identity, identity) != 0) {
        snprintf(why, why_size, "identity is %s, expected %s", signal->identity, identity);
        return false;
    }
    if (first && outcome->first_size != strlen(first) / 2)
        return differ(why, why_size, "size of the first frame", (int64_t)strlen(first) / 2,
                      (int64_t)outcome->first_size);
    if (position && !position_agrees(position, signal, why, why_size))
        return false;
    if (vector_text(vector->derived, "status_hex") && !block_agrees(vector, outcome, why, why_size))
        return false;
    if (fields && !keep_alive_agrees(fields, signal, why, why_size))
        return false;
    if (vector_text(vector->expect, "key") && !attribute_agrees(vector, outcome, why, why_size))
        return false;
    return reply_agrees(vector, outcome, why, why_size);
}

static void test_watch_vectors(void **state)
{
    const struct vector_file file = {.file = "watch.jsonl", .codec = "watch", .agrees = agrees};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_watch_vectors)};

    return cmocka_run_group_tests_name("watch_vectors", tests, NULL, NULL);
}
