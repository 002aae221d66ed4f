/*
 * The watch over the mains (mains.h): a round over all meters now and then, some of them a turn. What a
 * round found is applied in the next: a meter that has been dry since its area's outage began has its
 * silence explained, for an hour at a time; one that used water has not.
 */
#include "daemon/core/gateway_state.h"
#include "daemon/core/silence_lately.h"

#define ROUND_US (10 * US_PER_MINUTE)
#define HOLDS_US US_PER_HOUR /* without another round */
#define METERS_PER_TURN 512  /* of some 0.5 us, out of the cache */

/* What the outage of its area, or its end, means for a meter. */
static void apply(struct gateway *gateway, uint32_t device, const struct mains_area *area, bool dry)
{
    struct circumstances *facts = &gateway->circumstances[device];
    bool was = facts->outage_until_us != 0;

    if (!dry && (!was || gateway->mains.rounds == 0)) /* not known yet, after a start */
        return;
    facts->outage_from_us = dry ? area->from_us : 0;
    facts->outage_until_us = dry ? gateway->now.wall_us + HOLDS_US : 0;
    if (dry != was)
        water_arm(gateway, device);
}

static void visit(struct gateway *gateway, uint32_t device)
{
    const struct device *entry = &gateway->registry.devices[device];
    uint32_t reasons = silence_reasons(&gateway->water[device]);
    struct silence_settings own;
    struct silence_lately lately;
    struct mains_area *area;

    if (!entry->in_use || entry->kind != DEVICE_METER || entry->area_id == 0)
        return;
    area = mains_area(&gateway->mains, entry->area_id);
    if (!area || !silence_lately(&gateway->water[device], explain_settings(gateway, device, &own),
                                 gateway->now.wall_us, MAINS_WINDOW_US, &lately))
        return;
    bool dry = area->from_us != 0 && lately.dry_us <= area->from_us;

    apply(gateway, device, area, dry);
    if ((reasons & ~(uint32_t)SILENCE_MAINS_OUTAGE) != 0)
        return; /* nobody is home, or a workman: says nothing of the mains */
    mains_count(area, &(struct mains_meter){.silent = lately.silent,
                                            .chance = lately.chance,
                                            .dry = dry,
                                            .explained = reasons & SILENCE_MAINS_OUTAGE});
}

static void log_change(const struct gateway *gateway, const struct mains_area *area)
{
    log_event(gateway->ports.log, LOG_NOTICE, area->from_us ? "mains.cut_off" : "mains.run",
              field_number("area", area->id), field_unsigned("meters", area->meters),
              field_unsigned("silent", area->silent));
}

static void end_round(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->mains.size; i++) {
        struct mains_area *area = &gateway->mains.areas[i];

        if (area->id == 0)
            continue;
        if (mains_judge(area, gateway->now.wall_us))
            log_change(gateway, area);
        mains_clear(area);
    }
    gateway->mains.cursor = 0;
    gateway->mains.rounds++;
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
        end_round(gateway);
}
