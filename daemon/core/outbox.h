/*
 * One lane of records on their way to the database: everything accepted and not yet committed there,
 * in the order of its numbers. What does not fit in memory stays in the journal alone ("spilled")
 * and is read back when there is room, so an hour without PostgreSQL costs disk, not memory.
 *
 *     push --> ring [ in flight | ready ]  --commit--> popped
 *                       ^  lost: all in flight becomes ready again
 *                       ^  refused: the same, in batches half as large, until one record stands alone
 *                          and is handed out as rejected
 *
 * Sending a record twice is harmless: the database knows it by gateway and number.
 */
#ifndef ONEKEY_CORE_OUTBOX_H
#define ONEKEY_CORE_OUTBOX_H

#include "daemon/base/ring.h"
#include "daemon/core/store.h"

#define OUTBOX_IN_FLIGHT_MAX 4
#define OUTBOX_REASON_MAX 200

struct outbox_batch {
    uint32_t id;
    uint32_t count;
};

struct outbox {
    struct ring ring;
    enum lane lane;
    uint64_t cursor;  /* ring position of the first record not in flight */
    uint64_t newest;  /* number of the last record in the ring */
    uint64_t spilled; /* number of the last record left in the journal alone; 0 = none */
    uint32_t batch_max, in_flight_max;
    uint32_t batch_limit;  /* batch_max, less while a refused record is being looked for */
    uint64_t narrow_until; /* batches stay small up to this number */
    uint32_t next_id;      /* odd in the alarms' lane, even in the readings': see outbox_lane_of */
    uint32_t in_flight_count;
    struct outbox_batch in_flight[OUTBOX_IN_FLIGHT_MAX]; /* oldest first */
    bool rewinding; /* something failed: waits for the other batches, then sends all again */
    bool rejecting; /* the first record is being parked */
    bool paused;    /* the database is away */
    char reason[OUTBOX_REASON_MAX]; /* why, in the database's words */
    uint64_t committed, refused;
};

/* Borrows `memory` for its life. batch_max <= STORE_BATCH_MAX. */
void outbox_init(struct outbox *outbox, enum lane lane, void *memory, size_t size);
void outbox_limit(struct outbox *outbox, uint32_t batch_max, uint32_t in_flight_max);
/* The lane that gave a batch this id. */
static inline enum lane outbox_lane_of(uint32_t id)
{
    return id % 2 ? LANE_ALARM : LANE_READING;
}
/* Takes a copy of an encoded record; numbers rise. Never fails: it may spill. */
void outbox_push(struct outbox *outbox, uint64_t number, struct bytes payload);
/* The same for a record read back from the journal; false when the ring has no room yet. */
bool outbox_refill(struct outbox *outbox, uint64_t number, struct bytes payload);
/* Whether spilled records should be read back now, those with a number above *after. */
bool outbox_wants_refill(const struct outbox *outbox, uint64_t *after);
/* Everything up to the last spilled record has been read back. */
void outbox_refilled(struct outbox *outbox);
/* Forms the next batch into records[STORE_BATCH_MAX] and marks it in flight; 0 = nothing to send
 * now. The views in records are lent until the batch's result is reported. */
size_t outbox_next(struct outbox *outbox, struct arrival *records, uint32_t *id);
/* The batch just formed could not be sent: it is ready again. */
void outbox_unsent(struct outbox *outbox);
/* The result of the batch `id`. True: the first record was refused by itself and must be parked:
 * outbox_first gives it; no other batch is formed until outbox_parked. */
bool outbox_result(struct outbox *outbox, uint32_t id, enum store_result result) MUST_USE;
bool outbox_first(const struct outbox *outbox, struct arrival *record);
/* The record at *position (0: the first), and moves on; false at the end. Views lent for the call. */
bool outbox_peek(const struct outbox *outbox, uint64_t *position, struct arrival *record);
/* The first record has been parked (or, if not, will be tried again). */
void outbox_parked(struct outbox *outbox, bool done);
/* The database went away: what was in flight will be sent again. Or it came back. */
void outbox_pause(struct outbox *outbox);
void outbox_resume(struct outbox *outbox);
/* Every record of this lane up to the returned number has been committed; newest: the last number
 * that was given. */
uint64_t outbox_committed_through(const struct outbox *outbox, uint64_t newest);
/* While replaying, nothing in flight: records up to this number need not be sent. */
void outbox_skip_through(struct outbox *outbox, uint64_t number);
/* Number of the oldest record not yet committed, 0 if there is none. */
uint64_t outbox_oldest(const struct outbox *outbox);

#endif
