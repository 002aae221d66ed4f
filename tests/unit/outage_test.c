/*
 * Devices of a street that fall silent together, through the real gateway on virtual time: one outage,
 * one ticket each for what an outage does not explain, nothing hidden of a home that calls for help,
 * and no word more for a restart in the middle of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "tests/support/virtual_gateway.h"
#include "tests/unit/seed.h"

#define DEVICES 2800
#define STREET 2000 /* of them stand in one street-town, in 20 neighbourhoods */
#define NEIGHBOURHOODS 20
#define STREET_ID 7
#define AREA_ID 100                   /* of the first neighbourhood */
#define BEAT_US (100 * US_PER_SECOND) /* and half as much more or less */
#define LEVEL_US (600 * US_PER_SECOND)
#define HOLD_OFF_US (240 * US_PER_SECOND) /* longer than the last beats lie apart */
#define START_US (INT64_C(1700000000) * US_PER_SECOND)
#define STEP_US US_PER_SECOND
#define ALARMS_MAX 20000

struct town {
    struct virtual_gateway world;
    struct random random;
    struct device_entry devices[DEVICES];
    bool silent[DEVICES];
    int64_t beat_at_us[DEVICES];
    struct {
        uint8_t kind;
        uint64_t number;
        char identity[IDENTITY_LIMIT + 1], code[CODE_LIMIT + 1];
        char detail[ARRIVAL_DETAIL_MAX + 1];
    } alarms[ALARMS_MAX];
    int alarm_count;
};

static void on_alarm(void *context, const struct arrival *alarm)
{
    struct town *town = context;

    assert_true(town->alarm_count < ALARMS_MAX);
    town->alarms[town->alarm_count].kind = alarm->signal.kind;
    town->alarms[town->alarm_count].number = alarm->number;
    memcpy(town->alarms[town->alarm_count].identity, alarm->signal.identity, IDENTITY_LIMIT + 1);
    memcpy(town->alarms[town->alarm_count].code, alarm->signal.code, CODE_LIMIT + 1);
    memcpy(town->alarms[town->alarm_count].detail, alarm->detail.data, alarm->detail.size);
    town->alarm_count++;
}

static int count(const struct town *town, enum signal_kind kind, const char *about)
{
    int found = 0;

    for (int i = 0; i < town->alarm_count; i++)
        found += town->alarms[i].kind == kind &&
                 (!about || strcmp(town->alarms[i].identity, about) == 0);
    return found;
}

/* Of these, how many lost devices are not told as returned since. */
static int lost_now(const struct town *town)
{
    return count(town, SIGNAL_DEVICE_LOST, NULL) - count(town, SIGNAL_DEVICE_RETURNED, NULL);
}

static void say(struct town *town, int device, const char *what, const char *body)
{
    char topic[96];

    snprintf(topic, sizeof(topic), "onekey/v1/call_box/%s/up/%s", town->devices[device].identity,
             what);
    virtual_publish(&town->world, topic, body);
}

/* Lives on: every device that is not silent beats. */
static void live(struct town *town, int64_t for_us)
{
    int64_t end_us = town->world.now.wall_us + for_us;

    while (town->world.now.wall_us < end_us) {
        virtual_advance(&town->world, town->world.now.wall_us + STEP_US);
        for (int i = 0; i < DEVICES; i++) {
            if (town->silent[i] || town->beat_at_us[i] > town->world.now.wall_us)
                continue;
            say(town, i, "heartbeat", "{}");
            town->beat_at_us[i] = town->world.now.wall_us + BEAT_US / 2 +
                                  (int64_t)random_below(&town->random, (uint64_t)BEAT_US);
        }
    }
}

static struct town *found(uint32_t devices_min, int64_t hold_off_us)
{
    struct town *town = calloc(1, sizeof(*town));

    random_init(&town->random, test_seed());
    for (int i = 0; i < DEVICES; i++) {
        struct device_entry *entry = &town->devices[i];

        *entry = (struct device_entry){
            .protocol = (uint8_t)codec_find("meter_json"),
            .kind = DEVICE_CALL_BOX,
            .supervised = true,
            .device_id = i + 1,
            .household_id = i / 2 + 1,
            .area_id = i < STREET ? AREA_ID + i % NEIGHBOURHOODS : 900 + i % 7,
            .parent_area_id = i < STREET ? STREET_ID : 8,
        };
        snprintf(entry->identity, sizeof(entry->identity), "box-%04d", i);
        memcpy(entry->carrier, i % 2 ? "46000" : "46001", 6);
    }
    town->world = (struct virtual_gateway){
        .limits = {.devices_max = DEVICES,
                   .sessions_max = 1,
                   .outbox_bytes = 4 << 20,
                   .pledge_bytes = 64 << 10,
                   .recent_sets = 64},
        .settings = {.clock_wrong_us = US_PER_DAY,
                     .partial_frame_us = US_PER_MINUTE,
                     .supervise_us = {[DEVICE_CALL_BOX] = LEVEL_US},
                     .hold_off_us = hold_off_us,
                     .startup_grace_us = 30 * US_PER_SECOND,
                     .interval_min_us = US_PER_SECOND,
                     .interval_max_us = US_PER_DAY,
                     .outage = {devices_min, 30, US_PER_HOUR},
                     .alarm_open_us = US_PER_DAY,
                     .keep_round_us = 10 * US_PER_MINUTE,
                     .batch_records = 64,
                     .in_flight = 2,
                     .silence = silence_settings_default()},
        .devices = town->devices,
        .device_count = DEVICES,
        .on_alarm = on_alarm,
        .context = town,
        .now = {.mono_us = US_PER_HOUR, .wall_us = START_US},
    };
    virtual_start(&town->world);
    live(town, 5 * US_PER_MINUTE);
    return town;
}

static void leave(struct town *town)
{
    virtual_end(&town->world);
    free(town);
}

/* The devices first … first + count - 1 fall silent, or come back, within a minute. */
static void switch_off(struct town *town, int first, int count_of, bool off)
{
    for (int part = 0; part < 60; part++) {
        for (int i = first + part * count_of / 60; i < first + (part + 1) * count_of / 60; i++) {
            town->silent[i] = off;
            town->beat_at_us[i] = town->world.now.wall_us;
        }
        live(town, US_PER_SECOND);
    }
}

static void test_one_street_is_one_outage(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US + US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    assert_int_equal(count(town, SIGNAL_OUTAGE, "area:7"), 1);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 0);
    assert_non_null(strstr(town->alarms[0].detail, "\"cause\":\"area\""));
    assert_non_null(strstr(town->alarms[0].detail, "\"of\":2000"));
    assert_non_null(strstr(town->alarms[0].detail, "\"devices\":[\"box-"));
    assert_int_equal(gateway_figures(town->world.gateway).devices_in_outages, STREET);
    assert_int_equal(gateway_figures(town->world.gateway).devices_lost, STREET);
    live(town, 40 * US_PER_MINUTE);
    assert_int_equal(town->alarm_count, 1);
    switch_off(town, 0, STREET, false);
    live(town, 2 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE_ENDED, "area:7"), 1);
    assert_int_equal(town->alarm_count, 2);
    live(town, 40 * US_PER_MINUTE);
    assert_int_equal(town->alarm_count, 2);
    assert_int_equal(gateway_figures(town->world.gateway).outages, 0);
    assert_int_equal(gateway_figures(town->world.gateway).devices_lost, 0);
    leave(town);
}

/* Box 4 and 5 are one home, 6 and 7 another. */
static void test_a_home_that_calls_for_help_is_told_by_itself(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    say(town, 4, "alarm", "{\"id\":\"before\",\"type\":\"panic\"}");
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US + US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 2);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0004"), 1);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0005"), 1);
    say(town, 6, "alarm", "{\"id\":\"amid\",\"type\":\"panic\"}");
    virtual_advance(&town->world, town->world.now.wall_us + 1);
    assert_int_equal(count(town, SIGNAL_PANIC, "box-0006"), 1);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0006"), 0);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0007"), 1);
    live(town, US_PER_HOUR);
    /* It is on battery and says no more. */
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0006"), 1);
    assert_int_equal(lost_now(town), 4);
    virtual_start(&town->world); /* the homes' calls are remembered */
    live(town, US_PER_HOUR);
    assert_int_equal(lost_now(town), 4);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    leave(town);
}

static void test_what_does_not_come_back_is_lost_by_itself(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US + US_PER_MINUTE);
    switch_off(town, 0, STREET - 5, false);
    live(town, US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE_ENDED, NULL), 1);
    live(town, LEVEL_US);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 5);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-1999"), 1);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    leave(town);
}

/* A neighbourhood stays dark: once nobody else comes back, it is an outage of its own. */
static void test_what_is_left_of_a_street_is_a_neighbourhood(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US + US_PER_MINUTE);
    for (int i = 0; i < STREET; i++)
        town->silent[i] = i % NEIGHBOURHOODS == 3;
    live(town, 10 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE_ENDED, NULL), 0);
    live(town, US_PER_HOUR + LEVEL_US);
    assert_int_equal(count(town, SIGNAL_OUTAGE_ENDED, "area:7"), 1);
    assert_int_equal(count(town, SIGNAL_OUTAGE, "area:103"), 1);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 2);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 0);
    leave(town);
}

static void test_a_restart_says_nothing(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US - HOLD_OFF_US / 2); /* some are missing, none is lost yet */
    virtual_start(&town->world);
    live(town, LEVEL_US + US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, "area:7"), 1);
    for (int i = 0; i < 4; i++) {
        virtual_start(&town->world);
        live(town,
             US_PER_HOUR); /* what was decided has long left the journal, but for the rounds */
    }
    assert_int_equal(town->alarm_count, 1);
    assert_true(town->world.checkpoint > town->alarms[0].number);
    assert_int_equal(gateway_figures(town->world.gateway).devices_in_outages, STREET);
    switch_off(town, 0, STREET / 2, false);
    virtual_start(&town->world);
    switch_off(town, STREET / 2, STREET / 2, false);
    live(town, 20 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE_ENDED, "area:7"), 1);
    assert_int_equal(town->alarm_count, 2);
    assert_int_equal(gateway_figures(town->world.gateway).devices_lost, 0);
    leave(town);
}

/* Lost long ago, alone, and back only after a restart whose journal does not know of it any more. */
static void test_a_lone_loss_is_remembered(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    town->silent[17] = true;
    live(town, LEVEL_US + 45 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, "box-0017"), 1);
    assert_true(town->world.checkpoint > town->alarms[0].number);
    virtual_start(&town->world);
    live(town, 20 * US_PER_MINUTE);
    assert_int_equal(town->alarm_count, 1);
    town->silent[17] = false;
    live(town, 2 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_DEVICE_RETURNED, "box-0017"), 1);
    assert_int_equal(town->alarm_count, 2);
    leave(town);
}

/* Without a hold-off the first ones are told before it is seen that they are many. */
static void test_the_first_ones_are_merged(void **state)
{
    struct town *town = found(20, 0);

    (void)state;
    switch_off(town, 0, STREET, true);
    live(town, LEVEL_US + 2 * US_PER_MINUTE);
    assert_true(count(town, SIGNAL_DEVICE_LOST, NULL) >= 19);
    assert_int_equal(lost_now(town), 0);
    assert_int_equal(gateway_figures(town->world.gateway).devices_in_outages, STREET);
    for (int i = 0; i < town->alarm_count; i++)
        if (town->alarms[i].kind == SIGNAL_DEVICE_RETURNED) {
            assert_string_equal(town->alarms[i].code, "outage");
            assert_non_null(strstr(town->alarms[i].detail, "{\"outage\":\"area:"));
        }
    leave(town);
}

/* Every other device has the same carrier; a few others are lost besides. */
static void test_the_cause_is_what_explains_most(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    for (int i = 1; i < DEVICES; i += 2)
        town->silent[i] = true;
    for (int i = 0; i < 40; i += 20)
        town->silent[i] = true;
    live(town, LEVEL_US + HOLD_OFF_US + 2 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, "carrier:46000"), 1);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 2);
    leave(town);
}

static void test_all_is_one_outage(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, DEVICES, true);
    live(town, LEVEL_US + 2 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 1);
    assert_int_equal(town->alarm_count, 1);
    leave(town);
}

static void test_few_are_no_outage(void **state)
{
    struct town *town = found(20, HOLD_OFF_US);

    (void)state;
    switch_off(town, 0, 19, true);
    live(town, LEVEL_US + 2 * US_PER_MINUTE);
    assert_int_equal(count(town, SIGNAL_OUTAGE, NULL), 0);
    assert_int_equal(count(town, SIGNAL_DEVICE_LOST, NULL), 19);
    leave(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_street_is_one_outage),
        cmocka_unit_test(test_a_home_that_calls_for_help_is_told_by_itself),
        cmocka_unit_test(test_what_does_not_come_back_is_lost_by_itself),
        cmocka_unit_test(test_what_is_left_of_a_street_is_a_neighbourhood),
        cmocka_unit_test(test_a_restart_says_nothing),
        cmocka_unit_test(test_a_lone_loss_is_remembered),
        cmocka_unit_test(test_the_first_ones_are_merged),
        cmocka_unit_test(test_the_cause_is_what_explains_most),
        cmocka_unit_test(test_all_is_one_outage),
        cmocka_unit_test(test_few_are_no_outage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
