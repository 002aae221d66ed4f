/*
 * The fixed rules behind silence.h: less than so many litres in so many hours, more than so many a
 * day, water that runs and runs. Used by silence.c alone.
 *
 * The fixed rule keeps the newest volumes, as few as make up its limit; the oldest of them is the one
 * whose leaving the window makes the rule fire, so its deadline is known at any time. A report counts
 * wholly at its end: at t the window holds the reports that ended in (t - window, t].
 */
#ifndef ONEKEY_CORE_SILENCE_RULES_H
#define ONEKEY_CORE_SILENCE_RULES_H

#include "daemon/core/silence_learned.h"

void silence_rules_report(struct silence *silence, const struct silence_settings *settings,
                          int64_t at_us, int64_t volume_ml);
/* A sign of life counts as if the whole limit had run at at_us. */
void silence_rules_restart(struct silence *silence, int64_t at_us);
/* What ran before to_us counts as if (from, to] had not been. */
void silence_rules_pause(struct silence *silence, int64_t from_us, int64_t to_us);
/* The moment at which the window runs dry if nothing more is used. */
int64_t silence_rules_dry_at(const struct silence *silence,
                             const struct silence_settings *settings);
/* The rules of running water that this report raises or ends, into *verdict. `apart_us`: since the one
 * before it; reports hours apart tell nothing of water that runs without a break. */
void silence_rules_running(struct silence *silence, const struct silence_settings *settings,
                           const struct silence_report *report, int64_t apart_us, int64_t volume_ml,
                           struct silence_verdict *verdict);

#endif
