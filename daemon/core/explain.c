/*
 * Explanations of silence: from what the database and the wristbands say to the detector's reasons, each
 * at its time. They are judged by level, not by edge: whenever a meter's timer comes up, the reasons
 * that should be in force are compared with those that are. So it does not matter what was missed while
 * the daemon was down, and a change of the registry needs no memory of what it said before.
 *
 * Each change is journaled with the meter's state at once.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

/* FNV-1a; a scheme is told by it, so that a device takes no room for its name. 0: none. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261;

    if (!*name)
        return 0;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619;
    return hash ? hash : 1;
}

static const struct silence_scheme *find_scheme(const struct gateway *gateway, uint32_t hash)
{
    for (int i = 0; hash && i < gateway->settings.scheme_count; i++)
        if (hash_of(gateway->settings.schemes[i].name) == hash)
            return &gateway->settings.schemes[i];
    return NULL;
}

const struct silence_settings *explain_settings(const struct gateway *gateway, uint32_t device,
                                                struct silence_settings *own)
{
    const struct circumstances *facts = &gateway->circumstances[device];
    const struct silence_scheme *scheme = find_scheme(gateway, facts->scheme);
    const struct silence_settings *settings =
        scheme ? &scheme->silence : &gateway->settings.silence;

    if (facts->silence_ml == 0 && facts->silence_window_s == 0)
        return settings;
    *own = *settings;
    own->rules |= SILENCE_FIXED; /* who gives litres or hours wants them looked at */
    if (facts->silence_ml > 0)
        own->fixed_ml = facts->silence_ml;
    if (facts->silence_window_s > 0)
        own->fixed_window_us = facts->silence_window_s * US_PER_SECOND;
    return own;
}

const char *explain_scheme(const struct gateway *gateway, uint32_t device)
{
    const struct silence_scheme *scheme =
        find_scheme(gateway, gateway->circumstances[device].scheme);

    return scheme ? scheme->name : "";
}

void explain_put(struct gateway *gateway, uint32_t device, const struct device_entry *entry)
{
    struct circumstances *facts = &gateway->circumstances[device];

    facts->absent = entry->absent;
    facts->worked_on = entry->worked_on;
    facts->home = (struct place){entry->latitude_e7, entry->longitude_e7};
    facts->silence_ml = entry->silence_ml;
    facts->silence_window_s = entry->silence_window_s;
    facts->scheme = hash_of(entry->scheme);
    if (facts->scheme && !find_scheme(gateway, facts->scheme))
        log_event(gateway->ports.log, LOG_WARNING, "silence.scheme_unknown",
                  field_text("scheme", entry->scheme), field_text("identity", entry->identity));
    water_arm(gateway, device);
}

void explain_forget(struct gateway *gateway, uint32_t device)
{
    memset(&gateway->circumstances[device], 0, sizeof(gateway->circumstances[device]));
}

/* --- which reasons there are --- */

/* One reason as it should be: from when until when. */
static struct stretch stretch_of(const struct circumstances *facts, enum silence_reason reason)
{
    switch (reason) {
    case SILENCE_ABSENCE:
        return facts->absent;
    case SILENCE_MAINTENANCE:
        return facts->worked_on;
    case SILENCE_OUTSIDE:
        return (struct stretch){facts->outside_until_us ? 1 : 0, facts->outside_until_us};
    case SILENCE_MAINS_OUTAGE:
        return (struct stretch){facts->outage_from_us, facts->outage_until_us};
    }
    return (struct stretch){0};
}

static bool holds_at(struct stretch stretch, int64_t at_us)
{
    return stretch.from_us != 0 && stretch.from_us <= at_us &&
           (stretch.until_us == 0 || at_us < stretch.until_us);
}

/* When the reason begins or ends next; `in_force`: in the detector's state. */
static int64_t next_change(struct stretch stretch, bool in_force, int64_t now_us)
{
    if (holds_at(stretch, now_us) != in_force)
        return now_us;
    if (in_force)
        return stretch.until_us ? stretch.until_us : INT64_MAX;
    return stretch.from_us > now_us ? stretch.from_us : INT64_MAX;
}

int64_t explain_due_at(const struct gateway *gateway, uint32_t device)
{
    const struct circumstances *facts = &gateway->circumstances[device];
    uint32_t in_force = silence_reasons(&gateway->water[device]);
    int64_t now_us = gateway->now.wall_us, due_us = INT64_MAX;

    for (uint32_t bit = 0; bit < SILENCE_REASON_COUNT; bit++) {
        struct stretch stretch = stretch_of(facts, 1u << bit);
        int64_t change_us = next_change(stretch, in_force & 1u << bit, now_us);

        if (change_us < due_us)
            due_us = change_us;
    }
    if (facts->returned_us && gateway->settings.care_call_us > 0 &&
        facts->returned_us + gateway->settings.care_call_us < due_us)
        due_us = facts->returned_us + gateway->settings.care_call_us;
    return due_us;
}

/* --- their beginning and end --- */

static void begin_reason(struct gateway *gateway, uint32_t device, enum silence_reason reason,
                         struct stretch stretch)
{
    int64_t at_us = stretch.from_us > 1 ? stretch.from_us : gateway->now.wall_us;

    silence_explain_begin(&gateway->water[device], reason, at_us);
    if (reason == SILENCE_ABSENCE)
        gateway->circumstances[device].returned_us = 0;
}

/* It ended at its end, if that is known and past, else now. */
static void end_reason(struct gateway *gateway, uint32_t device, enum silence_reason reason,
                       struct stretch stretch)
{
    int64_t now_us = gateway->now.wall_us;
    int64_t at_us = stretch.until_us && stretch.until_us < now_us ? stretch.until_us : now_us;
    struct silence_settings own;

    silence_explain_end(&gateway->water[device], explain_settings(gateway, device, &own), reason,
                        at_us);
    if (reason == SILENCE_ABSENCE)
        gateway->circumstances[device].returned_us = at_us;
}

static void log_change(struct gateway *gateway, uint32_t device, enum silence_reason reason,
                       bool begins)
{
    log_event(gateway->ports.log, LOG_INFO, begins ? "silence.explained" : "silence.unexplained",
              field_text("reason", silence_reason_name(reason)),
              field_text("identity", registry_identity(&gateway->registry, device)));
}

static bool change_reasons(struct gateway *gateway, uint32_t device)
{
    uint32_t in_force = silence_reasons(&gateway->water[device]), changed = 0;

    for (uint32_t bit = 1; bit < 1u << SILENCE_REASON_COUNT; bit <<= 1) {
        struct stretch stretch = stretch_of(&gateway->circumstances[device], bit);
        bool holds = holds_at(stretch, gateway->now.wall_us);

        if (holds == !!(in_force & bit))
            continue;
        changed |= bit;
        log_change(gateway, device, bit, holds);
        if (holds)
            begin_reason(gateway, device, bit, stretch);
        else
            end_reason(gateway, device, bit, stretch);
    }
    return changed != 0;
}

/* Nobody has been seen since the absence ended: somebody asks how they are. */
static bool call_for_care(struct gateway *gateway, uint32_t device)
{
    struct circumstances *facts = &gateway->circumstances[device];
    int64_t due_us = facts->returned_us + gateway->settings.care_call_us;
    uint8_t memory[80];
    struct writer detail = writer_into(memory, sizeof(memory));

    if (facts->returned_us == 0 || gateway->settings.care_call_us == 0 ||
        gateway->now.wall_us < due_us)
        return false;
    writer_text(&detail, "{\"absence_ended_us\":");
    writer_decimal(&detail, facts->returned_us);
    writer_text(&detail, "}");
    if (!admit_decision(gateway, device, SIGNAL_CARE_CALL,
                        (struct decision){.code = "returned", .detail = writer_view(&detail)}))
        return false;
    facts->returned_us = 0;
    return true;
}

void explain_check(struct gateway *gateway, uint32_t device)
{
    bool changed = change_reasons(gateway, device);

    if (call_for_care(gateway, device) || changed)
        keep_now(gateway, device);
}

void explain_life(struct gateway *gateway, uint32_t device, int64_t at_us)
{
    if (at_us > gateway->circumstances[device].returned_us)
        gateway->circumstances[device].returned_us = 0;
}

/* --- wristbands --- */

/* Until when nobody of the home can be there, as far as its wristbands tell: one that was at home
 * lately outweighs all that were not. */
static int64_t outside_until(const struct gateway *gateway, int64_t household_id)
{
    uint32_t other = registry_household(&gateway->registry, household_id);
    int64_t until_us = 0;

    for (; other != NO_DEVICE; other = gateway->registry.devices[other].next_in_household) {
        const struct circumstances *facts = &gateway->circumstances[other];
        int64_t lapses_us = facts->place_us + gateway->settings.outside_us;

        if (gateway->registry.devices[other].kind != DEVICE_WRISTBAND || facts->place_us == 0 ||
            lapses_us <= gateway->now.wall_us)
            continue;
        if (!facts->is_away)
            return 0;
        until_us = lapses_us > until_us ? lapses_us : until_us;
    }
    return until_us;
}

void explain_place(struct gateway *gateway, uint32_t device, const struct signal *signal)
{
    struct device *entry = &gateway->registry.devices[device];
    struct circumstances *facts = &gateway->circumstances[device];
    struct place home = facts->home;
    struct place here = {signal->latitude_e7, signal->longitude_e7};
    int32_t radius_m = gateway->settings.home_radius_m;
    int32_t accuracy_m = signal->has & MEASURE_ACCURACY ? signal->accuracy_m : 0;

    if (entry->kind != DEVICE_WRISTBAND || radius_m == 0 || !(signal->has & MEASURE_POSITION) ||
        signal->flags & (SIGNAL_FLAG_UNAUTHENTICATED | SIGNAL_FLAG_STORED) ||
        (home.latitude_e7 == 0 && home.longitude_e7 == 0))
        return;
    if (gateway->settings.positions_are_gcj02)
        home = place_to_gcj02(home);
    facts->is_away = place_distance_m(home, here) > (double)radius_m + (double)accuracy_m;
    facts->place_us = gateway->now.wall_us;

    int64_t until_us = outside_until(gateway, entry->household_id);
    uint32_t other = registry_household(&gateway->registry, entry->household_id);

    for (; other != NO_DEVICE; other = gateway->registry.devices[other].next_in_household) {
        gateway->circumstances[other].outside_until_us = until_us;
        water_arm(gateway, other);
    }
}

void explain_started(struct gateway *gateway, uint32_t device)
{
    struct circumstances *facts = &gateway->circumstances[device];
    uint32_t in_force = silence_reasons(&gateway->water[device]);

    /* Where wristbands were is not kept: what was so at the end holds until they speak again. */
    if (in_force & SILENCE_OUTSIDE)
        facts->outside_until_us = gateway->now.wall_us + gateway->settings.outside_us;
    if (in_force & SILENCE_MAINS_OUTAGE) {
        facts->outage_from_us = 1;
        facts->outage_until_us = gateway->now.wall_us + US_PER_HOUR;
    }
}
