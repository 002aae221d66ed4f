#include "tools/console/visitors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "daemon/base/instant.h"

struct entry {
    uint8_t hash[TOKEN_HASH_SIZE];
    struct visitor visitor;
    int64_t confirmed_us;
    UT_hash_handle hh; /* in the order in which they were first confirmed */
};

struct visitors {
    struct entry *entries;
    int64_t frozen_us;
};

struct visitors *visitors_open(void)
{
    struct visitors *visitors = calloc(1, sizeof(*visitors));
    if (visitors == NULL)
        abort(); /* out of memory */
    return visitors;
}

static struct entry *find(struct visitors *visitors, const uint8_t *hash)
{
    struct entry *entry = NULL;
    HASH_FIND(hh, visitors->entries, hash, TOKEN_HASH_SIZE, entry);
    return entry;
}

static void forget(struct visitors *visitors, struct entry *entry)
{
    HASH_DEL(visitors->entries, entry);
    free(entry->visitor.session);
    free(entry);
}

void visitors_close(struct visitors *visitors)
{
    struct entry *entry, *following;
    HASH_ITER(hh, visitors->entries, entry, following)
    forget(visitors, entry);
    free(visitors);
}

void visitors_note(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE],
                   const struct visitor *visitor, int64_t mono_us)
{
    struct entry *entry = find(visitors, hash);
    if (entry == NULL) {
        if (HASH_COUNT(visitors->entries) == VISITORS_MAX)
            forget(visitors, visitors->entries);
        entry = calloc(1, sizeof(*entry));
        if (entry == NULL)
            abort(); /* out of memory */
        memcpy(entry->hash, hash, TOKEN_HASH_SIZE);
        HASH_ADD(hh, visitors->entries, hash, TOKEN_HASH_SIZE, entry);
    }
    entry->confirmed_us = mono_us;
    if (visitor == NULL)
        return;
    snprintf(entry->visitor.name, sizeof(entry->visitor.name), "%s", visitor->name);
    entry->visitor.sees_unstored = visitor->sees_unstored;
    if (visitor->session != NULL) {
        free(entry->visitor.session);
        entry->visitor.session = strdup(visitor->session);
    }
}

void visitors_forget(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE])
{
    struct entry *entry = find(visitors, hash);
    if (entry != NULL)
        forget(visitors, entry);
}

const struct visitor *visitors_find(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE],
                                    int64_t mono_us)
{
    struct entry *entry = find(visitors, hash);
    int64_t now_us = visitors->frozen_us != 0 ? visitors->frozen_us : mono_us;
    if (entry == NULL || now_us - entry->confirmed_us > VISITORS_KEPT_S * US_PER_SECOND)
        return NULL;
    return &entry->visitor;
}

void visitors_freeze(struct visitors *visitors, int64_t mono_us)
{
    if (visitors->frozen_us == 0 || mono_us == 0)
        visitors->frozen_us = mono_us;
}
