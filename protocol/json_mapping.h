/*
 * How platforms and network servers wrap what a device said: which topic, where in the JSON the
 * device, the time and the values stand. A convention is one or more rows of `struct json_mapping`;
 * what the values mean is json_fields' and json_alarm's business.
 */
#ifndef ONEKEY_PROTOCOL_JSON_MAPPING_H
#define ONEKEY_PROTOCOL_JSON_MAPPING_H

#include "protocol/batch.h"
#include "protocol/codec.h"
#include "protocol/json_value.h"

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
};

/* The row for this topic; NULL if there is none. */
const struct json_mapping *json_mapping_find(struct bytes topic);
/* Rows in order, for who lists them; NULL behind the last. */
const struct json_mapping *json_mapping_at(size_t index);
/* As codec.decode; `root` is borrowed and may be NULL for a payload that cannot be read. */
int json_mapping_decode(const struct json_mapping *mapping, struct bytes topic, json_t *root,
                        const struct codec_environment *environment, struct batch *batch);

#endif
