/*
 * The frames of our own making in tests/vectors, one file a codec: each becomes the signals that its
 * line names, in their order, whole and one byte at a time, and says nothing that the line does not.
 * Cut, doubled and damaged ($ONEKEY_FLIPS times, else a few) no frame breaks a promise of codec.h, and
 * a damaged one before it costs none of its alarms.
 */
#include "tests/support/mutate.h"

#include "protocol/calendar.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_BYTES_MAX 16384
#define FLIPS 8
#define PLACE_OFF_E7 30 /* what the protocols' minutes and thirds round off */

static struct outcome outcome, dripped;

/* --- what a line expects of a signal --- */

static const struct {
    const char *name;
    uint32_t measure; /* that must be there, and must not if the line does not name it */
} measures[] = {
    {"battery", MEASURE_BATTERY},
    {"gsm", MEASURE_GSM},
    {"steps", MEASURE_STEPS},
    {"heart_rate", MEASURE_HEART_RATE},
    {"systolic", MEASURE_BLOOD_PRESSURE},
    {"oxygen", MEASURE_OXYGEN},
    {"temperature_c100", MEASURE_TEMPERATURE},
    {"total_ml", MEASURE_TOTAL},
    {"interval_ml", MEASURE_INTERVAL},
    {"lat", MEASURE_POSITION},
};

static int64_t number_of(const struct signal *signal, const char *name)
{
    const struct {
        const char *name;
        int64_t value;
    } members[] = {
        {"battery", signal->battery_percent},
        {"gsm", signal->gsm_percent},
        {"steps", signal->steps},
        {"heart_rate", signal->heart_rate},
        {"systolic", signal->systolic},
        {"diastolic", signal->diastolic},
        {"oxygen", signal->oxygen_percent},
        {"temperature_c100", signal->temperature_c100},
        {"total_ml", signal->total_ml},
        {"interval_ml", signal->interval_ml},
        {"interval_s", signal->interval_s},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].value;
    fail_msg("no signal has a %s", name);
    return 0;
}

static void write_text(const struct signal *signal, const char *name, char *out, size_t size)
{
    struct writer writer = writer_into(out, size - 1);

    if (strcmp(name, "kind") == 0)
        writer_text(&writer, signal_kind_name((enum signal_kind)signal->kind));
    else if (strcmp(name, "service") == 0)
        writer_text(&writer, service_kind_name((enum service_kind)signal->service));
    else if (strcmp(name, "identity") == 0)
        writer_text(&writer, signal->identity);
    else if (strcmp(name, "code") == 0)
        writer_text(&writer, signal->code);
    else if (strcmp(name, "message_id") == 0)
        writer_text(&writer, signal->message_id);
    else if (strcmp(name, "at") == 0)
        calendar_write_rfc3339(&writer, signal->occurred_at_us);
    else
        fail_msg("no signal has a %s", name);
    out[writer.size] = '\0';
}

static bool is_same_time(const struct signal *signal, const json_t *value)
{
    int64_t at_us = 0;

    if (json_is_string(value))
        assert_true(calendar_parse_rfc3339(bytes_of(json_string_value(value)), &at_us));
    return signal->occurred_at_us == at_us;
}

static bool is_same_member(const struct signal *signal, const char *name, const json_t *value)
{
    int32_t place = strcmp(name, "lat") == 0 ? signal->latitude_e7 : signal->longitude_e7;
    char text[128];

    if (strcmp(name, "at") == 0)
        return is_same_time(signal, value);
    if (strcmp(name, "lat") == 0 || strcmp(name, "lon") == 0)
        return llabs(place - (int64_t)(json_number_value(value) * 1e7)) <= PLACE_OFF_E7;
    if (json_is_integer(value))
        return number_of(signal, name) == json_integer_value(value);
    write_text(signal, name, text, sizeof(text));
    return json_is_string(value) && strcmp(text, json_string_value(value)) == 0;
}

static uint32_t flags_of(json_t *names)
{
    uint32_t flags = 0;

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int bit = 0;

        while (bit < SIGNAL_FLAG_COUNT && strcmp(signal_flag_name(bit), name) != 0)
            bit++;
        assert_true(bit < SIGNAL_FLAG_COUNT);
        flags |= 1U << bit;
    }
    return flags;
}

static bool is_named(json_t *expect, const char *name)
{
    json_t *value = json_object_get(expect, name);

    return value && !json_is_null(value);
}

/* The first thing about the signal that is not as expected, NULL if there is none. */
static const char *difference(const struct signal *signal, json_t *expect)
{
    const char *name;
    json_t *value;

    json_object_foreach(expect, name, value)
    {
        bool is_compared =
            strcmp(name, "flags") != 0 && (!json_is_null(value) || strcmp(name, "at") == 0);

        if (is_compared && !is_same_member(signal, name, value))
            return name;
    }
    if (signal->flags != flags_of(json_object_get(expect, "flags")))
        return "flags";
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
        if (!(signal->has & measures[i].measure) == is_named(expect, measures[i].name))
            return measures[i].name;
    return NULL;
}

/* --- a line --- */

static struct bytes frame_of(json_t *line, uint8_t *memory)
{
    const char *text = json_string_value(json_object_get(line, "frame"));
    size_t size;

    assert_non_null(text);
    if (strcmp(json_string_value(json_object_get(line, "encoding")), "hex") != 0)
        return bytes_of(text);
    assert_true(bytes_parse_hex_string(bytes_of(text), memory, LINE_BYTES_MAX, &size));
    return (struct bytes){memory, size};
}

static bool is_as_expected(const char *file, json_t *line)
{
    const char *what = json_string_value(json_object_get(line, "what"));
    json_t *expect = json_object_get(line, "expect");
    size_t count = json_array_size(expect);

    if (outcome.signal_count != count) {
        print_message("# %s, %s: %zu signals", file, what, outcome.signal_count);
        for (size_t i = 0; i < outcome.signal_count && i < OUTCOME_SIGNALS_MAX; i++)
            print_message(" %s", signal_kind_name((enum signal_kind)outcome.signals[i].kind));
        print_message("\n");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = difference(&outcome.signals[i], json_array_get(expect, i));

        if (!name)
            continue;
        print_message("# %s, %s: signal %zu, a %s of %s at %lld, flags %x, differs in %s\n", file,
                      what, i, signal_kind_name((enum signal_kind)outcome.signals[i].kind),
                      outcome.signals[i].identity, (long long)outcome.signals[i].occurred_at_us,
                      outcome.signals[i].flags, name);
        return false;
    }
    return true;
}

/* Lent until the next call. */
static struct message message_of(json_t *line)
{
    static uint8_t memory[LINE_BYTES_MAX];
    const char *topic = json_string_value(json_object_get(line, "topic"));

    return (struct message){.topic = bytes_of(topic ? topic : ""), .body = frame_of(line, memory)};
}

static bool check_line(const struct codec *codec, json_t *line)
{
    struct codec_environment environment = drive_environment();
    struct message message = message_of(line);

    if (json_object_get(line, "options"))
        environment.options = CODEC_OPTION_METER_STATUS_VENDOR;
    drive(codec, &message, 1, &environment, &dripped);
    drive(codec, &message, 0, &environment, &outcome);
    if (!drive_same(&outcome, &dripped)) {
        print_message("# %s: in single bytes it is another\n",
                      json_string_value(json_object_get(line, "what")));
        return false;
    }
    return is_as_expected(codec->name, line);
}

/* Calls `check` with each frame of each codec; how many of them fail. */
static int for_each_frame(bool (*check)(const struct codec *codec, json_t *line))
{
    static char text[LINE_BYTES_MAX];
    int failed = 0;

    for (int c = 0; c < codec_count; c++) {
        char path[128];
        FILE *file;
        int lines = 0;

        snprintf(path, sizeof(path), "tests/vectors/%s.jsonl", codecs[c]->name);
        file = fopen(path, "r");
        if (!file)
            fail_msg("%s is missing: each codec has frames of our own making", path);
        for (; fgets(text, sizeof(text), file); lines++) {
            json_t *line = json_loads(text, 0, NULL);

            assert_non_null(line);
            failed += !check(codecs[c], line);
            json_decref(line);
        }
        fclose(file);
        print_message("# %s: %d frames\n", codecs[c]->name, lines);
        assert_true(lines > 0);
    }
    return failed;
}

static void every_variant_is_read(void **state)
{
    (void)state;
    assert_int_equal(for_each_frame(check_line), 0);
}

/* --- damage --- */

static struct random chance;
static int flips;

/* The frame behind a copy of itself of which one to four bits are others. */
static bool is_rung_behind_damage(const struct codec *codec, struct message message, size_t alarms)
{
    static uint8_t bytes[2 * LINE_BYTES_MAX];
    struct codec_environment environment = drive_environment();
    size_t size = message.body.size;

    memcpy(bytes, message.body.data, size);
    memcpy(bytes + size, message.body.data, size);
    for (uint64_t count = random_below(&chance, 5); count > 0; count--)
        bytes[random_below(&chance, size)] ^= (uint8_t)(1U << random_below(&chance, 8));
    message.body = (struct bytes){bytes, 2 * size};
    drive(codec, &message, 0, &environment, &outcome);
    if (drive_alarms(&outcome) >= alarms)
        return true;
    print_message("# %s:", codec->name);
    for (size_t i = 0; i < 2 * size; i++)
        print_message("%02x", bytes[i]);
    print_message("\n");
    return false;
}

static bool bears_damage(const struct codec *codec, json_t *line)
{
    struct codec_environment environment = drive_environment();
    struct message message = message_of(line);
    bool is_rung = true;
    size_t alarms;

    drive(codec, &message, 0, &environment, &outcome);
    alarms = drive_alarms(&outcome);
    mutate_cut(codec, &message);
    mutate_flip(codec, &message, &chance, flips);
    for (int i = 0; i < flips && is_rung && codec->split && !message.topic.size; i++)
        is_rung = is_rung_behind_damage(codec, message, alarms);
    return is_rung;
}

static void no_damage_costs_an_alarm(void **state)
{
    const char *given = getenv("ONEKEY_FLIPS");

    (void)state;
    flips = given ? (int)strtol(given, NULL, 10) : FLIPS;
    mutate_seed(&chance);
    assert_int_equal(for_each_frame(bears_damage), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_is_read),
        cmocka_unit_test(no_damage_costs_an_alarm),
    };

    return cmocka_run_group_tests_name("own_frames", tests, NULL, NULL);
}
