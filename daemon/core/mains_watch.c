/*
 * The watch over the mains (mains.h): a round over all meters now and then, some of them a turn. What a
 * round found is applied in the next: a meter that has been dry since its area's outage began has its
 * silence explained, for an hour at a time; one that used water has not.
 */
#include "daemon/core/gateway_state.h"
#include "daemon/core/silence_lately.h"

#define ROUND_US (10 * US_PER_MINUTE)
#define HOLDS_US US_PER_HOUR        /* without another round */
#define HABITS_US (14 * US_PER_DAY) /* before them even a night may look like an outage */
#define METERS_PER_TURN 512         /* of some 0.5 us, out of the cache */

/* What the outage of its area, or its end, means for a meter. */
static void apply(struct gateway *gateway, uint32_t device, const struct mains_area *area, bool dry)
{
    struct circumstances *facts = &gateway->circumstances[device];
    bool was = facts->outage_until_us != 0;

    gateway->mains.explained += dry;
    if (!dry && !was)
        return;
    facts->outage_from_us = dry ? area->from_us : 0;
    facts->outage_until_us = dry ? gateway->now.wall_us + HOLDS_US : 0;
    if (dry != was)
        water_arm(gateway, device);
}

static void visit(struct gateway *gateway, uint32_t device)
{
    const struct mains_settings *settings = &gateway->settings.mains;
    const struct device *entry = &gateway->registry.devices[device];
    struct silence_settings own;
    struct silence_lately lately;
    struct mains_area *area;
    uint32_t reasons;

    if (!entry->in_use || entry->kind != DEVICE_METER || entry->area_id == 0)
        return;
    area = mains_area(&gateway->mains, entry->area_id);
    if (!area || !silence_lately(&gateway->water[device], explain_settings(gateway, device, &own),
                                 gateway->now.wall_us, settings->window_us, &lately))
        return;
    bool dry = settings->explains && area->from_us != 0 && lately.dry_us <= area->from_us;

    reasons = silence_reasons(&gateway->water[device]);
    apply(gateway, device, area, dry);
    /* Nobody is home, or a workman, or its habits are not known yet: says nothing of the mains. */
    if (!settings->explains || (reasons & ~(uint32_t)SILENCE_MAINS_OUTAGE) != 0 ||
        lately.known_us < HABITS_US)
        return;
    mains_count(
        area, &(struct mains_meter){.silent = lately.silent, .chance = lately.chance, .dry = dry});
}

static const char *event_of(const struct mains_area *area)
{
    if (area->from_us != 0)
        return "mains.cut_off";
    return area->spent ? "mains.too_long" : "mains.run";
}

static void on_change(void *context, const struct mains_area *area)
{
    struct gateway *gateway = context;

    gateway->counters.mains_outages += area->from_us != 0;
    keep_standing_mains(gateway, area);
    log_event(gateway->ports.log, LOG_NOTICE, event_of(area), field_number("area", area->id),
              field_unsigned("meters", area->meters), field_unsigned("silent", area->silent));
}

void mains_watch_tick(struct gateway *gateway)
{
    struct mains *mains = &gateway->mains;
    int64_t since_us = gateway->now.mono_us - mains->at_mono_us;
    int64_t due = (int64_t)gateway->registry.devices_used * since_us / ROUND_US;

    if (due == 0 || gateway->meter_count == 0)
        return;
    mains->at_mono_us = gateway->now.mono_us;
    due = due < METERS_PER_TURN ? due : METERS_PER_TURN;
    for (; due > 0 && mains->cursor < gateway->registry.devices_used; due--)
        visit(gateway, mains->cursor++);
    if (mains->cursor >= gateway->registry.devices_used)
        mains_end_round(mains, &gateway->settings.mains, gateway->now.wall_us, on_change, gateway);
}
