/*
 * The journal's disk and the one thread that writes to it. The files are segments.h; this owns the
 * thread and a mailbox of two slots, one write and one preparation. A write goes first: the zeros of
 * a new segment are written in slices, with a look into the mailbox between them.
 *
 * No call waits for the disk but disk_open, disk_stop and those of the port. How to use it in a turn
 * stands in daemon/journal/journal.h.
 */
#ifndef ONEKEY_EDGE_DISK_H
#define ONEKEY_EDGE_DISK_H

#include "daemon/base/attributes.h"
#include "daemon/journal/disk.h"
#include "daemon/journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct disk;

enum disk_kind { DISK_WRITE, DISK_PREPARE };

struct disk_completion {
    enum disk_kind kind;
    int error;          /* 0 or a negative ERR_* */
    int system_error;   /* errno of the call that failed, for the log */
    int64_t elapsed_us; /* write and sync, or the whole preparation */
};

/* For metrics; times in microseconds. */
struct disk_figures {
    uint64_t writes, bytes, preparations;
    int64_t write_last_us, write_max_us; /* write + sync, all parts of one submission */
    int64_t write_total_us;
};

/* Opens and locks the directory, created if absent (mode 0700): two daemons never share a journal. now_us is a clock that does not step; the thread calls it
 * too. ERR_EXISTS if another process holds the lock, ERR_IO (errno says more) otherwise. */
int disk_open(struct disk **disk, const char *path, int64_t (*now_us)(void)) MUST_USE;
/* The blocking port, for journal_open and for reading back. Lives as long as the disk. Only `read`
 * may be called while the thread runs. */
const struct journal_disk *disk_port(struct disk *disk);

/* Starts the thread; ERR_IO if the system has none to give. */
int disk_start(struct disk *disk) MUST_USE;
/* Readable while a completion waits: level-triggered, for the caller's loop. */
int disk_completion_fd(const struct disk *disk);
/* Hands work to the thread; its slot must be free (the journal sees to that). The request is
 * copied, the bytes it points to are lent until the completion. */
void disk_submit_write(struct disk *disk, const struct journal_write *write);
void disk_submit_prepare(struct disk *disk, const struct journal_prepare *request);
/* The next finished work; false if there is none, which also clears the descriptor: call it until
 * then. Also after disk_stop, for the last write. */
bool disk_take_completion(struct disk *disk, struct disk_completion *completion);
/* How long the write now with the thread has been there, 0 if none: for the watchdog. */
int64_t disk_write_age_us(struct disk *disk);
void disk_read_figures(struct disk *disk, struct disk_figures *figures);

/* Waits for the write that was submitted, drops a half-done creation, ends the thread. */
void disk_stop(struct disk *disk);
/* Releases lock and memory; the thread must have been stopped, or never started. NULL is ignored. */
void disk_close(struct disk *disk);

#endif
