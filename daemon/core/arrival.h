/*
 * An arrival is a signal as the journal keeps it and as the database receives it: the signal itself,
 * the first bytes of the frame it came from, and what the gateway adds about its decision, as JSON
 * text. One arrival is the payload of one journal record and shares its number. Its encoded form is
 * little-endian and versioned.
 */
#ifndef ONEKEY_CORE_ARRIVAL_H
#define ONEKEY_CORE_ARRIVAL_H

#include "daemon/base/attributes.h"
#include "protocol/bytes.h"
#include "protocol/signal.h"

#define ARRIVAL_RAW_MAX 1024    /* of a longer frame only the first bytes are kept */
#define ARRIVAL_DETAIL_MAX 1536 /* the largest detail that the gateway composes */
#define ARRIVAL_SIZE_MAX (320 + ARRIVAL_RAW_MAX + ARRIVAL_DETAIL_MAX)

/* The type that the journal stores beside the payload. Alarms and readings wait in separate lanes for
 * the database, so that a backlog of readings never delays an alarm; states and
 * marks stay in the journal (keep.c). */
enum lane { LANE_ALARM = 1, LANE_READING = 2, LANE_STATE = 3, LANE_MARK = 4 };

struct arrival {
    uint64_t number; /* the journal's; not part of the encoded form */
    struct signal signal;
    struct bytes raw;    /* lent; empty for what the gateway decided itself */
    struct bytes detail; /* lent; a JSON object, or empty */
};

enum lane arrival_lane(const struct arrival *arrival);
/* Appends the encoded form; a raw part that is too long is cut and flagged SIGNAL_FLAG_TRUNCATED.
 * The writer needs ARRIVAL_SIZE_MAX bytes of room. */
void arrival_encode(const struct arrival *arrival, struct writer *out);
/* False if the payload is of another version or damaged. raw and detail become views of payload. */
bool arrival_decode(struct bytes payload, struct arrival *out) MUST_USE;

#endif
