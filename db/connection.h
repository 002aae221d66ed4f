/*
 * One connection to PostgreSQL on a libevent base, kept up for ever: asynchronous connect, the
 * session's settings, tries again with a growing jittered pause, and notice when the server hangs.
 *
 *            pause over             session ready
 *   WAITING ------------> CONNECTING ------------> UP
 *      ^                      | failed, slow        | connection_fail, closed, hung
 *      +----------------------+---------------------+
 *
 * conninfo may name several hosts: each attempt tries the next one by itself with its own time
 * limit, so that a host which accepts and says nothing cannot hide the one that took over. Names
 * are looked up by libpq, which blocks: give addresses (hostaddr) or keep them in /etc/hosts.
 *
 * Used by pipeline.c only; programs use pipeline.h and listen.h.
 */
#ifndef ONEKEY_DB_CONNECTION_H
#define ONEKEY_DB_CONNECTION_H

#include "daemon/base/random.h"

#include <event2/event.h>
#include <stdbool.h>

struct pg_conn;
struct connection;

struct connection_settings {
    const char *conninfo;
    const char *application_name; /* as pg_stat_activity shows it */
    int timeout_ms;               /* a connect or an answer that takes longer: the server hangs */
};

struct connection_callbacks {
    void *context;
    /* Connected, not busy: the user sends its set-up. */
    void (*on_connected)(void *context);
    /* Input was consumed, or output has room again. */
    void (*on_ready)(void *context);
    /* The connection is gone and its PGconn freed. `reason` is one line, lent. */
    void (*on_down)(void *context, const char *reason);
};

/* Copies the settings and the callbacks; takes nothing. The first attempt starts in the next turn
 * of the loop. NULL, with *error set to a line that the caller frees, if conninfo cannot be read. */
struct connection *connection_open(struct event_base *base,
                                   const struct connection_settings *settings,
                                   struct random *random,
                                   const struct connection_callbacks *callbacks, char **error);
void connection_close(struct connection *connection);

/* Valid from on_connected to on_down, NULL otherwise. */
struct pg_conn *connection_pg(const struct connection *connection);
/* Sends what libpq holds back; never blocks. */
void connection_flush(struct connection *connection);
/* The set-up worked: the next failure starts with the shortest pause again. */
void connection_is_good(struct connection *connection);
/* Starts (or, with false, stops) the clock by which an answer must come. */
void connection_expect(struct connection *connection, bool answer);
/* Gives the connection up now and tries again after the pause; calls on_down. */
void connection_fail(struct connection *connection, const char *reason);

#endif
