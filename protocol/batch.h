/*
 * Collects the signals of a frame that may hold more than there is room for: alarms stay, of the
 * others the last ones. In the caller's memory.
 */
#ifndef ONEKEY_PROTOCOL_BATCH_H
#define ONEKEY_PROTOCOL_BATCH_H

#include "protocol/codec.h"

struct batch {
    struct signal *out;
    int count, limit;
};

/* Adds a copy. A full batch makes room by dropping its oldest signal that is no alarm; if all are
 * alarms, the new one is dropped. */
void batch_add(struct batch *batch, const struct signal *signal);
/* The next frame of a message that may hold several, taken off *rest; where `split` finds none, all
 * that is left is the last one, whole or not. */
struct bytes batch_next_frame(enum frame (*split)(struct bytes input, size_t *skip, size_t *size),
                              struct bytes *rest);

#endif
