#include "tools/sim/wire.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_readable(struct bufferevent *stream, void *context)
{
    struct wire *wire = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t size = evbuffer_get_length(input);
    size_t used = wire->events->on_input(
        wire->context, (struct bytes){.data = evbuffer_pullup(input, -1), .size = size});

    if (wire->stream == stream) /* the callback may have closed it */
        evbuffer_drain(input, used);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct wire *wire = context;
    int on = 1;

    if (what & BEV_EVENT_CONNECTED) {
        setsockopt(bufferevent_getfd(stream), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        wire->is_up = true;
        wire->events->on_up(wire->context);
    } else {
        wire_close(wire);
        wire->events->on_down(wire->context);
    }
}

static struct bufferevent *new_tls_stream(struct event_base *base, const struct endpoint *to)
{
    SSL *ssl = SSL_new(to->tls);

    if (!ssl)
        abort();
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), to->host) != 1 &&
        (SSL_set1_host(ssl, to->host) != 1 || SSL_set_tlsext_host_name(ssl, to->host) != 1))
        abort();
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static void begin(struct wire *wire)
{
    bufferevent_setcb(wire->stream, on_readable, NULL, on_event, wire);
    bufferevent_enable(wire->stream, EV_READ | EV_WRITE);
}

/* A socket that only speaks with one peer is up at once. */
static bool open_datagram(struct wire *wire, struct event_base *base, const struct endpoint *to)
{
    int fd = socket(to->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (connect(fd, (const struct sockaddr *)&to->address, to->address_size) == 0)
        wire->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!wire->stream) {
        close(fd);
        return false;
    }
    begin(wire);
    wire->is_up = true;
    wire->events->on_up(wire->context);
    return true;
}

bool wire_open(struct wire *wire, struct event_base *base, const struct endpoint *to)
{
    wire->stream = NULL;
    if (to->is_datagram)
        return open_datagram(wire, base, to);
    wire->stream =
        to->tls ? new_tls_stream(base, to)
                : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!wire->stream)
        return false;
    begin(wire);
    if (bufferevent_socket_connect(wire->stream, (const struct sockaddr *)&to->address,
                                   (int)to->address_size) == 0)
        return true;
    wire_close(wire);
    return false;
}

void wire_send(struct wire *wire, struct bytes bytes)
{
    assert(wire->is_up);
    bufferevent_write(wire->stream, bytes.data, bytes.size);
}

size_t wire_waiting(const struct wire *wire)
{
    return wire->stream ? evbuffer_get_length(bufferevent_get_output(wire->stream)) : 0;
}

void wire_close(struct wire *wire)
{
    if (wire->stream)
        bufferevent_free(wire->stream);
    wire->stream = NULL;
    wire->is_up = false;
}

void wire_allow_many(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
