#include "daemon/core/mains.h"

#include <math.h>

#define AREAS_MIN 64u
#define AREAS_MAX 16384u
#define PROBES 32 /* places looked at for one area */

struct mains_settings mains_settings_default(void)
{
    return (struct mains_settings){.explains = true,
                                   .meters_min = 10,
                                   .share_percent = 80,
                                   .window_us = 3 * US_PER_HOUR,
                                   .lasts_us = US_PER_DAY};
}

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

static bool is_cut_off(const struct mains_area *area, const struct mains_settings *settings)
{
    return area->meters >= settings->meters_min &&
           area->silent * 100 >= area->meters * settings->share_percent &&
           mains_chance(area->meters, area->silent, area->expected) < MAINS_CHANCE;
}

bool mains_judge(struct mains_area *area, const struct mains_settings *settings, int64_t now_us)
{
    bool was_spent = area->spent, runs = 2 * area->dry < area->meters;

    if (area->from_us != 0) {
        /* Where no meter tells anything, after hours without the daemon, nothing has changed. */
        if (settings->explains && !runs && now_us - area->from_us < settings->lasts_us)
            return false;
        area->spent = settings->explains && !runs;
        area->from_us = 0;
        return true;
    }
    if (area->spent)
        area->spent = 2 * area->silent >= area->meters;
    if (!area->spent && is_cut_off(area, settings))
        area->from_us = now_us - settings->window_us;
    return area->from_us != 0 || area->spent != was_spent;
}

void mains_end_round(struct mains *mains, const struct mains_settings *settings, int64_t now_us,
                     void (*on_change)(void *context, const struct mains_area *area), void *context)
{
    mains->open_count = 0;
    for (uint32_t i = 0; i < mains->size; i++) {
        struct mains_area *area = &mains->areas[i];

        if (area->id == 0)
            continue;
        if (mains_judge(area, settings, now_us))
            on_change(context, area);
        mains->open_count += area->from_us != 0;
        area->meters = area->silent = area->dry = 0;
        area->expected = 0;
    }
    mains->explained_count = mains->explained;
    mains->explained = mains->cursor = 0;
}

void mains_restore(struct mains *mains, int64_t id, int64_t from_us, bool spent)
{
    struct mains_area *area = id == 0 ? NULL : mains_area(mains, id);

    if (!area)
        return;
    mains->open_count -= area->from_us != 0;
    mains->open_count += from_us != 0;
    area->from_us = from_us;
    area->spent = spent;
}
