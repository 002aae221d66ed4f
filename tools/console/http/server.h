/*
 * A small HTTP/1.1 server on libevent's bufferevents, plain or TLS, for one program. Whatever is at the
 * other end, a connection costs bounded memory and time:
 *
 *     waiting ---head whole---> body ---body whole---> handling ---reply---> flushing ---> waiting
 *        | head_s, idle_s        | body_s                 |                    | write_s
 *        +-> closed              +-> closed               +---> streaming      +-> closed
 *
 * A connection reads nothing while its request is handled, and takes the next request only when the
 * answer has left. When there are connections_max, the one that has been waiting longest for a request
 * makes room, so that half-open connections cannot keep people out.
 *
 * Why not evhttp: it has no deadline for a head that trickles in, no limit of connections, and hides its
 * output (docs/decisions/console.md).
 */
#ifndef ONEKEY_CONSOLE_HTTP_SERVER_H
#define ONEKEY_CONSOLE_HTTP_SERVER_H

#include "tools/console/http/message.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>

struct server;
struct ssl_ctx_st;

/* One request that waits for its answer: lent from on_request until server_reply, or, of a stream,
 * until on_gone or server_end. */
struct exchange {
    struct message message;
    const char *body; /* content_length bytes, not ended by NUL */
    char peer[INET6_ADDRSTRLEN];
    void *user;                     /* the handler's own */
    void (*on_drained)(void *user); /* all that was sent has left; may be NULL */
    void (*on_gone)(void *user,
                    const char *reason); /* the other end of a stream; then it is freed */
};

struct server_settings {
    const char *address;    /* in numbers */
    uint16_t port;          /* 0: any */
    struct ssl_ctx_st *tls; /* NULL: plain. Borrowed */
    int connections_max;
    size_t head_max, body_max, backlog_max; /* bytes; backlog: unsent output of a stream */
    int head_s, idle_s, body_s, write_s;    /* deadlines */
    void *context;
    void (*on_request)(void *context, struct exchange *exchange);
};

struct server_figures {
    int64_t accepted, open, evicted, slow, refused, streams, stalled;
};

struct reply {
    int status;
    const char *type;    /* media type; NULL without a body */
    const char *headers; /* further lines, each ended by CRLF; or NULL */
    const void *body;    /* copied */
    size_t size;
    struct evbuffer *shared; /* instead of body: its memory is referred to, not copied; or NULL */
};

/* NULL, and errno, if it cannot listen there. */
struct server *server_open(struct event_base *base,
                           const struct server_settings *settings) MUST_USE;
void server_close(struct server *server);
/* Takes no new connections. */
void server_drain(struct server *server);
uint16_t server_port(const struct server *server);
struct server_figures server_figures(const struct server *server);

/* Answers; the exchange is gone for the caller. `then`, if not NULL, is called with `user` when the
 * answer has left (sent), or when it cannot leave any more; once in either case. */
void server_reply(struct exchange *exchange, const struct reply *reply, void *user,
                  void (*then)(void *user, bool sent));
/* Answers 200 and keeps the answer open: server_send adds to it. user and on_gone must be set. */
void server_stream(struct exchange *exchange, const char *type, const char *headers);
/* Adds what is in `shared`, by reference. A stream with too much unsent is dropped (on_gone, later). */
void server_send(struct exchange *exchange, struct evbuffer *shared);
/* Unsent bytes of a stream. */
size_t server_backlog(const struct exchange *exchange);
/* Ends a stream without calling on_gone. */
void server_end(struct exchange *exchange);

#endif
