#include "daemon/core/registry.h"

#include <assert.h>
#include <string.h>

/* uthash asks for its buckets here. Doublings leave the old table behind; together they stay below
 * twice the last one, for which registry_memory_size makes room. */
static void *take(struct registry *registry, size_t size)
{
    void *memory = registry->arena + registry->arena_used;

    registry->arena_used += (size + 15) & ~(size_t)15;
    assert(registry->arena_used <= registry->arena_size);
    return memory;
}

#undef uthash_malloc
#undef uthash_free
#undef uthash_fatal
#define uthash_malloc(size) take(registry, size)
#define uthash_free(pointer, size) (void)(pointer)
#define uthash_fatal(message) assert(false && message)

static size_t arena_size_for(uint32_t devices_max)
{
    /* Two tables with up to one 16-byte bucket a device, all doublings, and slack. */
    return 2 * ((size_t)devices_max * 2 * 16 * 2 + 8192);
}

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

size_t registry_memory_size(uint32_t devices_max)
{
    return aligned(devices_max * sizeof(struct device)) +
           aligned(devices_max * sizeof(struct device_secret)) +
           aligned(devices_max * sizeof(struct household)) + arena_size_for(devices_max);
}

/* uthash gives a table back when its last member goes, and the arena takes nothing back: one member
 * that nobody can look up keeps each table alive. */
static void add_sentinels(struct registry *registry)
{
    struct device *device = &registry->sentinel_device;
    struct household *household = &registry->sentinel_household;

    HASH_ADD(hh, registry->by_key, key, 1, device);
    household->id = INT64_MIN;
    HASH_ADD(hh, registry->by_id, id, sizeof(household->id), household);
}

void registry_init(struct registry *registry, void *memory, uint32_t devices_max)
{
    uint8_t *at = memory;

    memset(registry, 0, sizeof(*registry));
    registry->devices_max = devices_max;
    registry->devices = (void *)at;
    at += aligned(devices_max * sizeof(struct device));
    registry->households = (void *)at;
    at += aligned(devices_max * sizeof(struct household));
    registry->secrets = (void *)at;
    at += aligned(devices_max * sizeof(struct device_secret));
    registry->arena = at;
    registry->arena_size = arena_size_for(devices_max);
    registry->free_device = registry->free_household = NO_DEVICE;
    add_sentinels(registry);
}

static size_t make_key(char *key, uint8_t protocol, const char *identity)
{
    size_t size = strlen(identity);

    assert(size <= IDENTITY_LIMIT);
    key[0] = (char)(protocol + 1);
    memcpy(key + 1, identity, size + 1);
    return size + 1;
}

uint32_t registry_find(const struct registry *registry, uint8_t protocol, const char *identity)
{
    char key[sizeof(((struct device *)0)->key)];
    size_t size = make_key(key, protocol, identity);
    struct device *found;

    HASH_FIND(hh, registry->by_key, key, size, found);
    return found ? (uint32_t)(found - registry->devices) : NO_DEVICE;
}

/* Free places form a list; places never used follow behind the highest one used. */
static uint32_t new_device(struct registry *registry)
{
    uint32_t index = registry->free_device;

    if (index != NO_DEVICE) {
        registry->free_device = registry->devices[index].next_in_household;
        return index;
    }
    return registry->devices_used < registry->devices_max ? registry->devices_used++ : NO_DEVICE;
}

static struct household *find_household(const struct registry *registry, int64_t id)
{
    struct household *found;

    HASH_FIND(hh, registry->by_id, &id, sizeof(id), found);
    return found;
}

static struct household *new_household(struct registry *registry, int64_t id)
{
    uint32_t index = registry->free_household;
    struct household *household;

    if (index == NO_DEVICE) {
        household = &registry->households[registry->households_used++];
    } else {
        household = &registry->households[index];
        registry->free_household = household->first_device;
    }
    *household = (struct household){.id = id, .first_device = NO_DEVICE};
    HASH_ADD(hh, registry->by_id, id, sizeof(id), household);
    return household;
}

static void join_household(struct registry *registry, uint32_t index)
{
    struct device *device = &registry->devices[index];

    device->next_in_household = NO_DEVICE;
    if (device->household_id == 0)
        return;

    struct household *household = find_household(registry, device->household_id);

    if (!household)
        household = new_household(registry, device->household_id);
    device->next_in_household = household->first_device;
    household->first_device = index;
    household->device_count++;
}

static void leave_household(struct registry *registry, uint32_t index)
{
    struct device *device = &registry->devices[index];
    struct household *household = find_household(registry, device->household_id);
    uint32_t *link;

    if (!household)
        return;
    link = &household->first_device;
    while (*link != index)
        link = &registry->devices[*link].next_in_household;
    *link = device->next_in_household;
    if (--household->device_count == 0) {
        HASH_DELETE(hh, registry->by_id, household);
        household->first_device = registry->free_household;
        registry->free_household = (uint32_t)(household - registry->households);
    }
}

static void take_entry(struct registry *registry, uint32_t index, const struct device_entry *entry)
{
    struct device *device = &registry->devices[index];
    struct device_secret *secret = &registry->secrets[index];

    device->kind = entry->kind;
    device->supervised = entry->supervised;
    device->report_interval_s = entry->report_interval_s;
    device->device_id = entry->device_id;
    device->area_id = entry->area_id;
    device->parent_area_id = entry->parent_area_id;
    device->supervision_s = entry->supervision_s;
    memcpy(device->carrier, entry->carrier, sizeof(device->carrier));
    if (entry->secret_size || secret->size) {
        secret->size = entry->secret_size;
        memcpy(secret->bytes, entry->secret, sizeof(secret->bytes));
    }
}

uint32_t registry_put(struct registry *registry, const struct device_entry *entry)
{
    uint32_t index = registry_find(registry, entry->protocol, entry->identity);

    if (index == NO_DEVICE) {
        index = new_device(registry);
        if (index == NO_DEVICE)
            return NO_DEVICE;

        struct device *device = &registry->devices[index];
        bool touched = device->touched; /* its place may still stand in that queue */

        memset(device, 0, sizeof(*device));
        device->touched = touched;
        device->in_use = true;
        device->household_id = entry->household_id;
        size_t size = make_key(device->key, entry->protocol, entry->identity);

        HASH_ADD(hh, registry->by_key, key, size, device);
        registry->device_count++;
        join_household(registry, index);
    } else if (registry->devices[index].household_id != entry->household_id) {
        leave_household(registry, index);
        registry->devices[index].household_id = entry->household_id;
        join_household(registry, index);
    }
    take_entry(registry, index, entry);
    return index;
}

void registry_remove(struct registry *registry, uint32_t index)
{
    struct device *device = &registry->devices[index];

    assert(device->in_use);
    leave_household(registry, index);
    HASH_DELETE(hh, registry->by_key, device);
    device->in_use = false;
    device->next_in_household = registry->free_device;
    registry->free_device = index;
    registry->device_count--;
}

uint8_t registry_protocol(const struct registry *registry, uint32_t device)
{
    return (uint8_t)(registry->devices[device].key[0] - 1);
}

const char *registry_identity(const struct registry *registry, uint32_t device)
{
    return registry->devices[device].key + 1;
}

struct household *registry_home(const struct registry *registry, int64_t household_id)
{
    return find_household(registry, household_id);
}

uint32_t registry_household(const struct registry *registry, int64_t household_id)
{
    struct household *household = find_household(registry, household_id);

    return household ? household->first_device : NO_DEVICE;
}
