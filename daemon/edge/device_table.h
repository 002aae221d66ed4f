/*
 * Every device of the district, packed, by its number in the database: what the directory compares
 * a new load with, and what it writes to disk. Entries lie one behind the other in many small
 * shards, so that nothing here ever takes long, however many there are.
 *
 * Each entry carries the generation of the load that last named it; a sweep removes what the
 * present one has not.
 */
#ifndef ONEKEY_EDGE_DEVICE_TABLE_H
#define ONEKEY_EDGE_DEVICE_TABLE_H

#include "daemon/base/attributes.h"
#include "daemon/core/store.h"

#define DEVICE_TABLE_SHARDS 65536

struct device_shard {
    uint8_t *entries;
    uint32_t size, capacity; /* bytes */
};

struct device_table {
    struct device_shard *shards;
    size_t count;
    uint32_t generation;
    void *adopted; /* the copy's memory, in which shards of capacity 0 lie; NULL = there are none */
    size_t adopted_size;
    uint32_t shards_adopted;
};

enum device_change { DEVICE_SAME, DEVICE_NEW, DEVICE_CHANGED };

typedef void device_table_on_entry(void *context, const struct device_entry *device);

void device_table_init(struct device_table *table);
void device_table_fini(struct device_table *table);
/* Adds or replaces, in the present generation. With DEVICE_CHANGED *old is what it was. */
enum device_change device_table_put(struct device_table *table, const struct device_entry *device,
                                    struct device_entry *old);
/* False if there is no such device, else *old is what it was. */
bool device_table_remove(struct device_table *table, int64_t device_id, struct device_entry *old);
/* Removes the entries of one shard that are not of the present generation, then tells each. */
void device_table_sweep(struct device_table *table, uint32_t shard,
                        device_table_on_entry *on_removed, void *context);

/* One shard as bytes, for the copy on disk, and how many entries those of several shards are, in the
 * order of the shards; -1 if they do not hold together. They lie aligned. */
#define DEVICE_TABLE_ALIGNMENT 8
struct bytes device_table_bytes(const struct device_table *table, uint32_t shard);
int64_t device_table_count(struct bytes entries) MUST_USE;

/* Who is told of the devices of a copy: of each a while ahead, so that it can fetch from memory what
 * it will need, then of each once more. */
struct device_table_heir {
    void *context;
    device_table_on_entry *on_ahead, *on_entry;
};

/* An empty table takes entries that were counted as they lie, in memory of memory_take() that is its
 * own from now on. protocols[n]: what the protocol n of the entries is now; -1: such are left out. */
void device_table_adopt(struct device_table *table, void *memory, size_t memory_size,
                        struct bytes entries, const int protocols[UINT8_MAX + 1],
                        const struct device_table_heir *heir);

#endif
