/*
 * A record is a signal as the journal keeps it and as the database receives it: the signal itself,
 * the first bytes of the frame it came from, and what the gateway adds about its decision, as JSON
 * text. Its form on disk is little-endian and versioned; docs/JOURNAL.md describes it.
 */
#ifndef ONEKEY_CORE_RECORD_H
#define ONEKEY_CORE_RECORD_H

#include "daemon/base/attributes.h"
#include "protocol/bytes.h"
#include "protocol/signal.h"

#define RECORD_RAW_MAX 1024    /* of a longer frame only the first bytes are kept */
#define RECORD_DETAIL_MAX 1536 /* the largest detail that the gateway composes */
#define RECORD_SIZE_MAX (320 + RECORD_RAW_MAX + RECORD_DETAIL_MAX)

/* The type that the journal stores beside the payload; alarms and readings wait in separate lanes
 * for the database, so that a backlog of readings never delays an alarm. */
enum record_type { RECORD_ALARM = 1, RECORD_READING = 2 };

struct record {
    uint64_t number; /* the journal's; not part of the encoded form */
    struct signal signal;
    struct bytes raw;    /* lent; empty for what the gateway decided itself */
    struct bytes detail; /* lent; a JSON object, or empty */
};

enum record_type record_type(const struct record *record);
/* Appends the encoded form; a raw part that is too long is cut and flagged SIGNAL_FLAG_TRUNCATED.
 * The writer needs RECORD_SIZE_MAX bytes of room. */
void record_encode(const struct record *record, struct writer *out);
/* False if the payload is of another version or damaged. raw and detail become views of payload. */
bool record_decode(struct bytes payload, struct record *out) MUST_USE;

#endif
