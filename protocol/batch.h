/*
 * Collects the signals of a frame that may hold more than there is room for: alarms stay, of the
 * others the last ones. In the caller's memory.
 */
#ifndef ONEKEY_PROTOCOL_BATCH_H
#define ONEKEY_PROTOCOL_BATCH_H

#include "protocol/signal.h"

struct batch {
    struct signal *out;
    int count, limit;
};

/* Adds a copy. A full batch makes room by dropping its oldest signal that is no alarm; if all are
 * alarms, the new one is dropped. */
void batch_add(struct batch *batch, const struct signal *signal);

#endif
