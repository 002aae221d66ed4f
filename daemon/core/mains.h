/*
 * Is the water of an area cut off? When its mains fail, nearly all of its meters fall silent at once,
 * more of them than their homes' habits make likely. Counted per area, a round over all meters at a
 * time: how many report, how many of these had no use in the last hours, and how many that would be if
 * nothing were wrong: each home by its own profile, and one home in ten away.
 *
 * The chance of so many is bounded by exp(-n * D(k / n || p)), D = the relative entropy of two coins,
 * n meters, k silent, p the mean of their chances: W. Hoeffding, Probability inequalities for sums of
 * bounded random variables, JASA 58 (1963), theorem 1; it holds for coins of different chances. Homes
 * are no independent coins (a feast, a fine day), so the chance must be tiny and the share large.
 *
 * Once it is open, an outage ends when half of its meters have used water since it began, or after a
 * day: what is silent for longer must be looked at. When it began is journaled (keep_standing.c), so the
 * day is one whatever happens to the daemon. Knows of no meter and no clock; mains_watch.c does.
 */
#ifndef ONEKEY_CORE_MAINS_H
#define ONEKEY_CORE_MAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/instant.h"

#define MAINS_CHANCE 1e-6 /* of so many by itself, at most */
#define MAINS_AWAY 0.1    /* of the homes at any time */

struct mains_settings {
    bool explains;       /* else nothing is opened, and what is open ends */
    uint32_t meters_min; /* fewer tell nothing of their area */
    uint32_t share_percent;
    int64_t window_us; /* no use for so long */
    int64_t lasts_us;  /* longer, it explains nothing */
};

/* What one meter of an area tells. */
struct mains_meter {
    bool silent;   /* no use in the last window that is known of */
    double chance; /* that its home, if somebody lives there now, would have none in these hours */
    bool dry;      /* no use since its area's outage began */
};

struct mains_area {
    int64_t id;
    int64_t from_us;              /* the outage began, wall time; 0 = there is none */
    bool spent;                   /* it lasted too long: none is opened until water has run again */
    uint32_t meters, silent, dry; /* of this round so far */
    double expected;              /* silent ones, if nothing is wrong */
};

struct mains {
    struct mains_area *areas; /* open addressing */
    uint32_t size;            /* a power of two */
    uint32_t open_count;      /* outages, at the end of the last round */
    uint32_t explained_count; /* meters whose silence they explained in the last round */
    uint32_t cursor;          /* mains_watch.c: the next device of this round */
    uint32_t explained;       /* and so far in this one */
    int64_t at_mono_us;       /* when the last step was */
};

/* 10 meters, 80 % of them, 3 h, for a day. */
struct mains_settings mains_settings_default(void);
/* Bytes for so many devices; mains_init borrows them, zeroed, for life. */
size_t mains_memory_size(uint32_t devices_max);
void mains_init(struct mains *mains, void *memory, uint32_t devices_max);
/* The area of that id, not 0, made if need be; NULL if there is no place for it. */
struct mains_area *mains_area(const struct mains *mains, int64_t id);
/* Counts a meter into this round. */
void mains_count(struct mains_area *area, const struct mains_meter *meter);
/* An upper bound for the chance that `silent` or more of `meters` are, `expected` being the mean. */
double mains_chance(uint32_t meters, uint32_t silent, double expected);
/* The round is over: opens or ends the area's outage. Whether what must be kept of it has changed. */
bool mains_judge(struct mains_area *area, const struct mains_settings *settings, int64_t now_us);
/* The same of all areas, each change told, and counts anew. */
void mains_end_round(struct mains *mains, const struct mains_settings *settings, int64_t now_us,
                     void (*on_change)(void *context, const struct mains_area *area),
                     void *context);
/* As it was kept. */
void mains_restore(struct mains *mains, int64_t id, int64_t from_us, bool spent);

#endif
