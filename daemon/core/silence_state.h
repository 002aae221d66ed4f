/*
 * The state of the silence detector for one meter: plain data without pointers, so that a million of
 * them lie in one array and are copied, saved and compared as they are. Only silence*.c reads or
 * writes the fields; everybody else takes this as an opaque block (see silence.h).
 */
#ifndef ONEKEY_CORE_SILENCE_STATE_H
#define ONEKEY_CORE_SILENCE_STATE_H

#include <stdint.h>

#define SILENCE_RECENT 10

struct silence {
    int64_t seen_us;    /* end of the last accepted reading; 0 = none yet */
    int64_t quiet_us;   /* end of the last report with a use, or the last life sign */
    int64_t counted_us; /* lambda is summed up to here */
    int64_t total_ml;   /* last accepted total */
    int64_t suspect_ml; /* last total set aside */
    uint32_t heard_s, started_s, explained_s;
    uint32_t run_s[2]; /* since when every report ran at the rate; 0 = not running */
    uint32_t interval_s;
    uint32_t last_use_ml, day_cl; /* centilitres since local midnight */
    int32_t hour, ring_hour;      /* local hours since 1970: open in the profile, in the ring */
    float observed, used;         /* of the open hour: share seen, chance that it had a use */
    float actual, expected;       /* hours with a use, decayed over a day: seen and as usual */
    float activity;               /* their ratio at the last use */
    float lambda, peak;           /* of this silence: expected uses missed, largest E */
    float tail_count, tail_sum, tail_years;
    float theta, bias;
    float leak, ring_open;
    float chance[2][24];               /* that a weekday's (weekend's) clock hour has a use */
    uint16_t weight[2][24];            /* hours learned, in 1/1800, up to 30 */
    float ring[24];                    /* litres by clock hour */
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
