#include "daemon/base/metrics.h"
#include "daemon/edge/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TURNS_MAX 2000 /* of 5 ms: a client that waits longer waits in vain */

struct gateway {
    struct metrics metrics;
    const char *missing;
};

static struct gateway gateway;
static struct event_base *base;
static struct http *http;
static char answer[65536];

static void write_metrics(void *context, void *reply)
{
    metrics_print(&((struct gateway *)context)->metrics, reply, http_write);
}

static const char *not_ready(void *context)
{
    return ((struct gateway *)context)->missing;
}

static const struct http_pages pages = {&gateway, write_metrics, not_ready};

static int start(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    memset(&gateway, 0, sizeof(gateway));
    metrics_count(
        &gateway.metrics,
        metrics_add(&gateway.metrics, METRIC_COUNTER, "onekey_turns_total", NULL, "Turns."), 42);
    base = event_base_new();
    http = http_open(base, "127.0.0.1", 0, &pages);
    return http == NULL;
}

static int stop(void **state)
{
    (void)state;
    http_close(http);
    event_base_free(base);
    return 0;
}

/* Sends bytes and turns the loop until the server closes. The answer is in `answer`. */
static void ask(const char *request, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(http_port(http))};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    size_t sent = 0, used = 0;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        ssize_t count = sent < size ? send(fd, request + sent, size - sent, MSG_DONTWAIT) : 0;
        sent += count > 0 ? (size_t)count : 0;
        event_base_loopexit(base, &(struct timeval){.tv_usec = 5000});
        event_base_loop(base, EVLOOP_ONCE);
        count = recv(fd, answer + used, sizeof(answer) - 1 - used, MSG_DONTWAIT);
        used += count > 0 ? (size_t)count : 0;
        answer[used] = '\0';
        if (count == 0 || (count < 0 && errno != EAGAIN)) {
            close(fd);
            return;
        }
    }
    close(fd);
    fail_msg("the server does not close after: %.80s", request);
}

static void get(const char *path)
{
    char request[256];
    int size = snprintf(request, sizeof(request),
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    ask(request, (size_t)size);
}

static void metrics_are_served(void **state)
{
    (void)state;
    get("/metrics");
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(answer, "\nonekey_turns_total 42\n"));
}

static void readiness_says_what_is_missing(void **state)
{
    (void)state;
    get("/-/ready");
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_non_null(strstr(answer, "\r\n\r\nready\n"));
    gateway.missing = "PostgreSQL is not connected";
    get("/-/ready");
    assert_non_null(strstr(answer, "HTTP/1.1 503 "));
    assert_non_null(strstr(answer, "\r\n\r\nPostgreSQL is not connected\n"));
    get("/-/healthy");
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
}

static void other_paths_and_methods_are_refused(void **state)
{
    (void)state;
    get("/../etc/passwd");
    assert_non_null(strstr(answer, "HTTP/1.1 404 "));
    static const char delete[] =
        "DELETE /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ask(delete, sizeof(delete) - 1);
    assert_non_null(strstr(answer, "HTTP/1.1 501 "));
    static const char post[] = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Content-Length: 3\r\n\r\na=b";
    ask(post, sizeof(post) - 1);
    assert_null(strstr(answer, "HTTP/1.1 200 "));
    assert_null(strstr(answer, "onekey_turns_total"));
}

static void large_headers_are_refused(void **state)
{
    (void)state;
    static char request[20000];
    int size = snprintf(request, sizeof(request), "GET /metrics HTTP/1.1\r\nX: ");
    memset(request + size, 'x', sizeof(request) - (size_t)size);
    memcpy(request + sizeof(request) - 4, "\r\n\r\n", 4);
    ask(request, sizeof(request));
    assert_null(strstr(answer, "HTTP/1.1 200 "));
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    assert_null(http_open(base, "127.0.0.1", http_port(http), &pages));
    assert_int_equal(errno, EADDRINUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_served, start, stop),
        cmocka_unit_test_setup_teardown(readiness_says_what_is_missing, start, stop),
        cmocka_unit_test_setup_teardown(other_paths_and_methods_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(large_headers_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_port_in_use_is_told, start, stop),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
