#include "daemon/core/outbox.h"

#include <assert.h>
#include <string.h>

struct entry {
    uint64_t number;
    uint8_t payload[];
};

void outbox_init(struct outbox *outbox, enum lane lane, void *memory, size_t size)
{
    memset(outbox, 0, sizeof(*outbox));
    ring_init(&outbox->ring, memory, size);
    outbox->lane = lane;
    outbox->next_id = lane;
    outbox->paused = true;
    outbox_limit(outbox, 64, 2);
}

void outbox_limit(struct outbox *outbox, uint32_t batch_max, uint32_t in_flight_max)
{
    assert(batch_max > 0 && batch_max <= STORE_BATCH_MAX);
    assert(in_flight_max > 0 && in_flight_max <= OUTBOX_IN_FLIGHT_MAX);
    outbox->batch_max = outbox->batch_limit = batch_max;
    outbox->in_flight_max = in_flight_max;
}

static bool store_in_ring(struct outbox *outbox, uint64_t number, struct bytes payload)
{
    struct entry *entry = ring_push(&outbox->ring, sizeof(*entry) + payload.size);

    if (!entry)
        return false;
    entry->number = number;
    memcpy(entry->payload, payload.data, payload.size);
    outbox->newest = number;
    return true;
}

void outbox_push(struct outbox *outbox, uint64_t number, struct bytes payload)
{
    assert(number > outbox->newest);
    if (outbox->spilled || !store_in_ring(outbox, number, payload))
        outbox->spilled = number;
}

bool outbox_refill(struct outbox *outbox, uint64_t number, struct bytes payload)
{
    if (number <= outbox->newest)
        return true;
    return store_in_ring(outbox, number, payload);
}

bool outbox_wants_refill(const struct outbox *outbox, uint64_t *after)
{
    *after = outbox->newest;
    return outbox->spilled && !outbox->paused &&
           outbox->ring.tail - outbox->ring.head < outbox->ring.size / 2;
}

void outbox_refilled(struct outbox *outbox)
{
    if (outbox->newest < outbox->spilled)
        outbox->newest = outbox->spilled;
    outbox->spilled = 0;
}

static bool is_quiet(const struct outbox *outbox)
{
    return outbox->paused || outbox->rewinding || outbox->rejecting ||
           outbox->in_flight_count >= outbox->in_flight_max;
}

/* A first batch goes at once, however small; while one is under way the next waits and grows: the
 * group commit that adapts to the load. A full batch need not wait. */
static size_t count_ready(const struct outbox *outbox)
{
    uint64_t position = outbox->cursor;
    size_t count = 0, size;

    while (count < outbox->batch_limit && ring_at(&outbox->ring, position, &size)) {
        position = ring_next(&outbox->ring, position);
        count++;
    }
    return count;
}

static void read_entry(const struct outbox *outbox, uint64_t position, struct arrival *record)
{
    size_t size;
    const struct entry *entry = ring_at(&outbox->ring, position, &size);
    bool ok = arrival_decode((struct bytes){entry->payload, size - sizeof(*entry)}, record);

    assert(ok); /* we encoded it, or the journal's checksum vouches for it */
    record->number = entry->number;
}

size_t outbox_next(struct outbox *outbox, struct arrival *records, uint32_t *id)
{
    if (is_quiet(outbox))
        return 0;

    size_t count = count_ready(outbox);

    if (count == 0 || (outbox->in_flight_count > 0 && count < outbox->batch_limit / 2))
        return 0;
    for (size_t i = 0; i < count; i++) {
        read_entry(outbox, outbox->cursor, &records[i]);
        outbox->cursor = ring_next(&outbox->ring, outbox->cursor);
    }
    *id = outbox->next_id += 2;
    outbox->in_flight[outbox->in_flight_count++] = (struct outbox_batch){*id, (uint32_t)count};
    return count;
}

void outbox_unsent(struct outbox *outbox)
{
    uint32_t before = 0;

    outbox->in_flight_count--;
    for (uint32_t i = 0; i < outbox->in_flight_count; i++)
        before += outbox->in_flight[i].count;
    outbox->cursor = outbox->ring.head;
    while (before-- > 0)
        outbox->cursor = ring_next(&outbox->ring, outbox->cursor);
}

static void pop_committed(struct outbox *outbox, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ring_pop(&outbox->ring);
    outbox->committed += count;

    uint64_t oldest = outbox_oldest(outbox);

    if (outbox->batch_limit < outbox->batch_max && (oldest == 0 || oldest > outbox->narrow_until))
        outbox->batch_limit = outbox->batch_max;
}

static void narrow(struct outbox *outbox, uint32_t count)
{
    uint64_t position = outbox->ring.head;
    struct arrival last;

    for (uint32_t i = 1; i < count; i++)
        position = ring_next(&outbox->ring, position);
    read_entry(outbox, position, &last);
    if (last.number > outbox->narrow_until)
        outbox->narrow_until = last.number;
    outbox->batch_limit = count / 2;
}

bool outbox_result(struct outbox *outbox, uint32_t id, enum store_result result)
{
    struct outbox_batch batch = outbox->in_flight[0];

    if (outbox->in_flight_count == 0 || batch.id != id)
        return false; /* of a connection that was given up */
    outbox->in_flight_count--;
    memmove(outbox->in_flight, outbox->in_flight + 1,
            outbox->in_flight_count * sizeof(outbox->in_flight[0]));
    if (!outbox->rewinding) {
        if (result == STORE_COMMITTED) {
            pop_committed(outbox, batch.count);
        } else {
            outbox->rewinding = true;
            if (result == STORE_REFUSED && batch.count > 1)
                narrow(outbox, batch.count);
            else if (result == STORE_REFUSED)
                outbox->rejecting = true;
        }
    }
    if (outbox->rewinding && outbox->in_flight_count == 0) {
        outbox->rewinding = false;
        outbox->cursor = outbox->ring.head;
        return outbox->rejecting;
    }
    return false;
}

bool outbox_first(const struct outbox *outbox, struct arrival *record)
{
    if (outbox->ring.count == 0)
        return false;
    read_entry(outbox, outbox->ring.head, record);
    return true;
}

bool outbox_peek(const struct outbox *outbox, uint64_t *position, struct arrival *record)
{
    size_t size;

    if (*position < outbox->ring.head)
        *position = outbox->ring.head;
    if (!ring_at(&outbox->ring, *position, &size))
        return false;
    read_entry(outbox, *position, record);
    *position = ring_next(&outbox->ring, *position);
    return true;
}

void outbox_parked(struct outbox *outbox, bool done)
{
    if (!outbox->rejecting)
        return;
    outbox->rejecting = false;
    if (done) {
        outbox->refused++;
        pop_committed(outbox, 1);
        outbox->cursor = outbox->ring.head;
    }
}

void outbox_pause(struct outbox *outbox)
{
    outbox->paused = true;
    outbox->in_flight_count = 0;
    outbox->rewinding = outbox->rejecting = false;
    outbox->cursor = outbox->ring.head;
}

void outbox_resume(struct outbox *outbox)
{
    outbox->paused = false;
}

uint64_t outbox_oldest(const struct outbox *outbox)
{
    size_t size;
    const struct entry *first = ring_at(&outbox->ring, outbox->ring.head, &size);

    if (first)
        return first->number;
    return outbox->spilled ? outbox->newest + 1 : 0;
}

uint64_t outbox_committed_through(const struct outbox *outbox, uint64_t newest)
{
    uint64_t oldest = outbox_oldest(outbox);

    return oldest ? oldest - 1 : newest;
}

void outbox_skip_through(struct outbox *outbox, uint64_t number)
{
    const struct entry *first;
    size_t size;

    assert(outbox->in_flight_count == 0);
    while ((first = ring_at(&outbox->ring, outbox->ring.head, &size)) && first->number <= number)
        ring_pop(&outbox->ring);
    outbox->cursor = outbox->ring.head;
    if (outbox->ring.count > 0)
        return;
    if (outbox->newest < number)
        outbox->newest = number;
    if (outbox->spilled <= number)
        outbox->spilled = 0;
}
