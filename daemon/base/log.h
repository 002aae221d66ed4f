/*
 * The log: one logfmt line a state change, "<priority>event key=value ...", handed to a sink. Under
 * systemd standard error is the journal and reads the priority. The state is the caller's: which
 * level is wanted, where lines go, and how often each call site has spoken lately. A call site that
 * says more than LOG_BURST lines in LOG_WINDOW_US is silenced until the window ends, and the log then
 * says how many lines were left out. Never names, addresses or telephone numbers of residents.
 *
 *     log_event(log, LOG_INFO, "ticket.raised", field_number("number", 812),
 *               field_text("device", device));
 *
 * A zeroed struct log is silent. No clock: log_tick tells it the time.
 */
#ifndef ONEKEY_BASE_LOG_H
#define ONEKEY_BASE_LOG_H

#include "daemon/base/field.h"

#define LOG_LINE_MAX 1024
#define LOG_SITES_MAX 256 /* call sites that are told apart; those beyond share one budget */
#define LOG_BURST 20
#define LOG_WINDOW_US INT64_C(10000000)

/* Priorities of syslog(3). */
enum log_level {
    LOG_SILENT = 0,
    LOG_CRITICAL = 2, /* the process ends, or a promise is in danger; never rate-limited */
    LOG_ERROR = 3,
    LOG_WARNING = 4,
    LOG_NOTICE = 5,
    LOG_INFO = 6,
    LOG_DEBUG = 7
};

/* How one call site has used its budget. */
struct log_site {
    const char *event;
    int line;
    int32_t written; /* lines in this window */
    int64_t suppressed;
    int64_t window_ends_us;
};

struct log {
    enum log_level level; /* lines above it are dropped; may be changed at any time */
    void *context;
    void (*sink)(void *context, const char *line, size_t size); /* line ends with \n and NUL */
    int64_t now_us;
    int64_t report_at_us; /* no window with suppressed lines ends before; INT64_MAX: none */
    int site_count;
    struct log_site sites[LOG_SITES_MAX];
};

/* To standard error. Set sink and context afterwards for another place. */
void log_init(struct log *log, enum log_level level);
/* The time of this turn (mono). Reports what was suppressed in windows that have ended. */
void log_tick(struct log *log, int64_t mono_us);
/* Use log_event. `event` and the fields' names are literals. */
void log_write(struct log *log, enum log_level level, int line, const char *event,
               const struct field *fields, size_t count);

#define log_event(log, level, event, ...)                                                          \
    log_write(log, level, __LINE__, event, (const struct field[]){__VA_ARGS__},                    \
              sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field))

#endif
