#include "tools/sim/delays.h"

#include <math.h>
#include <string.h>

void delays_incident(struct delays *delays, double delay, double weight)
{
    int bin = (int)(delay * DELAY_BINS_PER_HOUR);
    if (weight <= 0)
        return;
    delays->home[bin < DELAY_BINS ? bin : DELAY_BINS] += weight;
    delays->sum_home += weight * fmin(delay, DELAY_HOURS_MOST);
    delays->home_weight += weight;
}

void delays_silence(struct delays *delays, double length, double alarm)
{
    /* Incidents after the alarm find its ticket open; those before are spread evenly. */
    double least = fmax(alarm - length, 0), most = fmax(alarm, 0);
    delays_incident(delays, 0, length - (most - least));
    const double width = 1.0 / DELAY_BINS_PER_HOUR;
    for (double at = least; at < most - 1e-9;) {
        double next = fmin((floor(at / width + 1e-6) + 1) * width, most);
        delays_incident(delays, (at + next) / 2, next - at);
        at = next;
    }
}

void delays_home_done(struct delays *delays)
{
    if (delays->home_weight > 0) {
        for (int bin = 0; bin <= DELAY_BINS; bin++)
            delays->weight[bin] += delays->home[bin] / delays->home_weight;
        delays->sum += delays->sum_home / delays->home_weight;
        delays->total += 1;
    }
    memset(delays->home, 0, sizeof(delays->home));
    delays->home_weight = delays->sum_home = 0;
}

double delays_quantile(const struct delays *delays, double share)
{
    double below = 0;
    for (int bin = 0; bin < DELAY_BINS; bin++) {
        below += delays->weight[bin];
        if (below >= share * delays->total && delays->total > 0)
            return (bin + (bin > 0)) / (double)DELAY_BINS_PER_HOUR;
    }
    return delays->total > 0 ? DELAY_HOURS_MOST : NAN;
}

double delays_mean(const struct delays *delays)
{
    return delays->total > 0 ? delays->sum / delays->total : NAN;
}
