#include "daemon/journal/journal.h"

#include "daemon/base/error.h"

#include <assert.h>
#include <string.h>

/* Pruned segments kept to be recycled; more are removed. */
#define SPARES 2u
/* What a caller's record may bring along: a segment record, or a checkpoint. */
#define OVERHEAD RECORD_OWN_SIZE
/* What a segment that is only read is cut to a multiple of. */
#define BLOCK 4096u
#define WALL_SECONDS_END (RECORD_NUMBER_END / JOURNAL_RUN_GAP)

static int find_segments(struct journal *journal);
static int find_end(struct journal *journal, uint64_t *last);
static int prepare_first(struct journal *journal);

/* --- opening --- */

static bool setup_is_valid(const struct journal_setup *setup)
{
    return setup->segment_size >= JOURNAL_SEGMENT_MIN &&
           setup->segment_size <= JOURNAL_SEGMENT_SIZE && setup->segment_size % 4096 == 0 &&
           setup->buffer_size >= JOURNAL_BUFFER_MIN && setup->buffer_size % 8 == 0 &&
           setup->buffer_size <= JOURNAL_BUFFER_MAX &&
           setup->buffer_size <= setup->segment_size / 2 &&
           setup->bytes_max / setup->segment_size >= 2 &&
           setup->segments_room >= setup->bytes_max / setup->segment_size &&
           setup->wall_seconds < WALL_SECONDS_END;
}

int journal_open(struct journal *journal, const struct journal_setup *setup)
{
    memset(journal, 0, sizeof *journal);
    journal->setup = *setup;
    if (!setup_is_valid(setup))
        return ERR_INVALID;
    journal->buffer[0].data = setup->buffers;
    journal->buffer[1].data = setup->buffers + setup->buffer_size;
    journal->retry_at_us = INT64_MIN;

    uint64_t last = 0;
    int error = find_segments(journal);
    if (error == 0)
        error = find_end(journal, &last);
    if (error < 0)
        return error;
    uint64_t by_clock = setup->wall_seconds * JOURNAL_RUN_GAP;
    journal->next = last + JOURNAL_RUN_GAP > by_clock ? last + JOURNAL_RUN_GAP : by_clock;
    journal->durable = journal->next - 1;
    return prepare_first(journal);
}

static int add_segment(void *argument, uint64_t floor, uint64_t size)
{
    struct journal *journal = argument;
    struct journal_segment *segments = journal->setup.segments;
    if (journal->used == journal->setup.segments_room)
        return ERR_FULL;
    if (floor >= RECORD_NUMBER_END)
        return ERR_CORRUPT;
    uint32_t at = journal->used++;
    for (; at > 0 && segments[at - 1].floor > floor; at--)
        segments[at] = segments[at - 1];
    uint32_t clipped = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    segments[at] = (struct journal_segment){.floor = floor, .size = clipped, .end = clipped};
    return 0;
}

static int find_segments(struct journal *journal)
{
    const struct journal_disk *disk = journal->setup.disk;
    return disk->list(disk->context, add_segment, journal);
}

/* Reads a whole segment for its last number (0: it holds no record), where that ends, and its last
 * checkpoint. `needed` is the last number that is not the journal's own. */
static int scan_segment(struct journal *journal, struct journal_segment *segment, uint64_t *needed)
{
    const struct journal_disk *disk = journal->setup.disk;
    uint8_t *window = journal->setup.buffers;
    uint64_t window_size = 2 * (uint64_t)journal->setup.buffer_size;
    struct scan scan = {0};
    uint64_t end = segment->end;
    scan_begin(&scan, segment->floor);
    enum scan_result result = SCAN_MORE;
    while (result != SCAN_END) {
        uint64_t start = scan.offset;
        uint64_t rest = end - start;
        size_t have = (size_t)(rest < window_size ? rest : window_size);
        int error = disk->read(disk->context, segment->floor, start, window, have);
        if (error < 0)
            return error;
        struct record record;
        for (size_t at = 0;
             (result = scan_next(&scan, window + at, have - at, end, &record)) == SCAN_RECORD;) {
            at = (size_t)(scan.offset - start);
            segment->end = (uint32_t)scan.offset;
            if (!record_is_own(&record))
                *needed = record.number;
            if (record_checkpoint(&record) > journal->checkpoint)
                journal->checkpoint = record_checkpoint(&record);
        }
    }
    segment->last = scan.last;
    return 0;
}

/* The number of the first record, from its header alone; 0 if that does not read. */
static uint64_t first_number(struct journal *journal, const struct journal_segment *segment)
{
    const struct journal_disk *disk = journal->setup.disk;
    uint8_t bytes[RECORD_OWN_SIZE];
    struct record record;
    if (segment->size < sizeof bytes ||
        disk->read(disk->context, segment->floor, 0, bytes, sizeof bytes) < 0 ||
        record_decode(bytes, sizeof bytes, &record) != RECORD_GOOD ||
        record.number < segment->floor)
        return 0;
    return record.number;
}

/* The last run's segment will only be read: the room behind its last record is given back. Else a daemon
 * that starts again and again without its database would fill the budget with what is not there. */
static void shorten_last(const struct journal *journal, struct journal_segment *segment)
{
    const struct journal_disk *disk = journal->setup.disk;
    uint32_t size = (segment->end + BLOCK - 1) / BLOCK * BLOCK;
    if (size < segment->size && disk->shorten(disk->context, segment->floor, size) == 0)
        segment->size = size;
}

/* The newest segment with a record tells the last number and checkpoint; each older one ends before
 * the next begins. Younger ones, empty, come first in the table: they are pruned already. */
static int find_end(struct journal *journal, uint64_t *last)
{
    struct journal_segment *segments = journal->setup.segments;
    uint32_t filled = journal->used;
    if (filled == 0)
        return 0;
    *last = segments[filled - 1].floor;
    uint64_t bound = 0, needed = 0;
    while (filled > 0 && bound == 0) {
        int error = scan_segment(journal, &segments[filled - 1], &needed);
        if (error < 0)
            return error;
        bound = segments[filled - 1].last;
        filled -= bound == 0;
    }
    *last = bound > *last ? bound : *last;
    for (uint32_t i = filled; i-- > 0;) {
        segments[i].last = bound;
        uint64_t first = i > 0 ? first_number(journal, &segments[i]) : 0;
        bound = first > 0 && first <= bound ? first - 1 : bound;
    }
    if (filled > 0) {
        journal->durable_segment = segments[filled - 1].floor;
        journal->durable_offset = segments[filled - 1].end;
        if (needed > journal->checkpoint)
            shorten_last(journal, &segments[filled - 1]);
    }
    for (; filled < journal->used; filled++) {
        struct journal_segment empty = segments[filled];
        memmove(segments + 1, segments, filled * sizeof *segments);
        segments[0] = empty;
    }
    return 0;
}

static int perform(const struct journal_disk *disk, const struct journal_prepare *request)
{
    switch (request->kind) {
    case JOURNAL_CREATE:
        return disk->create(disk->context, request->segment, request->size);
    case JOURNAL_RECYCLE:
        return disk->recycle(disk->context, request->from, request->segment);
    case JOURNAL_REMOVE:
        return disk->remove(disk->context, request->segment);
    }
    return ERR_INVALID;
}

static int prepare_first(struct journal *journal)
{
    struct journal_prepare request;
    int error = 0;
    while (error == 0 && !journal->ready && journal_prepare(journal, INT64_MIN, &request)) {
        error = perform(journal->setup.disk, &request);
        journal_prepared(journal, INT64_MIN, error);
    }
    journal->retry_at_us = INT64_MIN;
    return error == ERR_NO_SPACE ? 0 : error;
}

/* --- appending --- */

static struct journal_segment *active_segment(const struct journal *journal)
{
    return &journal->setup.segments[journal->used - 1];
}

static uint64_t active_room(const struct journal *journal)
{
    return journal->active ? active_segment(journal)->size - journal->offset : 0;
}

/* The part of the filling buffer that ends at the end of the active segment. */
static struct journal_part *current_part(struct journal *journal, struct journal_buffer *buffer)
{
    struct journal_write *write = &buffer->write;
    uint64_t segment = active_segment(journal)->floor;
    if (write->parts == 0 || write->part[write->parts - 1].segment != segment) {
        assert(write->parts < ARRAY_SIZE(write->part));
        write->part[write->parts++] = (struct journal_part){
            .segment = segment, .offset = journal->offset, .data = buffer->data + buffer->size};
    }
    return &write->part[write->parts - 1];
}

static uint64_t put(struct journal *journal, uint8_t type, const void *payload, size_t size)
{
    struct journal_buffer *buffer = &journal->buffer[journal->filling];
    struct journal_part *part = current_part(journal, buffer);
    struct record record = {.number = journal->next++,
                            .durable = journal->durable,
                            .payload = payload,
                            .size = (uint16_t)size,
                            .type = type};
    size_t bytes = record_size(size);
    record_encode(&record, buffer->data + buffer->size);
    buffer->size += bytes;
    part->size += bytes;
    journal->offset += bytes;
    buffer->write.last = record.number;
    return record.number;
}

static void put_own(struct journal *journal, uint8_t type)
{
    uint8_t payload[8];
    record_put_checkpoint(payload, journal->checkpoint);
    (void)put(journal, type, payload, sizeof payload);
    journal->checkpoint_owed = false;
}

/* The prepared segment becomes the active one. */
static void roll(struct journal *journal)
{
    assert(journal->ready);
    if (journal->active) {
        active_segment(journal)->last = journal->next - 1;
        active_segment(journal)->end = (uint32_t)journal->offset;
    }
    journal->used++;
    journal->ready = false;
    journal->active = true;
    journal->offset = 0;
    put_own(journal, RECORD_SEGMENT);
}

bool journal_has_room(const struct journal *journal, size_t size)
{
    size_t bytes = record_size(size) + OVERHEAD;
    return !journal->failed &&
           journal->buffer[journal->filling].size + bytes <= journal->setup.buffer_size &&
           (active_room(journal) >= bytes || journal->ready);
}

bool journal_has_reserve(const struct journal *journal)
{
    uint32_t size = journal->setup.buffer_size;

    return journal->buffer[journal->filling].size <= size - size / 4;
}

uint64_t journal_append(struct journal *journal, uint8_t type, const void *payload, size_t size)
{
    assert(type > 0 && type < RECORD_CHECKPOINT && size <= RECORD_PAYLOAD_MAX);
    if (!journal_has_room(journal, size))
        return 0;
    if (active_room(journal) < record_size(size) + OVERHEAD)
        roll(journal);
    else if (journal->checkpoint_owed)
        put_own(journal, RECORD_CHECKPOINT);
    return put(journal, type, payload, size);
}

void journal_checkpoint(struct journal *journal, uint64_t number)
{
    assert(number < journal->next);
    if (number <= journal->checkpoint)
        return;
    journal->checkpoint = number;
    journal->checkpoint_owed = true;
}

void journal_settle(struct journal *journal)
{
    if (!journal->checkpoint_owed || !journal_has_room(journal, 0))
        return;
    if (active_room(journal) < RECORD_OWN_SIZE)
        roll(journal);
    else
        put_own(journal, RECORD_CHECKPOINT);
}

/* --- writing --- */

bool journal_take(struct journal *journal, struct journal_write *write)
{
    const struct journal_buffer *buffer = &journal->buffer[journal->filling];
    if (journal->failed || journal->writing || buffer->size == 0)
        return false;
    *write = buffer->write;
    journal->writing = true;
    journal->filling ^= 1;
    return true;
}

uint64_t journal_written(struct journal *journal, int error)
{
    assert(journal->writing);
    journal->writing = false;
    journal->failed = error < 0;
    if (journal->failed)
        return journal->durable;
    struct journal_buffer *buffer = &journal->buffer[journal->filling ^ 1];
    const struct journal_part *end = &buffer->write.part[buffer->write.parts - 1];
    journal->durable = buffer->write.last;
    journal->durable_segment = end->segment;
    journal->durable_offset = end->offset + end->size;
    buffer->size = 0;
    memset(&buffer->write, 0, sizeof buffer->write);
    return journal->durable;
}

/* --- preparing and pruning --- */

/* Whether nobody needs the segment at this place in the table, neither a consumer nor the writer. */
static bool is_pruned(const struct journal *journal, uint32_t at)
{
    if (at >= journal->used || (journal->active && at == journal->used - 1))
        return false;
    uint64_t last = journal->setup.segments[at].last;
    return last <= journal->checkpoint && last <= journal->durable;
}

static uint64_t total_bytes(const struct journal *journal)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < journal->used + journal->ready; i++)
        total += journal->setup.segments[i].size;
    return total;
}

static bool may_create(const struct journal *journal)
{
    const struct journal_setup *setup = &journal->setup;
    return journal->used < setup->segments_room &&
           total_bytes(journal) + setup->segment_size <= setup->bytes_max;
}

/* Only called without a ready segment. False if all there may be are in use. */
static bool next_segment(const struct journal *journal, struct journal_prepare *request)
{
    const struct journal_segment *oldest = &journal->setup.segments[0];
    uint32_t size = journal->setup.segment_size;
    *request = (struct journal_prepare){JOURNAL_CREATE, journal->next, 0, size};
    if (!is_pruned(journal, 0))
        return may_create(journal);
    request->kind = oldest->size == size ? JOURNAL_RECYCLE : JOURNAL_REMOVE;
    if (request->kind == JOURNAL_RECYCLE)
        request->from = oldest->floor;
    else
        request->segment = oldest->floor;
    return true;
}

bool journal_prepare(struct journal *journal, int64_t now_us, struct journal_prepare *request)
{
    if (journal->failed || journal->preparing || now_us < journal->retry_at_us)
        return false;
    if (!journal->ready)
        journal->preparing = next_segment(journal, request);
    else if (is_pruned(journal, SPARES)) {
        *request = (struct journal_prepare){.kind = JOURNAL_REMOVE,
                                            .segment = journal->setup.segments[0].floor};
        journal->preparing = true;
    }
    if (journal->preparing)
        journal->request = *request;
    return journal->preparing;
}

static void drop_oldest(struct journal *journal)
{
    struct journal_segment *segments = journal->setup.segments;
    journal->used--;
    memmove(segments, segments + 1, (journal->used + journal->ready) * sizeof *segments);
}

void journal_prepared(struct journal *journal, int64_t now_us, int error)
{
    assert(journal->preparing);
    journal->preparing = false;
    journal->starved = error < 0;
    journal->retry_at_us = error < 0 ? now_us + journal->setup.retry_us : INT64_MIN;
    if (error < 0)
        return;
    if (journal->request.kind != JOURNAL_CREATE)
        drop_oldest(journal);
    if (journal->request.kind == JOURNAL_REMOVE)
        return;
    assert(!journal->ready);
    journal->setup.segments[journal->used] = (struct journal_segment){
        .floor = journal->request.segment, .last = UINT64_MAX, .size = journal->setup.segment_size};
    journal->ready = true;
}

/* --- state --- */

bool journal_is_full(const struct journal *journal)
{
    struct journal_prepare request;
    if (journal->ready || active_room(journal) >= RECORD_SIZE_MAX + OVERHEAD)
        return false;
    return journal->starved || (!journal->preparing && !next_segment(journal, &request));
}

bool journal_has_failed(const struct journal *journal)
{
    return journal->failed;
}

uint64_t journal_durable(const struct journal *journal)
{
    return journal->durable;
}

uint64_t journal_checkpoint_number(const struct journal *journal)
{
    return journal->checkpoint;
}

uint64_t journal_free_bytes(const struct journal *journal)
{
    const struct journal_setup *setup = &journal->setup;
    uint64_t room = active_room(journal) + (journal->ready ? setup->segment_size : 0);
    uint64_t total = total_bytes(journal);
    for (uint32_t i = 0; is_pruned(journal, i); i++) {
        room += setup->segments[i].size;
    }
    if (!journal->starved && total < setup->bytes_max)
        room += setup->bytes_max - total;
    return room;
}

int journal_sync(struct journal *journal)
{
    const struct journal_disk *disk = journal->setup.disk;
    struct journal_write write;
    while (journal_take(journal, &write)) {
        int error = 0;
        for (unsigned i = 0; i < write.parts && error == 0; i++) {
            const struct journal_part *part = &write.part[i];
            error = disk->write(disk->context, part->segment, part->offset, part->data, part->size);
        }
        (void)journal_written(journal, error);
        if (error < 0)
            return error;
    }
    struct journal_prepare request;
    while (journal_prepare(journal, journal->retry_at_us, &request)) {
        int error = perform(disk, &request);
        journal_prepared(journal, journal->retry_at_us, error);
        if (error < 0)
            break;
    }
    return 0;
}
