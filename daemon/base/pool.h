/*
 * Objects of one size in the caller's memory, named by handles instead of pointers. A handle is the
 * index and the generation of its slot: once the object is removed the handle finds nothing, even
 * when the slot lives again, so a late event for something gone is noticed and not followed.
 * Never allocates; adding, finding and removing are O(1).
 */
#ifndef ONEKEY_BASE_POOL_H
#define ONEKEY_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define HANDLE_NONE UINT64_C(0) /* no pool ever gives this one */

struct pool {
    uint8_t *objects;
    struct pool_slot *slots;
    size_t object_size; /* rounded up, so that every object is aligned for anything */
    uint32_t capacity;
    uint32_t count; /* objects alive */
    uint32_t free_first;
};

/* Bytes that a pool of `capacity` objects needs. */
size_t pool_memory_size(size_t object_size, uint32_t capacity);
/* `memory` (pool_memory_size bytes, aligned as by malloc) stays the caller's and outlives the pool.
 * capacity < UINT32_MAX. */
void pool_init(struct pool *pool, void *memory, size_t object_size, uint32_t capacity);
/* A new object, all zero; HANDLE_NONE if the pool is full. */
uint64_t pool_add(struct pool *pool);
/* The object, lent until it is removed; NULL for a stale, foreign or no handle. */
void *pool_get(const struct pool *pool, uint64_t handle);
/* Removes the object; it must be alive. */
void pool_remove(struct pool *pool, uint64_t handle);
/* The first live object after `handle` in slot order (HANDLE_NONE: the first of all), HANDLE_NONE at
 * the end. `handle` may have been removed meanwhile. */
uint64_t pool_next(const struct pool *pool, uint64_t handle);
/* The handle of a live object of this pool. */
uint64_t pool_handle(const struct pool *pool, const void *object);

/* The slot of a handle, 0 .. capacity-1: for arrays beside the pool. */
static inline uint32_t handle_index(uint64_t handle)
{
    return (uint32_t)handle;
}

#endif
