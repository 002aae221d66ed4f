/*
 * What the members of a JSON object measure. One table of names, ours and those that meters, network
 * servers and platforms use, says where in a signal each value goes, in which unit it comes and what
 * is plausible; anything else in the object is not looked at.
 */
#ifndef ONEKEY_PROTOCOL_JSON_FIELDS_H
#define ONEKEY_PROTOCOL_JSON_FIELDS_H

#include "protocol/json_value.h"
#include "protocol/signal.h"

struct json_field {
    const char *path;
    uint32_t measure; /* bit of signal.has */
    uint16_t offset;  /* of the member of struct signal */
    uint16_t width;   /* and its size */
    int64_t scale;    /* from the unit of the JSON to that of the signal */
    int64_t low, high;
};

/* Adds to *out all that `values` says. A value out of range or of the wrong type is left out. */
void json_fields_read(json_t *values, struct signal *out);
/* A volume in millilitres of a value in units of `unit_ml`; false if it is none or not plausible. */
bool json_fields_volume(const json_t *value, int64_t unit_ml, int64_t *ml);
/* What a message that is no alarm is called, by what it has: a reading before vitals before a
 * position before a heartbeat. */
enum signal_kind json_fields_kind(uint32_t has);

#endif
