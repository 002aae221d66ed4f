/*
 * A year of many homes' water meters through the real gateway on virtual time, twice: in peace, and
 * with crashes at random moments, which take what is not durable yet. Both must decide the same:
 * every ticket about water with its moment and its whole explanation, no more and no fewer.
 */
#ifndef ONEKEY_TESTS_SIM_YEAR_H
#define ONEKEY_TESTS_SIM_YEAR_H

#include <stdbool.h>
#include <stdint.h>

/* A reading an hour of so many meters for so many days; the two runs go side by side. Prints what
 * differs and what it took, as TAP comments. */
bool year_survives_crashes(int meters, int days, uint64_t seed);

#endif
