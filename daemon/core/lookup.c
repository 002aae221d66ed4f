#include "daemon/core/lookup.h"

#include <assert.h>
#include <string.h>

#define SIZE_MIN 16u

static uint32_t size_for(uint32_t members_max)
{
    uint64_t size = SIZE_MIN;

    while (size < 2 * (uint64_t)members_max)
        size *= 2;
    assert(size <= UINT32_MAX);
    return (uint32_t)size;
}

size_t lookup_memory_size(uint32_t members_max)
{
    return size_for(members_max) * sizeof(struct lookup_place);
}

void lookup_init(struct lookup *lookup, void *memory, uint32_t members_max)
{
    *lookup = (struct lookup){.places = memory, .size = size_for(members_max)};
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

/* Eight bytes at a time; the finisher of MurmurHash3 (public domain). */
uint32_t lookup_hash(const void *key, size_t size)
{
    const uint8_t *from = key;
    uint64_t hash = size, word;

    for (; size >= sizeof(word); from += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, from, sizeof(word));
        hash = mix(hash, word);
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, from, size);
        hash = mix(hash, word);
    }
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(hash ^ hash >> 33);
}

void lookup_fetch(const struct lookup *lookup, uint32_t hash)
{
    __builtin_prefetch(&lookup->places[lookup_first(lookup, hash)]);
}

void lookup_add(struct lookup *lookup, uint32_t hash, uint32_t index)
{
    uint32_t at = lookup_first(lookup, hash);

    while (lookup->places[at].taken != 0)
        at = lookup_next(lookup, at);
    lookup->places[at] = (struct lookup_place){hash, index + 1};
}

void lookup_remove(struct lookup *lookup, uint32_t hash, uint32_t index)
{
    struct lookup_place *places = lookup->places;
    uint32_t gap = lookup_first(lookup, hash), mask = lookup->size - 1;

    while (places[gap].hash != hash || places[gap].taken != index + 1) {
        assert(places[gap].taken != 0);
        gap = lookup_next(lookup, gap);
    }
    for (uint32_t at = lookup_next(lookup, gap); places[at].taken != 0;
         at = lookup_next(lookup, at)) {
        uint32_t pushed = (at - places[at].hash) & mask; /* on from where it belongs */

        if (pushed < ((at - gap) & mask))
            continue;
        places[gap] = places[at];
        gap = at;
    }
    places[gap].taken = 0;
}
