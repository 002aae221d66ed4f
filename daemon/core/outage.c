#include "daemon/core/outage.h"

#include <string.h>

#define GROUPS_MIN 64u
#define GROUPS_MAX 16384u
#define PROBES 32     /* places looked at for one group */
#define PARTS_BACK 10 /* an outage is over when this part of it at most is left */

static uint32_t groups_for(uint32_t devices_max)
{
    uint32_t size = GROUPS_MIN;

    while (size < devices_max && size < GROUPS_MAX)
        size *= 2;
    return size;
}

size_t outage_memory_size(uint32_t devices_max)
{
    return groups_for(devices_max) * sizeof(struct outage_group);
}

void outage_init(struct outages *outages, void *memory, uint32_t devices_max)
{
    *outages = (struct outages){.groups = memory, .size = groups_for(devices_max)};
}

enum outage_cause outage_cause_of(enum outage_slot slot)
{
    static const enum outage_cause causes[OUTAGE_SLOT_COUNT] = {
        [OUTAGE_IN_AREA] = OUTAGE_AREA,         [OUTAGE_IN_PARENT_AREA] = OUTAGE_AREA,
        [OUTAGE_IN_CARRIER] = OUTAGE_CARRIER,   [OUTAGE_IN_LISTENER] = OUTAGE_LISTENER,
        [OUTAGE_IN_PROTOCOL] = OUTAGE_PROTOCOL, [OUTAGE_IN_ALL] = OUTAGE_ALL,
    };

    return causes[slot];
}

/* The finisher of MurmurHash3 (public domain): neighbouring keys land far apart. */
static uint32_t hash_of(enum outage_cause cause, uint64_t key)
{
    uint64_t hash = key * 8 + cause;

    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(hash ^ hash >> 33);
}

static bool is_free(const struct outage_group *group)
{
    return group->devices == 0 && !group->open;
}

/* The group, or NULL; *place: where it could be made, or NULL. */
static struct outage_group *look_up(const struct outages *outages, enum outage_cause cause,
                                    uint64_t key, struct outage_group **place)
{
    uint32_t at = hash_of(cause, key);

    *place = NULL;
    for (int i = 0; i < PROBES; i++, at++) {
        struct outage_group *group = &outages->groups[at & (outages->size - 1)];

        if (group->key == key && group->cause == cause)
            return group;
        if (!*place && is_free(group))
            *place = group;
        if (group->key == 0)
            break;
    }
    return NULL;
}

struct outage_group *outage_group_by_key(struct outages *outages, enum outage_cause cause,
                                         uint64_t key)
{
    struct outage_group *place, *group = look_up(outages, cause, key, &place);

    if (group)
        return group;
    if (place)
        *place = (struct outage_group){.key = key, .cause = (uint8_t)cause};
    else
        outages->left_out++;
    return place;
}

struct outage_group *outage_group(const struct outages *outages, const struct outage_place *place,
                                  enum outage_slot slot)
{
    struct outage_group *unused;

    if (slot == OUTAGE_NONE || place->keys[slot] == 0)
        return NULL;
    return look_up(outages, outage_cause_of(slot), place->keys[slot], &unused);
}

void outage_add(struct outages *outages, const struct outage_place *place,
                struct outage_standing standing)
{
    for (int slot = OUTAGE_NONE + 1; slot < OUTAGE_SLOT_COUNT; slot++) {
        enum outage_cause cause = outage_cause_of((enum outage_slot)slot);
        struct outage_group *group;

        if (place->keys[slot] == 0)
            continue;
        group = outage_group_by_key(outages, cause, place->keys[slot]);
        if (!group)
            continue;
        group->devices++;
        group->missing += standing.missing;
        group->recent += standing.recent;
        group->lone += standing.lone;
        if (group->open && group->missing - group->lone > group->peak)
            group->peak = group->missing - group->lone;
    }
    outages->grouped_count += standing.slot != OUTAGE_NONE;
}

void outage_remove(struct outages *outages, const struct outage_place *place,
                   struct outage_standing standing)
{
    for (int slot = OUTAGE_NONE + 1; slot < OUTAGE_SLOT_COUNT; slot++) {
        struct outage_group *group = outage_group(outages, place, (enum outage_slot)slot);

        if (!group || group->devices == 0) /* it found no place when the device was counted in */
            continue;
        group->devices--;
        group->missing -= standing.missing && group->missing > 0;
        group->recent -= standing.recent && group->recent > 0;
        group->lone -= standing.lone && group->lone > 0;
    }
    outages->grouped_count -= standing.slot != OUTAGE_NONE;
}

void outage_note(struct outages *outages, const struct outage_place *place, uint32_t device)
{
    for (int slot = OUTAGE_NONE + 1; slot < OUTAGE_SLOT_COUNT; slot++) {
        struct outage_group *group = outage_group(outages, place, (enum outage_slot)slot);

        if (group)
            group->sample[group->sampled++ % OUTAGE_SAMPLE] = device;
    }
}

uint32_t outage_size(const struct outage_group *group)
{
    return group->devices - (group->missing - group->recent);
}

static bool qualifies(const struct outage_group *group, const struct outage_settings *settings)
{
    return group->open || (group->recent >= settings->devices_min &&
                           (uint64_t)group->recent * 100 >=
                               (uint64_t)outage_size(group) * settings->share_percent);
}

/* Whether `a` says what was lost better than `b`; an open outage goes before one that is none yet. */
static bool is_better(const struct outage_group *a, const struct outage_group *b,
                      uint64_t recent_of_all)
{
    if (a->open != b->open)
        return a->open;
    return a->recent * (outage_size(b) + recent_of_all) >
           b->recent * (outage_size(a) + recent_of_all);
}

enum outage_slot outage_find(const struct outages *outages, const struct outage_place *place,
                             const struct outage_settings *settings)
{
    const struct outage_group *all = outage_group(outages, place, OUTAGE_IN_ALL), *best = NULL;
    enum outage_slot found = OUTAGE_NONE;

    for (int slot = OUTAGE_NONE + 1; slot < OUTAGE_SLOT_COUNT; slot++) {
        const struct outage_group *group = outage_group(outages, place, (enum outage_slot)slot);

        if (!group || !qualifies(group, settings) ||
            (best && !is_better(group, best, all ? all->recent : 0)))
            continue;
        best = group;
        found = (enum outage_slot)slot;
    }
    return found;
}

void outage_set_open(struct outages *outages, struct outage_group *group, bool open)
{
    if (open && !group->open)
        outages->open_count++;
    if (!open && group->open)
        outages->open_count--;
    group->open = open;
    group->peak = group->missing - group->lone;
}

bool outage_is_over(const struct outage_group *group, const struct outage_settings *settings,
                    int64_t mono_us)
{
    uint32_t left = group->missing - group->lone;
    bool few = left < settings->devices_min;

    return group->open && left * PARTS_BACK <= group->peak &&
           (few || mono_us - group->returned_mono_us > settings->window_us);
}
