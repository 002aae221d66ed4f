/*
 * Does the water of this home say that somebody lives in it? One `struct silence` a meter, in the
 * caller's memory and never larger than 600 bytes, is told readings, life signs and explanations
 * and answers with verdicts: which rules fired, which ended, what was odd. Every call is O(1) (at
 * most some 36 steps of an hour); nothing here knows a clock, a heap or a meter's name. The model
 * and its figures are in docs/DETECTOR.md.
 *
 * Rules of silence, any number of them at once:
 *   learned    the effective silence E, hours since the last use plus what the home's own habits make
 *              of those hours, has passed the threshold theta;
 *   fixed      less than `fixed_ml` ran in the last `fixed_window_us`;
 *   guarantee  whatever the others say: unexplained for `guarantee_us`.
 * Rules of running water:
 *   daily      more than `daily_ml` since local midnight;
 *   continuous, tap   every report of `run_window_us[]` at `run_ml_per_hour[]` or more, at most three
 *                     hours apart.
 *
 * Each rule is raised once per silence (per run of water) and ended by what disproves it: a use or a
 * life sign the learned rule and the guarantee, enough volume in its window the fixed rule.
 * A silence is known only up to the last reading: the rules are tested as readings arrive, and by
 * silence_due() when they do not; `silence_due_at` says when to call that.
 *
 * Times are UTC microseconds, volumes millilitres, durations inside the model hours. Functions borrow
 * their arguments; the state holds no pointer, so it may be copied and moved freely.
 */
#ifndef ONEKEY_CORE_SILENCE_H
#define ONEKEY_CORE_SILENCE_H

#include "daemon/core/silence_types.h"

/* For the ticket: what an operator needs in order to believe it. */
struct silence_detail {
    uint32_t rules, reasons, flags;
    int64_t since_us, known_us, last_use_us;
    int64_t last_use_ml;
    float usual_chance; /* that this hour of the day has a use in this home, 0 … 1 */
    float quiet_hours, effective_hours, theta_hours, bias_hours;
    float expected[24]; /* chance of a use in each clock hour, the last being now's */
    float actual_l[24]; /* what ran in it, where known; negative = not known */
    int false_count, true_count;
};

/* Learned rule with leak floor and guarantee on, fixed rule 10 L in 12 h and the others off. */
struct silence_settings silence_settings_default(void);
/* A meter nothing is known of: the population's habits. */
void silence_init(struct silence *silence, const struct silence_settings *settings);
/* A reading of this meter may come soon: has its state fetched from memory meanwhile. */
void silence_expect(const struct silence *silence);
struct silence_verdict silence_reading(struct silence *silence,
                                       const struct silence_settings *settings,
                                       const struct silence_reading *reading);
/* A person of the household did something at at_us: ends the silence as a use of water does. May be
 * late; one older than what is known already changes nothing. */
struct silence_verdict silence_life(struct silence *silence,
                                    const struct silence_settings *settings, int64_t at_us);
/* An explanation begins or ends (never in the future). Beginning one in force, or ending one that is
 * not, changes nothing. */
void silence_explain_begin(struct silence *silence, enum silence_reason reason, int64_t at_us);
void silence_explain_end(struct silence *silence, const struct silence_settings *settings,
                         enum silence_reason reason, int64_t at_us);

/* The first moment at which a rule of silence would fire if no more use is reported: E passes theta,
 * the fixed window runs dry or the guarantee is due. INT64_MAX when none can (explained, or open). */
int64_t silence_deadline(const struct silence *silence, const struct silence_settings *settings);
/* When to call silence_due(): the deadline, plus the time a report may take to come that decides it
 * (one interval and the grace), though never past the guarantee. INT64_MAX = never. */
int64_t silence_due_at(const struct silence *silence, const struct silence_settings *settings);
/* No report has come: judges by the time alone. Harmless when called too early. */
struct silence_verdict silence_due(struct silence *silence, const struct silence_settings *settings,
                                   int64_t now_us);

/* enum silence_reason in force. */
uint32_t silence_reasons(const struct silence *silence);

/* A closed ticket's outcome moves the threshold of this home a little. */
void silence_outcome(struct silence *silence, enum silence_outcome outcome);
/* Chance of a use in each clock hour of a weekday and of a day of the weekend. */
void silence_habits(const struct silence *silence, float weekday[24], float weekend[24]);
void silence_describe(const struct silence *silence, const struct silence_settings *settings,
                      int64_t now_us, struct silence_detail *detail);

/* "learned", "fixed" … for one bit; "" for no such. As tickets and metrics spell them. */
const char *silence_rule_name(enum silence_rule rule);
const char *silence_odd_name(enum silence_odd odd);
const char *silence_reason_name(enum silence_reason reason);

#endif
