#include "tools/console/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/clock.h"
#include "tools/console/figures.h"
#include "tools/console/http/status.h"
#include "tools/console/links.h"
#include "tools/console/presented.h"
#include "tools/console/visitors.h"

#define HEADERS_SIZE 2048
#define SESSION_SIZE 16384
#define JSON "application/json; charset=utf-8"

static void release(struct call *call)
{
    json_decref(call->arguments);
    free(call);
}

void call_free(struct call *call)
{
    release(call);
}

void call_answer(struct call *call, int status, const char *json, const char *headers)
{
    char all[HEADERS_SIZE];
    snprintf(all, sizeof(all), "%s%s", STATUS_HEADERS, headers == NULL ? "" : headers);
    const struct reply reply = {
        .status = status, .type = JSON, .headers = all, .body = json, .size = strlen(json)};
    figures_count_answer(call->app->figures, status);
    server_reply(call->exchange, &reply, NULL, NULL);
    release(call);
}

void call_refuse(struct call *call, int status, const char *code, const char *message)
{
    json_t *error = json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message);
    char *text = json_dumps(error, JSON_COMPACT);
    const char *headers = status == 401 && call->route->kind != ROUTE_LOG_IN
                              ? "Set-Cookie: " CALL_COOKIE "=; Path=/; Max-Age=0; HttpOnly; "
                                "SameSite=Strict\r\n"
                              : NULL;
    call_answer(call, status, text, headers);
    free(text);
    json_decref(error);
}

/* --- through the database --- */

void call_submit(struct call *call, const char *request, pipeline_on_result *on_result)
{
    struct statement statement;
    char *arguments = json_dumps(call->arguments, JSON_COMPACT);
    statement_init(&statement);
    statement_string(&statement, call->app->district);
    statement_bytes(&statement, call->hash, sizeof(call->hash));
    statement_string(&statement, call->caller.origin);
    statement_string(&statement, request);
    statement_string(&statement, arguments);
    bool is_slow = call->route->kind == ROUTE_SLOW || call->route->kind == ROUTE_REPORT;
    bool sent = (is_slow ? links_submit_slow : links_submit)(call->app->links, LINKS_REQUEST,
                                                             &statement, on_result, call);
    statement_fini(&statement);
    free(arguments);
    if (!sent)
        call->on_lost(call);
}

/* Puts in what only this program knows of a session, and remembers it for when PostgreSQL is away. */
static void answer_session(struct call *call, const char *body)
{
    char csrf[TOKEN_TEXT_SIZE], text[SESSION_SIZE];
    json_t *parsed = json_loads(body, 0, NULL), *user = json_object_get(parsed, "user");
    const char *role = json_string_value(json_object_get(user, "role"));
    struct visitor visitor = {.session = text};
    token_csrf(call->token, csrf);
    snprintf(text, sizeof(text), "{\"csrf\":\"%s\",\"version\":\"%s\",%s", csrf, ONEKEY_VERSION,
             body + 1);
    snprintf(visitor.name, sizeof(visitor.name), "%s",
             json_string_value(json_object_get(user, "name")));
    visitor.sees_unstored =
        role != NULL && (strcmp(role, "operator") == 0 || strcmp(role, "supervisor") == 0);
    visitors_note(call->app->visitors, call->hash, &visitor, clock_mono_us());
    json_decref(parsed);
    call_answer(call, 200, text, NULL);
}

void call_finish(struct call *call, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_LOST) {
        call->on_lost(call);
        return;
    }
    if (result->outcome == PIPELINE_REFUSED) {
        bool is_value = strncmp(result->sqlstate, "22", 2) == 0;
        if (!is_value)
            log_event(&call->app->log, LOG_ERROR, "request.failed",
                      field_text("request", call->route->request),
                      field_text("reason", result->message));
        call_refuse(call, is_value ? 400 : 500, is_value ? "invalid" : "internal",
                    is_value ? "a value cannot be used" : "that went wrong here; it is logged");
        return;
    }
    int status = (int)rows_int64(result->rows, 0, 0);
    const char *body = rows_text(result->rows, 0, 1), *shown = rows_text(result->rows, 0, 2);
    if (status == 401)
        call_refuse(call, 401, "log_in", "nobody is logged in");
    else if (status == 200 && strcmp(call->route->request, "session") == 0)
        answer_session(call, body);
    else {
        char all[] = STATUS_HEADERS;
        struct reply reply = {
            .status = status, .type = JSON, .headers = all, .body = body, .size = strlen(body)};
        struct presented *presented =
            presented_new(call->app, call->hash, call->caller.origin, shown);
        figures_count_answer(call->app->figures, status);
        server_reply(call->exchange, &reply, presented, presented == NULL ? NULL : presented_send);
        release(call);
    }
}
