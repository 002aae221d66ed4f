/* What observe.c keeps, and does for the other insides of struct gateway; part of gateway_state.h. */
#ifndef ONEKEY_CORE_GATEWAY_OBSERVER_H
#define ONEKEY_CORE_GATEWAY_OBSERVER_H

#include "daemon/core/store.h"

#define TOUCH_BATCH 100
#define TOUCH_ROUND_US (2 * US_PER_SECOND) /* from the beginning of a round of them to the next */
#define OBSERVATION_BATCH 100 /* no more, for the same reason: alarms beside them would wait */

/* Groups of measures that a device's history is thinned by; what it kept while it had no network
 * comes in bursts. */
enum observed_group { OBSERVED_POSITION, OBSERVED_VITALS, OBSERVED_CONDITION, OBSERVED_KEPT };
#define OBSERVED_GROUPS 4

/* Soft state on its way to the database. */
struct observer {
    struct measures *latest; /* not yet stored, by device index */
    uint32_t (
        *due_s)[OBSERVED_GROUPS]; /* mono second of the next row of history, by device index */
    uint32_t *touched;            /* queue of devices whose latest waits, devices_max entries */
    uint32_t touched_first, touched_count;
    uint32_t round_left;         /* of them, what goes to the database in this round */
    int64_t round_at_us;         /* mono; when the next round begins */
    struct observation *history; /* ring of observations_max */
    uint32_t history_first, history_count;
    int64_t stamped_us; /* received_at of the last row: each is later, as it is part of the key */
    uint32_t in_flight; /* the first ones of the ring, which the database is storing */
    bool is_storing;    /* its answer is awaited, whether or not they are still in the ring */
};

/* Keeps what a known device said, for the latest values and for the history, and decides whether its
 * battery is low. */
void observe_signal(struct gateway *gateway, uint32_t device, const struct signal *signal);
/* A signal that begins or ends an episode of a low battery was found in the journal. */
void observe_said(struct gateway *gateway, uint32_t device, const struct signal *signal);
/* The device is gone, or its place another's. */
void observe_forget(struct gateway *gateway, uint32_t device);
/* Hands out what waits, a bounded part of it a turn. */
void observe_flush(struct gateway *gateway);
/* Mono microseconds at which there is something to hand out again; INT64_MAX: not before anything
 * else happens. */
int64_t observe_wake_at(const struct gateway *gateway);

#endif
