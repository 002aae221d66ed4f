#include "db/listen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_INTERVAL_S 5
#define CHANNEL_SQL_MAX 96

struct listen {
    struct pipeline *pipeline;
    struct listen_callbacks callbacks;
    struct event *timer;
    int question; /* index of the statement that only asks whether the server lives */
    char channel_sql[LISTEN_CHANNELS_MAX][CHANNEL_SQL_MAX];
    const char *setup[LISTEN_CHANNELS_MAX + 1];
    const char *statements[PIPELINE_STATEMENTS_MAX + 2];
};

static void on_up(void *context)
{
    struct listen *listen = context;

    event_add(listen->timer, &(struct timeval){QUESTION_INTERVAL_S, 0});
    listen->callbacks.on_gap(listen->callbacks.context);
}

static void on_down(void *context, const char *reason)
{
    struct listen *listen = context;

    event_del(listen->timer);
    if (listen->callbacks.on_down)
        listen->callbacks.on_down(listen->callbacks.context, reason);
}

static void on_notify(void *context, const char *channel, const char *payload)
{
    struct listen *listen = context;

    listen->callbacks.on_notification(listen->callbacks.context, channel, payload);
}

static void on_answer(void *context, const struct pipeline_result *result)
{
    (void)context, (void)result;
}

/* A listening connection says nothing for hours, and a dead one does the same. The pipeline's time
 * limit on the answer tells them apart. */
static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct listen *listen = context;
    struct statement none = {.count = 0};

    (void)fd, (void)what;
    if (pipeline_in_flight(listen->pipeline) == 0 &&
        !pipeline_submit(listen->pipeline, listen->question, &none, on_answer, NULL))
        return; /* down: on_up starts the timer again */
    event_add(listen->timer, &(struct timeval){QUESTION_INTERVAL_S, 0});
}

/* The set-up and the statements, ours behind the user's. */
static void fill(struct listen *listen, const struct listen_settings *settings)
{
    int count = 0;

    for (int i = 0; settings->channels[i]; i++) {
        assert(i < LISTEN_CHANNELS_MAX);
        snprintf(listen->channel_sql[i], CHANNEL_SQL_MAX, "LISTEN %s", settings->channels[i]);
        listen->setup[i] = listen->channel_sql[i];
    }
    for (; settings->statements && settings->statements[count]; count++) {
        assert(count < PIPELINE_STATEMENTS_MAX);
        listen->statements[count] = settings->statements[count];
    }
    listen->question = count;
    listen->statements[count] = "SELECT 1";
}

struct listen *listen_open(struct event_base *base, const struct listen_settings *settings,
                           struct random *random, const struct listen_callbacks *callbacks,
                           char **error)
{
    struct listen *listen = calloc(1, sizeof *listen);
    if (!listen)
        abort(); /* out of memory: the supervisor starts us anew */

    listen->callbacks = *callbacks;
    fill(listen, settings);
    struct pipeline_settings wanted = {
        .conninfo = settings->conninfo,
        .application_name = settings->application_name,
        .setup = listen->setup,
        .statements = listen->statements,
        .timeout_ms = settings->timeout_ms,
    };
    struct pipeline_callbacks answers = {listen, on_up, on_down, on_notify};
    listen->pipeline = pipeline_open(base, &wanted, random, &answers, error);
    if (!listen->pipeline) {
        free(listen);
        return NULL;
    }
    listen->timer = evtimer_new(base, on_timer, listen);
    return listen;
}

void listen_close(struct listen *listen)
{
    if (!listen)
        return;
    pipeline_close(listen->pipeline);
    event_free(listen->timer);
    free(listen);
}

struct pipeline *listen_pipeline(struct listen *listen)
{
    return listen->pipeline;
}
