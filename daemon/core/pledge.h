/*
 * Replies that are owed and wait until a record is durable: first in, first out, because record
 * numbers only rise. A reply that owes nothing to the journal still waits here behind an earlier one
 * of its connection, so that a device sees replies in the order of its frames.
 */
#ifndef ONEKEY_CORE_PLEDGE_H
#define ONEKEY_CORE_PLEDGE_H

#include "daemon/base/ring.h"
#include "protocol/bytes.h"

struct pledge {
    uint64_t number;  /* goes out when this record is durable */
    uint64_t session; /* 0: published to `topic` */
    struct bytes topic, body;
};

struct pledges {
    struct ring ring;
    uint64_t newest; /* number of the last pledge added, 0 = none waits */
};

/* Borrows `memory` for its life. */
void pledge_init(struct pledges *pledges, void *memory, size_t size);
/* Whether a reply of REPLY_MAX bytes fits: asked before a frame is admitted, so that a pledge once
 * needed can always be kept. */
bool pledge_has_room(const struct pledges *pledges);
/* Copies topic and body. pledge->number must not be below an earlier one. */
void pledge_add(struct pledges *pledges, const struct pledge *pledge);
/* Hands out and forgets each pledge whose number is durable; topic and body are lent for the call. */
void pledge_release(struct pledges *pledges, uint64_t durable,
                    void (*on_release)(void *context, const struct pledge *pledge), void *context);

#endif
