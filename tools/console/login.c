#include "tools/console/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/clock.h"
#include "tools/console/figures.h"
#include "tools/console/links.h"
#include "tools/console/visitors.h"
#include "tools/console/worker.h"

#define HEADERS_SIZE 256

static const char *body_text(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(json_object_get(call->arguments, "body"), name));
}

static void drop_password(struct call *call)
{
    json_t *body = json_object_get(call->arguments, "body");
    char *password = (char *)(uintptr_t)body_text(call, "password"); /* jansson's own copy */
    if (password != NULL)
        password_forget(password, strlen(password));
    json_object_del(body, "password");
}

static void put_who(struct statement *statement, const struct call *call)
{
    statement_init(statement);
    statement_string(statement, call->app->district);
    statement_string(statement, call->name);
    statement_string(statement, call->caller.address);
}

static void on_told(void *context, const struct pipeline_result *result)
{
    (void)context, (void)result;
}

static void fail(struct call *call)
{
    struct statement statement;
    put_who(&statement, call);
    bool sent = links_submit(call->app->links, LINKS_LOGIN_FAILED, &statement, on_told, NULL);
    (void)sent; /* then the database is away, and nobody gets in at all */
    statement_fini(&statement);
    figures_count_login(call->app->figures, false);
    log_event(&call->app->log, LOG_NOTICE, "login.failed",
              field_text("address", call->caller.address));
    call_refuse(call, 401, "log_in", "name or password is wrong");
}

static void on_session(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    char headers[HEADERS_SIZE], csrf[TOKEN_TEXT_SIZE];
    if (result->outcome != PIPELINE_OK) {
        call_refuse(call, 503, "database", "PostgreSQL does not answer");
        return;
    }
    if (rows_int64(result->rows, 0, 0) != 200) {
        fail(call);
        return;
    }
    const char *body = rows_text(result->rows, 0, 1);
    size_t size = strlen(body) + TOKEN_TEXT_SIZE + sizeof(ONEKEY_VERSION) + 32;
    char *text = malloc(size);
    if (text == NULL)
        abort(); /* out of memory */
    token_csrf(call->token, csrf);
    snprintf(text, size, "{\"csrf\":\"%s\",\"version\":\"%s\",%s", csrf, ONEKEY_VERSION, body + 1);
    snprintf(headers, sizeof(headers),
             "Set-Cookie: onekey_session=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s\r\n",
             call->token, call->app->config.console.session_s,
             call->caller.is_secure ? "; Secure" : "");
    figures_count_login(call->app->figures, true);
    call_answer(call, 200, text, headers);
    explicit_bzero(headers, sizeof(headers));
    free(text);
}

static void on_verified(void *context, const struct worker_result *verified)
{
    struct call *call = context;
    struct statement statement;
    if (!verified->good) {
        fail(call);
        return;
    }
    if (!token_make(call->token)) {
        call_refuse(call, 503, "busy", "no randomness");
        return;
    }
    token_hash(call->token, call->hash);
    put_who(&statement, call);
    statement_bytes(&statement, call->hash, sizeof(call->hash));
    statement_int64(&statement, call->app->config.console.session_idle_s);
    statement_int64(&statement, call->app->config.console.session_s);
    if (!links_submit(call->app->links, LINKS_LOGIN_END, &statement, on_session, call))
        call_refuse(call, 503, "database", "PostgreSQL does not answer");
    statement_fini(&statement);
}

static void on_may_try(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    char headers[HEADERS_SIZE];
    if (result->outcome != PIPELINE_OK) {
        call_refuse(call, 503, "database", "PostgreSQL does not answer");
        return;
    }
    if (!rows_is_null(result->rows, 0, 0)) {
        snprintf(headers, sizeof(headers), "Retry-After: %lld\r\n",
                 (long long)rows_int64(result->rows, 0, 0));
        figures_count_login(call->app->figures, false);
        call_answer(call, 429,
                    "{\"error\":{\"code\":\"throttled\",\"message\":\"too many tries; wait\"}}",
                    headers);
        return;
    }
    const char *password = body_text(call, "password");
    const char *hash = rows_is_null(result->rows, 0, 1) ? NULL : rows_text(result->rows, 0, 1);
    if (strlen(password) > PASSWORD_LENGTH_MAX)
        hash = NULL;
    bool taken = worker_verify(call->app->worker, password, hash, on_verified, call);
    drop_password(call);
    if (!taken)
        call_refuse(call, 503, "busy", "too many log-ins at once; try again");
}

void login_begin(struct call *call)
{
    const char *name = body_text(call, "name"), *password = body_text(call, "password");
    struct statement statement;
    if (name == NULL || password == NULL || name[0] == '\0' || strlen(name) >= sizeof(call->name)) {
        call_refuse(call, 400, "invalid", "give name and password");
        return;
    }
    snprintf(call->name, sizeof(call->name), "%s", name);
    put_who(&statement, call);
    if (!links_submit(call->app->links, LINKS_LOGIN_BEGIN, &statement, on_may_try, call))
        call_refuse(call, 503, "database", "PostgreSQL does not answer");
    statement_fini(&statement);
}

/* --- new passwords --- */

static void on_finished(void *context, const struct pipeline_result *result)
{
    call_finish(context, result);
}

static void on_hashed(void *context, const struct worker_result *made)
{
    struct call *call = context;
    if (!made->good) {
        call_refuse(call, 503, "busy", "the password could not be hashed");
        return;
    }
    json_object_set_new(json_object_get(call->arguments, "body"), "password_hash",
                        json_string(made->hash));
    call_submit(call, call->route->request, on_finished);
}

/* Only somebody who is logged in may make the thread work. */
static void on_known(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    if (result->outcome != PIPELINE_OK || rows_int64(result->rows, 0, 0) != 200) {
        call_finish(call, result);
        return;
    }
    bool taken = worker_hash(call->app->worker, body_text(call, "password"), on_hashed, call);
    drop_password(call);
    if (!taken)
        call_refuse(call, 503, "busy", "too many at once; try again");
}

void login_hash_password(struct call *call)
{
    const char *password = body_text(call, "password");
    json_object_del(json_object_get(call->arguments, "body"), "password_hash");
    if (password == NULL) {
        call_submit(call, call->route->request, on_finished);
        return;
    }
    const char *wrong = password_wrong(password);
    if (wrong != NULL)
        call_refuse(call, 400, "invalid", wrong);
    else
        call_submit(call, "session", on_known);
}
