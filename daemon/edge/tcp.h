/*
 * Listeners and the connections that they accept, plain or TLS, on libevent. Owns the sockets; knows
 * bytes and deadlines, never what the bytes mean. A connection is named by a handle: once it has
 * gone, sending to it or hanging up finds nothing and does nothing.
 *
 *     accept --> HANDSHAKE (TLS only) --> OPEN --> CLOSING --> gone
 *                    |                     |
 *                    +--> gone             +--> gone (peer, timeout, limit, error)
 *
 * Costs: an idle plain connection is its slot (some 200 bytes) and libevent's entry for its socket;
 * buffers exist only while something waits in them. Each connection is served at most
 * TCP_READ_MAX bytes a turn, and few handshakes a turn, so that a storm of them delays nobody's bytes.
 *
 * Callbacks come from the event loop only, never from inside tcp_send or tcp_hang_up. They may call
 * any function here but tcp_close. No keep-alive probes are sent: some devices' protocols forbid
 * them. The process ignores SIGPIPE.
 */
#ifndef ONEKEY_EDGE_TCP_H
#define ONEKEY_EDGE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct event_base;
struct log;
struct tls;
struct tcp;
struct tcp_listener;

#define TCP_READ_MAX 16384        /* bytes taken from one connection in one turn */
#define TCP_INPUT_MAX_LIMIT 65536 /* the largest input_max */
#define TCP_REFUSED UINT64_C(0)   /* on_open: close it again */

enum tcp_reason {
    TCP_PEER_CLOSED, /* the peer ended its side; what was owed to it had 2 s to go out */
    TCP_IDLE,        /* nothing came for idle_timeout_s */
    TCP_OVERSIZED,   /* input_max bytes came and nothing in them was consumed */
    TCP_SLOW_READER, /* more than output_max bytes waited for the peer */
    TCP_FAILED,      /* reset, unreachable, broken TLS */
    TCP_REASONS
};

/* Who has connected; lent for the call. */
struct tcp_peer {
    const char *address;     /* "192.0.2.7:5120", "[2001:db8::7]:5120" */
    const char *certificate; /* name in the verified client certificate, "" if there is none */
};

struct tcp_callbacks {
    /* A connection is ready to talk. Returns the caller's own name for it (not 0), which the other
     * two are called with, or TCP_REFUSED. `connection` is the handle for tcp_send and tcp_hang_up,
     * and may be used at once. */
    uint64_t (*on_open)(void *context, uint64_t connection, const struct tcp_peer *peer);
    /* All bytes that have come and were not consumed. Returns how many from the front are done
     * with; called again at once while it consumes and bytes are left. Those left come again with
     * those that follow, or when a pause of reading that began in this call ends. */
    size_t (*on_input)(void *context, uint64_t token, const uint8_t *data, size_t size);
    /* It has gone, and not because of tcp_hang_up: then the caller knows. */
    void (*on_close)(void *context, uint64_t token, enum tcp_reason reason);
};

struct tcp_listener_options {
    const char *address;         /* numeric IPv4 or IPv6; "" or "*": all of this machine's */
    uint16_t port;               /* 0: any free one, see tcp_listener_port */
    struct tls *tls;             /* lent as long as the listener lives; NULL: plain */
    uint32_t connections_max;    /* of this listener; more wait in the kernel's backlog */
    uint32_t accepts_per_second; /* more wait in the backlog */
    uint32_t handshake_timeout_s;
    uint32_t idle_timeout_s; /* 0: never closed for silence */
    size_t input_max;        /* bytes kept of one connection that are not consumed */
    size_t output_max;       /* bytes kept that the peer does not read */
    struct tcp_callbacks callbacks;
    void *context;
};

struct tcp_counters {
    uint64_t accepted, refused, handshakes, handshakes_failed;
    uint64_t accepts_delayed; /* times that a listener's rate or room ran out */
    uint64_t accepts_failed;  /* times that the system had no descriptor or memory */
    uint64_t bytes_in, bytes_out;
    uint64_t closed[TCP_REASONS];
};

/* Room for `connections_max` connections of all listeners together. `log` is lent; NULL: silent. */
struct tcp *tcp_open(struct event_base *base, uint32_t connections_max, struct log *log) MUST_USE;
/* Drops everything at once; on_close is not called. */
void tcp_close(struct tcp *tcp);

/* NULL, and one sentence in `error`, where the address cannot be listened on. Copies the options.
 * Lives until tcp_close. */
struct tcp_listener *tcp_listen(struct tcp *tcp, const struct tcp_listener_options *options,
                                char *error, size_t error_size) MUST_USE;
uint16_t tcp_listener_port(const struct tcp_listener *listener);
/* Closes the listening sockets; connections live on. */
void tcp_stop_listening(struct tcp *tcp);

/* True if the bytes were sent or will be; false if the connection has gone, is being closed, or is
 * closed by this call because output_max is exceeded (on_close follows from the loop). */
bool tcp_send(struct tcp *tcp, uint64_t connection, const void *data, size_t size);
/* Ends the connection; its token is not heard of again. With `flush` what was sent before still has
 * 2 s to reach the peer. */
void tcp_hang_up(struct tcp *tcp, uint64_t connection, bool flush);
/* While paused no bytes are taken from open connections (their senders wait in the kernel);
 * accepting and sending go on. */
void tcp_pause_reading(struct tcp *tcp, bool pause);

/* Connections in any state, closing ones included. */
uint32_t tcp_count(const struct tcp *tcp);
const struct tcp_counters *tcp_counters(const struct tcp *tcp);
/* A word for log lines and metrics: "peer_closed", "idle" ... */
const char *tcp_reason_text(enum tcp_reason reason);

#endif
