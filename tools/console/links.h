/*
 * Several connections to PostgreSQL, so that a slow question holds up few others. Every submission is one
 * statement and one transaction (db/pipeline.h), and goes to the connection that has the fewest before it.
 */
#ifndef ONEKEY_CONSOLE_LINKS_H
#define ONEKEY_CONSOLE_LINKS_H

#include "db/pipeline.h"

#include "daemon/base/log.h"

/* What is asked; their SQL stands in links.c. */
enum links_statement {
    LINKS_REQUEST,      /* district, token hash, origin, request, arguments */
    LINKS_LOGIN_BEGIN,  /* district, name, address */
    LINKS_LOGIN_END,    /* district, name, address, token hash, idle s, absolute s */
    LINKS_LOGIN_FAILED, /* district, name, address */
    LINKS_PRESENTED,    /* district, token hash, origin, tickets */
    LINKS_STREAMS,      /* district, token hashes */
    LINKS_SUMMARIES,    /* district, people */
    LINKS_READERS,      /* district, ticket, people */
    LINKS_DUTY,         /* district */
    LINKS_ROLL_UP,      /* district */
    LINKS_REPLY,        /* district, token, result */
};

struct links;

struct links *links_open(struct event_base *base, const char *conninfo, struct random *random,
                         struct log *log, char **error) MUST_USE;
void links_close(struct links *links);
/* Whether any connection is up. */
bool links_are_up(const struct links *links);
/* False if none is up or all are full; then on_result is not called. */
bool links_submit(struct links *links, enum links_statement statement,
                  const struct statement *parameters, pipeline_on_result *on_result,
                  void *context) MUST_USE;

/* The same on a connection of its own, for what may take a minute: figures over months. */
bool links_submit_slow(struct links *links, enum links_statement statement,
                       const struct statement *parameters, pipeline_on_result *on_result,
                       void *context) MUST_USE;

#endif
