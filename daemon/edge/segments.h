/*
 * The journal's segment files in one directory: the only place that opens, writes, syncs, renames
 * and deletes them. Implements daemon/journal/disk.h with calls that block; disk.h runs the writing
 * ones in a thread.
 *
 * It owns the directory's descriptor, the lock, one descriptor to read by and one to write by: `read`
 * and `list` belong to the caller's thread, all else to the writer's, so nothing here is locked.
 */
#ifndef ONEKEY_EDGE_SEGMENTS_H
#define ONEKEY_EDGE_SEGMENTS_H

#include "daemon/base/attributes.h"
#include "daemon/journal/disk.h"

/* A descriptor kept open: segments are used one after another. */
struct segments_handle {
    int fd;
    uint64_t floor;
};

struct segments {
    struct journal_disk port;
    int directory, lock;
    struct segments_handle reading, writing;
    struct segments_creation {
        int fd; /* -1: none */
        uint64_t floor, size, done;
    } creation;
};

/* Creates and locks the directory; see disk_open. Does not move afterwards: the port points to it. */
int segments_open(struct segments *segments, const char *path) MUST_USE;
void segments_close(struct segments *segments);

/* Goes one step on with a creation, which takes well below a millisecond on a disk that is fast
 * enough for the journal: 1 if there is more to do, 0 when it is done, or negative when it failed
 * and was dropped. */
int segments_create_step(struct segments *segments, uint64_t floor, uint64_t size) MUST_USE;
/* Leaves nothing behind of an unfinished creation, if there is one; errno survives. */
void segments_create_drop(struct segments *segments);

#endif
