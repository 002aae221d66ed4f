#include "daemon/edge/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/error.h"
#include "daemon/base/log.h"
#include "daemon/edge/disk.h"
#include "daemon/journal/backlog.h"
#include "daemon/journal/journal.h"

#define BUFFER_SIZE JOURNAL_BUFFER_MAX
#define READ_SIZE (256u << 10)
/* Starts between which nothing reached the database: each leaves a short segment. */
#define RESTARTS_ROOM 4096u
#define PREPARE_RETRY_US (2 * US_PER_SECOND)

struct reader {
    struct ledger *ledger;
    struct backlog backlog;
    struct backlog_handler handler;
    bool open;
    uint8_t type; /* 0 = every type */
    bool (*on_record)(void *context, uint8_t type, uint64_t number, const void *payload,
                      size_t size);
    ledger_on_record *on_replayed;
    void *context;
};

struct ledger {
    struct log *log;
    struct disk *disk;
    struct journal journal;
    bool was_full;
    uint8_t *buffers;
    struct journal_segment *segments;
    struct reader readers[LEDGER_LANES], replay;
    uint8_t read_buffer[READ_SIZE];
};

static void on_damage(void *context, const struct scan_damage *damage)
{
    struct reader *reader = context;

    log_event(reader->ledger->log, LOG_CRITICAL, "journal.damaged",
              field_unsigned("segment", damage->segment), field_unsigned("offset", damage->offset),
              field_unsigned("bytes", damage->bytes), field_unsigned("first", damage->first),
              field_unsigned("last", damage->last));
}

static int open_journal(struct ledger *ledger, const struct ledger_settings *settings)
{
    uint64_t total = settings->total_bytes;
    uint32_t room = (uint32_t)(total / settings->segment_bytes) + RESTARTS_ROOM;
    uint32_t buffer = BUFFER_SIZE;

    if (buffer > settings->segment_bytes / 4)
        buffer = (uint32_t)(settings->segment_bytes / 4);
    ledger->buffers = calloc(2, buffer);
    ledger->segments = calloc(room, sizeof(*ledger->segments));
    if (!ledger->buffers || !ledger->segments)
        return ERR_FULL;
    return journal_open(&ledger->journal,
                        &(struct journal_setup){
                            .disk = disk_port(ledger->disk),
                            .wall_seconds = (uint64_t)(settings->now.wall_us / US_PER_SECOND),
                            .bytes_max = total,
                            .segment_size = (uint32_t)settings->segment_bytes,
                            .buffer_size = buffer,
                            .buffers = ledger->buffers,
                            .segments = ledger->segments,
                            .segments_room = room,
                            .retry_us = PREPARE_RETRY_US,
                        });
}

static void release(struct ledger *ledger)
{
    disk_close(ledger->disk);
    free(ledger->buffers);
    free(ledger->segments);
    free(ledger);
}

struct ledger *ledger_open(const struct ledger_settings *settings, struct log *log, char *error,
                           size_t error_size)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    int result = ERR_FULL;

    if (ledger) {
        ledger->log = log;
        result = disk_open(&ledger->disk, settings->directory, settings->clock_mono_us);
        if (result == 0)
            result = open_journal(ledger, settings);
        if (result == 0)
            result = disk_start(ledger->disk);
        if (result == 0)
            return ledger;
    }
    if (result == ERR_EXISTS)
        snprintf(error, error_size, "%s: another onekeyd uses this journal; stop it first",
                 settings->directory);
    else
        snprintf(error, error_size, "%s: cannot open the journal: %s (%s)", settings->directory,
                 error_text(result), strerror(errno));
    if (ledger)
        release(ledger);
    return NULL;
}

static bool on_replayed(void *context, const struct record *record)
{
    struct reader *reader = context;

    reader->on_replayed(reader->context, record->type, record->number, record->payload,
                        record->size);
    return true;
}

enum ledger_replay ledger_replay(struct ledger *ledger, ledger_on_record *on_record, void *context)
{
    struct reader *reader = &ledger->replay;

    if (!reader->open) {
        *reader = (struct reader){.ledger = ledger, .open = true};
        reader->handler = (struct backlog_handler){reader, on_replayed, on_damage};
        backlog_init(&reader->backlog, &ledger->journal,
                     journal_checkpoint_number(&ledger->journal), &reader->handler);
    }
    reader->on_replayed = on_record;
    reader->context = context;
    switch (backlog_read(&reader->backlog, ledger->read_buffer, READ_SIZE)) {
    case BACKLOG_DONE:
        return LEDGER_END;
    case BACKLOG_FAILED:
        return LEDGER_FAILED;
    case BACKLOG_MORE:
    case BACKLOG_STOPPED:
        break;
    }
    return LEDGER_MORE;
}

uint64_t ledger_append(struct ledger *ledger, uint8_t type, const void *payload, size_t size)
{
    return journal_append(&ledger->journal, type, payload, size);
}

bool ledger_has_room(const struct ledger *ledger, size_t size)
{
    return journal_has_room(&ledger->journal, size);
}

bool ledger_has_reserve(const struct ledger *ledger)
{
    return journal_has_reserve(&ledger->journal);
}

bool ledger_is_full(const struct ledger *ledger)
{
    return journal_is_full(&ledger->journal);
}

uint64_t ledger_free_bytes(const struct ledger *ledger)
{
    return journal_free_bytes(&ledger->journal);
}

int ledger_fd(const struct ledger *ledger)
{
    return disk_completion_fd(ledger->disk);
}

static void log_fullness(struct ledger *ledger)
{
    bool full = journal_is_full(&ledger->journal);

    if (full && !ledger->was_full)
        log_event(ledger->log, LOG_CRITICAL, "journal.full",
                  field_text("remedy", "make room on the journal's disk, or bring the database "
                                       "back; alarms are not acknowledged until then"));
    if (!full && ledger->was_full)
        log_event(ledger->log, LOG_NOTICE, "journal.has_room",
                  field_unsigned("free_bytes", journal_free_bytes(&ledger->journal)));
    ledger->was_full = full;
}

bool ledger_collect(struct ledger *ledger, int64_t mono_us)
{
    struct disk_completion done;

    while (disk_take_completion(ledger->disk, &done)) {
        if (done.kind == DISK_PREPARE) {
            journal_prepared(&ledger->journal, mono_us, done.error);
            continue;
        }
        journal_written(&ledger->journal, done.error);
        if (done.error) {
            log_event(ledger->log, LOG_CRITICAL, "journal.write_failed",
                      field_text("error", strerror(done.system_error)),
                      field_text("remedy", "the daemon ends; a restart replays the journal"));
            return false;
        }
    }
    log_fullness(ledger);
    return true;
}

uint64_t ledger_durable(const struct ledger *ledger)
{
    return journal_durable(&ledger->journal);
}

void ledger_flush(struct ledger *ledger, int64_t mono_us)
{
    struct journal_prepare request;
    struct journal_write write;

    if (journal_take(&ledger->journal, &write))
        disk_submit_write(ledger->disk, &write);
    if (journal_prepare(&ledger->journal, mono_us, &request))
        disk_submit_prepare(ledger->disk, &request);
}

void ledger_checkpoint(struct ledger *ledger, uint64_t number)
{
    if (number > journal_checkpoint_number(&ledger->journal))
        journal_checkpoint(&ledger->journal, number);
}

static bool on_read_back(void *context, const struct record *record)
{
    struct reader *reader = context;

    return record->type != reader->type ||
           reader->on_record(reader->context, record->type, record->number, record->payload,
                             record->size);
}

bool ledger_read_back(struct ledger *ledger, uint8_t type, uint64_t after,
                      bool (*on_record)(void *context, uint8_t type, uint64_t number,
                                        const void *payload, size_t size),
                      void *context)
{
    struct reader *reader = &ledger->readers[(type - 1) % LEDGER_LANES];

    if (!reader->open) {
        *reader = (struct reader){.ledger = ledger, .open = true, .type = type};
        reader->handler = (struct backlog_handler){reader, on_read_back, on_damage};
        backlog_init(&reader->backlog, &ledger->journal, after, &reader->handler);
    }
    reader->on_record = on_record;
    reader->context = context;
    if (backlog_read(&reader->backlog, ledger->read_buffer, READ_SIZE) != BACKLOG_DONE)
        return false;
    reader->open = false;
    return true;
}

void ledger_close(struct ledger *ledger)
{
    disk_stop(ledger->disk);
    journal_settle(&ledger->journal);
    if (!journal_has_failed(&ledger->journal) && journal_sync(&ledger->journal) != 0)
        log_event(ledger->log, LOG_ERROR, "journal.close_failed");
    release(ledger);
}

struct ledger_figures ledger_figures(struct ledger *ledger)
{
    struct disk_figures disk;

    disk_read_figures(ledger->disk, &disk);
    return (struct ledger_figures){
        .writes = disk.writes,
        .bytes = disk.bytes,
        .write_last_us = disk.write_last_us,
        .write_max_us = disk.write_max_us,
        .write_total_us = disk.write_total_us,
        .write_age_us = disk_write_age_us(ledger->disk),
        .free_bytes = journal_free_bytes(&ledger->journal),
        .durable = journal_durable(&ledger->journal),
        .checkpoint = journal_checkpoint_number(&ledger->journal),
        .full = journal_is_full(&ledger->journal),
    };
}
