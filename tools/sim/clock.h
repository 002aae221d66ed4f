/* The two clocks, in microseconds. Mono time waits, wall time stamps. */
#ifndef ONEKEY_SIM_CLOCK_H
#define ONEKEY_SIM_CLOCK_H

#include <stdint.h>

int64_t clock_mono_us(void);
int64_t clock_wall_us(void);

#endif
