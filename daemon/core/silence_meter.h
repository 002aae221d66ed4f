/*
 * Readings as they really come, made into times and volumes to be believed: wrong clocks, meters that
 * were reset, replaced, ran past their last digit or backwards, or that send nonsense. Each oddity sets
 * its bit in *odd. Used by silence.c alone.
 */
#ifndef ONEKEY_CORE_SILENCE_METER_H
#define ONEKEY_CORE_SILENCE_METER_H

#include "daemon/core/silence_types.h"

/* The time a reading tells of, or its arrival if that time cannot be. */
int64_t silence_meter_time(const struct silence_reading *reading, uint32_t *odd);
/* Whether its volume is one that a meter can count to. */
bool silence_meter_counts(const struct silence_reading *reading);
/* The volume of the `hours` before the reading that it tells of; false if it is not to be believed. */
bool silence_meter_take(struct silence *silence, const struct silence_reading *reading,
                        double hours, uint32_t *odd, int64_t *volume_ml);

#endif
