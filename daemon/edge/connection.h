/*
 * One accepted connection, the inside of tcp.h: bytes through the socket or through TLS, what waits
 * to be consumed or sent, and the states. Only tcp.c includes this.
 *
 *     start --> HANDSHAKE --> OPEN --> ENDED --> CLOSING --> dropped
 *        +------ plain ------^  |        |          ^
 *                               +--------+----------+    tcp_hang_up with flush
 *                               +--------+--> DOOMED --> dropped, from the loop
 *
 * HANDSHAKE, ENDED (the peer will send no more, we may) and CLOSING last a fixed time, and OPEN ends
 * after silence: so each state of a listener is a list in the order of its deadlines, and only the
 * heads are looked at. DOOMED has a reason and waits for the loop to say it, because on_close must
 * not come from inside tcp_send.
 */
#ifndef ONEKEY_EDGE_CONNECTION_H
#define ONEKEY_EDGE_CONNECTION_H

#include <stdbool.h>

#include <event2/event_struct.h>

#include "daemon/base/pool.h"
#include "daemon/edge/handle_queue.h"
#include "daemon/edge/tcp_types.h"
#include "daemon/edge/transport.h"

#define TICKS_PER_SECOND 10

struct evbuffer;
struct log;

enum connection_state {
    CONNECTION_HANDSHAKE,
    CONNECTION_OPEN,
    CONNECTION_ENDED,
    CONNECTION_CLOSING,
    CONNECTION_DOOMED,
    CONNECTION_STATES
};

/* What one idle connection costs us: no field here without need. */
struct connection {
    struct event event;
    struct tcp_listener *listener;
    struct transport transport;
    struct connection *prev, *next;
    struct evbuffer *output; /* NULL: nothing waits for the peer */
    uint8_t *input;          /* input_size bytes not consumed; NULL: none */
    uint64_t token;
    uint32_t input_size;
    uint32_t since; /* tick at which the state began, or bytes came last */
    short watched;  /* EV_READ, EV_WRITE */
    uint8_t state;
    uint8_t reason; /* while DOOMED */
    bool held;      /* not read until the pause ends */
};

struct tcp_listener {
    struct tcp *tcp;
    struct tcp_listener *next;
    struct event *event;
    int fd;
    struct tcp_listener_options options;
    uint16_t port;
    uint32_t count;                                /* connections in any state */
    struct connection *members[CONNECTION_STATES]; /* utlist, oldest first */
    uint32_t tokens;                               /* accepts allowed in this tick */
    uint32_t tokens_part;                          /* and tenths of one */
    uint32_t resume_at;                            /* tick; meaningful while delayed */
    bool delayed;
};

struct tcp {
    struct event_base *base;
    struct log *log;
    struct event *tick, *later;
    struct tcp_listener *listeners;
    struct pool pool;
    void *pool_memory;
    uint32_t ticks;
    uint32_t handshakes_left; /* steps allowed in this turn */
    bool paused, later_armed;
    struct handle_queue held, waiting, doomed; /* reading paused; handshakes; to be told */
    struct tcp_counters counters;
    /* Input is read here and handed over from here; what is not consumed is copied out. */
    uint8_t scratch[TCP_INPUT_MAX_LIMIT + TCP_READ_MAX];
};

/* Takes the accepted socket; closes it where there is no room. */
void connection_start(struct tcp_listener *listener, int fd);
bool connection_send(struct connection *connection, const uint8_t *data, size_t size);
void connection_hang_up(struct connection *connection, bool flush);
/* Its state has lasted too long. */
void connection_expire(struct connection *connection);
/* Closes and forgets it without a word. */
void connection_drop(struct connection *connection);
/* Asks the loop for connection_continue in its next turn. */
void connection_later(struct tcp *tcp);
/* What was put off to this turn: reasons to tell, handshakes, reading after a pause. */
void connection_continue(struct tcp *tcp);

#endif
