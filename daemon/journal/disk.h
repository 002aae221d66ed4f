/*
 * The port to the disk: what the journal needs of a directory of segment files, as a table of
 * functions. daemon/edge/segments.c is the real one, tests/unit/fake_disk.h the one in memory that
 * crashes on command.
 *
 * A segment is a file of fixed size, named by a number (`floor`): every record in it has a number
 * not below its name. Names rise with time. All calls block. Everything but `read` is durable, the
 * file and its name, when it returns 0, and may run in another thread than the journal's: the
 * journal itself only calls `list`, `read` and, in journal_open alone, the others.
 * Results are 0 or a negative ERR_* of daemon/base/error.h.
 */
#ifndef ONEKEY_JOURNAL_DISK_H
#define ONEKEY_JOURNAL_DISK_H

#include <stddef.h>
#include <stdint.h>

struct journal_disk {
    void *context;
    /* Tells every complete segment once, in any order. A non-zero result of on_segment ends the
     * listing and is returned. */
    int (*list)(void *context, int (*on_segment)(void *argument, uint64_t floor, uint64_t size),
                void *argument);
    /* Reads exactly `size` bytes that lie within the segment. */
    int (*read)(void *context, uint64_t floor, uint64_t offset, void *buffer, size_t size);
    /* Writes over bytes the segment already has, then syncs. A failure leaves them in an unknown
     * state; it is never tried again. */
    int (*write)(void *context, uint64_t floor, uint64_t offset, const void *data, size_t size);
    /* A new segment of zeros, written and synced, so that `write` never has to change metadata.
     * After a failure (ERR_NO_SPACE, ERR_IO) nothing is left of it and it may be tried again. */
    int (*create)(void *context, uint64_t floor, uint64_t size);
    /* Gives an old segment a new name; its stale bytes stay in it. */
    int (*recycle)(void *context, uint64_t from, uint64_t to);
    int (*remove)(void *context, uint64_t floor);
    /* Cuts a segment that will only be read to its first `size` bytes and gives the room back. Need
     * not be durable: a longer one does no harm. */
    int (*shorten)(void *context, uint64_t floor, uint64_t size);
};

#endif
