/*
 * What devices said while the journal was still being replayed, beyond what went into the journal:
 * that they were heard, and their measures. It waits until the gateway knows how they stood. Of
 * start.c and admit.c.
 */
#ifndef ONEKEY_CORE_EARLY_H
#define ONEKEY_CORE_EARLY_H

#include <stdbool.h>

#include "protocol/signal.h"

struct early_signal {
    uint64_t session; /* may be gone by then */
    uint8_t codec, listener;
    struct signal signal;
};

struct early {
    struct early_signal *signals; /* in the order in which they came */
    uint32_t count, told;
    bool is_on;   /* the journal is being replayed beside what comes in: see gateway_starting */
    bool is_over; /* the replay: they are being told, which may take several turns */
};

struct gateway;
struct origin;

/* Keeps a signal of a device that is known until the journal has been replayed. */
void start_keep(struct gateway *gateway, const struct origin *origin, const struct signal *signal);
/* Whether this record of the journal is a message that an earlier one is: only while the journal was
 * replayed could it be accepted again, as nobody knew yet what was in it. It counts once. */
bool start_is_repeated(const struct gateway *gateway, const struct signal *signal, uint64_t number);
/* By which listener a session came, as struct device has it; without one it is the broker's. */
uint8_t admit_listener(const struct gateway *gateway, uint64_t session);
/* What a signal says of its device beyond its record; whether it came from that device. */
bool admit_heard(struct gateway *gateway, uint64_t session, uint8_t listener, uint32_t device,
                 const struct signal *signal);

#endif
