/*
 * Homes and what their water meters show, hour by hour, invented from a seed: a day curve of their own
 * each, weekends, nights, absences (some announced), leaks, taps left open, lost reports, meters
 * that fall mute or are replaced.
 */
#ifndef ONEKEY_TESTS_SIM_HOMES_H
#define ONEKEY_TESTS_SIM_HOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/random.h"

struct home {
    int64_t total_l;
    int32_t milli;             /* of a litre, dripped and not yet counted by the meter */
    int32_t leak_ml;           /* an hour, until leak_end */
    int16_t use_l, tap_l;      /* a use is about so large; an open tap's litres an hour */
    int32_t leak_end, tap_end; /* hours since the beginning, as all of these */
    int32_t away_end, mute_end;
    bool announced;        /* the absence that lasts until away_end */
    uint8_t chance[2][24]; /* of a use in an hour of a weekday (weekend), in 1/256 */
};

void home_init(struct home *home, struct random *random);
/* What may begin in a home at the beginning of a day. True: an announced absence does. */
bool home_day(struct home *home, struct random *random, int hour);
/* Lives through one hour (0 is a Monday's midnight). True: its meter reports total_l after it. */
bool home_hour(struct home *home, struct random *random, int hour);

#endif
