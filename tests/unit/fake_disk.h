/*
 * A disk in memory for daemon/journal, that loses power on command. What the port's `write` was
 * given is durable. A write may instead be submitted and completed later: a crash between the two
 * leaves any mixture of old and new bytes, as a disk does. Also runs out of space, refuses writes,
 * and lets its bytes be spoilt. A test includes fake_disk.c beside this.
 */
#ifndef ONEKEY_TESTS_FAKE_DISK_H
#define ONEKEY_TESTS_FAKE_DISK_H

#include "daemon/base/random.h"
#include "daemon/journal/journal.h"

#define FAKE_SEGMENTS 64

struct fake_segment {
    uint64_t floor, size;
    uint8_t *bytes; /* NULL: no such segment */
};

struct fake_disk {
    struct journal_disk port;
    struct fake_segment segments[FAKE_SEGMENTS];
    uint64_t space; /* bytes all segments together may take */
    bool write_fails, read_fails;
    struct journal_write pending; /* parts 0: none; its bytes are still the journal's */
    unsigned creations, recyclings, removals, cuts;
};

/* An empty disk. */
void fake_disk_init(struct fake_disk *disk, uint64_t space);
void fake_disk_fini(struct fake_disk *disk);
/* The segment of this name, or NULL. */
struct fake_segment *fake_disk_find(struct fake_disk *disk, uint64_t floor);
/* Takes a write that is not yet durable; its bytes are borrowed until complete or crash. */
void fake_disk_submit(struct fake_disk *disk, const struct journal_write *write);
/* Makes the submitted write durable: 0 or negative. */
int fake_disk_complete(struct fake_disk *disk);
/* Prepares as a writer thread would: 0 or negative. */
int fake_disk_prepare(struct fake_disk *disk, const struct journal_prepare *request);
/* Power is lost: of a submitted write there arrives nothing, all, the bytes up to any one, or any
 * of its sectors. */
void fake_disk_crash(struct fake_disk *disk, struct random *random);

#endif
