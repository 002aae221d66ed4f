#include "tools/console/unstored.h"

#include <event2/bufferevent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/console/clock.h"
#include "tools/console/links.h"

#define PERIOD_MS 500
#define ANSWER_S 2
#define ALARMS_MAX 1000
#define LINE_MAX_SIZE 8192
#define QUESTION "show unstored\n"

struct unstored {
    struct app *app;
    void (*on_change)(struct app *app);
    struct event *timer;
    struct bufferevent *stream; /* the question that is on its way; or NULL */
    json_t *alarms;             /* of its answer, so far */
    json_int_t highest;         /* number in the answer before */
    char *shown;                /* the alarms as they were last told, JSON */
    char *json;
    bool is_known;
};

static void publish(struct unstored *unstored, bool is_known, json_t *alarms)
{
    char *text = json_dumps(alarms, JSON_COMPACT), now[CLOCK_TEXT_SIZE];
    bool changed = is_known != unstored->is_known || unstored->shown == NULL ||
                   strcmp(text, unstored->shown) != 0;
    clock_print(now);
    json_t *all = json_pack("{s:b, s:s, s:O}", "known", is_known, "at", now, "alarms", alarms);
    free(unstored->json);
    unstored->json = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    free(unstored->shown);
    unstored->shown = text;
    unstored->is_known = is_known;
    if (changed)
        unstored->on_change(unstored->app);
}

static void end_question(struct unstored *unstored)
{
    if (unstored->stream != NULL)
        bufferevent_free(unstored->stream);
    unstored->stream = NULL;
    json_decref(unstored->alarms);
    unstored->alarms = NULL;
}

/* onekeyd does not answer: what it said last is no longer known to hold, but is all there is. */
static void fail(struct unstored *unstored)
{
    json_t *last = unstored->shown == NULL ? NULL : json_loads(unstored->shown, 0, NULL);
    end_question(unstored);
    if (last == NULL)
        last = json_array();
    publish(unstored, false, last);
    json_decref(last);
}

/* While PostgreSQL is there, every alarm is on its way to it for some milliseconds. */
static void keep_late(struct unstored *unstored)
{
    json_int_t highest = 0;
    for (size_t i = 0; i < json_array_size(unstored->alarms);) {
        json_int_t number =
            json_integer_value(json_object_get(json_array_get(unstored->alarms, i), "number"));
        highest = number > highest ? number : highest;
        if (links_are_up(unstored->app->links) && number > unstored->highest)
            json_array_remove(unstored->alarms, i);
        else
            i++;
    }
    unstored->highest = highest;
}

static void take_line(struct unstored *unstored, const char *line, size_t size)
{
    json_t *alarm = json_loadb(line, size, 0, NULL);
    if (json_is_integer(json_object_get(alarm, "number")) &&
        json_array_size(unstored->alarms) < ALARMS_MAX)
        json_array_append(unstored->alarms, alarm);
    json_decref(alarm);
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct unstored *unstored = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t size;
    char *line;
    while ((line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF)) != NULL) {
        bool is_last = size == 0;
        if (!is_last)
            take_line(unstored, line, size);
        free(line);
        if (!is_last)
            continue;
        keep_late(unstored);
        publish(unstored, true, unstored->alarms);
        end_question(unstored);
        return;
    }
    if (evbuffer_get_length(input) > LINE_MAX_SIZE)
        fail(unstored);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    if ((what & BEV_EVENT_CONNECTED) == 0)
        fail(context);
}

static void ask(evutil_socket_t fd, short what, void *context)
{
    struct unstored *unstored = context;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const struct timeval patience = {ANSWER_S, 0};
    const char *path = unstored->app->config.control.socket;
    (void)fd, (void)what;
    if (unstored->stream != NULL)
        return;
    size_t size = strnlen(path, sizeof(name.sun_path) - 1); /* a longer path is not found */
    memcpy(name.sun_path, path, size);
    unstored->alarms = json_array();
    unstored->stream = bufferevent_socket_new(unstored->app->base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(unstored->stream, on_read, NULL, on_end, unstored);
    bufferevent_set_timeouts(unstored->stream, &patience, &patience);
    bufferevent_enable(unstored->stream, EV_READ | EV_WRITE);
    evbuffer_add(bufferevent_get_output(unstored->stream), QUESTION, sizeof(QUESTION) - 1);
    if (bufferevent_socket_connect(unstored->stream, (struct sockaddr *)&name, sizeof(name)) != 0 &&
        unstored->stream != NULL)
        fail(unstored);
}

struct unstored *unstored_open(struct app *app, void (*on_change)(struct app *app))
{
    struct unstored *unstored = calloc(1, sizeof(*unstored));
    if (unstored == NULL)
        abort(); /* out of memory */
    unstored->app = app;
    unstored->on_change = on_change;
    unstored->json = strdup("{\"known\":false,\"at\":\"1970-01-01T00:00:00Z\",\"alarms\":[]}");
    unstored->timer = event_new(app->base, -1, EV_PERSIST, ask, unstored);
    event_add(unstored->timer, &(struct timeval){0, PERIOD_MS * 1000});
    return unstored;
}

void unstored_close(struct unstored *unstored)
{
    if (unstored == NULL)
        return;
    end_question(unstored);
    event_free(unstored->timer);
    free(unstored->shown);
    free(unstored->json);
    free(unstored);
}

const char *unstored_json(const struct unstored *unstored)
{
    return unstored->json;
}

bool unstored_is_empty(const struct unstored *unstored)
{
    return unstored->is_known && unstored->shown != NULL && strcmp(unstored->shown, "[]") == 0;
}
