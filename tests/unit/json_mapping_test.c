/* The conventions of platforms and network servers, on invented messages. */
#include "protocol/json_mapping.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern const struct codec meter_json_codec;

static struct outcome outcome;

static const struct signal *take(const char *topic, const char *body)
{
    struct message message = {bytes_of(topic), bytes_of(body)};
    struct codec_environment environment = drive_environment();

    drive(&meter_json_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static void is(size_t index, enum signal_kind kind, const char *identity)
{
    assert_true(index < outcome.signal_count);
    assert_string_equal(signal_kind_name(outcome.signals[index].kind), signal_kind_name(kind));
    assert_string_equal(outcome.signals[index].identity, identity);
}

/* Does one of the codec's subscriptions let this topic through? */
static bool is_subscribed(struct bytes topic)
{
    for (const char *const *filter = meter_json_codec.topics; *filter; filter++) {
        struct bytes pattern = bytes_of(*filter), rest = topic, wanted, level;
        bool matches = true;

        while (matches && bytes_next_field(&pattern, '/', &wanted))
            matches = bytes_next_field(&rest, '/', &level) &&
                      (bytes_equal_text(wanted, "+") || bytes_equal(wanted, level));
        if (matches && !bytes_next_field(&rest, '/', &level))
            return true;
    }
    return false;
}

static void every_row_is_subscribed(void **state)
{
    (void)state;
    const struct codec_environment nothing = drive_environment();

    for (size_t i = 0; json_mapping_at(i); i++)
        if (!is_subscribed(bytes_of(json_mapping_at(i)->topic)))
            fail_msg("%s is not subscribed", json_mapping_at(i)->topic);
    assert_null(json_mapping_find(bytes_of("wmbusmeters"), &nothing));
    assert_null(json_mapping_find(bytes_of("wmbusmeters/1/2"), &nothing));
    assert_null(json_mapping_find(bytes_of(""), &nothing));
}

static void wmbusmeters_is_read(void **state)
{
    const char *leaking =
        "{\"media\":\"cold water\",\"id\":\"77007700\",\"total_m3\":1.2345678,"
        "\"status\":\"P_LEAK BURST POWER_LOW\",\"timestamp\":\"2026-01-02T03:04:05Z\"}";

    (void)state;
    take("wmbusmeters/77007700", leaking);
    assert_int_equal(outcome.signal_count, 3);
    is(0, SIGNAL_LEAK, "77007700");
    is(1, SIGNAL_LOW_BATTERY, "77007700");
    is(2, SIGNAL_READING, "77007700");
    /* What lasts is one message a day. */
    assert_string_equal(outcome.signals[0].message_id, "BURST 2026-01-02");
    assert_string_equal(outcome.signals[2].message_id, "");
    assert_int_equal(outcome.signals[2].total_ml, 1234568);
    assert_int_equal(outcome.signals[2].occurred_at_us, INT64_C(1767323045000000));
    take("wmbusmeters/7", "{\"media\":\"water\",\"total_m3\":1,\"status\":\"P_LEAK\"}");
    assert_int_equal(outcome.signal_count, 1); /* it did once; and the topic names it */
    is(0, SIGNAL_READING, "7");
    take("wmbusmeters/7", "{\"media\":\"heat\",\"total_m3\":1}");
    is(0, SIGNAL_HEARTBEAT, "7");
}

static void chirpstack_is_read(void **state)
{
    const char *up = "application/a-1/device/00000000000000aa/event/up";

    (void)state;
    take(up, "{\"deduplicationId\":\"d-1\",\"time\":\"2026-01-02T03:04:05.5+00:00\","
             "\"deviceInfo\":{\"devEui\":\"00000000000000aa\"},\"data\":\"AQ==\","
             "\"object\":{\"button_event\":\"short press\",\"battery\":9}}");
    assert_int_equal(outcome.signal_count, 1);
    is(0, SIGNAL_PANIC, "00000000000000aa");
    assert_string_equal(outcome.signals[0].message_id, "d-1");
    assert_string_equal(outcome.signals[0].code, "short press");
    assert_int_equal(outcome.signals[0].battery_percent, 9);
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767323045500000));
    take(up, "{\"object\":{\"detection_status\":\"fall\"}}");
    is(0, SIGNAL_FALL, "00000000000000aa");
    take(up, "{\"object\":{\"fall_alarm\":{\"alarm_status\":\"2, 1\"}}}");
    is(0, SIGNAL_FALL, "00000000000000aa");
    take(up,
         "{\"object\":{\"fall_alarm\":{\"alarm_status\":\"2\"},\"leakage_status\":\"normal\"}}");
    is(0, SIGNAL_HEARTBEAT, "00000000000000aa");
    take(up, "{\"object\":{\"water\":741,\"water_alarm\":\"water flow timeout alarm\"}}");
    is(0, SIGNAL_LEAK, "00000000000000aa");
    is(1, SIGNAL_READING, "00000000000000aa");
    take(up, "{\"object\":{\"water\":741,\"water_alarm\":\"water outage timeout alarm\"}}");
    assert_int_equal(outcome.signal_count, 1);
    take(up, "{\"data\":\"AQ==\"}"); /* no decoder there: it lives */
    is(0, SIGNAL_HEARTBEAT, "00000000000000aa");
    take("application/a-1/device/00000000000000aa/event/status",
         "{\"batteryLevel\":76.4,\"externalPowerSource\":false}");
    assert_int_equal(outcome.signals[0].battery_percent, 76);
    take("application/a-1/device/00000000000000aa/event/status",
         "{\"batteryLevel\":0,\"externalPowerSource\":true}");
    assert_int_equal(outcome.signals[0].has, 0);
}

static void hourly_lists_become_readings(void **state)
{
    (void)state;
    take(
        "application/a-1/device/00000000000000aa/event/up",
        "{\"time\":\"2026-01-02T03:10:00Z\",\"object\":{\"timestamp_utc\":\"2026-01-02T03:00:00Z\","
        "\"deltas_m3\":[0,0.014,0.003],\"current_volume_m3\":6.054}}");
    assert_int_equal(outcome.signal_count, 3);
    for (size_t i = 0; i < 3; i++) {
        is(i, SIGNAL_READING, "00000000000000aa");
        assert_int_equal(outcome.signals[i].has, MEASURE_TOTAL | MEASURE_INTERVAL);
        assert_int_equal(outcome.signals[i].interval_s, 3600);
    }
    assert_int_equal(outcome.signals[0].interval_ml, 0);
    assert_int_equal(outcome.signals[0].total_ml, 6037000);
    assert_int_equal(outcome.signals[1].interval_ml, 14000);
    assert_int_equal(outcome.signals[1].total_ml, 6051000);
    assert_int_equal(outcome.signals[2].total_ml, 6054000);
    assert_int_equal(outcome.signals[2].occurred_at_us, INT64_C(1767322800000000));
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767315600000000));
    /* Without a total, without a time, and with what is no volume. */
    take("v3/a@t/devices/m/up", "{\"uplink_message\":{\"decoded_payload\":{\"hourly_l\":[1,2]}}}");
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[1].has, MEASURE_INTERVAL);
    assert_int_equal(outcome.signals[1].total_ml, 0);
    assert_int_equal(outcome.signals[1].occurred_at_us, drive_environment().now_us);
    take("v3/a@t/devices/m/up",
         "{\"uplink_message\":{\"decoded_payload\":{\"hourly_l\":[1,\"x\"]}}}");
    is(0, SIGNAL_HEARTBEAT, "m");
}

static void the_things_stack_is_read(void **state)
{
    (void)state;
    take("v3/app@tenant/devices/box-1/up",
         "{\"end_device_ids\":{\"device_id\":\"box-1\",\"dev_eui\":\"00000000000000AB\"},"
         "\"received_at\":\"2026-01-02T03:04:05Z\","
         "\"uplink_message\":{\"decoded_payload\":{\"leakage_status\":\"leak\",\"battery\":80}}}");
    assert_int_equal(outcome.signal_count, 1);
    is(0, SIGNAL_LEAK, "00000000000000AB");
    assert_int_equal(outcome.signals[0].battery_percent, 80);
}

static void thingsboard_is_read(void **state)
{
    (void)state;
    take("v1/gateway/telemetry", "{\"M-7\":[{\"ts\":1767323045000,\"values\":{\"total_l\":7}},"
                                 "{\"ts\":1767326645000,\"values\":{\"total_l\":8}}],"
                                 "\"B-7\":[{\"values\":{\"alarm\":\"service:taxi\"}}]}");
    assert_int_equal(outcome.signal_count, 3);
    is(0, SIGNAL_READING, "M-7");
    is(1, SIGNAL_READING, "M-7");
    is(2, SIGNAL_SERVICE, "B-7");
    assert_int_equal(outcome.signals[1].occurred_at_us, INT64_C(1767326645000000));
    assert_int_equal(outcome.signals[2].occurred_at_us, 0);
    take("v1/devices/me/telemetry", "{\"serial\":\"M-8\",\"total_m3\":0.5}");
    is(0, SIGNAL_READING, "M-8");
    take("v1/devices/me/telemetry", "{\"alarm\":\"earthquake\"}");
    is(0, SIGNAL_PANIC, "");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNKNOWN_CODE);
    take("v1/devices/me/telemetry", "{\"alarm\":\"none\"}");
    is(0, SIGNAL_HEARTBEAT, "");
}

static void iotda_is_read(void **state)
{
    (void)state;
    take("$oc/devices/D-7/sys/properties/report",
         "{\"services\":[{\"service_id\":\"water\",\"properties\":{\"total_l\":\"7.5\"},"
         "\"event_time\":\"20260102T030405Z\"}]}");
    is(0, SIGNAL_READING, "D-7");
    assert_int_equal(outcome.signals[0].total_ml, 7500);
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767323045000000));
    take("$oc/devices/G-7/sys/gateway/sub_devices/properties/report",
         "{\"devices\":[{\"device_id\":\"M-1\",\"services\":[{\"properties\":{\"total_l\":1}}]},"
         "{\"device_id\":\"M-2\",\"services\":[{\"properties\":{\"total_l\":2}}]}]}");
    assert_int_equal(outcome.signal_count, 2);
    is(1, SIGNAL_READING, "M-2");
    take("$oc/devices/D-7/sys/events/up",
         "{\"services\":[{\"event_id\":\"e-1\",\"paras\":{\"alarm\":\"fall\"}}]}");
    is(0, SIGNAL_FALL, "D-7");
    assert_string_equal(outcome.signals[0].message_id, "e-1");
}

static void alink_is_read_and_answered(void **state)
{
    (void)state;
    take("/sys/p7/D-7/thing/event/property/post",
         "{\"id\":\"17\",\"params\":{\"total_l\":{\"value\":7.5,\"time\":1767323045000}}}");
    is(0, SIGNAL_READING, "D-7");
    assert_int_equal(outcome.signals[0].total_ml, 7500);
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767323045000000));
    assert_true(bytes_equal_text((struct bytes){outcome.topic, outcome.topic_size},
                                 "/sys/p7/D-7/thing/event/property/post_reply"));
    assert_true(bytes_equal_text((struct bytes){outcome.reply, outcome.reply_size},
                                 "{\"id\":\"17\",\"code\":200,\"data\":{},\"message\":\"success\","
                                 "\"version\":\"1.0\"}"));
    take("/sys/p7/D-7/thing/event/sos/post",
         "{\"id\":\"18\",\"sys\":{\"ack\":0},\"params\":{\"value\":{},\"time\":1767323045000}}");
    is(0, SIGNAL_PANIC, "D-7");
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(outcome.reply_size, 0);
    take("/sys/p7/D-7/thing/event/sos/post", "{\"params\":");
    is(0, SIGNAL_UNREADABLE, "D-7");
    take("/sys/p7/D-7/thing/event/dance/post", "{\"params\":{\"value\":{}}}");
    is(0, SIGNAL_HEARTBEAT, "D-7");
}

/* A convention as a section of the configuration gives it. */
static const struct json_mapping vendor[] = {{
    .name = "vendor",
    .topic = "acme/+/data",
    .identity_level = 1,
    .type_level = -1,
    .identity = "meter.no",
    .time = "report.at",
    .message = "seq",
    .values = "report",
    .device = DEVICE_METER,
    .names = {"dial", "used", "day", "cell", "warn|alert", 1000000, true, 480},
}};

static void take_as_vendor(const char *topic, const char *body)
{
    struct message message = {bytes_of(topic), bytes_of(body)};
    struct codec_environment environment = drive_environment();

    environment.mappings = vendor;
    environment.mapping_count = 1;
    drive(&meter_json_codec, &message, 0, &environment, &outcome);
}

static void a_convention_of_the_configuration_is_read(void **state)
{
    (void)state;
    take_as_vendor(
        "acme/M-1/data",
        "{\"meter\":{\"no\":77007700},\"seq\":5,\"report\":{\"at\":\"2026-01-02 11:04:05\","
        "\"dial\":\"12.345\",\"cell\":88}}");
    assert_int_equal(outcome.signal_count, 1);
    is(0, SIGNAL_READING, "77007700");
    assert_int_equal(outcome.signals[0].total_ml, 12345000);
    assert_int_equal(outcome.signals[0].battery_percent, 88);
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(outcome.signals[0].flags, 0);
    take_as_vendor("acme/M-1/data", "{\"report\":{\"at\":\"2026-01-02 11:04:05\",\"dial\":2,"
                                    "\"day\":[0.001,0,0.25]}}");
    assert_int_equal(outcome.signal_count, 3);
    is(2, SIGNAL_READING, "M-1");
    assert_int_equal(outcome.signals[0].interval_ml, 1000);
    assert_int_equal(outcome.signals[1].interval_ml, 0);
    assert_int_equal(outcome.signals[2].interval_ml, 250000);
    assert_int_equal(outcome.signals[0].occurred_at_us, INT64_C(1767315845000000));
    assert_int_equal(outcome.signals[1].total_ml, 1750000);
    assert_int_equal(outcome.signals[2].total_ml, 2000000);
    take_as_vendor("acme/M-1/data", "{\"seq\":6,\"report\":{\"warn\":\"leak\",\"dial\":2}}");
    is(0, SIGNAL_LEAK, "M-1");
    is(1, SIGNAL_READING, "M-1");
    assert_string_equal(outcome.signals[0].message_id, "6");
    take_as_vendor("acme/M-1/data", "{\"report\":{\"alert\":7}}");
    is(0, SIGNAL_PANIC, "M-1");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNKNOWN_CODE);
    take_as_vendor("acme/M-1/data", "{\"report\":{\"warn\":0,\"dial\":-1}}");
    is(0, SIGNAL_HEARTBEAT, "M-1");
    take_as_vendor("acme/M-1/other", "{}");
    assert_int_equal(outcome.signal_count, 0);
    take_as_vendor("onekey/v1/meter/7/up/alarm", "{\"type\":\"panic\"}");
    is(0, SIGNAL_PANIC, "7");
}

static void damage_breaks_no_promise(void **state)
{
    static const char *const messages[][2] = {
        {"wmbusmeters/7",
         "{\"media\":\"water\",\"id\":\"7\",\"total_m3\":1.5,\"status\":\"LEAK\"}"},
        {"v1/gateway/telemetry", "{\"M\":[{\"ts\":1767323045000,\"values\":{\"total_l\":7}}]}"},
        {"/sys/p/D/thing/event/fall/post", "{\"id\":\"1\",\"params\":{\"value\":{\"battery\":7}}}"},
    };
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct message message = {bytes_of(messages[i][0]), bytes_of(messages[i][1])};

        mutate_cut(&meter_json_codec, &message);
        mutate_flip(&meter_json_codec, &message, &random, 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_subscribed),
        cmocka_unit_test(wmbusmeters_is_read),
        cmocka_unit_test(chirpstack_is_read),
        cmocka_unit_test(hourly_lists_become_readings),
        cmocka_unit_test(the_things_stack_is_read),
        cmocka_unit_test(thingsboard_is_read),
        cmocka_unit_test(iotda_is_read),
        cmocka_unit_test(alink_is_read_and_answered),
        cmocka_unit_test(a_convention_of_the_configuration_is_read),
        cmocka_unit_test(damage_breaks_no_promise),
    };

    return cmocka_run_group_tests_name("json_mapping", tests, NULL, NULL);
}
