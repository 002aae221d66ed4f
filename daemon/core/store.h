/*
 * What the core asks of the database, and what it is told in return. daemon/edge/store.c answers
 * with PostgreSQL, the simulator with a model of it.
 */
#ifndef ONEKEY_CORE_STORE_H
#define ONEKEY_CORE_STORE_H

#include "daemon/core/arrival.h"

#define STORE_BATCH_MAX 512
#define CARRIER_LIMIT 15 /* longest name of a SIM's network, without its NUL */

/* Records of one lane, in the order of their numbers, committed together or not at all. Storing a
 * record again (same gateway and number) changes nothing. */
struct store_batch {
    uint32_t id; /* given back with the result */
    enum lane type;
    const struct arrival *records; /* lent for the call only */
    size_t count;
};

enum store_result {
    STORE_COMMITTED,
    STORE_LOST,    /* connection gone: committed or not, nobody knows; will be sent again */
    STORE_REFUSED, /* the database refuses a row of the batch: halve it to find which */
    STORE_BUSY     /* could not even be sent; sent again later */
};

#define SCHEME_LIMIT 47 /* bytes of a scheme's name, without its NUL */

/* From one moment to another, UTC microseconds. */
struct stretch {
    int64_t from_us;  /* 0 = there is none */
    int64_t until_us; /* 0 = not known yet */
};

/* One device as the database knows it. */
struct device_entry {
    uint8_t protocol; /* index into codecs[] */
    uint8_t kind;     /* enum device_kind */
    bool supervised;
    char identity[IDENTITY_LIMIT + 1];
    char carrier[CARRIER_LIMIT + 1]; /* "" = not known */
    int64_t device_id, household_id, area_id, parent_area_id;
    int32_t report_interval_s;         /* 0 = not known */
    int32_t supervision_s;             /* its loss is known within so long; 0 = as its class */
    struct stretch absent;             /* its household is away: now, or next */
    struct stretch worked_on;          /* the same of a meter's maintenance */
    int32_t latitude_e7, longitude_e7; /* of its home, WGS-84; both 0 = not known */
    /* How this home's silence is judged; "" and 0: as the configuration says. */
    char scheme[SCHEME_LIMIT + 1];
    int32_t silence_ml, silence_window_s;
    uint8_t secret_size;
    uint8_t secret[64];
};

/* What a device said beyond alarms, each group with the time at which it was so (0: not known; then a
 * position is the last place that the device knew, without a fix). Units as in struct signal. */
struct measures {
    uint32_t has; /* enum signal_measure */
    int32_t latitude_e7, longitude_e7, accuracy_m, steps;
    int16_t battery_percent, gsm_percent;
    int16_t heart_rate, systolic, diastolic, oxygen_percent, temperature_c100;
    int64_t position_at_us, vitals_at_us, condition_at_us;
};

/* The latest of a device's soft state, written in small batches off the alarm's connection. */
struct device_touch {
    uint8_t protocol;
    char identity[IDENTITY_LIMIT + 1];
    int64_t heard_us;
    struct measures latest;
};

/* One row of a device's history. */
struct observation {
    int64_t device_id;
    int64_t at_us;                          /* when it was so, as far as that can be believed */
    int64_t received_at_us, occurred_at_us; /* occurred: as the device says, 0 = it does not */
    struct measures said;
};

#define PROFILE_STATE_MAX 720
#define PROFILE_DETAIL_MAX 1536

/* A copy of what a meter's detector has learned; everything is lent. */
struct profile {
    uint8_t protocol;
    const char *identity;
    uint64_t number; /* of the record in the journal: it includes all before */
    int64_t kept_us, lesson_id;
    struct bytes state;  /* at most PROFILE_STATE_MAX */
    struct bytes detail; /* JSON, at most PROFILE_DETAIL_MAX */
};

/* What people found out by a ticket, for one meter. */
struct lesson {
    int64_t id;
    uint8_t protocol;
    const char *identity;
    const char *word; /* as onekey.outcome has it */
    int64_t at_us;
};

#endif
