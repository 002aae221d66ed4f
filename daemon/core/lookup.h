/*
 * Which member has this key? A table of hashes and indices beside an array of the caller's, who compares
 * the keys: a look-up costs one place of this table and one member in memory. Open addressing, each place 8
 * bytes, at most half of them taken; made once for the most members there can be, so that it never
 * grows. Removing leaves no trace: what was pushed on by the member moves back.
 *
 *     for (at = lookup_first(table, hash); (index = lookup_member(table, hash, &at)) != LOOKUP_NONE;)
 *         if (keys are equal) …
 */
#ifndef ONEKEY_CORE_LOOKUP_H
#define ONEKEY_CORE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#define LOOKUP_NONE UINT32_MAX

struct lookup_place {
    uint32_t hash, taken; /* index + 1, 0 = free */
};

struct lookup {
    struct lookup_place *places;
    uint32_t size; /* a power of two */
};

/* Bytes for so many members; lookup_init borrows them, zeroed, for life. */
size_t lookup_memory_size(uint32_t members_max);
void lookup_init(struct lookup *lookup, void *memory, uint32_t members_max);
uint32_t lookup_hash(const void *key, size_t size);
/* Where to begin; and the next member of this hash from *at on, LOOKUP_NONE after the last. */
static inline uint32_t lookup_first(const struct lookup *lookup, uint32_t hash)
{
    return hash & (lookup->size - 1);
}

static inline uint32_t lookup_next(const struct lookup *lookup, uint32_t at)
{
    return (at + 1) & (lookup->size - 1);
}

static inline uint32_t lookup_member(const struct lookup *lookup, uint32_t hash, uint32_t *at)
{
    while (lookup->places[*at].taken != 0) {
        const struct lookup_place *place = &lookup->places[*at];

        *at = lookup_next(lookup, *at);
        if (place->hash == hash)
            return place->taken - 1;
    }
    return LOOKUP_NONE;
}

/* Has the place where to begin fetched from memory. */
void lookup_fetch(const struct lookup *lookup, uint32_t hash);
/* A member that is not in it; one that is. */
void lookup_add(struct lookup *lookup, uint32_t hash, uint32_t index);
void lookup_remove(struct lookup *lookup, uint32_t hash, uint32_t index);

#endif
