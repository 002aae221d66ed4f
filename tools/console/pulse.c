#include "tools/console/pulse.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "daemon/base/instant.h"
#include "tools/console/clock.h"
#include "tools/console/event.h"
#include "tools/console/links.h"
#include "tools/console/stream.h"
#include "tools/console/unstored.h"
#include "tools/console/visitors.h"

#define PING_S 10
#define SUMMARY_S 1 /* at most one a second */
#define NOTICE_MAX 200

struct pulse {
    struct app *app;
    struct event *ping, *summary;
    bool summarises, rechecks, rechecks_again, asks_duty, asks_duty_again;
    char *duty; /* as it was last told */
};

/* A question that is answered with places: which scope each place is. */
struct asked {
    struct app *app;
    char (*keys)[FANOUT_SCOPE_SIZE];
    int count;
    char *json; /* of a notice */
};

static void free_asked(struct asked *asked)
{
    free(asked->keys);
    free(asked->json);
    free(asked);
}

static struct asked *new_asked(struct app *app)
{
    struct asked *asked = calloc(1, sizeof(*asked));
    if (asked == NULL)
        abort(); /* out of memory */
    asked->app = app;
    return asked;
}

/* The key of a place that was answered, NULL if that is none. */
static const char *key_of(const struct asked *asked, const struct pg_result *rows, int row)
{
    int64_t place = rows_int64(rows, row, 0);
    return place >= 1 && place <= asked->count ? asked->keys[place - 1] : NULL;
}

/* --- summaries --- */

static void on_summaries(void *context, const struct pipeline_result *result)
{
    struct asked *asked = context;
    struct fanout *fanout = asked->app->fanout;
    asked->app->pulse->summarises = false;
    for (int row = 0; result->outcome == PIPELINE_OK && row < rows_count(result->rows); row++) {
        const char *key = key_of(asked, result->rows, row);
        if (key != NULL)
            fanout_tell_scope(
                fanout, key,
                event_make(fanout_cursor(fanout), "summary", rows_text(result->rows, row, 1)),
                NULL);
    }
    free_asked(asked);
}

static void ask_duty(struct app *app);

static void summarise(evutil_socket_t fd, short what, void *context)
{
    struct pulse *pulse = context;
    struct app *app = pulse->app;
    struct statement statement;
    (void)fd, (void)what;
    if (pulse->summarises || fanout_streams(app->fanout) == NULL)
        return;
    ask_duty(app); /* how many tickets each has */
    struct asked *asked = new_asked(app);
    statement_init(&statement);
    statement_string(&statement, app->district);
    asked->count = fanout_people(app->fanout, &statement, &asked->keys);
    pulse->summarises = asked->count > 0 &&
                        links_submit(app->links, LINKS_SUMMARIES, &statement, on_summaries, asked);
    statement_fini(&statement);
    if (!pulse->summarises)
        free_asked(asked);
}

static void on_changed(struct app *app)
{
    if (!event_pending(app->pulse->summary, EV_TIMEOUT, NULL))
        event_add(app->pulse->summary, &(struct timeval){SUMMARY_S, 0});
}

/* --- who is on duty --- */

static void on_duty(void *context, const struct pipeline_result *result)
{
    struct app *app = context;
    struct pulse *pulse = app->pulse;
    pulse->asks_duty = false;
    if (result->outcome == PIPELINE_OK &&
        (pulse->duty == NULL || strcmp(pulse->duty, rows_text(result->rows, 0, 0)) != 0)) {
        free(pulse->duty);
        pulse->duty = strdup(rows_text(result->rows, 0, 0));
        if (pulse->duty == NULL)
            abort(); /* out of memory */
        fanout_tell(app->fanout, event_make(fanout_cursor(app->fanout), "shift", pulse->duty),
                    NULL);
    }
    if (pulse->asks_duty_again)
        ask_duty(app);
}

static void ask_duty(struct app *app)
{
    struct statement statement;
    app->pulse->asks_duty_again = app->pulse->asks_duty;
    if (app->pulse->asks_duty || fanout_streams(app->fanout) == NULL)
        return;
    statement_init(&statement);
    statement_string(&statement, app->district);
    app->pulse->asks_duty = links_submit(app->links, LINKS_DUTY, &statement, on_duty, app);
    statement_fini(&statement);
}

/* --- whether sessions still stand --- */

struct session {
    uint8_t hash[TOKEN_HASH_SIZE];
    int place, row;
    UT_hash_handle hh;
};

struct recheck {
    struct app *app;
    struct session *sessions; /* by their hash */
    struct session *all;
    int count;
};

static void recheck(struct app *app);

static void free_recheck(struct recheck *round)
{
    HASH_CLEAR(hh, round->sessions);
    free(round->all);
    free(round);
}

/* Every session that has a stream, once. */
static struct recheck *collect(struct app *app)
{
    struct stream *stream;
    int streams = 0;
    struct recheck *round = calloc(1, sizeof(*round));
    for (stream = fanout_streams(app->fanout); stream != NULL; stream = stream->next)
        streams++;
    if (round == NULL || (round->all = calloc((size_t)streams + 1, sizeof(*round->all))) == NULL)
        abort(); /* out of memory */
    round->app = app;
    for (stream = fanout_streams(app->fanout); stream != NULL; stream = stream->next) {
        struct session *known = NULL, *session = &round->all[round->count];
        HASH_FIND(hh, round->sessions, stream->hash, TOKEN_HASH_SIZE, known);
        if (stream->exchange == NULL || known != NULL)
            continue;
        memcpy(session->hash, stream->hash, TOKEN_HASH_SIZE);
        session->place = ++round->count;
        session->row = -1;
        HASH_ADD(hh, round->sessions, hash, TOKEN_HASH_SIZE, session);
    }
    return round;
}

static void settle_stream(struct app *app, struct stream *stream, const struct pg_result *rows,
                          int row)
{
    if (row < 0) {
        struct exchange *exchange = stream->exchange;
        visitors_forget(app->visitors, stream->hash);
        fanout_remove(app->fanout, stream);
        server_end(exchange);
        return;
    }
    stream->is_on_duty = rows_bool(rows, row, 3);
    stream->gets_notices = rows_bool(rows, row, 4);
    stream->sees_unstored = rows_bool(rows, row, 5);
    visitors_note(app->visitors, stream->hash, NULL, clock_mono_us());
    fanout_move(app->fanout, stream, rows_text(rows, row, 2));
}

static void settle_round(struct recheck *round, const struct pg_result *rows)
{
    struct stream *stream = fanout_streams(round->app->fanout), *following;
    for (int row = 0; row < rows_count(rows); row++) {
        int64_t place = rows_int64(rows, row, 0);
        if (place >= 1 && place <= round->count)
            round->all[place - 1].row = row;
    }
    for (; stream != NULL; stream = following) {
        struct session *session = NULL;
        following = stream->next;
        HASH_FIND(hh, round->sessions, stream->hash, TOKEN_HASH_SIZE, session);
        if (session != NULL && stream->exchange != NULL)
            settle_stream(round->app, stream, rows, session->row);
    }
}

static void on_rechecked(void *context, const struct pipeline_result *result)
{
    struct recheck *round = context;
    struct app *app = round->app;
    app->pulse->rechecks = false;
    if (result->outcome == PIPELINE_OK)
        settle_round(round, result->rows);
    free_recheck(round);
    if (app->pulse->rechecks_again)
        recheck(app);
}

static void recheck(struct app *app)
{
    struct statement statement;
    app->pulse->rechecks_again = app->pulse->rechecks;
    if (app->pulse->rechecks)
        return;
    struct recheck *round = collect(app);
    statement_init(&statement);
    statement_string(&statement, app->district);
    statement_array_begin(&statement);
    for (int i = 0; i < round->count; i++)
        statement_bytes(&statement, round->all[i].hash, TOKEN_HASH_SIZE);
    statement_array_end(&statement);
    app->pulse->rechecks = round->count > 0 &&
                           links_submit(app->links, LINKS_STREAMS, &statement, on_rechecked, round);
    statement_fini(&statement);
    if (!app->pulse->rechecks)
        free_recheck(round);
}

static void on_people(struct app *app)
{
    recheck(app);
    ask_duty(app);
    on_changed(app); /* operators and disaster mode stand in the summary */
}

/* --- notices for supervisors --- */

static bool wants_notices(const struct stream *stream)
{
    return stream->gets_notices;
}

static void on_readers(void *context, const struct pipeline_result *result)
{
    struct asked *asked = context;
    struct fanout *fanout = asked->app->fanout;
    for (int row = 0; result->outcome == PIPELINE_OK && row < rows_count(result->rows); row++) {
        const char *key = key_of(asked, result->rows, row);
        if (key != NULL)
            fanout_tell_scope(fanout, key, event_make(fanout_cursor(fanout), "notice", asked->json),
                              wants_notices);
    }
    free_asked(asked);
}

static void on_notice(struct app *app, const char *notice)
{
    struct statement statement;
    char what[NOTICE_MAX + 1] = "", about[NOTICE_MAX + 1] = "", now[CLOCK_TEXT_SIZE];
    long long ticket;
    if (sscanf(notice, " %lld %200s %200[^\n]", &ticket, what, about) < 2)
        return;
    struct asked *asked = new_asked(app);
    clock_print(now);
    json_t *json = json_pack("{s:I, s:s, s:s*, s:s}", "ticket_id", (json_int_t)ticket, "what", what,
                             "about", about[0] == '\0' ? NULL : about, "at", now);
    if (about[0] == '\0')
        json_object_set_new(json, "about", json_null());
    asked->json = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    statement_init(&statement);
    statement_string(&statement, app->district);
    statement_int64(&statement, ticket);
    asked->count = fanout_people(app->fanout, &statement, &asked->keys);
    if (asked->json == NULL || asked->count == 0 ||
        !links_submit(app->links, LINKS_READERS, &statement, on_readers, asked))
        free_asked(asked);
    statement_fini(&statement);
}

/* --- the beat --- */

static void on_ping(evutil_socket_t fd, short what, void *context)
{
    struct pulse *pulse = context;
    struct app *app = pulse->app;
    char json[64], now[CLOCK_TEXT_SIZE];
    (void)fd, (void)what;
    clock_print(now);
    snprintf(json, sizeof(json), "{\"now\":\"%s\"}", now);
    fanout_tell(app->fanout, event_make("", "ping", json), NULL);
    recheck(app);
    summarise(-1, 0, pulse);
    fanout_poll(app->fanout); /* should a notification have been lost on its way to us */
}

static void on_live(struct app *app, struct stream *stream)
{
    if (stream->sees_unstored && !unstored_is_empty(app->unstored)) {
        struct evbuffer *event = event_make("", "unstored", unstored_json(app->unstored));
        server_send(stream->exchange, event);
        evbuffer_free(event);
    }
    on_changed(app);
}

const struct fanout_hooks pulse_hooks = {on_live, on_changed, on_people, on_notice};

struct pulse *pulse_open(struct app *app)
{
    struct pulse *pulse = calloc(1, sizeof(*pulse));
    if (pulse == NULL)
        abort(); /* out of memory */
    pulse->app = app;
    pulse->ping = event_new(app->base, -1, EV_PERSIST, on_ping, pulse);
    pulse->summary = evtimer_new(app->base, summarise, pulse);
    event_add(pulse->ping, &(struct timeval){PING_S, 0});
    return pulse;
}

void pulse_close(struct pulse *pulse)
{
    if (pulse == NULL)
        return;
    event_free(pulse->ping);
    event_free(pulse->summary);
    free(pulse->duty);
    free(pulse);
}
