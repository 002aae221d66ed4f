/*
 * The devices the gateway knows, by protocol and identity, and their households. All memory is
 * taken once from the caller's block; a device keeps its index (0 … devices_max-1) while it lives,
 * so other modules keep arrays of their own beside it. Entries come from the database's registry,
 * by way of daemon/edge/directory; what is learned from signals stands in the same struct device.
 */
#ifndef ONEKEY_CORE_REGISTRY_H
#define ONEKEY_CORE_REGISTRY_H

#include "daemon/core/lookup.h"
#include "daemon/core/store.h"

#define NO_DEVICE UINT32_MAX

struct household {
    int64_t id;
    int64_t alarm_us;      /* wall time of its last panic or fall; 0 = none known */
    uint32_t first_device; /* index, or, in a free household, the next free one */
    uint32_t device_count;
};

struct device {
    char key[1 + IDENTITY_LIMIT + 1]; /* protocol index + 1, then the identity */
    uint8_t kind;                     /* enum device_kind */
    bool in_use;
    bool supervised;
    uint8_t state;     /* enum supervision, in supervise.c's hands as all of these */
    bool recent;       /* missing since less than the outages' window */
    bool counted;      /* among its groups' devices */
    uint8_t outage;    /* enum outage_slot: the outage it is part of */
    uint8_t listener;  /* it came by last, as a number + 1; 0 = not known */
    uint8_t gap_count; /* how many gaps between its signals have been seen, as far as it matters */
    uint32_t gap_ms;   /* nine in ten of them are no longer */
    bool battery_low;  /* an episode of it stands recorded, not ended */
    bool touched;      /* waits in the queue of soft state to be stored */
    bool silence_said, running_said; /* an alarm about its water stands recorded, not ended */
    uint8_t silence_over; /* enum silence_rule: of what was said, ended without a record so far */
    uint8_t commands;     /* held for it */
    int32_t report_interval_s, supervision_s;
    char carrier[CARRIER_LIMIT + 1];
    int32_t steps; /* its counter when last heard */
    int64_t device_id, household_id, area_id, parent_area_id;
    int64_t missing_mono_us;    /* when it went missing, or became known */
    int64_t heard_mono_us;      /* 0 = not since the start */
    int64_t heard_us;           /* wall time of the last signal */
    int64_t kept_mono_us;       /* its meter's state was last journaled */
    uint32_t next_in_household; /* index, NO_DEVICE at the end; in a free device, the next free */
    uint64_t session;           /* its connection, 0 = none */
};

struct device_secret {
    uint8_t size, bytes[64];
};

struct registry {
    struct device *devices;
    struct device_secret *secrets; /* beside devices; untouched memory for those without */
    struct household *households;
    struct lookup by_key, by_id; /* devices, households */
    uint32_t devices_max, device_count;
    uint32_t devices_used, households_used; /* places ever taken; those left again form lists */
    uint32_t free_device, free_household;
};

/* Bytes that registry_init needs for so many devices. */
size_t registry_memory_size(uint32_t devices_max);
/* Borrows `memory`, zeroed by the caller, aligned for any type, for the registry's life. */
void registry_init(struct registry *registry, void *memory, uint32_t devices_max);
/* Index of the device, NO_DEVICE if it is not known. */
uint32_t registry_find(const struct registry *registry, uint8_t protocol, const char *identity);
/* Has the places of a device and its household, 0 = none, fetched from memory: a
 * look-up is mostly waiting for it, and many may wait at the same time. */
void registry_fetch(const struct registry *registry, uint8_t protocol, const char *identity,
                    int64_t household_id);
/* Adds or updates; the index, or NO_DEVICE if the registry is full. */
uint32_t registry_put(struct registry *registry, const struct device_entry *entry);
void registry_remove(struct registry *registry, uint32_t device);
/* The protocol index and identity of a device; the identity is lent while the device lives. */
uint8_t registry_protocol(const struct registry *registry, uint32_t device);
const char *registry_identity(const struct registry *registry, uint32_t device);
/* NULL if nobody knows it. */
struct household *registry_home(const struct registry *registry, int64_t household_id);
/* First device of a household (then follow next_in_household); NO_DEVICE if it has none. */
uint32_t registry_household(const struct registry *registry, int64_t household_id);

#endif
