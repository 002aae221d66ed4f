#include "daemon/journal/scan.h"

#include <string.h>

#define STEP 8u

void scan_begin(struct scan *scan, uint64_t segment)
{
    scan->segment = segment;
    scan->offset = 0;
    scan->here = false;
}

/* Whether the journal can have put record `number` here, after what was seen. */
static bool belongs(const struct scan *scan, uint64_t number)
{
    if (number <= scan->last || number < scan->segment)
        return false;
    if (scan->here)
        return number - scan->last - 1 <= scan->stray.bytes / RECORD_HEADER;
    return number - scan->segment < 2 * JOURNAL_RUN_GAP;
}

/* Record `number` follows on the last one seen: notes what is missing between them. */
static void note_gap(struct scan *scan, uint64_t number)
{
    uint64_t first = scan->last + 1;
    uint64_t proof = first;
    if (scan->last == 0 || number - scan->last >= JOURNAL_RUN_GAP) {
        /* Another run, or the first segment there is. What is lost at its very beginning shows only
         * by the bytes: the record before this one is the only one known to have been there. */
        scan->has_hole = false;
        first = scan->offset > 0 ? scan->segment : number;
        first = first > scan->last ? first : scan->last + 1;
        proof = number - 1;
    }
    if (first >= number)
        return;
    if (!scan->has_hole) {
        scan->hole = scan->stray;
        scan->hole.first = first;
        scan->proof = proof;
    } else {
        scan->hole.bytes += scan->stray.bytes;
    }
    scan->hole.last = number - 1;
    scan->has_hole = true;
}

static void accept(struct scan *scan, const struct record *record)
{
    note_gap(scan, record->number);
    scan->last = record->number;
    scan->here = true;
    scan->offset += record_size(record->size);
    memset(&scan->stray, 0, sizeof scan->stray);
}

/* How many bytes from here are zero, as far as can be seen; a whole number of steps. Most of a
 * segment is zeros, and a start reads all of them. */
static size_t blank_bytes(const uint8_t *window, size_t have)
{
    size_t at = 0;
    uint64_t words[8] = {0};
    while (have - at >= sizeof words) {
        memcpy(words, window + at, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] |
             words[7]) != 0)
            break;
        at += sizeof words;
    }
    for (; have - at >= STEP; at += STEP) {
        memcpy(words, window + at, STEP);
        if (words[0] != 0)
            break;
    }
    return at;
}

static void step_over(struct scan *scan, size_t bytes)
{
    if (scan->stray.bytes == 0) {
        scan->stray.segment = scan->segment;
        scan->stray.offset = scan->offset;
    }
    scan->stray.bytes += bytes;
    scan->offset += bytes;
}

enum scan_result scan_next(struct scan *scan, const uint8_t *window, size_t have, uint64_t end,
                           struct record *record)
{
    size_t step;
    for (size_t at = 0; scan->offset + RECORD_HEADER <= end; at += step) {
        if (have < at + RECORD_HEADER)
            return SCAN_MORE;
        size_t blank = blank_bytes(window + at, have - at);
        step = blank < RECORD_HEADER ? STEP : blank - RECORD_HEADER + STEP;
        if (blank < RECORD_HEADER && belongs(scan, record_number(window + at))) {
            enum record_state state = record_decode(window + at, have - at, record);
            if (state == RECORD_GOOD) {
                accept(scan, record);
                return SCAN_RECORD;
            }
            if (state == RECORD_SHORT && have - at < end - scan->offset)
                return SCAN_MORE;
        }
        step_over(scan, step);
    }
    return SCAN_END;
}

void scan_forget(struct scan *scan, uint64_t number)
{
    scan->has_hole = scan->has_hole && scan->hole.last > number;
}

bool scan_damaged(struct scan *scan, const struct record *record, struct scan_damage *damage)
{
    if (!scan->has_hole || record->durable < scan->proof)
        return false;
    *damage = scan->hole;
    if (damage->last > record->durable)
        damage->last = record->durable;
    scan->has_hole = false;
    return true;
}
