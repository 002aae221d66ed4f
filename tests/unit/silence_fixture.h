/* One invented meter for the tests of the silence detector. Times are local (offset 0), the first
 * Monday of 2024 at midnight is hour 0. */
#ifndef ONEKEY_UNIT_SILENCE_FIXTURE_H
#define ONEKEY_UNIT_SILENCE_FIXTURE_H

#include "daemon/base/instant.h"
#include "daemon/core/silence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MONDAY_US (INT64_C(1704067200) * US_PER_SECOND) /* 2024-01-01T00:00Z */

struct meter {
    struct silence_settings settings;
    struct silence silence;
    int64_t total_ml;
};

static inline int64_t hour_us(double hour)
{
    return MONDAY_US + (int64_t)(hour * (double)US_PER_HOUR);
}

static inline struct silence_verdict read_at(struct meter *meter, double hour, int64_t total_ml)
{
    struct silence_reading reading = {.at_us = hour_us(hour),
                                      .heard_us = hour_us(hour) + 5 * US_PER_SECOND,
                                      .volume_ml = total_ml,
                                      .cumulative = true};
    meter->total_ml = total_ml;
    return silence_reading(&meter->silence, &meter->settings, &reading);
}

/* `litres` more on the total since the reading before. */
static inline struct silence_verdict use_at(struct meter *meter, double hour, double litres)
{
    return read_at(meter, hour, meter->total_ml + (int64_t)(litres * 1000));
}

/* A meter that has just been read for the first time, at hour 0, with 100 m3 on it. */
static inline struct meter meter_with(uint32_t rules)
{
    struct meter meter = {.settings = silence_settings_default()};
    meter.settings.offset_s = 0;
    meter.settings.rules = rules;
    meter.settings.leak_floor = false;
    silence_init(&meter.silence, &meter.settings);
    read_at(&meter, 0, 100000000);
    return meter;
}

/* Hourly readings in (from, to]: 20 L in each hour of the day from 7 to 21, nothing at night. */
static inline void live(struct meter *meter, int from, int to)
{
    for (int hour = from + 1; hour <= to; hour++)
        use_at(meter, hour, (hour - 1) % 24 >= 7 && (hour - 1) % 24 <= 21 ? 20 : 0);
}

/* Hourly readings without use from hour `from` on, until a rule of `rules` is raised; the hour it was,
 * or 0 if none is by `to`. */
static inline int quiet_until(struct meter *meter, int from, int to, uint32_t rules)
{
    for (int hour = from + 1; hour <= to; hour++)
        if (use_at(meter, hour, 0).raised & rules)
            return hour;
    return 0;
}

#endif
