/* Who takes part: the devices of a CSV file, the groups of another, or invented ones in numbers. */
#ifndef ONEKEY_SIM_ROSTER_H
#define ONEKEY_SIM_ROSTER_H

#include "tools/sim/device.h"
#include "tools/sim/settings.h"

struct roster {
    struct device *devices;
    int count;
    int left_out;               /* of the file, for want of an endpoint or of a way to play them */
    struct endpoint *endpoints; /* of the groups */
    int group_count;
};

/* False, with a sentence on stderr, if the file cannot be read or nobody is in it. */
bool roster_open(struct roster *roster, const struct settings *settings);
void roster_close(struct roster *roster);

#endif
