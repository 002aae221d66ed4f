#include "daemon/journal/backlog.h"

#include <assert.h>
#include <string.h>

void backlog_init(struct backlog *backlog, struct journal *journal, uint64_t after,
                  const struct backlog_handler *handler)
{
    memset(backlog, 0, sizeof *backlog);
    backlog->journal = journal;
    backlog->handler = handler;
    backlog->after = after;
}

/* Bytes of this segment that may be read: the writer is at work behind them. */
static uint64_t readable(const struct journal *journal, const struct journal_segment *segment)
{
    if (segment->floor == journal->durable_segment)
        return journal->durable_offset;
    return segment->floor < journal->durable_segment ? segment->end : 0;
}

/* Moves to the next segment with bytes to read; false if there is none. */
static bool find_bytes(struct backlog *backlog, uint64_t *end)
{
    const struct journal *journal = backlog->journal;
    bool leaving = journal->preparing && journal->request.kind != JOURNAL_CREATE;
    for (uint32_t i = leaving ? 1 : 0; i < journal->used; i++) {
        const struct journal_segment *segment = &journal->setup.segments[i];
        if (segment->last <= backlog->after || segment->floor < backlog->scan.segment)
            continue;
        *end = readable(journal, segment);
        if (segment->floor > backlog->scan.segment && *end > 0)
            scan_begin(&backlog->scan, segment->floor);
        if (backlog->scan.segment == segment->floor && *end >= backlog->scan.offset + RECORD_HEADER)
            return true;
    }
    return false;
}

static bool hand_over(struct backlog *backlog, const struct record *record)
{
    const struct backlog_handler *handler = backlog->handler;
    uint64_t done = backlog->journal->checkpoint;
    if (record->number > backlog->after && !record_is_own(record) &&
        !handler->on_record(handler->context, record))
        return false;
    struct scan_damage damage;
    /* Holes up to the checkpoint nobody needs any more: whole segments may be gone from there. They
     * are forgotten before a later one, which was perhaps never promised, is joined to them. */
    scan_forget(&backlog->scan, done);
    if (scan_damaged(&backlog->scan, record, &damage) && damage.last > backlog->after &&
        damage.last > done)
        handler->on_damage(handler->context, &damage);
    return true;
}

enum backlog_state backlog_read(struct backlog *backlog, void *buffer, size_t size)
{
    assert(size >= BACKLOG_BUFFER_MIN);
    struct scan *scan = &backlog->scan;
    uint64_t end;
    if (!find_bytes(backlog, &end))
        return BACKLOG_DONE;
    const struct journal_disk *disk = backlog->journal->setup.disk;
    uint64_t start = scan->offset;
    size_t have = end - start < size ? (size_t)(end - start) : size;
    if (disk->read(disk->context, scan->segment, start, buffer, have) < 0)
        return BACKLOG_FAILED;
    for (;;) {
        struct scan before = *scan;
        struct record record;
        size_t at = (size_t)(scan->offset - start);
        if (scan_next(scan, (const uint8_t *)buffer + at, have - at, end, &record) != SCAN_RECORD)
            return BACKLOG_MORE;
        if (!hand_over(backlog, &record)) {
            *scan = before;
            return BACKLOG_STOPPED;
        }
    }
}

enum backlog_state backlog_replay(struct backlog *backlog, void *buffer, size_t size)
{
    enum backlog_state state = BACKLOG_MORE;
    while (state == BACKLOG_MORE)
        state = backlog_read(backlog, buffer, size);
    return state;
}
