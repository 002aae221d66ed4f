/* JT/T 808 against frames that others recorded or made. */
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static uint64_t hex_of(const json_t *object, const char *key)
{
    const char *text = vector_text(object, key);
    uint64_t value;

    return text && bytes_parse_hex(bytes_of(text + 2), &value) ? value : 0;
}

static bool place_agrees(const struct vector *vector, const struct signal *signal, char *why,
                         size_t why_size)
{
    double latitude = json_number_value(json_object_get(vector->derived, "lat"));
    double longitude = json_number_value(json_object_get(vector->derived, "lon"));
    uint64_t status = hex_of(vector->derived, "status");
    bool is_place = latitude <= 90 && longitude <= 180 && (latitude > 0 || longitude > 0);

    if (is_place != ((signal->has & MEASURE_POSITION) != 0))
        return differ(why, why_size, "place", is_place, signal->has);
    if (is_place && (abs(abs(signal->latitude_e7) - (int)(latitude * 1e7 + 0.5)) > 1 ||
                     llabs(llabs(signal->longitude_e7) - (int64_t)(longitude * 1e7 + 0.5)) > 1 ||
                     (signal->latitude_e7 < 0) != ((status & 4) != 0) ||
                     (signal->longitude_e7 < 0) != ((status & 8) != 0)))
        return differ(why, why_size, "latitude", (int64_t)(latitude * 1e7), signal->latitude_e7);
    return true;
}

/* What the peers' own tests say of battery, steps and alarms. */
static bool attribute_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                             size_t why_size)
{
    const char *key = vector_text(vector->expect, "key");
    const char *value = vector_text(vector->expect, "value");
    int64_t number = vector_integer(vector->expect, "value", -1);
    const struct signal *signal = &outcome->signals[0];

    if (!key)
        return true;
    if (strcmp(key, "steps") == 0)
        return signal->steps == number || differ(why, why_size, key, number, signal->steps);
    if (strcmp(key, "batteryLevel") == 0)
        return signal->battery_percent == number ||
               differ(why, why_size, key, number, signal->battery_percent);
    if (strcmp(key, "alarm") != 0 || !value)
        return true;
    if (strstr(value, "LOW_BATTERY") && !has_kind(outcome, SIGNAL_LOW_BATTERY))
        return differ(why, why_size, "low battery", 1, 0);
    if (strstr(value, "REMOVING") && !has_kind(outcome, SIGNAL_TAMPER))
        return differ(why, why_size, "taken off", 1, 0);
    return true;
}

static bool report_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                          size_t why_size)
{
    uint64_t alarm = hex_of(vector->derived, "alarm");

    if (vector_integer(vector->expect, "alarm", 0) & 1)
        alarm |= 1;
    if ((alarm & 1) != has_kind(outcome, SIGNAL_PANIC))
        return differ(why, why_size, "panic", alarm & 1, has_kind(outcome, SIGNAL_PANIC));
    if ((alarm >> 8 & 1) != has_kind(outcome, SIGNAL_MAINS_LOST))
        return differ(why, why_size, "mains lost", alarm >> 8 & 1, 0);
    return place_agrees(vector, &outcome->signals[0], why, why_size) &&
           attribute_agrees(vector, outcome, why, why_size);
}

static bool batch_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    const json_t *items = json_object_get(vector->expect, "items");

    const char *assertion = vector_text(vector->expect, "assert");

    if (assertion && strstr(assertion, "locations") &&
        !(outcome->signals[0].has & MEASURE_POSITION))
        return differ(why, why_size, "position", 1, 0);
    for (size_t i = 0; i < json_array_size(items); i++)
        if (vector_integer(json_array_get(items, i), "alarm", 0) & 1)
            return has_kind(outcome, SIGNAL_PANIC) || differ(why, why_size, "panic", 1, 0);
    return true;
}

static bool reply_agrees(const struct vector *vector, const struct outcome *outcome, uint64_t id,
                         char *why, size_t why_size)
{
    uint64_t expected = id == 0x0100 ? 0x8100 : 0x8001;
    uint64_t actual = (uint64_t)(outcome->reply[1] << 8 | outcome->reply[2]);

    if (id >= 0x8000 || id == 0x0107)
        return outcome->reply_size == 0 ||
               differ(why, why_size, "reply", 0, (int64_t)outcome->reply_size);
    if (outcome->reply_size < 16 || actual != expected)
        return differ(why, why_size, "reply", (int64_t)expected, (int64_t)actual);
    return !vector->wire_ok || outcome->reply[1] == expected >> 8;
}

static bool identity_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                            size_t why_size)
{
    const char *phone = vector_text(vector->derived, "phone_bcd");
    const char *digits = phone + strspn(phone, "0");

    if (strcasecmp(outcome->signals[0].identity, *digits ? digits : "0") == 0)
        return true;
    snprintf(why, why_size, "identity is %s, expected %s", outcome->signals[0].identity, digits);
    return false;
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    uint64_t id = hex_of(vector->derived, "msg_id");

    if (id == 0 || outcome->signal_count == 0)
        return differ(why, why_size, "readable frames", 1, (int64_t)outcome->signal_count);
    if (!identity_agrees(vector, outcome, why, why_size) ||
        !reply_agrees(vector, outcome, id, why, why_size))
        return false;
    if (id == 0x0200)
        return report_agrees(vector, outcome, why, why_size);
    if (id == 0x0704 || id == 0x0210)
        return batch_agrees(vector, outcome, why, why_size);
    return outcome->signals[0].kind == SIGNAL_HEARTBEAT ||
           differ(why, why_size, "kind", SIGNAL_HEARTBEAT, outcome->signals[0].kind);
}

/* None of these carries an emergency. */
static const struct vector_difference differences[] = {
    {"Jt808ProtocolDecoderTest.java:415", "edited: its checksum is wrong"},
    {"Jt808ProtocolDecoderTest.java:328", "edited: its checksum and its length are wrong"},
    {"Jt808ProtocolDecoderTest.java:142", "0x5501, its checksum and its length are wrong"},
    {"Jt808ProtocolDecoderTest.java:397", "recorded without its escapes, so its checksum is wrong"},
    {"Jt808ProtocolDecoderTest.java:405", "recorded without its escapes, so its checksum is wrong"},
    {"Jt808ProtocolDecoderTest.java:183",
     "recorded without its escapes: a 7E stands in its middle"},
    {"Jt808FrameDecoderTest.java:21", "escapes only, no message"},
    {"Jt808FrameDecoderTest.java:13", "a text dialect that we do not take"},
    {"Jt808ProtocolDecoderTest.java:211", "a text dialect that we do not take"},
    {NULL, NULL},
};

static void test_jt808_vectors(void **state)
{
    const struct vector_file file = {
        .file = "jt808.jsonl", .codec = "jt808", .agrees = agrees, .differences = differences};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_jt808_vectors)};

    return cmocka_run_group_tests_name("jt808_vectors", tests, NULL, NULL);
}
