/*
 * Batteries: one alarm an episode, whoever says that they are low, and one restore.
 */
#include "tests/support/gateway_fixture.h"

#include "daemon/core/battery.h"

#define BAND "W-BATTERY"

static void the_limits_leave_a_gap(void **state)
{
    const struct battery_limits limits = {15, 30}, off = {0, 30};

    (void)state;
    assert_int_equal(battery_judge(&limits, false, 16), BATTERY_SAME);
    assert_int_equal(battery_judge(&limits, false, 15), BATTERY_FELL);
    assert_int_equal(battery_judge(&limits, true, 15), BATTERY_SAME);
    assert_int_equal(battery_judge(&limits, true, 29), BATTERY_SAME);
    assert_int_equal(battery_judge(&limits, true, 30), BATTERY_ROSE);
    assert_int_equal(battery_judge(&off, false, 0), BATTERY_SAME);
}

static void open_gateway(void)
{
    struct device_entry entry = {.protocol = (uint8_t)codec_find("meter_json"),
                                 .kind = DEVICE_WRISTBAND,
                                 .device_id = 1,
                                 .household_id = 1,
                                 .supervised = true,
                                 .identity = BAND};

    fixture_open(0);
    fixture.settings.battery = (struct battery_limits){15, 30};
    gateway_configure(fixture.gateway, &fixture.settings);
    assert_true(gateway_device(fixture.gateway, &entry));
}

static void tell(int percent)
{
    char body[32];

    snprintf(body, sizeof(body), "{\"battery\":%d}", percent);
    fixture_publish_json("wristband", BAND, "heartbeat", body);
}

static void expect(const enum signal_kind *kinds, int count)
{
    assert_int_equal(fixture.alarm_count, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(fixture.alarms[i].kind, kinds[i]);
}

static void a_percentage_makes_one_episode(void **state)
{
    static const int percents[] = {80, 16, 15, 9, 14, 16, 29, 12, 31, 90, 29, 10};
    static const enum signal_kind kinds[] = {SIGNAL_LOW_BATTERY, SIGNAL_BATTERY_RESTORED,
                                             SIGNAL_LOW_BATTERY};

    (void)state;
    open_gateway();
    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
        tell(percents[i]);
    expect(kinds, 3);
    assert_string_equal(fixture.alarms[0].identity, BAND);
}

static void what_the_device_says_itself_is_the_same_episode(void **state)
{
    static const enum signal_kind kinds[] = {SIGNAL_LOW_BATTERY, SIGNAL_BATTERY_RESTORED};

    (void)state;
    open_gateway();
    fixture_publish_json("wristband", BAND, "alarm", "{\"type\":\"low_battery\",\"battery\":10}");
    tell(9);
    tell(40);
    tell(90);
    expect(kinds, 2);
}

static void its_own_word_ends_the_episode(void **state)
{
    static const enum signal_kind kinds[] = {SIGNAL_LOW_BATTERY, SIGNAL_BATTERY_RESTORED};

    (void)state;
    open_gateway();
    tell(10);
    fixture_publish_json("wristband", BAND, "alarm", "{\"type\":\"battery_restored\"}");
    tell(90);
    expect(kinds, 2);
}

/* It would open and close a ticket with each report. */
static void one_that_is_low_and_full_is_not_restored_by_its_percentage(void **state)
{
    static const enum signal_kind kinds[] = {SIGNAL_LOW_BATTERY};

    (void)state;
    open_gateway();
    fixture_publish_json("wristband", BAND, "alarm", "{\"type\":\"low_battery\",\"battery\":90}");
    tell(90);
    expect(kinds, 1);
}

static void what_was_kept_or_forged_or_is_in_store_raises_nothing(void **state)
{
    (void)state;
    open_gateway();
    fixture_publish_json("wristband", BAND, "heartbeat", "{\"battery\":5,\"stored\":true}");
    fixture_device(2, "meter_json", "in store", DEVICE_WRISTBAND, "");
    fixture_publish_json("wristband", "in store", "heartbeat", "{\"battery\":5}");
    fixture_device(1, "meter_json", BAND, DEVICE_WRISTBAND, "a secret");
    tell(5);
    expect(NULL, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limits_leave_a_gap),
        TEST(a_percentage_makes_one_episode),
        TEST(what_the_device_says_itself_is_the_same_episode),
        TEST(its_own_word_ends_the_episode),
        TEST(one_that_is_low_and_full_is_not_restored_by_its_percentage),
        TEST(what_was_kept_or_forged_or_is_in_store_raises_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
