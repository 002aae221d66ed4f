/*
 * A state directory as a gateway leaves it after long without PostgreSQL:
 *
 *     fill_state DIRECTORY DISTRICT DEVICES RECORDS
 *
 * Writes DIRECTORY/registry.cache with so many wristbands, and DIRECTORY/journal with so many of their
 * presses, none of which the database has.
 */
#include "daemon/base/log.h"
#include "daemon/core/arrival.h"
#include "daemon/edge/device_cache.h"
#include "daemon/edge/ledger.h"
#include "protocol/codec.h"
#include "tests/bench/bench.h"

#include <poll.h>

static void write_registry(const char *directory, const char *district, int64_t count)
{
    struct device_table table;
    struct device_entry old;
    char path[512];

    device_table_init(&table);
    for (int64_t i = 0; i < count; i++) {
        struct device_entry entry = {.protocol = (uint8_t)codec_find("watch"),
                                     .kind = DEVICE_WRISTBAND,
                                     .device_id = i + 1,
                                     .household_id = i + 1,
                                     .area_id = 1};
        snprintf(entry.identity, sizeof(entry.identity), "%lld", (long long)(FIRST_IDENTITY + i));
        device_table_put(&table, &entry, &old);
    }
    snprintf(path, sizeof(path), "%s/registry.cache", directory);
    device_cache_write(path, district, &table);
    device_table_fini(&table);
}

static size_t encode_press(int64_t n, uint8_t *out, size_t size)
{
    char frame[FRAME_SIZE];
    struct writer writer = writer_into(out, size);
    struct arrival arrival = {.signal = {.kind = SIGNAL_PANIC,
                                         .device = DEVICE_WRISTBAND,
                                         .protocol = (uint8_t)codec_find("watch"),
                                         .received_at_us = time(NULL) * US_PER_SECOND}};

    arrival.raw = (struct bytes){(uint8_t *)frame, (size_t)frame_panic(frame, n)};
    snprintf(arrival.signal.identity, sizeof(arrival.signal.identity), "%lld",
             (long long)identity_of(n));
    snprintf(arrival.signal.message_id, sizeof(arrival.signal.message_id), "bench-%lld",
             (long long)n);
    arrival_encode(&arrival, &writer);
    return writer_view(&writer).size;
}

/* One turn of the writer: hands over what is there and waits for something to be done. */
static void turn(struct ledger *ledger)
{
    struct pollfd done = {.fd = ledger_fd(ledger), .events = POLLIN};

    ledger_flush(ledger, now_us());
    poll(&done, 1, 1000);
    if (!ledger_collect(ledger, now_us()))
        fail("journal");
}

static void write_journal(const char *directory, int64_t count)
{
    static uint8_t payload[ARRIVAL_SIZE_MAX];
    static struct log log;
    char path[512], error[256] = "journal";
    struct ledger_settings settings = {
        .directory = path,
        .segment_bytes = 16u << 20,
        .total_bytes = UINT64_C(1) << 30,
        .clock_mono_us = now_us,
        .now = {.mono_us = now_us(), .wall_us = time(NULL) * US_PER_SECOND}};

    log_init(&log, LOG_ERROR);
    snprintf(path, sizeof(path), "%s/journal", directory);
    struct ledger *ledger = ledger_open(&settings, &log, error, sizeof(error));
    if (!ledger)
        fail(error);
    for (int64_t n = 0; n < count;) {
        while (n < count && ledger_has_room(ledger, ARRIVAL_SIZE_MAX)) {
            size_t size = encode_press(n, payload, sizeof(payload));
            if (ledger_append(ledger, LANE_ALARM, payload, size) == 0)
                fail("append");
            n++;
        }
        turn(ledger);
    }
    ledger_close(ledger);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: fill_state DIRECTORY DISTRICT DEVICES RECORDS\n", stderr);
        return 2;
    }
    write_registry(argv[1], argv[2], strtoll(argv[3], NULL, 10));
    write_journal(argv[1], strtoll(argv[4], NULL, 10));
    return 0;
}
