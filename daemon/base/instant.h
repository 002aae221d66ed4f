/*
 * One moment, read once a turn and handed down. Mono time waits, wall time stamps: a deadline is
 * always kept in mono_us, a date that a person reads always comes from wall_us.
 */
#ifndef ONEKEY_BASE_INSTANT_H
#define ONEKEY_BASE_INSTANT_H

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

struct instant {
    int64_t mono_us; /* CLOCK_MONOTONIC (CLOCK_BOOTTIME in the daemon): never steps */
    int64_t wall_us; /* CLOCK_REALTIME, microseconds since 1970 UTC: may step */
};

#endif
