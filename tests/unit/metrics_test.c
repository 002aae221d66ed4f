#include "daemon/base/metrics.h"
#include "daemon/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct metrics metrics;

struct output {
    char text[16384];
    size_t used;
};

static void collect(void *context, const char *text, size_t size)
{
    struct output *output = context;
    assert_true(output->used + size < sizeof(output->text));
    memcpy(output->text + output->used, text, size);
    output->used += size;
    output->text[output->used] = '\0';
}

static int start(void **state)
{
    (void)state;
    metrics_init(&metrics);
    return 0;
}

static void families_stand_together(void **state)
{
    (void)state;
    int panics = metrics_add(&metrics, METRIC_COUNTER, "onekey_alarms_received_total",
                             "kind=\"panic\"", "Alarms received.");
    int open = metrics_add(&metrics, METRIC_GAUGE, "onekey_sessions_open", NULL, "Connections.");
    int falls = metrics_add(&metrics, METRIC_COUNTER, "onekey_alarms_received_total",
                            "kind=\"fall\"", "Alarms received.");
    int oldest = metrics_add(&metrics, METRIC_SECONDS, "onekey_outbox_oldest_seconds", NULL,
                             "Age of the oldest alarm not in PostgreSQL.");
    metrics_count(&metrics, panics, 2);
    metrics_count(&metrics, panics, 1);
    metrics_count(&metrics, falls, 0);
    metrics_set(&metrics, open, -7);
    metrics_set(&metrics, oldest, 1250000);
    struct output output = {0};
    metrics_print(&metrics, &output, collect);
    assert_string_equal(output.text, "# HELP onekey_alarms_received_total Alarms received.\n"
                                     "# TYPE onekey_alarms_received_total counter\n"
                                     "onekey_alarms_received_total{kind=\"panic\"} 3\n"
                                     "onekey_alarms_received_total{kind=\"fall\"} 0\n"
                                     "# HELP onekey_sessions_open Connections.\n"
                                     "# TYPE onekey_sessions_open gauge\n"
                                     "onekey_sessions_open -7\n"
                                     "# HELP onekey_outbox_oldest_seconds Age of the oldest alarm "
                                     "not in PostgreSQL.\n"
                                     "# TYPE onekey_outbox_oldest_seconds gauge\n"
                                     "onekey_outbox_oldest_seconds 1.250000\n");
    assert_int_equal(metrics_value(&metrics, panics), 3);
}

static void histograms_are_cumulative_and_closed_above(void **state)
{
    (void)state;
    int sync = metrics_add(&metrics, METRIC_HISTOGRAM, "onekey_sync_seconds", "disk=\"a\"",
                           "Time of one fdatasync.");
    const int64_t durations[] = {-5, 0, 16, 17, 64, 65, INT64_C(1) << 32, (INT64_C(1) << 32) + 1};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
        metrics_observe(&metrics, sync, durations[i]);
    struct output output = {0};
    metrics_print(&metrics, &output, collect);
    assert_non_null(strstr(output.text, "# TYPE onekey_sync_seconds histogram\n"));
    assert_non_null(strstr(output.text, "_bucket{disk=\"a\",le=\"1.6e-05\"} 3\n"));
    assert_non_null(strstr(output.text, "_bucket{disk=\"a\",le=\"6.4e-05\"} 5\n"));
    assert_non_null(strstr(output.text, "_bucket{disk=\"a\",le=\"0.000256\"} 6\n"));
    assert_non_null(strstr(output.text, "_bucket{disk=\"a\",le=\"4294.967296\"} 7\n"));
    assert_non_null(strstr(output.text, "_bucket{disk=\"a\",le=\"+Inf\"} 8\n"));
    assert_non_null(strstr(output.text, "_sum{disk=\"a\"} 8589.934755\n"));
    assert_non_null(strstr(output.text, "_count{disk=\"a\"} 8\n"));
    assert_int_equal(metrics_value(&metrics, sync), 8);
}

static void histograms_without_labels_have_no_empty_braces(void **state)
{
    (void)state;
    metrics_add(&metrics, METRIC_HISTOGRAM, "onekey_turn_seconds", NULL, "Time of one turn.");
    struct output output = {0};
    metrics_print(&metrics, &output, collect);
    assert_non_null(strstr(output.text, "onekey_turn_seconds_bucket{le=\"1.6e-05\"} 0\n"));
    assert_non_null(strstr(output.text, "onekey_turn_seconds_sum 0.000000\n"));
    assert_non_null(strstr(output.text, "onekey_turn_seconds_count 0\n"));
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Against the sorted truth, over twelve orders of magnitude: never below, at most 1/16 above. */
static void quantiles_are_close_from_above(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static int64_t durations[COUNT];
    int series = metrics_add(&metrics, METRIC_HISTOGRAM, "onekey_any_seconds", NULL, "Any.");
    struct random random;
    random_init(&random, 5);
    for (int i = 0; i < COUNT; i++) {
        durations[i] = (int64_t)(random_next(&random) >> (32 + random_below(&random, 32)));
        metrics_observe(&metrics, series, durations[i]);
    }
    qsort(durations, COUNT, sizeof(durations[0]), ascending);
    for (int percent = 1; percent <= 100; percent++) {
        int64_t truth = durations[COUNT * percent / 100 - 1];
        int64_t found = metrics_quantile_us(&metrics, series, percent / 100.0);
        assert_true(found >= truth);
        assert_true(found <= truth + truth / 16 + 1);
    }
    assert_int_equal(metrics_quantile_us(&metrics, series, 1), durations[COUNT - 1]);
}

static void nothing_observed_is_zero(void **state)
{
    (void)state;
    int series = metrics_add(&metrics, METRIC_HISTOGRAM, "onekey_any_seconds", NULL, "Any.");
    assert_int_equal(metrics_quantile_us(&metrics, series, 0.99), 0);
    metrics_observe(&metrics, series, 1000);
    assert_int_equal(metrics_quantile_us(&metrics, series, 0), 1000);
    assert_int_equal(metrics_quantile_us(&metrics, series, 0.5), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(families_stand_together, start),
        cmocka_unit_test_setup(histograms_are_cumulative_and_closed_above, start),
        cmocka_unit_test_setup(histograms_without_labels_have_no_empty_braces, start),
        cmocka_unit_test_setup(quantiles_are_close_from_above, start),
        cmocka_unit_test_setup(nothing_observed_is_zero, start),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
