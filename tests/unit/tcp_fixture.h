/*
 * For tests of TCP: a listener on 127.0.0.1 whose owner consumes lines and remembers what it was told.
 */
#ifndef ONEKEY_TEST_TCP_FIXTURE_H
#define ONEKEY_TEST_TCP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/edge/tcp.h"
#include "tests/unit/loop.h"

#define CLIENTS_MAX 64
#define INPUT_MAX 64
#define OUTPUT_MAX 400000

/* Tokens are 1, 2, ... in the order of opening. */
struct owner {
    struct tcp *tcp;
    uint64_t connections[CLIENTS_MAX]; /* handle by token */
    int opened, closed;
    uint64_t closed_token;
    enum tcp_reason reason;
    char peer[64];
    char lines[4096]; /* all lines consumed, in order */
    int offers;       /* calls of on_input */
    size_t offered;   /* bytes in the last call */
    bool refuse;
    bool hang_up_at_line, hang_up_with_flush;
    bool pause_at_line;
};

struct fixture {
    struct event_base *base;
    struct tcp *tcp;
    struct tcp_listener *listener;
    struct owner owner;
};

static uint64_t on_open(void *context, uint64_t connection, const struct tcp_peer *peer)
{
    struct owner *owner = context;
    if (owner->refuse)
        return TCP_REFUSED;
    owner->connections[++owner->opened] = connection;
    snprintf(owner->peer, sizeof(owner->peer), "%s", peer->address);
    assert_string_equal(peer->certificate, "");
    return (uint64_t)owner->opened;
}

static size_t on_input(void *context, uint64_t token, const uint8_t *data, size_t size)
{
    struct owner *owner = context;
    const uint8_t *end = memchr(data, '\n', size);

    owner->offers++;
    owner->offered = size;
    if (!end)
        return 0;
    size_t length = (size_t)(end - data) + 1;
    strncat(owner->lines, (const char *)data, length);
    if (owner->hang_up_at_line)
        tcp_hang_up(owner->tcp, owner->connections[token], owner->hang_up_with_flush);
    if (owner->pause_at_line)
        tcp_pause_reading(owner->tcp, true);
    return length;
}

static void on_close(void *context, uint64_t token, enum tcp_reason reason)
{
    struct owner *owner = context;
    owner->closed++;
    owner->closed_token = token;
    owner->reason = reason;
}

static const struct tcp_listener_options defaults = {
    .address = "127.0.0.1",
    .connections_max = CLIENTS_MAX,
    .accepts_per_second = 10000,
    .handshake_timeout_s = 1,
    .input_max = INPUT_MAX,
    .output_max = OUTPUT_MAX,
    .callbacks = {on_open, on_input, on_close},
};

UNUSED static void start(struct fixture *fixture, struct tcp_listener_options options)
{
    char error[200] = "";
    memset(fixture, 0, sizeof(*fixture));
    fixture->base = event_base_new();
    fixture->tcp = fixture->owner.tcp = tcp_open(fixture->base, CLIENTS_MAX, NULL);
    options.context = &fixture->owner;
    fixture->listener = tcp_listen(fixture->tcp, &options, error, sizeof(error));
    assert_string_equal(error, "");
    assert_non_null(fixture->listener);
}

UNUSED static void stop(struct fixture *fixture)
{
    tcp_close(fixture->tcp);
    event_base_free(fixture->base);
}

UNUSED static int dial_in(struct fixture *fixture)
{
    int before = fixture->owner.opened;
    int fd = dial(tcp_listener_port(fixture->listener));
    assert_true(fd >= 0);
    assert_true(LOOP_UNTIL(fixture->base, fixture->owner.opened > before));
    return fd;
}

UNUSED static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

#endif
