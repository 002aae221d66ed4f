/*
 * When something is due at which ticket: a cache, on a wheel, of deadlines that the database knows.
 * Whether a step is really due, and that it is taken once, the database decides; here is only kept
 * when to ask it. So a deadline too many costs a question, and one that is missing is found by the
 * next reading of them all.
 *
 * Only deadlines within the horizon are kept. Where more tickets are due within it than there is
 * room for, it is halved, and doubled again after each reading for which the room sufficed: memory is
 * bounded, and what is due first is never what is left out (but at the shortest horizon, where what
 * is left out is read again a second later).
 */
#ifndef ONEKEY_CORE_ESCALATE_H
#define ONEKEY_CORE_ESCALATE_H

#include "daemon/base/instant.h"
#include "daemon/core/wheel.h"

#define ESCALATE_HORIZON_MAX_US (10 * US_PER_MINUTE)
#define ESCALATE_HORIZON_MIN_US (2 * US_PER_SECOND)
#define ESCALATE_NEVER INT64_MAX

struct escalate_ticket {
    int64_t id, deadline_us;
    uint32_t next; /* of the same bucket, or free; index + 1, 0 = none */
};

struct escalate {
    struct wheel wheel;
    struct escalate_ticket *tickets; /* by timer */
    uint32_t *buckets;               /* as many as tickets; index + 1, 0 = none */
    uint32_t tickets_max, count, free_first;
    int64_t horizon_us;
    bool was_short; /* of room, since the reading began */
    bool has_more;  /* due now than was taken out */
};

size_t escalate_memory_size(uint32_t tickets_max);
/* Borrows memory (aligned as by malloc) for good. mono_us: now. */
void escalate_init(struct escalate *escalate, void *memory, uint32_t tickets_max, int64_t mono_us);

/* The next deadline of a ticket is in_us from now (ESCALATE_NEVER: it has none); replaces what was
 * known of it. */
void escalate_set(struct escalate *escalate, int64_t ticket, int64_t in_us, int64_t mono_us);
/* Takes out tickets at which something is due, at most `limit` of them; how many. There may be more
 * even if it is none: escalate_wake_at tells. */
uint32_t escalate_due(struct escalate *escalate, int64_t mono_us, int64_t *tickets, uint32_t limit);
/* Mono time before which nothing is due; INT64_MAX: nothing at all. */
int64_t escalate_wake_at(const struct escalate *escalate);

/* A reading of all deadlines begins, of those within the horizon; and is done. Returns in how many
 * microseconds the next one is wanted. */
void escalate_reading(struct escalate *escalate);
int64_t escalate_read(struct escalate *escalate);

#endif
