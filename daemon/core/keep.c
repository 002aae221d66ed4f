/*
 * Keeping the meters' states. What the detector has learned of a home must survive a crash exactly,
 * and start before the database is there, so the states go into the journal too: round after round,
 * each meter's state becomes a record now and then, and the journal may forget only what lies before
 * the last complete round. A replay loads the states it meets and feeds them the readings behind.
 *
 * So the journal is replayed from further back than the database needs. A mark, written each second in
 * which it moves, says up to which number each lane has been committed, and what a replay finds below
 * it is not sent again.
 */
#include "daemon/core/gateway_state.h"
#include "daemon/core/silence_record.h"

#include <string.h>

#define STATE_VERSION 2
#define SAID_SILENCE 1
#define SAID_RUNNING 2
#define SAID_BLANK 4 /* a copy in the database may know more */
#define HURRIED_PER_TURN 64
#define LIFE_EVERY_US (15 * US_PER_MINUTE) /* a crash may forget younger life signs */

static void write_state(const struct gateway *gateway, uint32_t index, struct writer *out)
{
    const struct device *device = &gateway->registry.devices[index];
    struct bytes identity = bytes_of(registry_identity(&gateway->registry, index));
    uint8_t *saved;

    writer_u8(out, STATE_VERSION);
    writer_u8(out, registry_protocol(&gateway->registry, index));
    writer_u8(out, (uint8_t)((device->silence_said ? SAID_SILENCE : 0) |
                             (device->running_said ? SAID_RUNNING : 0) |
                             (gateway->circumstances[index].settled ? 0 : SAID_BLANK)));
    writer_u64_le(out, (uint64_t)gateway->circumstances[index].returned_us);
    writer_u64_le(out, (uint64_t)gateway->circumstances[index].lesson_id);
    writer_u8(out, (uint8_t)identity.size);
    writer_bytes(out, identity);
    saved = writer_take(out, SILENCE_RECORD_SIZE);
    if (saved)
        silence_record_save(&gateway->water[index], saved, SILENCE_RECORD_SIZE);
}

/* The same for the database, beside the alarms' way: it may be lost. */
static void copy_state(struct gateway *gateway, uint32_t index, struct bytes state)
{
    uint8_t memory[PROFILE_DETAIL_MAX];
    struct writer detail = writer_into(memory, sizeof(memory));
    struct profile profile = {
        .protocol = registry_protocol(&gateway->registry, index),
        .identity = registry_identity(&gateway->registry, index),
        .number = gateway->newest,
        .kept_us = gateway->now.wall_us,
        .lesson_id = gateway->circumstances[index].lesson_id,
        .state = state,
    };

    /* Before the database was asked, a new state must not replace the copy of an old one. */
    if (!gateway->ports.profile || !gateway->circumstances[index].settled)
        return;
    water_detail_write_profile(gateway, index, &detail);
    profile.detail = detail.overflow ? bytes_of("{}") : writer_view(&detail);
    gateway->ports.profile(gateway->ports.context, &profile);
}

/* False when the journal has no room now. */
static bool keep_meter(struct gateway *gateway, uint32_t index)
{
    const struct device *device = &gateway->registry.devices[index];
    struct writer writer = writer_into(gateway->payload, sizeof(gateway->payload));
    uint64_t number;

    if (!device->in_use || device->kind != DEVICE_METER)
        return true;
    if (gateway->ports.append_room(gateway->ports.context) != APPEND_READY)
        return false;
    write_state(gateway, index, &writer);
    number = gateway->ports.append(gateway->ports.context, LANE_STATE, writer_view(&writer));
    if (number == 0)
        return false;
    gateway->newest = number;
    gateway->registry.devices[index].kept_mono_us = gateway->now.mono_us;
    copy_state(gateway, index, writer_view(&writer));
    return true;
}

void keep_now(struct gateway *gateway, uint32_t index)
{
    (void)keep_meter(gateway, index);
}

void keep_soon(struct gateway *gateway, uint32_t index)
{
    if (gateway->now.mono_us - gateway->registry.devices[index].kept_mono_us > LIFE_EVERY_US)
        (void)keep_meter(gateway, index);
}

static void end_round(struct gateway *gateway)
{
    gateway->kept_from = gateway->round_from;
    gateway->round_from = gateway->newest;
    gateway->keep_cursor = 0;
}

/* How many devices to look at now, so that a round takes keep_round_us. */
static uint32_t due_now(struct gateway *gateway)
{
    int64_t round_us = gateway->settings.keep_round_us;
    int64_t since_us = gateway->now.mono_us - gateway->keep_at_us;
    int64_t due = (int64_t)gateway->registry.devices_used * since_us / round_us;

    if (gateway->registry.device_count == 0) /* nothing to keep: a round is over at once */
        return since_us > US_PER_SECOND ? gateway->registry.devices_used + 1 : 0;
    return due < HURRIED_PER_TURN ? (uint32_t)due : HURRIED_PER_TURN;
}

static void keep_mark(struct gateway *gateway)
{
    uint64_t alarms = outbox_committed_through(&gateway->alarms, gateway->newest);
    uint64_t readings = outbox_committed_through(&gateway->readings, gateway->newest);
    uint8_t payload[16];
    struct writer writer = writer_into(payload, sizeof(payload));

    if (gateway->now.mono_us < gateway->mark_at_us ||
        gateway->ports.append_room(gateway->ports.context) != APPEND_READY)
        return;
    gateway->mark_at_us = gateway->now.mono_us + US_PER_SECOND;
    if (alarms <= gateway->marked_alarms && readings <= gateway->marked_readings)
        return;
    writer_u64_le(&writer, alarms);
    writer_u64_le(&writer, readings);
    if (gateway->ports.append(gateway->ports.context, LANE_MARK, writer_view(&writer)) == 0)
        return;
    /* The mark itself takes a number: only what is committed behind it is news. */
    gateway->marked_alarms = alarms + 1;
    gateway->marked_readings = readings + 1;
}

void keep_mark_replayed(struct gateway *gateway, struct bytes payload)
{
    struct cursor in = cursor_over(payload);
    uint64_t alarms = cursor_u64_le(&in), readings = cursor_u64_le(&in);

    if (in.failed)
        return;
    outbox_skip_through(&gateway->alarms, alarms);
    outbox_skip_through(&gateway->readings, readings);
}

void gateway_keep(struct gateway *gateway, bool hurry)
{
    uint32_t count = hurry ? HURRIED_PER_TURN : due_now(gateway);

    if (gateway->settling) /* all that was given must become durable first */
        return;
    keep_mark(gateway);
    if (count == 0)
        return;
    gateway->keep_at_us = gateway->now.mono_us;
    while (count-- > 0) {
        if (gateway->keep_cursor >= gateway->registry.devices_used) {
            end_round(gateway);
            return;
        }
        if (gateway->keep_cursor == 0)
            keep_standing_outages(gateway);
        if (!keep_standing_round(gateway, gateway->keep_cursor) ||
            !keep_meter(gateway, gateway->keep_cursor))
            return;
        gateway->keep_cursor++;
    }
}

void keep_settle(struct gateway *gateway, uint32_t index)
{
    if (!gateway->circumstances[index].settled)
        gateway->blank_count--;
    gateway->circumstances[index].settled = true;
}

/* Loads a state into its meter. */
static void load_state(struct gateway *gateway, struct bytes payload)
{
    struct cursor in = cursor_over(payload);
    char identity[IDENTITY_LIMIT + 1];
    uint8_t version = cursor_u8(&in), protocol = cursor_u8(&in), said = cursor_u8(&in);
    int64_t returned_us = version == STATE_VERSION ? (int64_t)cursor_u64_le(&in) : 0;
    int64_t lesson_id = version == STATE_VERSION ? (int64_t)cursor_u64_le(&in) : 0;
    struct bytes name = cursor_take(&in, cursor_u8(&in));
    struct circumstances *facts;
    uint32_t index;

    if (in.failed || version == 0 || version > STATE_VERSION || name.size > IDENTITY_LIMIT)
        return;
    bytes_copy_text(name, identity, sizeof(identity));
    index = registry_find(&gateway->registry, protocol, identity);
    if (index == NO_DEVICE ||
        !silence_record_load(&gateway->water[index], in.rest.data, in.rest.size))
        return;
    facts = &gateway->circumstances[index];
    if (!(said & SAID_BLANK))
        keep_settle(gateway, index);
    facts->returned_us = returned_us;
    facts->lesson_id = lesson_id;
    gateway->registry.devices[index].silence_said = said & SAID_SILENCE;
    gateway->registry.devices[index].silence_over = 0;
    gateway->registry.devices[index].running_said = said & SAID_RUNNING;
}

void keep_replayed(struct gateway *gateway, struct bytes payload)
{
    if (!keep_standing_replayed(gateway, payload))
        load_state(gateway, payload);
}

void gateway_profile(struct gateway *gateway, uint8_t protocol, const char *identity,
                     struct bytes state)
{
    uint32_t index = registry_find(&gateway->registry, protocol, identity);

    if (index == NO_DEVICE || gateway->circumstances[index].settled)
        return;
    load_state(gateway, state);
    keep_settle(gateway, index);
    explain_started(gateway, index);
    water_arm(gateway, index);
}

bool gateway_next_blank(struct gateway *gateway, uint32_t *position, struct profile *wanted)
{
    const struct registry *registry = &gateway->registry;

    while (gateway->blank_count > 0 && *position < registry->devices_used) {
        uint32_t index = (*position)++;

        if (!registry->devices[index].in_use || registry->devices[index].kind != DEVICE_METER ||
            gateway->circumstances[index].settled)
            continue;
        wanted->protocol = registry_protocol(registry, index);
        wanted->identity = registry_identity(registry, index);
        return true;
    }
    return false;
}

static enum silence_outcome outcome_of(const char *word)
{
    static const char *const words[] = {
        [SILENCE_OUTCOME_OK_AT_HOME] = "ok_at_home",
        [SILENCE_OUTCOME_AWAY] = "away",
        [SILENCE_OUTCOME_NEEDED_HELP] = "needed_help",
        [SILENCE_OUTCOME_METER_FAULT] = "meter_fault",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i], word) == 0)
            return (enum silence_outcome)i;
    return SILENCE_OUTCOME_OTHER;
}

bool gateway_lesson(struct gateway *gateway, const struct lesson *lesson)
{
    uint32_t index = registry_find(&gateway->registry, lesson->protocol, lesson->identity);
    enum silence_outcome outcome = outcome_of(lesson->word);
    int64_t at_us = lesson->at_us < gateway->now.wall_us ? lesson->at_us : gateway->now.wall_us;

    if (index == NO_DEVICE || gateway->registry.devices[index].kind != DEVICE_METER ||
        lesson->id <= gateway->circumstances[index].lesson_id)
        return true;
    if (gateway->ports.append_room(gateway->ports.context) != APPEND_READY)
        return false;
    silence_outcome(&gateway->water[index], outcome);
    gateway->circumstances[index].lesson_id = lesson->id;
    if (outcome == SILENCE_OUTCOME_OK_AT_HOME || strcmp(lesson->word, "life") == 0)
        water_life_of(gateway, index, at_us);
    else
        water_arm(gateway, index);
    keep_now(gateway, index);
    return true;
}
