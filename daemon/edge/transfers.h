/*
 * Requests to servers of others over HTTP and SMTP, by libcurl on a libevent base. Nothing here
 * blocks: names are looked up by libcurl's own threads, everything has one time limit, and of an
 * answer only its status counts.
 *
 * A certificate is always checked, no redirect is followed, no proxy and no .netrc of the environment
 * is used, and an answer that grows beyond 64 KiB is cut off.
 */
#ifndef ONEKEY_EDGE_TRANSFERS_H
#define ONEKEY_EDGE_TRANSFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct event_base;
struct transfers;

/* Lent for the call. */
struct transfer_request {
    const char *url;                 /* http, https, smtp or smtps */
    const char *ca_path;             /* PEM; NULL: those of the system */
    const char *const *headers;      /* "Name: value", NULL-terminated; of a POST */
    const char *from;                /* of a mail; NULL: a POST */
    const char *const *to;           /* of a mail, NULL-terminated */
    const char *username, *password; /* of a mail; NULL: none */
    bool starttls;                   /* of a mail: must be secured before anything is said */
    const void *body;
    size_t size;
    int timeout_s;
};

struct transfer_result {
    bool is_whole;    /* the server answered, and all of it was read or wanted */
    bool is_denied;   /* it did not take name and password */
    long status;      /* of HTTP or SMTP; 0: none came */
    int retry_s;      /* Retry-After; 0: none */
    const char *text; /* why it is not whole, for people; lent */
};

typedef void transfer_on_done(void *context, const struct transfer_result *result);

/* `ca_path`: PEM; NULL: the authorities of the system. NULL, and one sentence in `error`, if it cannot
 * be read. Connections are kept and used again among the transfers of one such object only. */
struct transfers *transfers_open(struct event_base *base, const char *ca_path, char *error,
                                 size_t error_size) MUST_USE;
/* Drops what is on its way; calls nobody back. */
void transfers_close(struct transfers *transfers);
/* on_done follows from the event loop, exactly once. Copies the request. */
void transfers_start(struct transfers *transfers, const struct transfer_request *request,
                     transfer_on_done *on_done, void *context);

#endif
