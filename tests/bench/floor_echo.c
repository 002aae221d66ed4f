/*
 * The floor of a message without a record: a libevent server on bufferevents that answers what it
 * hears. Prints `port=N`, and ends when standard input does.
 */
#include "tests/bench/bench.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void on_read(struct bufferevent *stream, void *context)
{
    (void)context;
    evbuffer_add_buffer(bufferevent_get_output(stream), bufferevent_get_input(stream));
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)what, (void)context;
    bufferevent_free(stream);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int size, void *context)
{
    struct event_base *base = context;
    struct bufferevent *stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    int on = 1;

    (void)listener, (void)from, (void)size;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    bufferevent_setcb(stream, on_read, NULL, on_event, NULL);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static void on_end(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    event_base_loopbreak(context);
}

int main(void)
{
    struct event_base *base = event_base_new();
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
    return 0;
}
