/*
 * The meters: readings to the detector, its verdicts to records, its deadlines to the wheel. What is
 * decided, and why, is daemon/core/silence's business.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

/* Deadlines of the detector are dates; the wheel waits in mono time, which never steps. */
void water_arm(struct gateway *gateway, uint32_t device)
{
    uint32_t timer = gateway_timer(gateway, TIMER_WATER, device);
    struct silence_settings own;
    int64_t due_us, change_us;

    if (gateway->registry.devices[device].kind != DEVICE_METER)
        return;
    due_us = silence_due_at(&gateway->water[device], explain_settings(gateway, device, &own));
    change_us = explain_due_at(gateway, device);
    if (change_us < due_us)
        due_us = change_us;
    if (due_us == INT64_MAX)
        wheel_disarm(&gateway->wheel, timer);
    else
        wheel_arm(&gateway->wheel, timer, gateway->now.mono_us + due_us - gateway->now.wall_us);
}

static bool decide(struct gateway *gateway, uint32_t device, enum signal_kind kind,
                   const struct silence_verdict *verdict, uint32_t rules)
{
    uint8_t memory[ARRIVAL_DETAIL_MAX];
    struct writer detail = writer_into(memory, sizeof(memory));
    uint32_t flags = verdict->flags & SILENCE_NOT_REPORTING ? SIGNAL_FLAG_NOT_REPORTING : 0;
    struct bytes view;

    water_detail_write(gateway, device, verdict, rules, &detail);
    view = detail.overflow ? bytes_of("{}") : writer_view(&detail);
    return admit_decision(gateway, device, kind,
                          (struct decision){.code = silence_rule_name(rules & (~rules + 1)),
                                            .flags = flags,
                                            .detail = view});
}

/* A silence that is explained is kept for people to see; it raises nothing, so it need not be kept. */
static void record_explained(struct gateway *gateway, uint32_t device,
                             const struct silence_verdict *verdict)
{
    uint32_t explained = verdict->explained & SILENCE_QUIET;

    if (!explained)
        return;
    for (uint32_t bit = 0; bit < SILENCE_REASON_COUNT; bit++)
        if (verdict->reasons & 1u << bit)
            gateway->counters.explained[bit]++;
    decide(gateway, device, SIGNAL_SILENCE_EXPLAINED, verdict, explained);
}

/* False if something could not be recorded. */
static bool tell_quiet(struct gateway *gateway, uint32_t device,
                       const struct silence_verdict *verdict)
{
    struct device *entry = &gateway->registry.devices[device];
    uint32_t raised = verdict->raised & SILENCE_QUIET, ended = verdict->ended & SILENCE_QUIET;

    if (raised) {
        entry->silence_said = decide(gateway, device, SIGNAL_SILENCE, verdict, raised);
        entry->silence_over = 0;
        return entry->silence_said;
    }
    if (!ended || !entry->silence_said)
        return true;
    entry->silence_said = !decide(gateway, device, SIGNAL_SILENCE_ENDED, verdict, ended);
    entry->silence_over = entry->silence_said ? (uint8_t)ended : 0;
    return !entry->silence_said;
}

static bool tell_running(struct gateway *gateway, uint32_t device,
                         const struct silence_verdict *verdict)
{
    struct device *entry = &gateway->registry.devices[device];
    uint32_t raised = verdict->raised & SILENCE_RUNNING;

    if (raised)
        entry->running_said = decide(gateway, device, SIGNAL_RUNNING_WATER, verdict, raised);
    return !raised || entry->running_said;
}

/* What a replayed record decides was recorded behind it. If nothing was, tell_unsaid finds it here. */
static void expect_record(struct device *entry, const struct silence_verdict *verdict)
{
    if (verdict->raised & SILENCE_RUNNING)
        entry->running_said = false;
    if (verdict->raised & SILENCE_QUIET)
        entry->silence_over = 0;
    else if (entry->silence_said)
        entry->silence_over |= (uint8_t)(verdict->ended & SILENCE_QUIET);
}

/* What the journal has no room for is told by water_expired, soon. */
static void take_verdict(struct gateway *gateway, uint32_t device,
                         const struct silence_verdict *verdict)
{
    bool told = true;

    if (gateway->replaying) {
        expect_record(&gateway->registry.devices[device], verdict);
    } else {
        record_explained(gateway, device, verdict);
        told = tell_quiet(gateway, device, verdict);
        told = tell_running(gateway, device, verdict) && told;
    }
    water_arm(gateway, device);
    if (!told)
        wheel_arm(&gateway->wheel, gateway_timer(gateway, TIMER_WATER, device),
                  gateway->now.mono_us + DECISION_RETRY_US);
}

void water_join(struct gateway *gateway, uint32_t device)
{
    if (gateway->registry.devices[device].kind != DEVICE_METER)
        return;
    struct silence_settings own;

    gateway->meter_count++;
    gateway->blank_count++;
    silence_init(&gateway->water[device], explain_settings(gateway, device, &own));
}

void water_leave(struct gateway *gateway, uint32_t device)
{
    if (gateway->registry.devices[device].kind == DEVICE_METER) {
        gateway->meter_count--;
        keep_settle(gateway, device);
    }
    explain_forget(gateway, device);
    wheel_disarm(&gateway->wheel, gateway_timer(gateway, TIMER_WATER, device));
}

static void count_odd(struct gateway *gateway, uint32_t odd)
{
    for (uint32_t bit = 0; odd && bit < SILENCE_ODD_COUNT; bit++)
        if (odd & 1u << bit)
            gateway->counters.odd_readings[bit]++;
}

void water_reading(struct gateway *gateway, uint32_t device, const struct signal *signal)
{
    struct silence_reading reading = {
        .at_us = signal->occurred_at_us,
        .heard_us = signal->received_at_us,
        .cumulative = signal->has & MEASURE_TOTAL,
        .volume_ml = signal->has & MEASURE_TOTAL ? signal->total_ml : signal->interval_ml,
        .interval_s = signal->interval_s,
        .reset = signal->flags & SIGNAL_FLAG_RESET,
        .stored = signal->flags & SIGNAL_FLAG_STORED,
    };
    struct silence_settings own;
    struct silence_verdict verdict;

    if (gateway->registry.devices[device].kind != DEVICE_METER ||
        !(signal->has & (MEASURE_TOTAL | MEASURE_INTERVAL)))
        return;
    verdict =
        silence_reading(&gateway->water[device], explain_settings(gateway, device, &own), &reading);
    if (verdict.flags & SILENCE_USE)
        explain_life(gateway, device, verdict.known_us);
    if (!gateway->replaying)
        count_odd(gateway, verdict.odd);
    take_verdict(gateway, device, &verdict);
}

/* What stands raised, or has ended, and is not recorded is told now. */
static void tell_unsaid(struct gateway *gateway, uint32_t device)
{
    const struct device *entry = &gateway->registry.devices[device];
    struct silence_settings own;
    struct silence_detail detail;
    struct silence_verdict verdict;

    silence_describe(&gateway->water[device], explain_settings(gateway, device, &own),
                     gateway->now.wall_us, &detail);
    verdict = (struct silence_verdict){
        .ended = entry->silence_over, .since_us = detail.since_us, .flags = detail.flags};
    if (!entry->silence_said)
        verdict.raised |= detail.rules & SILENCE_QUIET;
    if (!entry->running_said)
        verdict.raised |= detail.rules & SILENCE_RUNNING;
    take_verdict(gateway, device, &verdict);
}

void water_expired(struct gateway *gateway, uint32_t device)
{
    struct silence_settings own;
    struct silence_verdict verdict;

    explain_check(gateway, device);
    verdict = silence_due(&gateway->water[device], explain_settings(gateway, device, &own),
                          gateway->now.wall_us);
    take_verdict(gateway, device, &verdict);
    tell_unsaid(gateway, device);
}

void water_life_of(struct gateway *gateway, uint32_t meter, int64_t at_us)
{
    struct silence_settings own;
    struct silence_verdict verdict =
        silence_life(&gateway->water[meter], explain_settings(gateway, meter, &own), at_us);

    explain_life(gateway, meter, at_us);
    take_verdict(gateway, meter, &verdict);
}

void water_life(struct gateway *gateway, uint32_t device, int64_t at_us)
{
    int64_t household_id = gateway->registry.devices[device].household_id;
    uint32_t other = registry_household(&gateway->registry, household_id);

    for (; other != NO_DEVICE; other = gateway->registry.devices[other].next_in_household) {
        if (gateway->registry.devices[other].kind != DEVICE_METER)
            continue;
        water_life_of(gateway, other, at_us);
        if (!gateway->replaying)
            keep_soon(gateway, other);
    }
}

void water_said(struct gateway *gateway, uint32_t device, const struct signal *decision)
{
    struct device *entry = &gateway->registry.devices[device];
    enum signal_kind kind = (enum signal_kind)decision->kind;

    if (kind == SIGNAL_SILENCE) {
        /* It may have been a deadline that decided, not a reading: then this is that moment again. */
        struct silence_settings own;

        (void)silence_due(&gateway->water[device], explain_settings(gateway, device, &own),
                          decision->received_at_us);
        entry->silence_said = true;
        entry->silence_over = 0;
    } else if (kind == SIGNAL_SILENCE_ENDED) {
        entry->silence_said = false;
        entry->silence_over = 0;
    } else if (kind == SIGNAL_RUNNING_WATER)
        entry->running_said = true;
    else if (kind == SIGNAL_CARE_CALL)
        gateway->circumstances[device].returned_us = 0;
}

void water_replayed(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->registry.devices_used; i++) {
        const struct device *entry = &gateway->registry.devices[i];

        if (!entry->in_use || entry->kind != DEVICE_METER)
            continue;
        explain_started(gateway, i);
        tell_unsaid(gateway, i);
    }
}
