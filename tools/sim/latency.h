/* Durations collected one by one and asked for quantiles in the end. Owns its memory; aborts if
 * there is none. */
#ifndef ONEKEY_SIM_LATENCY_H
#define ONEKEY_SIM_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct latency {
    int64_t *values_us;
    size_t count, limit;
    bool is_sorted;
};

/* A zeroed struct is an empty collection. */
void latency_add(struct latency *latency, int64_t value_us);
/* In milliseconds, `share` in [0, 1]; NAN if nothing was collected. */
double latency_quantile_ms(struct latency *latency, double share);
void latency_fini(struct latency *latency);

#endif
