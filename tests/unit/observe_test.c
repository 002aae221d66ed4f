/*
 * What devices say beyond alarms: which of it is the latest, how much of it becomes history, and that
 * the history is bounded whatever a device or the database does.
 */
#include "tests/support/gateway_fixture.h"

#include "daemon/base/random.h"
#include "tests/unit/seed.h"

#define BAND "W-OBSERVE"
#define BANDS 16 /* as many as the gateway has places for */

static void say(const char *body)
{
    fixture_publish_json("wristband", BAND, "heartbeat", body);
}

static void open_with_band(uint32_t history)
{
    fixture_open(history);
    fixture_device(7, "meter_json", BAND, DEVICE_WRISTBAND, "");
}

static void at_clock(char *out, size_t size, int64_t at_us, const char *rest)
{
    snprintf(out, size, "{\"at\":%lld,%s}", (long long)(at_us / 1000), rest);
}

static void the_latest_of_each_is_told_once(void **state)
{
    (void)state;
    open_with_band(16);
    say("{\"battery\":80,\"heart_rate\":70}");
    say("{\"battery\":79,\"lat\":31.2,\"lon\":121.5,\"accuracy_m\":30}");
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.touch_count, 1);

    const struct device_touch *touch = &fixture.touches[0];

    assert_string_equal(touch->identity, BAND);
    assert_int_equal(touch->latest.has,
                     MEASURE_BATTERY | MEASURE_HEART_RATE | MEASURE_POSITION | MEASURE_ACCURACY);
    assert_int_equal(touch->latest.battery_percent, 79);
    assert_int_equal(touch->latest.heart_rate, 70);
    assert_int_equal(touch->latest.longitude_e7, 1215000000);
    assert_int_equal(touch->latest.position_at_us, STARTED_US);
    assert_int_equal(touch->heard_us, STARTED_US);
    say("{}");
    fixture_pass(2 * US_PER_SECOND);
    assert_int_equal(fixture.touches[0].latest.has, 0); /* only that it lives */
    assert_int_equal(fixture.touches[0].heard_us, STARTED_US + US_PER_SECOND);
}

static void who_talks_without_pause_is_stored_every_other_second(void **state)
{
    int told = 0;

    (void)state;
    open_with_band(16);
    for (int tenth = 0; tenth < 100; tenth++) {
        fixture.touch_count = 0;
        say("{}");
        fixture_pass(US_PER_SECOND / 10);
        told += fixture.touch_count > 0;
    }
    assert_int_equal(told, 5);
    fixture.touch_count = 0;
    fixture_pass(2 * US_PER_SECOND); /* the last word too */
    assert_int_equal(fixture.touch_count, 1);
    assert_int_equal(fixture.touches[0].heard_us, STARTED_US + 99 * US_PER_SECOND / 10);
}

static void name_band(char name[16], uint64_t number)
{
    snprintf(name, 16, "W-%llu", (unsigned long long)number);
}

/* A turn, and what it told of each band. */
static void turn_and_take(int64_t us, int64_t told_us[BANDS])
{
    fixture.touch_count = 0;
    fixture_pass(us);
    for (size_t i = 0; i < fixture.touch_count; i++) {
        long number = strtol(fixture.touches[i].identity + 2, NULL, 10);

        if (fixture.touches[i].heard_us != 0) /* else it was replaced meanwhile: of no news */
            told_us[number] = fixture.touches[i].heard_us;
    }
}

/* Whoever speaks, whenever the database is away and whoever is replaced: the last word is told. */
static void the_last_word_of_each_is_told(void **state)
{
    int64_t heard_us[BANDS] = {0}, told_us[BANDS] = {0};
    struct random random;
    char name[16];

    (void)state;
    random_init(&random, test_seed());
    fixture_open(0);
    for (uint64_t i = 0; i < BANDS; i++) {
        name_band(name, i);
        fixture_device((int64_t)i + 1, "meter_json", name, DEVICE_WRISTBAND, "");
    }
    for (int step = 0; step < 20000; step++) {
        uint64_t number = random_below(&random, BANDS);

        name_band(name, number);
        if (random_below(&random, 200) == 0)
            fixture.database = !fixture.database;
        if (random_below(&random, 50) == 0) {
            gateway_device_removed(fixture.gateway, (uint8_t)codec_find("meter_json"), name,
                                   (int64_t)number + 1);
            fixture_device((int64_t)number + 1, "meter_json", name, DEVICE_WRISTBAND, "");
            heard_us[number] = 0;
        } else {
            fixture_publish_json("wristband", name, "heartbeat", "{}");
            heard_us[number] = fixture.now.wall_us;
        }
        turn_and_take((int64_t)random_below(&random, US_PER_SECOND / 4), told_us);
        turn_and_take(0, told_us); /* a round that was held up is over: the next may begin */
        assert_true(gateway_wake_at(fixture.gateway) > fixture.now.mono_us);
    }
    fixture.database = true;
    turn_and_take(0, told_us);
    turn_and_take(2 * US_PER_SECOND, told_us);
    for (int i = 0; i < BANDS; i++)
        assert_true(heard_us[i] == 0 || told_us[i] == heard_us[i]);
}

static void an_older_report_is_no_news(void **state)
{
    char body[128];

    (void)state;
    open_with_band(16);
    at_clock(body, sizeof(body), STARTED_US - US_PER_SECOND, "\"battery\":50");
    say(body);
    at_clock(body, sizeof(body), STARTED_US - US_PER_HOUR, "\"battery\":90,\"stored\":true");
    say(body);
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.touches[0].latest.battery_percent, 50);
    assert_int_equal(fixture.touches[0].latest.condition_at_us, STARTED_US - US_PER_SECOND);
    assert_int_equal(fixture.observed_count, 2); /* both are history */
    assert_int_equal(fixture.observed[1].at_us, STARTED_US - US_PER_HOUR);
    /* Of one turn, and yet rows of their own. */
    assert_true(fixture.observed[1].received_at_us > fixture.observed[0].received_at_us);
}

static void a_clock_that_cannot_be_is_kept_and_not_believed(void **state)
{
    char body[128];

    (void)state;
    open_with_band(16);
    at_clock(body, sizeof(body), STARTED_US - 400 * US_PER_DAY, "\"heart_rate\":70");
    say(body);
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed[0].occurred_at_us, STARTED_US - 400 * US_PER_DAY);
    assert_int_equal(fixture.observed[0].at_us, STARTED_US);
    assert_int_equal(fixture.observed[0].received_at_us, STARTED_US);
    gateway_observed(fixture.gateway, STORE_COMMITTED);
    fixture_pass(US_PER_MINUTE);
    /* A clock that is ahead, though not wrong: nothing is told to be later than now. */
    at_clock(body, sizeof(body), fixture.now.wall_us + US_PER_HOUR, "\"heart_rate\":71");
    say(body);
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed[0].said.heart_rate, 71);
    assert_int_equal(fixture.observed[0].at_us, fixture.now.wall_us - US_PER_SECOND);
}

static void one_row_of_each_group_an_interval(void **state)
{
    const struct gateway_counters *counters;

    (void)state;
    open_with_band(1000);
    counters = gateway_counters(fixture.gateway);
    for (int second = 0; second < 600; second++) { /* says everything each second for ten minutes */
        say("{\"battery\":80,\"heart_rate\":70,\"lat\":31.2,\"lon\":121.5}");
        fixture_pass(US_PER_SECOND);
        gateway_observed(fixture.gateway, STORE_COMMITTED);
    }
    assert_int_equal(counters->observations, 10);
    assert_int_equal(counters->observations_thinned, 590);
    say("{\"heart_rate\":70}"); /* its vitals are due, and again its battery: not one for another */
    say("{\"battery\":70}");
    say("{\"heart_rate\":72}");
    assert_int_equal(counters->observations, 12);
}

static void what_was_kept_comes_at_once_and_is_bounded(void **state)
{
    char body[128];

    (void)state;
    open_with_band(10000);
    for (int i = 0; i < 1000; i++) {
        at_clock(body, sizeof(body), STARTED_US - i * US_PER_SECOND,
                 "\"stored\":true,\"heart_rate\":70");
        say(body);
    }
    assert_int_equal(gateway_counters(fixture.gateway)->observations, DECODE_SIGNALS_MAX);
}

static void the_oldest_give_way_while_the_database_is_away(void **state)
{
    const struct gateway_counters *counters;
    char body[64];

    (void)state;
    open_with_band(4);
    counters = gateway_counters(fixture.gateway);
    fixture.database = false;
    for (int i = 1; i <= 6; i++) {
        snprintf(body, sizeof(body), "{\"battery\":%d}", i);
        say(body);
        fixture_pass(US_PER_MINUTE);
    }
    assert_int_equal(counters->observations_dropped, 2);
    assert_int_equal(gateway_figures(fixture.gateway).observations_waiting, 4);
    fixture.database = true;
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed_count, 4);
    assert_int_equal(fixture.observed[0].said.battery_percent, 3);
    fixture.observed_count = 0;
    fixture_pass(US_PER_SECOND); /* one batch at a time */
    assert_int_equal(fixture.observed_count, 0);
    gateway_observed(fixture.gateway, STORE_LOST);
    fixture_pass(US_PER_SECOND); /* the same again */
    assert_int_equal(fixture.observed_count, 4);
    fixture_pass(US_PER_MINUTE);
    say("{\"battery\":7}"); /* one of those in flight gives way */
    gateway_observed(fixture.gateway, STORE_COMMITTED);
    assert_int_equal(counters->observations_dropped, 3);
    assert_int_equal(gateway_figures(fixture.gateway).observations_waiting, 1);
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed_count, 1);
    assert_int_equal(fixture.observed[0].said.battery_percent, 7);
    gateway_observed(fixture.gateway, STORE_REFUSED); /* given up, or it would come for ever */
    assert_int_equal(counters->observations_refused, 1);
    assert_int_equal(gateway_figures(fixture.gateway).observations_waiting, 0);
}

static void strangers_and_readings_leave_no_history(void **state)
{
    (void)state;
    open_with_band(16);
    fixture_device(8, "meter_json", "WM-1", DEVICE_METER, "");
    fixture_publish_json("wristband", "nobody", "heartbeat", "{\"battery\":80}");
    fixture_publish_json("meter", "WM-1", "reading", "{\"total_l\":5,\"battery\":80}");
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed_count, 0);
    assert_int_equal(fixture.touches[0].latest.battery_percent, 80); /* of the meter */
    fixture.settings.observation_interval_us = 0;
    gateway_configure(fixture.gateway, &fixture.settings);
    say("{\"battery\":80}");
    fixture_pass(US_PER_SECOND);
    assert_int_equal(fixture.observed_count, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_latest_of_each_is_told_once),
        TEST(who_talks_without_pause_is_stored_every_other_second),
        TEST(the_last_word_of_each_is_told),
        TEST(an_older_report_is_no_news),
        TEST(a_clock_that_cannot_be_is_kept_and_not_believed),
        TEST(one_row_of_each_group_an_interval),
        TEST(what_was_kept_comes_at_once_and_is_bounded),
        TEST(the_oldest_give_way_while_the_database_is_away),
        TEST(strangers_and_readings_leave_no_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
