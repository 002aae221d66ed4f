/* Requests to others: what a name server, a silent host or a broken address does not do to the loop. */
#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/edge/transfers.h"
#include "tests/unit/loop.h"

#define SLOW_NAME "slow.example"
#define SLOW_LOOKUP_S 3
#define LONGEST_TURN_S                                                                             \
    0.5 /* far below the look-up and the time limit, and kind to a busy machine */

static atomic_int lookups_begun, lookups_done;

/* In place of the C library's, for libcurl too: a name server that takes its time. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, SLOW_NAME) == 0) {
        lookups_begun++;
        sleep(SLOW_LOOKUP_S);
        lookups_done++;
        return EAI_NONAME;
    }
    return real(node, service, hints, result);
}

static struct transfers *open_transfers(struct event_base *base)
{
    char error[200] = "";
    struct transfers *transfers = transfers_open(base, NULL, error, sizeof(error));

    assert_string_equal(error, "");
    return transfers;
}

struct outcome {
    int count;
    bool is_whole;
    long status;
    char text[256];
};

static void on_done(void *context, const struct transfer_result *result)
{
    struct outcome *outcome = context;

    outcome->count++;
    outcome->is_whole = result->is_whole;
    outcome->status = result->status;
    snprintf(outcome->text, sizeof(outcome->text), "%s", result->text);
}

static double longest_s;

/* Whether it is over within 10 s; keeps the longest turn of the loop. */
static bool wait_for(struct event_base *base, const struct outcome *outcome)
{
    double deadline = seconds_now() + 10;

    while (outcome->count == 0 && seconds_now() < deadline) {
        double began = seconds_now();

        loop_once(base);
        if (seconds_now() - began > longest_s)
            longest_s = seconds_now() - began;
    }
    return outcome->count == 1;
}

static void start(struct transfers *transfers, const char *url, struct outcome *outcome)
{
    static const char *const headers[] = {"Content-Type: text/plain", NULL};

    memset(outcome, 0, sizeof(*outcome));
    transfers_start(transfers,
                    &(struct transfer_request){
                        .url = url, .headers = headers, .body = "x", .size = 1, .timeout_s = 1},
                    on_done, outcome);
}

static void a_slow_name_server_holds_nothing_up(void **state)
{
    struct event_base *base = event_base_new();
    struct transfers *transfers = open_transfers(base);
    struct outcome outcome;
    double began = seconds_now();

    (void)state;
    longest_s = 0;
    start(transfers, "https://" SLOW_NAME "/", &outcome);
    assert_true(wait_for(base, &outcome));
    assert_int_equal(lookups_begun, 1);
    assert_int_equal(lookups_done, 0); /* given up while the look-up still goes on */
    assert_true(seconds_now() - began < SLOW_LOOKUP_S);
    assert_true(longest_s < LONGEST_TURN_S);
    assert_false(outcome.is_whole);
    start(transfers, "https://" SLOW_NAME "/", &outcome);
    LOOP_UNTIL(base, lookups_begun == 2);
    began = seconds_now();
    transfers_close(transfers);
    assert_true(seconds_now() - began < LONGEST_TURN_S);
    assert_int_equal(outcome.count, 0);
    assert_true(LOOP_UNTIL(base, lookups_done == 2)); /* their threads end by themselves */
    event_base_free(base);
}

/* Listens and never accepts, or says nothing. */
static int silent_port(uint16_t *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &size), 0);
    *port = ntohs(where.sin_port);
    return fd;
}

static void a_silent_host_is_given_up(void **state)
{
    static const char *const schemes[] = {"http", "https"};
    struct event_base *base = event_base_new();
    struct transfers *transfers = open_transfers(base);
    struct outcome outcomes[2];
    uint16_t port;
    int fd = silent_port(&port);

    (void)state;
    longest_s = 0;
    for (int i = 0; i < 2; i++) {
        char url[64];

        snprintf(url, sizeof(url), "%s://127.0.0.1:%d/", schemes[i], port);
        start(transfers, url, &outcomes[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(wait_for(base, &outcomes[i]));
        assert_int_equal(outcomes[i].status, 0);
        assert_non_null(strstr(outcomes[i].text, "timed out"));
    }
    assert_true(longest_s < LONGEST_TURN_S);
    transfers_close(transfers);
    close(fd);
    event_base_free(base);
}

static void authorities_must_be_there(void **state)
{
    struct event_base *base = event_base_new();
    char error[200] = "";

    (void)state;
    assert_null(transfers_open(base, "/nowhere/ca.pem", error, sizeof(error)));
    assert_non_null(strstr(error, "/nowhere/ca.pem: no certificates"));
    event_base_free(base);
}

static void other_schemes_are_not_followed(void **state)
{
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://x/",
                                       "smtp://127.0.0.1/",    "http://",          ""};
    struct event_base *base = event_base_new();
    struct transfers *transfers = open_transfers(base);
    struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        start(transfers, urls[i], &outcome);
        assert_true(wait_for(base, &outcome));
        assert_false(outcome.is_whole);
        assert_int_equal(outcome.status, 0);
    }
    transfers_close(transfers);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_name_server_holds_nothing_up),
        cmocka_unit_test(a_silent_host_is_given_up),
        cmocka_unit_test(authorities_must_be_there),
        cmocka_unit_test(other_schemes_are_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
