/*
 * Keeping how each device stands (missing, lost, part of an outage), what was learned of how often it
 * reports and its home's last call for help: a record at each change and one in each round of keep.c.
 * And each outage that is open, of devices and of the mains. So a restart neither raises nor forgets anything.
 */
#include "daemon/core/gateway_state.h"

/* The first byte of such a state; the smaller ones are the versions of a meter's. */
#define STATE_STANDING 16
#define STATE_OUTAGE 17
#define STATE_MAINS 18
#define STATE_SIZE_MAX 96

static const struct household *home_of(const struct gateway *gateway, uint32_t index)
{
    return registry_home(&gateway->registry, gateway->registry.devices[index].household_id);
}

static void write_standing(const struct gateway *gateway, uint32_t index,
                           const struct household *home, struct writer *out)
{
    const struct device *device = &gateway->registry.devices[index];
    struct bytes identity = bytes_of(registry_identity(&gateway->registry, index));

    writer_u8(out, STATE_STANDING);
    writer_u8(out, registry_protocol(&gateway->registry, index));
    writer_u8(out, (uint8_t)identity.size);
    writer_bytes(out, identity);
    writer_u8(out, device->state);
    writer_u8(out, device->outage);
    writer_u8(out, device->listener);
    writer_u8(out, device->gap_count);
    writer_u32_le(out, device->gap_ms);
    writer_u64_le(out, home ? (uint64_t)home->alarm_us : 0);
}

/* False when the journal has no room now. */
static bool append_state(struct gateway *gateway, const struct writer *state)
{
    uint64_t number = gateway->ports.append(gateway->ports.context, LANE_STATE, writer_view(state));

    if (number != 0)
        gateway->newest = number;
    return number != 0;
}

static bool has_room(const struct gateway *gateway)
{
    return gateway->ports.append_room(gateway->ports.context) == APPEND_READY;
}

void keep_standing(struct gateway *gateway, uint32_t index)
{
    uint8_t memory[STATE_SIZE_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    write_standing(gateway, index, home_of(gateway, index), &writer);
    if (has_room(gateway))
        (void)append_state(gateway, &writer);
}

/* Nothing needs to be kept of a device that is heard from and of which nothing is known yet. */
static bool is_plain(const struct device *device, const struct household *home)
{
    return device->state == SUPERVISION_HEARD && device->gap_count == 0 &&
           (!home || home->alarm_us == 0);
}

bool keep_standing_round(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    uint8_t memory[STATE_SIZE_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));
    const struct household *home = home_of(gateway, index);

    if (!device->in_use || is_plain(device, home))
        return true;
    write_standing(gateway, index, home, &writer);
    return has_room(gateway) && append_state(gateway, &writer);
}

void keep_standing_outage(struct gateway *gateway, const struct outage_group *group)
{
    uint8_t memory[STATE_SIZE_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    writer_u8(&writer, STATE_OUTAGE);
    writer_u8(&writer, group->cause);
    writer_u8(&writer, group->open);
    writer_u64_le(&writer, group->key);
    writer_u32_le(&writer, group->told);
    if (has_room(gateway))
        (void)append_state(gateway, &writer);
}

void keep_standing_mains(struct gateway *gateway, const struct mains_area *area)
{
    uint8_t memory[STATE_SIZE_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    writer_u8(&writer, STATE_MAINS);
    writer_u8(&writer, area->spent);
    writer_u64_le(&writer, (uint64_t)area->id);
    writer_u64_le(&writer, (uint64_t)area->from_us);
    if (has_room(gateway))
        (void)append_state(gateway, &writer);
}

void keep_standing_outages(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->mains.size; i++)
        if (gateway->mains.areas[i].from_us != 0 || gateway->mains.areas[i].spent)
            keep_standing_mains(gateway, &gateway->mains.areas[i]);
    for (uint32_t i = 0; gateway->outages.open_count > 0 && i < gateway->outages.size; i++)
        if (gateway->outages.groups[i].open)
            keep_standing_outage(gateway, &gateway->outages.groups[i]);
}

/* The device that the next bytes name, NO_DEVICE if there is none. */
static uint32_t read_device(const struct gateway *gateway, uint8_t protocol, struct cursor *in)
{
    struct bytes name = cursor_take(in, cursor_u8(in));
    char identity[IDENTITY_LIMIT + 1];

    if (in->failed || name.size > IDENTITY_LIMIT)
        return NO_DEVICE;
    bytes_copy_text(name, identity, sizeof(identity));
    return registry_find(&gateway->registry, protocol, identity);
}

static void standing_replayed(struct gateway *gateway, struct cursor in)
{
    uint8_t protocol = cursor_u8(&in);
    uint32_t index = read_device(gateway, protocol, &in);
    uint8_t state = cursor_u8(&in), slot = cursor_u8(&in), listener = cursor_u8(&in);
    uint8_t gap_count = cursor_u8(&in);
    uint32_t gap_ms = cursor_u32_le(&in);
    int64_t alarm_us = (int64_t)cursor_u64_le(&in);

    if (in.failed || index == NO_DEVICE || state > SUPERVISION_GROUPED ||
        slot >= OUTAGE_SLOT_COUNT || (state == SUPERVISION_GROUPED) != (slot != OUTAGE_NONE) ||
        listener > GATEWAY_LISTENERS)
        return;
    supervise_came_by(gateway, index, listener);
    gateway->registry.devices[index].gap_count = gap_count;
    gateway->registry.devices[index].gap_ms = gap_ms;
    supervise_restore(gateway, index, (enum supervision)state, (enum outage_slot)slot);
    if (alarm_us)
        supervise_alarm(gateway, index, alarm_us);
}

static void outage_replayed(struct gateway *gateway, struct cursor in)
{
    uint8_t cause = cursor_u8(&in), open = cursor_u8(&in);
    uint64_t key = cursor_u64_le(&in);
    uint32_t told = cursor_u32_le(&in);
    struct outage_group *group = NULL;

    if (!in.failed && cause <= OUTAGE_ALL)
        group = outage_group_by_key(&gateway->outages, (enum outage_cause)cause, key);
    if (!group)
        return;
    outage_set_open(&gateway->outages, group, open);
    group->told = told;
    group->returned_mono_us = gateway->now.mono_us;
}

static void mains_replayed(struct gateway *gateway, struct cursor in)
{
    bool spent = cursor_u8(&in) != 0;
    int64_t id = (int64_t)cursor_u64_le(&in), from_us = (int64_t)cursor_u64_le(&in);

    if (!in.failed)
        mains_restore(&gateway->mains, id, from_us, spent);
}

bool keep_standing_replayed(struct gateway *gateway, struct bytes payload)
{
    struct cursor in = cursor_over(payload);
    uint8_t form = cursor_u8(&in);

    gateway->replaying = true;
    if (form == STATE_STANDING)
        standing_replayed(gateway, in);
    else if (form == STATE_OUTAGE)
        outage_replayed(gateway, in);
    else if (form == STATE_MAINS)
        mains_replayed(gateway, in);
    gateway->replaying = false;
    return form >= STATE_STANDING && form <= STATE_MAINS;
}
