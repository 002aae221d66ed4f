/*
 * The floor of TLS: a libevent server on bufferevent_openssl, TLS 1.3, released buffers, that answers what
 * it hears:
 *
 *     floor_tls CERTIFICATE KEY
 *
 * Prints `port=N`, and ends when standard input does.
 */
#include "tests/bench/bench.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>

static SSL_CTX *context;

static void on_read(struct bufferevent *stream, void *unused)
{
    (void)unused;
    evbuffer_add_buffer(bufferevent_get_output(stream), bufferevent_get_input(stream));
}

static void on_event(struct bufferevent *stream, short what, void *unused)
{
    (void)unused;
    if (!(what & BEV_EVENT_CONNECTED))
        bufferevent_free(stream);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int size, void *base)
{
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        base, fd, SSL_new(context), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    int on = 1;

    (void)listener, (void)from, (void)size;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    bufferevent_setcb(stream, on_read, NULL, on_event, NULL);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static void on_end(evutil_socket_t fd, short what, void *base)
{
    (void)fd, (void)what;
    event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();

    signal(SIGPIPE, SIG_IGN); /* of clients that have hung up */
    context = SSL_CTX_new(TLS_server_method());
    if (argc != 3 || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1) {
        fputs("usage: floor_tls CERTIFICATE KEY\n", stderr);
        return 2;
    }
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_num_tickets(context, 1);
    struct evconnlistener *listener =
        evconnlistener_new(base, on_accept, base, LEV_OPT_CLOSE_ON_FREE, 0, listen_anywhere());
    struct event *end = event_new(base, STDIN_FILENO, EV_READ, on_end, base);
    if (!listener || !end)
        fail("libevent");
    event_add(end, NULL);
    event_base_dispatch(base);
    evconnlistener_free(listener);
    event_free(end);
    event_base_free(base);
    SSL_CTX_free(context);
    return 0;
}
