/*
 * How a platform or network server wraps what a device said: which topic, where in the JSON the
 * device, the time and the values stand. Those that everybody meets are rows of json_mapping.c, others
 * come from the configuration.
 */
#ifndef ONEKEY_PROTOCOL_JSON_CONVENTION_H
#define ONEKEY_PROTOCOL_JSON_CONVENTION_H

#include <stdbool.h>
#include <stdint.h>

/* What a vendor calls its values, beside the names that json_fields and json_alarm know; these go
 * before those. Paths as below, NULL or "" if there is none. */
struct json_names {
    const char *total, *interval, *hourly, *battery, *alarm;
    int64_t unit_ml;  /* of total, interval and hourly */
    bool has_zone;    /* a date without an offset is one at zone_min, and not unreadable */
    int32_t zone_min; /* east of UTC */
};

struct json_mapping {
    const char *name;
    const char *topic;  /* MQTT filter: + for one level */
    int identity_level; /* of the topic, from 0, that names the device; -1 if none does */
    int type_level;     /* of the topic that names an alarm, -1 if none does */
    /* Paths, alternatives separated by |, looked for in every object on the way to the values, the
     * innermost counting; "" if there is none. `message` names the message. */
    const char *identity, *time, *message;
    /* The way from the root to the objects of values. Steps separated by dots: a key, `key?` that
     * may be missing, `[]` each element of an array (no array: the value itself), `*` each member
     * of an object, its key being the device. "" is the root. */
    const char *values;
    uint8_t device;    /* enum device_kind */
    bool alink_answer; /* is owed an answer on <topic>_reply */
    struct json_names names;
};

#define JSON_MAPPINGS_MAX 16
struct json_mapping_set {
    int32_t count;
    struct json_mapping at[JSON_MAPPINGS_MAX];
};

#endif
