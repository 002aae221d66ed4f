#include "daemon/base/random.h"
#include "daemon/core/silence_record.h"
#include "tests/unit/seed.h"
#include "tests/unit/silence_fixture.h"

#include <math.h>

/* --- the learned rule --------------------------------------------------------------------------- */

static void learns_when_this_home_uses_water(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    struct silence_detail detail;
    live(&meter, 0, 24 * 28);
    silence_describe(&meter.silence, &meter.settings, hour_us(24 * 28 + 12.5), &detail);
    assert_true(detail.usual_chance > 0.9F); /* noon on a Monday */
    silence_describe(&meter.silence, &meter.settings, hour_us(24 * 28 + 3.5), &detail);
    assert_true(detail.usual_chance < 0.1F);
    assert_true(detail.actual_l[19] == 0 || detail.actual_l[19] == 20);
}

static void raises_sooner_by_day_than_by_night_and_once(void **state)
{
    (void)state;
    struct meter day = meter_with(SILENCE_LEARNED);
    live(&day, 0, 24 * 28 + 10);
    struct meter night = day;
    live(&night, 24 * 28 + 10, 24 * 28 + 22);
    int by_day = quiet_until(&day, 24 * 28 + 10, 24 * 30, SILENCE_LEARNED) - (24 * 28 + 10);
    int by_night = quiet_until(&night, 24 * 28 + 22, 24 * 30, SILENCE_LEARNED) - (24 * 28 + 22);
    assert_in_range(by_day, 1, 8);
    assert_in_range(by_night, by_day + 3, 14);
    assert_int_equal(quiet_until(&day, 24 * 28 + 10 + by_day, 24 * 30, SILENCE_QUIET), 0);
    struct silence_verdict verdict = use_at(&day, 24 * 30 + 1, 5);
    assert_int_equal(verdict.ended, SILENCE_LEARNED);
    assert_int_equal(verdict.since_us, hour_us(24 * 28 + 10));
}

static void a_dripping_leak_is_no_life(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    meter.settings.leak_floor = true;
    for (int hour = 1; hour <= 24 * 21; hour++)
        use_at(&meter, hour, 2 + ((hour - 1) % 24 >= 7 && (hour - 1) % 24 <= 21 ? 20 : 0));
    int raised = 0;
    for (int hour = 24 * 21 + 1; hour <= 24 * 23 && !raised; hour++)
        raised = use_at(&meter, hour, 2).raised ? hour : 0;
    assert_in_range(raised, 24 * 21 + 9, 24 * 21 + 24);
}

/* E at a moment, summed minute by minute straight from the profile. */
static double effective_by_minutes(const struct silence *silence, double from_hour, double to_hour)
{
    double lambda = (double)silence->lambda;
    double quiet = (double)(silence->quiet_us - MONDAY_US) / US_PER_HOUR;
    for (double at = from_hour; at < to_hour - 1e-9; at += 1.0 / 60) {
        int hour = (int)floor(at + 1e-6);
        int kind = hour / 24 % 7 >= 5;
        lambda += (double)silence->hazard[kind][hour % 24] / 60;
    }
    return to_hour - quiet + 10 * log(1 + (double)silence->activity * lambda / 4);
}

/* A meter that lived some random weeks and is silent for some hours. */
static struct meter random_meter(struct random *random, uint32_t rules)
{
    struct meter meter = meter_with(rules);
    int hours = 24 * 7 + (int)random_below(random, 24 * 21), quiet = (int)random_below(random, 7);
    double lively = random_fraction(random);
    for (int hour = 1; hour <= hours; hour++)
        use_at(&meter, hour, hour == hours || random_fraction(random) < lively ? 3 : 0);
    for (int hour = hours + 1; hour <= hours + quiet; hour++)
        use_at(&meter, hour, 0);
    return meter;
}

static void its_deadline_is_when_e_passes_theta(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, test_seed());
    for (int round = 0; round < 300; round++) {
        struct meter meter = random_meter(&random, SILENCE_LEARNED);
        if (meter.silence.open != 0)
            continue; /* raised already */
        int64_t deadline_us = silence_deadline(&meter.silence, &meter.settings);
        double theta = (double)meter.silence.theta;
        double from = (double)(meter.silence.seen_us - MONDAY_US) / US_PER_HOUR, at = from;
        while (effective_by_minutes(&meter.silence, from, at) <= theta)
            at += 1.0 / 60;
        int64_t found_us = hour_us(at);
        assert_true(deadline_us <= found_us + US_PER_SECOND);
        assert_true(deadline_us > found_us - 61 * US_PER_SECOND);

        struct meter copy = meter;
        double deadline = (double)(deadline_us - MONDAY_US) / US_PER_HOUR;
        assert_int_equal(use_at(&copy, deadline - 1.0 / 3600, 0).raised, 0);
        copy = meter;
        assert_int_equal(use_at(&copy, deadline + 1.0 / 3600, 0).raised, SILENCE_LEARNED);
    }
}

/* --- the fixed rule ----------------------------------------------------------------------------- */

static void fixed_counts_the_reports_that_ended_in_its_window(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_FIXED);
    use_at(&meter, 1, 4);
    use_at(&meter, 2, 6);
    assert_int_equal(silence_deadline(&meter.silence, &meter.settings), hour_us(13));
    use_at(&meter, 3, 4); /* 4 + 6 remain when the first 4 leave at 13 */
    assert_int_equal(silence_deadline(&meter.silence, &meter.settings), hour_us(14));
    assert_int_equal(use_at(&meter, 13.999, 0).raised, 0);
    assert_int_equal(use_at(&meter, 14, 0).raised, SILENCE_FIXED);
    assert_int_equal(use_at(&meter, 14.5, 5).ended, 0); /* 4 + 5: still less than 10 */
    assert_int_equal(use_at(&meter, 14.9, 1).ended, SILENCE_FIXED);
    assert_int_equal(silence_deadline(&meter.silence, &meter.settings), hour_us(15));
}

/* The rule by the definition, over everything that was read. */
static bool is_dry(const int *litres, int now, int window, int limit)
{
    int sum = 0;
    for (int i = now; i > now - window && i > 0; i--)
        sum += litres[i];
    return now >= window && sum < limit;
}

static void fixed_equals_its_definition_on_random_readings(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, test_seed());
    for (int round = 0; round < 50; round++) {
        int litres[1500] = {0}, limit = 6 + (int)random_below(&random, 5);
        int window = 8 + (int)random_below(&random, 17), rare = 1 + (int)random_below(&random, 12);
        struct meter meter = meter_with(SILENCE_FIXED);
        meter.settings.fixed_ml = limit * 1000;
        meter.settings.fixed_window_us = window * US_PER_HOUR;
        bool open = false;
        for (int hour = 1; hour < 1500; hour++) {
            litres[hour] =
                random_below(&random, (uint64_t)rare) ? 0 : 1 + (int)random_below(&random, 4);
            struct silence_verdict verdict = use_at(&meter, hour, litres[hour]);
            bool dry = is_dry(litres, hour, window, limit);
            assert_int_equal(verdict.raised, dry && !open ? SILENCE_FIXED : 0);
            assert_int_equal(verdict.ended, !dry && open ? SILENCE_FIXED : 0);
            open = dry;
        }
    }
}

static void fixed_never_fires_late_on_dribbles(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_FIXED);
    for (int i = 1; i <= 100; i++) /* 0.2 L each 5 minutes: 10 L take 50 of them */
        use_at(&meter, i / 12.0, 0.2);
    int64_t exact_us = hour_us(51 / 12.0 + 12);
    int64_t deadline_us = silence_deadline(&meter.silence, &meter.settings);
    assert_true(deadline_us <= exact_us);
    assert_true(deadline_us > exact_us - 90 * US_PER_MINUTE);
}

/* --- running water ------------------------------------------------------------------------------ */

static void a_running_tap_is_told_once_and_its_end(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_TAP);
    for (int hour = 1; hour <= 3; hour++)
        assert_int_equal(use_at(&meter, hour, 80).raised, 0);
    struct silence_verdict verdict = use_at(&meter, 4, 60);
    assert_int_equal(verdict.raised, SILENCE_TAP);
    assert_int_equal(use_at(&meter, 5, 90).raised, 0);
    assert_int_equal(use_at(&meter, 6, 59).ended, SILENCE_TAP);
}

static void continuous_use_has_its_own_rate_and_time(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_CONTINUOUS);
    meter.settings.run_window_us[0] = 2 * US_PER_HOUR;
    assert_int_equal(use_at(&meter, 1, 2).raised, 0);
    assert_int_equal(use_at(&meter, 2, 1).raised, SILENCE_CONTINUOUS);
    assert_int_equal(use_at(&meter, 3, 0.5).ended, SILENCE_CONTINUOUS);
}

/* What ran in half a day that one report tells of may have run in an hour of it. */
static void a_long_report_tells_of_no_continuous_use(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_CONTINUOUS | SILENCE_TAP);
    for (int day = 1; day <= 10; day++)
        assert_int_equal(use_at(&meter, 24 * day, 2000).raised, 0);
    for (int hour = 241; hour <= 250; hour++)
        use_at(&meter, hour, 2);
    assert_int_equal(use_at(&meter, 262, 24).raised, 0); /* twelve hours were lost */
    for (int hour = 263; hour <= 285; hour++)
        assert_int_equal(use_at(&meter, hour, 2).raised, 0);
    assert_int_equal(use_at(&meter, 286, 2).raised, SILENCE_CONTINUOUS);
    assert_int_equal(use_at(&meter, 298, 24).ended, 0); /* nothing says that it has stopped */
    assert_int_equal(use_at(&meter, 299, 0).ended, SILENCE_CONTINUOUS);
}

static void a_day_may_use_no_more_than_its_limit(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_DAILY);
    use_at(&meter, 12, 1500);
    assert_int_equal(use_at(&meter, 23, 400).raised, 0);
    assert_int_equal(use_at(&meter, 25, 300).raised, 0); /* half of it before midnight */
    assert_int_equal(meter.silence.day_cl, 15000);
    use_at(&meter, 30, 1849);
    assert_int_equal(use_at(&meter, 31, 2).raised, SILENCE_DAILY);
    assert_int_equal(use_at(&meter, 49, 0).ended, SILENCE_DAILY);
}

/* --- several rules, life signs, explanations ---------------------------------------------------- */

static void several_rules_are_named_as_they_fire(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_FIXED);
    live(&meter, 0, 24 * 28 + 10);
    int learned = quiet_until(&meter, 24 * 28 + 10, 24 * 30, SILENCE_LEARNED);
    int fixed = quiet_until(&meter, learned, 24 * 30, SILENCE_FIXED);
    assert_int_equal(fixed, 24 * 28 + 22);
    assert_true(learned < fixed);
    assert_int_equal(use_at(&meter, fixed + 1, 20).ended, SILENCE_LEARNED | SILENCE_FIXED);
}

static void a_life_sign_ends_and_restarts_a_silence(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_FIXED);
    live(&meter, 0, 24 * 28 + 10);
    struct meter other = meter;
    int raised = quiet_until(&meter, 24 * 28 + 10, 24 * 30, SILENCE_FIXED);
    struct silence_verdict verdict =
        silence_life(&meter.silence, &meter.settings, hour_us(raised + 0.5));
    assert_int_equal(verdict.ended, SILENCE_LEARNED | SILENCE_FIXED);
    assert_true(silence_deadline(&meter.silence, &meter.settings) > hour_us(raised + 3));

    silence_life(&other.silence, &other.settings, hour_us(24 * 28 + 12.5));
    int64_t deadline_us = silence_deadline(&other.silence, &other.settings);
    quiet_until(&other, 24 * 28 + 10, 24 * 28 + 14, 0);
    int64_t late_us = silence_deadline(&other.silence, &other.settings);
    assert_true(llabs(late_us - deadline_us) <
                20 * US_PER_MINUTE); /* it learns a little meanwhile */
}

static void a_life_sign_told_late_counts_from_when_it_was(void **state)
{
    (void)state;
    struct meter early = meter_with(SILENCE_LEARNED);
    live(&early, 0, 24 * 28 + 10);
    struct meter late = early;
    silence_life(&early.silence, &early.settings, hour_us(24 * 28 + 10.5));
    quiet_until(&early, 24 * 28 + 10, 24 * 28 + 13, 0);
    quiet_until(&late, 24 * 28 + 10, 24 * 28 + 13, 0);
    silence_life(&late.silence, &late.settings, hour_us(24 * 28 + 10.5));
    assert_int_equal(early.silence.quiet_us, late.silence.quiet_us);
    int64_t apart_us = silence_deadline(&early.silence, &early.settings) -
                       silence_deadline(&late.silence, &late.settings);
    assert_true(llabs(apart_us) < US_PER_HOUR); /* by then the day was less lively */
    struct silence before = late.silence;
    silence_life(&late.silence, &late.settings, hour_us(24 * 28 + 2));
    assert_memory_equal(&before, &late.silence, sizeof(before));
}

static void an_absence_is_recorded_and_starts_the_silence_anew(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_GUARANTEE);
    live(&meter, 0, 24 * 28 + 10);
    silence_explain_begin(&meter.silence, SILENCE_ABSENCE, hour_us(24 * 28 + 11));
    assert_true(silence_due_at(&meter.silence, &meter.settings) == INT64_MAX);
    uint32_t explained = 0, raised = 0;
    for (int hour = 24 * 28 + 11; hour <= 24 * 31; hour++) {
        struct silence_verdict verdict = use_at(&meter, hour, 0);
        assert_int_equal(explained & verdict.explained, 0); /* once */
        explained |= verdict.explained;
        raised |= verdict.raised;
        assert_int_equal(verdict.reasons, hour == 24 * 28 + 10 ? 0 : SILENCE_ABSENCE);
    }
    assert_int_equal(raised, 0);
    assert_int_equal(explained & SILENCE_LEARNED, SILENCE_LEARNED);
    silence_explain_end(&meter.silence, &meter.settings, SILENCE_ABSENCE, hour_us(24 * 31 + 9));
    assert_int_equal(meter.silence.quiet_us, hour_us(24 * 31 + 9));
    int hour = quiet_until(&meter, 24 * 31 + 9, 24 * 33, SILENCE_QUIET);
    assert_in_range(hour, 24 * 31 + 10, 24 * 32 + 10);
}

static void an_outage_stops_the_clock(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED | SILENCE_FIXED);
    live(&meter, 0, 24 * 28 + 10);
    silence_explain_begin(&meter.silence, SILENCE_MAINS_OUTAGE, hour_us(24 * 28 + 12));
    silence_explain_begin(&meter.silence, SILENCE_MAINTENANCE, hour_us(24 * 28 + 13));
    quiet_until(&meter, 24 * 28 + 10, 24 * 28 + 14, 0);
    silence_explain_end(&meter.silence, &meter.settings, SILENCE_MAINS_OUTAGE,
                        hour_us(24 * 28 + 14));
    assert_int_equal(meter.silence.quiet_us, hour_us(24 * 28 + 10)); /* one reason is left */
    silence_explain_end(&meter.silence, &meter.settings, SILENCE_MAINTENANCE,
                        hour_us(24 * 28 + 15));
    assert_int_equal(meter.silence.quiet_us, hour_us(24 * 28 + 13));
    assert_int_equal(meter.silence.recent_s[0], hour_us(24 * 28 + 13) / US_PER_SECOND);
}

/* --- when no report comes ----------------------------------------------------------------------- */

static void a_mute_meter_is_told_after_an_interval_and_grace(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    live(&meter, 0, 24 * 28 + 10);
    int64_t deadline_us = silence_deadline(&meter.silence, &meter.settings);
    int64_t due_us = silence_due_at(&meter.silence, &meter.settings);
    assert_int_equal(due_us, deadline_us + US_PER_HOUR + 15 * US_PER_MINUTE);
    assert_int_equal(silence_due(&meter.silence, &meter.settings, due_us - 1).raised, 0);
    struct silence_verdict verdict = silence_due(&meter.silence, &meter.settings, due_us);
    assert_int_equal(verdict.raised, SILENCE_LEARNED);
    assert_int_equal(verdict.flags & SILENCE_NOT_REPORTING, SILENCE_NOT_REPORTING);
    assert_int_equal(verdict.known_us, hour_us(24 * 28 + 10));
    assert_true(silence_due_at(&meter.silence, &meter.settings) == INT64_MAX);
}

/* Whatever was used when, however the meter reports or dies: told within a day of the last use. */
static void nothing_unexplained_outlasts_the_guarantee(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, test_seed());
    for (int round = 0; round < 300; round++) {
        struct meter meter =
            random_meter(&random, random_below(&random, 2) ? SILENCE_GUARANTEE | SILENCE_LEARNED
                                                           : SILENCE_GUARANTEE);
        double step = 0.25 + random_fraction(&random) * 4, dies = random_fraction(&random) * 30;
        double at = (double)(meter.silence.seen_us - MONDAY_US) / US_PER_HOUR, start = at;
        int64_t limit_us = meter.silence.quiet_us + 24 * US_PER_HOUR;
        int64_t raised_us = meter.silence.open ? 1 : 0;
        while (raised_us == 0) {
            int64_t due_us = silence_due_at(&meter.silence, &meter.settings);
            at += step;
            struct silence_verdict verdict;
            if (at - start > dies || hour_us(at) > due_us)
                verdict = silence_due(&meter.silence, &meter.settings, raised_us = due_us);
            else
                verdict = use_at(&meter, at, 0);
            if (verdict.raised && raised_us == 0)
                raised_us = hour_us(at);
            assert_true(raised_us == 0 || verdict.raised != 0);
        }
        assert_true(raised_us <= limit_us);
    }
}

static void a_daily_meter_gets_its_report_awaited(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_GUARANTEE);
    meter.silence.interval_s = 24 * 3600;
    use_at(&meter, 24, 50);
    int64_t due_us = silence_due_at(&meter.silence, &meter.settings);
    assert_in_range(due_us - hour_us(48), 15 * US_PER_MINUTE, 16 * US_PER_MINUTE);
    assert_int_equal(use_at(&meter, 48, 50).raised, 0);
}

/* --- outcomes, bytes ---------------------------------------------------------------------------- */

static void outcomes_move_the_threshold_slowly_within_bounds(void **state)
{
    (void)state;
    struct meter meter = meter_with(SILENCE_LEARNED);
    struct silence_detail before, after;
    silence_describe(&meter.silence, &meter.settings, hour_us(1), &before);
    silence_outcome(&meter.silence, SILENCE_OUTCOME_OK_AT_HOME);
    silence_describe(&meter.silence, &meter.settings, hour_us(1), &after);
    assert_float_equal(after.theta_hours - before.theta_hours, 0.25, 1e-5);
    for (int i = 0; i < 1000; i++)
        silence_outcome(&meter.silence, SILENCE_OUTCOME_OK_AT_HOME);
    assert_true(meter.silence.bias <= 3);
    for (int i = 0; i < 1000; i++)
        silence_outcome(&meter.silence, SILENCE_OUTCOME_NEEDED_HELP);
    assert_true(meter.silence.bias >= -3 && meter.silence.bias < -2.9F);
    silence_outcome(&meter.silence, SILENCE_OUTCOME_METER_FAULT);
    silence_describe(&meter.silence, &meter.settings, hour_us(1), &after);
    assert_int_equal(after.true_count, 1000);
    assert_int_equal(after.false_count, 1001);
    live(&meter, 0, 24 * 180);
    assert_float_equal(meter.silence.bias, -1.5, 0.05); /* half of it is forgotten in 180 days */
}

static void its_bytes_bring_back_the_same_state(void **state)
{
    (void)state;
    struct random random;
    uint8_t bytes[SILENCE_RECORD_SIZE + 1];
    random_init(&random, test_seed());
    struct meter meter = random_meter(&random, SILENCE_LEARNED | SILENCE_FIXED | SILENCE_TAP), copy;
    silence_explain_begin(&meter.silence, SILENCE_MAINTENANCE, hour_us(1));
    assert_int_equal(silence_record_save(&meter.silence, bytes, sizeof(bytes)),
                     SILENCE_RECORD_SIZE);
    assert_int_equal(silence_record_save(&meter.silence, bytes, SILENCE_RECORD_SIZE - 1), 0);
    silence_record_save(&meter.silence, bytes, sizeof(bytes));
    memset(&copy, 0, sizeof(copy));
    assert_true(silence_record_load(&copy.silence, bytes, SILENCE_RECORD_SIZE));
    assert_memory_equal(&copy.silence, &meter.silence, sizeof(copy.silence));
    assert_false(silence_record_load(&copy.silence, bytes, SILENCE_RECORD_SIZE - 1));
    assert_false(silence_record_load(&copy.silence, bytes, SILENCE_RECORD_SIZE + 1));
}

/* Damaged bytes are refused or load as a state that readings cannot trip over. */
static void damaged_bytes_do_no_harm(void **state)
{
    (void)state;
    struct random random;
    uint8_t bytes[SILENCE_RECORD_SIZE];
    random_init(&random, test_seed());
    struct meter meter = random_meter(&random, SILENCE_LEARNED | SILENCE_FIXED | SILENCE_GUARANTEE);
    int refused = 0;
    for (int round = 0; round < 20000; round++) {
        struct meter copy = meter;
        silence_record_save(&meter.silence, bytes, sizeof(bytes));
        for (int i = 0; i <= round % 3; i++)
            bytes[random_below(&random, sizeof(bytes))] = (uint8_t)random_next(&random);
        if (!silence_record_load(&copy.silence, bytes, sizeof(bytes))) {
            refused++;
            assert_memory_equal(&copy.silence, &meter.silence, sizeof(copy.silence));
            continue;
        }
        use_at(&copy, 24 * 60, 3);
        use_at(&copy, 24 * 60 + 1, 0);
        silence_due(&copy.silence, &copy.settings, silence_due_at(&copy.silence, &copy.settings));
    }
    assert_in_range(refused, 100, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_when_this_home_uses_water),
        cmocka_unit_test(raises_sooner_by_day_than_by_night_and_once),
        cmocka_unit_test(a_dripping_leak_is_no_life),
        cmocka_unit_test(its_deadline_is_when_e_passes_theta),
        cmocka_unit_test(fixed_counts_the_reports_that_ended_in_its_window),
        cmocka_unit_test(fixed_equals_its_definition_on_random_readings),
        cmocka_unit_test(fixed_never_fires_late_on_dribbles),
        cmocka_unit_test(a_running_tap_is_told_once_and_its_end),
        cmocka_unit_test(continuous_use_has_its_own_rate_and_time),
        cmocka_unit_test(a_long_report_tells_of_no_continuous_use),
        cmocka_unit_test(a_day_may_use_no_more_than_its_limit),
        cmocka_unit_test(several_rules_are_named_as_they_fire),
        cmocka_unit_test(a_life_sign_ends_and_restarts_a_silence),
        cmocka_unit_test(a_life_sign_told_late_counts_from_when_it_was),
        cmocka_unit_test(an_absence_is_recorded_and_starts_the_silence_anew),
        cmocka_unit_test(an_outage_stops_the_clock),
        cmocka_unit_test(a_mute_meter_is_told_after_an_interval_and_grace),
        cmocka_unit_test(nothing_unexplained_outlasts_the_guarantee),
        cmocka_unit_test(a_daily_meter_gets_its_report_awaited),
        cmocka_unit_test(outcomes_move_the_threshold_slowly_within_bounds),
        cmocka_unit_test(its_bytes_bring_back_the_same_state),
        cmocka_unit_test(damaged_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
