/* Water cut off: the bound for the chance of so many silent meters, and an area of homes on virtual time
 * whose mains fail while a home elsewhere is silent too. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/mains.h"
#include "tests/support/virtual_gateway.h"

#define HOMES 12 /* of the area; one more lives elsewhere */
#define ELSEWHERE HOMES
#define START_US (INT64_C(1700006400) * US_PER_SECOND) /* 2023-11-15 08:00 at home */
#define DAYS 28 /* and two hours: each home has used water this morning */

struct town {
    struct virtual_gateway world;
    struct device_entry devices[HOMES + 1];
    int64_t litres[HOMES + 1];
    int hour;
    int raised[HOMES + 1], explained[HOMES + 1];
};

static void on_alarm(void *context, const struct arrival *alarm)
{
    struct town *town = context;

    for (int i = 0; i <= HOMES; i++) {
        if (strcmp(alarm->signal.identity, town->devices[i].identity) != 0)
            continue;
        town->raised[i] += alarm->signal.kind == SIGNAL_SILENCE;
        town->explained[i] += alarm->signal.kind == SIGNAL_SILENCE_EXPLAINED;
    }
}

static void open_town(struct town *town)
{
    *town = (struct town){0};
    for (int i = 0; i <= HOMES; i++) {
        struct device_entry *meter = &town->devices[i];

        *meter = (struct device_entry){.protocol = (uint8_t)codec_find("meter_json"),
                                       .kind = DEVICE_METER,
                                       .device_id = i + 1,
                                       .household_id = i + 1,
                                       .area_id = i == ELSEWHERE ? 6 : 5};
        snprintf(meter->identity, sizeof(meter->identity), "WM-%d", i);
    }
    town->world = (struct virtual_gateway){
        .limits = {.devices_max = HOMES + 1,
                   .sessions_max = 1,
                   .outbox_bytes = 64 << 10,
                   .pledge_bytes = 8 << 10,
                   .recent_sets = 16},
        .settings = {.clock_wrong_us = US_PER_DAY,
                     .partial_frame_us = US_PER_MINUTE,
                     .keep_round_us = US_PER_HOUR,
                     .batch_records = 16,
                     .in_flight = 2,
                     .silence = silence_settings_default(),
                     .mains = mains_settings_default()},
        .devices = town->devices,
        .device_count = HOMES + 1,
        .on_alarm = on_alarm,
        .context = town,
        .now = {.mono_us = US_PER_HOUR, .wall_us = START_US},
    };
    virtual_start(&town->world);
}

/* An hour passes, in steps of ten minutes; then each meter reports. Water is used from 7 to 22 o'clock
 * where it `runs`. */
static void pass_hour(struct town *town, const bool runs[HOMES + 1])
{
    char topic[64], body[64];
    int64_t from_us = START_US + town->hour * US_PER_HOUR;
    int clock = (8 + town->hour) % 24;

    for (int i = 1; i <= 6; i++)
        virtual_advance(&town->world, from_us + i * 10 * US_PER_MINUTE);
    town->hour++;
    for (int i = 0; i <= HOMES; i++) {
        bool is_used = runs[i] && clock >= 7 && clock < 22 && (town->hour + i) % 5 != 0;

        town->litres[i] += is_used ? 10 : 0;
        snprintf(topic, sizeof(topic), "onekey/v1/meter/WM-%d/up/reading", i);
        snprintf(body, sizeof(body), "{\"total_l\":%lld}", (long long)town->litres[i]);
        virtual_publish(&town->world, topic, body);
    }
    virtual_advance(&town->world, from_us + US_PER_HOUR);
}

static void pass(struct town *town, int hours, bool in_area, bool in_home_0, bool elsewhere)
{
    bool runs[HOMES + 1];

    for (int i = 0; i <= HOMES; i++)
        runs[i] = i == 0 ? in_home_0 : i == ELSEWHERE ? elsewhere : in_area;
    for (int i = 0; i < hours; i++)
        pass_hour(town, runs);
}

static void forget(struct town *town)
{
    memset(town->raised, 0, sizeof(town->raised));
    memset(town->explained, 0, sizeof(town->explained));
}

static void crash(struct town *town)
{
    virtual_crash(&town->world);
    virtual_start(&town->world);
}

static struct gateway_figures figures_of(const struct town *town)
{
    return gateway_figures(town->world.gateway);
}

static struct gateway_counters counters_of(const struct town *town)
{
    return *gateway_counters(town->world.gateway);
}

static int sum(const int counts[HOMES + 1])
{
    int total = 0;

    for (int i = 0; i < HOMES; i++)
        total += counts[i];
    return total;
}

/* Hoeffding's bound is above the exact tail of a binomial distribution, and not far above. */
static void the_bound_is_one(void **state)
{
    (void)state;
    for (uint32_t silent = 7; silent <= 20; silent++) {
        double exact = 0;

        for (uint32_t k = silent; k <= 20; k++)
            exact += exp(lgamma(21) - lgamma(k + 1.0) - lgamma(21.0 - k) + k * log(0.3) +
                         (20 - k) * log(0.7));
        assert_true(mains_chance(20, silent, 6) >= exact);
        assert_true(mains_chance(20, silent, 6) < 10 * exact);
    }
    assert_true(mains_chance(20, 6, 6) == 1);
    assert_true(fabs(mains_chance(12, 12, 3) - pow(0.25, 12)) < 1e-12);
}

static void a_home_alone_is_raised(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    pass(&town, 14, true, false, true);
    assert_int_equal(town.raised[0], 1);
    assert_int_equal(sum(town.explained), 0);
    virtual_end(&town.world);
}

static void an_area_cut_off_is_explained(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    pass(&town, 6, false, false, false);
    assert_int_equal(counters_of(&town).mains_outages, 1);
    crash(&town); /* in the middle of it */
    assert_int_equal(figures_of(&town).mains_outages, 1);
    pass(&town, 6, false, false, false);
    assert_int_equal(sum(town.raised), 0);
    assert_int_equal(sum(town.explained), HOMES);
    assert_int_equal(town.raised[ELSEWHERE], 1); /* alone in its area */
    assert_int_equal(figures_of(&town).meters_in_mains_outages, HOMES);
    assert_int_equal(counters_of(&town).mains_outages, 0); /* since the start */

    /* Water is back at 22 o'clock, and used from the next morning on, but in one home. */
    pass(&town, 24, true, false, true);
    assert_int_equal(town.raised[0], 1);
    assert_int_equal(sum(town.raised), 1);
    assert_int_equal(figures_of(&town).mains_outages, 0);
    assert_int_equal(figures_of(&town).meters_in_mains_outages, 0);
    virtual_end(&town.world);
}

static void it_explains_a_day_at_most(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    pass(&town, 20, false, false, false);
    assert_int_equal(sum(town.raised), 0);
    pass(&town, 28, false, false, false);
    assert_int_equal(sum(town.raised), HOMES);
    virtual_end(&town.world);
}

/* Whatever befalls the daemon: the day is counted from the outage's beginning, and once. */
static void its_day_is_one_through_crashes(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    for (int i = 0; i < 4; i++) {
        pass(&town, 5, false, false, false);
        crash(&town);
    }
    assert_int_equal(sum(town.raised), 0);
    for (int i = 0; i < 6; i++) {
        pass(&town, 5, false, false, false);
        crash(&town);
    }
    assert_int_equal(sum(town.raised), HOMES);
    assert_int_equal(figures_of(&town).mains_outages, 0);
    virtual_end(&town.world);
}

/* For hours no daemon runs: what it finds then is the same outage, not a new one. */
static void it_lasts_while_no_daemon_runs(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    pass(&town, 6, false, false, false);
    town.hour += 6;
    town.world.now.wall_us += 6 * US_PER_HOUR;
    town.world.now.mono_us += 6 * US_PER_HOUR;
    crash(&town);
    pass(&town, 2, false, false, false);
    assert_int_equal(figures_of(&town).mains_outages, 1);
    assert_int_equal(counters_of(&town).mains_outages, 0);
    virtual_end(&town.world);
}

static void it_explains_nothing_if_switched_off(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    pass(&town, 6, false, false, false);
    assert_int_equal(figures_of(&town).mains_outages, 1);
    town.world.settings.mains.explains = false;
    gateway_configure(town.world.gateway, &town.world.settings);
    pass(&town, 18, false, false, false);
    assert_int_equal(sum(town.raised), HOMES);
    assert_int_equal(figures_of(&town).mains_outages, 0);
    assert_int_equal(figures_of(&town).meters_in_mains_outages, 0);
    virtual_end(&town.world);
}

/* Twelve meters tell of their area, but are too few to be believed. */
static void thresholds_are_kept(void **state)
{
    (void)state;
    struct town town;
    open_town(&town);
    town.world.settings.mains.meters_min = HOMES + 1;
    gateway_configure(town.world.gateway, &town.world.settings);
    pass(&town, 24 * DAYS + 2, true, true, true);
    forget(&town);
    pass(&town, 14, false, false, false);
    assert_int_equal(sum(town.raised), HOMES);
    assert_int_equal(counters_of(&town).mains_outages, 0);
    virtual_end(&town.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_is_one),
        cmocka_unit_test(a_home_alone_is_raised),
        cmocka_unit_test(an_area_cut_off_is_explained),
        cmocka_unit_test(it_explains_a_day_at_most),
        cmocka_unit_test(its_day_is_one_through_crashes),
        cmocka_unit_test(it_lasts_while_no_daemon_runs),
        cmocka_unit_test(it_explains_nothing_if_switched_off),
        cmocka_unit_test(thresholds_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
