/*
 * Admission: from a frame to records, soft state and the answer that is owed. Nothing here filters
 * an alarm away: what is odd about it becomes a flag.
 */
#include <string.h>

#include "daemon/core/gateway_state.h"
#include "protocol/topic.h"

#define TOPIC_MAX 256

/* What admitting the signals of one frame came to. */
struct admission {
    uint64_t owed;  /* the highest record number the sender must wait for */
    bool refused;   /* the journal had no room for one of them */
    bool unknown;   /* one of them is of a device not in the registry */
    uint32_t spoke; /* a device that is believed, or NO_DEVICE */
};

struct secrets {
    const struct registry *registry;
    int codec;
};

static size_t find_secret(const void *context, const char *identity, uint8_t out[64])
{
    const struct secrets *secrets = context;
    uint32_t device = registry_find(secrets->registry, (uint8_t)secrets->codec, identity);

    if (device == NO_DEVICE)
        return 0;

    const struct device_secret *secret = &secrets->registry->secrets[device];

    memcpy(out, secret->bytes, secret->size);
    return secret->size;
}

static struct codec_environment environment_of(struct gateway *gateway, const struct origin *origin,
                                               const struct secrets *secrets)
{
    const struct session *session = session_find(gateway, origin->session);

    return (struct codec_environment){
        .now_us = gateway->now.wall_us,
        .cipher = gateway->ports.cipher,
        .find_secret = find_secret,
        .secrets = secrets,
        .time_window_before_s = gateway->settings.time_window_before_s,
        .time_window_after_s = gateway->settings.time_window_after_s,
        .options = session ? session->options : gateway->settings.mqtt_options,
        .mappings = gateway->settings.mappings.at,
        .mapping_count = gateway->settings.mappings.count,
    };
}

uint64_t admit_record(struct gateway *gateway, const struct arrival *arrival)
{
    struct writer writer = writer_into(gateway->payload, sizeof(gateway->payload));
    enum lane lane = arrival_lane(arrival);
    uint64_t number;

    arrival_encode(arrival, &writer);
    number = gateway->ports.append(gateway->ports.context, lane, writer_view(&writer));
    if (number == 0)
        return 0;
    gateway->newest = number;
    if (gateway->early.is_on)
        return number; /* the replay comes by it */
    outbox_push(gateway_outbox(gateway, lane), number, writer_view(&writer));
    return number;
}

static void log_alarm(struct gateway *gateway, const struct signal *signal, uint64_t number)
{
    log_event(gateway->ports.log, LOG_INFO, "alarm.accepted", field_unsigned("number", number),
              field_text("kind", signal_kind_name(signal->kind)),
              field_text("protocol", codecs[signal->protocol]->name),
              field_text("identity", signal->identity), field_unsigned("flags", signal->flags));
}

bool admit_decision(struct gateway *gateway, uint32_t device, enum signal_kind kind,
                    struct decision decision)
{
    struct arrival arrival = {.detail = decision.detail};
    struct signal *signal = &arrival.signal;
    uint64_t number;

    signal->kind = (uint8_t)kind;
    signal->protocol = registry_protocol(&gateway->registry, device);
    signal->device = gateway->registry.devices[device].kind;
    signal->occurred_at_us = signal->received_at_us = gateway->now.wall_us;
    signal->flags = decision.flags;
    if (decision.code)
        bytes_copy_text(bytes_of(decision.code), signal->code, sizeof(signal->code));
    if (!decision.identity)
        decision.identity = registry_identity(&gateway->registry, device);
    bytes_copy_text(bytes_of(decision.identity), signal->identity, sizeof(signal->identity));
    gateway->counters.signals[kind]++;
    number = admit_record(gateway, &arrival);
    if (number == 0) {
        gateway->counters.refused++;
        return false;
    }
    log_alarm(gateway, signal, number);
    return true;
}

static void admit_alarm(struct gateway *gateway, const struct origin *origin,
                        const struct signal *signal, struct admission *admission)
{
    struct arrival arrival = {.signal = *signal, .raw = origin->message->body};
    uint64_t number = recent_find(&gateway->recent, signal);

    if (number != 0) {
        gateway->counters.repeated++;
    } else {
        number = admit_record(gateway, &arrival);
        if (number == 0) {
            gateway->counters.refused++;
            admission->refused = true;
            return;
        }
        gateway->counters.accepted++;
        if (!gateway->early.is_on)
            recent_add(&gateway->recent, signal, number);
        log_alarm(gateway, signal, number);
    }
    if (number > admission->owed)
        admission->owed = number;
}

static void admit_reading(struct gateway *gateway, uint32_t device, const struct signal *signal,
                          struct admission *admission)
{
    struct arrival arrival; /* copied once: zeroing it first takes as long again */
    uint64_t number;

    arrival.signal = *signal;
    arrival.raw = arrival.detail = (struct bytes){NULL, 0};
    if (device == NO_DEVICE || signal->flags & SIGNAL_FLAG_UNAUTHENTICATED)
        return;
    number = admit_record(gateway, &arrival);
    if (number == 0) {
        admission->refused = true;
        return;
    }
    if (number > admission->owed)
        admission->owed = number;
    if (!gateway->early.is_on)
        water_reading(gateway, device, signal);
}

bool admit_is_call_for_help(const struct signal *signal)
{
    return signal->kind == SIGNAL_PANIC || signal->kind == SIGNAL_FALL ||
           (signal->kind == SIGNAL_SERVICE && signal->service == SERVICE_RESCUE);
}

/* A signal by which the household shows that somebody lives there. */
bool admit_is_life(const struct device *device, const struct signal *signal)
{
    if (device->kind == DEVICE_METER || signal->flags & SIGNAL_FLAG_UNAUTHENTICATED)
        return false; /* nobody else may end the silence of a home */
    if (signal->flags & SIGNAL_FLAG_STORED)
        return false; /* what was kept for hours says nothing of now */
    if (signal->kind == SIGNAL_PANIC || signal->kind == SIGNAL_SERVICE ||
        signal->kind == SIGNAL_CANCEL || signal->kind == SIGNAL_LIFE)
        return true;
    return (signal->flags & SIGNAL_FLAG_WORN) ||
           (signal->has & MEASURE_STEPS && device->steps > 0 && signal->steps > device->steps);
}

static void flag_clock(struct gateway *gateway, struct signal *signal)
{
    int64_t off_us = signal->occurred_at_us - gateway->now.wall_us;
    bool kept = signal->flags & SIGNAL_FLAG_STORED;

    if (signal->occurred_at_us == 0)
        return;
    if (off_us > gateway->settings.clock_wrong_us ||
        (!kept && off_us < -gateway->settings.clock_wrong_us)) {
        signal->flags |= SIGNAL_FLAG_CLOCK_WRONG;
        gateway->counters.clocks_wrong++;
    }
}

uint8_t admit_listener(const struct gateway *gateway, uint64_t handle)
{
    const struct session *session = session_find(gateway, handle);

    return session ? session->listener : GATEWAY_BROKER;
}

bool admit_heard(struct gateway *gateway, uint64_t handle, uint8_t listener, uint32_t index,
                 const struct signal *signal)
{
    struct device *device = &gateway->registry.devices[index];
    struct session *session = session_find(gateway, handle);

    if (signal->flags & SIGNAL_FLAG_UNAUTHENTICATED) {
        commands_unproven(gateway, index);
        return false;
    }
    if (session) {
        session->device = index;
        device->session = handle;
    }
    if (admit_is_life(device, signal))
        water_life(gateway, index, gateway->now.wall_us);
    explain_place(gateway, index, signal);
    if (signal->has & MEASURE_STEPS && !(signal->flags & SIGNAL_FLAG_STORED))
        device->steps = signal->steps;
    observe_signal(gateway, index, signal);
    supervise_came_by(gateway, index, listener);
    supervise_heard(gateway, index);
    if (admit_is_call_for_help(signal))
        supervise_alarm(gateway, index, gateway->now.wall_us);
    return true;
}

static void admit_signal(struct gateway *gateway, const struct origin *origin,
                         struct signal *signal, struct admission *admission)
{
    uint32_t device = registry_find(&gateway->registry, (uint8_t)origin->codec, signal->identity);

    signal->protocol = (uint8_t)origin->codec;
    signal->received_at_us = gateway->now.wall_us;
    gateway->counters.signals[signal->kind]++;
    flag_clock(gateway, signal);
    if (device == NO_DEVICE) {
        signal->flags |= SIGNAL_FLAG_UNKNOWN_DEVICE;
        admission->unknown = true;
        gateway->counters.unknown_devices++;
        log_event(gateway->ports.log, LOG_WARNING, "device.unknown",
                  field_text("protocol", codecs[origin->codec]->name),
                  field_text("identity", signal->identity));
    }
    if (device != NO_DEVICE && signal->kind == SIGNAL_READING)
        silence_expect(&gateway->water[device]);
    proof_judge(gateway, origin, device, signal);
    if (signal_is_alarm(signal->kind))
        admit_alarm(gateway, origin, signal, admission);
    else if (signal->kind == SIGNAL_READING)
        admit_reading(gateway, device, signal, admission);
    if (device == NO_DEVICE || admission->refused)
        return;
    if (gateway->early.is_on) {
        start_keep(gateway, origin, signal);
        return;
    }
    if (admit_heard(gateway, origin->session, admit_listener(gateway, origin->session), device,
                    signal))
        admission->spoke = device;
}

static enum verdict verdict_of(const struct admission *admission)
{
    return admission->unknown ? VERDICT_UNKNOWN_DEVICE : VERDICT_ACCEPTED;
}

/* Sends a reply now if nothing before it waits for the disk, or pledges it. */
static void answer(struct gateway *gateway, const struct origin *origin, uint64_t owed,
                   struct bytes topic, struct bytes body)
{
    struct session *session = session_find(gateway, origin->session);
    struct pledge pledge = {
        .number = owed, .session = origin->session, .topic = topic, .body = body};

    gateway->counters.replies++;
    if (session && session->owed > gateway->durable && session->owed > owed)
        pledge.number = session->owed;
    if (pledge.number <= gateway->durable) {
        if (session)
            gateway->ports.send(gateway->ports.context, session->connection, body);
        else
            gateway->ports.publish(gateway->ports.context, topic, body);
        return;
    }
    if (pledge.number < gateway->pledges.newest)
        pledge.number = gateway->pledges.newest;
    if (session)
        session->owed = pledge.number;
    pledge_add(&gateway->pledges, &pledge);
}

static void reply_to(struct gateway *gateway, const struct origin *origin,
                     struct codec_environment *environment, const struct admission *admission)
{
    const struct codec *codec = codecs[origin->codec];
    uint8_t topic_memory[TOPIC_MAX], body_memory[REPLY_MAX];
    struct writer topic = writer_into(topic_memory, sizeof(topic_memory));
    struct writer body = writer_into(body_memory, sizeof(body_memory));

    if (!codec->reply)
        return;
    environment->number = admission->owed;
    codec->reply(origin->message, origin->memory, environment, verdict_of(admission), &topic,
                 &body);
    if (body.size > 0 && !body.overflow && !topic.overflow)
        answer(gateway, origin, admission->owed, writer_view(&topic), writer_view(&body));
}

uint64_t admit_frame(struct gateway *gateway, const struct origin *origin)
{
    const struct secrets secrets = {&gateway->registry, origin->codec};
    struct codec_environment environment = environment_of(gateway, origin, &secrets);
    struct admission admission = {.spoke = NO_DEVICE};
    int count = codecs[origin->codec]->decode(origin->message, origin->memory, &environment,
                                              gateway->decoded, DECODE_SIGNALS_MAX);

    gateway->counters.frames++;
    if (count < 0) {
        gateway->counters.frames_bad++;
        log_event(gateway->ports.log, LOG_NOTICE, "frame.bad",
                  field_text("protocol", codecs[origin->codec]->name),
                  field_bytes("topic", origin->message->topic.data, origin->message->topic.size),
                  field_unsigned("size", origin->message->body.size));
        return ADMIT_BAD;
    }
    for (int i = 0; i < count && !admission.refused; i++)
        admit_signal(gateway, origin, &gateway->decoded[i], &admission);
    if (admission.refused) {
        log_event(gateway->ports.log, LOG_CRITICAL, "alarm.refused",
                  field_text("reason", "journal_full"),
                  field_text("protocol", codecs[origin->codec]->name));
        return GATEWAY_REFUSED;
    }
    reply_to(gateway, origin, &environment, &admission);
    if (admission.spoke != NO_DEVICE && gateway->registry.devices[admission.spoke].commands > 0)
        commands_heard(gateway, admission.spoke, origin->message);
    return admission.owed;
}

/* The first codec that subscribes to such a topic, or the one of the configuration's conventions; -1
 * if none does. */
static int codec_of(const struct gateway *gateway, struct bytes topic)
{
    for (int i = 0; i < codec_count; i++)
        for (const char *const *filter = codecs[i]->topics; filter && *filter; filter++)
            if (topic_matches(*filter, topic))
                return i;
    for (int i = 0; i < gateway->settings.mappings.count; i++)
        if (topic_matches(gateway->settings.mappings.at[i].topic, topic))
            return codec_find("meter_json");
    return -1;
}

uint64_t gateway_message(struct gateway *gateway, const struct message *message)
{
    struct codec_session memory = {0};
    struct origin origin = {
        .codec = codec_of(gateway, message->topic), .message = message, .memory = &memory};
    uint64_t owed;

    if (origin.codec < 0) {
        gateway->counters.frames_bad++;
        return 0;
    }
    owed = admit_frame(gateway, &origin);
    return owed == ADMIT_BAD ? 0 : owed;
}
