/*
 * Supervision: is the device heard from?
 *
 *            timeout less hold-off           hold-off            alone
 *     HEARD -----------------------> MISSING -----------> LOST <---------- GROUPED
 *       ^                               |                  |  an outage of its  ^
 *       +------- any signal ------------+------------------+---- area, ... -----+
 *
 * The timeout is the time within which a loss must be known: that of the device (its supervision
 * level), or of its class, or four of its own report intervals where that is longer or, down to a
 * limit, sooner. The interval is configured or learned. For the last part of it, the hold-off, the
 * device counts as missing, so that what went missing with it can be seen: then it is either lost by
 * itself, one alarm, or part of an outage (outage.h) and not told by itself. The next signal of a lost
 * device is one "returned".
 *
 * A home that lately raised a panic or fall is never hidden in an outage. After a start nobody goes
 * missing before the grace has passed, whatever the clock of the last signal says; how each device
 * stood is in the journal (keep.c), so a restart by itself changes nothing.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

#define INTERVALS_MISSED 4
#define GAPS_KNOWN 8 /* an interval is believed after so many */
#define CHECK_US US_PER_MINUTE
#define CHECK_MIN_US US_PER_SECOND

bool supervise_is_lost(const struct device *device)
{
    return device->state == SUPERVISION_LOST || device->state == SUPERVISION_GROUPED;
}

/* --- how long a device may be silent --- */

/* A gap longer than thought moves the estimate up by 9/40, a shorter one down by 1/40: it comes to
 * rest where one gap in ten is longer. A burst of frames or a night without network hardly moves it. */
static void learn_gap(struct device *device, int64_t gap_us)
{
    int64_t gap_ms = gap_us / US_PER_MS, known_ms = device->gap_ms, moved_ms;

    if (device->gap_count == 0)
        moved_ms = gap_ms;
    else if (gap_ms > known_ms)
        moved_ms =
            known_ms + known_ms * 9 / 40 + 1 < gap_ms ? known_ms + known_ms * 9 / 40 + 1 : gap_ms;
    else
        moved_ms = known_ms - known_ms / 40 > gap_ms ? known_ms - known_ms / 40 : gap_ms;
    device->gap_ms = moved_ms < UINT32_MAX ? (uint32_t)moved_ms : UINT32_MAX;
    if (device->gap_count < GAPS_KNOWN)
        device->gap_count++;
}

/* 0 = not known. */
static int64_t interval_of(const struct gateway *gateway, const struct device *device)
{
    const struct gateway_settings *settings = &gateway->settings;
    int64_t learned_us = device->gap_ms * US_PER_MS;

    if (device->report_interval_s)
        return device->report_interval_s * US_PER_SECOND;
    if (device->gap_count < GAPS_KNOWN)
        return 0;
    if (learned_us > settings->interval_max_us)
        return settings->interval_max_us;
    return learned_us < settings->interval_min_us ? settings->interval_min_us : learned_us;
}

/* Within what its loss must be known; 0 = it may be silent for ever. */
static int64_t timeout_of(const struct gateway *gateway, const struct device *device)
{
    int64_t level_us = gateway->settings.supervise_us[device->kind];
    int64_t missed_us = interval_of(gateway, device) * INTERVALS_MISSED;
    int64_t early_us = gateway->settings.early_us;

    if (device->supervision_s)
        return device->supervision_s * US_PER_SECOND;
    if (level_us == 0 || missed_us == 0)
        return level_us;
    if (missed_us >= level_us || early_us == 0 || early_us >= level_us)
        return missed_us > level_us ? missed_us : level_us;
    return missed_us > early_us ? missed_us : early_us;
}

/* The last part of the timeout, in which it is missing and not yet lost. */
static int64_t hold_off_of(const struct gateway *gateway, const struct device *device)
{
    int64_t half_us = timeout_of(gateway, device) / 2;

    return gateway->settings.hold_off_us < half_us ? gateway->settings.hold_off_us : half_us;
}

static int64_t after_grace(const struct gateway *gateway, int64_t mono_us)
{
    int64_t grace_us = gateway->started_mono_us + gateway->settings.startup_grace_us;

    return mono_us > grace_us ? mono_us : grace_us;
}

/* How often a lost device looks whether it has become, or is still, part of an outage. */
static int64_t check_every(const struct gateway *gateway)
{
    int64_t hold_off_us = gateway->settings.hold_off_us;

    if (hold_off_us > CHECK_US)
        return CHECK_US;
    return hold_off_us > CHECK_MIN_US ? hold_off_us : CHECK_MIN_US;
}

void supervise_arm(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    uint32_t timer = gateway_timer(gateway, TIMER_SUPERVISE, index);
    int64_t timeout_us = timeout_of(gateway, device);
    int64_t hold_off_us = hold_off_of(gateway, device);
    int64_t since_us = device->heard_mono_us ? device->heard_mono_us : device->missing_mono_us;

    if (!device->supervised || timeout_us == 0 ||
        (device->state == SUPERVISION_LOST && !device->recent))
        wheel_disarm(&gateway->wheel, timer);
    else if (device->state == SUPERVISION_HEARD)
        wheel_arm(&gateway->wheel, timer,
                  after_grace(gateway, since_us) + timeout_us - hold_off_us);
    else if (device->state == SUPERVISION_MISSING)
        wheel_arm(&gateway->wheel, timer,
                  after_grace(gateway, device->missing_mono_us) + hold_off_us);
    else
        wheel_arm(&gateway->wheel, timer, gateway->now.mono_us + check_every(gateway));
}

/* --- standing --- */

/* FNV-1a; 0 only for the empty name. */
static uint64_t key_of_name(const char *name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    if (!*name)
        return 0;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001B3);
    return hash ? hash : 1;
}

struct outage_place supervise_place(const struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];

    return (struct outage_place){
        .keys = {[OUTAGE_IN_AREA] = (uint64_t)device->area_id,
                 [OUTAGE_IN_PARENT_AREA] = (uint64_t)device->parent_area_id,
                 [OUTAGE_IN_CARRIER] = key_of_name(device->carrier),
                 [OUTAGE_IN_LISTENER] = device->listener,
                 [OUTAGE_IN_PROTOCOL] = registry_protocol(&gateway->registry, index) + UINT64_C(1),
                 [OUTAGE_IN_ALL] = 1}};
}

/* What an outage explains is no sign of another one. */
static struct outage_standing standing_of(const struct device *device)
{
    return (struct outage_standing){.missing = device->state != SUPERVISION_HEARD,
                                    .recent =
                                        device->recent && device->state != SUPERVISION_GROUPED,
                                    .lone = device->state == SUPERVISION_LOST,
                                    .slot = device->outage};
}

static void count_in(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);

    device->counted = device->supervised && timeout_of(gateway, device) > 0;
    if (device->counted)
        outage_add(&gateway->outages, &place, standing_of(device));
}

static void count_out(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);

    if (device->counted)
        outage_remove(&gateway->outages, &place, standing_of(device));
    device->counted = false;
}

static void set_standing(struct gateway *gateway, uint32_t index, enum supervision state,
                         enum outage_slot slot)
{
    struct device *device = &gateway->registry.devices[index];

    count_out(gateway, index);
    gateway->devices_lost -= supervise_is_lost(device);
    device->state = (uint8_t)state;
    device->outage = (uint8_t)slot;
    if (state == SUPERVISION_HEARD)
        device->recent = false;
    gateway->devices_lost += supervise_is_lost(device);
    count_in(gateway, index);
}

void supervise_restore(struct gateway *gateway, uint32_t index, enum supervision state,
                       enum outage_slot slot)
{
    struct device *device = &gateway->registry.devices[index];

    device->missing_mono_us = gateway->now.mono_us;
    device->recent = state == SUPERVISION_MISSING;
    set_standing(gateway, index, state, slot);
    supervise_arm(gateway, index);
}

/* --- lost and returned --- */

static bool has_open_alarm(const struct gateway *gateway, const struct device *device)
{
    const struct household *home = registry_home(&gateway->registry, device->household_id);

    return home && home->alarm_us &&
           gateway->now.wall_us - home->alarm_us < gateway->settings.alarm_open_us;
}

static void try_again(struct gateway *gateway, uint32_t index)
{
    wheel_arm(&gateway->wheel, gateway_timer(gateway, TIMER_SUPERVISE, index),
              gateway->now.mono_us + DECISION_RETRY_US);
}

static bool tell_lost(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    uint8_t memory[96];
    struct writer detail = writer_into(memory, sizeof(memory));

    writer_text(&detail, "{\"silent_for_s\":");
    writer_decimal(&detail, timeout_of(gateway, device) / US_PER_SECOND);
    writer_text(&detail, ",\"last_heard_us\":");
    writer_decimal(&detail, device->heard_us);
    writer_text(&detail, "}");
    return admit_decision(gateway, index, SIGNAL_DEVICE_LOST,
                          (struct decision){.detail = writer_view(&detail)});
}

/* Just now an outage was opened, and this device is not in it: once those that are have been counted
 * away, it will be seen whether this one is part of another. */
static bool must_wait(const struct gateway *gateway, uint32_t index, enum outage_slot slot)
{
    const struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);
    const struct outage_group *group = outage_group(&gateway->outages, &place, slot);
    int64_t hold_off_us = gateway->settings.hold_off_us, now_us = gateway->now.mono_us;

    return group && !group->open && gateway->outages.open_count > 0 &&
           now_us - gateway->outages.opened_mono_us < hold_off_us &&
           now_us - device->missing_mono_us < 2 * hold_off_us;
}

/* Missing for the whole hold-off: what is it part of? */
static void decide(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);
    enum outage_slot slot = OUTAGE_NONE;
    bool told;

    if (!has_open_alarm(gateway, device))
        slot = outage_find(&gateway->outages, &place, &gateway->settings.outage);
    if (must_wait(gateway, index, slot)) {
        wheel_arm(&gateway->wheel, gateway_timer(gateway, TIMER_SUPERVISE, index),
                  device->missing_mono_us + 2 * gateway->settings.hold_off_us);
        return;
    }
    told =
        slot == OUTAGE_NONE ? tell_lost(gateway, index) : outage_ticket_tell(gateway, index, slot);
    if (!told) {
        try_again(gateway, index);
        return;
    }
    set_standing(gateway, index, slot == OUTAGE_NONE ? SUPERVISION_LOST : SUPERVISION_GROUPED,
                 slot);
    keep_standing(gateway, index);
    supervise_arm(gateway, index);
}

static void go_missing(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);

    count_out(gateway, index);
    device->missing_mono_us = gateway->now.mono_us;
    device->recent = true;
    count_in(gateway, index);
    set_standing(gateway, index, SUPERVISION_MISSING, OUTAGE_NONE);
    outage_note(&gateway->outages, &place, index);
    keep_standing(gateway, index);
}

/* Lost by itself a short while ago: was it the first of an outage? Then its own ticket closes. */
static void check_lone(struct gateway *gateway, uint32_t index)
{
    struct outage_place place = supervise_place(gateway, index);
    enum outage_slot slot = outage_find(&gateway->outages, &place, &gateway->settings.outage);
    const struct outage_group *group = outage_group(&gateway->outages, &place, slot);

    if (group && group->open && !has_open_alarm(gateway, &gateway->registry.devices[index]) &&
        outage_ticket_merge(gateway, index, slot)) {
        set_standing(gateway, index, SUPERVISION_GROUPED, slot);
        keep_standing(gateway, index);
    }
}

static void check_member(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);
    struct outage_group *group =
        outage_group(&gateway->outages, &place, (enum outage_slot)device->outage);

    if (group)
        outage_ticket_end(gateway, index, group);
    if (!group || !group->open)
        go_missing(gateway, index);
}

/* What went missing longer ago than the window is no part of what begins now. */
static void age(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];

    if (!device->recent || device->state == SUPERVISION_MISSING ||
        gateway->now.mono_us - device->missing_mono_us < gateway->settings.outage.window_us)
        return;
    count_out(gateway, index);
    device->recent = false;
    count_in(gateway, index);
}

void supervise_expired(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];

    if (device->state == SUPERVISION_MISSING) {
        decide(gateway, index);
        return;
    }
    if (device->state == SUPERVISION_HEARD)
        go_missing(gateway, index);
    else if (device->state == SUPERVISION_GROUPED)
        check_member(gateway, index);
    else
        check_lone(gateway, index);
    age(gateway, index);
    supervise_arm(gateway, index);
}

static void come_back(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    struct outage_place place = supervise_place(gateway, index);
    struct outage_group *group =
        outage_group(&gateway->outages, &place, (enum outage_slot)device->outage);

    if (device->state == SUPERVISION_LOST &&
        !admit_decision(gateway, index, SIGNAL_DEVICE_RETURNED, (struct decision){0}))
        return;
    set_standing(gateway, index, SUPERVISION_HEARD, OUTAGE_NONE);
    keep_standing(gateway, index);
    if (group) {
        group->returned_mono_us = gateway->now.mono_us;
        outage_ticket_end(gateway, index, group);
    }
}

void supervise_heard(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];

    if (device->heard_mono_us)
        learn_gap(device, gateway->now.mono_us - device->heard_mono_us);
    device->heard_mono_us = gateway->now.mono_us;
    if (device->state != SUPERVISION_HEARD)
        come_back(gateway, index);
    supervise_arm(gateway, index);
}

void supervise_came_by(struct gateway *gateway, uint32_t index, uint8_t listener)
{
    struct device *device = &gateway->registry.devices[index];

    if (device->listener == listener)
        return;
    count_out(gateway, index);
    device->listener = listener;
    count_in(gateway, index);
}

void supervise_alarm(struct gateway *gateway, uint32_t index, int64_t at_us)
{
    const struct device *devices = gateway->registry.devices;
    struct household *home = registry_home(&gateway->registry, devices[index].household_id);

    if (!home)
        return;
    if (at_us > home->alarm_us)
        home->alarm_us = at_us;
    if (gateway->replaying)
        return;
    keep_standing(gateway, index);
    for (uint32_t i = home->first_device; i != NO_DEVICE; i = devices[i].next_in_household)
        if (devices[i].state == SUPERVISION_GROUPED && has_open_alarm(gateway, &devices[i])) {
            set_standing(gateway, i, SUPERVISION_MISSING, OUTAGE_NONE);
            decide(gateway, i);
        }
}

/* --- journal and registry --- */

void supervise_said(struct gateway *gateway, uint32_t index, enum signal_kind kind)
{
    if (kind == SIGNAL_DEVICE_LOST)
        supervise_restore(gateway, index, SUPERVISION_LOST, OUTAGE_NONE);
    else if (kind == SIGNAL_DEVICE_RETURNED)
        supervise_restore(gateway, index, SUPERVISION_HEARD, OUTAGE_NONE);
}

void supervise_join(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];

    if (device->missing_mono_us == 0) /* new: its silence begins now */
        device->missing_mono_us = gateway->now.mono_us;
    count_in(gateway, index);
    supervise_arm(gateway, index);
}

void supervise_leave(struct gateway *gateway, uint32_t index)
{
    count_out(gateway, index);
}

void supervise_forget(struct gateway *gateway, uint32_t index)
{
    set_standing(gateway, index, SUPERVISION_HEARD, OUTAGE_NONE);
    count_out(gateway, index);
    wheel_disarm(&gateway->wheel, gateway_timer(gateway, TIMER_SUPERVISE, index));
}
