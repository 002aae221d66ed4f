/*
 * Low batteries of devices that only tell a percentage: one alarm when it falls to the low limit, one
 * restore when it is back above the higher one, nothing between.
 */
#ifndef ONEKEY_CORE_BATTERY_H
#define ONEKEY_CORE_BATTERY_H

#include <stdbool.h>
#include <stdint.h>

/* Percent; low_percent 0: a percentage alone raises nothing. */
struct battery_limits {
    int32_t low_percent, restored_percent;
};

enum battery_change { BATTERY_SAME, BATTERY_FELL, BATTERY_ROSE };

/* What `percent` means for a battery that was said to be low, or was not. */
enum battery_change battery_judge(const struct battery_limits *limits, bool is_low, int percent);

#endif
