#include "daemon/edge/http.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 4096
#define BODY_MAX 0
#define TIMEOUT_S 10
#define PLAIN_TEXT "text/plain; charset=utf-8"
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

struct http {
    struct evhttp *server;
    struct evhttp_bound_socket *socket;
    struct http_pages pages;
};

void http_write(void *reply, const char *text, size_t size)
{
    if (evbuffer_add(reply, text, size) != 0)
        abort(); /* out of memory */
}

static struct evbuffer *start_page(struct evhttp_request *request, const char *content_type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", content_type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    return evhttp_request_get_output_buffer(request);
}

static void send_text(struct evhttp_request *request, int code, const char *text)
{
    struct evbuffer *page = start_page(request, PLAIN_TEXT);
    http_write(page, text, strlen(text));
    http_write(page, "\n", 1);
    evhttp_send_reply(request, code, NULL, NULL);
}

static void on_metrics(struct evhttp_request *request, void *argument)
{
    struct http *http = argument;
    http->pages.write_metrics(http->pages.context, start_page(request, METRICS_TEXT));
    evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

static void on_healthy(struct evhttp_request *request, void *argument)
{
    (void)argument;
    send_text(request, HTTP_OK, "healthy");
}

static void on_ready(struct evhttp_request *request, void *argument)
{
    struct http *http = argument;
    const char *missing = http->pages.not_ready(http->pages.context);
    send_text(request, missing == NULL ? HTTP_OK : HTTP_SERVUNAVAIL,
              missing == NULL ? "ready" : missing);
}

static void on_other(struct evhttp_request *request, void *argument)
{
    (void)argument;
    send_text(request, HTTP_NOTFOUND, "not here; see /metrics, /-/healthy and /-/ready");
}

struct http *http_open(struct event_base *base, const char *address, uint16_t port,
                       const struct http_pages *pages)
{
    struct http *http = calloc(1, sizeof(*http));
    if (http == NULL || (http->server = evhttp_new(base)) == NULL)
        abort(); /* out of memory */
    http->pages = *pages;
    evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(http->server, HEADERS_MAX);
    evhttp_set_max_body_size(http->server, BODY_MAX);
    evhttp_set_timeout(http->server, TIMEOUT_S);
    evhttp_set_cb(http->server, "/metrics", on_metrics, http);
    evhttp_set_cb(http->server, "/-/healthy", on_healthy, http);
    evhttp_set_cb(http->server, "/-/ready", on_ready, http);
    evhttp_set_gencb(http->server, on_other, http);
    http->socket = evhttp_bind_socket_with_handle(http->server, address, port);
    if (http->socket != NULL)
        return http;
    http_close(http);
    return NULL;
}

uint16_t http_port(const struct http *http)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } name = {0};
    socklen_t size = sizeof(name);
    if (getsockname(evhttp_bound_socket_get_fd(http->socket), &name.any, &size) != 0)
        return 0;
    return ntohs(name.any.sa_family == AF_INET6 ? name.ipv6.sin6_port : name.ipv4.sin_port);
}

void http_close(struct http *http)
{
    evhttp_free(http->server);
    free(http);
}
