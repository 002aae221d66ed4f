#include "tools/sim/latency.h"

#include <math.h>
#include <stdlib.h>

void latency_add(struct latency *latency, int64_t value_us)
{
    if (latency->count == latency->limit) {
        latency->limit = latency->limit ? 2 * latency->limit : 1024;
        latency->values_us =
            realloc(latency->values_us, latency->limit * sizeof(latency->values_us[0]));
        if (!latency->values_us)
            abort();
    }
    latency->values_us[latency->count++] = value_us;
    latency->is_sorted = false;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

double latency_quantile_ms(struct latency *latency, double share)
{
    if (latency->count == 0)
        return NAN;
    if (!latency->is_sorted)
        qsort(latency->values_us, latency->count, sizeof(latency->values_us[0]), compare);
    latency->is_sorted = true;
    size_t rank = (size_t)(share * (double)(latency->count - 1) + 0.5);
    return (double)latency->values_us[rank] / 1000.0;
}

void latency_fini(struct latency *latency)
{
    free(latency->values_us);
    *latency = (struct latency){0};
}
