#include "daemon/core/gateway_state.h"

#include <string.h>

#define TOPIC_MAX 256
#define LOOK_EVERY_US (US_PER_SECOND / 5)     /* for what has expired or was not answered */
#define DATAGRAM_FRESH_US (5 * US_PER_SECOND) /* the way back to it may close soon after */

static bool is_held(const struct held_command *held)
{
    return held->stage != HELD_FREE;
}

static struct held_command *find(struct gateway *gateway, int64_t id)
{
    for (uint32_t i = 0; i < gateway->limits.commands_max; i++)
        if (is_held(&gateway->commands.held[i]) && gateway->commands.held[i].asked.id == id)
            return &gateway->commands.held[i];
    return NULL;
}

/* The one whose turn it is: the first that was asked. */
static struct held_command *first_of(struct gateway *gateway, uint32_t device)
{
    struct held_command *first = NULL;

    for (uint32_t i = 0; i < gateway->limits.commands_max; i++) {
        struct held_command *held = &gateway->commands.held[i];

        if (is_held(held) && held->device == device && (!first || held->asked.id < first->asked.id))
            first = held;
    }
    return first;
}

static void release(struct gateway *gateway, struct held_command *held)
{
    gateway->registry.devices[held->device].commands--;
    gateway->commands.count--;
    held->stage = HELD_FREE;
}

static void tell(struct gateway *gateway, const struct asked_command *asked, const char *state,
                 struct bytes answer)
{
    struct command_result result = {.id = asked->id, .device_id = asked->device_id, .state = state};

    bytes_copy_text(answer, result.answer, sizeof(result.answer));
    log_event(gateway->ports.log, LOG_INFO, "command.ended", field_number("command", asked->id),
              field_text("protocol", codecs[asked->protocol]->name),
              field_text("identity", asked->identity), field_text("state", state));
    gateway->ports.command_result(gateway->ports.context, &result);
}

static void finish(struct gateway *gateway, struct held_command *held, const char *state,
                   struct bytes answer)
{
    tell(gateway, &held->asked, state, answer);
    release(gateway, held);
}

/* The connection by which the device can be told something now; NULL if there is none. */
static struct session *way_to(const struct gateway *gateway, const struct held_command *held)
{
    const struct device *device = &gateway->registry.devices[held->device];
    struct session *session = session_find(gateway, device->session);

    if (!session || session->codec != held->asked.protocol ||
        strcmp(session->memory.identity, held->asked.identity) != 0)
        return NULL;
    if (session->is_datagram && gateway->now.mono_us - device->heard_mono_us > DATAGRAM_FRESH_US)
        return NULL;
    return session;
}

static bool is_on_broker(const struct held_command *held)
{
    return codecs[held->asked.protocol]->split == NULL;
}

/* --- sending --- */

static struct command command_of(const struct gateway *gateway, const struct held_command *held)
{
    const struct asked_command *asked = &held->asked;
    struct command command = {.kind = asked->kind,
                              .value = asked->seconds,
                              .device = gateway->registry.devices[held->device].kind,
                              .id = asked->id};

    if (asked->kind == COMMAND_SOS_NUMBER) {
        command.value = held->step + 1;
        memcpy(command.text, asked->numbers[held->step], sizeof(command.text));
    }
    return command;
}

/* Writes it and gives it to the connection, or to the broker if that is NULL. */
static bool put_on_wire(struct gateway *gateway, struct held_command *held, struct session *session)
{
    uint8_t place[TOPIC_MAX], bytes[REPLY_MAX];
    struct writer topic = writer_into(place, sizeof(place));
    struct writer out = writer_into(bytes, sizeof(bytes));
    struct codec_session memory = {0};
    struct codec_session *said = session ? &session->memory : &memory;
    struct command command = command_of(gateway, held);
    const struct codec_environment environment = {.now_us = gateway->now.wall_us,
                                                  .cipher = gateway->ports.cipher};

    memcpy(memory.identity, held->asked.identity, sizeof(memory.identity));
    held->serial = said->serial;
    if (!codecs[held->asked.protocol]->command(&command, said, &environment, &topic, &out) ||
        out.overflow || topic.overflow || out.size == 0)
        return false;
    if (session)
        gateway->ports.send(gateway->ports.context, session->connection, writer_view(&out));
    else
        gateway->ports.publish(gateway->ports.context, writer_view(&topic), writer_view(&out));
    return true;
}

/* Sends what is taken, as soon as there is a way. What answers an alarm goes first. */
static void send(struct gateway *gateway, struct held_command *held)
{
    struct session *session = way_to(gateway, held);

    if (session ? session->owed > gateway->durable : !is_on_broker(held))
        return;
    if (!put_on_wire(gateway, held, session)) {
        finish(gateway, held, "refused", bytes_of("the protocol cannot say this"));
        return;
    }
    gateway->counters.commands_sent++;
    log_event(gateway->ports.log, LOG_INFO, "command.sent", field_number("command", held->asked.id),
              field_text("protocol", codecs[held->asked.protocol]->name),
              field_text("identity", held->asked.identity));
    held->stage = HELD_SENT;
    held->answer_by_us = gateway->now.mono_us + gateway->settings.command_answer_us;
    if (!codecs[held->asked.protocol]->command_answer)
        finish(gateway, held, "done", bytes_of("sent; this protocol has no answer"));
}

/* Moves the device's first command on, if it can be. */
static void move_on(struct gateway *gateway, uint32_t device)
{
    struct held_command *held = first_of(gateway, device);

    if (!held)
        return;
    if (held->stage == HELD_WAITING && !held->wants_hearing &&
        (is_on_broker(held) || way_to(gateway, held)) &&
        gateway->ports.take_command(gateway->ports.context, held->asked.id))
        held->stage = HELD_TAKING;
    else if (held->stage == HELD_TAKEN)
        send(gateway, held);
}

void gateway_command_taken(struct gateway *gateway, int64_t id, bool is_taken)
{
    struct held_command *held = find(gateway, id);

    if (!held || held->stage != HELD_TAKING)
        return;
    if (!is_taken) {
        release(gateway, held);
        return;
    }
    held->stage = HELD_TAKEN;
    held->tries++;
    held->step = 0;
    send(gateway, held);
}

/* --- what the device says --- */

static void take_answer(struct gateway *gateway, struct held_command *held,
                        const struct message *message)
{
    const struct codec *codec = codecs[held->asked.protocol];
    struct command command = command_of(gateway, held);
    uint8_t memory[COMMAND_ANSWER_LIMIT];
    struct writer text = writer_into(memory, sizeof(memory));
    enum command_answer answer = codec->command_answer(message, &command, held->serial, &text);

    if (answer == COMMAND_REFUSED) {
        finish(gateway, held, "refused", writer_view(&text));
    } else if (answer == COMMAND_DONE && ++held->step < held->asked.number_count) {
        held->stage = HELD_TAKEN;
        send(gateway, held);
    } else if (answer == COMMAND_DONE) {
        finish(gateway, held, "done", writer_view(&text));
    }
}

void commands_heard(struct gateway *gateway, uint32_t device, const struct message *message)
{
    struct held_command *held = first_of(gateway, device);

    if (!held)
        return;
    held->wants_hearing = false;
    if (held->stage == HELD_SENT)
        take_answer(gateway, held, message);
    move_on(gateway, device);
}

void commands_unproven(struct gateway *gateway, uint32_t device)
{
    struct held_command *held =
        gateway->registry.devices[device].commands ? first_of(gateway, device) : NULL;

    if (held)
        held->is_unproven = true;
}

/* --- time --- */

static void expire(struct gateway *gateway, struct held_command *held)
{
    if (held->stage == HELD_TAKING || held->stage == HELD_SENT)
        return; /* its answer is awaited first */
    if (held->tries > 0 && held->stage == HELD_WAITING)
        finish(gateway, held, "failed", bytes_of("no answer"));
    else if (held->is_unproven)
        finish(gateway, held, "refused", bytes_of("the device did not prove who it is"));
    else
        finish(gateway, held, "expired", bytes_of("the device was not heard of in time"));
}

static void look_at(struct gateway *gateway, struct held_command *held)
{
    uint32_t device = held->device;

    if (held->stage == HELD_SENT && gateway->now.mono_us >= held->answer_by_us) {
        if (held->tries >= COMMAND_TRIES) {
            finish(gateway, held, "failed", bytes_of("no answer"));
            return;
        }
        held->stage = HELD_WAITING;
        held->wants_hearing = true; /* not into the void again */
    }
    if (gateway->now.mono_us >= held->expires_us)
        expire(gateway, held);
    move_on(gateway, device);
}

void commands_tick(struct gateway *gateway)
{
    if (gateway->commands.count == 0 || gateway->now.mono_us < gateway->commands.look_at_us)
        return;
    gateway->commands.look_at_us = gateway->now.mono_us + LOOK_EVERY_US;
    for (uint32_t i = 0; i < gateway->limits.commands_max; i++)
        if (is_held(&gateway->commands.held[i]))
            look_at(gateway, &gateway->commands.held[i]);
}

void commands_forget(struct gateway *gateway, uint32_t device)
{
    for (uint32_t i = 0; i < gateway->limits.commands_max; i++)
        if (is_held(&gateway->commands.held[i]) && gateway->commands.held[i].device == device)
            release(gateway, &gateway->commands.held[i]);
}

/* --- from the database --- */

static struct held_command *free_place(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->limits.commands_max; i++)
        if (!is_held(&gateway->commands.held[i]))
            return &gateway->commands.held[i];
    return NULL;
}

bool gateway_command(struct gateway *gateway, const struct asked_command *asked)
{
    uint32_t device = registry_find(&gateway->registry, asked->protocol, asked->identity);
    struct held_command *place;

    if (device == NO_DEVICE || gateway->registry.devices[device].device_id != asked->device_id)
        return false;
    if (find(gateway, asked->id))
        return true;
    if (!(codecs[asked->protocol]->commands & COMMAND_BIT(asked->kind))) {
        tell(gateway, asked, "refused", bytes_of("this protocol has no such command"));
        return true;
    }
    place = free_place(gateway);
    if (!place || gateway->registry.devices[device].commands >= COMMANDS_PER_DEVICE)
        return false;
    *place = (struct held_command){.asked = *asked,
                                   .device = device,
                                   .stage = HELD_WAITING,
                                   .expires_us = gateway->now.mono_us + asked->left_us};
    gateway->registry.devices[device].commands++;
    gateway->commands.count++;
    move_on(gateway, device);
    return true;
}
