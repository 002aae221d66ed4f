/*
 * The one place that asks the machine for the time and for chance. Everyone else is handed both.
 */
#ifndef ONEKEY_EDGE_CLOCK_H
#define ONEKEY_EDGE_CLOCK_H

#include "daemon/base/instant.h"

#include <stdint.h>

/* Now. The waiting clock goes on while the machine sleeps: a deadline that passed meanwhile is due. */
struct instant clock_now(void);
/* CLOCK_MONOTONIC in microseconds, the clock that systemd compares a reload with. */
int64_t clock_monotonic_us(void);
/* A seed from the kernel; waits until the kernel has one. */
uint64_t clock_entropy(void);

#endif
