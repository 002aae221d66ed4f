/*
 * JSON over MQTT. The native form: a device publishes to onekey/v1/<kind>/<identity>/up/<what>, with
 * what = alarm, heartbeat, reading or result, and is told on …/down/ack which alarms are safe and on
 * …/down/command what it is asked to do, whose result it publishes.
 *
 * Nothing on an alarm topic is thrown away: a type that we do not know is a panic with that code,
 * a payload that cannot be read is SIGNAL_UNREADABLE of the identity in the topic.
 *
 * Beside it the conventions of json_mapping.c, whose messages come from network servers and
 * platforms and are read only.
 */
#include "protocol/calendar.h"
#include "protocol/codec.h"
#include "protocol/json_alarm.h"
#include "protocol/json_fields.h"
#include "protocol/json_mapping.h"

#include <string.h>

/* Longest id of an alarm that an acknowledgement repeats; a longer one is acknowledged as null. */
#define ID_MAX 200

enum channel { CHANNEL_NONE, CHANNEL_ALARM, CHANNEL_HEARTBEAT, CHANNEL_RESULT, CHANNEL_READING };

struct address {
    enum channel channel;
    struct bytes kind, identity;
};

static const char *const channel_names[] = {
    [CHANNEL_NONE] = "",         [CHANNEL_ALARM] = "alarm",     [CHANNEL_HEARTBEAT] = "heartbeat",
    [CHANNEL_RESULT] = "result", [CHANNEL_READING] = "reading",
};

static struct address parse_topic(struct bytes topic)
{
    struct bytes level[7] = {{0}};
    struct address address = {CHANNEL_NONE, {0}, {0}};
    size_t count = 0;

    while (count < 7 && bytes_next_field(&topic, '/', &level[count]))
        count++;
    if (count != 6 || !bytes_equal_text(level[0], "onekey") || !bytes_equal_text(level[1], "v1") ||
        !bytes_equal_text(level[4], "up"))
        return address;
    address.kind = level[2];
    address.identity = level[3];
    for (int i = CHANNEL_ALARM; i <= CHANNEL_READING; i++)
        if (bytes_equal_text(level[5], channel_names[i]))
            address.channel = (enum channel)i;
    return address;
}

static void set_time(const json_t *at, struct signal *out)
{
    if (at && !json_value_time(at, &out->occurred_at_us))
        out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
}

/* A device that counts its ids from 1 again after a restart gives the second press the id of the
 * first; the time of the press tells them apart. */
static void add_time_to_id(struct signal *out)
{
    size_t size = strlen(out->message_id);
    struct writer writer = writer_into(out->message_id + size, MESSAGE_ID_LIMIT - size);

    if (size == 0 || out->occurred_at_us == 0)
        return;
    writer_u8(&writer, '@');
    writer_decimal(&writer, out->occurred_at_us / 1000);
    out->message_id[size + (writer.overflow ? 0 : writer.size)] = '\0';
}

static int decode_alarm(json_t *root, struct signal *out)
{
    if (!json_is_object(root)) {
        out->kind = SIGNAL_UNREADABLE;
        out->flags |= SIGNAL_FLAG_UNREADABLE;
        return 1;
    }
    set_time(json_object_get(root, "at"), out);
    json_alarm_set_message_id(json_object_get(root, "id"), out);
    add_time_to_id(out);
    json_alarm_set_type(json_value_text(json_object_get(root, "type")),
                        json_value_text(json_object_get(root, "service")), out);
    json_fields_read(root, out);
    return 1;
}

static int decode_heartbeat(json_t *root, struct signal *out)
{
    if (!json_is_object(root))
        return DECODE_BAD;
    set_time(json_object_get(root, "at"), out);
    json_fields_read(root, out);
    out->kind = (uint8_t)json_fields_kind(out->has);
    return 1;
}

static bool decode_reading(json_t *root, struct signal *out)
{
    set_time(json_object_get(root, "at"), out);
    json_fields_read(root, out);
    out->kind = SIGNAL_READING;
    return out->has & (MEASURE_TOTAL | MEASURE_INTERVAL);
}

/* One reading or an array of them. */
static int decode_readings(json_t *root, struct signal *out, int limit)
{
    struct batch batch = {out, 0, limit};
    struct signal model = *out, reading;

    if (json_is_object(root))
        return decode_reading(root, out) ? 1 : DECODE_BAD;
    for (size_t i = 0; i < json_array_size(root); i++) {
        reading = model;
        if (decode_reading(json_array_get(root, i), &reading))
            batch_add(&batch, &reading);
    }
    return batch.count ? batch.count : DECODE_BAD;
}

static int decode_native(const struct address *address, json_t *root, struct signal *out, int limit)
{
    char kind[16];

    *out = (struct signal){.kind = SIGNAL_HEARTBEAT};
    bytes_copy_text(address->kind, kind, sizeof(kind));
    out->device = (uint8_t)device_kind_from_name(kind);
    json_alarm_set_identity(address->identity, out);
    if (address->channel == CHANNEL_ALARM)
        return decode_alarm(root, out);
    if (address->channel == CHANNEL_HEARTBEAT || address->channel == CHANNEL_RESULT)
        return decode_heartbeat(root, out);
    return decode_readings(root, out, limit);
}

static int meter_json_decode(const struct message *message, struct codec_session *session,
                             const struct codec_environment *environment, struct signal *out,
                             int limit)
{
    struct address address = parse_topic(message->topic);
    const struct json_mapping *mapping = json_mapping_find(message->topic, environment);
    struct batch batch = {out, 0, limit};
    int count = DECODE_BAD;
    json_t *root;

    (void)session;
    if (address.channel == CHANNEL_NONE && !mapping)
        return DECODE_BAD;
    root = json_value_parse(message->body);
    if (address.channel == CHANNEL_NONE)
        count = json_mapping_decode(mapping, message->topic, root, environment, &batch);
    else
        count = decode_native(&address, root, out, limit);
    json_decref(root);
    return count;
}

/* The id as the device wrote it, escaped anew. */
static void write_id(json_t *root, struct writer *out)
{
    json_t *id = json_object_get(root, "id");
    char text[ID_MAX];
    size_t size = json_is_string(id) || json_is_integer(id)
                      ? json_dumpb(id, text, sizeof(text), JSON_ENCODE_ANY | JSON_ENSURE_ASCII)
                      : 0;

    if (size == 0 || size > sizeof(text))
        writer_text(out, "null");
    else
        writer_bytes(out, (struct bytes){(const uint8_t *)text, size});
}

static void write_topic(struct writer *topic, struct bytes kind, struct bytes identity,
                        const char *rest)
{
    writer_text(topic, "onekey/v1/");
    writer_bytes(topic, kind);
    writer_u8(topic, '/');
    writer_bytes(topic, identity);
    writer_text(topic, rest);
}

/* What Alibaba's link kit waits for, unless it says that it does not. */
static void reply_alink(struct bytes asked, json_t *root, struct writer *topic, struct writer *out)
{
    const json_t *wanted = json_value_at(root, "sys.ack");

    if (json_is_integer(wanted) && json_integer_value(wanted) == 0)
        return;
    writer_bytes(topic, asked);
    writer_text(topic, "_reply");
    writer_text(out, "{\"id\":");
    write_id(root, out);
    writer_text(out, ",\"code\":200,\"data\":{},\"message\":\"success\",\"version\":\"1.0\"}");
}

static void reply_native(const struct address *address, json_t *root, uint64_t number,
                         enum verdict verdict, struct writer *topic, struct writer *out)
{
    write_topic(topic, address->kind, address->identity, "/down/ack");
    writer_text(out, "{\"id\":");
    write_id(root, out);
    writer_text(out, ",\"accepted\":");
    writer_text(out, verdict == VERDICT_CANNOT_PROCESS ? "false" : "true");
    writer_text(out, ",\"number\":");
    writer_decimal(out, (int64_t)number);
    writer_u8(out, '}');
}

static void meter_json_reply(const struct message *message, struct codec_session *session,
                             const struct codec_environment *environment, enum verdict verdict,
                             struct writer *topic, struct writer *out)
{
    struct address address = parse_topic(message->topic);
    const struct json_mapping *mapping = json_mapping_find(message->topic, environment);
    bool alink = address.channel == CHANNEL_NONE && mapping && mapping->alink_answer;
    json_t *root;

    (void)session;
    if (address.channel != CHANNEL_ALARM && !alink)
        return;
    root = json_value_parse(message->body);
    if (alink)
        reply_alink(message->topic, root, topic, out);
    else
        reply_native(&address, root, environment->number, verdict, topic, out);
    json_decref(root);
}

static void write_key(struct writer *out, const char *key)
{
    writer_text(out, out->size > 1 ? ",\"" : "\"");
    writer_text(out, key);
    writer_text(out, "\":");
}

static void write_number(struct writer *out, const char *key, int64_t value, int digits)
{
    write_key(out, key);
    writer_fixed(out, value, digits);
}

static void write_measures(struct writer *out, const struct signal *signal)
{
    if (signal->has & MEASURE_BATTERY)
        write_number(out, "battery", signal->battery_percent, 0);
    if (signal->has & MEASURE_GSM)
        write_number(out, "gsm", signal->gsm_percent, 0);
    if (signal->has & MEASURE_POSITION) {
        write_number(out, "lat", signal->latitude_e7, 7);
        write_number(out, "lon", signal->longitude_e7, 7);
    }
    if (signal->has & MEASURE_ACCURACY)
        write_number(out, "accuracy_m", signal->accuracy_m, 0);
    if (signal->has & MEASURE_STEPS)
        write_number(out, "steps", signal->steps, 0);
    if (signal->has & MEASURE_HEART_RATE)
        write_number(out, "heart_rate", signal->heart_rate, 0);
    if (signal->has & MEASURE_BLOOD_PRESSURE) {
        write_number(out, "systolic", signal->systolic, 0);
        write_number(out, "diastolic", signal->diastolic, 0);
    }
    if (signal->has & MEASURE_OXYGEN)
        write_number(out, "oxygen", signal->oxygen_percent, 0);
    if (signal->has & MEASURE_TEMPERATURE)
        write_number(out, "body_temperature_c", signal->temperature_c100, 2);
}

static void write_volumes(struct writer *out, const struct signal *signal)
{
    if (signal->has & MEASURE_TOTAL)
        write_number(out, "total_l", signal->total_ml, 3);
    if (signal->has & MEASURE_INTERVAL)
        write_number(out, "interval_l", signal->interval_ml, 3);
    if (signal->has & MEASURE_INTERVAL && signal->interval_s)
        write_number(out, "interval_s", signal->interval_s, 0);
    if (signal->flags & SIGNAL_FLAG_RESET) {
        write_key(out, "reset");
        writer_text(out, "true");
    }
}

static void write_alarm(struct writer *out, const struct signal *signal)
{
    if (signal->message_id[0]) {
        write_key(out, "id");
        json_value_write_text(out, signal->message_id);
    }
    write_key(out, "type");
    json_value_write_text(out, signal_kind_name(signal->kind));
    if (signal->kind == SIGNAL_SERVICE) {
        out->size--;
        writer_u8(out, ':');
        writer_text(out, service_kind_name(signal->service));
        writer_u8(out, '"');
    }
}

static enum channel channel_for(enum signal_kind kind)
{
    if (json_alarm_is_device_kind(kind))
        return CHANNEL_ALARM;
    if (kind == SIGNAL_READING)
        return CHANNEL_READING;
    if (kind == SIGNAL_HEARTBEAT || kind == SIGNAL_POSITION || kind == SIGNAL_VITALS)
        return CHANNEL_HEARTBEAT;
    return CHANNEL_NONE;
}

static bool meter_json_compose(const struct signal *signal, struct codec_session *session,
                               const struct codec_environment *environment, struct writer *topic,
                               struct writer *out)
{
    enum channel channel = channel_for(signal->kind);

    (void)session, (void)environment;
    if (channel == CHANNEL_NONE)
        return false;
    write_topic(topic, bytes_of(device_kind_name(signal->device)), bytes_of(signal->identity),
                "/up/");
    writer_text(topic, channel_names[channel]);
    writer_u8(out, '{');
    if (signal->occurred_at_us) {
        write_key(out, "at");
        writer_u8(out, '"');
        calendar_write_rfc3339(out, signal->occurred_at_us);
        writer_u8(out, '"');
    }
    if (channel == CHANNEL_ALARM)
        write_alarm(out, signal);
    write_measures(out, signal);
    write_volumes(out, signal);
    writer_u8(out, '}');
    return !topic->overflow && !out->overflow;
}

static bool write_words(const struct command *command, struct writer *out)
{
    switch (command->kind) {
    case COMMAND_LOCATE:
        writer_text(out, "\"locate\"");
        return true;
    case COMMAND_REPORT_INTERVAL:
        writer_text(out, "\"interval\"");
        write_number(out, "seconds", command->value, 0);
        return command->value > 0;
    case COMMAND_SOS_NUMBER:
        writer_text(out, "\"sos_number\"");
        write_number(out, "slot", command->value, 0);
        write_key(out, "number");
        json_value_write_text(out, command->text);
        return command->text[0];
    case COMMAND_ACKNOWLEDGE:
        writer_text(out, "\"acknowledge\"");
        return true;
    }
    return false;
}

static bool meter_json_command(const struct command *command, struct codec_session *session,
                               const struct codec_environment *environment, struct writer *topic,
                               struct writer *out)
{
    (void)environment;
    /* Not into another's topic, nor into many. */
    if (!session->identity[0] || strpbrk(session->identity, "/+#"))
        return false;
    write_topic(topic, bytes_of(device_kind_name(command->device)), bytes_of(session->identity),
                "/down/command");
    writer_u8(out, '{');
    write_number(out, "id", command->id, 0);
    write_key(out, "command");
    if (!write_words(command, out))
        return false;
    writer_u8(out, '}');
    return !topic->overflow && !out->overflow;
}

static enum command_answer meter_json_command_answer(const struct message *message,
                                                     const struct command *command, uint16_t serial,
                                                     struct writer *text)
{
    struct address address = parse_topic(message->topic);
    enum command_answer answer = COMMAND_UNANSWERED;
    const json_t *id;
    json_t *root;

    (void)serial;
    if (address.channel != CHANNEL_RESULT)
        return answer;
    root = json_value_parse(message->body);
    id = json_object_get(root, "id");
    if (json_is_integer(id) && json_integer_value(id) == command->id) {
        answer = json_is_true(json_object_get(root, "done")) ? COMMAND_DONE : COMMAND_REFUSED;
        writer_bytes(text, bytes_part(json_value_text(json_object_get(root, "text")), 0, 100));
    }
    json_decref(root);
    return answer;
}

static const char *const topics[] = {
    "onekey/v1/+/+/up/alarm",
    "onekey/v1/+/+/up/heartbeat",
    "onekey/v1/+/+/up/reading",
    "onekey/v1/+/+/up/result",
    "wmbusmeters/+",
    "application/+/device/+/event/up",
    "application/+/device/+/event/status",
    "application/+/device/+/event/join",
    "application/+/device/+/event/ack",
    "application/+/device/+/event/location",
    "v3/+/devices/+/up",
    "v1/devices/me/telemetry",
    "v2/t",
    "v1/gateway/telemetry",
    "$oc/devices/+/sys/properties/+",
    "$oc/devices/+/sys/gateway/sub_devices/properties/+",
    "$oc/devices/+/sys/events/up",
    "/sys/+/+/thing/event/+/post", /* property among them */
    NULL,
};

const struct codec meter_json_codec = {
    .name = "meter_json",
    .topics = topics,
    .frame_max = JSON_SIZE_MAX,
    .decode = meter_json_decode,
    .reply = meter_json_reply,
    .compose = meter_json_compose,
    .command = meter_json_command,
    .commands = COMMAND_BIT(COMMAND_LOCATE) | COMMAND_BIT(COMMAND_REPORT_INTERVAL) |
                COMMAND_BIT(COMMAND_SOS_NUMBER) | COMMAND_BIT(COMMAND_ACKNOWLEDGE),
    .command_answer = meter_json_command_answer,
};
