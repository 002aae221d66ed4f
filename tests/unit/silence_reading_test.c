/* Readings as they really come: each oddity has its rule, its bit and its test. */
#include "tests/unit/silence_fixture.h"

/* A reading of what ran since the one before (or in interval_s). */
static struct silence_verdict interval_at(struct meter *meter, double hour, double litres,
                                          int32_t interval_s)
{
    struct silence_reading reading = {.at_us = hour_us(hour),
                                      .heard_us = hour_us(hour),
                                      .volume_ml = (int64_t)(litres * 1000),
                                      .interval_s = interval_s};
    return silence_reading(&meter->silence, &meter->settings, &reading);
}

static struct meter lived_in(void)
{
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_FIXED);
    live(&meter, 0, 24 * 14 + 12);
    return meter;
}

#define NOON (24 * 14 + 12)

static void a_doubled_reading_changes_nothing(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    struct silence before = meter.silence;
    assert_int_equal(read_at(&meter, NOON, meter.total_ml).odd, SILENCE_ODD_DOUBLED);
    assert_memory_equal(&before, &meter.silence, sizeof(before));
    assert_int_equal(interval_at(&meter, NOON, 20, 3600).odd, SILENCE_ODD_DOUBLED);
    assert_memory_equal(&before, &meter.silence, sizeof(before));
}

static void a_late_total_is_in_the_later_one_already(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    struct silence before = meter.silence;
    assert_int_equal(read_at(&meter, NOON - 0.5, meter.total_ml - 9000).odd, SILENCE_ODD_LATE);
    assert_memory_equal(&before, &meter.silence, sizeof(before));
}

static void a_late_interval_with_a_use_is_a_sign_of_life(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    for (int hour = 1; hour <= 6; hour++)
        interval_at(&meter, hour, hour == 1 ? 20 : 0, 3600);
    struct silence_verdict verdict = interval_at(&meter, 3, 20, 3600);
    assert_int_equal(verdict.odd, SILENCE_ODD_LATE);
    assert_int_equal(meter.silence.quiet_us, hour_us(3));
    assert_int_equal(interval_at(&meter, 2, 20, 3600).odd, SILENCE_ODD_LATE);
    assert_int_equal(meter.silence.quiet_us, hour_us(3));
    assert_int_equal(meter.silence.seen_us, hour_us(6));
}

/* It could not send for three days, and now sends hour after hour what it kept. */
static void a_backlog_is_read_to_its_end_before_silence_is_told(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_GUARANTEE);
    live(&meter, 0, NOON);
    struct silence_reading reading = {.heard_us = hour_us(NOON + 72),
                                      .volume_ml = meter.total_ml,
                                      .cumulative = true,
                                      .stored = true};
    for (int hour = 1; hour <= 30; hour++) {
        reading.at_us = hour_us(NOON + hour);
        reading.volume_ml += hour % 4 == 0 ? 20000 : 0;
        assert_int_equal(silence_reading(&meter.silence, &meter.settings, &reading).raised, 0);
        assert_true(silence_due_at(&meter.silence, &meter.settings) > reading.heard_us);
    }
    /* And stops there: nothing is known of the last two days. */
    int64_t due_us = silence_due_at(&meter.silence, &meter.settings);
    assert_int_equal(due_us, reading.heard_us + 2 * US_PER_MINUTE);
    assert_int_equal(silence_due(&meter.silence, &meter.settings, due_us - 1).raised, 0);
    assert_true(silence_due(&meter.silence, &meter.settings, due_us).raised != 0);
}

static void a_wrong_clock_gives_way_to_the_arrival(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    struct silence_reading reading = {
        .heard_us = hour_us(NOON + 1), .volume_ml = meter.total_ml + 5000, .cumulative = true};
    const struct {
        int64_t at_us;
        bool stored;
        uint32_t odd;
        int64_t taken_us;
    } cases[] = {
        {hour_us(NOON + 9), false, SILENCE_ODD_CLOCK, hour_us(NOON + 1)}, /* in the future */
        {US_PER_DAY, false, SILENCE_ODD_CLOCK, hour_us(NOON + 1)},        /* 1970 */
        {0, false, 0, hour_us(NOON + 1)},                                 /* it has no clock */
        {hour_us(NOON + 1) + US_PER_MINUTE, false, 0, hour_us(NOON + 1) + US_PER_MINUTE},
        {hour_us(NOON) + US_PER_MINUTE, false, 0, hour_us(NOON) + US_PER_MINUTE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct meter copy = meter;
        reading.at_us = cases[i].at_us;
        struct silence_verdict verdict = silence_reading(&copy.silence, &copy.settings, &reading);
        assert_int_equal(verdict.odd, cases[i].odd);
        assert_int_equal(copy.silence.seen_us, cases[i].taken_us);
        assert_int_equal(copy.silence.quiet_us, cases[i].taken_us);
    }
    /* A week old: wrong unless the device stored it. */
    reading.at_us = hour_us(NOON - 24 * 7);
    struct meter copy = meter;
    assert_int_equal(silence_reading(&copy.silence, &copy.settings, &reading).odd,
                     SILENCE_ODD_CLOCK);
    reading.stored = true;
    copy = meter;
    assert_int_equal(silence_reading(&copy.silence, &copy.settings, &reading).odd,
                     SILENCE_ODD_LATE);
}

static void a_clock_hours_behind_raises_no_false_not_reporting(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    for (int hour = 1; hour <= 24 * 20; hour++) {
        bool awake = (hour - 1) % 24 >= 7 && (hour - 1) % 24 <= 21;
        meter.total_ml += awake ? 20000 : 0;
        struct silence_reading reading = {.at_us = hour_us(hour),
                                          .heard_us = hour_us(hour + 8),
                                          .volume_ml = meter.total_ml,
                                          .cumulative = true};
        silence_reading(&meter.silence, &meter.settings, &reading);
        int64_t next_us = reading.heard_us + US_PER_HOUR + 10 * US_PER_SECOND;
        assert_int_equal(silence_due(&meter.silence, &meter.settings, next_us).raised, 0);
    }
}

static void a_reset_the_meter_owns_up_to_is_a_new_base(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    struct silence_reading reading = {.at_us = hour_us(NOON + 1),
                                      .heard_us = hour_us(NOON + 1),
                                      .volume_ml = 40,
                                      .cumulative = true,
                                      .reset = true};
    struct silence_verdict verdict = silence_reading(&meter.silence, &meter.settings, &reading);
    assert_int_equal(verdict.odd, SILENCE_ODD_RESET);
    assert_int_equal(verdict.flags & SILENCE_USE, 0);
    verdict = read_at(&meter, NOON + 2, 3040);
    assert_int_equal(verdict.odd, 0);
    assert_int_equal(meter.silence.last_use_ml, 3000);
}

static void a_replaced_meter_is_believed_when_its_totals_fit(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    for (int i = 1; i <= 3; i++)
        assert_int_equal(read_at(&meter, NOON + i, i * 2000).odd, SILENCE_ODD_IMPLAUSIBLE);
    assert_int_equal(meter.silence.seen_us, hour_us(NOON));
    struct silence_verdict verdict = read_at(&meter, NOON + 4, 8000);
    assert_int_equal(verdict.odd & SILENCE_ODD_REPLACED, SILENCE_ODD_REPLACED);
    assert_int_equal(verdict.flags & SILENCE_USE, SILENCE_USE);
    assert_int_equal(meter.silence.last_use_ml, 2000);
    assert_int_equal(read_at(&meter, NOON + 5, 8000).odd, 0);
}

static void wild_totals_are_set_aside_at_most_24_times(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    int64_t good = meter.total_ml;
    assert_int_equal(read_at(&meter, NOON + 1, good + 999000000).odd, SILENCE_ODD_IMPLAUSIBLE);
    assert_int_equal(read_at(&meter, NOON + 2, 0).odd, SILENCE_ODD_IMPLAUSIBLE);
    struct silence_verdict verdict = read_at(&meter, NOON + 3, good + 4000);
    assert_int_equal(verdict.odd & SILENCE_ODD_IMPLAUSIBLE, 0);
    assert_int_equal(meter.silence.last_use_ml, 4000);
    for (int i = 1; i <= 23; i++) /* falls each time: they never fit each other */
        assert_int_equal(read_at(&meter, NOON + 3 + i, 90000000 - i * 1000000).odd,
                         SILENCE_ODD_IMPLAUSIBLE);
    assert_int_equal(read_at(&meter, NOON + 27, 50000000).odd & SILENCE_ODD_REPLACED,
                     SILENCE_ODD_REPLACED);
}

static void extreme_numbers_are_set_aside(void **state)
{
    (void)state;
    static const int64_t extremes[] = {INT64_MAX, INT64_MIN, INT64_C(1) << 50};
    for (size_t i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++) {
        struct meter meter = meter_with(SILENCE_LEARNED), fresh = {.settings = meter.settings};
        assert_int_equal(read_at(&meter, 1, extremes[i]).odd, SILENCE_ODD_IMPLAUSIBLE);
        silence_init(&fresh.silence, &fresh.settings);
        assert_int_equal(read_at(&fresh, 1, extremes[i]).odd, SILENCE_ODD_IMPLAUSIBLE);
        assert_int_equal(fresh.silence.seen_us, 0);
        struct silence_reading reading = {.at_us = extremes[i],
                                          .heard_us = hour_us(2),
                                          .volume_ml = 100002000,
                                          .cumulative = true,
                                          .stored = true};
        assert_int_equal(silence_reading(&meter.silence, &meter.settings, &reading).odd &
                             ~(uint32_t)SILENCE_ODD_LATE,
                         extremes[i] == INT64_C(1) << 50 ? 0 : SILENCE_ODD_CLOCK);
    }
}

static void a_counter_runs_past_its_last_digit(void **state)
{
    (void)state;
    static const int64_t spans_ml[] = {1000000000, 10000000000, 10000000000000, INT64_C(1) << 32};
    for (size_t i = 0; i < sizeof(spans_ml) / sizeof(spans_ml[0]); i++) {
        struct meter meter = meter_with(SILENCE_LEARNED);
        meter.silence.total_ml = spans_ml[i] - 3000;
        struct silence_verdict verdict = read_at(&meter, 1, 4000);
        assert_int_equal(verdict.odd, SILENCE_ODD_ROLLED_OVER);
        assert_int_equal(meter.silence.last_use_ml, 7000);
        assert_int_equal(read_at(&meter, 2, 5000).odd, 0);
        assert_int_equal(meter.silence.last_use_ml, 1000);
    }
}

static void what_flows_back_and_forth_is_no_use(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    int64_t total = meter.total_ml;
    assert_int_equal(read_at(&meter, NOON + 1, total - 4000).odd, SILENCE_ODD_REVERSE);
    struct silence_verdict verdict = read_at(&meter, NOON + 2, total);
    assert_int_equal(verdict.odd, 0);
    assert_int_equal(verdict.flags & SILENCE_USE, 0);
    assert_int_equal(interval_at(&meter, NOON + 3, -2, 3600).odd, SILENCE_ODD_REVERSE);
    assert_int_equal(interval_at(&meter, NOON + 4, -20, 3600).odd, SILENCE_ODD_IMPLAUSIBLE);
    assert_int_equal(interval_at(&meter, NOON + 4, 9000, 3600).odd, SILENCE_ODD_IMPLAUSIBLE);
    assert_int_equal(meter.silence.quiet_us, hour_us(NOON));
}

static void lost_reports_only_lengthen_the_interval(void **state)
{
    (void)state;
    struct meter meter = lived_in();
    struct silence_verdict verdict = use_at(&meter, NOON + 5, 30);
    assert_int_equal(verdict.odd, SILENCE_ODD_GAP);
    assert_int_equal(meter.silence.quiet_us, hour_us(NOON + 5));
    /* An interval that covers only its own hour says nothing of the hours before it. */
    float night = meter.silence.hazard[0][18];
    interval_at(&meter, NOON + 11, 0, 3600);
    assert_float_equal(meter.silence.hazard[0][18], night, 1e-7);
    assert_int_equal(meter.silence.counted_us, hour_us(NOON + 11));
}

static void ten_litre_pulses_are_uses_and_are_told(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_FIXED);
    uint32_t odd = 0;
    for (int hour = 1; hour <= 24 * 10; hour++) {
        struct silence_verdict verdict = use_at(&meter, hour, hour % 5 == 0 ? 10 : 0);
        assert_int_equal(verdict.raised, 0);
        assert_int_equal(odd & verdict.odd, 0); /* once */
        odd |= verdict.odd;
    }
    assert_int_equal(odd, SILENCE_ODD_COARSE);
    assert_int_equal(use_at(&meter, 24 * 10 + 1, 0).flags & SILENCE_COARSE, SILENCE_COARSE);
    assert_int_equal(use_at(&meter, 24 * 10 + 2, 3).flags & SILENCE_COARSE, 0);
}

/* From 5 minutes to a day between reports, as totals or as intervals: the same home is noticed. */
static void every_pace_of_reporting_works(void **state)
{
    (void)state;
    static const int paces_minutes[] = {5, 15, 60, 240, 1440};
    for (size_t i = 0; i < 2 * sizeof(paces_minutes) / sizeof(paces_minutes[0]); i++) {
        int pace = paces_minutes[i / 2], raised_at = 0;
        struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_GUARANTEE);
        for (int minute = 1; minute <= 60 * 24 * 32 && raised_at == 0; minute++) {
            int hour = (minute - 1) / 60 % 24;
            bool lives = minute <= 60 * (24 * 28 + 12);
            if (lives && hour >= 7 && hour <= 21 && minute % 30 == 0)
                meter.total_ml += 10000;
            if (minute % pace != 0)
                continue;
            struct silence_reading reading = {.at_us = hour_us(minute / 60.0),
                                              .heard_us = hour_us(minute / 60.0),
                                              .volume_ml = meter.total_ml,
                                              .cumulative = i % 2 == 0};
            if (!reading.cumulative) {
                reading.volume_ml = meter.total_ml - 100000000;
                reading.interval_s = pace * 60;
                meter.total_ml = 100000000;
            }
            struct silence_verdict verdict =
                silence_reading(&meter.silence, &meter.settings, &reading);
            if (minute > 60 * 24 * 14) /* it knows the home */
                raised_at = verdict.raised ? minute : 0;
        }
        assert_in_range(raised_at, 60 * (24 * 28 + 12) + 60, 60 * (24 * 28 + 12) + 60 * 24 + pace);
    }
}

/* A day's readings in one transmission: judged as of their own times, awaited by the transmission. */
static void readings_that_come_in_bundles_are_taken_in_turn(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_GUARANTEE);
    for (int day = 0; day < 20; day++) {
        for (int hour = 1; hour <= 24; hour++) {
            meter.total_ml += hour >= 8 && hour <= 22 ? 20000 : 0;
            struct silence_reading reading = {.at_us = hour_us(day * 24 + hour),
                                              .heard_us = hour_us(day * 24 + 24),
                                              .volume_ml = meter.total_ml,
                                              .cumulative = true};
            struct silence_verdict verdict =
                silence_reading(&meter.silence, &meter.settings, &reading);
            assert_int_equal(verdict.raised, 0);
        }
        int64_t next_us = hour_us(day * 24 + 48);
        if (day > 12) /* by now it knows that the next bundle comes in a day */
            assert_int_equal(silence_due(&meter.silence, &meter.settings, next_us).raised, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubled_reading_changes_nothing),
        cmocka_unit_test(a_late_total_is_in_the_later_one_already),
        cmocka_unit_test(a_late_interval_with_a_use_is_a_sign_of_life),
        cmocka_unit_test(a_backlog_is_read_to_its_end_before_silence_is_told),
        cmocka_unit_test(a_wrong_clock_gives_way_to_the_arrival),
        cmocka_unit_test(a_clock_hours_behind_raises_no_false_not_reporting),
        cmocka_unit_test(a_reset_the_meter_owns_up_to_is_a_new_base),
        cmocka_unit_test(a_replaced_meter_is_believed_when_its_totals_fit),
        cmocka_unit_test(wild_totals_are_set_aside_at_most_24_times),
        cmocka_unit_test(extreme_numbers_are_set_aside),
        cmocka_unit_test(a_counter_runs_past_its_last_digit),
        cmocka_unit_test(what_flows_back_and_forth_is_no_use),
        cmocka_unit_test(lost_reports_only_lengthen_the_interval),
        cmocka_unit_test(ten_litre_pulses_are_uses_and_are_told),
        cmocka_unit_test(every_pace_of_reporting_works),
        cmocka_unit_test(readings_that_come_in_bundles_are_taken_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
