#include "daemon/base/ring.h"

#include <assert.h>

/* Each entry is preceded by its size; this size means "go on at the start of the block". */
#define WRAP UINT64_MAX
#define HEADER sizeof(uint64_t)

static uint64_t padded(size_t size)
{
    return HEADER + ((size + 7) & ~(uint64_t)7);
}

static uint64_t *header_at(const struct ring *ring, uint64_t position)
{
    return (uint64_t *)(void *)(ring->memory + position % ring->size);
}

void ring_init(struct ring *ring, void *memory, size_t size)
{
    *ring = (struct ring){.memory = memory, .size = size & ~(size_t)7};
}

/* Bytes to skip at the tail so that an entry does not straddle the end of the block. */
static uint64_t skip_at_tail(const struct ring *ring, uint64_t need)
{
    uint64_t to_end = ring->size - ring->tail % ring->size;

    return to_end < need ? to_end : 0;
}

bool ring_has_room(const struct ring *ring, size_t size)
{
    uint64_t need = padded(size);

    return ring->size - (ring->tail - ring->head) >= need + skip_at_tail(ring, need);
}

void *ring_push(struct ring *ring, size_t size)
{
    uint64_t need = padded(size), skip = skip_at_tail(ring, need);

    if (!ring_has_room(ring, size))
        return NULL;
    if (skip) {
        *header_at(ring, ring->tail) = WRAP;
        ring->tail += skip;
    }
    uint64_t *header = header_at(ring, ring->tail);

    *header = size;
    ring->tail += need;
    ring->count++;
    return header + 1;
}

static uint64_t past_wrap(const struct ring *ring, uint64_t position)
{
    if (position != ring->tail && *header_at(ring, position) == WRAP)
        position += ring->size - position % ring->size;
    return position;
}

void *ring_at(const struct ring *ring, uint64_t position, size_t *size)
{
    position = past_wrap(ring, position);
    if (position == ring->tail)
        return NULL;

    uint64_t *header = header_at(ring, position);

    *size = *header;
    return header + 1;
}

uint64_t ring_next(const struct ring *ring, uint64_t position)
{
    position = past_wrap(ring, position);
    assert(position != ring->tail);
    return position + padded(*header_at(ring, position));
}

void ring_pop(struct ring *ring)
{
    assert(ring->count > 0);
    ring->head = ring_next(ring, ring->head);
    ring->count--;
}

void ring_clear(struct ring *ring)
{
    ring->head = ring->tail;
    ring->count = 0;
}
