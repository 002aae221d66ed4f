#include "daemon/base/metrics.h"

#include "daemon/base/attributes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEPS 16 /* buckets to a doubling */
#define STEPS_LOG2 4
#define BOUND_LOG2_FIRST 4 /* 16 us */
#define BOUND_LOG2_LAST 32
#define BOUND_LOG2_STEP 2

void metrics_init(struct metrics *metrics)
{
    memset(metrics, 0, sizeof(*metrics));
}

int metrics_add(struct metrics *metrics, enum metric_kind kind, const char *name,
                const char *labels, const char *help)
{
    assert(metrics->series_count < METRICS_SERIES_MAX);
    assert(labels == NULL || strlen(labels) < METRICS_LABELS_MAX);
    struct metric_series *series = &metrics->series[metrics->series_count];
    *series = (struct metric_series){.name = name, .help = help, .kind = kind};
    if (labels != NULL)
        memcpy(series->labels, labels, strlen(labels));
    if (kind == METRIC_HISTOGRAM) {
        assert(metrics->histogram_count < METRICS_HISTOGRAMS_MAX);
        series->histogram = metrics->histogram_count++;
    }
    return metrics->series_count++;
}

static struct metric_series *series_at(struct metrics *metrics, int number)
{
    assert(number >= 0 && number < metrics->series_count);
    return &metrics->series[number];
}

void metrics_count(struct metrics *metrics, int series, int64_t by)
{
    struct metric_series *counter = series_at(metrics, series);
    assert(counter->kind == METRIC_COUNTER && by >= 0);
    counter->value += by;
}

void metrics_set(struct metrics *metrics, int series, int64_t value)
{
    struct metric_series *gauge = series_at(metrics, series);
    assert(gauge->kind == METRIC_GAUGE || gauge->kind == METRIC_SECONDS);
    gauge->value = value;
}

/* Bucket of a duration d > 0. Buckets are open below and closed above, as Prometheus wants it. */
static int bucket_of(int64_t duration_us)
{
    uint64_t below = (uint64_t)duration_us - 1;
    if (below < STEPS)
        return (int)below;
    int log2 = 63 - __builtin_clzll(below);
    if (log2 >= BOUND_LOG2_LAST)
        return METRICS_BUCKETS - 1;
    int step = (int)(below >> (log2 - STEPS_LOG2)) % STEPS;
    return (log2 - STEPS_LOG2 + 1) * STEPS + step;
}

/* The largest duration that belongs into a bucket (not the last one). */
static int64_t bucket_bound_us(int bucket)
{
    if (bucket < STEPS)
        return bucket + 1;
    int shift = bucket / STEPS - 1;
    return (int64_t)(STEPS + bucket % STEPS + 1) << shift;
}

void metrics_observe(struct metrics *metrics, int series, int64_t duration_us)
{
    struct metric_series *observed = series_at(metrics, series);
    assert(observed->kind == METRIC_HISTOGRAM);
    struct metric_histogram *histogram = &metrics->histograms[observed->histogram];
    if (duration_us < 0)
        duration_us = 0;
    histogram->count++;
    histogram->sum_us += duration_us;
    if (duration_us > histogram->largest_us)
        histogram->largest_us = duration_us;
    histogram->buckets[duration_us == 0 ? 0 : bucket_of(duration_us)]++;
}

static const struct metric_histogram *histogram_of(const struct metrics *metrics,
                                                   const struct metric_series *series)
{
    assert(series->kind == METRIC_HISTOGRAM);
    return &metrics->histograms[series->histogram];
}

int64_t metrics_value(const struct metrics *metrics, int series)
{
    assert(series >= 0 && series < metrics->series_count);
    const struct metric_series *asked = &metrics->series[series];
    if (asked->kind == METRIC_HISTOGRAM)
        return (int64_t)histogram_of(metrics, asked)->count;
    return asked->value;
}

int64_t metrics_quantile_us(const struct metrics *metrics, int series, double quantile)
{
    assert(series >= 0 && series < metrics->series_count);
    const struct metric_histogram *histogram = histogram_of(metrics, &metrics->series[series]);
    double wanted = quantile * (double)histogram->count;
    uint64_t seen = 0;
    for (int i = 0; i < METRICS_BUCKETS - 1; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return bucket_bound_us(i) < histogram->largest_us ? bucket_bound_us(i)
                                                              : histogram->largest_us;
    }
    return histogram->largest_us;
}

/* Where the text goes. */
struct printer {
    void *context;
    void (*on_text)(void *context, const char *text, size_t size);
};

static void print_line(const struct printer *printer, const char *format, ...) PRINTF_LIKE(2, 3);

static void print_line(const struct printer *printer, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    assert(size >= 0 && (size_t)size < sizeof(line));
    printer->on_text(printer->context, line, (size_t)size);
}

static void print_histogram(const struct metrics *metrics, const struct metric_series *series,
                            const struct printer *printer)
{
    const struct metric_histogram *histogram = histogram_of(metrics, series);
    const char *comma = series->labels[0] == '\0' ? "" : ",";
    uint64_t seen = 0;
    int bucket = 0;
    for (int log2 = BOUND_LOG2_FIRST; log2 <= BOUND_LOG2_LAST; log2 += BOUND_LOG2_STEP) {
        for (; bucket < (log2 - STEPS_LOG2 + 1) * STEPS; bucket++)
            seen += histogram->buckets[bucket];
        print_line(printer, "%s_bucket{%s%sle=\"%.10g\"} %" PRIu64 "\n", series->name,
                   series->labels, comma, (double)(INT64_C(1) << log2) / 1e6, seen);
    }
    print_line(printer, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", series->name, series->labels,
               comma, histogram->count);
    const char *open = *comma == '\0' ? "" : "{", *close = *comma == '\0' ? "" : "}";
    print_line(printer, "%s_sum%s%s%s %.6f\n", series->name, open, series->labels, close,
               (double)histogram->sum_us / 1e6);
    print_line(printer, "%s_count%s%s%s %" PRIu64 "\n", series->name, open, series->labels, close,
               histogram->count);
}

static void print_series(const struct metrics *metrics, const struct metric_series *series,
                         const struct printer *printer)
{
    if (series->kind == METRIC_HISTOGRAM) {
        print_histogram(metrics, series, printer);
        return;
    }
    const char *open = series->labels[0] == '\0' ? "" : "{", *close = *open == '\0' ? "" : "}";
    if (series->kind == METRIC_SECONDS)
        print_line(printer, "%s%s%s%s %.6f\n", series->name, open, series->labels, close,
                   (double)series->value / 1e6);
    else
        print_line(printer, "%s%s%s%s %" PRId64 "\n", series->name, open, series->labels, close,
                   series->value);
}

static int first_of_name(const struct metrics *metrics, int number)
{
    int first = 0;
    while (strcmp(metrics->series[first].name, metrics->series[number].name) != 0)
        first++;
    return first;
}

void metrics_print(const struct metrics *metrics, void *context,
                   void (*on_text)(void *context, const char *text, size_t size))
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_SECONDS] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };
    const struct printer printer = {context, on_text};
    /* All series of one name must stand together, whenever they were added. */
    for (int i = 0; i < metrics->series_count; i++) {
        if (first_of_name(metrics, i) != i)
            continue;
        const struct metric_series *family = &metrics->series[i];
        print_line(&printer, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                   family->name, types[family->kind]);
        for (int j = i; j < metrics->series_count; j++)
            if (strcmp(metrics->series[j].name, family->name) == 0)
                print_series(metrics, &metrics->series[j], &printer);
    }
}
