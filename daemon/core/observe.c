/*
 * What devices say beyond alarms: the latest of each, and a history. Both are soft state: they live in
 * memory, go out in small batches on the connection of the readings, and are given up before anything
 * else is. The latest of a device takes one place however often it speaks. The history is a ring:
 * while the database is away its oldest rows are dropped and counted.
 *
 * A device, or who pretends to be one, can fill neither: of one device each group of measures makes a
 * row an interval at most. What a device kept while it had no network comes at once and may take its
 * next rows in advance.
 *
 * An episode of a low battery begins when the device says so itself or its percentage falls to the low
 * limit, and ends when it says that all is well or the percentage rises to the higher limit. What the
 * gateway adds is recorded once an episode, so a ticket is raised once and closed by itself even where
 * the protocol has no word for it. After a restart the episodes of the replayed journal are known.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

#define POSITION (MEASURE_POSITION | MEASURE_ACCURACY)
#define VITALS (MEASURE_HEART_RATE | MEASURE_BLOOD_PRESSURE | MEASURE_OXYGEN | MEASURE_TEMPERATURE)
#define CONDITION (MEASURE_BATTERY | MEASURE_GSM | MEASURE_STEPS)
#define KEPT_IN_ADVANCE DECODE_SIGNALS_MAX /* one batch of what a device kept */

/* When it was so: the device's own time if it can be believed, and never later than now. */
static int64_t time_of(const struct signal *signal)
{
    bool usable = signal->occurred_at_us != 0 && !(signal->flags & SIGNAL_FLAG_CLOCK_WRONG) &&
                  signal->occurred_at_us < signal->received_at_us;

    return usable ? signal->occurred_at_us : signal->received_at_us;
}

static struct measures measures_of(const struct signal *signal)
{
    return (struct measures){
        .has = signal->has & (POSITION | VITALS | CONDITION),
        .latitude_e7 = signal->latitude_e7,
        .longitude_e7 = signal->longitude_e7,
        .accuracy_m = signal->accuracy_m,
        .steps = signal->steps,
        .battery_percent = signal->battery_percent,
        .gsm_percent = signal->gsm_percent,
        .heart_rate = signal->heart_rate,
        .systolic = signal->systolic,
        .diastolic = signal->diastolic,
        .oxygen_percent = signal->oxygen_percent,
        .temperature_c100 = signal->temperature_c100,
    };
}

/* --- the latest --- */

/* A place without a fix is one that was known before: only where nothing better is. */
static void merge_position(struct measures *latest, const struct measures *said, int64_t at_us)
{
    if (!(said->has & MEASURE_POSITION) ||
        (latest->has & MEASURE_POSITION && at_us < latest->position_at_us))
        return;
    latest->latitude_e7 = said->latitude_e7;
    latest->longitude_e7 = said->longitude_e7;
    latest->accuracy_m = said->accuracy_m;
    latest->position_at_us = at_us;
    latest->has = (latest->has & ~(uint32_t)POSITION) | (said->has & POSITION);
}

static void merge_vitals(struct measures *latest, const struct measures *said, int64_t at_us)
{
    if (!(said->has & VITALS) || at_us < latest->vitals_at_us)
        return;
    if (said->has & MEASURE_HEART_RATE)
        latest->heart_rate = said->heart_rate;
    if (said->has & MEASURE_BLOOD_PRESSURE) {
        latest->systolic = said->systolic;
        latest->diastolic = said->diastolic;
    }
    if (said->has & MEASURE_OXYGEN)
        latest->oxygen_percent = said->oxygen_percent;
    if (said->has & MEASURE_TEMPERATURE)
        latest->temperature_c100 = said->temperature_c100;
    latest->vitals_at_us = at_us;
    latest->has |= said->has & VITALS;
}

static void merge_condition(struct measures *latest, const struct measures *said, int64_t at_us)
{
    if (!(said->has & CONDITION) || at_us < latest->condition_at_us)
        return;
    if (said->has & MEASURE_BATTERY)
        latest->battery_percent = said->battery_percent;
    if (said->has & MEASURE_GSM)
        latest->gsm_percent = said->gsm_percent;
    if (said->has & MEASURE_STEPS)
        latest->steps = said->steps;
    latest->condition_at_us = at_us;
    latest->has |= said->has & CONDITION;
}

static void touch(struct gateway *gateway, uint32_t index)
{
    struct observer *observer = &gateway->observer;
    struct device *device = &gateway->registry.devices[index];
    uint32_t devices_max = gateway->limits.devices_max;

    device->heard_us = gateway->now.wall_us;
    if (device->touched)
        return;
    device->touched = true;
    observer->touched[(observer->touched_first + observer->touched_count++) % devices_max] = index;
}

/* --- the history --- */

static void push(struct gateway *gateway, const struct observation *observation)
{
    struct observer *observer = &gateway->observer;
    uint32_t size = gateway->limits.observations_max;

    if (observer->history_count == size) {
        observer->history_first = (observer->history_first + 1) % size;
        observer->history_count--;
        if (observer->in_flight > 0)
            observer->in_flight--; /* the answer is about the others */
        gateway->counters.observations_dropped++;
    }
    observer->history[(observer->history_first + observer->history_count++) % size] = *observation;
    gateway->counters.observations++;
}

/* Whether the group may have a row now; if so, its next one is an interval later. */
static bool is_due(struct gateway *gateway, uint32_t device, enum observed_group group)
{
    uint32_t *due_s = &gateway->observer.due_s[device][group];
    uint32_t interval_s = (uint32_t)(gateway->settings.observation_interval_us / US_PER_SECOND);
    uint32_t now_s = (uint32_t)(gateway->now.mono_us / US_PER_SECOND);
    uint32_t advance_s = group == OBSERVED_KEPT ? (KEPT_IN_ADVANCE - 1) * interval_s : 0;

    if (*due_s > now_s + advance_s)
        return false;
    *due_s = (*due_s > now_s ? *due_s : now_s) + interval_s;
    return true;
}

/* The measures among `has` whose turn it is. */
static uint32_t due_of(struct gateway *gateway, uint32_t device, const struct signal *signal,
                       uint32_t has)
{
    static const uint32_t groups[] = {[OBSERVED_POSITION] = POSITION,
                                      [OBSERVED_VITALS] = VITALS,
                                      [OBSERVED_CONDITION] = CONDITION};
    uint32_t due = 0;

    if (signal->flags & SIGNAL_FLAG_STORED)
        return is_due(gateway, device, OBSERVED_KEPT) ? has : 0;
    for (int group = OBSERVED_POSITION; group < OBSERVED_KEPT; group++)
        if (has & groups[group] && is_due(gateway, device, (enum observed_group)group))
            due |= has & groups[group];
    return due;
}

static void remember(struct gateway *gateway, uint32_t device, const struct signal *signal,
                     const struct measures *said)
{
    struct observation observation = {
        .device_id = gateway->registry.devices[device].device_id,
        .at_us = time_of(signal),
        .received_at_us = signal->received_at_us,
        .occurred_at_us = signal->occurred_at_us,
        .said = *said,
    };
    uint32_t has = said->has;

    if (signal->kind == SIGNAL_READING || gateway->limits.observations_max == 0 ||
        gateway->settings.observation_interval_us == 0)
        return;
    if (signal->flags & SIGNAL_FLAG_NO_POSITION)
        has &= ~(uint32_t)POSITION;
    if (has == 0)
        return;
    if (observation.received_at_us <= gateway->observer.stamped_us)
        observation.received_at_us = gateway->observer.stamped_us + 1;
    gateway->observer.stamped_us = observation.received_at_us;
    observation.said.has = due_of(gateway, device, signal, has);
    if (observation.said.has != has)
        gateway->counters.observations_thinned++;
    if (observation.said.has != 0)
        push(gateway, &observation);
}

/* --- the battery --- */

void observe_said(struct gateway *gateway, uint32_t index, const struct signal *signal)
{
    struct device *device = &gateway->registry.devices[index];
    /* One that is full by its own percentage would be restored by it again and again. */
    bool is_full = signal->has & MEASURE_BATTERY &&
                   signal->battery_percent >= gateway->settings.battery.restored_percent;

    if (signal->kind == SIGNAL_LOW_BATTERY && !is_full)
        device->battery_low = true;
    else if (signal->kind == SIGNAL_BATTERY_RESTORED)
        device->battery_low = false;
}

static void watch_battery(struct gateway *gateway, uint32_t index, const struct signal *signal)
{
    struct device *device = &gateway->registry.devices[index];
    uint8_t memory[32];
    struct writer detail = writer_into(memory, sizeof(memory));
    enum battery_change change;

    observe_said(gateway, index, signal);
    if (signal->kind == SIGNAL_LOW_BATTERY || signal->kind == SIGNAL_BATTERY_RESTORED ||
        !device->supervised || !(signal->has & MEASURE_BATTERY) ||
        signal->flags & SIGNAL_FLAG_STORED)
        return;
    change =
        battery_judge(&gateway->settings.battery, device->battery_low, signal->battery_percent);
    if (change == BATTERY_SAME)
        return;
    writer_text(&detail, "{\"battery\":");
    writer_decimal(&detail, signal->battery_percent);
    writer_text(&detail, "}");
    /* Without room in the journal the next report decides. */
    if (admit_decision(
            gateway, index, change == BATTERY_FELL ? SIGNAL_LOW_BATTERY : SIGNAL_BATTERY_RESTORED,
            (struct decision){.code = "battery_percent", .detail = writer_view(&detail)}))
        device->battery_low = change == BATTERY_FELL;
}

void observe_signal(struct gateway *gateway, uint32_t device, const struct signal *signal)
{
    struct measures said = measures_of(signal), *latest = &gateway->observer.latest[device];
    int64_t at_us = time_of(signal);

    touch(gateway, device);
    watch_battery(gateway, device, signal);
    if (said.has == 0)
        return;
    merge_position(latest, &said, signal->flags & SIGNAL_FLAG_NO_POSITION ? 0 : at_us);
    merge_vitals(latest, &said, at_us);
    merge_condition(latest, &said, at_us);
    remember(gateway, device, signal, &said);
}

void observe_forget(struct gateway *gateway, uint32_t device)
{
    memset(&gateway->observer.latest[device], 0, sizeof(gateway->observer.latest[device]));
    memset(gateway->observer.due_s[device], 0, sizeof(gateway->observer.due_s[device]));
}

/* --- on their way --- */

/* A round stores each device that was heard of once, however often it was: a fleet that talks without
 * pause must not keep the database busy, which has alarms to store. The first word after a pause
 * does not wait. */
static void begin_round(struct gateway *gateway)
{
    struct observer *observer = &gateway->observer;

    if (observer->round_left > 0 || observer->touched_count == 0 ||
        gateway->now.mono_us < observer->round_at_us)
        return;
    observer->round_left = observer->touched_count;
    observer->round_at_us = gateway->now.mono_us + TOUCH_ROUND_US;
}

int64_t observe_wake_at(const struct gateway *gateway)
{
    const struct observer *observer = &gateway->observer;

    /* What the database has no room for is offered again when it has answered. */
    return observer->round_left == 0 && observer->touched_count > 0 ? observer->round_at_us
                                                                    : INT64_MAX;
}

/* What is not taken stays queued. */
static void flush_touched(struct gateway *gateway)
{
    struct observer *observer = &gateway->observer;
    uint32_t count = observer->round_left < TOUCH_BATCH ? observer->round_left : TOUCH_BATCH;
    uint32_t devices_max = gateway->limits.devices_max;
    size_t taken;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t device = observer->touched[(observer->touched_first + i) % devices_max];
        struct device_touch *touch = &gateway->soft.touches[i];

        touch->protocol = registry_protocol(&gateway->registry, device);
        memcpy(touch->identity, registry_identity(&gateway->registry, device),
               sizeof(touch->identity));
        touch->latest = observer->latest[device];
        touch->heard_us = gateway->registry.devices[device].heard_us;
    }
    taken = gateway->ports.touch(gateway->ports.context, gateway->soft.touches, count);
    for (size_t i = 0; i < taken; i++) {
        uint32_t device = observer->touched[observer->touched_first];

        gateway->registry.devices[device].touched = false;
        memset(&observer->latest[device], 0, sizeof(observer->latest[device]));
        observer->touched_first = (observer->touched_first + 1) % devices_max;
        observer->touched_count--;
        observer->round_left--;
    }
}

/* One batch at a time: it stays in the ring until the database has answered. */
static void flush_history(struct gateway *gateway)
{
    struct observer *observer = &gateway->observer;
    uint32_t count =
        observer->history_count < OBSERVATION_BATCH ? observer->history_count : OBSERVATION_BATCH;

    for (uint32_t i = 0; i < count; i++)
        gateway->soft.observations[i] =
            observer->history[(observer->history_first + i) % gateway->limits.observations_max];
    if (gateway->ports.observe(gateway->ports.context, gateway->soft.observations, count)) {
        observer->is_storing = true;
        observer->in_flight = count;
    }
}

void observe_flush(struct gateway *gateway)
{
    begin_round(gateway);
    if (gateway->observer.round_left > 0)
        flush_touched(gateway);
    if (gateway->observer.history_count > 0 && !gateway->observer.is_storing)
        flush_history(gateway);
}

void gateway_observed(struct gateway *gateway, enum store_result result)
{
    struct observer *observer = &gateway->observer;

    observer->is_storing = false;
    if (result == STORE_REFUSED)
        gateway->counters.observations_refused += observer->in_flight;
    if (result != STORE_LOST && observer->in_flight > 0) {
        observer->history_first =
            (observer->history_first + observer->in_flight) % gateway->limits.observations_max;
        observer->history_count -= observer->in_flight;
    }
    observer->in_flight = 0;
}
