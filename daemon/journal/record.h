/*
 * One record as bytes: a header of 24 bytes, the payload, zeros up to a multiple of 8. The CRC
 * covers header and payload, so a record that reads well is one that was written as such; whether
 * it belongs where it lies is decided by its number (scan.h). All integers are little-endian.
 *
 *    0  u32  CRC-32 (zlib) of bytes 4 .. 24 + size
 *    4  u16  size of the payload, 0 .. 4096
 *    6  u8   type, never 0 (so that zeros are no record)
 *    7  u8   format, 1
 *    8  u64  number
 *   16  u64  durable: the last number known to be on disk when this record was made, < number
 *   24       payload
 */
#ifndef ONEKEY_JOURNAL_RECORD_H
#define ONEKEY_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER 24u
#define RECORD_PAYLOAD_MAX 4096u
#define RECORD_SIZE_MAX (RECORD_HEADER + RECORD_PAYLOAD_MAX)
#define RECORD_NUMBER_END (UINT64_C(1) << 62)

/* Types 1 .. 253 are the caller's; these are the journal's own. The payload of both is the
 * checkpoint as u64; a segment record is the first of every segment. */
enum { RECORD_CHECKPOINT = 254, RECORD_SEGMENT = 255 };

#define RECORD_OWN_SIZE (RECORD_HEADER + 8u) /* bytes one of these takes */

struct record {
    uint64_t number, durable;
    const uint8_t *payload; /* lent: a view into the bytes it was read from */
    uint16_t size;
    uint8_t type;
};

enum record_state {
    RECORD_GOOD,
    RECORD_SHORT, /* the header is plausible, `have` bytes are too few to tell */
    RECORD_BAD
};

/* Bytes that a record with this payload takes, padding included. */
size_t record_size(size_t payload);
/* Writes one record, record_size(record->size) bytes, to `out`. */
void record_encode(const struct record *record, uint8_t *out);
/* Reads the record at `bytes`, of which `have` are there. */
enum record_state record_decode(const uint8_t *bytes, size_t have, struct record *record);
/* The number in a header, of which nothing else is looked at: a cheap test before decoding. */
uint64_t record_number(const uint8_t *header);
/* Whether this is one of the journal's own. */
bool record_is_own(const struct record *record);
/* The checkpoint that a record of the journal's own carries; 0 for any other record. */
uint64_t record_checkpoint(const struct record *record);
/* Writes a checkpoint, 8 bytes, as payload. */
void record_put_checkpoint(uint8_t *payload, uint64_t checkpoint);

#endif
