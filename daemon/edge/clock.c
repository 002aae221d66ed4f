#include "daemon/edge/clock.h"

#include <assert.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    assert(!failed);
    (void)failed;
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

struct instant clock_now(void)
{
    return (struct instant){.mono_us = read_us(CLOCK_BOOTTIME), .wall_us = read_us(CLOCK_REALTIME)};
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_entropy(void)
{
    uint64_t seed = 0;
    while (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        ; /* a signal came before the kernel was ready */
    return seed;
}
