#include "tools/console/http/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "tools/console/http/endpoint.h"
#include "tools/console/http/push.h"
#include "tools/console/http/status.h"

#define BACKLOG 1024
#define LINGER_S 2
#define STREAM_INPUT_MAX 4096

enum state { WAITING, BODY, HANDLING, FLUSHING, STREAMING, LINGERING };

struct connection {
    struct exchange exchange; /* first: an exchange is its connection */
    struct connection *prev, *next;
    struct server *server;
    struct bufferevent *stream; /* NULL: gone while its request is handled */
    struct event *deadline;
    enum state state;
    char *head;
    size_t scanned; /* of the input, without the end of a head in it */
    bool is_begun;  /* some of a head is here */
    bool is_dying;  /* a stream that reads too slowly; goes in a moment */
    bool closes;    /* after the answer */
    void *then_user;
    void (*then)(void *user, bool sent);
};

struct server {
    struct server_settings settings;
    struct event_base *base;
    struct evconnlistener *listener;
    struct connection *waiting; /* those in WAITING, longest first */
    struct connection *others;
    struct server_figures figures;
};

static void on_deadline(evutil_socket_t fd, short what, void *argument);

static struct evbuffer *input_of(const struct connection *connection)
{
    return bufferevent_get_input(connection->stream);
}

static struct evbuffer *output_of(const struct connection *connection)
{
    return bufferevent_get_output(connection->stream);
}

static void set_state(struct connection *connection, enum state state)
{
    struct server *server = connection->server;
    if (connection->state == WAITING)
        DL_DELETE(server->waiting, connection);
    else
        DL_DELETE(server->others, connection);
    connection->state = state;
    if (state == WAITING)
        DL_APPEND(server->waiting, connection);
    else
        DL_APPEND(server->others, connection);
}

static void set_deadline(struct connection *connection, int seconds)
{
    if (seconds == 0)
        event_del(connection->deadline);
    else
        event_add(connection->deadline, &(struct timeval){seconds, 0});
}

static void tell_then(struct connection *connection, bool sent)
{
    if (connection->then != NULL)
        connection->then(connection->then_user, sent);
    connection->then = NULL;
}

static void free_connection(struct connection *connection)
{
    struct server *server = connection->server;
    tell_then(connection, false);
    if (connection->state == WAITING)
        DL_DELETE(server->waiting, connection);
    else
        DL_DELETE(server->others, connection);
    if (connection->stream != NULL)
        bufferevent_free(connection->stream);
    event_free(connection->deadline);
    free(connection->head);
    free(connection);
    server->figures.open--;
}

/* Ends a connection in any state. While its request is handled the exchange is not ours to free. */
static void drop(struct connection *connection, const char *reason)
{
    if (connection->state == STREAMING) {
        connection->server->figures.streams--;
        connection->exchange.on_gone(connection->exchange.user, reason);
    }
    if (connection->state != HANDLING) {
        free_connection(connection);
        return;
    }
    bufferevent_free(connection->stream);
    connection->stream = NULL;
    set_deadline(connection, 0);
}

static void append(struct evbuffer *buffer, const char *text)
{
    if (evbuffer_add(buffer, text, strlen(text)) != 0)
        abort(); /* out of memory */
}

/* --- answers --- */

static void write_head(struct connection *connection, const struct reply *reply, int64_t size)
{
    struct evbuffer *output = output_of(connection);
    char date[64];
    status_date(date, sizeof(date));
    evbuffer_add_printf(output, "HTTP/1.1 %d %s\r\nDate: %s\r\n", reply->status,
                        status_text(reply->status), date);
    if (reply->type != NULL)
        evbuffer_add_printf(output, "Content-Type: %s\r\n", reply->type);
    if (size >= 0 && reply->status != 304)
        evbuffer_add_printf(output, "Content-Length: %lld\r\n", (long long)size);
    if (connection->closes)
        append(output, "Connection: close\r\n");
    if (reply->headers != NULL)
        append(output, reply->headers);
    append(output, "\r\n");
}

static void answer(struct connection *connection, const struct reply *reply)
{
    size_t size = reply->shared != NULL ? evbuffer_get_length(reply->shared) : reply->size;
    write_head(connection, reply, (int64_t)size);
    if (connection->exchange.message.method != MESSAGE_HEAD && size > 0) {
        if (reply->shared != NULL)
            evbuffer_add_buffer_reference(output_of(connection), reply->shared);
        else if (evbuffer_add(output_of(connection), reply->body, size) != 0)
            abort(); /* out of memory */
    }
    set_state(connection, FLUSHING);
    set_deadline(connection, 0);
}

/* A request that cannot be handled: the connection ends with it, since nobody knows where the next
 * request begins. */
static void refuse(struct connection *connection, int status)
{
    char body[128];
    struct reply reply = {.status = status, .type = "application/json", .headers = STATUS_HEADERS};
    reply.size =
        (size_t)snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                         status == 413 ? "too_large" : "invalid", status_text(status));
    reply.body = body;
    connection->closes = true;
    connection->server->figures.refused++;
    answer(connection, &reply);
}

void server_reply(struct exchange *exchange, const struct reply *reply, void *user,
                  void (*then)(void *user, bool sent))
{
    struct connection *connection = (struct connection *)exchange;
    assert(connection->state == HANDLING);
    connection->then = then;
    connection->then_user = user;
    if (connection->stream == NULL)
        free_connection(connection);
    else
        answer(connection, reply);
}

void server_stream(struct exchange *exchange, const char *type, const char *headers)
{
    struct connection *connection = (struct connection *)exchange;
    struct reply reply = {.status = 200, .type = type, .headers = headers};
    assert(connection->state == HANDLING && exchange->on_gone != NULL);
    set_state(connection, STREAMING);
    connection->server->figures.streams++;
    connection->closes = true;
    if (connection->stream == NULL) { /* gone already: told as soon as the caller has returned */
        event_active(connection->deadline, EV_TIMEOUT, 0);
        return;
    }
    write_head(connection, &reply, -1);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, STREAM_INPUT_MAX);
    bufferevent_enable(connection->stream, EV_READ); /* to see its end */
}

void server_send(struct exchange *exchange, struct evbuffer *shared)
{
    struct connection *connection = (struct connection *)exchange;
    assert(connection->state == STREAMING);
    if (connection->stream == NULL || connection->is_dying)
        return; /* is being dropped */
    if (connection->server->settings.tls != NULL || !push_now(connection->stream, shared))
        evbuffer_add_buffer_reference(output_of(connection), shared);
    if (evbuffer_get_length(output_of(connection)) > connection->server->settings.backlog_max) {
        connection->server->figures.stalled++;
        connection->is_dying = true;
        event_active(connection->deadline, EV_TIMEOUT, 0);
    }
}

size_t server_backlog(const struct exchange *exchange)
{
    const struct connection *connection = (const struct connection *)exchange;
    return connection->stream == NULL ? 0 : evbuffer_get_length(output_of(connection));
}

void server_end(struct exchange *exchange)
{
    struct connection *connection = (struct connection *)exchange;
    assert(connection->state == STREAMING);
    connection->server->figures.streams--;
    if (connection->stream == NULL || server_backlog(exchange) == 0) {
        free_connection(connection);
        return;
    }
    connection->exchange.on_drained = NULL;
    set_state(connection, FLUSHING);
    set_deadline(connection, connection->server->settings.write_s);
}

/* --- requests --- */

static void hand_over(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    size_t size = (size_t)exchange->message.content_length;
    bufferevent_disable(connection->stream, EV_READ);
    exchange->body = "";
    if (size > 0)
        exchange->body = (const char *)evbuffer_pullup(input_of(connection), (ev_ssize_t)size);
    exchange->user = NULL;
    exchange->on_drained = NULL;
    exchange->on_gone = NULL;
    set_state(connection, HANDLING);
    set_deadline(connection, 0);
    connection->server->settings.on_request(connection->server->settings.context, exchange);
}

static void take_body(struct connection *connection)
{
    size_t size = (size_t)connection->exchange.message.content_length;
    if (evbuffer_get_length(input_of(connection)) >= size)
        hand_over(connection);
}

static void take_head(struct connection *connection, size_t size)
{
    const struct server_settings *settings = &connection->server->settings;
    connection->head = malloc(size);
    if (connection->head == NULL)
        abort(); /* out of memory */
    evbuffer_remove(input_of(connection), connection->head, size);
    connection->scanned = 0;
    int status = message_parse(&connection->exchange.message, connection->head, size);
    if (status == 0 && (uint64_t)connection->exchange.message.content_length > settings->body_max)
        status = 413;
    if (status != 0) {
        refuse(connection, status);
        return;
    }
    connection->closes = !connection->exchange.message.is_keep_alive;
    set_state(connection, BODY);
    set_deadline(connection, settings->body_s);
    if (connection->exchange.message.expects_continue)
        append(output_of(connection), "HTTP/1.1 100 Continue\r\n\r\n");
    take_body(connection);
}

static void find_head(struct connection *connection)
{
    const struct server_settings *settings = &connection->server->settings;
    struct evbuffer *input = input_of(connection);
    size_t size = evbuffer_get_length(input);
    struct evbuffer_ptr from;
    if (size > 0 && !connection->is_begun) {
        connection->is_begun = true;
        set_deadline(connection, settings->head_s);
    }
    evbuffer_ptr_set(input, &from, connection->scanned, EVBUFFER_PTR_SET);
    struct evbuffer_ptr found = evbuffer_search(input, "\r\n\r\n", 4, &from);
    if (found.pos >= 0 && (size_t)found.pos + 4 <= settings->head_max)
        take_head(connection, (size_t)found.pos + 4);
    else if (found.pos >= 0 || size > settings->head_max)
        refuse(connection, 431);
    else
        connection->scanned = size < 3 ? 0 : size - 3;
}

static void on_read(struct bufferevent *stream, void *argument)
{
    struct connection *connection = argument;
    (void)stream;
    if (connection->state == WAITING)
        find_head(connection);
    else if (connection->state == BODY)
        take_body(connection);
    else if (connection->state == STREAMING || connection->state == LINGERING)
        evbuffer_drain(input_of(connection), evbuffer_get_length(input_of(connection)));
}

/* Room for the next request. What has arrived of it is looked at in a turn of its own. */
static void wait_for_request(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    evbuffer_drain(input_of(connection), (size_t)exchange->message.content_length);
    free(connection->head);
    connection->head = NULL;
    connection->is_begun = false;
    set_state(connection, WAITING);
    set_deadline(connection, connection->server->settings.idle_s);
    bufferevent_enable(connection->stream, EV_READ);
    if (evbuffer_get_length(input_of(connection)) > 0)
        bufferevent_trigger(connection->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

/* The answer to a request that was not read to its end is lost if the socket is closed at once. */
static void linger(struct connection *connection)
{
    set_state(connection, LINGERING);
    set_deadline(connection, LINGER_S);
    shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    bufferevent_enable(connection->stream, EV_READ);
}

static void on_written(struct bufferevent *stream, void *argument)
{
    struct connection *connection = argument;
    (void)stream;
    if (evbuffer_get_length(output_of(connection)) > 0)
        return;
    if (connection->state == STREAMING) {
        if (connection->exchange.on_drained != NULL)
            connection->exchange.on_drained(connection->exchange.user);
        return;
    }
    if (connection->state != FLUSHING)
        return;
    tell_then(connection, true);
    if (!connection->closes)
        wait_for_request(connection);
    else if (connection->server->settings.tls == NULL)
        linger(connection);
    else
        drop(connection, "answered");
}

static void on_end(struct bufferevent *stream, short what, void *argument)
{
    struct connection *connection = argument;
    (void)stream;
    if ((what & BEV_EVENT_CONNECTED) != 0)
        return; /* the TLS handshake is done */
    if ((what & BEV_EVENT_TIMEOUT) != 0)
        connection->server->figures.slow++;
    drop(connection, (what & BEV_EVENT_TIMEOUT) != 0 ? "slow" : "closed");
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;
    (void)fd, (void)what;
    if (connection->state != LINGERING && (connection->is_begun))
        connection->server->figures.slow++;
    drop(connection, "slow");
}

/* --- connections --- */

static struct bufferevent *new_stream(struct server *server, evutil_socket_t fd)
{
    if (server->settings.tls == NULL)
        return bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    SSL *ssl = SSL_new(server->settings.tls);
    if (ssl == NULL)
        abort(); /* out of memory */
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        server->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    return stream;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int peer_size, void *argument)
{
    struct server *server = argument;
    const struct server_settings *settings = &server->settings;
    (void)listener, (void)peer_size;
    server->figures.accepted++;
    if (server->figures.open >= settings->connections_max) {
        server->figures.evicted++;
        if (server->waiting == NULL) {
            evutil_closesocket(fd);
            return;
        }
        drop(server->waiting, "evicted");
    }
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || (connection->stream = new_stream(server, fd)) == NULL)
        abort(); /* out of memory */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    connection->server = server;
    connection->deadline = evtimer_new(server->base, on_deadline, connection);
    endpoint_print(peer, connection->exchange.peer);
    server->figures.open++;
    connection->state = WAITING;
    DL_APPEND(server->waiting, connection);
    set_deadline(connection, settings->head_s);
    bufferevent_set_timeouts(connection->stream, NULL, &(struct timeval){settings->write_s, 0});
    bufferevent_setwatermark(connection->stream, EV_READ, 0,
                             settings->head_max + settings->body_max + 4);
    bufferevent_setcb(connection->stream, on_read, on_written, on_end, connection);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

struct server *server_open(struct event_base *base, const struct server_settings *settings)
{
    struct sockaddr_storage name;
    socklen_t size = endpoint_parse(settings->address, settings->port, &name);
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort(); /* out of memory */
    server->settings = *settings;
    server->base = base;
    server->listener = evconnlistener_new_bind(
        base, on_accept, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&name, (int)size);
    if (server->listener != NULL)
        return server;
    free(server);
    return NULL;
}

void server_drain(struct server *server)
{
    evconnlistener_disable(server->listener);
}

uint16_t server_port(const struct server *server)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof(name);
    getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&name, &size);
    return endpoint_port(&name);
}

struct server_figures server_figures(const struct server *server)
{
    return server->figures;
}

void server_close(struct server *server)
{
    struct connection *connection, *following;
    DL_FOREACH_SAFE(server->waiting, connection, following)
    free_connection(connection);
    DL_FOREACH_SAFE(server->others, connection, following)
    drop(connection, "ended");
    DL_FOREACH_SAFE(server->others, connection, following) /* whose requests nobody answers now */
    free_connection(connection);
    evconnlistener_free(server->listener);
    free(server);
}
