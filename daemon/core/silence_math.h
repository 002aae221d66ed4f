/*
 * exp and log as the learned rule needs them, hundreds of millions of times an hour: inline, without a
 * table, a call or an error number, and so that several of them run side by side in the processor. Good
 * to 5e-13 (exp relatively, log absolutely), 5e-12 hours of an E; no infinity and no NaN goes in.
 * Taylor's series of exp about 0, and log m = 2 artanh((m - 1) / (m + 1)), after reduction by powers of
 * two, as every textbook has it. Used by silence_learned.c alone.
 */
#ifndef ONEKEY_CORE_SILENCE_MATH_H
#define ONEKEY_CORE_SILENCE_MATH_H

#include <stdint.h>
#include <string.h>

#define LN_2 0.6931471805599453
#define EXP_LEAST (-700.0) /* below: 0 */

static inline double silence_math_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint64_t silence_math_bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* exp(x) for |x| <= 0.1. */
static inline double silence_math_exp_small(double x)
{
    double x2 = x * x;
    double low = 1 + x + x2 * (1.0 / 2 + x * (1.0 / 6));
    double high = (1.0 / 24 + x * (1.0 / 120)) + x2 * (1.0 / 720 + x * (1.0 / 5040));
    return low + x2 * x2 * high;
}

/* exp(x) for x <= 700. */
static inline double silence_math_exp(double x)
{
    const double round = 0x1.8p52; /* added, leaves the nearest whole number in the lowest bits */
    if (x < EXP_LEAST)
        return 0;
    double shifted = x * (1 / LN_2) + round;
    double rest = x - (shifted - round) * LN_2; /* within half of LN_2 */
    double x2 = rest * rest, x4 = x2 * x2;
    double top = (1.0 / 40320 + rest * (1.0 / 362880)) + x2 * (1.0 / 3628800);
    double power = silence_math_of_bits((silence_math_bits_of(shifted) + 1023) << 52);
    return power * (silence_math_exp_small(rest) + x4 * x4 * top);
}

/* log(x) for a normal x > 0. */
static inline double silence_math_log(double x)
{
    const uint64_t root_half = 0x3fe6a09e667f3bcd; /* the bits of the root of 1/2 */
    uint64_t bits = silence_math_bits_of(x);
    int64_t exponent = (int64_t)(bits - root_half) >> 52;
    double mantissa = silence_math_of_bits(bits - ((uint64_t)exponent << 52));
    double s = (mantissa - 1) / (mantissa + 1), z = s * s;
    double low = 1 + z * (1.0 / 3) + z * z * (1.0 / 5 + z * (1.0 / 7));
    double high = (1.0 / 9 + z * (1.0 / 11)) + z * z * (1.0 / 13);
    return (double)exponent * LN_2 + 2 * s * (low + z * z * (z * z) * high);
}

#endif
