#include "daemon/base/random.h"

#include <assert.h>

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* splitmix64 (Steele, Lea, Flood 2014): spreads a poor seed over the whole state. */
static uint64_t spread(uint64_t *seed)
{
    uint64_t value = *seed += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = spread(&seed);
}

/* xoshiro256** (Blackman, Vigna 2018). */
uint64_t random_next(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    assert(bound > 0);
    /* Values below 2^64 mod bound would make the small remainders likelier: draw again. */
    uint64_t unfair = -bound % bound;
    uint64_t value;
    do
        value = random_next(random);
    while (value < unfair);
    return value % bound;
}

double random_fraction(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
