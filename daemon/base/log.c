#include "daemon/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_to_stderr(void *context, const char *line, size_t size)
{
    (void)context;
    /* One write, so that lines of two processes never mix; a log that cannot be written is lost. */
    ssize_t ignored = write(STDERR_FILENO, line, size);
    (void)ignored;
}

void log_init(struct log *log, enum log_level level)
{
    *log = (struct log){.level = level, .sink = write_to_stderr, .report_at_us = INT64_MAX};
}

static void emit(struct log *log, enum log_level level, const char *event,
                 const struct field *fields, size_t count)
{
    char line[LOG_LINE_MAX];
    int head = snprintf(line, sizeof(line), "<%d>%.200s", (int)level, event);
    size_t size = (size_t)head;
    size += field_write_logfmt(fields, count, line + size, sizeof(line) - size - 1);
    line[size++] = '\n';
    line[size] = '\0';
    log->sink(log->context, line, size);
}

/* The budget of a call site. Sites are found by content, not by address, so that the same run
 * logs the same lines wherever the program was loaded. */
static struct log_site *find_site(struct log *log, const char *event, int line)
{
    for (int i = 0; i < log->site_count; i++)
        if (log->sites[i].line == line && strcmp(log->sites[i].event, event) == 0)
            return &log->sites[i];
    if (log->site_count == LOG_SITES_MAX)
        return &log->sites[LOG_SITES_MAX - 1];
    log->sites[log->site_count] = (struct log_site){.event = event, .line = line};
    return &log->sites[log->site_count++];
}

static bool within_budget(struct log *log, struct log_site *site)
{
    if (log->now_us >= site->window_ends_us && site->suppressed == 0) {
        site->window_ends_us = log->now_us + LOG_WINDOW_US;
        site->written = 0;
    }
    if (site->written < LOG_BURST) {
        site->written++;
        return true;
    }
    site->suppressed++;
    if (site->window_ends_us < log->report_at_us)
        log->report_at_us = site->window_ends_us;
    return false;
}

void log_write(struct log *log, enum log_level level, int line, const char *event,
               const struct field *fields, size_t count)
{
    assert(level != LOG_SILENT);
    if (level > log->level)
        return;
    if (level == LOG_CRITICAL || within_budget(log, find_site(log, event, line)))
        emit(log, level, event, fields, count);
}

static void report(struct log *log, struct log_site *site)
{
    const struct field fields[] = {
        field_text("event", site->event),
        field_number("suppressed", site->suppressed),
    };
    site->suppressed = 0;
    emit(log, LOG_NOTICE, "log.suppressed", fields, 2);
}

void log_tick(struct log *log, int64_t mono_us)
{
    log->now_us = mono_us;
    if (mono_us < log->report_at_us)
        return;
    log->report_at_us = INT64_MAX;
    for (int i = 0; i < log->site_count; i++) {
        struct log_site *site = &log->sites[i];
        if (site->suppressed > 0 && mono_us >= site->window_ends_us)
            report(log, site);
        else if (site->suppressed > 0 && site->window_ends_us < log->report_at_us)
            log->report_at_us = site->window_ends_us;
    }
}
