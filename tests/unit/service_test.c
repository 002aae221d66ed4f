#include "daemon/edge/clock.h"
#include "daemon/edge/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* The service manager's end of the notification socket. */
static char folder[] = "/tmp/onekey-service-XXXXXX";
static int manager = -1;

static int start(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", folder);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    setenv("NOTIFY_SOCKET", name.sun_path, 1);
    return bind(manager, (struct sockaddr *)&name, sizeof(name));
}

static int stop(void **state)
{
    (void)state;
    unlink(getenv("NOTIFY_SOCKET"));
    close(manager);
    return rmdir(folder);
}

static void assert_told(const char *expected)
{
    char text[256] = "";
    assert_true(recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT) >= 0);
    assert_string_equal(text, expected);
}

static void the_manager_is_told(void **state)
{
    (void)state;
    service_ready();
    assert_told("READY=1");
    service_reloading(1234567);
    assert_told("RELOADING=1\nMONOTONIC_USEC=1234567");
    service_status("3 sessions, 100% here");
    assert_told("STATUS=3 sessions, 100% here");
    service_alive();
    assert_told("WATCHDOG=1");
    service_stopping();
    assert_told("STOPPING=1");
}

static void the_watchdog_is_fed_twice_as_often_as_it_asks(void **state)
{
    (void)state;
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(service_watchdog_interval_us(), 0);
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    setenv("WATCHDOG_USEC", "15000000", 1);
    assert_int_equal(service_watchdog_interval_us(), 7500000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(service_watchdog_interval_us(), 0);
}

static void clocks_go_on_and_seeds_differ(void **state)
{
    (void)state;
    struct instant first = clock_now(), second = clock_now();
    assert_true(second.mono_us >= first.mono_us);
    assert_true(first.wall_us > INT64_C(1700000000) * US_PER_SECOND);
    assert_true(clock_monotonic_us() > 0);
    assert_true(clock_monotonic_us() <= clock_now().mono_us); /* less the time asleep */
    assert_int_not_equal(clock_entropy(), clock_entropy());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_is_told),
        cmocka_unit_test(the_watchdog_is_fed_twice_as_often_as_it_asks),
        cmocka_unit_test(clocks_go_on_and_seeds_differ),
    };
    return cmocka_run_group_tests_name("service", tests, start, stop);
}
