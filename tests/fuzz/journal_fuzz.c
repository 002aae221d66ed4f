/* Arbitrary bytes as a segment, with their checksums mended so that records are found: whatever
 * the windows they come in, the scan finds the same records, with rising numbers. */
#include "daemon/journal/scan.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void mend(uint8_t *bytes, size_t size)
{
    size_t whole = 0;
    for (size_t at = 0; at + RECORD_HEADER <= size; at += whole) {
        size_t payload = bytes[at + 4] | (size_t)bytes[at + 5] << 8;
        whole = record_size(payload) <= size - at ? record_size(payload) : 8;
        size_t covered = whole > 8 ? RECORD_HEADER - 4 + payload : 8;
        uint32_t sum = (uint32_t)crc32(0, bytes + at + 4, (uInt)covered);
        for (unsigned i = 0; whole > 8 && i < 4; i++)
            bytes[at + i] = (uint8_t)(sum >> (8 * i));
    }
}

/* A digest of what a scan finds through windows of this size. */
static uint64_t scan_all(const uint8_t *bytes, size_t size, size_t window)
{
    struct scan scan = {.segment = 1};
    struct record record;
    struct scan_damage damage;
    uint64_t digest = 0, last = 0;
    enum scan_result result = SCAN_MORE;
    while (result != SCAN_END) {
        size_t have = size - scan.offset < window ? size - scan.offset : window;
        result = scan_next(&scan, bytes + scan.offset, have, size, &record);
        if (result != SCAN_RECORD)
            continue;
        if (record.number <= last ||
            (record.size > 0 && record.payload + record.size > bytes + size))
            abort();
        last = record.number;
        digest = digest * 31 + last + record.size + record_checkpoint(&record);
        if (scan_damaged(&scan, &record, &damage))
            digest = digest * 31 + damage.first + damage.last;
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    if (size > 0)
        memcpy(bytes, data, size);
    for (unsigned mended = 0; mended < 2; mended++) {
        if (scan_all(bytes, size, size) != scan_all(bytes, size, RECORD_SIZE_MAX))
            abort();
        mend(bytes, size);
    }
    free(bytes);
    return 0;
}
