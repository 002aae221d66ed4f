/*
 * One connection in libpq pipeline mode on a libevent base. Every submission is its own
 * transaction (a Sync follows each), results come back in the order of submission, each exactly
 * once, and nothing here blocks.
 *
 * What an outcome means for the caller:
 *   OK       committed;
 *   REFUSED  rolled back, and it is the submission's own fault (a value, a constraint, an error
 *            raised by the function): sending it again unchanged fails again. The connection and
 *            the submissions behind it live on;
 *   LOST     the world's fault (connection, server, lock, disk, standby, schema not migrated):
 *            committed or not, nobody knows. LOST always means that the connection was given up:
 *            all submissions in flight get LOST, then on_down; on_up says when to send again. So
 *            the pause between two tries is kept in one place, here.
 * The SQL states behind REFUSED and LOST stand in one table in pipeline.c.
 */
#ifndef ONEKEY_DB_PIPELINE_H
#define ONEKEY_DB_PIPELINE_H

#include "daemon/base/attributes.h"
#include "daemon/base/random.h"
#include "db/rows.h"
#include "db/statement.h"

#include <event2/event.h>
#include <stdbool.h>

#define PIPELINE_STATEMENTS_MAX 32
#define PIPELINE_IN_FLIGHT_MAX 256

struct pipeline;

enum pipeline_outcome { PIPELINE_OK, PIPELINE_REFUSED, PIPELINE_LOST };

struct pipeline_result {
    enum pipeline_outcome outcome;
    const char *sqlstate;         /* five characters; "" with OK and where the server said none */
    const char *message;          /* one line; "" with OK */
    const struct pg_result *rows; /* only with OK, else NULL */
};

/* Called once a submission. May submit; must not close the pipeline. */
typedef void pipeline_on_result(void *context, const struct pipeline_result *result);

struct pipeline_settings {
    const char *conninfo;
    const char *application_name;
    const char *const
        *setup; /* SQL run at each connect, NULL-terminated, e.g. "LISTEN x"; or NULL */
    const char *const *statements; /* SQL to prepare, NULL-terminated; named by their index */
    int timeout_ms;                /* longest wait for an answer; 0 = 5000 */
    int in_flight;                 /* most submissions without result; 0 = the maximum */
};

struct pipeline_callbacks {
    void *context;
    void (*on_up)(void *context); /* may be NULL, as the others */
    void (*on_down)(
        void *context,
        const char *reason); /* and when an attempt fails for a reason not told since it was up */
    void (*on_notify)(void *context, const char *channel, const char *payload);
};

/* Copies what it is given (the arrays of settings must outlive the pipeline; `random` is borrowed
 * for good). NULL, with *error set to a line that the caller frees, if conninfo cannot be read. */
struct pipeline *pipeline_open(struct event_base *base, const struct pipeline_settings *settings,
                               struct random *random, const struct pipeline_callbacks *callbacks,
                               char **error) MUST_USE;
/* Closes without calling back; submissions in flight may or may not be committed. */
void pipeline_close(struct pipeline *pipeline);

/* Sends one prepared statement. False if the connection is down or in_flight is reached; then
 * on_result is not called. `parameters` is borrowed for the call. */
bool pipeline_submit(struct pipeline *pipeline, int statement, const struct statement *parameters,
                     pipeline_on_result *on_result, void *context) MUST_USE;
bool pipeline_is_up(const struct pipeline *pipeline);
int pipeline_in_flight(const struct pipeline *pipeline);

#endif
