#include "tools/console/fanout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "db/listen.h"
#include "tools/console/clock.h"
#include "tools/console/event.h"
#include "tools/console/presented.h"
#include "tools/console/visitors.h"

#define TICKETS_MAX 500 /* that one answer tells of; more is read from the queue anew */
#define RESUMES_MAX 32  /* asked at once */
#define UNSHOWN_MAX 512
#define NUMBER_SIZE 21
#define LISTEN_TIMEOUT_MS 5000

struct scope {
    char key[FANOUT_SCOPE_SIZE];
    struct stream *streams;
    char unshown[UNSHOWN_MAX *
                 NUMBER_SIZE]; /* tickets on their way to a screen for the first time */
    size_t unshown_size;
    UT_hash_handle hh;
};

struct fanout {
    struct app *app;
    const struct fanout_hooks *hooks;
    struct listen *listen;
    struct scope *scopes;
    struct stream *streams;
    char cursor[FANOUT_CURSOR_SIZE];
    bool is_up, polls, polls_again;
    int resumes;                      /* on their way */
    char (*asked)[FANOUT_SCOPE_SIZE]; /* the scopes of the poll that is on its way */
};

static const char *const channels[] = {"onekey_ticket", "onekey_people", "onekey_supervisor", NULL};
static const char *const statements[] = {
    "select place, ticket_id, ticket_row, is_unshown"
    " from onekey.console_changes($1, $2, $3::text[], $4::integer)",
    NULL};

/* --- scopes and streams --- */

static struct scope *find_scope(struct fanout *fanout, const char *key)
{
    struct scope *scope = NULL;
    HASH_FIND_STR(fanout->scopes, key, scope);
    return scope;
}

static void enter_scope(struct fanout *fanout, struct stream *stream, const char *key)
{
    char cut[FANOUT_SCOPE_SIZE];
    snprintf(cut, sizeof(cut), "%s", key);
    struct scope *scope = find_scope(fanout, cut);
    if (scope == NULL) {
        scope = calloc(1, sizeof(*scope));
        if (scope == NULL)
            abort(); /* out of memory */
        memcpy(scope->key, cut, sizeof(cut));
        HASH_ADD_STR(fanout->scopes, key, scope);
    }
    stream->scope = scope;
    DL_APPEND2(scope->streams, stream, scope_prev, scope_next);
}

static void leave_scope(struct fanout *fanout, struct stream *stream)
{
    struct scope *scope = stream->scope;
    if (scope == NULL)
        return;
    DL_DELETE2(scope->streams, stream, scope_prev, scope_next);
    stream->scope = NULL;
    if (scope->streams != NULL)
        return;
    HASH_DEL(fanout->scopes, scope);
    free(scope);
}

struct stream *fanout_streams(struct fanout *fanout)
{
    return fanout->streams;
}

void fanout_tell(struct fanout *fanout, struct evbuffer *event,
                 bool (*wants)(const struct stream *stream))
{
    struct stream *stream;
    DL_FOREACH(fanout->streams, stream)
    {
        if (stream->exchange != NULL && (wants == NULL || wants(stream)))
            server_send(stream->exchange, event);
    }
    evbuffer_free(event);
}

void fanout_tell_scope(struct fanout *fanout, const char *key, struct evbuffer *event,
                       bool (*wants)(const struct stream *stream))
{
    struct scope *scope = find_scope(fanout, key);
    struct stream *stream = NULL;
    if (scope != NULL)
        stream = scope->streams;
    for (; stream != NULL; stream = stream->scope_next)
        if (stream->state == STREAM_LIVE && stream->exchange != NULL &&
            (wants == NULL || wants(stream)))
            server_send(stream->exchange, event);
    evbuffer_free(event);
}

int fanout_people(struct fanout *fanout, struct statement *statement,
                  char (**keys)[FANOUT_SCOPE_SIZE])
{
    struct scope *scope, *following;
    int count = 0;
    *keys = calloc(HASH_COUNT(fanout->scopes) + 1, sizeof(**keys));
    if (*keys == NULL)
        abort(); /* out of memory */
    statement_array_begin(statement);
    HASH_ITER(hh, fanout->scopes, scope, following)
    {
        memcpy((*keys)[count++], scope->key, sizeof(scope->key));
        statement_string(statement, scope->streams->user);
    }
    statement_array_end(statement);
    return count;
}

/* --- hello --- */

static void say_hello(struct fanout *fanout, struct stream *stream, bool resync)
{
    static const char *const words[] = {"false", "true"};
    char now[CLOCK_TEXT_SIZE];
    struct evbuffer *event = evbuffer_new();
    clock_print(now);
    if (event == NULL ||
        evbuffer_add_printf(event,
                            "id: %s\nevent: hello\ndata: {\"cursor\":\"%s\",\"now\":\"%s\","
                            "\"version\":\"%s\",\"resync\":%s,\"database\":%s,\"shift\":%s}\n\n",
                            fanout->cursor, fanout->cursor, now, ONEKEY_VERSION, words[resync],
                            words[fanout->is_up],
                            stream->shift == NULL ? "null" : stream->shift) < 0)
        abort(); /* out of memory */
    server_send(stream->exchange, event);
    evbuffer_free(event);
}

void fanout_hello(struct stream *stream)
{
    say_hello(stream->app->fanout, stream, true);
}

static void go_live(struct fanout *fanout, struct stream *stream)
{
    stream->state = STREAM_LIVE;
    stream->after[0] = '\0';
    fanout->hooks->on_live(fanout->app, stream);
}

/* --- what has changed --- */

static void keep_unshown(struct scope *scope, int64_t ticket)
{
    size_t room = sizeof(scope->unshown) - scope->unshown_size;
    if (room > NUMBER_SIZE)
        scope->unshown_size += (size_t)snprintf(scope->unshown + scope->unshown_size, room, "%lld ",
                                                (long long)ticket);
}

/* One event for each row of that place, from `row` on; returns the row behind them. */
static int write_rows(const struct pg_result *rows, int row, const char *cursor,
                      struct evbuffer *out, struct scope *scope)
{
    int64_t place = rows_int64(rows, row, 0);
    for (; row < rows_count(rows) && rows_int64(rows, row, 0) == place; row++) {
        if (rows_is_null(rows, row, 1))
            continue;
        event_write(out, cursor, "ticket", rows_text(rows, row, 2));
        if (scope != NULL && rows_bool(rows, row, 3))
            keep_unshown(scope, rows_int64(rows, row, 1));
    }
    return row;
}

/* Whether an answer says that there is too much, or that the cursor is none. */
static bool is_too_much(const struct pg_result *rows)
{
    return rows_count(rows) > 1 && rows_int64(rows, 1, 0) < 0;
}

static void resync_all(struct fanout *fanout)
{
    struct stream *stream;
    DL_FOREACH(fanout->streams, stream)
    {
        if (stream->state == STREAM_LIVE && stream->exchange != NULL)
            say_hello(fanout, stream, true);
    }
}

static void settle_waiting(struct fanout *fanout);

static void tell_changes(struct fanout *fanout, const struct pg_result *rows)
{
    snprintf(fanout->cursor, sizeof(fanout->cursor), "%s", rows_text(rows, 0, 2));
    if (is_too_much(rows)) {
        resync_all(fanout);
        return;
    }
    for (int row = 1; row < rows_count(rows);) {
        const char *key = fanout->asked[rows_int64(rows, row, 0) - 1];
        if (rows_is_null(rows, row, 1))
            fanout->hooks->on_people(fanout->app); /* the one we asked for is nobody any more */
        struct evbuffer *events = evbuffer_new();
        row = write_rows(rows, row, fanout->cursor, events, find_scope(fanout, key));
        fanout_tell_scope(fanout, key, events, NULL);
        fanout->hooks->on_changed(fanout->app);
    }
}

static void on_polled(void *context, const struct pipeline_result *result)
{
    struct fanout *fanout = context;
    fanout->polls = false;
    if (result->outcome == PIPELINE_OK)
        tell_changes(fanout, result->rows);
    else if (result->outcome == PIPELINE_REFUSED)
        log_event(&fanout->app->log, LOG_ERROR, "poll.failed",
                  field_text("reason", result->message));
    free(fanout->asked);
    fanout->asked = NULL;
    settle_waiting(fanout);
    if (fanout->polls_again && result->outcome == PIPELINE_OK)
        fanout_poll(fanout);
}

void fanout_poll(struct fanout *fanout)
{
    struct statement statement;
    fanout->polls_again = fanout->polls;
    if (fanout->polls || !fanout->is_up)
        return;
    statement_init(&statement);
    statement_string(&statement, fanout->app->district);
    statement_string(&statement, fanout->cursor);
    fanout_people(fanout, &statement, &fanout->asked);
    statement_int64(&statement, TICKETS_MAX);
    fanout->polls =
        pipeline_submit(listen_pipeline(fanout->listen), 0, &statement, on_polled, fanout);
    statement_fini(&statement);
    if (!fanout->polls) {
        free(fanout->asked);
        fanout->asked = NULL;
    }
}

/* --- joining --- */

/* Its exchange may have gone meanwhile. */
static void on_resumed(void *context, const struct pipeline_result *result)
{
    struct stream *stream = context;
    struct fanout *fanout = stream->app->fanout;
    fanout->resumes--;
    stream->state = STREAM_WAITS;
    if (stream->exchange == NULL) {
        fanout_remove(fanout, stream);
    } else if (result->outcome == PIPELINE_OK) {
        bool resync = is_too_much(result->rows);
        say_hello(fanout, stream, resync);
        if (!resync && rows_count(result->rows) > 1) {
            struct evbuffer *events = evbuffer_new();
            write_rows(result->rows, 1, fanout->cursor, events, stream->scope);
            server_send(stream->exchange, events);
            evbuffer_free(events);
        }
        go_live(fanout, stream);
    }
    if (!fanout->polls)
        settle_waiting(fanout);
}

static bool submit_resume(struct fanout *fanout, struct stream *stream)
{
    struct statement statement;
    statement_init(&statement);
    statement_string(&statement, fanout->app->district);
    statement_string(&statement, stream->after);
    statement_array_begin(&statement);
    statement_string(&statement, stream->user);
    statement_array_end(&statement);
    statement_int64(&statement, TICKETS_MAX);
    bool sent = pipeline_submit(listen_pipeline(fanout->listen), 0, &statement, on_resumed, stream);
    statement_fini(&statement);
    return sent;
}

/* Between two polls: who waits is told where he stands. */
static void settle_waiting(struct fanout *fanout)
{
    struct stream *stream;
    if (!fanout->is_up || fanout->cursor[0] == '\0')
        return;
    DL_FOREACH(fanout->streams, stream)
    {
        if (stream->state != STREAM_WAITS || stream->scope == NULL || stream->exchange == NULL)
            continue;
        if (stream->after[0] == '\0') {
            say_hello(fanout, stream, true);
            go_live(fanout, stream);
        } else if (fanout->resumes < RESUMES_MAX && submit_resume(fanout, stream)) {
            stream->state = STREAM_RESUMES;
            fanout->resumes++;
        }
    }
}

static void on_drained(void *user)
{
    struct stream *stream = user;
    struct scope *scope = stream->scope;
    if (!stream->is_on_duty || scope == NULL || scope->unshown_size == 0 ||
        stream->state != STREAM_LIVE)
        return;
    struct presented *presented =
        presented_new(stream->app, stream->hash, stream->origin, scope->unshown);
    scope->unshown_size = 0;
    scope->unshown[0] = '\0';
    presented_send(presented, true);
}

void fanout_add(struct fanout *fanout, struct stream *stream, const char *scope)
{
    stream->exchange->on_drained = on_drained;
    DL_APPEND(fanout->streams, stream);
    fanout_move(fanout, stream, scope);
}

void fanout_move(struct fanout *fanout, struct stream *stream, const char *scope)
{
    if (scope == NULL || (stream->scope != NULL && strcmp(stream->scope->key, scope) == 0))
        return;
    leave_scope(fanout, stream);
    enter_scope(fanout, stream, scope);
    if (stream->state == STREAM_LIVE)
        stream->state = STREAM_WAITS; /* hello once more: what it sees is another now */
    if (!fanout->polls)
        settle_waiting(fanout);
}

void fanout_remove(struct fanout *fanout, struct stream *stream)
{
    stream->exchange = NULL;
    leave_scope(fanout, stream);
    if (stream->state == STREAM_RESUMES)
        return; /* its answer is on its way and finds it */
    DL_DELETE(fanout->streams, stream);
    free(stream->shift);
    free(stream);
}

/* --- PostgreSQL comes and goes --- */

static void tell_database(struct fanout *fanout)
{
    char json[96], now[CLOCK_TEXT_SIZE];
    clock_print(now);
    snprintf(json, sizeof(json), "{\"up\":%s,\"at\":\"%s\"}", fanout->is_up ? "true" : "false",
             now);
    fanout_tell(fanout, event_make(fanout->cursor, "database", json), NULL);
}

static void on_gap(void *context)
{
    struct fanout *fanout = context;
    bool was_up = fanout->is_up;
    fanout->is_up = true;
    visitors_freeze(fanout->app->visitors, 0);
    if (!was_up)
        tell_database(fanout);
    fanout->hooks->on_people(fanout->app);
    fanout_poll(fanout);
}

static void on_down(void *context, const char *reason)
{
    struct fanout *fanout = context;
    bool was_up = fanout->is_up;
    (void)reason; /* links.c says it */
    fanout->is_up = false;
    visitors_freeze(fanout->app->visitors, clock_mono_us());
    if (was_up)
        tell_database(fanout);
}

static void on_notification(void *context, const char *channel, const char *payload)
{
    struct fanout *fanout = context;
    size_t size = strlen(fanout->app->district);
    if (strncmp(payload, fanout->app->district, size) != 0 ||
        (payload[size] != '\0' && payload[size] != ' '))
        return; /* another district's */
    if (strcmp(channel, "onekey_ticket") == 0)
        fanout_poll(fanout);
    else if (strcmp(channel, "onekey_people") == 0)
        fanout->hooks->on_people(fanout->app);
    else
        fanout->hooks->on_notice(fanout->app, payload + size);
}

struct fanout *fanout_open(struct app *app, const struct fanout_hooks *hooks, char **error)
{
    struct fanout *fanout = calloc(1, sizeof(*fanout));
    const struct listen_settings settings = {
        .conninfo = app->config.console.conninfo,
        .application_name = "onekey-console listen",
        .channels = channels,
        .statements = statements,
        .timeout_ms = LISTEN_TIMEOUT_MS,
    };
    const struct listen_callbacks callbacks = {fanout, on_gap, on_notification, on_down};
    if (fanout == NULL)
        abort(); /* out of memory */
    fanout->app = app;
    fanout->hooks = hooks;
    fanout->listen = listen_open(app->base, &settings, &app->random, &callbacks, error);
    if (fanout->listen != NULL)
        return fanout;
    free(fanout);
    return NULL;
}

void fanout_close(struct fanout *fanout)
{
    struct stream *stream, *following;
    if (fanout == NULL)
        return;
    listen_close(fanout->listen);
    DL_FOREACH_SAFE(fanout->streams, stream, following)
    {
        stream->state = STREAM_WAITS;
        fanout_remove(fanout, stream);
    }
    free(fanout->asked);
    free(fanout);
}

bool fanout_is_up(const struct fanout *fanout)
{
    return fanout->is_up;
}

const char *fanout_cursor(const struct fanout *fanout)
{
    return fanout->cursor;
}
