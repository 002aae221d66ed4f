/*
 * The time limits of tickets: learns from the database when something is due at which ticket, waits
 * on the core's wheel, and then lets the database do it (onekey.take_due). What is due, and that it
 * is done once, is decided there, so several gateways may do the same side by side.
 *
 *   connected, limits changed, half a horizon over --> reads all deadlines, page by page
 *   NOTIFY onekey_ticket                           --> reads those of the tickets it names
 *   a deadline has passed                          --> take_due, which also tells the next one
 *
 * A connection of its own, which never stands before an alarm.
 */
#ifndef ONEKEY_EDGE_ESCALATION_H
#define ONEKEY_EDGE_ESCALATION_H

#include "daemon/base/attributes.h"
#include "daemon/base/log.h"
#include "daemon/base/random.h"

#include <event2/event.h>
#include <stdint.h>

struct escalation;

struct escalation_settings {
    const char *conninfo;
    const char *gateway;
    const char *district;
    int timeout_ms;       /* longest wait for an answer; 0 = 5000 */
    uint32_t tickets_max; /* deadlines kept */
};

struct escalation_figures {
    uint32_t waiting;         /* deadlines on the wheel */
    uint64_t taken, readings; /* tickets at which something was due; times that all were read */
};

/* NULL, with *error set to a line that the caller frees, if conninfo cannot be read. The strings are
 * copied; `random` and `log` are borrowed for good. */
struct escalation *escalation_open(struct event_base *base,
                                   const struct escalation_settings *settings,
                                   struct random *random, struct log *log, char **error) MUST_USE;
void escalation_close(struct escalation *escalation);
/* Sends what is due; once a turn. */
void escalation_turn(struct escalation *escalation, int64_t mono_us);
/* Mono time at which the next turn is needed at the latest. */
int64_t escalation_wake_at(const struct escalation *escalation);
struct escalation_figures escalation_figures(const struct escalation *escalation);

#endif
