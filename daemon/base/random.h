/*
 * Repeatable random numbers: xoshiro256** seeded by splitmix64. The state is the caller's; one seed
 * gives one sequence on every machine. For jitter, sampling and simulation, never for secrets.
 */
#ifndef ONEKEY_BASE_RANDOM_H
#define ONEKEY_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* Starts the sequence of `seed`; every seed is good, 0 too. */
void random_init(struct random *random, uint64_t seed);
/* The next 64 bits. */
uint64_t random_next(struct random *random);
/* Uniform in [0, bound), without bias; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* Uniform in [0, 1). */
double random_fraction(struct random *random);

#endif
