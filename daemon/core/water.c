/*
 * The meters: readings to the detector, its verdicts to records, its deadlines to the wheel. What is
 * decided, and why, is daemon/core/silence's business.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

static const struct silence_settings *settings_of(const struct gateway *gateway)
{
    return &gateway->settings.silence;
}

/* Deadlines of the detector are dates; the wheel waits in mono time, which never steps. */
static void arm(struct gateway *gateway, uint32_t device)
{
    uint32_t timer = gateway_timer(gateway, TIMER_WATER, device);
    int64_t due_us = silence_due_at(&gateway->water[device], settings_of(gateway));

    if (due_us == INT64_MAX)
        wheel_disarm(&gateway->wheel, timer);
    else
        wheel_arm(&gateway->wheel, timer, gateway->now.mono_us + due_us - gateway->now.wall_us);
}

static void write_number(struct writer *out, const char *name, int64_t value)
{
    writer_text(out, ",\"");
    writer_text(out, name);
    writer_text(out, "\":");
    writer_decimal(out, value);
}

static void write_hours(struct writer *out, const char *name, float hours)
{
    writer_text(out, ",\"");
    writer_text(out, name);
    writer_text(out, "\":");
    writer_fixed(out, (int64_t)(hours * 100), 2);
}

static void write_curve(struct writer *out, const char *name, const float *values, int digits)
{
    float scale = digits == 2 ? 100 : 10;

    writer_text(out, ",\"");
    writer_text(out, name);
    writer_text(out, "\":[");
    for (int i = 0; i < 24; i++) {
        if (i > 0)
            writer_text(out, ",");
        if (values[i] < 0)
            writer_text(out, "null");
        else
            writer_fixed(out, (int64_t)(values[i] * scale), digits);
    }
    writer_text(out, "]");
}

static void write_rules(struct writer *out, uint32_t rules)
{
    const char *separator = "";

    writer_text(out, "{\"rules\":[");
    for (uint32_t bit = 0; bit < SILENCE_RULE_COUNT; bit++) {
        if (!(rules & 1u << bit))
            continue;
        writer_text(out, separator);
        writer_text(out, "\"");
        writer_text(out, silence_rule_name(1u << bit));
        writer_text(out, "\"");
        separator = ",";
    }
    writer_text(out, "]");
}

/* What an operator needs in order to believe the ticket. */
static void write_detail(const struct gateway *gateway, uint32_t device, uint32_t rules,
                         int64_t since_us, struct writer *out)
{
    struct silence_detail detail;

    silence_describe(&gateway->water[device], settings_of(gateway), gateway->now.wall_us, &detail);
    write_rules(out, rules);
    write_number(out, "since_us", since_us);
    write_number(out, "known_us", detail.known_us);
    write_number(out, "last_use_us", detail.last_use_us);
    write_number(out, "last_use_ml", detail.last_use_ml);
    write_hours(out, "quiet_hours", detail.quiet_hours);
    write_hours(out, "effective_hours", detail.effective_hours);
    write_hours(out, "threshold_hours", detail.theta_hours);
    write_hours(out, "usual_chance", detail.usual_chance);
    write_number(out, "false_before", detail.false_count);
    write_number(out, "true_before", detail.true_count);
    write_curve(out, "expected", detail.expected, 2);
    write_curve(out, "actual_l", detail.actual_l, 1);
    writer_text(out, "}");
}

static bool decide(struct gateway *gateway, uint32_t device, enum signal_kind kind,
                   const struct silence_verdict *verdict, uint32_t rules)
{
    uint8_t memory[ARRIVAL_DETAIL_MAX];
    struct writer detail = writer_into(memory, sizeof(memory));
    uint32_t flags = verdict->flags & SILENCE_NOT_REPORTING ? SIGNAL_FLAG_NOT_REPORTING : 0;
    struct bytes view;

    write_detail(gateway, device, rules, verdict->since_us, &detail);
    view = detail.overflow ? bytes_of("{}") : writer_view(&detail);
    return admit_decision(gateway, device, kind,
                          (struct decision){.code = silence_rule_name(rules & (~rules + 1)),
                                            .flags = flags,
                                            .detail = view});
}

/* False if something could not be recorded. */
static bool tell_quiet(struct gateway *gateway, uint32_t device,
                       const struct silence_verdict *verdict)
{
    struct device *entry = &gateway->registry.devices[device];
    uint32_t raised = verdict->raised & SILENCE_QUIET, ended = verdict->ended & SILENCE_QUIET;

    if (raised) {
        entry->silence_said = decide(gateway, device, SIGNAL_SILENCE, verdict, raised);
        return entry->silence_said;
    }
    if (ended && entry->silence_said) {
        entry->silence_said = false;
        decide(gateway, device, SIGNAL_SILENCE_ENDED, verdict, ended);
    }
    return true;
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

/* What the journal has no room for is told by water_expired, soon. */
static void take_verdict(struct gateway *gateway, uint32_t device,
                         const struct silence_verdict *verdict)
{
    bool told = true;

    if (!gateway->replaying) {
        told = tell_quiet(gateway, device, verdict);
        told = tell_running(gateway, device, verdict) && told;
    }
    arm(gateway, device);
    if (!told)
        wheel_arm(&gateway->wheel, gateway_timer(gateway, TIMER_WATER, device),
                  gateway->now.mono_us + DECISION_RETRY_US);
}

void water_join(struct gateway *gateway, uint32_t device)
{
    if (gateway->registry.devices[device].kind != DEVICE_METER)
        return;
    gateway->meter_count++;
    silence_init(&gateway->water[device], settings_of(gateway));
}

void water_leave(struct gateway *gateway, uint32_t device)
{
    if (gateway->registry.devices[device].kind == DEVICE_METER)
        gateway->meter_count--;
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
    struct silence_verdict verdict;

    if (gateway->registry.devices[device].kind != DEVICE_METER ||
        !(signal->has & (MEASURE_TOTAL | MEASURE_INTERVAL)))
        return;
    verdict = silence_reading(&gateway->water[device], settings_of(gateway), &reading);
    if (!gateway->replaying)
        count_odd(gateway, verdict.odd);
    take_verdict(gateway, device, &verdict);
}

/* What stands raised and is not recorded is told now. */
static void tell_unsaid(struct gateway *gateway, uint32_t device)
{
    const struct device *entry = &gateway->registry.devices[device];
    struct silence_detail detail;
    struct silence_verdict verdict;

    silence_describe(&gateway->water[device], settings_of(gateway), gateway->now.wall_us, &detail);
    verdict = (struct silence_verdict){.since_us = detail.since_us, .flags = detail.flags};
    if (!entry->silence_said)
        verdict.raised |= detail.rules & SILENCE_QUIET;
    if (!entry->running_said)
        verdict.raised |= detail.rules & SILENCE_RUNNING;
    take_verdict(gateway, device, &verdict);
}

void water_expired(struct gateway *gateway, uint32_t device)
{
    struct silence_verdict verdict =
        silence_due(&gateway->water[device], settings_of(gateway), gateway->now.wall_us);

    take_verdict(gateway, device, &verdict);
    tell_unsaid(gateway, device);
}

void water_life(struct gateway *gateway, uint32_t device, int64_t at_us)
{
    int64_t household_id = gateway->registry.devices[device].household_id;
    uint32_t other = registry_household(&gateway->registry, household_id);

    for (; other != NO_DEVICE; other = gateway->registry.devices[other].next_in_household) {
        if (gateway->registry.devices[other].kind != DEVICE_METER)
            continue;

        struct silence_verdict verdict =
            silence_life(&gateway->water[other], settings_of(gateway), at_us);

        take_verdict(gateway, other, &verdict);
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
        (void)silence_due(&gateway->water[device], settings_of(gateway), decision->received_at_us);
        entry->silence_said = true;
    } else if (kind == SIGNAL_SILENCE_ENDED)
        entry->silence_said = false;
    else if (kind == SIGNAL_RUNNING_WATER)
        entry->running_said = true;
}

void water_replayed(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->registry.devices_used; i++) {
        const struct device *entry = &gateway->registry.devices[i];

        if (entry->in_use && entry->kind == DEVICE_METER)
            tell_unsaid(gateway, i);
    }
}
