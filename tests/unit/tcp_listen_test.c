#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/tcp_fixture.h"

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
    event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(f.owner.opened, 2);
    assert_true(LOOP_UNTIL(f.base, f.owner.opened == 10));
    assert_true(seconds_now() - began >= 0.3);
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
        cmocka_unit_test(test_owner_may_refuse),
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
