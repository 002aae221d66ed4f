/*
 * Finding the records in the bytes of segments, one window after another. Knows no disk.
 *
 * A record belongs where it lies if it reads well (record.h), its number is above all seen before,
 * and it is one the journal can have put there: within a segment numbers run on without a gap, and
 * the first is not below the segment's name nor far above. Bytes left from an earlier life of a
 * recycled segment have smaller numbers than that. Where no record stands the scan steps on by 8
 * bytes until one does, that is no more records further on than the bytes stepped over could hold.
 *
 * Numbers run on within a run of the journal over all its segments, and a new run starts at least
 * JOURNAL_RUN_GAP higher. So a smaller gap is a hole: records torn by a crash before they were
 * durable, or destroyed later. It is damage as soon as a later record of that run knows it was
 * durable.
 */
#ifndef ONEKEY_JOURNAL_SCAN_H
#define ONEKEY_JOURNAL_SCAN_H

#include "daemon/journal/record.h"

#include <stdbool.h>

#define JOURNAL_RUN_GAP (UINT64_C(1) << 20) /* more numbers than a segment and two buffers hold */

/* Of the records first .. last none was found (some may be the journal's own), and the bytes from
 * here on do not read. Losses that adjoin may come as one. */
struct scan_damage {
    uint64_t segment, offset, bytes;
    uint64_t first, last;
};

/* Embedded by the caller, zero at the start. */
struct scan {
    uint64_t segment;         /* the name of the segment being scanned */
    uint64_t offset;          /* in it, of the next byte to look at */
    uint64_t last;            /* number of the last record seen, in any segment */
    bool here;                /* it was in this segment */
    bool has_hole;            /* `hole` is not yet known to be torn or damaged */
    struct scan_damage hole;  /* between records seen */
    uint64_t proof;           /* durable number from which on the hole is damage */
    struct scan_damage stray; /* bytes stepped over since the last record; no numbers yet */
};

enum scan_result {
    SCAN_RECORD, /* *record is the next; its bytes are consumed */
    SCAN_MORE,   /* the window is used up: give the next, from scan->offset */
    SCAN_END     /* the segment is used up */
};

/* Goes on with another segment, from its beginning. */
void scan_begin(struct scan *scan, uint64_t segment);
/* Looks for the next record. The window holds the segment's bytes from scan->offset on, `have` of
 * them; the segment ends at `end`. A window that does not reach the end holds RECORD_SIZE_MAX bytes
 * at least. */
enum scan_result scan_next(struct scan *scan, const uint8_t *window, size_t have, uint64_t end,
                           struct record *record);
/* After SCAN_RECORD: whether that record proves the hole before it to be damage. Forgets the hole. */
bool scan_damaged(struct scan *scan, const struct record *record, struct scan_damage *damage);
/* Forgets a hole that ends at `number` or before: nobody needs what was in it. */
void scan_forget(struct scan *scan, uint64_t number);

#endif
