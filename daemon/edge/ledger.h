/*
 * The journal on its disk, as the turn uses it: appends of this turn go to the writer thread at its
 * end, and what has become durable is told at the beginning of one. Owns the journal, its memory and
 * its directory. What the records mean is not known here.
 */
#ifndef ONEKEY_EDGE_LEDGER_H
#define ONEKEY_EDGE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"
#include "daemon/base/instant.h"

struct ledger;
struct log;

#define LEDGER_LANES 2 /* record types 1 and 2 are read back independently */

struct ledger_settings {
    const char *directory;
    uint64_t segment_bytes, total_bytes;
    int64_t (*clock_mono_us)(void);
    struct instant now;
};

/* Opens, or creates, the journal and starts the writer; to be replayed before the first checkpoint.
 * NULL, and one sentence in `error`. */
struct ledger *ledger_open(const struct ledger_settings *settings, struct log *log, char *error,
                           size_t error_size) MUST_USE;
/* Writes what is left and waits for it. */
void ledger_close(struct ledger *ledger);

/* Called with every record above the last checkpoint, in order; payload lent for the call. */
typedef void ledger_on_record(void *context, uint8_t type, uint64_t number, const void *payload,
                              size_t size);
/* Reads them, a bounded amount a call. LEDGER_END: all that is durable has been told; what becomes so
 * later is told by calling again. */
enum ledger_replay { LEDGER_MORE, LEDGER_END, LEDGER_FAILED /* the disk refuses to read */ };
enum ledger_replay ledger_replay(struct ledger *ledger, ledger_on_record *on_record,
                                 void *context) MUST_USE;

uint64_t ledger_append(struct ledger *ledger, uint8_t type, const void *payload, size_t size);
/* Whether a record of this size fits now; is_full: and waiting a turn will not help. */
bool ledger_has_room(const struct ledger *ledger, size_t size);
/* Whether the buffer has room for many records more; if not, it will have once it was written. */
bool ledger_has_reserve(const struct ledger *ledger);
bool ledger_is_full(const struct ledger *ledger);
uint64_t ledger_free_bytes(const struct ledger *ledger);

/* Readable when the writer has finished something. */
int ledger_fd(const struct ledger *ledger);
/* Takes what the writer has finished. False: a write failed; the process must end and replay. */
bool ledger_collect(struct ledger *ledger, int64_t mono_us) MUST_USE;
uint64_t ledger_durable(const struct ledger *ledger);
/* Hands this turn's records to the writer, and has the next segment prepared. */
void ledger_flush(struct ledger *ledger, int64_t mono_us);
void ledger_checkpoint(struct ledger *ledger, uint64_t number);

/* Reads durable records of one type above `after` back, a bounded amount a call. on_record returns
 * false to stop; that record comes again. True: all that is durable has been told, and the next call
 * starts anew at its own `after`. */
bool ledger_read_back(struct ledger *ledger, uint8_t type, uint64_t after,
                      bool (*on_record)(void *context, uint8_t type, uint64_t number,
                                        const void *payload, size_t size),
                      void *context);

struct ledger_figures {
    uint64_t writes, bytes, free_bytes, durable, checkpoint;
    int64_t write_last_us, write_max_us, write_total_us, write_age_us;
    bool full;
};
struct ledger_figures ledger_figures(struct ledger *ledger);

#endif
