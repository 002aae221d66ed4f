#include "daemon/core/battery.h"

enum battery_change battery_judge(const struct battery_limits *limits, bool is_low, int percent)
{
    if (limits->low_percent == 0)
        return BATTERY_SAME;
    if (!is_low && percent <= limits->low_percent)
        return BATTERY_FELL;
    return is_low && percent >= limits->restored_percent ? BATTERY_ROSE : BATTERY_SAME;
}
