#include "daemon/edge/device_table.h"

#include "daemon/edge/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT DEVICE_TABLE_ALIGNMENT
#define AHEAD 16 /* entries between the announcement of a device and the device */
#define SHARD_BYTES_MIN 256

/* An entry in memory and in the copy on disk: this head, the identity, the secret, the carrier, the
 * scheme, and padding up to the alignment. A change here needs a new version of the copy. */
struct packed {
    uint16_t size; /* of all of it */
    uint8_t protocol, kind, supervised, identity_size, secret_size, carrier_size;
    int32_t report_interval_s, supervision_s;
    int32_t latitude_e7, longitude_e7, silence_ml, silence_window_s;
    struct stretch absent, worked_on;
    uint32_t generation;
    uint8_t scheme_size, unused[3];
    int64_t device_id, household_id, area_id, parent_area_id;
};

#define PACKED_MAX                                                                                 \
    ((sizeof(struct packed) + IDENTITY_LIMIT + sizeof(((struct device_entry *)NULL)->secret) +     \
      CARRIER_LIMIT + SCHEME_LIMIT + ALIGNMENT - 1) /                                              \
     ALIGNMENT * ALIGNMENT)

union packed_buffer {
    struct packed head;
    uint8_t bytes[PACKED_MAX];
};

static void *must(void *memory)
{
    if (!memory)
        abort(); /* out of memory: the supervisor starts us anew */
    return memory;
}

void device_table_init(struct device_table *table)
{
    memset(table, 0, sizeof *table);
    table->shards = must(calloc(DEVICE_TABLE_SHARDS, sizeof *table->shards));
}

/* Whether its entries still lie in the memory of the copy. */
static bool is_adopted(const struct device_shard *shard)
{
    return shard->entries && shard->capacity == 0;
}

void device_table_fini(struct device_table *table)
{
    for (uint32_t i = 0; i < DEVICE_TABLE_SHARDS; i++)
        if (!is_adopted(&table->shards[i]))
            free(table->shards[i].entries);
    memory_give_back(table->adopted, table->adopted_size);
    free(table->shards);
}

static void pack(const struct device_entry *device, uint32_t generation, union packed_buffer *out)
{
    size_t identity_size = strnlen(device->identity, IDENTITY_LIMIT);
    size_t carrier_size = strnlen(device->carrier, CARRIER_LIMIT);
    size_t scheme_size = strnlen(device->scheme, SCHEME_LIMIT);
    size_t used =
        sizeof out->head + identity_size + device->secret_size + carrier_size + scheme_size;
    uint8_t *at = out->bytes + sizeof out->head;

    assert(device->secret_size <= sizeof device->secret);
    memset(out, 0, sizeof *out);
    out->head = (struct packed){
        .size = (uint16_t)((used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT),
        .generation = generation,
        .protocol = device->protocol,
        .kind = device->kind,
        .supervised = device->supervised,
        .identity_size = (uint8_t)identity_size,
        .secret_size = device->secret_size,
        .carrier_size = (uint8_t)carrier_size,
        .scheme_size = (uint8_t)scheme_size,
        .latitude_e7 = device->latitude_e7,
        .longitude_e7 = device->longitude_e7,
        .silence_ml = device->silence_ml,
        .silence_window_s = device->silence_window_s,
        .absent = device->absent,
        .worked_on = device->worked_on,
        .supervision_s = device->supervision_s,
        .report_interval_s = device->report_interval_s,
        .device_id = device->device_id,
        .household_id = device->household_id,
        .area_id = device->area_id,
        .parent_area_id = device->parent_area_id,
    };
    memcpy(at, device->identity, identity_size);
    memcpy(at + identity_size, device->secret, device->secret_size);
    memcpy(at + identity_size + device->secret_size, device->carrier, carrier_size);
    memcpy(out->bytes + used - scheme_size, device->scheme, scheme_size);
}

static void unpack(const struct packed *packed, struct device_entry *out)
{
    const uint8_t *identity = (const uint8_t *)(packed + 1);

    *out = (struct device_entry){
        .protocol = packed->protocol,
        .kind = packed->kind,
        .supervised = packed->supervised,
        .device_id = packed->device_id,
        .household_id = packed->household_id,
        .area_id = packed->area_id,
        .parent_area_id = packed->parent_area_id,
        .supervision_s = packed->supervision_s,
        .latitude_e7 = packed->latitude_e7,
        .longitude_e7 = packed->longitude_e7,
        .silence_ml = packed->silence_ml,
        .silence_window_s = packed->silence_window_s,
        .absent = packed->absent,
        .worked_on = packed->worked_on,
        .report_interval_s = packed->report_interval_s,
        .secret_size = packed->secret_size,
    };
    memcpy(out->identity, identity, packed->identity_size);
    memcpy(out->secret, identity + packed->identity_size, packed->secret_size);
    memcpy(out->carrier, identity + packed->identity_size + packed->secret_size,
           packed->carrier_size);
    memcpy(out->scheme,
           identity + packed->identity_size + packed->secret_size + packed->carrier_size,
           packed->scheme_size);
}

static struct device_shard *shard_of(struct device_table *table, int64_t device_id)
{
    return &table->shards[(uint64_t)device_id % DEVICE_TABLE_SHARDS];
}

static struct packed *at(const struct device_shard *shard, uint32_t offset)
{
    return (struct packed *)(void *)(shard->entries + offset);
}

static struct packed *find(const struct device_shard *shard, int64_t device_id)
{
    for (uint32_t offset = 0; offset < shard->size; offset += at(shard, offset)->size)
        if (at(shard, offset)->device_id == device_id)
            return at(shard, offset);
    return NULL;
}

static void cut(struct device_table *table, struct device_shard *shard, struct packed *packed)
{
    uint8_t *from = (uint8_t *)packed;
    uint32_t size = packed->size;
    size_t behind = (size_t)(shard->entries + shard->size - (from + size));

    memmove(from, from + size, behind);
    shard->size -= size;
    table->count--;
}

/* Out of the copy's memory, which goes with its last shard. */
static void move_out(struct device_table *table, struct device_shard *shard, uint32_t capacity)
{
    uint8_t *entries = must(malloc(capacity));

    memcpy(entries, shard->entries, shard->size);
    shard->entries = entries;
    if (--table->shards_adopted > 0)
        return;
    memory_give_back(table->adopted, table->adopted_size);
    table->adopted = NULL;
}

static void add(struct device_table *table, struct device_shard *shard,
                const union packed_buffer *packed)
{
    uint32_t size = packed->head.size, needed = shard->size + size;

    if (shard->capacity < needed) {
        uint32_t capacity = needed < SHARD_BYTES_MIN ? SHARD_BYTES_MIN : needed + needed / 2;

        if (is_adopted(shard))
            move_out(table, shard, capacity);
        else
            shard->entries = must(realloc(shard->entries, capacity));
        shard->capacity = capacity;
    }
    memcpy(shard->entries + shard->size, packed, size);
    shard->size += size;
    table->count++;
}

enum device_change device_table_put(struct device_table *table, const struct device_entry *device,
                                    struct device_entry *old)
{
    struct device_shard *shard = shard_of(table, device->device_id);
    struct packed *present = find(shard, device->device_id);
    union packed_buffer packed;

    pack(device, table->generation, &packed);
    if (!present) {
        add(table, shard, &packed);
        return DEVICE_NEW;
    }
    present->generation = table->generation;
    if (present->size == packed.head.size && memcmp(present, &packed, present->size) == 0)
        return DEVICE_SAME;
    unpack(present, old);
    cut(table, shard, present);
    add(table, shard, &packed);
    return DEVICE_CHANGED;
}

bool device_table_remove(struct device_table *table, int64_t device_id, struct device_entry *old)
{
    struct device_shard *shard = shard_of(table, device_id);
    struct packed *present = find(shard, device_id);

    if (!present)
        return false;
    unpack(present, old);
    cut(table, shard, present);
    return true;
}

void device_table_sweep(struct device_table *table, uint32_t shard_index,
                        device_table_on_entry *on_removed, void *context)
{
    struct device_shard *shard = &table->shards[shard_index];
    struct device_entry old;

    for (uint32_t offset = 0; offset < shard->size;) {
        struct packed *packed = at(shard, offset);
        if (packed->generation == table->generation) {
            offset += packed->size;
            continue;
        }
        unpack(packed, &old);
        cut(table, shard, packed);
        on_removed(context, &old);
    }
}

struct bytes device_table_bytes(const struct device_table *table, uint32_t shard)
{
    return (struct bytes){table->shards[shard].entries, table->shards[shard].size};
}

/* Whether an entry of the copy is one that can be read. */
static bool is_sound(const struct packed *packed, size_t rest)
{
    size_t used = sizeof *packed + packed->identity_size + packed->secret_size +
                  packed->carrier_size + packed->scheme_size;

    return packed->size <= rest && packed->size <= PACKED_MAX && packed->size >= used &&
           packed->size % ALIGNMENT == 0 && packed->identity_size <= IDENTITY_LIMIT &&
           packed->secret_size <= sizeof(((struct device_entry *)NULL)->secret) &&
           packed->carrier_size <= CARRIER_LIMIT && packed->scheme_size <= SCHEME_LIMIT;
}

int64_t device_table_count(struct bytes entries)
{
    int64_t count = 0;
    uint64_t shard = 0;

    for (size_t at = 0; at < entries.size; count++) {
        const struct packed *packed = (const void *)(entries.data + at);

        if (entries.size - at < sizeof *packed || !is_sound(packed, entries.size - at) ||
            (uint64_t)packed->device_id % DEVICE_TABLE_SHARDS < shard)
            return -1;
        shard = (uint64_t)packed->device_id % DEVICE_TABLE_SHARDS;
        at += packed->size;
    }
    return count;
}

/* An entry of the copy becomes the last one of its shard, whose entries lie before it. */
static void adopt(struct device_table *table, struct packed *packed)
{
    struct device_shard *shard = shard_of(table, packed->device_id);
    uint32_t size = packed->size;

    packed->generation = table->generation;
    if (!shard->entries) {
        shard->entries = (uint8_t *)packed;
        table->shards_adopted++;
    } else if (shard->entries + shard->size != (uint8_t *)packed) {
        memmove(shard->entries + shard->size, packed, size);
    }
    shard->size += size;
    table->count++;
}

void device_table_adopt(struct device_table *table, void *memory, size_t memory_size,
                        struct bytes entries, const int protocols[UINT8_MAX + 1],
                        const struct device_table_heir *heir)
{
    struct device_entry waiting[AHEAD];
    uint8_t *at = (uint8_t *)(uintptr_t)entries.data, *end = at + entries.size;
    size_t count = 0;

    assert(table->count == 0 && !table->adopted);
    table->adopted = memory;
    table->adopted_size = memory_size;
    for (uint32_t size; at < end; at += size) {
        struct packed *packed = (void *)at;
        int protocol = protocols[packed->protocol];

        size = packed->size;
        if (protocol < 0)
            continue;
        if (count >= AHEAD)
            heir->on_entry(heir->context, &waiting[count % AHEAD]);
        packed->protocol = (uint8_t)protocol;
        unpack(packed, &waiting[count % AHEAD]);
        adopt(table, packed);
        heir->on_ahead(heir->context, &waiting[count++ % AHEAD]);
    }
    for (size_t i = count > AHEAD ? count - AHEAD : 0; i < count; i++)
        heir->on_entry(heir->context, &waiting[i % AHEAD]);
}
