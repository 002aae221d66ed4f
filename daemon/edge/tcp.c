#include "daemon/edge/tcp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/base/log.h"
#include "daemon/edge/address.h"
#include "daemon/edge/connection.h"

#define BACKLOG 65535 /* the kernel cuts it to net.core.somaxconn */
#define ACCEPTS_A_TURN 32
#define EXPIRED_A_TICK 256 /* of one listener and state: closing costs some 10 us each */
#define GRACE_S 2          /* for last words, see tcp.h */
#define OUT_OF_RESOURCES_TICKS TICKS_PER_SECOND

/* --- accepting --- */

static void delay_accepting(struct tcp_listener *listener, uint32_t ticks)
{
    event_del(listener->event);
    listener->delayed = true;
    listener->resume_at = listener->tcp->ticks + ticks;
}

/* Out of descriptors or memory: the socket stays readable, so that trying on would only burn the
 * processor. Everything else concerns the one connection that did not come about. */
static void accept_failed(struct tcp_listener *listener, int cause)
{
    struct tcp *tcp = listener->tcp;

    if (cause != EMFILE && cause != ENFILE && cause != ENOBUFS && cause != ENOMEM)
        return;
    tcp->counters.accepts_failed++;
    delay_accepting(listener, OUT_OF_RESOURCES_TICKS);
    if (tcp->log)
        log_event(tcp->log, LOG_ERROR, "tcp.accept_failed", field_number("port", listener->port),
                  field_number("connections", tcp->pool.count),
                  field_text("reason", strerror(cause)));
}

static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    struct tcp_listener *listener = context;
    struct tcp *tcp = listener->tcp;
    (void)what;

    for (int i = 0; i < ACCEPTS_A_TURN && listener->event; i++) {
        if (listener->tokens == 0 || listener->count >= listener->options.connections_max ||
            tcp->pool.count == tcp->pool.capacity) {
            tcp->counters.accepts_delayed++;
            delay_accepting(listener, 1);
            return;
        }
        int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            accept_failed(listener, errno);
            return;
        }
        listener->tokens--;
        connection_start(listener, accepted);
    }
}

/* --- time --- */

static void refill(struct tcp_listener *listener)
{
    listener->tokens_part += listener->options.accepts_per_second;
    if (listener->tokens_part < TICKS_PER_SECOND)
        return; /* slower than one a tick: keep collecting */
    listener->tokens = listener->tokens_part / TICKS_PER_SECOND;
    listener->tokens_part %= TICKS_PER_SECOND;
}

static void expire(struct tcp_listener *listener, enum connection_state state, uint32_t limit_s)
{
    uint32_t now = listener->tcp->ticks;

    for (int i = 0; i < EXPIRED_A_TICK; i++) {
        struct connection *oldest = listener->members[state];
        if (!oldest || now - oldest->since < limit_s * TICKS_PER_SECOND)
            return;
        connection_expire(oldest);
    }
}

/* While some have spoken and are not read, because of a pause, nobody is called silent. */
static bool silence_counts(const struct tcp_listener *listener)
{
    return listener->options.idle_timeout_s > 0 && handle_queue_is_empty(&listener->tcp->held);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct tcp *tcp = context;
    (void)fd, (void)what;

    tcp->ticks++;
    for (struct tcp_listener *listener = tcp->listeners; listener; listener = listener->next) {
        refill(listener);
        if (listener->event && listener->delayed &&
            (int32_t)(tcp->ticks - listener->resume_at) >= 0) {
            listener->delayed = false;
            event_add(listener->event, NULL);
        }
        expire(listener, CONNECTION_HANDSHAKE, listener->options.handshake_timeout_s);
        if (silence_counts(listener))
            expire(listener, CONNECTION_OPEN, listener->options.idle_timeout_s);
        expire(listener, CONNECTION_ENDED, GRACE_S);
        expire(listener, CONNECTION_CLOSING, GRACE_S);
    }
}

static void on_later(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    connection_continue(context);
}

/* --- the module --- */

struct tcp *tcp_open(struct event_base *base, uint32_t connections_max, struct log *log)
{
    static const struct timeval tick = {0, 1000000 / TICKS_PER_SECOND};
    struct tcp *tcp = calloc(1, sizeof(*tcp));
    /* Not touched until used, so the room for connections that never come costs next to nothing. */
    void *memory = calloc(1, pool_memory_size(sizeof(struct connection), connections_max));
    if (!tcp || !memory)
        abort();
    tcp->base = base;
    tcp->log = log;
    tcp->pool_memory = memory;
    pool_init(&tcp->pool, memory, sizeof(struct connection), connections_max);
    tcp->tick = event_new(base, -1, EV_PERSIST, on_tick, tcp);
    tcp->later = event_new(base, -1, 0, on_later, tcp);
    if (!tcp->tick || !tcp->later || event_add(tcp->tick, &tick) < 0)
        abort();
    connection_later(tcp);
    return tcp;
}

static void listener_stop(struct tcp_listener *listener)
{
    if (!listener->event)
        return;
    event_free(listener->event);
    listener->event = NULL;
    close(listener->fd);
}

void tcp_close(struct tcp *tcp)
{
    if (!tcp)
        return;
    uint64_t handle;
    while ((handle = pool_next(&tcp->pool, HANDLE_NONE)) != HANDLE_NONE)
        connection_drop(pool_get(&tcp->pool, handle));
    tcp_stop_listening(tcp);
    while (tcp->listeners) {
        struct tcp_listener *listener = tcp->listeners;
        tcp->listeners = listener->next;
        free(listener);
    }
    event_free(tcp->tick);
    event_free(tcp->later);
    handle_queue_fini(&tcp->held);
    handle_queue_fini(&tcp->waiting);
    handle_queue_fini(&tcp->doomed);
    free(tcp->pool_memory);
    free(tcp);
}

struct tcp_listener *tcp_listen(struct tcp *tcp, const struct tcp_listener_options *options,
                                char *error, size_t error_size)
{
    int one = 1;
    assert(options->input_max > 0 && options->input_max <= TCP_INPUT_MAX_LIMIT);

    int fd = address_bind(SOCK_STREAM, options->address, options->port, error, error_size);
    if (fd < 0)
        return NULL;
    /* Accepted sockets inherit it: a reply of some bytes must not wait for the peer's delayed ACK. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (listen(fd, BACKLOG) < 0) {
        snprintf(error, error_size, "cannot listen on port %u: %s", options->port, strerror(errno));
        close(fd);
        return NULL;
    }
    struct tcp_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        abort();
    *listener = (struct tcp_listener){.tcp = tcp, .next = tcp->listeners, .fd = fd};
    listener->options = *options;
    listener->port = address_port(fd);
    refill(listener);
    listener->event = event_new(tcp->base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
    if (!listener->event || event_add(listener->event, NULL) < 0)
        abort();
    tcp->listeners = listener;
    return listener;
}

uint16_t tcp_listener_port(const struct tcp_listener *listener)
{
    return listener->port;
}

void tcp_stop_listening(struct tcp *tcp)
{
    for (struct tcp_listener *listener = tcp->listeners; listener; listener = listener->next)
        listener_stop(listener);
}

bool tcp_send(struct tcp *tcp, uint64_t handle, const void *data, size_t size)
{
    struct connection *connection = pool_get(&tcp->pool, handle);
    return connection && connection_send(connection, data, size);
}

void tcp_hang_up(struct tcp *tcp, uint64_t handle, bool flush)
{
    struct connection *connection = pool_get(&tcp->pool, handle);
    if (connection)
        connection_hang_up(connection, flush);
}

void tcp_pause_reading(struct tcp *tcp, bool pause)
{
    bool resumes = tcp->paused && !pause;
    tcp->paused = pause;
    if (resumes)
        connection_later(tcp);
}

uint32_t tcp_count(const struct tcp *tcp)
{
    return tcp->pool.count;
}

const struct tcp_counters *tcp_counters(const struct tcp *tcp)
{
    return &tcp->counters;
}

const char *tcp_reason_text(enum tcp_reason reason)
{
    static const char *const texts[TCP_REASONS] = {
        [TCP_PEER_CLOSED] = "peer_closed", [TCP_IDLE] = "idle",     [TCP_OVERSIZED] = "oversized",
        [TCP_SLOW_READER] = "slow_reader", [TCP_FAILED] = "failed",
    };
    assert(reason < TCP_REASONS);
    return texts[reason];
}
