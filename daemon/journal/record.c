#include "daemon/journal/record.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

enum { AT_CRC = 0, AT_SIZE = 4, AT_TYPE = 6, AT_FORMAT = 7, AT_NUMBER = 8, AT_DURABLE = 16 };

#define FORMAT 1u

static void put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u16(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8;
}

static uint32_t get_u32(const uint8_t *in)
{
    return get_u16(in) | get_u16(in + 2) << 16;
}

static uint64_t get_u64(const uint8_t *in)
{
    return get_u32(in) | (uint64_t)get_u32(in + 4) << 32;
}

static uint32_t checksum(const uint8_t *bytes, size_t payload)
{
    return (uint32_t)crc32(0, bytes + AT_SIZE, (uInt)(RECORD_HEADER - AT_SIZE + payload));
}

size_t record_size(size_t payload)
{
    return (RECORD_HEADER + payload + 7) & ~(size_t)7;
}

void record_encode(const struct record *record, uint8_t *out)
{
    assert(record->type != 0 && record->size <= RECORD_PAYLOAD_MAX);
    assert(record->durable < record->number && record->number < RECORD_NUMBER_END);
    size_t used = RECORD_HEADER + record->size;
    put(out + AT_SIZE, record->size, 2);
    out[AT_TYPE] = record->type;
    out[AT_FORMAT] = FORMAT;
    put(out + AT_NUMBER, record->number, 8);
    put(out + AT_DURABLE, record->durable, 8);
    if (record->size > 0)
        memcpy(out + RECORD_HEADER, record->payload, record->size);
    put(out + AT_CRC, checksum(out, record->size), 4);
    memset(out + used, 0, record_size(record->size) - used);
}

uint64_t record_number(const uint8_t *bytes)
{
    return get_u64(bytes + AT_NUMBER);
}

enum record_state record_decode(const uint8_t *bytes, size_t have, struct record *record)
{
    if (have < RECORD_HEADER)
        return RECORD_SHORT;
    record->size = (uint16_t)get_u16(bytes + AT_SIZE);
    record->type = bytes[AT_TYPE];
    record->number = get_u64(bytes + AT_NUMBER);
    record->durable = get_u64(bytes + AT_DURABLE);
    record->payload = bytes + RECORD_HEADER;
    if (record->size > RECORD_PAYLOAD_MAX || record->type == 0 || bytes[AT_FORMAT] != FORMAT ||
        record->number >= RECORD_NUMBER_END || record->durable >= record->number)
        return RECORD_BAD;
    if (have < record_size(record->size))
        return RECORD_SHORT;
    return checksum(bytes, record->size) == get_u32(bytes + AT_CRC) ? RECORD_GOOD : RECORD_BAD;
}

bool record_is_own(const struct record *record)
{
    return record->type == RECORD_CHECKPOINT || record->type == RECORD_SEGMENT;
}

uint64_t record_checkpoint(const struct record *record)
{
    return record_is_own(record) && record->size == 8 ? get_u64(record->payload) : 0;
}

void record_put_checkpoint(uint8_t *payload, uint64_t checkpoint)
{
    put(payload, checkpoint, 8);
}
