/*
 * Mass outages: many devices that fall silent at about the same time for one cause. Each supervised
 * device belongs to a group of each possible cause: its area and the one above, the network of its
 * SIM, the listener it came by, its protocol, and all. A group counts its devices, those not heard
 * from and those of them that fell silent lately; so what a lost device is part of is told in
 * constant time, without a look at any other.
 *
 * When several groups would do, the one is the cause that says best what was lost and what was not:
 * recent / (devices of the group + recent of all), the Dice coefficient of the two sets but for a
 * factor of two. So a street is told rather than each of its areas, and an area rather than the
 * protocol that it happens to speak.
 *
 * Knows of no panic and no ticket: what is hidden in an outage is supervise.c's decision.
 */
#ifndef ONEKEY_CORE_OUTAGE_H
#define ONEKEY_CORE_OUTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTAGE_SAMPLE 12 /* devices of an outage that its ticket names */

enum outage_cause { OUTAGE_AREA, OUTAGE_CARRIER, OUTAGE_LISTENER, OUTAGE_PROTOCOL, OUTAGE_ALL };

/* The groups of one device. The area and the one above it are causes of one kind. */
enum outage_slot {
    OUTAGE_NONE, /* the device is part of no outage */
    OUTAGE_IN_AREA,
    OUTAGE_IN_PARENT_AREA,
    OUTAGE_IN_CARRIER,
    OUTAGE_IN_LISTENER,
    OUTAGE_IN_PROTOCOL,
    OUTAGE_IN_ALL,
    OUTAGE_SLOT_COUNT
};

struct outage_place {
    uint64_t keys[OUTAGE_SLOT_COUNT]; /* 0 = in no such group */
};

struct outage_settings {
    uint32_t devices_min;   /* fewer are no outage */
    uint32_t share_percent; /* nor is a smaller part of a group */
    int64_t window_us;      /* devices lost within it belong together */
};

/* How one device stands in its groups. */
struct outage_standing {
    bool missing; /* not heard from */
    bool recent;  /* since a short time only, and not explained by an outage */
    bool lone;    /* its loss was told by itself */
    uint8_t slot; /* enum outage_slot: the outage that it is part of */
};

struct outage_group {
    uint64_t key;
    uint32_t devices, missing, recent, lone; /* recent and lone of the missing */
    uint32_t peak;                           /* most missing and not lone while open */
    uint32_t told;                           /* how many the ticket says */
    uint32_t sample[OUTAGE_SAMPLE];          /* devices that went missing last, a ring */
    uint32_t sampled;                        /* ever */
    int64_t returned_mono_us;                /* when one of them came back last */
    uint8_t cause;                           /* enum outage_cause */
    bool open;
};

struct outages {
    struct outage_group *groups; /* open addressing */
    uint32_t size;               /* a power of two */
    uint32_t open_count, grouped_count;
    int64_t opened_mono_us; /* when the last one was */
    uint64_t left_out;      /* groups that found no place: their outages are not seen */
};

/* Bytes for so many devices; outage_init borrows them, zeroed, for life. */
size_t outage_memory_size(uint32_t devices_max);
void outage_init(struct outages *outages, void *memory, uint32_t devices_max);

/* Counts a device in, as it stands, and out again, before its place or standing changes. */
void outage_add(struct outages *outages, const struct outage_place *place,
                struct outage_standing standing);
void outage_remove(struct outages *outages, const struct outage_place *place,
                   struct outage_standing standing);
/* This device has just gone missing: its groups' tickets may name it. */
void outage_note(struct outages *outages, const struct outage_place *place, uint32_t device);

enum outage_cause outage_cause_of(enum outage_slot slot);
/* NULL if the device is in no such group. */
struct outage_group *outage_group(const struct outages *outages, const struct outage_place *place,
                                  enum outage_slot slot);
/* The same by name, made if need be; NULL if there is no place for it. */
struct outage_group *outage_group_by_key(struct outages *outages, enum outage_cause cause,
                                         uint64_t key);
/* Of what outage a missing device of this place is part, OUTAGE_NONE if of none: an open one, or one
 * that must be opened now. */
enum outage_slot outage_find(const struct outages *outages, const struct outage_place *place,
                             const struct outage_settings *settings);
/* The devices of a group that could have been lost lately. */
uint32_t outage_size(const struct outage_group *group);
/* Opens or ends the outage of a group. */
void outage_set_open(struct outages *outages, struct outage_group *group, bool open);
/* Whether an open outage is over: nine in ten are back, and those that are not are fewer than make an
 * outage, or nobody came back for a whole window. */
bool outage_is_over(const struct outage_group *group, const struct outage_settings *settings,
                    int64_t mono_us);

#endif
