/* What is told of an outage (outage.h): that it began, that it grew, that it is over. */
#include "daemon/core/gateway_state.h"

#include <string.h>

#define NAME_SIZE (IDENTITY_LIMIT + 1)

static const char *const cause_names[] = {
    [OUTAGE_AREA] = "area",         [OUTAGE_CARRIER] = "carrier", [OUTAGE_LISTENER] = "listener",
    [OUTAGE_PROTOCOL] = "protocol", [OUTAGE_ALL] = "all",
};

static void write_key(const struct gateway *gateway, uint32_t index,
                      const struct outage_group *group, struct writer *out)
{
    const struct device *device = &gateway->registry.devices[index];

    if (group->cause == OUTAGE_AREA)
        writer_decimal(out, (int64_t)group->key);
    else if (group->cause == OUTAGE_CARRIER)
        writer_text(out, device->carrier);
    else if (group->cause == OUTAGE_LISTENER)
        writer_text(out, gateway->settings.listeners[group->key - 1]);
    else if (group->cause == OUTAGE_PROTOCOL)
        writer_text(out, codecs[registry_protocol(&gateway->registry, index)]->name);
}

/* "area:17", "listener:watch", "all": what the ticket is about. index: a device of the group. */
static void name_of(const struct gateway *gateway, uint32_t index, const struct outage_group *group,
                    char name[NAME_SIZE])
{
    struct writer out = writer_into((uint8_t *)name, NAME_SIZE - 1);

    writer_text(&out, cause_names[group->cause]);
    if (group->cause != OUTAGE_ALL)
        writer_text(&out, ":");
    write_key(gateway, index, group, &out);
    name[out.size] = '\0';
}

static void write_number(struct writer *out, const char *name, int64_t value)
{
    writer_text(out, ",\"");
    writer_text(out, name);
    writer_text(out, "\":");
    writer_decimal(out, value);
}

/* A device may call itself anything: what needs an escape in JSON is left out of its name. */
static void write_identity(struct writer *out, const char *identity)
{
    writer_text(out, "\"");
    for (; *identity; identity++)
        if ((uint8_t)*identity >= 0x20 && (uint8_t)*identity < 0x7F && *identity != '"' &&
            *identity != '\\')
            writer_u8(out, (uint8_t)*identity);
    writer_text(out, "\"");
}

/* Some that went missing last and still are. */
static void write_sample(const struct gateway *gateway, const struct outage_group *group,
                         struct writer *out)
{
    uint32_t count = group->sampled < OUTAGE_SAMPLE ? group->sampled : OUTAGE_SAMPLE;
    const char *separator = "";

    writer_text(out, ",\"devices\":[");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = group->sample[i];
        const struct device *device = &gateway->registry.devices[index];

        if (!device->in_use || device->state == SUPERVISION_HEARD)
            continue;
        writer_text(out, separator);
        write_identity(out, registry_identity(&gateway->registry, index));
        separator = ",";
    }
    writer_text(out, "]");
}

static void write_detail(const struct gateway *gateway, const struct outage_group *group,
                         const char *name, struct writer *out)
{
    writer_text(out, "{\"cause\":\"");
    writer_text(out, cause_names[group->cause]);
    writer_text(out, "\",\"outage\":");
    write_identity(out, name);
    write_number(out, "lost", group->missing - group->lone);
    write_number(out, "lost_by_themselves", group->lone);
    write_number(out, "of", group->devices);
    write_sample(gateway, group, out);
    writer_text(out, "}");
}

static bool tell(struct gateway *gateway, uint32_t index, const struct outage_group *group,
                 enum signal_kind kind)
{
    uint8_t memory[ARRIVAL_DETAIL_MAX];
    struct writer detail = writer_into(memory, sizeof(memory));
    char name[NAME_SIZE];

    name_of(gateway, index, group, name);
    write_detail(gateway, group, name, &detail);
    return admit_decision(gateway, index, kind,
                          (struct decision){.identity = name,
                                            .code = cause_names[group->cause],
                                            .detail = writer_view(&detail)});
}

/* Told when it begins, and again whenever it has grown to twice of what was told. */
bool outage_ticket_tell(struct gateway *gateway, uint32_t index, enum outage_slot slot)
{
    struct outage_place place = supervise_place(gateway, index);
    struct outage_group *group = outage_group(&gateway->outages, &place, slot);
    uint32_t lost = group->missing - group->lone;

    if (group->open && lost < 2 * group->told)
        return true;
    if (!tell(gateway, index, group, SIGNAL_OUTAGE))
        return group->open;
    group->told = lost;
    if (!group->open) {
        outage_set_open(&gateway->outages, group, true);
        group->returned_mono_us = gateway->outages.opened_mono_us = gateway->now.mono_us;
    }
    keep_standing_outage(gateway, group);
    return true;
}

bool outage_ticket_merge(struct gateway *gateway, uint32_t index, enum outage_slot slot)
{
    struct outage_place place = supervise_place(gateway, index);
    const struct outage_group *group = outage_group(&gateway->outages, &place, slot);
    uint8_t memory[32 + NAME_SIZE];
    struct writer detail = writer_into(memory, sizeof(memory));
    char name[NAME_SIZE];

    name_of(gateway, index, group, name);
    writer_text(&detail, "{\"outage\":");
    write_identity(&detail, name);
    writer_text(&detail, "}");
    return admit_decision(gateway, index, SIGNAL_DEVICE_RETURNED,
                          (struct decision){.code = "outage", .detail = writer_view(&detail)});
}

void outage_ticket_end(struct gateway *gateway, uint32_t index, struct outage_group *group)
{
    if (!outage_is_over(group, &gateway->settings.outage, gateway->now.mono_us) ||
        !tell(gateway, index, group, SIGNAL_OUTAGE_ENDED))
        return;
    outage_set_open(&gateway->outages, group, false);
    keep_standing_outage(gateway, group);
}
