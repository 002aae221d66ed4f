/*
 * The journal: opaque records in segment files, each with a number, made durable in groups. It owns
 * which bytes go where, which numbers are durable and which segments may be pruned; it has no heap,
 * clock, thread or system call: memory comes at journal_open, bytes leave by journal_take. The
 * format on disk and the reasons are in docs/JOURNAL.md; reading back is backlog.h.
 *
 * Numbers: the first of a run is max(last found + 2^20, wall seconds << 20), then + 1 a record (the
 * journal's own records take numbers too, so a caller sees gaps). A number that was given is never
 * given again: not when its record was lost in a crash, and not when the whole directory was lost,
 * unless the wall clock stood behind as well. Numbers fit in 53 bits for the next two centuries.
 *
 * One turn of the loop:
 *
 *   while (disk_take_completion(disk, &done))              what the writer thread has finished
 *       if (done.kind == DISK_WRITE)
 *           journal_written(journal, done.error);          error: log and exit, never retry
 *       else
 *           journal_prepared(journal, now_us, done.error); ERR_NO_SPACE: log, it asks again
 *   number = journal_append(journal, type, payload, size)  as often as input comes; 0 = refused
 *   ... release the replies owed for numbers <= journal_durable(journal) ...
 *   journal_checkpoint(journal, number)                    when a consumer is done with records
 *   if (journal_take(journal, &write))
 *       disk_submit_write(disk, &write);
 *   if (journal_prepare(journal, now_us, &request))
 *       disk_submit_prepare(disk, &request);
 *
 * Invariants: at most one write and one preparation are outstanding; the bytes lent by journal_take
 * stay untouched until journal_written; no record is ever written over that is above the checkpoint
 * or not yet durable.
 */
#ifndef ONEKEY_JOURNAL_JOURNAL_H
#define ONEKEY_JOURNAL_JOURNAL_H

#include "daemon/base/attributes.h"
#include "daemon/journal/disk.h"
#include "daemon/journal/record.h"
#include "daemon/journal/scan.h"

#include <stdbool.h>

#define JOURNAL_SEGMENT_SIZE (16u << 20) /* the default, and the largest */
#define JOURNAL_SEGMENT_MIN (16u << 10)
#define JOURNAL_BUFFER_MIN (8u << 10) /* and at most a quarter of a segment, and 1 MiB */
#define JOURNAL_BUFFER_MAX (1u << 20)

struct journal_segment {
    uint64_t floor; /* its name: no record in it has a smaller number */
    uint64_t last;  /* no record in it has a larger number (unset for the active one) */
    uint32_t size;
    uint32_t end; /* bytes that may hold records */
};

/* Memory is lent until the journal is no longer used; the disk too. */
struct journal_setup {
    const struct journal_disk *disk;
    uint64_t wall_seconds; /* since 1970 UTC, now */
    uint64_t bytes_max;    /* budget for all segments together, two segments at least */
    uint32_t segment_size; /* a multiple of 4096 */
    uint32_t buffer_size;  /* of each of the two buffers: the most one sync can carry */
    uint8_t *buffers;      /* 2 * buffer_size bytes */
    struct journal_segment *segments;
    uint32_t segments_room; /* entries; at least bytes_max / segment_size */
    int64_t retry_us;       /* pause after a preparation that failed */
};

/* What the writer is to write and sync, part after part: two where a segment ended. */
struct journal_part {
    uint64_t segment, offset;
    const uint8_t *data;
    size_t size;
};

struct journal_write {
    struct journal_part part[2];
    unsigned parts;
    uint64_t last; /* the number that is durable when all parts are */
};

/* What the writer is to do beside writing, for the journal never waits for it. */
enum journal_prepare_kind { JOURNAL_CREATE, JOURNAL_RECYCLE, JOURNAL_REMOVE };

struct journal_prepare {
    enum journal_prepare_kind kind;
    uint64_t segment; /* to create, to remove, or the new name */
    uint64_t from;    /* JOURNAL_RECYCLE: the old name */
    uint64_t size;    /* JOURNAL_CREATE */
};

struct journal_buffer {
    uint8_t *data;
    size_t size;
    struct journal_write write;
};

/* Embedded by the caller; the fields are the journal's own. */
struct journal {
    struct journal_setup setup;
    struct journal_buffer buffer[2];
    unsigned filling; /* which buffer takes records; the other may be with the writer */
    bool writing;     /* a write is outstanding */
    bool preparing;   /* `request` is outstanding */
    bool starved;     /* the last preparation failed */
    bool failed;      /* a write failed: for good */
    bool active;      /* segments[used - 1] takes records */
    bool ready;       /* segments[used] is prepared, and empty */
    bool checkpoint_owed;
    uint32_t used;    /* segments that hold, or may hold, records, oldest first */
    uint64_t next;    /* number of the next record */
    uint64_t durable; /* all records up to here are on disk */
    uint64_t checkpoint;
    uint64_t durable_segment, durable_offset; /* the end of what may be read back */
    uint64_t offset; /* in the active segment, where the next record goes */
    int64_t retry_at_us;
    struct journal_prepare request;
};

/* Finds the segments, the last number and the last checkpoint, and prepares a first segment. Blocks,
 * reads one segment and a header of every other. A disk without room for a new segment is no error:
 * the journal is then full. ERR_INVALID for a setup out of range, ERR_FULL if there are more segments
 * than segments_room, else what the disk said. */
int journal_open(struct journal *journal, const struct journal_setup *setup) MUST_USE;

/* Copies one record; type 1 .. 253, size <= RECORD_PAYLOAD_MAX. Its number, or 0 if refused: the
 * journal is full or has failed, or else the writer is behind with a write or with the next segment,
 * and will take it within a few turns. */
uint64_t journal_append(struct journal *journal, uint8_t type, const void *payload,
                        size_t size) MUST_USE;
/* Whether journal_append would take a record of this size now. */
bool journal_has_room(const struct journal *journal, size_t size);
/* Whether more than a quarter of the buffer is free, which the next write makes true again. */
bool journal_has_reserve(const struct journal *journal);
/* Nothing to go on with, for want of disk space or of pruned segments within the budget; ends when a
 * preparation succeeds. */
bool journal_is_full(const struct journal *journal);
bool journal_has_failed(const struct journal *journal);
/* Bytes that still fit, headers included: within the budget, or, while preparing fails, in what is
 * prepared already. To warn long before the journal is full. */
uint64_t journal_free_bytes(const struct journal *journal);

/* Everything appended so far, for the writer; false if there is nothing, or a write is out. */
bool journal_take(struct journal *journal, struct journal_write *write) MUST_USE;
/* The outstanding write is done, `error` 0 or negative. Returns the durable number. */
uint64_t journal_written(struct journal *journal, int error);
/* All records up to this number are on disk. Right after journal_open: every record found. */
uint64_t journal_durable(const struct journal *journal);

/* Something to prepare or prune; false if there is nothing, one is out, or it is too early to retry.
 * now_us is any clock that does not step. */
bool journal_prepare(struct journal *journal, int64_t now_us,
                     struct journal_prepare *request) MUST_USE;
void journal_prepared(struct journal *journal, int64_t now_us, int error);

/* Records <= number (which was given before) are no longer needed. Smaller than the last: ignored.
 * It is remembered at once and reaches the disk with the next record, so a crash may replay some. */
void journal_checkpoint(struct journal *journal, uint64_t number);
uint64_t journal_checkpoint_number(const struct journal *journal);
/* Appends a checkpoint that is still owed, for a clean stop; then take and write as usual. */
void journal_settle(struct journal *journal);

/* Take, write, prepare through the port in this thread until nothing is left to do: for tests and
 * tools. 0, or what the failed write said. */
int journal_sync(struct journal *journal) MUST_USE;

#endif
