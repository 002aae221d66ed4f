#include <errno.h>
#include <signal.h>

#include "tests/unit/tcp_fixture.h"

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

/* What a pause leaves may be many frames, more than one frame may be. */
static void test_pause_keeps_more_than_one_frame(void **state)
{
    struct fixture f;
    char text[3 * INPUT_MAX + 1];
    (void)state;
    start(&f, defaults);
    f.owner.pause_at_line = true;
    int fd = dial_in(&f);

    for (int i = 0; i < 3 * INPUT_MAX; i++)
        text[i] = i % 8 == 7 ? '\n' : "abcdefghijklmnopqrstuvwxyz"[i / 8];
    text[3 * INPUT_MAX] = '\0';
    say(fd, text);
    assert_true(LOOP_UNTIL(f.base, f.owner.offers == 1));
    assert_int_equal(f.owner.closed, 0);
    f.owner.pause_at_line = false;
    tcp_pause_reading(f.tcp, false);
    assert_true(LOOP_UNTIL(f.base, strlen(f.owner.lines) == strlen(text)));
    assert_string_equal(f.owner.lines, text);
    close(fd);
    stop(&f);
}

/* One spoke during a pause that outlasts the time-out, one did not. */
static void test_pause_is_not_silence(void **state)
{
    struct fixture f;
    struct tcp_listener_options options = defaults;
    (void)state;
    options.idle_timeout_s = 1;
    start(&f, options);
    int speaker = dial_in(&f), silent = dial_in(&f);
    tcp_pause_reading(f.tcp, true);
    say(speaker, "help\n");
    assert_false(LOOP_UNTIL_WITHIN(f.base, 1.5, f.owner.closed > 0));
    tcp_pause_reading(f.tcp, false);
    assert_true(LOOP_UNTIL(f.base, f.owner.closed == 1));
    assert_int_equal(f.owner.closed_token, 2);
    assert_string_equal(f.owner.lines, "help\n");
    close(speaker);
    close(silent);
    stop(&f);
}

/* The owner says every turn that reading goes on: that alone must not keep the loop turning. */
static void test_no_pause_again_and_again_costs_nothing(void **state)
{
    struct fixture f;
    int turns = 0;
    (void)state;
    start(&f, defaults);
    LOOP_UNTIL_WITHIN(f.base, 0.3, (tcp_pause_reading(f.tcp, false), turns++, false));
    assert_in_range(turns, 1, 100);
    stop(&f);
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
        cmocka_unit_test(test_hang_up_inside_input),
        cmocka_unit_test(test_pause_keeps_bytes_until_it_ends),
        cmocka_unit_test(test_pause_keeps_more_than_one_frame),
        cmocka_unit_test(test_pause_is_not_silence),
        cmocka_unit_test(test_no_pause_again_and_again_costs_nothing),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
