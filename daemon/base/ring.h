/*
 * A queue of variable-sized entries in one block of the caller's memory, first in first out. An
 * entry is never split over the end of the block, so it is always one contiguous view. Positions
 * are absolute byte counts: they name an entry until it is popped and are never reused.
 */
#ifndef ONEKEY_BASE_RING_H
#define ONEKEY_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct ring {
    uint8_t *memory;
    uint64_t size; /* of memory, a multiple of 8 */
    uint64_t head, tail;
    size_t count;
};

/* Borrows `memory` for the ring's life. */
void ring_init(struct ring *ring, void *memory, size_t size);
/* Room for an entry of `size` bytes at the tail, or NULL if the ring is too full. */
void *ring_push(struct ring *ring, size_t size) MUST_USE;
/* Whether ring_push(size) would succeed now. */
bool ring_has_room(const struct ring *ring, size_t size);
/* The entry at `position` and its size; NULL at the tail. Start with ring->head. */
void *ring_at(const struct ring *ring, uint64_t position, size_t *size);
/* The position after the entry at `position`, which must not be the tail. */
uint64_t ring_next(const struct ring *ring, uint64_t position);
/* Drops the first entry; the ring must not be empty. */
void ring_pop(struct ring *ring);
void ring_clear(struct ring *ring);

#endif
