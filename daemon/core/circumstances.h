/*
 * Why the silence of a home may be explained: what is known beside the meter itself. One struct
 * circumstances a device, by its index; what is of a meter (absence, maintenance, outage) and what is of
 * a wristband (where it was) stand in the same, as both are few bytes.
 */
#ifndef ONEKEY_CORE_CIRCUMSTANCES_H
#define ONEKEY_CORE_CIRCUMSTANCES_H

#include "daemon/core/place.h"
#include "daemon/core/store.h"

struct circumstances {
    struct stretch absent, worked_on; /* as the database says */
    struct place home;                /* 0, 0 = not known */
    int32_t silence_ml, silence_window_s;
    uint32_t scheme; /* hash of its name, 0 = none */
    bool settled; /* a meter's state is not that of a new one, or the database has no copy of it */
    bool is_away; /* a wristband was last farther from home than the radius */
    int64_t place_us;         /* when that was, 0 = not known */
    int64_t outside_until_us; /* of a meter: nobody is at home as far as wristbands tell */
    int64_t
        outage_from_us; /* of a meter: its area's water is cut off since then, as far as known */
    int64_t outage_until_us; /* and until then at least, 0 = it is not */
    int64_t
        returned_us;   /* of a meter: an absence ended then, and nobody showed life since; 0 = no */
    int64_t lesson_id; /* of a meter: the last lesson it took */
};

#endif
