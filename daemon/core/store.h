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

/* One device as the database knows it. */
struct device_entry {
    uint8_t protocol; /* index into codecs[] */
    uint8_t kind;     /* enum device_kind */
    bool supervised;
    char identity[IDENTITY_LIMIT + 1];
    char carrier[CARRIER_LIMIT + 1]; /* "" = not known */
    int64_t device_id, household_id, area_id, parent_area_id;
    int32_t report_interval_s; /* 0 = not known */
    int32_t supervision_s;     /* its loss is known within so long; 0 = as its class */
    uint8_t secret_size;
    uint8_t secret[64];
};

/* The latest of a device's soft state, written in small batches off the alarm's connection. */
struct device_touch {
    uint8_t protocol;
    char identity[IDENTITY_LIMIT + 1];
    struct signal latest; /* measures by its `has`; received_at_us = last heard */
};

#endif
