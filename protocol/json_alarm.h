/*
 * The words of alarms in JSON, native and foreign, and the names of their messages.
 */
#ifndef ONEKEY_PROTOCOL_JSON_ALARM_H
#define ONEKEY_PROTOCOL_JSON_ALARM_H

#include "protocol/batch.h"
#include "protocol/json_value.h"

/* May a device say this kind of alarm of itself? */
bool json_alarm_is_device_kind(enum signal_kind kind);
/* SIGNAL_NONE if the word is not one of ours. */
enum signal_kind json_alarm_kind(struct bytes word);
/* Sets kind, service, code and flags from "fall" or "service:taxi"; a "service" without a colon has
 * its kind in `service`. An unknown type is a panic with that code. */
void json_alarm_set_type(struct bytes type, struct bytes service, struct signal *out);
/* An id that fits as it stands is the message id; of another its checksums are. */
void json_alarm_set_message_id(const json_t *id, struct signal *out);
/* An identity that does not fit is marked, lest it be taken for the shorter one it begins with. */
void json_alarm_set_identity(struct bytes identity, struct signal *out);
/* Adds the alarm of a vendor's member: a word or a number; nothing, false, 0, "none" and "normal" are
 * none. */
void json_alarm_add(const json_t *value, const struct signal *model, struct batch *batch);
/* Adds to the batch every alarm that the decoded values of a sensor show, each a copy of `model`. A
 * state that lasts (a leak, a weak battery) is one message a day, dated by model or else now_us. */
void json_alarm_collect(json_t *values, const struct signal *model, int64_t now_us,
                        struct batch *batch);

#endif
