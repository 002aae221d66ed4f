/*
 * What a meter tells of the last hours, for those who look at many of them: whether water was used, and how
 * likely that was. Reads struct silence as silence.h's files do, and changes nothing.
 */
#ifndef ONEKEY_CORE_SILENCE_LATELY_H
#define ONEKEY_CORE_SILENCE_LATELY_H

#include "daemon/core/silence_types.h"

struct silence_lately {
    int64_t known_us; /* since the first reading: the home's habits were learned for so long */
    int64_t dry_us;   /* no use of water since, whatever else was a sign of life */
    bool silent;      /* none in the window */
    double chance;    /* of that, by the home's profile */
};

/* Of the window that ends with the last reading; false if the meter cannot tell: new, not heard from as
 * it should be, or reporting less than twice in the window. */
bool silence_lately(const struct silence *silence, const struct silence_settings *settings,
                    int64_t now_us, int64_t window_us, struct silence_lately *lately);

#endif
