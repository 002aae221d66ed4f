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
#include "daemon/edge/tcp_types.h"

struct event_base;
struct log;
struct tcp;
struct tcp_listener;

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
