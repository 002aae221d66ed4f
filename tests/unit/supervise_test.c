/*
 * One device through the real gateway on virtual time: after exactly which silence it is lost. By its
 * supervision level, its class, its own report interval or the learned one, and after a start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/virtual_gateway.h"

#define SECONDS(n) ((n) * (int64_t)US_PER_SECOND)
#define MINUTES(n) SECONDS((n)*INT64_C(60))
#define HOURS(n) MINUTES((n)*INT64_C(60))
#define START_US SECONDS(INT64_C(1700000000))
#define GRACE_US MINUTES(5)
#define HOLD_OFF_US MINUTES(4)
#define EARLY_US HOURS(1)
#define TICK_US SECONDS(1) /* no decision is later */
#define NEVER INT64_MAX

struct watched {
    struct virtual_gateway world;
    struct device_entry device;
    int64_t lost_at_us; /* 0 = it is not */
    int lost, returned;
};

static void on_alarm(void *context, const struct arrival *alarm)
{
    struct watched *watched = context;

    if (alarm->signal.kind == SIGNAL_DEVICE_LOST) {
        watched->lost++;
        watched->lost_at_us = watched->world.now.wall_us;
    }
    watched->returned += alarm->signal.kind == SIGNAL_DEVICE_RETURNED;
}

static void watch(struct watched *watched, enum device_kind kind, int32_t level_s,
                  int32_t interval_s)
{
    *watched = (struct watched){.device = {.protocol = (uint8_t)codec_find("meter_json"),
                                           .kind = (uint8_t)kind,
                                           .supervised = true,
                                           .device_id = 1,
                                           .household_id = 1,
                                           .identity = "one",
                                           .supervision_s = level_s,
                                           .report_interval_s = interval_s}};
    watched->world = (struct virtual_gateway){
        .limits = {.devices_max = 1,
                   .sessions_max = 1,
                   .outbox_bytes = 64 << 10,
                   .pledge_bytes = 8 << 10,
                   .recent_sets = 16},
        .settings = {.clock_wrong_us = US_PER_DAY,
                     .partial_frame_us = US_PER_MINUTE,
                     .supervise_us = {[DEVICE_CALL_BOX] = HOURS(25),
                                      [DEVICE_WRISTBAND] = MINUTES(30),
                                      [DEVICE_METER] = HOURS(4)},
                     .hold_off_us = HOLD_OFF_US,
                     .startup_grace_us = GRACE_US,
                     .early_us = EARLY_US,
                     .interval_min_us = MINUTES(5),
                     .interval_max_us = HOURS(2),
                     .outage = {20, 30, US_PER_HOUR},
                     .keep_round_us = 10 * US_PER_MINUTE,
                     .batch_records = 16,
                     .in_flight = 2,
                     .silence = silence_settings_default()},
        .devices = &watched->device,
        .device_count = 1,
        .on_alarm = on_alarm,
        .context = watched,
        .now = {.mono_us = US_PER_HOUR, .wall_us = START_US},
    };
    virtual_start(&watched->world);
}

static void crash(struct watched *watched)
{
    virtual_crash(&watched->world);
    virtual_start(&watched->world);
}

/* Turns as the daemon would, and at the end of that time. */
static void pass(struct watched *watched, int64_t for_us)
{
    int64_t end_us = watched->world.now.wall_us + for_us;

    while (watched->world.now.wall_us < end_us) {
        int64_t wake_us = virtual_wake_at(&watched->world), keep_us;

        keep_us = watched->world.now.wall_us + US_PER_MINUTE;
        if (wake_us <= watched->world.now.wall_us)
            wake_us = watched->world.now.wall_us + US_PER_MS;
        wake_us = wake_us < keep_us ? wake_us : keep_us;
        virtual_advance(&watched->world, wake_us < end_us ? wake_us : end_us);
    }
}

static void report(struct watched *watched)
{
    virtual_publish(&watched->world, "onekey/v1/call_box/one/up/heartbeat", "{}");
    watched->lost_at_us = 0;
}

static void report_every(struct watched *watched, int64_t gap_us, int count)
{
    for (int i = 0; i < count; i++) {
        pass(watched, gap_us);
        report(watched);
    }
}

/* From now on it says nothing: how long until it is lost; NEVER in a month. */
static int64_t lost_after(struct watched *watched)
{
    int64_t from_us = watched->world.now.wall_us;

    while (watched->lost_at_us == 0 && watched->world.now.wall_us < from_us + 30 * US_PER_DAY)
        pass(watched, SECONDS(1));
    return watched->lost_at_us ? watched->lost_at_us - from_us : NEVER;
}

static void assert_about(int64_t found_us, int64_t wanted_us)
{
    if (found_us < wanted_us || found_us > wanted_us + TICK_US)
        print_error("%lld s instead of %lld\n", (long long)(found_us / US_PER_SECOND),
                    (long long)(wanted_us / US_PER_SECOND));
    assert_in_range(found_us, wanted_us, wanted_us + TICK_US);
}

/* --- levels and classes --- */

static void a_level_is_exact(void **state)
{
    static const int32_t levels_s[] = {90000, 18000, 180, 90};
    struct watched watched;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(levels_s); i++)
        for (enum device_kind kind = DEVICE_CALL_BOX; kind <= DEVICE_METER; kind++) {
            watch(&watched, kind, levels_s[i], 0);
            pass(&watched, GRACE_US);
            report_every(&watched, SECONDS(levels_s[i]) / 2, 10); /* teaches it nothing */
            assert_int_equal(watched.lost, 0);
            assert_about(lost_after(&watched), SECONDS(levels_s[i]));
            report(&watched);
            assert_int_equal(watched.returned, 1);
            assert_about(lost_after(&watched), SECONDS(levels_s[i]));
            assert_int_equal(watched.lost, 2);
            virtual_end(&watched.world);
        }
}

/* It speaks up a moment before each loss. */
static void within_a_level_nothing_is_told(void **state)
{
    static const int32_t levels_s[] = {90000, 18000, 180, 90};
    struct watched watched;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(levels_s); i++) {
        watch(&watched, DEVICE_CALL_BOX, levels_s[i], 0);
        report(&watched);
        report_every(&watched, SECONDS(levels_s[i]) - US_PER_MS, 20);
        assert_int_equal(watched.lost, 0);
        virtual_end(&watched.world);
    }
}

static void a_class_has_its_time(void **state)
{
    static const struct {
        enum device_kind kind;
        int64_t after_us;
    } classes[] = {{DEVICE_CALL_BOX, HOURS(25)},
                   {DEVICE_WRISTBAND, MINUTES(30)},
                   {DEVICE_METER, HOURS(4)},
                   {DEVICE_UNKNOWN, NEVER}};
    struct watched watched;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        watch(&watched, classes[i].kind, 0, 0);
        pass(&watched, GRACE_US);
        report(&watched);
        if (classes[i].after_us == NEVER)
            assert_true(lost_after(&watched) == NEVER);
        else
            assert_about(lost_after(&watched), classes[i].after_us);
        virtual_end(&watched.world);
    }
}

static void a_level_goes_before_all(void **state)
{
    struct watched watched;

    (void)state;
    watch(&watched, DEVICE_METER, 18000, 600);
    pass(&watched, GRACE_US);
    report_every(&watched, MINUTES(20), 20);
    assert_about(lost_after(&watched), SECONDS(18000));
    virtual_end(&watched.world);
}

/* --- the start --- */

static void a_start_grants_grace(void **state)
{
    struct watched watched;

    (void)state;
    watch(&watched, DEVICE_CALL_BOX, 180,
          0); /* never heard of: its silence begins when the grace ends */
    assert_about(lost_after(&watched), GRACE_US + SECONDS(180));
    report(&watched);

    pass(&watched, SECONDS(60));
    crash(&watched); /* heard of: what is left of its time is not known, so it gets all of it */
    watched.lost = 0;
    assert_about(lost_after(&watched), GRACE_US + SECONDS(180));
    assert_int_equal(watched.lost, 1);

    pass(&watched, HOURS(1));
    crash(&watched); /* lost: that is not told again */
    pass(&watched, HOURS(25));
    assert_int_equal(watched.lost, 1);
    assert_int_equal(watched.returned, 1);
    virtual_end(&watched.world);
}

static void missing_at_a_crash_has_the_hold_off_to_go(void **state)
{
    struct watched watched;

    (void)state;
    watch(&watched, DEVICE_CALL_BOX, 18000, 0);
    pass(&watched, GRACE_US);
    report(&watched);
    pass(&watched, SECONDS(18000) - HOLD_OFF_US / 2);
    crash(&watched);
    assert_about(lost_after(&watched), GRACE_US + HOLD_OFF_US);
    virtual_end(&watched.world);
}

/* A report while the grace lasts counts from its end. */
static void heard_in_the_grace(void **state)
{
    struct watched watched;

    (void)state;
    watch(&watched, DEVICE_CALL_BOX, 90, 0);
    pass(&watched, GRACE_US / 2);
    report(&watched);
    assert_about(lost_after(&watched), GRACE_US / 2 + SECONDS(90));
    virtual_end(&watched.world);
}

/* --- report intervals --- */

/* A meter that has reported so often at that interval. */
static void reporting(struct watched *watched, int64_t gap_us, int gaps)
{
    watch(watched, DEVICE_METER, 0, 0);
    pass(watched, GRACE_US);
    report(watched);
    report_every(watched, gap_us, gaps);
}

static void four_missed_reports_are_a_loss(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 7); /* a gap short of being believed */
    assert_about(lost_after(&watched), HOURS(4));
    virtual_end(&watched.world);
    reporting(&watched, MINUTES(20), 8);
    assert_about(lost_after(&watched), MINUTES(80));
    virtual_end(&watched.world);
    reporting(&watched, MINUTES(10), 20); /* four of them are too early */
    assert_about(lost_after(&watched), EARLY_US);
    virtual_end(&watched.world);
    reporting(&watched, MINUTES(90), 20); /* four of them are later than the class's time */
    assert_int_equal(watched.lost, 0);
    assert_about(lost_after(&watched), HOURS(6));
    virtual_end(&watched.world);
}

static void a_learned_interval_is_clamped(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, HOURS(3), 20);
    assert_int_equal(watched.lost, 0);
    assert_about(lost_after(&watched), 4 * HOURS(2)); /* interval_max */
    virtual_end(&watched.world);

    reporting(&watched, SECONDS(10), 20);
    watched.world.settings.early_us = MINUTES(1);
    gateway_configure(watched.world.gateway, &watched.world.settings);
    report(&watched);
    assert_about(lost_after(&watched), 4 * MINUTES(5)); /* interval_min */
    virtual_end(&watched.world);
}

static void a_given_interval_is_not_learned(void **state)
{
    struct watched watched;

    (void)state;
    watch(&watched, DEVICE_METER, 0, 1800);
    pass(&watched, GRACE_US);
    report_every(&watched, MINUTES(20), 20);
    assert_about(lost_after(&watched), 4 * MINUTES(30));
    virtual_end(&watched.world);
}

/* Between 15 and 25 minutes: it comes to rest where one gap in ten is longer. */
static void early_and_late_reports(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 8);
    for (int i = 0; i < 400; i++)
        report_every(&watched, MINUTES(15) + MINUTES(10) * (i * 37 % 100) / 100, 1);
    assert_int_equal(watched.lost, 0);
    assert_in_range(lost_after(&watched), 4 * MINUTES(22), 4 * MINUTES(25) + TICK_US);
    virtual_end(&watched.world);
}

static void doubled_reports_and_bursts(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 8);
    for (int i = 0; i < 50; i++) {
        report_every(&watched, MINUTES(20), 1);
        report_every(&watched, SECONDS(1), 1);
    }
    assert_in_range(lost_after(&watched), MINUTES(76), MINUTES(80) + TICK_US);
    virtual_end(&watched.world);

    reporting(&watched, MINUTES(20), 20);
    report_every(&watched, SECONDS(1), 6); /* what it had kept comes at once */
    assert_in_range(lost_after(&watched), MINUTES(65), MINUTES(80) + TICK_US);
    virtual_end(&watched.world);
}

static void one_gap_hardly_counts(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 20);
    report_every(&watched, HOURS(9), 1); /* a night without network */
    assert_int_equal(watched.lost, 1);
    assert_int_equal(watched.returned, 1);
    assert_in_range(lost_after(&watched), MINUTES(80), MINUTES(99));
    virtual_end(&watched.world);
}

static void an_interval_that_changes_is_followed(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 20);
    report_every(&watched, MINUTES(40), 10); /* it is slow to say that a device is lost */
    assert_int_equal(watched.lost, 0);
    assert_about(lost_after(&watched), MINUTES(160));
    virtual_end(&watched.world);

    reporting(&watched, MINUTES(40), 20);
    report_every(&watched, MINUTES(20), 10);
    assert_in_range(lost_after(&watched), MINUTES(110), MINUTES(140));
    report(&watched);
    report_every(&watched, MINUTES(20), 60);
    assert_about(lost_after(&watched), MINUTES(80));
    virtual_end(&watched.world);
}

static void what_was_learned_survives_a_crash(void **state)
{
    struct watched watched;

    (void)state;
    reporting(&watched, MINUTES(20), 20);
    pass(&watched, MINUTES(21)); /* a round of states */
    crash(&watched);
    assert_about(lost_after(&watched), GRACE_US + MINUTES(80));
    virtual_end(&watched.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_is_exact),
        cmocka_unit_test(within_a_level_nothing_is_told),
        cmocka_unit_test(a_class_has_its_time),
        cmocka_unit_test(a_level_goes_before_all),
        cmocka_unit_test(a_start_grants_grace),
        cmocka_unit_test(missing_at_a_crash_has_the_hold_off_to_go),
        cmocka_unit_test(heard_in_the_grace),
        cmocka_unit_test(four_missed_reports_are_a_loss),
        cmocka_unit_test(a_learned_interval_is_clamped),
        cmocka_unit_test(a_given_interval_is_not_learned),
        cmocka_unit_test(early_and_late_reports),
        cmocka_unit_test(doubled_reports_and_bursts),
        cmocka_unit_test(one_gap_hardly_counts),
        cmocka_unit_test(an_interval_that_changes_is_followed),
        cmocka_unit_test(what_was_learned_survives_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
