/*
 * What one reading costs the silence detector: COUNT meters (a million) in one array, each read once an
 * hour in an order that no cache can foresee, the deadline asked for after each reading as the wheel
 * would. The array lies in memory as the gateway's does, and a meter is announced one reading ahead: the
 * gateway announces it when it knows who sent the frame, a proof, a record and a copy before the
 * detector hears of it. Prints nanoseconds an update in each round, and bytes a meter.
 */
#include "daemon/base/instant.h"
#include "daemon/base/random.h"
#include "daemon/core/silence.h"
#include "daemon/edge/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5
#define WARM_ROUNDS 12 /* hours lived beforehand, so that profiles and states differ */
#define STRIDE 7368787 /* prime: visits every meter once, far from the one before */

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* One hour of all meters; returns something that depends on all of it. */
static int64_t round_of(struct silence *meters, size_t count,
                        const struct silence_settings *settings, int64_t hour,
                        struct random *random)
{
    int64_t sum = 0;
    for (size_t i = 0, at = 0; i < count; i++, at = (at + STRIDE) % count) {
        silence_expect(&meters[(at + STRIDE) % count]);
        uint64_t chance = random_next(random);
        int64_t at_us = hour * US_PER_HOUR + (int64_t)(at % 3600) * US_PER_SECOND;
        struct silence_reading reading = {.at_us = at_us,
                                          .heard_us = at_us,
                                          .volume_ml = chance % 2 ? (int64_t)(chance >> 50) : 0,
                                          .interval_s = 3600};
        sum += silence_reading(&meters[at], settings, &reading).since_us;
        sum += silence_due_at(&meters[at], settings);
    }
    return sum;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    struct silence_settings settings = silence_settings_default();
    struct silence *meters = memory_take(count * sizeof(*meters));
    struct random random;
    double rounds[ROUNDS];
    int64_t hour = 473000, sum = 0;
    random_init(&random, 1);
    for (size_t i = 0; i < count; i++)
        silence_init(&meters[i], &settings);
    for (int i = 0; i < WARM_ROUNDS; i++)
        sum += round_of(meters, count, &settings, hour++, &random);
    for (int i = 0; i < ROUNDS; i++) {
        double before = now_ns();
        sum += round_of(meters, count, &settings, hour++, &random);
        rounds[i] = (now_ns() - before) / (double)count;
    }
    printf("bytes=%zu", sizeof(struct silence));
    for (int i = 0; i < ROUNDS; i++)
        printf(" round%d=%.0f", i, rounds[i]);
    putchar('\n');
    memory_give_back(meters, count * sizeof(*meters));
    return sum == 42;
}
