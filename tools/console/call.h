/*
 * One request of a browser on its way through the database: checked, put to console_request() as whoever is
 * logged in, answered. What the database says is passed on; nothing is decided here that it decides.
 */
#ifndef ONEKEY_CONSOLE_CALL_H
#define ONEKEY_CONSOLE_CALL_H

#include "tools/console/app.h"
#include "tools/console/route.h"
#include "tools/console/token.h"

#include "db/pipeline.h"

#define CALL_COOKIE "onekey_session"

struct call {
    struct app *app;
    struct exchange *exchange;
    const struct route *route;
    struct caller caller;
    bool has_token;
    char token[TOKEN_TEXT_SIZE];
    uint8_t hash[TOKEN_HASH_SIZE];
    json_t *arguments;
    char name[80];                      /* of ROUTE_LOG_IN: who wants to log in */
    void (*on_lost)(struct call *call); /* PostgreSQL is away: answers and ends the call */
};

/* Puts `request` with the call's arguments to the database. Calls on_lost if it cannot. */
void call_submit(struct call *call, const char *request, pipeline_on_result *on_result);
/* Answers what the database answered to call_submit, and ends the call. */
void call_finish(struct call *call, const struct pipeline_result *result);
/* Answers with JSON and ends the call. `headers` as of struct reply, beside those of every answer. */
void call_answer(struct call *call, int status, const char *json, const char *headers);
/* Answers {"error": ...} and ends the call. */
void call_refuse(struct call *call, int status, const char *code, const char *message);
/* Ends a call whose exchange now belongs to somebody else. */
void call_free(struct call *call);

#endif
