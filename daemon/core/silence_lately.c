#include "daemon/core/silence_lately.h"

#include <math.h>

#include "daemon/base/instant.h"
#include "daemon/core/silence_learned.h"

/* Uses to be expected in (from, to], each clock hour of it by its part. */
static double expected_uses(const struct silence *silence, const struct silence_settings *settings,
                            int64_t from_us, int64_t to_us)
{
    double sum = 0;

    for (int64_t at_us = from_us; at_us < to_us;) {
        int32_t hour = silence_learned_hour(settings, at_us);
        int64_t end_us = (hour + 1) * US_PER_HOUR - settings->offset_s * US_PER_SECOND;

        if (end_us > to_us)
            end_us = to_us;
        sum -= (double)(end_us - at_us) / (double)US_PER_HOUR *
               log(1 - (double)silence_learned_chance(silence, hour));
        at_us = end_us;
    }
    return sum;
}

bool silence_lately(const struct silence *silence, const struct silence_settings *settings,
                    int64_t now_us, int64_t window_us, struct silence_lately *lately)
{
    int64_t interval_us = silence->interval_s * US_PER_SECOND;
    int64_t from_us = silence->seen_us - window_us;

    if (silence->seen_us == 0 || from_us < silence->started_s * US_PER_SECOND ||
        2 * interval_us > window_us ||
        now_us - silence->heard_s * US_PER_SECOND > 2 * interval_us + settings->grace_us)
        return false;
    uint32_t dry_s =
        silence->last_use_s > silence->started_s ? silence->last_use_s : silence->started_s;
    lately->known_us = silence->seen_us - silence->started_s * US_PER_SECOND;
    lately->dry_us = dry_s * US_PER_SECOND;
    lately->silent = lately->dry_us <= from_us;
    lately->chance = exp(-expected_uses(silence, settings, from_us, silence->seen_us));
    return true;
}
