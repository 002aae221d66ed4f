/* The start of the gateway: the registry from its copy, and the journal told again. */
#include "daemon/core/gateway_start.h"
#include "daemon/core/gateway_state.h"

void gateway_device_ahead(const struct gateway *gateway, const struct device_entry *entry)
{
    registry_fetch(&gateway->registry, entry->protocol, entry->identity, entry->household_id);
}

void gateway_replay(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload)
{
    struct arrival arrival;
    uint32_t device;

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
    outbox_push(lane == LANE_ALARM ? &gateway->alarms : &gateway->readings, number, payload);
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

void gateway_replayed(struct gateway *gateway)
{
    gateway->durable = gateway->round_from = gateway->newest;
    water_replayed(gateway);
}
