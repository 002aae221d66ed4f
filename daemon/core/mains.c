#include "daemon/core/mains.h"

#include <math.h>

#define AREAS_MIN 64u
#define AREAS_MAX 16384u
#define PROBES 32 /* places looked at for one area */

static uint32_t areas_for(uint32_t devices_max)
{
    uint32_t size = AREAS_MIN;

    while (size < devices_max && size < AREAS_MAX)
        size *= 2;
    return size;
}

size_t mains_memory_size(uint32_t devices_max)
{
    return areas_for(devices_max) * sizeof(struct mains_area);
}

void mains_init(struct mains *mains, void *memory, uint32_t devices_max)
{
    *mains = (struct mains){.areas = memory, .size = areas_for(devices_max)};
}

/* Areas stay for good: there are few, and one without meters costs nothing. */
struct mains_area *mains_area(const struct mains *mains, int64_t id)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(hash >> 32);

    for (int i = 0; i < PROBES; i++, at++) {
        struct mains_area *area = &mains->areas[at & (mains->size - 1)];

        if (area->id == 0)
            area->id = id;
        if (area->id == id)
            return area;
    }
    return NULL;
}

void mains_count(struct mains_area *area, const struct mains_meter *meter)
{
    area->meters++;
    area->silent += meter->silent;
    area->dry += meter->dry;
    area->explained += meter->explained;
    area->expected += MAINS_AWAY + (1 - MAINS_AWAY) * meter->chance;
}

double mains_chance(uint32_t meters, uint32_t silent, double expected)
{
    double n = meters, share = silent / n, likely = expected / n;

    if (meters == 0 || share <= likely)
        return 1;
    if (likely <= 0)
        return 0;
    double entropy = share * log(share / likely);
    if (share < 1)
        entropy += (1 - share) * log((1 - share) / (1 - likely));
    return exp(-n * entropy);
}

static bool is_cut_off(const struct mains_area *area)
{
    return area->meters >= MAINS_METERS_MIN &&
           area->silent * 100 >= area->meters * MAINS_SHARE_PERCENT &&
           mains_chance(area->meters, area->silent, area->expected) < MAINS_CHANCE;
}

bool mains_judge(struct mains_area *area, int64_t now_us)
{
    bool was_open = area->from_us != 0, runs = 2 * area->dry < area->meters;

    if (was_open && (runs || area->meters == 0 || now_us - area->from_us >= MAINS_LASTS_US)) {
        area->spent = !runs && area->meters > 0;
        area->from_us = 0;
        return true;
    }
    if (area->spent)
        area->spent = 2 * area->silent >= area->meters;
    /* After a restart, what most of its meters remember is believed until water runs. */
    if (!was_open && !area->spent && (is_cut_off(area) || 2 * area->explained > area->meters))
        area->from_us = now_us - MAINS_WINDOW_US;
    return (area->from_us != 0) != was_open;
}

void mains_clear(struct mains_area *area)
{
    area->meters = area->silent = area->dry = area->explained = 0;
    area->expected = 0;
}
