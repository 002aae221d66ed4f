#include "tools/console/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/clock.h"
#include "tools/console/event.h"
#include "tools/console/fanout.h"
#include "tools/console/http/status.h"
#include "tools/console/unstored.h"

#define RETRY "retry: 1000\n\n" /* milliseconds until a browser connects again */

static void on_gone(void *user, const char *reason)
{
    struct stream *stream = user;
    (void)reason;
    fanout_remove(stream->app->fanout, stream);
}

/* Where it goes on: what the browser says by itself, else what the page asks for. */
static bool find_after(const struct message *message, char out[FANOUT_CURSOR_SIZE])
{
    const char *last = message_value(message, "last-event-id");
    out[0] = '\0';
    if (last != NULL && strlen(last) >= FANOUT_CURSOR_SIZE)
        return false;
    if (last != NULL)
        snprintf(out, FANOUT_CURSOR_SIZE, "%s", last);
    else if (!message_argument(message->query, "after", out, FANOUT_CURSOR_SIZE))
        out[0] = '\0';
    return true;
}

static struct stream *begin(struct call *call, const char *user)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    struct exchange *exchange = call->exchange;
    if (stream == NULL)
        abort(); /* out of memory */
    stream->app = call->app;
    stream->exchange = exchange;
    memcpy(stream->hash, call->hash, sizeof(stream->hash));
    snprintf(stream->user, sizeof(stream->user), "%s", user);
    snprintf(stream->origin, sizeof(stream->origin), "%s", call->caller.origin);
    if (!find_after(&exchange->message, stream->after))
        stream->after[0] = '\0';
    exchange->user = stream;
    exchange->on_gone = on_gone;
    server_stream(exchange, "text/event-stream; charset=utf-8",
                  STATUS_HEADERS "X-Accel-Buffering: no\r\n");
    struct evbuffer *retry = evbuffer_new();
    evbuffer_add(retry, RETRY, sizeof(RETRY) - 1);
    server_send(exchange, retry);
    evbuffer_free(retry);
    return stream;
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void open_confirmed(struct call *call, const json_t *body)
{
    const json_t *shift = json_object_get(body, "shift");
    struct stream *stream = begin(call, json_string_value(json_object_get(body, "user_name")));
    stream->shift = json_is_object(shift) ? json_dumps(shift, JSON_COMPACT) : NULL;
    stream->is_on_duty = is_true(body, "is_on_duty");
    stream->gets_notices = is_true(body, "gets_notices");
    stream->sees_unstored = is_true(body, "sees_unstored");
    struct visitor visitor = {.sees_unstored = stream->sees_unstored};
    snprintf(visitor.name, sizeof(visitor.name), "%s", stream->user);
    visitors_note(call->app->visitors, call->hash, &visitor, clock_mono_us());
    fanout_add(call->app->fanout, stream, json_string_value(json_object_get(body, "scope")));
    call_free(call);
}

static void on_confirmed(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    json_t *body = NULL;
    if (result->outcome == PIPELINE_OK && rows_int64(result->rows, 0, 0) == 200)
        body = json_loads(rows_text(result->rows, 0, 1), 0, NULL);
    if (json_is_string(json_object_get(body, "scope")))
        open_confirmed(call, body);
    else
        call_finish(call, result);
    json_decref(body);
}

void stream_open(struct call *call)
{
    call_submit(call, "events", on_confirmed);
}

void stream_open_offline(struct call *call, const struct visitor *visitor)
{
    struct app *app = call->app;
    struct stream *stream = begin(call, visitor->name);
    stream->sees_unstored = visitor->sees_unstored;
    fanout_add(app->fanout, stream, NULL);
    fanout_hello(stream);
    if (stream->sees_unstored) {
        struct evbuffer *event = event_make("", "unstored", unstored_json(app->unstored));
        server_send(stream->exchange, event);
        evbuffer_free(event);
    }
    call_free(call);
}

void stream_end_session(struct app *app, const uint8_t hash[TOKEN_HASH_SIZE])
{
    struct stream *stream = fanout_streams(app->fanout), *following;
    for (; stream != NULL; stream = following) {
        following = stream->next;
        if (stream->exchange == NULL || memcmp(stream->hash, hash, TOKEN_HASH_SIZE) != 0)
            continue;
        struct exchange *exchange = stream->exchange;
        fanout_remove(app->fanout, stream);
        server_end(exchange);
    }
}
