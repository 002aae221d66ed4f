/*
 * One connection to PostgreSQL on a libevent base, kept up for ever: asynchronous connect, the
 * session's settings, tries again with a growing jittered pause, and notice when the server hangs.
 *
 *             pause over              ready for queries
 *   WAITING ------------> CONNECTING -------------------> UP
 *      ^                       | failed, slow              | uplink_fail, closed, hung
 *      +-----------------------+---------------------------+
 *
 * conninfo may name several hosts: each attempt tries the next one by itself with its own time
 * limit, so that a host which accepts and says nothing cannot hide the one that took over. Names
 * are looked up by libpq, which blocks: give addresses (hostaddr) or keep them in /etc/hosts.
 *
 * The callbacks only ever come from the event loop, never from inside a call of this module.
 * Used by pipeline.c; programs use pipeline.h and listen.h.
 */
#ifndef ONEKEY_DB_UPLINK_H
#define ONEKEY_DB_UPLINK_H

#include "daemon/base/random.h"

#include <event2/event.h>
#include <stdbool.h>

struct pg_conn;
struct uplink;

struct uplink_settings {
    const char *conninfo;
    const char *application_name; /* as pg_stat_activity shows it */
    int timeout_ms;               /* a connect or an answer that takes longer: the server hangs */
};

struct uplink_callbacks {
    void *context;
    /* Connected and idle: the user sends its set-up. */
    void (*on_connected)(void *context);
    /* Input has been consumed. */
    void (*on_input)(void *context);
    /* An attempt failed or the connection is gone, its PGconn is freed. One line, lent. */
    void (*on_down)(void *context, const char *reason);
};

/* Copies the settings and the callbacks; `random` is borrowed for good. The first attempt starts in
 * the next turn of the loop. NULL, with *error set to a line that the caller frees, if conninfo
 * cannot be read. */
struct uplink *uplink_open(struct event_base *base, const struct uplink_settings *settings,
                           struct random *random, const struct uplink_callbacks *callbacks,
                           char **error);
void uplink_close(struct uplink *uplink);

/* NULL if the connection is not up or has just been failed. */
struct pg_conn *uplink_pg(const struct uplink *uplink);
/* Sends what libpq holds back; never blocks. */
void uplink_flush(struct uplink *uplink);
/* Starts the clock by which an answer must come, or stops it. */
void uplink_expect(struct uplink *uplink, bool answer);
/* Gives the connection up, with the reason copied; on_down follows in this turn of the loop. */
void uplink_fail(struct uplink *uplink, const char *reason);

#endif
