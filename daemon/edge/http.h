/*
 * Metrics and health over HTTP, for Prometheus and probes on the same machine: /metrics, /-/healthy,
 * /-/ready. Only GET and HEAD; requests are small, and a client that dawdles is closed. No log-in, no
 * TLS. What the pages say comes from the callbacks; this file knows nothing of the gateway.
 * SIGPIPE must be ignored by the process.
 */
#ifndef ONEKEY_EDGE_HTTP_H
#define ONEKEY_EDGE_HTTP_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct http;

struct http_pages {
    void *context;
    /* Writes the metrics by http_write(reply, ...). */
    void (*write_metrics)(void *context, void *reply);
    /* NULL if alarms are taken and reach PostgreSQL, else a few words on what is missing, lent. */
    const char *(*not_ready)(void *context);
};

/* Serves `pages` (copied) on a numeric address; port 0 takes a free one. NULL if it cannot listen,
 * errno then says why. */
struct http *http_open(struct event_base *base, const char *address, uint16_t port,
                       const struct http_pages *pages);
uint16_t http_port(const struct http *http);
/* Adds to the page being written. Fits metrics_print. */
void http_write(void *reply, const char *text, size_t size);
void http_close(struct http *http);

#endif
