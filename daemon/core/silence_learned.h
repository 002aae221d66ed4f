/*
 * The learned rule behind silence.h: how a home's habits become the effective silence E, its
 * threshold theta, and the moment at which E will pass it. Used by silence.c alone.
 *
 *   E = T + 10 h * ln(1 + a * lambda / 4)
 *
 * T: hours since the last use; lambda: the uses this home would have had in that time, summed as
 * -ln(1 - chance) over its clock hours; a: how lively the day before was, against the usual.
 */
#ifndef ONEKEY_CORE_SILENCE_LEARNED_H
#define ONEKEY_CORE_SILENCE_LEARNED_H

#include "daemon/core/silence_types.h"

/* The last (from, at] of a meter, cleaned: what ran, and from when on that is known. */
struct silence_report {
    int64_t from_us, at_us;
    double litres;
};

void silence_learned_init(struct silence *silence, const struct silence_settings *settings);
/* The first reading: opens the clock hour at_us lies in. */
void silence_learned_start(struct silence *silence, const struct silence_settings *settings,
                           int64_t at_us);
/* What a report was: a use, and E at its end. */
struct silence_learned {
    bool use;
    double effective_hours;
};

/* Sums, learns and, on a use, starts a new silence. */
struct silence_learned silence_learned_report(struct silence *silence,
                                              const struct silence_settings *settings,
                                              const struct silence_report *report);
/* A sign of life at at_us > quiet_us: the silence before it is over, the one after it may already be
 * known to be silent. */
void silence_learned_restart(struct silence *silence, const struct silence_settings *settings,
                             int64_t at_us);
/* The silence so far counts only as what of it lay before from_us; its clock goes on at to_us. */
void silence_learned_pause(struct silence *silence, const struct silence_settings *settings,
                           int64_t from_us, int64_t to_us);
/* E at a moment not before counted_us, if nothing was used since. */
double silence_learned_effective(const struct silence *silence,
                                 const struct silence_settings *settings, int64_t at_us);
double silence_learned_threshold(const struct silence *silence,
                                 const struct silence_settings *settings);
/* The first microsecond, not before counted_us, at which E exceeds the threshold. */
int64_t silence_learned_deadline(const struct silence *silence,
                                 const struct silence_settings *settings);
/* The local clock hour, counted from 1970, that holds at_us. */
int32_t silence_learned_hour(const struct silence_settings *settings, int64_t at_us);
/* The chance that the clock hour `hour` has a use. */
float silence_learned_chance(const struct silence *silence, int32_t hour);

#endif
