#include "daemon/edge/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/loop.h"

struct fixture {
    struct event_base *base;
    struct udp *udp;
    int client; /* connected to it */
    int received;
    struct udp_peer peer;
    uint8_t data[65536];
    size_t size;
    bool pause;
};

static void on_datagram(void *context, const struct udp_peer *peer, const uint8_t *data,
                        size_t size)
{
    struct fixture *f = context;
    f->received++;
    f->peer = *peer;
    f->size = size;
    memcpy(f->data, data, size);
    if (f->pause)
        udp_pause_reading(f->udp, true);
}

static void start(struct fixture *f)
{
    char error[200] = "";
    struct udp_options options = {"127.0.0.1", 0, on_datagram, f};
    struct sockaddr_in where = {.sin_family = AF_INET};
    struct timeval limit = {5, 0};

    memset(f, 0, sizeof(*f));
    f->base = event_base_new();
    f->udp = udp_open(f->base, &options, error, sizeof(error));
    assert_string_equal(error, "");
    f->client = socket(AF_INET, SOCK_DGRAM, 0);
    where.sin_port = htons(udp_port(f->udp));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(f->client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(f->client, (struct sockaddr *)&where, sizeof(where)), 0);
}

static void stop(struct fixture *f)
{
    close(f->client);
    udp_close(f->udp);
    event_base_free(f->base);
}

static void test_question_and_answer(void **state)
{
    struct fixture f;
    struct sockaddr_in own;
    socklen_t size = sizeof(own);
    char expected[UDP_PEER_TEXT], text[UDP_PEER_TEXT], answer[8] = "";
    (void)state;
    start(&f);
    assert_int_equal(send(f.client, "help", 4, 0), 4);
    assert_true(LOOP_UNTIL(f.base, f.received == 1));
    assert_int_equal(f.size, 4);
    assert_memory_equal(f.data, "help", 4);

    getsockname(f.client, (struct sockaddr *)&own, &size);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(own.sin_port));
    udp_peer_text(&f.peer, text);
    assert_string_equal(text, expected);
    assert_true(udp_send(f.udp, &f.peer, "good", 4));
    assert_int_equal(recv(f.client, answer, sizeof(answer), 0), 4);
    assert_string_equal(answer, "good");
    assert_int_equal(udp_counters(f.udp)->sent, 1);
    stop(&f);
}

/* The same peer is the same bytes, so that it can be looked up. */
static void test_empty_and_largest_datagrams(void **state)
{
    static uint8_t large[65507];
    struct fixture f;
    (void)state;
    start(&f);
    assert_int_equal(send(f.client, "", 0, 0), 0);
    assert_true(LOOP_UNTIL(f.base, f.received == 1));
    assert_int_equal(f.size, 0);
    struct udp_peer first = f.peer;
    memset(large, 'x', sizeof(large));
    assert_int_equal(send(f.client, large, sizeof(large), 0), sizeof(large));
    assert_true(LOOP_UNTIL(f.base, f.received == 2));
    assert_int_equal(f.size, sizeof(large));
    assert_memory_equal(f.data, large, sizeof(large));
    assert_memory_equal(&first, &f.peer, sizeof(first));
    stop(&f);
}

static void test_one_turn_takes_one_batch(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    for (int i = 0; i < UDP_BATCH + 10; i++)
        assert_int_equal(send(f.client, "x", 1, 0), 1);
    event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(f.received, UDP_BATCH);
    assert_true(LOOP_UNTIL(f.base, f.received == UDP_BATCH + 10));
    stop(&f);
}

static void test_pause_stops_in_mid_batch(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    f.pause = true;
    assert_int_equal(send(f.client, "a", 1, 0), 1);
    assert_int_equal(send(f.client, "b", 1, 0), 1);
    assert_false(LOOP_UNTIL_WITHIN(f.base, 0.1, f.received > 1));
    assert_int_equal(f.received, 1);
    f.pause = false;
    udp_pause_reading(f.udp, false);
    assert_true(LOOP_UNTIL(f.base, f.received == 2));
    stop(&f);
}

/* An answer to a port where nobody listens any more comes back as an error: it must not hurt. */
static void test_gone_peer_does_no_harm(void **state)
{
    struct fixture f;
    struct udp_peer gone;
    (void)state;
    start(&f);
    assert_int_equal(send(f.client, "a", 1, 0), 1);
    assert_true(LOOP_UNTIL(f.base, f.received == 1));
    gone = f.peer;
    close(f.client);
    udp_send(f.udp, &gone, "x", 1);
    uint16_t port = udp_port(f.udp);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f.client = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(sendto(f.client, "b", 1, 0, (struct sockaddr *)&where, sizeof(where)), 1);
    assert_true(LOOP_UNTIL(f.base, f.received == 2));
    stop(&f);
}

static void test_port_is_not_shared(void **state)
{
    struct fixture f;
    char error[200] = "";
    (void)state;
    start(&f);
    struct udp_options options = {"127.0.0.1", udp_port(f.udp), on_datagram, &f};
    assert_null(udp_open(f.base, &options, error, sizeof(error)));
    assert_non_null(strstr(error, "Address already in use"));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question_and_answer),
        cmocka_unit_test(test_empty_and_largest_datagrams),
        cmocka_unit_test(test_one_turn_takes_one_batch),
        cmocka_unit_test(test_pause_stops_in_mid_batch),
        cmocka_unit_test(test_gone_peer_does_no_harm),
        cmocka_unit_test(test_port_is_not_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
