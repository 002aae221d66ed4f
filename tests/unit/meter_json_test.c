/* The native JSON form, on invented devices. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALARM "onekey/v1/call_box/BOX-77/up/alarm"
#define READING "onekey/v1/meter/M-77/up/reading"
#define HEARTBEAT "onekey/v1/wristband/W-77/up/heartbeat"

extern const struct codec meter_json_codec;

static struct outcome outcome;

static const struct signal *take(const char *topic, const char *body)
{
    struct message message = {bytes_of(topic), bytes_of(body)};
    struct codec_environment environment = drive_environment();

    drive(&meter_json_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static void replied(const char *topic, const char *body)
{
    assert_true(bytes_equal_text((struct bytes){outcome.topic, outcome.topic_size}, topic));
    if (!bytes_equal_text((struct bytes){outcome.reply, outcome.reply_size}, body))
        fail_msg("replied %.*s", (int)outcome.reply_size, (char *)outcome.reply);
}

static void an_alarm_is_taken_and_acknowledged(void **state)
{
    const struct signal *signal =
        take(ALARM, "{\"id\":\"a-1\",\"at\":\"2026-01-02T03:04:05Z\",\"type\":\"panic\","
                    "\"lon\":104.25,\"lat\":30.5,\"battery\":66}");

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_int_equal(signal->device, DEVICE_CALL_BOX);
    assert_string_equal(signal->identity, "BOX-77");
    assert_string_equal(signal->message_id, "a-1@1767323045000");
    assert_int_equal(signal->occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->has, MEASURE_POSITION | MEASURE_BATTERY);
    assert_int_equal(signal->flags, 0);
    replied("onekey/v1/call_box/BOX-77/down/ack",
            "{\"id\":\"a-1\",\"accepted\":true,\"number\":812}");
}

static void types_are_words(void **state)
{
    static const struct {
        const char *body;
        uint8_t kind, service;
        uint32_t flags;
    } cases[] = {
        {"{\"type\":\"fall\"}", SIGNAL_FALL, 0, 0},
        {"{\"type\":\"cancel\"}", SIGNAL_CANCEL, 0, 0},
        {"{\"type\":\"wander\"}", SIGNAL_WANDER, 0, 0},
        {"{\"type\":\"leak\"}", SIGNAL_LEAK, 0, 0},
        {"{\"type\":\"mains_restored\"}", SIGNAL_MAINS_RESTORED, 0, 0},
        {"{\"type\":\"test\"}", SIGNAL_TEST, 0, 0},
        {"{\"type\":\"sos\"}", SIGNAL_PANIC, 0, 0},
        {"{\"type\":\"service:taxi\"}", SIGNAL_SERVICE, SERVICE_TAXI, 0},
        {"{\"type\":\"service\",\"service\":\"consult\"}", SIGNAL_SERVICE, SERVICE_CONSULT, 0},
        {"{\"type\":\"service:gardening\"}", SIGNAL_SERVICE, SERVICE_OTHER,
         SIGNAL_FLAG_UNKNOWN_CODE},
        {"{\"type\":\"flood of 7\"}", SIGNAL_PANIC, 0, SIGNAL_FLAG_UNKNOWN_CODE},
        {"{\"type\":\"silence\"}", SIGNAL_PANIC, 0, SIGNAL_FLAG_UNKNOWN_CODE},
        {"{\"type\":\"unreadable\"}", SIGNAL_PANIC, 0, SIGNAL_FLAG_UNKNOWN_CODE},
        {"{\"type\":7}", SIGNAL_PANIC, 0, SIGNAL_FLAG_UNKNOWN_CODE},
        {"{}", SIGNAL_PANIC, 0, SIGNAL_FLAG_UNKNOWN_CODE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct signal *signal = take(ALARM, cases[i].body);

        if (signal->kind != cases[i].kind)
            fail_msg("%s is %s", cases[i].body, signal_kind_name(signal->kind));
        assert_int_equal(signal->service, cases[i].service);
        assert_int_equal(signal->flags, cases[i].flags);
    }
    assert_string_equal(take(ALARM, "{\"type\":\"flood of 7\"}")->code, "flood of 7");
}

static void a_wrong_clock_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(take(ALARM, "{\"type\":\"panic\"}")->occurred_at_us, 0);
    assert_int_equal(outcome.signals[0].flags, 0);
    assert_int_equal(take(ALARM, "{\"type\":\"panic\",\"at\":\"yesterday\"}")->flags,
                     SIGNAL_FLAG_CLOCK_WRONG);
    assert_int_equal(take(ALARM, "{\"type\":\"panic\",\"at\":\"1970-01-01T00:00:09Z\"}")->flags,
                     SIGNAL_FLAG_CLOCK_WRONG);
    assert_int_equal(outcome.signals[0].occurred_at_us, 0);
    assert_int_equal(take(ALARM, "{\"type\":\"panic\",\"at\":1767323045}")->occurred_at_us,
                     INT64_C(1767323045000000));
}

static void what_cannot_be_read_on_an_alarm_topic_is_an_alarm(void **state)
{
    static const char *const bodies[] = {
        "",
        "no json",
        "[]",
        "7",
        "{\"type\":\"panic\"",
        "{\"type\":\"panic\",\"type\":\"test\"}",
        "{\"type\":\"\xC3\x28\"}",
        "{\"type\":\"panic\"} {}",
        "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(take(ALARM, bodies[i])->kind, SIGNAL_UNREADABLE);
        assert_string_equal(outcome.signals[0].identity, "BOX-77");
        assert_string_equal(outcome.signals[0].message_id, "");
        replied("onekey/v1/call_box/BOX-77/down/ack",
                "{\"id\":null,\"accepted\":true,\"number\":812}");
        take(READING, bodies[i]);
        assert_int_equal(outcome.bad_frames, 1);
        take(HEARTBEAT, bodies[i]);
        assert_int_equal(outcome.bad_frames, 1);
    }
}

static void other_topics_are_not_ours(void **state)
{
    static const char *const topics[] = {
        "onekey/v1/call_box/BOX-77/up",         "onekey/v1/call_box/BOX-77/down/ack",
        "onekey/v1/call_box/BOX-77/up/alarm/x", "onekey/v2/call_box/BOX-77/up/alarm",
        "onekey/v1/call_box/BOX-77/up/alarms",  "other",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        take(topics[i], "{\"type\":\"panic\"}");
        assert_int_equal(outcome.bad_frames, 1);
    }
    /* A kind or identity that we do not know is still somebody. */
    assert_int_equal(take("onekey/v1/hub/H-1/up/alarm", "{\"type\":\"panic\"}")->device,
                     DEVICE_UNKNOWN);
    assert_int_equal(take("onekey/v1/call_box//up/alarm", "{\"type\":\"panic\"}")->kind,
                     SIGNAL_PANIC);
    take("onekey/v1/call_box/0123456789012345678901234567890123456789X/up/alarm", "{}");
    assert_string_equal(outcome.signals[0].identity, "012345678901234567890123456789012345678?");
}

static void ids_are_names_and_come_back(void **state)
{
    char body[400], id[300], first[MESSAGE_ID_LIMIT + 1];

    (void)state;
    take(ALARM, "{\"id\":\"\\\"\\\\\\n\\u9664\",\"type\":\"panic\"}");
    replied("onekey/v1/call_box/BOX-77/down/ack",
            "{\"id\":\"\\\"\\\\\\n\\u9664\",\"accepted\":true,\"number\":812}");
    snprintf(first, sizeof(first), "%s", outcome.signals[0].message_id);
    take(ALARM, "{\"id\":\"\\\"\\\\\\n\\u9665\",\"type\":\"panic\"}");
    assert_string_not_equal(outcome.signals[0].message_id, first);
    assert_string_equal(take(ALARM, "{\"id\":17,\"type\":\"panic\"}")->message_id, "17");
    replied("onekey/v1/call_box/BOX-77/down/ack", "{\"id\":17,\"accepted\":true,\"number\":812}");
    take(ALARM, "{\"id\":{},\"type\":\"panic\"}");
    replied("onekey/v1/call_box/BOX-77/down/ack", "{\"id\":null,\"accepted\":true,\"number\":812}");
    /* The same id at another time is another press. */
    take(ALARM, "{\"id\":\"1\",\"at\":\"2026-01-02T03:04:05Z\",\"type\":\"panic\"}");
    snprintf(first, sizeof(first), "%s", outcome.signals[0].message_id);
    take(ALARM, "{\"id\":\"1\",\"at\":\"2026-01-02T03:04:06Z\",\"type\":\"panic\"}");
    assert_string_not_equal(outcome.signals[0].message_id, first);
    /* Long ones that begin alike are not the same; beyond what a reply holds they come as null. */
    memset(id, 'x', sizeof(id));
    id[250] = '\0';
    snprintf(body, sizeof(body), "{\"id\":\"%s1\",\"type\":\"panic\"}", id);
    snprintf(first, sizeof(first), "%s", take(ALARM, body)->message_id);
    replied("onekey/v1/call_box/BOX-77/down/ack", "{\"id\":null,\"accepted\":true,\"number\":812}");
    snprintf(body, sizeof(body), "{\"id\":\"%s2\",\"type\":\"panic\"}", id);
    assert_string_not_equal(take(ALARM, body)->message_id, first);
}

static void readings_are_in_litres(void **state)
{
    const struct signal *signal =
        take(READING, "{\"at\":\"2026-01-02T03:04:05Z\",\"total_l\":12345,\"battery\":97}");

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_READING);
    assert_int_equal(signal->device, DEVICE_METER);
    assert_int_equal(signal->total_ml, 12345000);
    assert_int_equal(signal->has, MEASURE_TOTAL | MEASURE_BATTERY);
    assert_int_equal(outcome.reply_size, 0);
    signal = take(READING, "{\"interval_l\":0.125,\"interval_s\":3600}");
    assert_int_equal(signal->interval_ml, 125);
    assert_int_equal(signal->interval_s, 3600);
    assert_int_equal(signal->has, MEASURE_INTERVAL);
    assert_true(take(READING, "{\"total_l\":5,\"reset\":true}")->flags & SIGNAL_FLAG_RESET);
    assert_int_equal(take(READING, "{\"total_l\":0}")->has, MEASURE_TOTAL);
    assert_int_equal(take(READING, "{\"total_l\":\"77.5\"}")->total_ml, 77500);
    take(READING, "{\"total_l\":-1}");
    assert_int_equal(outcome.bad_frames, 1);
    take(READING, "{\"total_l\":1e300}");
    assert_int_equal(outcome.bad_frames, 1);
    take(READING, "{\"total_l\":true,\"battery\":5}");
    assert_int_equal(outcome.bad_frames, 1);
}

static void a_list_of_readings_keeps_the_last(void **state)
{
    char body[8192] = "[";
    size_t size = 1;

    (void)state;
    take(READING, "[{\"total_l\":1},{\"battery\":5},{\"total_l\":2}]");
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[1].total_ml, 2000);
    for (int i = 0; i < 100; i++)
        size += (size_t)snprintf(body + size, sizeof(body) - size, "{\"total_l\":%d}%s", i,
                                 i < 99 ? "," : "]");
    take(READING, body);
    assert_int_equal(outcome.signal_count, DECODE_SIGNALS_MAX);
    assert_int_equal(outcome.signals[0].total_ml, (100 - DECODE_SIGNALS_MAX) * 1000);
    assert_int_equal(outcome.signals[DECODE_SIGNALS_MAX - 1].total_ml, 99000);
}

static void heartbeats_say_what_they_have(void **state)
{
    (void)state;
    assert_int_equal(take(HEARTBEAT, "{}")->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(take(HEARTBEAT, "{\"lat\":1,\"lon\":2}")->kind, SIGNAL_POSITION);
    assert_int_equal(take(HEARTBEAT, "{\"lat\":1}")->has, 0);
    assert_int_equal(take(HEARTBEAT, "{\"heart_rate\":64,\"lat\":1,\"lon\":2}")->kind,
                     SIGNAL_VITALS);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_WORN);
    assert_int_equal(take(HEARTBEAT, "{\"systolic\":120}")->has, 0);
    assert_int_equal(take(HEARTBEAT, "{\"battery\":101,\"gsm\":-1}")->has, 0);
    assert_int_equal(outcome.reply_size, 0);
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC,          SIGNAL_FALL,    SIGNAL_SERVICE,
                                    SIGNAL_CANCEL,         SIGNAL_LEAK,    SIGNAL_LOW_BATTERY,
                                    SIGNAL_MAINS_LOST,     SIGNAL_TAMPER,  SIGNAL_TEST,
                                    SIGNAL_MAINS_RESTORED, SIGNAL_READING, SIGNAL_VITALS,
                                    SIGNAL_HEARTBEAT};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))],
                            .device = (uint8_t)(1 + random_below(random, DEVICE_KIND_COUNT - 1))};

    snprintf(signal.identity, sizeof(signal.identity), "device-%u",
             (unsigned)random_below(random, 100000));
    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000);
    if (signal.kind == SIGNAL_SERVICE)
        signal.service = (uint8_t)(1 + random_below(random, SERVICE_KIND_COUNT - 1));
    if (signal.kind == SIGNAL_READING) {
        signal.has = MEASURE_TOTAL | MEASURE_INTERVAL;
        signal.total_ml = (int64_t)random_below(random, 1000000000000);
        signal.interval_ml = (int64_t)random_below(random, 1000000);
        signal.interval_s = 3600;
    } else if (signal.kind == SIGNAL_VITALS) {
        signal.has = MEASURE_BLOOD_PRESSURE | MEASURE_TEMPERATURE;
        signal.systolic = (int16_t)(80 + random_below(random, 100));
        signal.diastolic = (int16_t)(40 + random_below(random, 40));
        signal.temperature_c100 = (int16_t)(3400 + random_below(random, 600));
        signal.flags = SIGNAL_FLAG_WORN;
    } else if (signal.kind != SIGNAL_HEARTBEAT) {
        signal.has = MEASURE_POSITION;
        signal.latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
        signal.longitude_e7 = (int32_t)(random_below(random, 3600000001) - 1800000000);
    }
    return signal;
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;
    char topic_text[128], text[512];

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {0};
        struct signal signal = invent(&random), *seen = &outcome.signals[0];
        struct writer topic = writer_into(topic_text, sizeof(topic_text));
        struct writer body = writer_into(text, sizeof(text));
        struct message message;

        assert_true(meter_json_codec.compose(&signal, &session, &environment, &topic, &body));
        message = (struct message){writer_view(&topic), writer_view(&body)};
        drive(&meter_json_codec, &message, 0, &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        memset(seen->code, 0, sizeof(seen->code));
        if (memcmp(seen, &signal, sizeof(signal)) != 0)
            fail_msg("%.*s %.*s", (int)topic.size, topic_text, (int)body.size, text);
    }
}

static void damage_on_an_alarm_topic_stays_an_alarm(void **state)
{
    static const char body[] = "{\"id\":\"a-1\",\"at\":\"2026-01-02T03:04:05Z\",\"type\":\"fall\","
                               "\"lat\":30.5,\"lon\":104.25,\"x\":[1,2,{\"y\":null}]}";
    struct message message = {bytes_of(ALARM), bytes_of(body)};
    struct codec_environment environment = drive_environment();
    struct random random;
    char damaged[sizeof(body)];

    (void)state;
    mutate_seed(&random);
    mutate_cut(&meter_json_codec, &message);
    mutate_flip(&meter_json_codec, &message, &random, 5000);
    message.body.data = (const uint8_t *)damaged;
    for (int i = 0; i < 5000; i++) {
        memcpy(damaged, body, sizeof(body));
        damaged[random_below(&random, message.body.size)] ^= (char)(1 << random_below(&random, 8));
        drive(&meter_json_codec, &message, 0, &environment, &outcome);
        assert_int_equal(drive_alarms(&outcome), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_is_taken_and_acknowledged),
        cmocka_unit_test(types_are_words),
        cmocka_unit_test(a_wrong_clock_loses_nothing),
        cmocka_unit_test(what_cannot_be_read_on_an_alarm_topic_is_an_alarm),
        cmocka_unit_test(other_topics_are_not_ours),
        cmocka_unit_test(ids_are_names_and_come_back),
        cmocka_unit_test(readings_are_in_litres),
        cmocka_unit_test(a_list_of_readings_keeps_the_last),
        cmocka_unit_test(heartbeats_say_what_they_have),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(damage_on_an_alarm_topic_stays_an_alarm),
    };

    return cmocka_run_group_tests_name("meter_json", tests, NULL, NULL);
}
