/*
 * Reading the journal back, in order: after a start to replay what was not done, while running to
 * fetch what a consumer had no memory for. Only durable records are seen. A backlog is a position;
 * it stays valid while the journal goes on, and several may be open. Each call reads at most one
 * buffer from disk, so a turn can bound its work.
 *
 * Bytes that do not read as a record are stepped over in search of the next one that fits (scan.h).
 * Where numbers are missing that a later record knows to have been durable, on_damage is told; an
 * unsynced tail torn by a crash is not damage, nobody was promised it.
 */
#ifndef ONEKEY_JOURNAL_BACKLOG_H
#define ONEKEY_JOURNAL_BACKLOG_H

#include "daemon/journal/journal.h"
#include "daemon/journal/scan.h"

#define BACKLOG_BUFFER_MIN (2 * RECORD_SIZE_MAX) /* 64 to 256 KiB read best */

struct backlog_handler {
    void *context;
    /* False: not now; the same record comes again with the next call. Payload lent for the call. */
    bool (*on_record)(void *context, const struct record *record);
    void (*on_damage)(void *context, const struct scan_damage *damage);
};

enum backlog_state {
    BACKLOG_MORE,    /* call again */
    BACKLOG_DONE,    /* every durable record has been seen; later there may be more */
    BACKLOG_STOPPED, /* on_record returned false */
    BACKLOG_FAILED   /* the disk refused to read; the position has not moved */
};

/* Embedded by the caller; the fields are the backlog's own. */
struct backlog {
    struct journal *journal;
    const struct backlog_handler *handler;
    uint64_t after;
    struct scan scan;
};

/* Starts behind record `after`, for instance journal_checkpoint_number(). Both are borrowed until
 * the last backlog_read. */
void backlog_init(struct backlog *backlog, struct journal *journal, uint64_t after,
                  const struct backlog_handler *handler);
/* Reads on by at most `size` bytes, BACKLOG_BUFFER_MIN or more, through the caller's buffer. */
enum backlog_state backlog_read(struct backlog *backlog, void *buffer, size_t size) MUST_USE;
/* Reads all there is: BACKLOG_DONE, BACKLOG_STOPPED or BACKLOG_FAILED. */
enum backlog_state backlog_replay(struct backlog *backlog, void *buffer, size_t size) MUST_USE;

#endif
