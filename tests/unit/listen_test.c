/* Notifications from a real server, through a crash and a hang. */
#include "db/listen.h"
#include "tests/support/private_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct event_base *base;
static struct random rng;

static struct {
    int gaps, notified, downs;
    char payload[64];
} seen;

static void on_down(void *context, const char *reason)
{
    (void)context, (void)reason;
    seen.downs++;
}

static void on_gap(void *context)
{
    (void)context;
    seen.gaps++;
}

static void on_notification(void *context, const char *channel, const char *payload)
{
    (void)context;
    assert_string_equal(channel, "onekey_test");
    snprintf(seen.payload, sizeof seen.payload, "%s", payload);
    seen.notified++;
}

static void notifications_and_gaps(void **state)
{
    static const char *const channels[] = {"onekey_test", NULL};
    struct listen_settings settings = {server.conninfo, "test", channels, NULL, 500};
    struct listen_callbacks callbacks = {NULL, on_gap, on_notification, on_down};
    char *error = NULL;

    (void)state;
    memset(&seen, 0, sizeof seen);
    struct listen *listen = listen_open(base, &settings, &rng, &callbacks, &error);
    assert_non_null(listen);
    WAIT_FOR(base, seen.gaps == 1);
    free(server_sql("NOTIFY onekey_test, 'one'"));
    WAIT_FOR(base, seen.notified == 1);
    assert_string_equal(seen.payload, "one");
    server_end(SIGKILL);
    WAIT_FOR(base, seen.downs >= 1);
    server_start();
    free(server_sql("NOTIFY onekey_test, 'missed'"));
    WAIT_FOR(base, seen.gaps == 2);
    free(server_sql("NOTIFY onekey_test, 'two'"));
    WAIT_FOR(base, seen.notified == 2);
    assert_string_equal(seen.payload, "two");
    /* Hangs without a word: found by the question. */
    int downs = seen.downs;
    server_signal(SIGSTOP);
    WAIT_FOR(base, seen.downs > downs);
    server_signal(SIGCONT);
    WAIT_FOR(base, seen.gaps == 3);
    listen_close(listen);
}

static int start(void **state)
{
    (void)state;
    if (server_create())
        base = event_base_new();
    random_init(&rng, 20260101);
    return 0;
}

static int end(void **state)
{
    (void)state;
    server_remove();
    if (base)
        event_base_free(base);
    return 0;
}

static int need_server(void **state)
{
    (void)state;
    if (server.pid == 0)
        skip();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(notifications_and_gaps, need_server),
    };
    return cmocka_run_group_tests(tests, start, end);
}
