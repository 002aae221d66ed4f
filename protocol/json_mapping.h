/*
 * Reads messages by a convention of json_convention.h; what the values mean is json_fields' and
 * json_alarm's business.
 */
#ifndef ONEKEY_PROTOCOL_JSON_MAPPING_H
#define ONEKEY_PROTOCOL_JSON_MAPPING_H

#include "protocol/batch.h"
#include "protocol/codec.h"
#include "protocol/json_convention.h"
#include "protocol/json_value.h"

/* The row for this topic, of the environment's before ours; NULL if there is none. */
const struct json_mapping *json_mapping_find(struct bytes topic,
                                             const struct codec_environment *environment);
/* Rows in order, for who lists them; NULL behind the last. */
const struct json_mapping *json_mapping_at(size_t index);
/* As codec.decode; `root` is borrowed and may be NULL for a payload that cannot be read. */
int json_mapping_decode(const struct json_mapping *mapping, struct bytes topic, json_t *root,
                        const struct codec_environment *environment, struct batch *batch);

#endif
