#include "daemon/base/pool.h"

#include <assert.h>
#include <string.h>

#define ALIGNMENT 16
#define FREE_NONE UINT32_MAX

/* Odd generation: alive. It grows by one at every add and every remove. */
struct pool_slot {
    uint32_t generation;
    uint32_t free_next;
};

static size_t rounded(size_t object_size)
{
    return (object_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t pool_memory_size(size_t object_size, uint32_t capacity)
{
    return capacity * (rounded(object_size) + sizeof(struct pool_slot));
}

void pool_init(struct pool *pool, void *memory, size_t object_size, uint32_t capacity)
{
    assert(capacity < FREE_NONE);
    assert((uintptr_t)memory % ALIGNMENT == 0);
    *pool = (struct pool){.objects = memory, .object_size = rounded(object_size)};
    pool->capacity = capacity;
    pool->slots = (struct pool_slot *)(pool->objects + capacity * pool->object_size);
    pool->free_first = capacity > 0 ? 0 : FREE_NONE;
    for (uint32_t i = 0; i < capacity; i++)
        pool->slots[i] = (struct pool_slot){0, i + 1 < capacity ? i + 1 : FREE_NONE};
}

static uint64_t handle_of(const struct pool *pool, uint32_t index)
{
    return (uint64_t)pool->slots[index].generation << 32 | index;
}

static uint8_t *object_at(const struct pool *pool, uint32_t index)
{
    return pool->objects + index * pool->object_size;
}

uint64_t pool_add(struct pool *pool)
{
    uint32_t index = pool->free_first;
    if (index == FREE_NONE)
        return HANDLE_NONE;
    struct pool_slot *slot = &pool->slots[index];
    assert(slot->generation % 2 == 0);
    slot->generation++;
    pool->free_first = slot->free_next;
    pool->count++;
    memset(object_at(pool, index), 0, pool->object_size);
    return handle_of(pool, index);
}

void *pool_get(const struct pool *pool, uint64_t handle)
{
    uint32_t index = handle_index(handle);
    uint32_t generation = (uint32_t)(handle >> 32);
    if (index >= pool->capacity || generation % 2 == 0)
        return NULL;
    return pool->slots[index].generation == generation ? object_at(pool, index) : NULL;
}

void pool_remove(struct pool *pool, uint64_t handle)
{
    assert(pool_get(pool, handle) != NULL);
    struct pool_slot *slot = &pool->slots[handle_index(handle)];
    slot->generation++;
    slot->free_next = pool->free_first;
    pool->free_first = handle_index(handle);
    pool->count--;
}

uint64_t pool_next(const struct pool *pool, uint64_t handle)
{
    uint32_t index = handle == HANDLE_NONE ? 0 : handle_index(handle) + 1;
    for (; index < pool->capacity; index++)
        if (pool->slots[index].generation % 2 == 1)
            return handle_of(pool, index);
    return HANDLE_NONE;
}

uint64_t pool_handle(const struct pool *pool, const void *object)
{
    size_t offset = (size_t)((const uint8_t *)object - pool->objects);
    assert(offset % pool->object_size == 0 && offset / pool->object_size < pool->capacity);
    uint64_t handle = handle_of(pool, (uint32_t)(offset / pool->object_size));
    assert(pool_get(pool, handle) == object);
    return handle;
}
