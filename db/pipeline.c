#include "db/pipeline.h"

#include "db/uplink.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 5000
#define MESSAGE_MAX 512
#define REASONS_MAX 8 /* remembered of one time that it is down */

/* SQL states, or their first characters, that say nothing against the submission: the same one may
 * succeed later or elsewhere. All others are REFUSED. */
static const char *const states_of_the_world[] = {
    "08",    /* connection */
    "0A",    /* a cached plan that no longer fits: prepare anew */
    "25",    /* transaction state; 25006: this host is a standby */
    "26",    /* prepared statement gone */
    "28",    /* not let in */
    "3D",    /* no such database */
    "3F",    /* no such schema: not migrated yet, as the following */
    "40",    /* serialisation, deadlock */
    "42501", /* no privilege */
    "42703", /* no such column */
    "42883", /* no such function */
    "42P01", /* no such table */
    "53",    /* disk, memory or connections exhausted */
    "55",    /* lock not available, object in use */
    "57",    /* cancelled, timed out, shutting down */
    "58",    /* I/O error of the system */
    "F0",    /* configuration file */
    "XX",    /* internal error, corruption */
};

struct submission {
    pipeline_on_result *on_result; /* NULL: the set-up of the session */
    void *context;
    PGresult *answer; /* held until the Sync: only then it is committed */
};

struct pipeline {
    struct uplink *uplink;
    struct pipeline_settings settings;
    struct pipeline_callbacks callbacks;
    bool is_up;                          /* the set-up is done */
    char told[REASONS_MAX][MESSAGE_MAX]; /* why it is down, as was told */
    unsigned told_count;
    struct submission queue[PIPELINE_IN_FLIGHT_MAX];
    unsigned first, count; /* a ring, oldest first */
};

static void on_connected(void *context);
static void on_input(void *context);
static void on_down(void *context, const char *reason);

struct pipeline *pipeline_open(struct event_base *base, const struct pipeline_settings *settings,
                               struct random *random, const struct pipeline_callbacks *callbacks,
                               char **error)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline)
        abort(); /* out of memory: the supervisor starts us anew */

    pipeline->settings = *settings;
    if (settings->timeout_ms <= 0)
        pipeline->settings.timeout_ms = TIMEOUT_MS;
    if (settings->in_flight <= 0 || settings->in_flight > PIPELINE_IN_FLIGHT_MAX)
        pipeline->settings.in_flight = PIPELINE_IN_FLIGHT_MAX;
    pipeline->callbacks = *callbacks;
    struct uplink_settings wanted = {
        .conninfo = settings->conninfo,
        .application_name = settings->application_name,
        .timeout_ms = pipeline->settings.timeout_ms,
    };
    struct uplink_callbacks answers = {pipeline, on_connected, on_input, on_down};
    pipeline->uplink = uplink_open(base, &wanted, random, &answers, error);
    if (!pipeline->uplink) {
        free(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (; pipeline->count > 0; pipeline->count--) {
        PQclear(pipeline->queue[pipeline->first].answer);
        pipeline->first = (pipeline->first + 1) % PIPELINE_IN_FLIGHT_MAX;
    }
    uplink_close(pipeline->uplink);
    free(pipeline);
}

bool pipeline_is_up(const struct pipeline *pipeline)
{
    return pipeline->is_up && uplink_pg(pipeline->uplink);
}

int pipeline_in_flight(const struct pipeline *pipeline)
{
    return (int)pipeline->count;
}

/* Ends what was sent since the last Sync and puts it in the queue. */
static bool sync_submission(struct pipeline *pipeline, pipeline_on_result *on_result, void *context)
{
    PGconn *pg = uplink_pg(pipeline->uplink);

    if (!PQpipelineSync(pg)) {
        uplink_fail(pipeline->uplink, PQerrorMessage(pg));
        return false;
    }
    unsigned last = (pipeline->first + pipeline->count) % PIPELINE_IN_FLIGHT_MAX;
    pipeline->queue[last] = (struct submission){on_result, context, NULL};
    if (pipeline->count++ == 0)
        uplink_expect(pipeline->uplink, true);
    uplink_flush(pipeline->uplink);
    return true;
}

bool pipeline_submit(struct pipeline *pipeline, int statement, const struct statement *parameters,
                     pipeline_on_result *on_result, void *context)
{
    const char *values[STATEMENT_PARAMETERS_MAX];
    char name[16];

    assert(on_result);
    if (!pipeline_is_up(pipeline) || pipeline->count >= (unsigned)pipeline->settings.in_flight)
        return false;
    for (int i = 0; i < parameters->count; i++)
        values[i] = statement_parameter(parameters, i);
    snprintf(name, sizeof name, "%d", statement);
    PGconn *pg = uplink_pg(pipeline->uplink);
    if (!PQsendQueryPrepared(pg, name, parameters->count, values, NULL, NULL, 0)) {
        uplink_fail(pipeline->uplink, PQerrorMessage(pg));
        return false;
    }
    return sync_submission(pipeline, on_result, context);
}

/* --- set-up of a session --- */

static bool send_setup(struct pipeline *pipeline, PGconn *pg)
{
    static const char session[] =
        "SELECT set_config('statement_timeout', $1, false), set_config('TimeZone', 'UTC', false),"
        " set_config('DateStyle', 'ISO', false), set_config('bytea_output', 'hex', false)";
    char limit[16], name[16];
    const char *values[] = {limit};
    const char *const *setup = pipeline->settings.setup;
    const char *const *statements = pipeline->settings.statements;

    /* The server gives up before we do, so that it does not work on for nobody. */
    snprintf(limit, sizeof limit, "%d", pipeline->settings.timeout_ms * 4 / 5);
    if (!PQenterPipelineMode(pg) || !PQsendQueryParams(pg, session, 1, NULL, values, NULL, NULL, 0))
        return false;
    for (; setup && *setup; setup++)
        if (!PQsendQueryParams(pg, *setup, 0, NULL, NULL, NULL, NULL, 0))
            return false;
    for (int i = 0; statements && statements[i]; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (!PQsendPrepare(pg, name, statements[i], 0, NULL))
            return false;
    }
    return true;
}

static void on_connected(void *context)
{
    struct pipeline *pipeline = context;
    PGconn *pg = uplink_pg(pipeline->uplink);

    if (send_setup(pipeline, pg))
        sync_submission(pipeline, NULL, NULL);
    else
        uplink_fail(pipeline->uplink, PQerrorMessage(pg));
}

/* --- results --- */

static struct submission pop(struct pipeline *pipeline)
{
    struct submission submission = pipeline->queue[pipeline->first];

    pipeline->first = (pipeline->first + 1) % PIPELINE_IN_FLIGHT_MAX;
    pipeline->count--;
    uplink_expect(pipeline->uplink, pipeline->count > 0);
    return submission;
}

static bool is_error(const PGresult *answer)
{
    ExecStatusType status = PQresultStatus(answer);

    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

static bool is_of_the_world(const char *sqlstate)
{
    for (size_t i = 0; i < ARRAY_SIZE(states_of_the_world); i++)
        if (strncmp(sqlstate, states_of_the_world[i], strlen(states_of_the_world[i])) == 0)
            return true;
    return sqlstate[0] == '\0';
}

/* "22P02 invalid input syntax …"; without the detail, which may quote a resident's data. */
static void describe(const PGresult *answer, char message[MESSAGE_MAX])
{
    const char *sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(message, MESSAGE_MAX, "%s %s", sqlstate ? sqlstate : "-----",
             primary ? primary : PQresultErrorMessage(answer));
    for (char *at = message; (at = strpbrk(at, "\r\n\t"));)
        *at = ' ';
}

/* The oldest submission has come to its Sync: it is committed or rolled back. */
static void settle(struct pipeline *pipeline)
{
    struct submission *oldest = &pipeline->queue[pipeline->first];
    struct pipeline_result result = {PIPELINE_OK, "", "", NULL};
    char message[MESSAGE_MAX];

    assert(pipeline->count > 0 && oldest->answer);
    if (is_error(oldest->answer)) {
        const char *sqlstate = PQresultErrorField(oldest->answer, PG_DIAG_SQLSTATE);
        describe(oldest->answer, message);
        if (!oldest->on_result || is_of_the_world(sqlstate ? sqlstate : "")) {
            uplink_fail(pipeline->uplink, message);
            return;
        }
        result = (struct pipeline_result){PIPELINE_REFUSED, sqlstate, message, NULL};
    } else {
        result.rows = oldest->answer;
    }
    struct submission submission = pop(pipeline);
    if (submission.on_result) {
        submission.on_result(submission.context, &result);
    } else {
        pipeline->is_up = true;
        if (pipeline->callbacks.on_up)
            pipeline->callbacks.on_up(pipeline->callbacks.context);
    }
    PQclear(submission.answer);
}

/* Keeps the last answer of a submission, or the first that is an error: what comes behind an error
 * only says that it was skipped. An error at the commit itself comes behind a good answer. */
static void keep(struct pipeline *pipeline, PGresult *answer)
{
    struct submission *oldest = &pipeline->queue[pipeline->first];

    if (oldest->answer && is_error(oldest->answer)) {
        PQclear(answer);
    } else {
        PQclear(oldest->answer);
        oldest->answer = answer;
    }
}

/* libpq gives for each submission: its answers, a NULL behind each, and the Sync. */
static void read_results(struct pipeline *pipeline)
{
    PGconn *pg;
    int nulls = 0;

    while ((pg = uplink_pg(pipeline->uplink)) && pipeline->count > 0 && !PQisBusy(pg)) {
        PGresult *answer = PQgetResult(pg);
        if (!answer) {
            if (++nulls > 1)
                break;
            continue;
        }
        nulls = 0;
        if (PQresultStatus(answer) == PGRES_PIPELINE_SYNC) {
            PQclear(answer);
            settle(pipeline);
        } else {
            keep(pipeline, answer);
        }
    }
}

static void on_input(void *context)
{
    struct pipeline *pipeline = context;
    PGconn *pg;
    PGnotify *notify;

    read_results(pipeline);
    while ((pg = uplink_pg(pipeline->uplink)) && (notify = PQnotifies(pg))) {
        if (pipeline->callbacks.on_notify)
            pipeline->callbacks.on_notify(pipeline->callbacks.context, notify->relname,
                                          notify->extra);
        PQfreemem(notify);
    }
}

/* Each of several hosts fails for its own reason, several times a second: that is no news. */
static bool is_told(struct pipeline *pipeline, const char *reason)
{
    for (unsigned i = 0; i < pipeline->told_count && i < REASONS_MAX; i++)
        if (strcmp(pipeline->told[i], reason) == 0)
            return true;
    snprintf(pipeline->told[pipeline->told_count++ % REASONS_MAX], MESSAGE_MAX, "%s", reason);
    return false;
}

static void on_down(void *context, const char *reason)
{
    struct pipeline *pipeline = context;
    struct pipeline_result result = {PIPELINE_LOST, "", reason, NULL};
    bool was_up = pipeline->is_up;

    pipeline->is_up = false;
    while (pipeline->count > 0) {
        struct submission submission = pop(pipeline);
        PQclear(submission.answer);
        if (submission.on_result)
            submission.on_result(submission.context, &result);
    }
    if (was_up)
        pipeline->told_count = 0;
    if (!is_told(pipeline, reason) && pipeline->callbacks.on_down)
        pipeline->callbacks.on_down(pipeline->callbacks.context, reason);
}
