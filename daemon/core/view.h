/*
 * Looking into the gateway from outside, for the control socket: one thing after another, each call
 * cheap, nothing changed. A position starts at 0 and may be kept over turns; what joins or leaves
 * meanwhile may be missed or seen, nothing else happens.
 */
#ifndef ONEKEY_CORE_VIEW_H
#define ONEKEY_CORE_VIEW_H

#include "daemon/core/gateway.h"

struct view_session {
    const char *identity, *protocol; /* lent; "" while not known */
    bool known;                      /* in the registry */
};
/* The session after *handle (0: the first); false at the end. */
bool view_next_session(const struct gateway *gateway, uint64_t *handle,
                       struct view_session *session);

struct view_device {
    const char *identity, *protocol, *kind;
    int64_t device_id, household_id;
    int64_t heard_us; /* 0 = not since the start */
    bool connected, lost;
    bool in_outage; /* lost, and told with many others */
};
bool view_next_device(const struct gateway *gateway, uint32_t *position,
                      struct view_device *device);

struct view_meter {
    const char *identity, *scheme; /* lent; the scheme's is "" if it has none */
    int64_t household_id;
    int64_t due_us; /* when it will be judged without a reading; 0 = never */
    char rules[64], rules_on[64], reasons[64]; /* by name: those open, all, what explains them */
    int32_t fixed_ml;
    int64_t fixed_window_us;
    struct silence_detail detail;
};
bool view_next_meter(const struct gateway *gateway, uint32_t *position, struct view_meter *meter);

/* Alarms not committed to the database, oldest first, as far as they are in memory. */
bool view_next_unstored(const struct gateway *gateway, uint64_t *position, struct arrival *alarm);

struct view_lane {
    uint64_t waiting, in_flight, oldest, committed, parked;
    bool up, spilled;
};
struct view_lane view_lane(const struct gateway *gateway, enum lane lane);

#endif
