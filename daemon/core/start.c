/* The start of the gateway: the registry from its copy, and the journal told again. */
#include "daemon/core/gateway_start.h"
#include "daemon/core/gateway_state.h"

#include <assert.h>

void gateway_device_ahead(const struct gateway *gateway, const struct device_entry *entry)
{
    registry_fetch(&gateway->registry, entry->protocol, entry->identity, entry->household_id);
}

void gateway_starting(struct gateway *gateway, uint64_t durable)
{
    gateway->early.is_on = true;
    gateway->durable = gateway->newest = durable;
}

void start_keep(struct gateway *gateway, const struct origin *origin, const struct signal *signal)
{
    struct early *early = &gateway->early;

    assert(early->count < gateway->limits.early_max);
    early->signals[early->count++] =
        (struct early_signal){.session = origin->session,
                              .codec = (uint8_t)origin->codec,
                              .listener = admit_listener(gateway, origin->session),
                              .signal = *signal};
}

bool start_is_repeated(const struct gateway *gateway, const struct signal *signal, uint64_t number)
{
    uint64_t first = recent_find(&gateway->recent, signal);

    return first != 0 && first < number;
}

void gateway_replay(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload)
{
    struct arrival arrival;
    uint32_t device;

    if (gateway->early.is_over)
        return; /* recorded since by the gateway itself, while it still waits for the disk */
    if (number > gateway->newest)
        gateway->newest = number;
    if (lane == LANE_STATE)
        keep_replayed(gateway, payload);
    if (lane == LANE_MARK)
        keep_mark_replayed(gateway, payload);
    if (lane != LANE_ALARM && lane != LANE_READING)
        return;
    if (!arrival_decode(payload, &arrival)) {
        log_event(gateway->ports.log, LOG_CRITICAL, "replay.unreadable",
                  field_unsigned("number", number), field_unsigned("size", payload.size));
        return;
    }
    if (lane == LANE_ALARM && start_is_repeated(gateway, &arrival.signal, number)) {
        gateway->counters.repeated++;
        return;
    }
    outbox_push(gateway_outbox(gateway, lane), number, payload);
    if (lane == LANE_ALARM)
        recent_add(&gateway->recent, &arrival.signal, number);
    device = registry_find(&gateway->registry, arrival.signal.protocol, arrival.signal.identity);
    if (device == NO_DEVICE)
        return;
    gateway->replaying = true;
    if (admit_is_call_for_help(&arrival.signal))
        supervise_alarm(gateway, device, arrival.signal.received_at_us);
    if (lane == LANE_READING) {
        water_reading(gateway, device, &arrival.signal);
    } else if (admit_is_life(&gateway->registry.devices[device], &arrival.signal)) {
        water_life(gateway, device, arrival.signal.received_at_us);
    } else {
        water_said(gateway, device, &arrival.signal);
        supervise_said(gateway, device, (enum signal_kind)arrival.signal.kind);
        if (!(arrival.signal.flags & SIGNAL_FLAG_UNAUTHENTICATED))
            observe_said(gateway, device, &arrival.signal);
    }
    gateway->replaying = false;
}

/* False when the journal has no room now for what may follow from the next one. */
static bool hear_early(struct gateway *gateway)
{
    struct early *early = &gateway->early;

    while (early->told < early->count) {
        const struct early_signal *next = &early->signals[early->told];
        uint32_t device = registry_find(&gateway->registry, next->codec, next->signal.identity);

        if (gateway->ports.append_room(gateway->ports.context) == APPEND_WAIT)
            return false;
        if (device != NO_DEVICE)
            (void)admit_heard(gateway, next->session, next->listener, device, &next->signal);
        early->told++;
    }
    return true;
}

static void end_replay(struct gateway *gateway)
{
    gateway->early.is_over = true;
    gateway->early.is_on = false;
    gateway->round_from = gateway->newest;
    if (gateway->durable < gateway->newest)
        gateway->durable = gateway->newest;
    water_replayed(gateway);
}

bool gateway_replayed(struct gateway *gateway)
{
    gateway->settling = true;
    if (gateway->early.is_on && gateway->durable < gateway->newest)
        return false;
    if (!gateway->early.is_over)
        end_replay(gateway);
    gateway->settling = !hear_early(gateway);
    return !gateway->settling;
}
