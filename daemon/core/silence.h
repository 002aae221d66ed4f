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
 *   continuous, tap   every report of `run_window_us[]` at `run_ml_per_hour[]` or more.
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

#include "daemon/core/silence_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum silence_rule {
    SILENCE_LEARNED = 1 << 0,
    SILENCE_FIXED = 1 << 1,
    SILENCE_GUARANTEE = 1 << 2,
    SILENCE_DAILY = 1 << 3,
    SILENCE_CONTINUOUS = 1 << 4,
    SILENCE_TAP = 1 << 5
};
#define SILENCE_RULE_COUNT 6
/* Masks: the rules that make a ticket `silence`, and those that make `running_water`. */
#define SILENCE_QUIET (SILENCE_LEARNED | SILENCE_FIXED | SILENCE_GUARANTEE)
#define SILENCE_RUNNING (SILENCE_DAILY | SILENCE_CONTINUOUS | SILENCE_TAP)

/* Why a silence is no cause for alarm. The first two start the silence anew when they end (nobody
 * was home); the others stop its clock while they last. */
enum silence_reason {
    SILENCE_ABSENCE = 1 << 0, /* entered by an operator or the resident */
    SILENCE_OUTSIDE = 1 << 1, /* the wristband is away from home */
    SILENCE_MAINTENANCE = 1 << 2,
    SILENCE_MAINS_OUTAGE = 1 << 3
};

/* What was odd about a reading, one bit each; docs/DETECTOR.md has the rule for each. */
enum silence_odd {
    SILENCE_ODD_DOUBLED = 1 << 0,
    SILENCE_ODD_LATE = 1 << 1,        /* out of order: older than one already taken */
    SILENCE_ODD_CLOCK = 1 << 2,       /* its time is impossible: taken as of its arrival */
    SILENCE_ODD_RESET = 1 << 3,       /* the meter says it started anew */
    SILENCE_ODD_REPLACED = 1 << 4,    /* a new total, confirmed by readings that fit it */
    SILENCE_ODD_ROLLED_OVER = 1 << 5, /* the total passed its last digit */
    SILENCE_ODD_REVERSE = 1 << 6,     /* fell by no more than 5 L: counts as nothing used */
    SILENCE_ODD_IMPLAUSIBLE = 1 << 7, /* fell by more, or rose faster than a pipe can: set aside */
    SILENCE_ODD_GAP = 1 << 8,         /* reports were lost before it */
    SILENCE_ODD_COARSE = 1 << 9       /* this meter counts whole tens of litres */
};
#define SILENCE_ODD_COUNT 10

enum silence_outcome {
    SILENCE_OUTCOME_OK_AT_HOME,
    SILENCE_OUTCOME_AWAY,
    SILENCE_OUTCOME_NEEDED_HELP, /* fell, ill, dead: the alarm was right */
    SILENCE_OUTCOME_METER_FAULT,
    SILENCE_OUTCOME_OTHER
};

struct silence_settings {
    uint32_t rules;        /* enum silence_rule: those switched on */
    int32_t offset_s;      /* local time minus UTC */
    float target_per_year; /* learned: false alarms a year wanted from silences under a day */
    float theta_hours;     /* learned: 0 = calibrate per home, else this threshold for all */
    bool leak_floor;       /* learned: do not take a dripping leak for life */
    int32_t use_ml;        /* the least volume of a report that counts as a use */
    int32_t fixed_ml;
    int64_t fixed_window_us;
    int64_t daily_ml;
    int32_t run_ml_per_hour[2]; /* [0] continuous, [1] tap */
    int64_t run_window_us[2];
    int64_t guarantee_us; /* with SILENCE_GUARANTEE */
    int64_t interval_us;  /* between reports, until it is learned */
    int64_t grace_us;     /* how late a report may be */
    int64_t warmup_us;    /* silence is not raised earlier than this after the first reading */
};

struct silence_reading {
    int64_t at_us;      /* the moment it tells of; 0 = not said */
    int64_t heard_us;   /* when it arrived */
    int64_t volume_ml;  /* the meter's total, or what ran since the reading before */
    int32_t interval_s; /* with !cumulative: what it covers; 0 = since the reading before */
    bool cumulative;
    bool reset;  /* the meter says that its total started anew */
    bool stored; /* the device kept it: an old time is no sign of a wrong clock */
};

/* Bits of verdict.flags. */
enum silence_flag {
    SILENCE_NOT_REPORTING = 1 << 0, /* the meter has been mute since `known_us` */
    SILENCE_COARSE = 1 << 1         /* this meter counts whole tens of litres only */
};

struct silence_verdict {
    uint32_t raised, ended; /* enum silence_rule */
    uint32_t explained;     /* rules that fired for the first time under an explanation */
    uint32_t reasons;       /* enum silence_reason in force */
    uint32_t flags;         /* enum silence_flag */
    uint32_t odd;           /* enum silence_odd of the reading */
    int64_t since_us;       /* the silence (or the running) began */
    int64_t known_us;       /* the last reading tells of this moment */
    float effective_hours;  /* E at the moment judged */
    float theta_hours;
};

#define SILENCE_SAVED_SIZE 593 /* bytes of silence_save() */

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
struct silence_verdict silence_reading(struct silence *silence,
                                       const struct silence_settings *settings,
                                       const struct silence_reading *reading);
/* A person of the household did something at at_us: ends the silence as a use of water does. May be
 * late; one older than what is known already changes nothing. */
struct silence_verdict silence_life(struct silence *silence,
                                    const struct silence_settings *settings, int64_t at_us);
/* An explanation begins or ends (never in the future). Beginning one in force, or ending one that is
 * not, changes nothing. */
void silence_explain_begin(struct silence *silence, const struct silence_settings *settings,
                           enum silence_reason reason, int64_t at_us);
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

/* A closed ticket's outcome moves the threshold of this home a little. */
void silence_outcome(struct silence *silence, enum silence_outcome outcome);
void silence_describe(const struct silence *silence, const struct silence_settings *settings,
                      int64_t now_us, struct silence_detail *detail);

/* The state as bytes of a fixed layout with a version; returns SILENCE_SAVED_SIZE, or 0 when `limit`
 * is less. */
size_t silence_save(const struct silence *silence, void *out, size_t limit);
/* False, and *silence untouched, when the bytes are not such a state. */
bool silence_load(struct silence *silence, const void *data, size_t size);

/* "learned", "fixed" … for one bit; "" for no such. As tickets and metrics spell them. */
const char *silence_rule_name(enum silence_rule rule);
const char *silence_odd_name(enum silence_odd odd);
const char *silence_reason_name(enum silence_reason reason);

#endif
