/* The JSON conventions against what network servers, platforms and wmbusmeters publish. */
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool differ(char *why, size_t why_size, const char *what, double expected, double actual)
{
    snprintf(why, why_size, "%s is %.17g, expected %.17g", what, actual, expected);
    return false;
}

static const struct signal *find_kind(const struct outcome *outcome, enum signal_kind kind)
{
    for (size_t i = 0; i < outcome->signal_count; i++)
        if (outcome->signals[i].kind == kind)
            return &outcome->signals[i];
    return NULL;
}

/* A meter's total, and an alarm for a status that speaks of a weak battery. */
static bool meter_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    const struct signal *reading = find_kind(outcome, SIGNAL_READING);
    double total_m3 = json_number_value(json_object_get(vector->expect, "total_m3"));
    const char *status = vector_text(vector->expect, "status");
    bool weak = status && strstr(status, "POWER_LOW");
    int64_t total_ml = (int64_t)(total_m3 * 1e6 + 0.5);

    if (!reading || !(reading->has & MEASURE_TOTAL) || reading->total_ml != total_ml)
        return differ(why, why_size, "total_ml", (double)total_ml,
                      reading ? (double)reading->total_ml : -1);
    if (reading->device != DEVICE_METER)
        return differ(why, why_size, "device", DEVICE_METER, reading->device);
    if ((find_kind(outcome, SIGNAL_LOW_BATTERY) != NULL) != weak)
        return differ(why, why_size, "low battery", weak, !weak);
    return strcmp(reading->identity, vector_text(vector->expect, "id")) == 0 ||
           differ(why, why_size, "identity", 1, 0);
}

/* What only says that a device lives: how many messages, from whom, when the first. */
static bool message_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                           size_t why_size)
{
    const char *event = vector_text(vector->expect, "event");
    const char *device = vector_text(vector->expect, "device_id");
    const char *time = vector_text(vector->expect, "time");
    const struct signal *first = &outcome->signals[0];

    if (event && strcmp(event, "txack") == 0) /* the gateway's, not the device's: not subscribed */
        return outcome->bad_frames == 1 || differ(why, why_size, "txack is taken", 0, 1);
    if (outcome->bad_frames)
        return differ(why, why_size, "bad frames", 0, 1);
    if (event && strcmp(first->identity, "0101010101010101") != 0)
        return differ(why, why_size, "identity", 1, 0);
    if (event && strcmp(event, "location") == 0 && first->longitude_e7 != -88393750)
        return differ(why, why_size, "longitude", -88393750, first->longitude_e7);
    if (device && strcmp(first->identity, device) != 0)
        return differ(why, why_size, "identity", 1, 0);
    if (time && strcmp(time, "server time") == 0)
        return first->occurred_at_us == 0 || differ(why, why_size, "time", 0, 1);
    if (time && strcmp(time, "two readings") == 0)
        return (outcome->signal_count == 2 &&
                outcome->signals[1].occurred_at_us - first->occurred_at_us == 1000000) ||
               differ(why, why_size, "readings", 2, (double)outcome->signal_count);
    return !time || first->occurred_at_us == INT64_C(1451649600512000) ||
           differ(why, why_size, "time", 1451649600512e3, (double)first->occurred_at_us);
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    if (vector_text(vector->expect, "convention"))
        return meter_agrees(vector, outcome, why, why_size);
    return message_agrees(vector, outcome, why, why_size);
}

/* Total in litres that a decoded sensor object states, -1 if none. */
static double stated_litres(const json_t *object)
{
    static const struct {
        const char *key;
        double litres;
    } totals[] = {
        {"water", 1}, {"totalVolume_l", 1}, {"volume_m3", 1000}, {"current_volume_m3", 1000}};

    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        const json_t *value = json_object_get(object, totals[i].key);

        if (json_is_number(value))
            return json_number_value(value) * totals[i].litres;
    }
    return -1;
}

/* What a sensor's own decoder makes of its frame, put where ChirpStack puts it. */
static bool decoded_agrees(const struct vector *vector, const struct outcome *ignored, char *why,
                           size_t why_size)
{
    static struct outcome outcome;
    struct codec_environment environment = drive_environment();
    json_t *wrapped = json_pack("{s:O}", "object", vector->expect);
    char *body = json_dumps(wrapped, 0);
    struct message message = {bytes_of("application/a/device/00000000000000aa/event/up"),
                              bytes_of(body)};
    const json_t *deltas = json_object_get(vector->expect, "deltas_m3");
    double litres = stated_litres(vector->expect);
    bool button = json_object_get(vector->expect, "button_event") != NULL;
    size_t readings = deltas ? json_array_size(deltas) : litres >= 0;
    const struct signal *reading;

    (void)ignored;
    drive(codecs[codec_find("meter_json")], &message, 0, &environment, &outcome);
    free(body);
    json_decref(wrapped);
    reading = &outcome.signals[outcome.signal_count - 1];
    if (litres >= 0 &&
        (reading->kind != SIGNAL_READING || reading->total_ml != (int64_t)(litres * 1000 + 0.5)))
        return differ(why, why_size, "total_ml", litres * 1000, (double)reading->total_ml);
    if (outcome.signal_count - drive_alarms(&outcome) != (readings ? readings : !button))
        return differ(why, why_size, "readings", (double)readings, (double)outcome.signal_count);
    return (find_kind(&outcome, SIGNAL_PANIC) != NULL) == button ||
           differ(why, why_size, "panic", button, !button);
}

static void test_lorawan_water_vectors(void **state)
{
    const struct vector_file file = {
        .file = "lorawan_water.jsonl", .codec = "meter_json", .agrees = decoded_agrees};

    (void)state;
    vectors_check(&file);
}

static void test_mqtt_json_vectors(void **state)
{
    const struct vector_file file = {
        .file = "mqtt_json.jsonl", .codec = "meter_json", .agrees = agrees};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mqtt_json_vectors),
                                       cmocka_unit_test(test_lorawan_water_vectors)};

    return cmocka_run_group_tests_name("meter_json_vectors", tests, NULL, NULL);
}
