/*
 * The alarms accepted lately, by what their device calls them, so that a retransmission is answered
 * again and not raised again. Compares whole names, never only hashes: a message that merely looks
 * alike is a new alarm. When a set is full its oldest entry goes; the worst case of forgetting is
 * that a repeated message rings again, never that one is swallowed. And it forgets after a day, as the
 * database does: some devices count their messages from 1 again.
 */
#ifndef ONEKEY_CORE_RECENT_H
#define ONEKEY_CORE_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/instant.h"
#include "protocol/signal.h"

#define RECENT_WAYS 4
#define RECENT_SPAN_US US_PER_DAY

struct recent_alarm {
    uint64_t number; /* of its record; 0 = free */
    int64_t received_at_us;
    uint8_t kind, protocol;
    bool is_proven; /* what was not proven never stands for what is */
    char identity[IDENTITY_LIMIT + 1];
    char message_id[MESSAGE_ID_LIMIT + 1];
};

struct recent {
    struct recent_alarm *alarms; /* sets of RECENT_WAYS, newest first */
    uint32_t sets;
};

/* Borrows `alarms`, zeroed, sets * RECENT_WAYS of them. */
void recent_init(struct recent *recent, struct recent_alarm *alarms, uint32_t sets);
/* The number under which this very message was accepted, less than a day before or (after a step of the
 * clock) behind it; 0 if it was not or has no message_id. */
uint64_t recent_find(const struct recent *recent, const struct signal *signal);
void recent_add(struct recent *recent, const struct signal *signal, uint64_t number);

#endif
