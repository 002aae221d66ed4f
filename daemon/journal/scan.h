/*
 * Finding the records in the bytes of segments, one window after another. Knows no disk.
 *
 * A record belongs to the journal if it reads well (record.h) and its number is above all seen
 * before and not below its segment's name: bytes left from an earlier life of a recycled segment
 * have smaller numbers. Where none stands, the scan steps on by 8 bytes until one does, whose number
 * is no further on than the bytes stepped over could hold.
 *
 * Numbers run on without a gap within one run of the journal, so a gap of less than
 * JOURNAL_RUN_GAP is a hole: records torn by a crash before they were durable, or destroyed later.
 * It is damage as soon as a later record's `durable` covers it.
 */
#ifndef ONEKEY_JOURNAL_SCAN_H
#define ONEKEY_JOURNAL_SCAN_H

#include "daemon/journal/record.h"

#include <stdbool.h>

/* Records first .. last are lost, among which some of the journal's own; the unreadable bytes begin
 * here. Adjoining losses come as one. */
struct scan_damage {
    uint64_t segment, offset, bytes;
    uint64_t first, last;
};

/* Embedded by the caller, zero at the start. */
struct scan {
    uint64_t segment; /* the floor of the segment being scanned */
    uint64_t offset;  /* in it, of the next byte to look at */
    uint64_t last;    /* number of the last record seen, in any segment */
    uint64_t skipped; /* bytes stepped over since it, in this segment */
    bool has_hole;
    struct scan_damage hole; /* not yet known whether torn or damaged */
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

#endif
