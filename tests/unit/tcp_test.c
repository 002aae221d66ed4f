#include "daemon/edge/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/unit/loop.h"

#define CLIENTS_MAX 64
#define INPUT_MAX 64
#define OUTPUT_MAX 400000

/* An owner that consumes lines and remembers what it was told. Tokens are 1, 2, ... in the order of
 * opening. */
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

static void start(struct fixture *fixture, struct tcp_listener_options options)
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

static void stop(struct fixture *fixture)
{
    tcp_close(fixture->tcp);
    event_base_free(fixture->base);
}

static int dial_in(struct fixture *fixture)
{
    int before = fixture->owner.opened;
    int fd = dial(tcp_listener_port(fixture->listener));
    assert_true(fd >= 0);
    assert_true(LOOP_UNTIL(fixture->base, fixture->owner.opened > before));
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_cut_input_comes_whole(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);
    assert_int_equal(strncmp(f.owner.peer, "127.0.0.1:", 10), 0);

    say(fd, "one\ntwo\nthr");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 3));
    assert_string_equal(f.owner.lines, "one\ntwo\n");
    assert_int_equal(f.owner.offered, 3); /* "thr": what is left comes alone */
    say(fd, "ee");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 4));
    assert_int_equal(f.owner.offered, 5);
    say(fd, "\n");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 5));
    assert_string_equal(f.owner.lines, "one\ntwo\nthree\n");

    assert_true(tcp_send(f.tcp, f.owner.connections[1], "good", 4));
    char answer[8] = "";
    assert_int_equal(read(fd, answer, sizeof(answer)), 4);
    assert_string_equal(answer, "good");
    assert_int_equal(tcp_counters(f.tcp)->bytes_in, 14);
    assert_int_equal(tcp_counters(f.tcp)->bytes_out, 4);
    close(fd);
    stop(&f);
}

static void test_oversized_is_closed(void **state)
{
    struct fixture f;
    char text[INPUT_MAX + 2] = "";
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);

    memset(text, 'x', INPUT_MAX);
    say(fd, text);
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 1));
    assert_int_equal(f.owner.closed, 0); /* exactly the limit may wait */
    say(fd, "x");
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 1));
    assert_int_equal(f.owner.reason, TCP_OVERSIZED);
    assert_int_equal(tcp_count(f.tcp), 0);
    close(fd);
    stop(&f);
}

/* The kernel takes some megabytes before anything waits here; then the limit counts. */
static void test_slow_reader_is_closed_from_the_loop(void **state)
{
    static const char block[100000];
    struct fixture f;
    int sent = 0;
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);

    while (sent < 1000 && tcp_send(f.tcp, f.owner.connections[1], block, sizeof(block)))
        sent++;
    assert_in_range(sent, 1, 999);
    assert_int_equal(f.owner.closed, 0); /* not from inside tcp_send */
    assert_false(tcp_send(f.tcp, f.owner.connections[1], "x", 1));
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 1));
    assert_int_equal(f.owner.reason, TCP_SLOW_READER);
    assert_int_equal(f.owner.closed_token, 1);
    close(fd);
    stop(&f);
}

static void test_stale_handle_finds_nothing(void **state)
{
    struct fixture f;
    char answer[8];
    (void)state;
    start(&f, defaults);
    int first = dial_in(&f);
    tcp_hang_up(f.tcp, f.owner.connections[1], false);
    int second = dial_in(&f); /* in the slot of the first */

    assert_false(tcp_send(f.tcp, f.owner.connections[1], "old", 3));
    tcp_hang_up(f.tcp, f.owner.connections[1], false);
    tcp_hang_up(f.tcp, 0, false);
    assert_true(tcp_send(f.tcp, f.owner.connections[2], "new", 3));
    assert_int_equal(read(second, answer, sizeof(answer)), 3);
    assert_int_equal(read(first, answer, sizeof(answer)), 0);
    assert_int_equal(f.owner.closed, 0); /* who hangs up knows */
    close(first);
    close(second);
    stop(&f);
}

/* Reads until the end while the loop turns; returns the bytes read. */
static size_t read_to_end(struct fixture *f, int fd)
{
    static char buffer[65536];
    size_t total = 0;
    bool ended = false;
    double deadline = seconds_now() + 10;
    while (!ended && seconds_now() < deadline) {
        ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        ended = got == 0 || (got < 0 && errno != EAGAIN);
        assert_true(got >= 0 || errno == EAGAIN);
        total += got > 0 ? (size_t)got : 0;
        loop_once(f->base);
    }
    assert_true(ended);
    return total;
}

/* Sends until some of it waits in the process. Returns the bytes sent. */
static size_t send_until_blocked(struct fixture *f, uint64_t connection)
{
    static const char block[OUTPUT_MAX / 4];
    size_t total = 0;
    while (tcp_counters(f->tcp)->bytes_out == total) {
        assert_true(tcp_send(f->tcp, connection, block, sizeof(block)));
        total += sizeof(block);
    }
    return total;
}

static void test_hang_up_lets_last_words_out(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);
    say(fd, "unread bytes must not reset the connection");

    size_t total = send_until_blocked(&f, f.owner.connections[1]);
    tcp_hang_up(f.tcp, f.owner.connections[1], true);
    assert_false(tcp_send(f.tcp, f.owner.connections[1], "late", 4));
    assert_int_equal(tcp_count(f.tcp), 1);
    assert_int_equal(read_to_end(&f, fd), total);
    close(fd);
    assert_true(LOOP_UNTIL(f.base, tcp_count(f.tcp) == 0));
    assert_int_equal(f.owner.offers, 0);
    assert_int_equal(f.owner.closed, 0);
    stop(&f);
}

static void test_last_words_have_a_deadline(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);

    send_until_blocked(&f, f.owner.connections[1]);
    tcp_hang_up(f.tcp, f.owner.connections[1], true);
    assert_true(LOOP_UNTIL_WITHIN(f.base, 4, tcp_count(f.tcp) == 0));
    close(fd);
    stop(&f);
}

/* A device may end its side and still wait for the answer, which comes only after a sync. */
static void test_half_closed_peer_gets_its_answer(void **state)
{
    struct fixture f;
    char answer[8] = "";
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);

    say(fd, "help\n");
    shutdown(fd, SHUT_WR);
    assert_false(LOOP_UNTIL_WITHIN(f.base, 0.3, f.owner.closed > 0));
    assert_string_equal(f.owner.lines, "help\n");
    assert_true(tcp_send(f.tcp, f.owner.connections[1], "good", 4));
    assert_int_equal(read(fd, answer, 4), 4);
    assert_true(LOOP_UNTIL_WITHIN(f.base, 4, f.owner.closed == 1));
    assert_int_equal(f.owner.reason, TCP_PEER_CLOSED);
    close(fd);
    stop(&f);
}

static void test_reset_is_a_failure(void **state)
{
    struct fixture f;
    struct linger at_once = {1, 0};
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 1));
    assert_int_equal(f.owner.reason, TCP_FAILED);
    assert_int_equal(tcp_counters(f.tcp)->closed[TCP_FAILED], 1);
    stop(&f);
}

/* The second speaks after 0.6 s and so outlives the first, which is older, by as much. */
static void test_silence_is_closed_in_order(void **state)
{
    struct fixture f;
    struct tcp_listener_options options = defaults;
    (void)state;
    options.idle_timeout_s = 1;
    start(&f, options);
    double began = seconds_now();
    int first = dial_in(&f), second = dial_in(&f);

    LOOP_UNTIL_WITHIN(f.base, 0.6, false);
    say(first, "alive");
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 1));
    assert_int_equal(f.owner.closed_token, 2);
    assert_int_equal(f.owner.reason, TCP_IDLE);
    assert_true(seconds_now() - began >= 0.9);
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 2));
    assert_int_equal(f.owner.closed_token, 1);
    assert_true(seconds_now() - began >= 1.4);
    assert_true(seconds_now() - began < 3);
    close(first);
    close(second);
    stop(&f);
}

static void test_owner_may_refuse(void **state)
{
    struct fixture f;
    char answer[8];
    (void)state;
    start(&f, defaults);
    f.owner.refuse = true;
    int fd = dial(tcp_listener_port(f.listener));
    assert_true(LOOP_UNTIL(f.base, tcp_counters(f.tcp)->refused == 1));
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    assert_int_equal(tcp_count(f.tcp), 0);
    assert_int_equal(f.owner.closed, 0);
    close(fd);
    stop(&f);
}

static void hang_up_inside_input(bool with_flush)
{
    struct fixture f;
    start(&f, defaults);
    f.owner.hang_up_at_line = true;
    f.owner.hang_up_with_flush = with_flush;
    int fd = dial_in(&f);
    say(fd, "one\ntwo\n");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 1));
    close(fd);
    assert_true(LOOP_UNTIL(f.base, tcp_count(f.tcp) == 0));
    assert_string_equal(f.owner.lines, "one\n");
    assert_int_equal(f.owner.closed, 0);
    stop(&f);
}

static void test_hang_up_inside_input(void **state)
{
    (void)state;
    hang_up_inside_input(false);
    hang_up_inside_input(true);
}

static void test_pause_keeps_bytes_until_it_ends(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, defaults);
    f.owner.pause_at_line = true;
    int fd = dial_in(&f), other = dial_in(&f), gone = dial_in(&f);

    say(fd, "one\ntwo\n");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 1));
    say(other, "three\n");
    say(gone, "never\n");
    assert_false(LOOP_UNTIL_WITHIN(f.base, 0.2, f.owner.offers > 1));
    assert_true(tcp_send(f.tcp, f.owner.connections[1], "x", 1)); /* sending goes on */
    tcp_hang_up(f.tcp, f.owner.connections[3], false);

    f.owner.pause_at_line = false;
    tcp_pause_reading(f.tcp, false);
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 3));
    assert_string_equal(f.owner.lines, "one\ntwo\nthree\n");
    say(fd, "four\n");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 4));
    close(fd);
    close(other);
    close(gone);
    stop(&f);
}

/* 20 a second are 2 a tick of 0.1 s: ten connections need half a second, and all get in. */
static void test_accept_rate_delays_and_never_hangs(void **state)
{
    struct fixture f;
    struct tcp_listener_options options = defaults;
    int clients[10];
    (void)state;
    options.accepts_per_second = 20;
    start(&f, options);
    double began = seconds_now();
    for (int i = 0; i < 10; i++)
        assert_true((clients[i] = dial(tcp_listener_port(f.listener))) >= 0);
    event_base_loop(f.base, EVLOOP_NONBLOCK);
    assert_int_equal(f.owner.opened, 2);
    assert_true(LOOP_UNTIL(f.base, f.owner.opened == 10));
    assert_in_range((int)((seconds_now() - began) * 10), 3, 9);
    assert_true(tcp_counters(f.tcp)->accepts_delayed > 0);
    for (int i = 0; i < 10; i++)
        close(clients[i]);
    stop(&f);
}

static void test_slow_accept_rate_collects_fractions(void **state)
{
    struct fixture f;
    struct tcp_listener_options options = defaults;
    (void)state;
    options.accepts_per_second = 4;
    start(&f, options);
    int first = dial_in(&f), second = dial_in(&f);
    close(first);
    close(second);
    stop(&f);
}

static void test_full_listener_waits_for_room(void **state)
{
    struct fixture f;
    struct tcp_listener_options options = defaults;
    (void)state;
    options.connections_max = 2;
    start(&f, options);
    int first = dial_in(&f), second = dial_in(&f);
    int third = dial(tcp_listener_port(f.listener)); /* in the kernel's backlog */
    assert_true(third >= 0);
    assert_false(LOOP_UNTIL_WITHIN(f.base, 0.3, f.owner.opened > 2));
    tcp_hang_up(f.tcp, f.owner.connections[1], false);
    assert_true(LOOP_UNTIL(f.base, f.owner.opened == 3));
    close(first);
    close(second);
    close(third);
    stop(&f);
}

static void test_no_descriptors_pauses_and_resumes(void **state)
{
    struct fixture f;
    struct rlimit before, tight;
    (void)state;
    start(&f, defaults);
    int fd = dial(tcp_listener_port(f.listener));
    assert_true(fd >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)fd + 1; /* all below are taken */
    for (int i = 0; i < fd; i++)
        assert_true(fcntl(i, F_GETFD) >= 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);

    int turns = 0;
    assert_false(LOOP_UNTIL_WITHIN(f.base, 0.5, (turns++, f.owner.opened > 0)));
    assert_int_equal(tcp_counters(f.tcp)->accepts_failed, 1);
    assert_in_range(turns, 1, 250); /* it does not spin */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(LOOP_UNTIL(f.base, f.owner.opened == 1));
    close(fd);
    stop(&f);
}

static void test_stop_listening_keeps_connections(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, defaults);
    int fd = dial_in(&f);
    uint16_t port = tcp_listener_port(f.listener);
    tcp_stop_listening(f.tcp);
    assert_int_equal(dial(port), -1);
    assert_int_equal(tcp_count(f.tcp), 1);
    say(fd, "still\n");
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 1));
    close(fd);
    stop(&f);
}

static void test_addresses(void **state)
{
    struct event_base *base = event_base_new();
    struct tcp *tcp = tcp_open(base, 1, NULL);
    struct tcp_listener_options options = defaults;
    char error[200] = "";
    (void)state;

    struct tcp_listener *listener = tcp_listen(tcp, &options, error, sizeof(error));
    assert_non_null(listener);
    options.port = tcp_listener_port(listener);
    assert_null(tcp_listen(tcp, &options, error, sizeof(error)));
    assert_non_null(strstr(error, "Address already in use"));
    options.port = 0;
    options.address = "gateway.example";
    assert_null(tcp_listen(tcp, &options, error, sizeof(error)));
    assert_string_equal(error, "gateway.example: not a numeric address");
    options.address = "*";
    assert_non_null(tcp_listen(tcp, &options, error, sizeof(error)));
    options.address = "::1";
    if (!tcp_listen(tcp, &options, error, sizeof(error)))
        print_message("# no IPv6 here: %s\n", error);
    tcp_close(tcp);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_input_comes_whole),
        cmocka_unit_test(test_oversized_is_closed),
        cmocka_unit_test(test_slow_reader_is_closed_from_the_loop),
        cmocka_unit_test(test_stale_handle_finds_nothing),
        cmocka_unit_test(test_hang_up_lets_last_words_out),
        cmocka_unit_test(test_last_words_have_a_deadline),
        cmocka_unit_test(test_half_closed_peer_gets_its_answer),
        cmocka_unit_test(test_reset_is_a_failure),
        cmocka_unit_test(test_silence_is_closed_in_order),
        cmocka_unit_test(test_owner_may_refuse),
        cmocka_unit_test(test_hang_up_inside_input),
        cmocka_unit_test(test_pause_keeps_bytes_until_it_ends),
        cmocka_unit_test(test_accept_rate_delays_and_never_hangs),
        cmocka_unit_test(test_slow_accept_rate_collects_fractions),
        cmocka_unit_test(test_full_listener_waits_for_room),
        cmocka_unit_test(test_no_descriptors_pauses_and_resumes),
        cmocka_unit_test(test_stop_listening_keeps_connections),
        cmocka_unit_test(test_addresses),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
