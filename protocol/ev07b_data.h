/*
 * The data of an EV-07B frame, both ways: a row of fields (length, key, value; little endian) that
 * make one or more records. A key that comes again begins the next record.
 *
 * Which alarms are the same. A pendant repeats a frame until it is answered, and may put a record
 * that it kept into another frame. So the name of an alarm is its time, its bits and a checksum of
 * its record; the frame's sequence number is no part of it. One whose clock was never set gets no
 * name: two of its presses must not look like one.
 */
#ifndef ONEKEY_PROTOCOL_EV07B_DATA_H
#define ONEKEY_PROTOCOL_EV07B_DATA_H

#include "protocol/batch.h"
#include "protocol/bytes.h"

#define EV07B_DATA_KEY_IDENTITY 0x01

/* Takes the first field of *rest. False at the end or where its length leads beyond it. */
bool ev07b_data_next(struct bytes *rest, uint8_t *key, struct bytes *value);
/* Adds what the records say. *model comes as a heartbeat with its identity set. */
void ev07b_data_decode(struct bytes fields, const struct signal *model, struct batch *batch);
/* Does anything in these damaged bytes look like an alarm? */
bool ev07b_data_claims_alarm(struct bytes fields);
/* The fields by which a pendant says `signal`, dated at_us. False if it has none for it. */
bool ev07b_data_compose(const struct signal *signal, int64_t at_us, struct writer *out);

#endif
