/*
 * Counters, gauges and histograms in the caller's struct, and their Prometheus text. Series are added
 * at start, by the module that counts them, and named by the number that comes back. Names follow
 * Prometheus: onekey_ prefix, base units, _total for counters, never a device or a person in a label.
 *
 * Durations are int64_t microseconds here and seconds in the text. Histograms are log-bucketed: 16
 * buckets to each doubling, so a quantile is at most 1/16 (6.25 %) above the true value. Their text
 * carries one bucket a fourfold step, 16 us to 4295 s.
 */
#ifndef ONEKEY_BASE_METRICS_H
#define ONEKEY_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#define METRICS_SERIES_MAX 256
#define METRICS_HISTOGRAMS_MAX 24
#define METRICS_LABELS_MAX 64
#define METRICS_BUCKETS 465 /* 28 doublings from 16 us to 2^32 us (71 min), and one for all above */

enum metric_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_SECONDS,  /* a gauge, set in microseconds */
    METRIC_HISTOGRAM /* of durations, observed in microseconds */
};

struct metric_series {
    const char *name, *help; /* literals */
    char labels[METRICS_LABELS_MAX];
    enum metric_kind kind;
    int histogram; /* index, of a METRIC_HISTOGRAM */
    int64_t value;
};

struct metric_histogram {
    uint64_t count;
    int64_t sum_us, largest_us;
    uint64_t buckets[METRICS_BUCKETS];
};

struct metrics {
    int series_count, histogram_count;
    struct metric_series series[METRICS_SERIES_MAX];
    struct metric_histogram histograms[METRICS_HISTOGRAMS_MAX];
};

void metrics_init(struct metrics *metrics);
/* A new series at zero; its number. `labels` is copied: NULL, or text like kind="panic",source="tcp".
 * Series of one name share the help of the first. Running out of room is our own bug. */
int metrics_add(struct metrics *metrics, enum metric_kind kind, const char *name,
                const char *labels, const char *help);
/* Counts up a counter, by >= 0. */
void metrics_count(struct metrics *metrics, int series, int64_t by);
/* Sets a gauge. */
void metrics_set(struct metrics *metrics, int series, int64_t value);
/* One duration into a histogram; negative ones (a stepped clock) count as zero. */
void metrics_observe(struct metrics *metrics, int series, int64_t duration_us);
/* The value of a counter or gauge, the number of observations of a histogram. */
int64_t metrics_value(const struct metrics *metrics, int series);
/* Upper bound of the bucket that holds the quantile (0 .. 1), never above the largest seen; 0 if
 * nothing was observed. */
int64_t metrics_quantile_us(const struct metrics *metrics, int series, double quantile);
/* The whole text, in pieces. */
void metrics_print(const struct metrics *metrics, void *context,
                   void (*on_text)(void *context, const char *text, size_t size));

#endif
