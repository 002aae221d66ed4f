/*
 * The state of the silence detector as bytes, for the snapshot and the database: little-endian, every
 * field in the order of the list in silence_record.c, led by a version. A new layout gets a new version;
 * what the daemon finds of an older one it does not load, and the meter starts from the population's
 * habits.
 */
#ifndef ONEKEY_CORE_SILENCE_RECORD_H
#define ONEKEY_CORE_SILENCE_RECORD_H

#include "daemon/core/silence_types.h"

#define SILENCE_RECORD_SIZE 597

/* Writes one state; returns SILENCE_RECORD_SIZE, or 0 when `limit` is less. */
size_t silence_record_save(const struct silence *silence, void *out, size_t limit);
/* False, and *silence untouched, when the bytes are not such a state. */
bool silence_record_load(struct silence *silence, const void *data, size_t size);

#endif
