/*
 * What the silence detector is told and says, and its state for one meter: plain data without
 * pointers, so that a million of them lie in one array and are copied, saved and compared as they are.
 * Only silence*.c reads or writes the fields of struct silence; everybody else takes it as an opaque
 * block (see silence.h). Times are UTC microseconds, volumes millilitres.
 */
#ifndef ONEKEY_CORE_SILENCE_TYPES_H
#define ONEKEY_CORE_SILENCE_TYPES_H

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
#define SILENCE_REASON_COUNT 4

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
    int32_t fixed_ml;      /* at most 655 L; a greater one counts as that */
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
    SILENCE_COARSE = 1 << 1,        /* this meter counts whole tens of litres only */
    SILENCE_USE = 1 << 2            /* this reading was a use: a new silence begins */
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

#define SILENCE_RECENT 10
#define SILENCE_COARSE_USES 20 /* whole tens of litres in a row: that is how the meter counts */
#define SILENCE_REASONS 0x7f   /* of `reasons`; the rest: nobody was home, start anew */

struct silence {
    int64_t seen_us;    /* end of the last accepted reading; 0 = none yet */
    int64_t quiet_us;   /* end of the last report with a use, or the last life sign */
    int64_t counted_us; /* lambda is summed up to here */
    int64_t total_ml;   /* last accepted total */
    int64_t suspect_ml; /* last total set aside */
    uint32_t heard_s, started_s, explained_s;
    uint32_t run_s[2]; /* since when every report ran at the rate; 0 = not running */
    uint32_t interval_s;
    uint32_t last_use_s, last_use_ml;
    uint32_t day_cl;         /* centilitres since local midnight */
    int32_t hour, ring_hour; /* local hours since 1970: open in the profile, in the ring */
    float observed, used;    /* of the open hour: share seen, chance that it had a use */
    float actual, expected;  /* hours with a use, decayed over a day: seen and as usual */
    float activity;          /* their ratio at the last use */
    float lambda, peak;      /* of this silence: expected uses missed, largest E */
    float tail_count, tail_sum, tail_years;
    float theta, bias;
    float leak, ring_open;
    float hazard[2][24];    /* -ln(1 - chance) that a weekday's (weekend's) clock hour has a use */
    uint16_t weight[2][24]; /* hours learned, in 1/1800, up to 30 */
    float ring[24];         /* litres by clock hour */
    uint32_t recent_s[SILENCE_RECENT]; /* the newest volumes that make up fixed_ml, oldest first */
    uint16_t recent_cl[SILENCE_RECENT];
    uint16_t false_count, true_count;
    uint8_t recent_count;
    uint8_t open;     /* enum silence_rule: raised and not ended */
    uint8_t noted;    /* enum silence_rule: reported as explained in this silence */
    uint8_t reasons;  /* enum silence_reason in force */
    uint8_t suspects; /* readings set aside in a row */
    uint8_t fitting;  /* of these, in a row, that fit each other */
    uint8_t coarse;   /* uses in a row that were whole tens of litres */
};
_Static_assert(sizeof(struct silence) <= 600, "a million meters shall fit");

#endif
