/* The seed of a property test: from the environment's SEED, else a new one; always printed. */
#ifndef ONEKEY_TESTS_UNIT_SEED_H
#define ONEKEY_TESTS_UNIT_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t test_seed(void)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

    printf("# SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
