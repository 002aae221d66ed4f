#include "daemon/core/registry.h"

#include <assert.h>
#include <string.h>

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

size_t registry_memory_size(uint32_t devices_max)
{
    return aligned(devices_max * sizeof(struct device)) +
           aligned(devices_max * sizeof(struct device_secret)) +
           aligned(devices_max * sizeof(struct household)) +
           2 * aligned(lookup_memory_size(devices_max));
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
    lookup_init(&registry->by_key, at, devices_max);
    at += aligned(lookup_memory_size(devices_max));
    lookup_init(&registry->by_id, at, devices_max);
    registry->free_device = registry->free_household = NO_DEVICE;
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
    uint32_t hash = lookup_hash(key, size), at = lookup_first(&registry->by_key, hash), index;

    while ((index = lookup_member(&registry->by_key, hash, &at)) != LOOKUP_NONE)
        if (memcmp(registry->devices[index].key, key, size + 1) == 0)
            return index;
    return NO_DEVICE;
}

void registry_fetch(const struct registry *registry, uint8_t protocol, const char *identity,
                    int64_t household_id)
{
    char key[sizeof(((struct device *)0)->key)];
    size_t size = make_key(key, protocol, identity);

    lookup_fetch(&registry->by_key, lookup_hash(key, size));
    if (household_id)
        lookup_fetch(&registry->by_id, lookup_hash(&household_id, sizeof(household_id)));
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
    uint32_t hash = lookup_hash(&id, sizeof(id)), at = lookup_first(&registry->by_id, hash), index;

    while ((index = lookup_member(&registry->by_id, hash, &at)) != LOOKUP_NONE)
        if (registry->households[index].id == id)
            return &registry->households[index];
    return NULL;
}

static struct household *new_household(struct registry *registry, int64_t id)
{
    uint32_t index = registry->free_household;
    struct household *household;

    if (index == NO_DEVICE)
        index = registry->households_used++;
    else
        registry->free_household = registry->households[index].first_device;
    household = &registry->households[index];
    *household = (struct household){.id = id, .first_device = NO_DEVICE};
    lookup_add(&registry->by_id, lookup_hash(&id, sizeof(id)), index);
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
        uint32_t place = (uint32_t)(household - registry->households);

        lookup_remove(&registry->by_id, lookup_hash(&household->id, sizeof(household->id)), place);
        household->first_device = registry->free_household;
        registry->free_household = place;
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

        lookup_add(&registry->by_key, lookup_hash(device->key, size), index);
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
    lookup_remove(&registry->by_key, lookup_hash(device->key, 1 + strlen(device->key + 1)), index);
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
