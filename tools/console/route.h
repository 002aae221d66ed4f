/* Which request of a browser is which api_NAME of the database: one table. */
#ifndef ONEKEY_CONSOLE_ROUTE_H
#define ONEKEY_CONSOLE_ROUTE_H

#include "tools/console/http/message.h"

#include <jansson.h>

#define ROUTE_ARGUMENTS_MAX 7

enum route_kind {
    ROUTE_DATABASE, /* console_request(request) */
    ROUTE_LOG_IN,
    ROUTE_LOG_OUT,
    ROUTE_EVENTS,
    ROUTE_UNSTORED,
    ROUTE_PASSWORD, /* as ROUTE_DATABASE, once the password of the body is hashed */
    ROUTE_SLOW,     /* as ROUTE_DATABASE, on the connection for what may take long */
    ROUTE_REPLY,    /* of a contact, whom the token in the body names: nobody is logged in */
    ROUTE_REPORT,   /* as ROUTE_SLOW, and what comes is written as a file */
};

struct route {
    enum message_method method;
    const char *path; /* {id} a number, {name} a word: arguments of that name */
    enum route_kind kind;
    const char *request;
    const char *query[ROUTE_ARGUMENTS_MAX + 1]; /* what is taken from the query, NULL-terminated */
};

enum route_result { ROUTE_FOUND, ROUTE_MISSING, ROUTE_OTHER_METHOD, ROUTE_BAD_ARGUMENT };

/* Finds the route of a message. `allowed` (of size 64) gets the methods of the path, for 405. */
enum route_result route_find(const struct message *message, const struct route **out,
                             char allowed[64]);
/* The arguments that stand in path and query, as a new object; NULL if one of them is badly written. */
json_t *route_arguments(const struct route *route, const struct message *message) MUST_USE;

#endif
