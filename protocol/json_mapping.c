#include "protocol/json_mapping.h"

#include "protocol/calendar.h"

#include "protocol/json_alarm.h"
#include "protocol/json_fields.h"
#include "protocol/topic.h"

#include <string.h>

#define HOUR_S 3600
#define HOUR_US (HOUR_S * INT64_C(1000000))
#define DELTAS_MAX 48
#define LITRE_ML 1000
#define CUBIC_METRE_ML 1000000

#define NO_NAMES                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }
static const struct json_mapping mappings[] = {
    {"wmbusmeters", "wmbusmeters/+", 1, -1, "id", "timestamp", "", "", DEVICE_METER, false,
     NO_NAMES},
    {"chirpstack", "application/+/device/+/event/up", 3, -1, "deviceInfo.devEui", "time",
     "deduplicationId", "object", DEVICE_UNKNOWN, false, NO_NAMES},
    {"chirpstack", "application/+/device/+/event/status", 3, -1, "deviceInfo.devEui", "time",
     "deduplicationId", "", DEVICE_UNKNOWN, false, NO_NAMES},
    {"chirpstack", "application/+/device/+/event/join", 3, -1, "deviceInfo.devEui", "time", "", "",
     DEVICE_UNKNOWN, false, NO_NAMES},
    {"chirpstack", "application/+/device/+/event/ack", 3, -1, "deviceInfo.devEui", "time", "", "",
     DEVICE_UNKNOWN, false, NO_NAMES},
    {"chirpstack", "application/+/device/+/event/location", 3, -1, "deviceInfo.devEui", "time", "",
     "location", DEVICE_UNKNOWN, false, NO_NAMES},
    {"ttn", "v3/+/devices/+/up", 3, -1, "end_device_ids.dev_eui|end_device_ids.device_id",
     "received_at", "received_at", "uplink_message.decoded_payload", DEVICE_UNKNOWN, false,
     NO_NAMES},
    {"thingsboard", "v1/devices/me/telemetry", -1, -1, "device_id|deviceName|serial", "ts", "",
     "[].values?", DEVICE_UNKNOWN, false, NO_NAMES},
    {"thingsboard", "v2/t", -1, -1, "device_id|deviceName|serial", "ts", "", "[].values?",
     DEVICE_UNKNOWN, false, NO_NAMES},
    {"thingsboard", "v1/gateway/telemetry", -1, -1, "", "ts", "", "*.[].values?", DEVICE_UNKNOWN,
     false, NO_NAMES},
    {"huawei_iotda", "$oc/devices/+/sys/properties/+", 2, -1, "", "event_time", "",
     "services.[].properties", DEVICE_UNKNOWN, false, NO_NAMES},
    {"huawei_iotda", "$oc/devices/+/sys/gateway/sub_devices/properties/+", 2, -1, "device_id",
     "event_time", "", "devices.[].services.[].properties", DEVICE_UNKNOWN, false, NO_NAMES},
    {"huawei_iotda", "$oc/devices/+/sys/events/up", 2, -1, "object_device_id", "event_time",
     "event_id", "services.[].paras", DEVICE_UNKNOWN, false, NO_NAMES},
    {"alink", "/sys/+/+/thing/event/property/post", 3, -1, "", "", "", "params", DEVICE_UNKNOWN,
     true, NO_NAMES},
    {"alink", "/sys/+/+/thing/event/+/post", 3, 6, "", "time", "", "params.value?", DEVICE_UNKNOWN,
     true, NO_NAMES},
};

#define MAPPING_COUNT (sizeof(mappings) / sizeof(mappings[0]))

/* Lists of what ran in each of the last hours, the newest last. */
static const struct {
    const char *path;
    int64_t scale;
} hourly_lists[] = {
    {"deltas_m3", CUBIC_METRE_ML},
    {"deltas_l", LITRE_ML},
    {"hourly_l", LITRE_ML},
};

struct walk {
    const struct json_mapping *mapping;
    const struct codec_environment *environment;
    struct bytes type; /* of the alarm that the topic names, empty if it names none */
    struct batch *batch;
};

const struct json_mapping *json_mapping_find(struct bytes topic,
                                             const struct codec_environment *environment)
{
    for (int i = 0; i < environment->mapping_count; i++)
        if (topic_matches(environment->mappings[i].topic, topic))
            return &environment->mappings[i];
    for (size_t i = 0; i < MAPPING_COUNT; i++)
        if (topic_matches(mappings[i].topic, topic))
            return &mappings[i];
    return NULL;
}

const struct json_mapping *json_mapping_at(size_t index)
{
    return index < MAPPING_COUNT ? &mappings[index] : NULL;
}

static struct bytes topic_level(struct bytes topic, int index)
{
    struct bytes level = {NULL, 0};

    for (int i = 0; i <= index; i++)
        if (!bytes_next_field(&topic, '/', &level))
            return (struct bytes){NULL, 0};
    return level;
}

/* The first of the alternatives that is there. */
static json_t *find_alternative(json_t *object, const char *paths)
{
    struct bytes rest = bytes_of(paths ? paths : ""), path;
    json_t *found = NULL;
    char text[64];

    while (rest.size && !found && bytes_next_field(&rest, '|', &path))
        if (bytes_copy_text(path, text, sizeof(text)))
            found = json_value_at(object, text);
    return found;
}

/* "2026-01-02 03:04:05" at the zone of the convention. */
static bool read_local_time(const struct json_names *names, const json_t *time, int64_t *us)
{
    struct bytes text = json_value_text(time);
    char stamp[32];
    struct writer writer = writer_into(stamp, sizeof(stamp));

    writer_bytes(&writer, text);
    writer_u8(&writer, 'Z');
    if (!names->has_zone || writer.overflow || !calendar_parse_rfc3339(writer_view(&writer), us))
        return false;
    *us -= names->zone_min * 60 * CALENDAR_SECOND_US;
    return true;
}

/* Some vendors write the number of a meter as a number. */
static void read_identity(const json_t *identity, struct signal *context)
{
    char digits[24];
    struct writer writer = writer_into(digits, sizeof(digits));

    if (json_is_string(identity)) {
        json_alarm_set_identity(json_value_text(identity), context);
    } else if (json_is_integer(identity)) {
        writer_decimal(&writer, json_integer_value(identity));
        json_alarm_set_identity(writer_view(&writer), context);
    }
}

/* What an object on the way says of the device, the time and the message. */
static void read_context(const struct json_mapping *mapping, json_t *object, struct signal *context)
{
    const json_t *identity = find_alternative(object, mapping->identity);
    const json_t *time = find_alternative(object, mapping->time);
    const json_t *message = find_alternative(object, mapping->message);

    read_identity(identity, context);
    if (time && !json_value_time(time, &context->occurred_at_us) &&
        !read_local_time(&mapping->names, time, &context->occurred_at_us))
        context->flags |= SIGNAL_FLAG_CLOCK_WRONG;
    if (message)
        json_alarm_set_message_id(message, context);
}

/* A time among the values themselves is the device's own and better than when a server got it. */
static void read_own_time(json_t *values, struct signal *out)
{
    static const char *const names[] = {"at", "timestamp_utc", "timestamp"};
    const char *key;
    json_t *member;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_value_time(json_value_at(values, names[i]), &out->occurred_at_us))
            return;
    if (out->occurred_at_us)
        return;
    json_object_foreach(values, key, member)
    {
        if (json_value_time(json_object_get(member, "time"), &out->occurred_at_us))
            return;
    }
}

/* Reads the newest DELTAS_MAX of the list into `deltas`; their count, 0 if one is no volume. */
static size_t read_deltas(const json_t *list, int64_t scale, int64_t deltas[DELTAS_MAX],
                          int64_t *sum)
{
    size_t size = json_array_size(list), first = size > DELTAS_MAX ? size - DELTAS_MAX : 0;

    *sum = 0;
    for (size_t i = first; i < size; i++) {
        int64_t *delta = &deltas[i - first];

        if (!json_value_scaled(json_array_get(list, i), scale, delta) || *delta < 0)
            return 0;
        *sum += *delta;
    }
    return size - first;
}

/* One reading an hour, the last at the time of the report; with a total each states its own. */
static void add_hours(const struct walk *walk, const json_t *list, int64_t scale,
                      const struct signal *last)
{
    int64_t deltas[DELTAS_MAX], sum;
    size_t count = read_deltas(list, scale, deltas, &sum);
    struct signal hour = *last;
    bool has_total = hour.has & MEASURE_TOTAL && hour.total_ml >= sum;

    if (hour.occurred_at_us == 0)
        hour.occurred_at_us = walk->environment->now_us;
    hour.kind = SIGNAL_READING;
    hour.has =
        (hour.has & ~(uint32_t)MEASURE_TOTAL) | MEASURE_INTERVAL | (has_total ? MEASURE_TOTAL : 0);
    hour.interval_s = HOUR_S;
    hour.occurred_at_us -= (int64_t)count * HOUR_US;
    hour.total_ml = has_total ? hour.total_ml - sum : 0;
    for (size_t i = 0; i < count; i++) {
        hour.occurred_at_us += HOUR_US;
        hour.total_ml += has_total ? deltas[i] : 0;
        hour.interval_ml = deltas[i];
        batch_add(walk->batch, &hour);
    }
}

static bool add_hourly_lists(const struct walk *walk, json_t *values, const struct signal *last)
{
    const struct json_names *names = &walk->mapping->names;
    int before = walk->batch->count;

    add_hours(walk, find_alternative(values, names->hourly), names->unit_ml, last);
    for (size_t i = 0; i < sizeof(hourly_lists) / sizeof(hourly_lists[0]); i++)
        add_hours(walk, json_value_at(values, hourly_lists[i].path), hourly_lists[i].scale, last);
    return walk->batch->count > before;
}

/* Meters of heat or electricity on the same topics have totals too, but no water. */
static bool is_water(const json_t *values)
{
    struct bytes media = json_value_text(json_object_get(values, "media"));

    for (size_t i = 0; i < media.size; i++)
        if (bytes_starts_with(bytes_part(media, i, media.size), "water"))
            return true;
    return media.size == 0;
}

/* The values that the vendor calls by names of its own. */
static void read_names(const struct json_names *names, json_t *values, struct signal *out)
{
    int64_t value;

    if (json_fields_volume(find_alternative(values, names->total), names->unit_ml, &value)) {
        out->total_ml = value;
        out->has |= MEASURE_TOTAL;
    }
    if (json_fields_volume(find_alternative(values, names->interval), names->unit_ml, &value)) {
        out->interval_ml = value;
        out->has |= MEASURE_INTERVAL;
    }
    if (json_value_scaled(find_alternative(values, names->battery), 1, &value) && value >= 0 &&
        value <= 100) {
        out->battery_percent = (int16_t)value;
        out->has |= MEASURE_BATTERY;
    }
}

static void take_values(const struct walk *walk, json_t *values, struct signal signal)
{
    int before = walk->batch->count;

    if (!json_is_object(values) || !is_water(values))
        return;
    read_own_time(values, &signal);
    read_names(&walk->mapping->names, values, &signal);
    json_fields_read(values, &signal);
    if (json_alarm_kind(walk->type) != SIGNAL_NONE) {
        struct signal alarm = signal;

        json_alarm_set_type(walk->type, (struct bytes){NULL, 0}, &alarm);
        batch_add(walk->batch, &alarm);
    }
    json_alarm_collect(values, &signal, walk->environment->now_us, walk->batch);
    json_alarm_add(find_alternative(values, walk->mapping->names.alarm), &signal, walk->batch);
    signal.message_id[0] = '\0';
    signal.kind = (uint8_t)json_fields_kind(signal.has);
    if (add_hourly_lists(walk, values, &signal))
        return;
    if (signal.kind != SIGNAL_HEARTBEAT || walk->batch->count == before)
        batch_add(walk->batch, &signal);
}

/* Goes the rest of the way, `path`, from `at`. */
static void go(const struct walk *walk, json_t *at, struct bytes path, struct signal context)
{
    struct bytes step;
    const char *key;
    json_t *member;
    char name[64];

    read_context(walk->mapping, at, &context);
    if (path.size == 0 || !bytes_next_field(&path, '.', &step)) {
        take_values(walk, at, context);
    } else if (bytes_equal_text(step, "[]") && json_is_array(at)) {
        for (size_t i = 0; i < json_array_size(at); i++)
            go(walk, json_array_get(at, i), path, context);
    } else if (bytes_equal_text(step, "[]")) {
        go(walk, at, path, context);
    } else if (bytes_equal_text(step, "*")) {
        json_object_foreach(at, key, member)
        {
            json_alarm_set_identity(bytes_of(key), &context);
            go(walk, member, path, context);
        }
    } else {
        bool optional = step.data[step.size - 1] == '?';

        step.size -= optional;
        bytes_copy_text(step, name, sizeof(name));
        member = json_object_get(at, name);
        if (member || optional)
            go(walk, member ? member : at, path, context);
    }
}

int json_mapping_decode(const struct json_mapping *mapping, struct bytes topic, json_t *root,
                        const struct codec_environment *environment, struct batch *batch)
{
    struct walk walk = {mapping, environment, topic_level(topic, mapping->type_level), batch};
    struct signal context = {.kind = SIGNAL_HEARTBEAT, .device = mapping->device};

    json_alarm_set_identity(topic_level(topic, mapping->identity_level), &context);
    if (root) {
        go(&walk, root, bytes_of(mapping->values), context);
        read_context(mapping, root, &context);
        if (batch->count == 0 && json_is_object(root))
            batch_add(batch, &context);
    } else if (json_alarm_kind(walk.type) != SIGNAL_NONE) {
        context.kind = SIGNAL_UNREADABLE;
        context.flags |= SIGNAL_FLAG_UNREADABLE;
        batch_add(batch, &context);
    }
    return batch->count ? batch->count : DECODE_BAD;
}
