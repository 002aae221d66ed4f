#include "daemon/core/silence_meter.h"

#include "daemon/base/attributes.h"
#include "daemon/base/instant.h"

#define AHEAD_US (10 * US_PER_MINUTE) /* a reading may be this far in the future, */
#define BEHIND_US (48 * US_PER_HOUR)  /* and this old if the device did not store it */
#define RATE_ML_PER_HOUR 2500000.0    /* no house pipe gives more, */
#define RATE_SLACK_ML 50000.0         /* but for this, in readings close together */
#define REVERSE_ML 5000
#define VOLUME_MOST_ML (INT64_C(1) << 50) /* no meter counts further, nor below minus this */
#define FITTING_MOST 3   /* readings set aside that fit the one before: a new meter */
#define SUSPECTS_MOST 24 /* readings set aside in a row: believe the next */

int64_t silence_meter_time(const struct silence_reading *reading, uint32_t *odd)
{
    if (reading->at_us == 0)
        return reading->heard_us;
    int64_t behind_us = reading->at_us > 0 ? reading->heard_us - reading->at_us : INT64_MAX;
    if (behind_us >= -AHEAD_US &&
        (behind_us <= BEHIND_US || (reading->stored && reading->at_us > 0)))
        return reading->at_us;
    *odd |= SILENCE_ODD_CLOCK;
    return reading->heard_us;
}

static bool is_plausible(double volume_ml, double hours)
{
    return volume_ml >= 0 && volume_ml <= RATE_ML_PER_HOUR * hours + RATE_SLACK_ML;
}

/* Whether `total` is the old one plus little, seen through a counter that ran past its last digit;
 * *volume_ml then is that little. */
static bool rolled_over(int64_t old_ml, int64_t total_ml, double hours, int64_t *volume_ml)
{
    /* 3 to 7 digits of cubic metres; 32 bits of millilitres or litres. */
    static const int64_t spans_ml[] = {1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       INT64_C(1) << 32,
                                       (INT64_C(1) << 32) * 1000};
    for (size_t i = 0; i < ARRAY_SIZE(spans_ml); i++) {
        int64_t span_ml = spans_ml[i];
        if (old_ml >= span_ml || !is_plausible((double)(total_ml + span_ml - old_ml), hours))
            continue;
        *volume_ml = total_ml + span_ml - old_ml;
        return true;
    }
    return false;
}

/* A total that cannot follow the last one is set aside, until some of these in a row follow each other
 * or there are too many: then the meter is another one. Returns whether it is now believed; *volume_ml
 * is what ran since the one set aside before it. */
static bool set_aside(struct silence *silence, int64_t total_ml, double hours, uint32_t *odd,
                      int64_t *volume_ml)
{
    int64_t since_ml = total_ml - silence->suspect_ml;
    bool fits = silence->suspects > 0 && is_plausible((double)since_ml, hours);
    silence->fitting = (uint8_t)(fits ? silence->fitting + 1 : 0);
    silence->suspects++;
    silence->suspect_ml = total_ml;
    *volume_ml = fits ? since_ml : 0;
    *odd |= SILENCE_ODD_IMPLAUSIBLE;
    if (silence->fitting < FITTING_MOST && silence->suspects < SUSPECTS_MOST)
        return false;
    *odd ^= SILENCE_ODD_IMPLAUSIBLE | SILENCE_ODD_REPLACED;
    return true;
}

/* The volume since the last accepted total, which this one becomes; false if it is set aside. */
static bool take_total(struct silence *silence, const struct silence_reading *reading, double hours,
                       uint32_t *odd, int64_t *volume_ml)
{
    int64_t total_ml = reading->volume_ml;
    *volume_ml = total_ml - silence->total_ml;
    if (reading->reset) {
        *odd |= SILENCE_ODD_RESET;
        *volume_ml = 0; /* what ran on the old meter, or to the workman, nobody knows */
    } else if (*volume_ml < 0 && *volume_ml >= -REVERSE_ML) {
        *odd |= SILENCE_ODD_REVERSE;
        total_ml = silence->total_ml; /* so that its flowing back is no use either */
        *volume_ml = 0;
    } else if (*volume_ml < 0 && rolled_over(silence->total_ml, total_ml, hours, volume_ml)) {
        *odd |= SILENCE_ODD_ROLLED_OVER;
    } else if (!is_plausible((double)*volume_ml, hours) &&
               !set_aside(silence, total_ml, hours, odd, volume_ml)) {
        return false;
    }
    silence->total_ml = total_ml;
    silence->suspects = silence->fitting = 0;
    return true;
}

bool silence_meter_counts(const struct silence_reading *reading)
{
    return reading->volume_ml > -VOLUME_MOST_ML && reading->volume_ml < VOLUME_MOST_ML;
}

bool silence_meter_take(struct silence *silence, const struct silence_reading *reading,
                        double hours, uint32_t *odd, int64_t *volume_ml)
{
    if (!silence_meter_counts(reading)) {
        *odd |= SILENCE_ODD_IMPLAUSIBLE;
        return false;
    }
    if (reading->cumulative)
        return take_total(silence, reading, hours, odd, volume_ml);
    *volume_ml = reading->volume_ml;
    if (*volume_ml < 0 && *volume_ml >= -REVERSE_ML) {
        *odd |= SILENCE_ODD_REVERSE;
        *volume_ml = 0;
    }
    if (is_plausible((double)*volume_ml, hours))
        return true;
    *odd |= SILENCE_ODD_IMPLAUSIBLE;
    return false;
}
