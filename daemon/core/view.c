#include "daemon/core/view.h"

#include <string.h>

#include "daemon/core/gateway_state.h"

bool view_next_session(const struct gateway *gateway, uint64_t *handle,
                       struct view_session *session)
{
    const struct session *found;

    *handle = pool_next(&gateway->sessions, *handle);
    found = session_find(gateway, *handle);
    if (!found)
        return false;
    session->identity = found->memory.identity;
    session->protocol = found->codec >= 0 ? codecs[found->codec]->name : "";
    session->known = found->device != NO_DEVICE;
    return true;
}

/* The next index in use that satisfies `kind` (DEVICE_UNKNOWN: any); NO_DEVICE at the end. */
static uint32_t next_device(const struct gateway *gateway, uint32_t *position,
                            enum device_kind kind)
{
    const struct registry *registry = &gateway->registry;

    while (*position < registry->devices_used) {
        const struct device *device = &registry->devices[(*position)++];

        if (device->in_use && (kind == DEVICE_UNKNOWN || device->kind == kind))
            return *position - 1;
    }
    return NO_DEVICE;
}

bool view_next_device(const struct gateway *gateway, uint32_t *position, struct view_device *device)
{
    uint32_t index = next_device(gateway, position, DEVICE_UNKNOWN);

    if (index == NO_DEVICE)
        return false;

    const struct device *entry = &gateway->registry.devices[index];

    *device = (struct view_device){
        .identity = registry_identity(&gateway->registry, index),
        .protocol = codecs[registry_protocol(&gateway->registry, index)]->name,
        .kind = device_kind_name(entry->kind),
        .device_id = entry->device_id,
        .household_id = entry->household_id,
        .heard_us = entry->heard_us,
        .connected = session_find(gateway, entry->session) != NULL,
        .lost = supervise_is_lost(entry),
        .in_outage = entry->outage != OUTAGE_NONE,
    };
    return true;
}

static const char *rule_name(uint32_t bit)
{
    return silence_rule_name((enum silence_rule)bit);
}

static const char *reason_name(uint32_t bit)
{
    return silence_reason_name((enum silence_reason)bit);
}

/* The names of all bits set, between blanks. */
static void write_names(char out[64], uint32_t bits, const char *(*name_of)(uint32_t bit))
{
    struct writer names = writer_into(out, 63);

    for (; bits != 0; bits &= bits - 1) {
        if (names.size > 0)
            writer_text(&names, " ");
        writer_text(&names, name_of(bits & (~bits + 1)));
    }
    out[names.size] = '\0';
}

bool view_next_meter(const struct gateway *gateway, uint32_t *position, struct view_meter *meter)
{
    uint32_t index = next_device(gateway, position, DEVICE_METER);
    struct silence_settings own;
    const struct silence_settings *settings;
    int64_t due_us;

    if (index == NO_DEVICE)
        return false;
    settings = explain_settings(gateway, index, &own);
    due_us = silence_due_at(&gateway->water[index], settings);
    meter->identity = registry_identity(&gateway->registry, index);
    meter->household_id = gateway->registry.devices[index].household_id;
    meter->due_us = due_us == INT64_MAX ? 0 : due_us;
    silence_describe(&gateway->water[index], settings, gateway->now.wall_us, &meter->detail);
    meter->scheme = explain_scheme(gateway, index);
    meter->fixed_ml = settings->fixed_ml;
    meter->fixed_window_us = settings->fixed_window_us;
    write_names(meter->rules, meter->detail.rules, rule_name);
    write_names(meter->rules_on, settings->rules, rule_name);
    write_names(meter->reasons, meter->detail.reasons, reason_name);
    return true;
}

bool view_next_unstored(const struct gateway *gateway, uint64_t *position, struct arrival *alarm)
{
    return outbox_peek(&gateway->alarms, position, alarm);
}

struct view_lane view_lane(const struct gateway *gateway, enum lane lane)
{
    const struct outbox *outbox = lane == LANE_ALARM ? &gateway->alarms : &gateway->readings;
    struct view_lane view = {
        .up = !outbox->paused,
        .waiting = outbox->ring.count,
        .spilled = outbox->spilled != 0,
        .oldest = outbox_oldest(outbox),
        .committed = outbox->committed,
        .parked = outbox->refused,
    };

    for (uint32_t i = 0; i < outbox->in_flight_count; i++)
        view.in_flight += outbox->in_flight[i].count;
    return view;
}
