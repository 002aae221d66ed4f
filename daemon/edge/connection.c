#include "daemon/edge/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <utlist.h>

#include "daemon/base/log.h"
#include "daemon/edge/address.h"
#include "daemon/edge/tls.h"

#define HANDSHAKES_A_TURN 4 /* steps; a full handshake is two, the dear one 0.25 ms */
#define RESUMED_A_TURN 256  /* connections read again after a pause */
#define CHUNKS_A_TURN 4

/* The next connection that still lives and is in `state`; NULL at the end. */
static struct connection *next_in(struct tcp *tcp, struct handle_queue *queue,
                                  enum connection_state state)
{
    while (!handle_queue_is_empty(queue)) {
        struct connection *connection = pool_get(&tcp->pool, handle_queue_pop(queue));
        if (connection && connection->state == state)
            return connection;
    }
    return NULL;
}

/* --- states --- */

static struct tcp *tcp_of(const struct connection *connection)
{
    return connection->listener->tcp;
}

static uint64_t handle_of(const struct connection *connection)
{
    return pool_handle(&tcp_of(connection)->pool, connection);
}

static void enlist(struct connection *connection)
{
    connection->since = tcp_of(connection)->ticks;
    DL_APPEND(connection->listener->members[connection->state], connection);
}

/* The only writer of `state`. */
static void become(struct connection *connection, enum connection_state state)
{
    static const uint8_t may_follow[CONNECTION_STATES] = {
        [CONNECTION_OPEN] = 1 << CONNECTION_HANDSHAKE,
        [CONNECTION_ENDED] = 1 << CONNECTION_OPEN,
        [CONNECTION_CLOSING] = 1 << CONNECTION_OPEN | 1 << CONNECTION_ENDED,
        [CONNECTION_DOOMED] = 1 << CONNECTION_OPEN | 1 << CONNECTION_ENDED,
    };
    assert(may_follow[state] & 1 << connection->state);
    DL_DELETE(connection->listener->members[connection->state], connection);
    connection->state = (uint8_t)state;
    enlist(connection);
}

static void on_event(evutil_socket_t fd, short what, void *context);

static void watch(struct connection *connection, short what)
{
    if (connection->watched == what)
        return;
    if (connection->watched)
        event_del(&connection->event);
    connection->watched = what;
    if (what == 0)
        return;
    event_assign(&connection->event, tcp_of(connection)->base, connection->transport.fd,
                 what | EV_PERSIST, on_event, connection);
    if (event_add(&connection->event, NULL) < 0)
        abort();
}

/* Watches for what the state can use. */
static void watch_state(struct connection *connection)
{
    short what = connection->output ? EV_WRITE : 0;
    if (connection->state == CONNECTION_CLOSING ||
        (connection->state == CONNECTION_OPEN && !connection->held))
        what |= EV_READ;
    watch(connection, connection->state == CONNECTION_DOOMED ? 0 : what);
}

static void forget_input(struct connection *connection)
{
    free(connection->input);
    connection->input = NULL;
    connection->input_size = 0;
}

void connection_drop(struct connection *connection)
{
    struct tcp_listener *listener = connection->listener;

    watch(connection, 0);
    DL_DELETE(listener->members[connection->state], connection);
    forget_input(connection);
    if (connection->output)
        evbuffer_free(connection->output);
    transport_close(&connection->transport);
    listener->count--;
    pool_remove(&listener->tcp->pool, handle_of(connection));
}

/* Ends it and tells why. From the loop only. */
static void lose(struct connection *connection, enum tcp_reason reason)
{
    struct tcp_listener *listener = connection->listener;
    uint64_t token = connection->token;

    listener->tcp->counters.closed[reason]++;
    connection_drop(connection);
    listener->options.callbacks.on_close(listener->options.context, token, reason);
}

/* As lose, and the telling is left to the loop. */
static void doom(struct connection *connection, enum tcp_reason reason)
{
    struct tcp *tcp = tcp_of(connection);

    connection->reason = (uint8_t)reason;
    become(connection, CONNECTION_DOOMED);
    watch_state(connection);
    handle_queue_push(&tcp->doomed, handle_of(connection));
    connection_later(tcp);
}

void connection_expire(struct connection *connection)
{
    switch ((enum connection_state)connection->state) {
    case CONNECTION_HANDSHAKE:
        tcp_of(connection)->counters.handshakes_failed++;
        connection_drop(connection);
        return;
    case CONNECTION_OPEN:
        lose(connection, TCP_IDLE);
        return;
    case CONNECTION_ENDED:
        lose(connection, TCP_PEER_CLOSED);
        return;
    case CONNECTION_CLOSING:
        connection_drop(connection);
        return;
    case CONNECTION_DOOMED:
    case CONNECTION_STATES:
        break;
    }
    assert(false); /* a state without a deadline */
}

/* --- input --- */

static void hold(struct connection *connection)
{
    connection->held = true;
    watch_state(connection);
    handle_queue_push(&tcp_of(connection)->held, handle_of(connection));
}

static void keep(struct connection *connection, const uint8_t *data, size_t size)
{
    if (size == 0) {
        forget_input(connection);
        return;
    }
    if (size != connection->input_size)
        connection->input = realloc(connection->input, size);
    if (!connection->input)
        abort();
    memcpy(connection->input, data, size);
    connection->input_size = (uint32_t)size;
}

/* Hands `size` bytes in the scratch to the owner. The connection may be gone afterwards. */
static void offer(struct connection *connection, size_t size)
{
    struct tcp *tcp = tcp_of(connection);
    const struct tcp_listener_options *options = &connection->listener->options;
    const uint8_t *data = tcp->scratch;
    uint64_t handle = handle_of(connection);
    size_t used;

    do {
        used = options->callbacks.on_input(options->context, connection->token, data, size);
        assert(used <= size);
        data += used;
        size -= used;
        if (!pool_get(&tcp->pool, handle) || connection->state != CONNECTION_OPEN)
            return;
    } while (used > 0 && size > 0 && !tcp->paused);
    /* During a pause the rest may be many whole frames; nothing is added to it until they are taken. */
    if (size > options->input_max && !tcp->paused) {
        lose(connection, TCP_OVERSIZED);
        return;
    }
    keep(connection, data, size);
    if (tcp->paused && size > 0)
        hold(connection);
}

static void end(struct connection *connection)
{
    forget_input(connection);
    become(connection, CONNECTION_ENDED);
    watch_state(connection);
}

/* Not silent: its deadline is the last of all again. */
static void touch(struct connection *connection)
{
    if (connection->since == tcp_of(connection)->ticks)
        return;
    DL_DELETE(connection->listener->members[connection->state], connection);
    enlist(connection);
}

static void take_input(struct connection *connection)
{
    struct tcp *tcp = tcp_of(connection);
    size_t kept = connection->input_size;

    if (tcp->paused) {
        hold(connection);
        return;
    }
    if (kept > 0)
        memcpy(tcp->scratch, connection->input, kept);
    long size = transport_receive(&connection->transport, tcp->scratch + kept, TCP_READ_MAX);
    if (size > 0) {
        tcp->counters.bytes_in += (uint64_t)size;
        touch(connection);
        offer(connection, kept + (size_t)size);
    } else if (size == TLS_ENDED) {
        end(connection);
    } else if (size == TLS_FAILED) {
        lose(connection, TCP_FAILED);
    }
}

/* After a pause: reads again, beginning with what was left. */
static void resume(struct connection *connection)
{
    connection->held = false;
    touch(connection);
    watch_state(connection);
    if (connection->input_size == 0)
        return;
    memcpy(tcp_of(connection)->scratch, connection->input, connection->input_size);
    offer(connection, connection->input_size);
}

/* A closing connection's input only delays the end: a socket closed with bytes unread would reset
 * the connection, and the peer might lose our last words. */
static void discard_input(struct connection *connection)
{
    long result =
        transport_discard(&connection->transport, tcp_of(connection)->scratch, TCP_READ_MAX);
    if (result != TLS_WANT_READ)
        connection_drop(connection);
}

/* --- output --- */

static long transmit(struct connection *connection, const uint8_t *data, size_t size)
{
    long sent = transport_send(&connection->transport, data, size);
    if (sent > 0)
        tcp_of(connection)->counters.bytes_out += (uint64_t)sent;
    return sent;
}

bool connection_send(struct connection *connection, const uint8_t *data, size_t size)
{
    long sent = TLS_WANT_WRITE;

    if (connection->state != CONNECTION_OPEN && connection->state != CONNECTION_ENDED)
        return false;
    while (!connection->output && size > 0) {
        sent = transmit(connection, data, size);
        if (sent <= 0)
            break;
        data += sent;
        size -= (size_t)sent;
    }
    if (size == 0)
        return true;
    if (sent == TLS_FAILED) {
        doom(connection, TCP_FAILED);
        return false;
    }
    if (!connection->output && !(connection->output = evbuffer_new()))
        abort();
    if (evbuffer_get_length(connection->output) + size > connection->listener->options.output_max) {
        doom(connection, TCP_SLOW_READER);
        return false;
    }
    if (evbuffer_add(connection->output, data, size) < 0)
        abort();
    watch_state(connection);
    return true;
}

/* Sends what waits. False if the connection has gone. */
static bool flush(struct connection *connection)
{
    long sent = TLS_WANT_WRITE;

    for (int i = 0; i < CHUNKS_A_TURN && evbuffer_get_length(connection->output) > 0; i++) {
        size_t size = evbuffer_get_length(connection->output);
        if (size > TRANSPORT_CHUNK_MAX)
            size = TRANSPORT_CHUNK_MAX;
        /* A TLS record that was begun must be offered again whole and in one piece. */
        sent = transmit(connection, evbuffer_pullup(connection->output, (ev_ssize_t)size), size);
        if (sent <= 0)
            break;
        evbuffer_drain(connection->output, (size_t)sent);
    }
    if (sent == TLS_FAILED) {
        if (connection->state == CONNECTION_CLOSING)
            connection_drop(connection);
        else
            lose(connection, TCP_FAILED);
        return false;
    }
    if (evbuffer_get_length(connection->output) == 0) {
        evbuffer_free(connection->output);
        connection->output = NULL;
        if (connection->state == CONNECTION_CLOSING)
            transport_end(&connection->transport);
        watch_state(connection);
    }
    return true;
}

void connection_hang_up(struct connection *connection, bool flush_first)
{
    bool open = connection->state == CONNECTION_OPEN;

    if (flush_first && connection->state == CONNECTION_CLOSING)
        return;
    if (!flush_first || connection->state == CONNECTION_DOOMED || (!open && !connection->output)) {
        connection_drop(connection);
        return;
    }
    forget_input(connection);
    become(connection, CONNECTION_CLOSING);
    if (!connection->output)
        transport_end(&connection->transport);
    watch_state(connection);
}

/* --- the beginning --- */

static void open_for_use(struct connection *connection)
{
    struct tcp *tcp = tcp_of(connection);
    const struct tcp_listener_options *options = &connection->listener->options;
    uint64_t handle = handle_of(connection);
    char address[ADDRESS_TEXT], certificate[TLS_NAME_MAX] = "", serial[TLS_NAME_MAX] = "";

    become(connection, CONNECTION_OPEN);
    address_peer_text(connection->transport.fd, address, sizeof(address));
    if (connection->transport.tls)
        tls_session_name(connection->transport.tls, certificate, serial);
    struct tcp_peer peer = {address, certificate, serial};
    uint64_t token = options->callbacks.on_open(options->context, handle, &peer);
    if (!pool_get(&tcp->pool, handle))
        return;
    if (token == TCP_REFUSED) {
        tcp->counters.refused++;
        connection_drop(connection);
        return;
    }
    connection->token = token;
    watch_state(connection);
}

static void handshake_step(struct connection *connection)
{
    struct tcp *tcp = tcp_of(connection);
    int result = tls_session_handshake(connection->transport.tls);

    if (result == TLS_WANT_READ || result == TLS_WANT_WRITE) {
        watch(connection, result == TLS_WANT_READ ? EV_READ : EV_WRITE);
    } else if (result == 0) {
        tcp->counters.handshakes++;
        open_for_use(connection);
    } else {
        tcp->counters.handshakes_failed++;
        if (tcp->log)
            log_event(tcp->log, LOG_DEBUG, "tcp.handshake_failed",
                      field_text("reason", tls_failure()));
        connection_drop(connection);
    }
}

static void handshake_or_wait(struct connection *connection)
{
    struct tcp *tcp = tcp_of(connection);

    connection_later(tcp);
    if (tcp->handshakes_left > 0) {
        tcp->handshakes_left--;
        handshake_step(connection);
    } else {
        watch(connection, 0);
        handle_queue_push(&tcp->waiting, handle_of(connection));
    }
}

void connection_start(struct tcp_listener *listener, int fd)
{
    struct tcp *tcp = listener->tcp;
    uint64_t handle = pool_add(&tcp->pool);
    assert(handle != HANDLE_NONE); /* accepting stops while the pool is full */
    struct connection *connection = pool_get(&tcp->pool, handle);

    connection->listener = listener;
    connection->transport.fd = fd;
    connection->state = CONNECTION_HANDSHAKE;
    enlist(connection);
    listener->count++;
    tcp->counters.accepted++;
    if (!listener->options.tls) {
        open_for_use(connection);
        return;
    }
    connection->transport.tls = tls_session_open(listener->options.tls, fd);
    if (connection->transport.tls)
        watch(connection, EV_READ);
    else
        connection_drop(connection);
}

/* --- the loop --- */

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;
    (void)fd;

    if (connection->state == CONNECTION_HANDSHAKE) {
        handshake_or_wait(connection);
        return;
    }
    if ((what & EV_WRITE) && connection->output && !flush(connection))
        return;
    if (!(what & EV_READ))
        return;
    if (connection->state == CONNECTION_OPEN)
        take_input(connection);
    else if (connection->state == CONNECTION_CLOSING)
        discard_input(connection);
}

void connection_later(struct tcp *tcp)
{
    static const struct timeval at_once = {0, 0};

    if (!tcp->later_armed)
        event_add(tcp->later, &at_once);
    tcp->later_armed = true;
}

void connection_continue(struct tcp *tcp)
{
    struct connection *connection;

    tcp->later_armed = false;
    tcp->handshakes_left = HANDSHAKES_A_TURN;
    while ((connection = next_in(tcp, &tcp->doomed, CONNECTION_DOOMED)))
        lose(connection, (enum tcp_reason)connection->reason);
    while (tcp->handshakes_left > 0 &&
           (connection = next_in(tcp, &tcp->waiting, CONNECTION_HANDSHAKE)))
        handshake_or_wait(connection);
    for (int i = 0; i < RESUMED_A_TURN && !tcp->paused &&
                    (connection = next_in(tcp, &tcp->held, CONNECTION_OPEN));
         i++)
        resume(connection);
    if (!handle_queue_is_empty(&tcp->waiting) ||
        (!tcp->paused && !handle_queue_is_empty(&tcp->held)))
        connection_later(tcp);
}
