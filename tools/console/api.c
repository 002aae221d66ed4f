#include "tools/console/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/call.h"
#include "tools/console/caller.h"
#include "tools/console/clock.h"
#include "tools/console/links.h"
#include "tools/console/login.h"
#include "tools/console/report.h"
#include "tools/console/stream.h"
#include "tools/console/unstored.h"
#include "tools/console/visitors.h"

#define KEY_MAX 100

/* What can still be said while PostgreSQL is away, to somebody who was logged in. */
static void refuse_lost(struct call *call)
{
    const struct visitor *visitor = visitors_find(call->app->visitors, call->hash, clock_mono_us());
    if (visitor != NULL && visitor->session != NULL && call->route->kind == ROUTE_DATABASE &&
        strcmp(call->route->request, "session") == 0)
        call_answer(call, 200, visitor->session, NULL);
    else if (visitor != NULL && call->route->kind == ROUTE_EVENTS)
        stream_open_offline(call, visitor);
    else if (visitor != NULL && visitor->sees_unstored && call->route->kind == ROUTE_UNSTORED)
        call_answer(call, 200, unstored_json(call->app->unstored), NULL);
    else
        call_refuse(call, 503, "database", "PostgreSQL does not answer");
}

static void on_answer(void *context, const struct pipeline_result *result)
{
    call_finish(context, result);
}

static void on_logged_out(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    if (result->outcome != PIPELINE_OK || rows_int64(result->rows, 0, 0) != 200) {
        call_finish(call, result);
        return;
    }
    visitors_forget(call->app->visitors, call->hash);
    stream_end_session(call->app, call->hash);
    call_answer(call, 200, rows_text(result->rows, 0, 1),
                "Set-Cookie: " CALL_COOKIE "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict\r\n");
}

static void on_confirmed_unstored(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    if (result->outcome != PIPELINE_OK || rows_int64(result->rows, 0, 0) != 200) {
        call_finish(call, result);
        return;
    }
    json_t *session = json_loads(rows_text(result->rows, 0, 1), 0, NULL);
    const char *role = json_string_value(json_object_get(json_object_get(session, "user"), "role"));
    bool may = role != NULL && (strcmp(role, "operator") == 0 || strcmp(role, "supervisor") == 0);
    json_decref(session);
    if (may)
        call_answer(call, 200, unstored_json(call->app->unstored), NULL);
    else
        call_refuse(call, 403, "forbidden", "you may not do that");
}

/* A contact whom a notice has asked. */
static void take_reply(struct call *call)
{
    struct statement statement;
    const char *token, *result;
    if (json_unpack(json_object_get(call->arguments, "body"), "{s:s, s:s}", "token", &token,
                    "result", &result) != 0) {
        call_refuse(call, 400, "invalid", "give token and result");
        return;
    }
    statement_init(&statement);
    statement_string(&statement, call->app->district);
    statement_string(&statement, token);
    statement_string(&statement, result);
    bool sent = links_submit(call->app->links, LINKS_REPLY, &statement, on_answer, call);
    statement_fini(&statement);
    if (!sent)
        call->on_lost(call);
}

/* --- what every request must pass --- */

/* The body as an object in arguments; false, and answered, if it is none. */
static bool take_body(struct call *call)
{
    const struct message *message = &call->exchange->message;
    const char *type = message_value(message, "content-type");
    const char *key = message_value(message, "idempotency-key");
    size_t size = (size_t)message->content_length;
    json_t *body = json_object();
    if (size > 0) {
        if (type == NULL || strncmp(type, "application/json", 16) != 0) {
            json_decref(body);
            call_refuse(call, 415, "invalid", "send application/json");
            return false;
        }
        json_decref(body);
        body = json_loadb(call->exchange->body, size, JSON_REJECT_DUPLICATES, NULL);
    }
    if (!json_is_object(body) || (key != NULL && strlen(key) > KEY_MAX)) {
        json_decref(body);
        call_refuse(call, 400, "invalid", "the body is not a JSON object, or the key is too long");
        return false;
    }
    json_object_set_new(call->arguments, "body", body);
    if (key != NULL && *key != '\0' &&
        json_object_set_new(call->arguments, "key", json_string(key)) != 0) {
        call_refuse(call, 400, "invalid", "the key is no UTF-8");
        return false;
    }
    return true;
}

static bool passes(struct call *call)
{
    const struct message *message = &call->exchange->message;
    if (message->method == MESSAGE_GET || message->method == MESSAGE_HEAD)
        return true;
    if (caller_is_foreign(message)) {
        call_refuse(call, 403, "csrf", "that came from a page of somebody else");
        return false;
    }
    if (call->route->kind != ROUTE_LOG_IN && call->route->kind != ROUTE_REPLY &&
        !token_csrf_matches(call->token, message_value(message, "x-csrf-token"))) {
        call_refuse(call, 403, "csrf", "X-CSRF-Token is missing or is not that of this session");
        return false;
    }
    return take_body(call);
}

static void run(struct call *call)
{
    switch (call->route->kind) {
    case ROUTE_DATABASE:
    case ROUTE_SLOW:
        call_submit(call, call->route->request, on_answer);
        return;
    case ROUTE_REPORT:
        report_begin(call);
        return;
    case ROUTE_LOG_IN:
        login_begin(call);
        return;
    case ROUTE_REPLY:
        take_reply(call);
        return;
    case ROUTE_LOG_OUT:
        call_submit(call, "log_out", on_logged_out);
        return;
    case ROUTE_EVENTS:
        stream_open(call);
        return;
    case ROUTE_UNSTORED:
        call_submit(call, "session", on_confirmed_unstored);
        return;
    case ROUTE_PASSWORD:
        login_hash_password(call);
        return;
    }
}

static void refuse_route(struct call *call, enum route_result result, const char *allowed)
{
    static const struct route none = {.kind = ROUTE_LOG_IN, .request = ""};
    char headers[96];
    call->route = &none;
    if (result == ROUTE_OTHER_METHOD) {
        snprintf(headers, sizeof(headers), "Allow: %s\r\n", allowed);
        call_answer(call, 405,
                    "{\"error\":{\"code\":\"method\",\"message\":\"not with that method\"}}",
                    headers);
    } else {
        call_refuse(call, 404, "not_found", "there is no such thing; see /api/openapi.json");
    }
}

void api_begin(struct app *app, struct exchange *exchange, const struct caller *caller)
{
    struct call *call = calloc(1, sizeof(*call));
    char allowed[64];
    if (call == NULL)
        abort(); /* out of memory */
    call->app = app;
    call->exchange = exchange;
    call->caller = *caller;
    call->on_lost = refuse_lost;
    enum route_result found = route_find(&exchange->message, &call->route, allowed);
    if (found != ROUTE_FOUND) {
        refuse_route(call, found, allowed);
        return;
    }
    call->has_token =
        message_cookie(&exchange->message, CALL_COOKIE, call->token, sizeof(call->token)) &&
        token_is_sound(call->token);
    if (!call->has_token && call->route->kind != ROUTE_LOG_IN && call->route->kind != ROUTE_REPLY) {
        call_refuse(call, 401, "log_in", "nobody is logged in");
        return;
    }
    token_hash(call->token, call->hash);
    call->arguments = route_arguments(call->route, &exchange->message);
    if (call->arguments == NULL)
        call_refuse(call, 400, "invalid", "an argument is badly written");
    else if (passes(call))
        run(call);
}
