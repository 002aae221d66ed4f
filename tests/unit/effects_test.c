/* What the gateway is told of the journal's room. */
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/log.h"
#include "daemon/edge/clock.h"
#include "daemon/edge/effects.h"

static void ignore_record(void *context, uint8_t type, uint64_t number, const void *payload,
                          size_t size)
{
    (void)context, (void)type, (void)number, (void)payload, (void)size;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while ((entry = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

/* The last moment at which a frame may be read must have room for the largest frame. */
static void test_ready_means_room_for_a_whole_frame(void **state)
{
    static uint8_t payload[ARRIVAL_RAW_MAX + 320];
    char directory[] = "/tmp/onekey-effects-XXXXXX", error[256] = "";
    struct log log = {0};
    struct effects effects = {.log = &log};
    struct gateway_ports ports = effects_ports(&effects);
    struct bytes record = {payload, sizeof(payload)};
    (void)state;

    assert_non_null(mkdtemp(directory));
    effects.ledger = ledger_open(&(struct ledger_settings){.directory = directory,
                                                           .segment_bytes = 16u << 20,
                                                           .total_bytes = 64u << 20,
                                                           .clock_mono_us = clock_monotonic_us,
                                                           .now = clock_now()},
                                 &log, error, sizeof(error));
    assert_string_equal(error, "");
    assert_int_equal(ledger_replay(effects.ledger, ignore_record, NULL), LEDGER_END);
    for (int i = 0; i < 1000 && ports.append_room(ports.context) != APPEND_READY; i++) {
        ledger_flush(effects.ledger, clock_monotonic_us());
        poll(&(struct pollfd){.fd = ledger_fd(effects.ledger), .events = POLLIN}, 1, 1000);
        assert_true(ledger_collect(effects.ledger, clock_monotonic_us()));
    }
    assert_int_equal(ports.append_room(ports.context), APPEND_READY);
    while (ports.append_room(ports.context) == APPEND_READY)
        assert_true(ports.append(ports.context, LANE_ALARM, record) > 0);
    for (int i = 1; i < DECODE_SIGNALS_MAX; i++)
        assert_true(ports.append(ports.context, LANE_ALARM, record) > 0);
    ledger_close(effects.ledger);
    remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_means_room_for_a_whole_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
