/*
 * The store against a real server with the project's schema: what becomes of batches, of one bad
 * record among many, of a crash, and of everything a signal may say.
 */
#include "daemon/edge/store.h"
#include "protocol/codec.h"
#include "tests/support/private_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIVED_US INT64_C(1767225600000000) /* 2026-01-01 00:00:00 UTC */

static struct event_base *base;
static struct random rng;
static struct arrival records[STORE_BATCH_MAX];

/* What the store has said; lanes by enum lane. */
static struct {
    struct store *store;
    int ups[3], downs[3], results, committed, refused, lost, rejected, not_rejected;
    int observed, not_observed;
    uint32_t last_batch;
    enum lane last_lane;
    char message[256];
} seen;

static void on_result(void *context, enum lane lane, uint32_t batch, enum store_result result,
                      const char *message)
{
    (void)context;
    seen.results++;
    seen.committed += result == STORE_COMMITTED;
    seen.refused += result == STORE_REFUSED;
    seen.lost += result == STORE_LOST;
    seen.last_batch = batch;
    seen.last_lane = lane;
    snprintf(seen.message, sizeof seen.message, "%s", message);
}

static void on_up(void *context, enum lane lane)
{
    (void)context;
    seen.ups[lane]++;
}

static void on_down(void *context, enum lane lane, const char *reason)
{
    (void)context, (void)reason;
    seen.downs[lane]++;
}

static void on_observed(void *context, enum store_result result, const char *message)
{
    (void)context, (void)message;
    seen.observed += result == STORE_COMMITTED;
    seen.not_observed += result != STORE_COMMITTED;
}

static void on_rejected(void *context, uint64_t number, bool stored)
{
    (void)context, (void)number;
    seen.rejected += stored;
    seen.not_rejected += !stored;
}

static void open_store(void)
{
    struct store_settings settings = {server.conninfo, "gate-1", "testville", 2, 0};
    struct store_callbacks callbacks = {NULL, on_result, on_up, on_down, on_observed};
    char *error = NULL;

    memset(&seen, 0, sizeof seen);
    seen.store = store_open(base, &settings, &rng, &callbacks, &error);
    assert_non_null(seen.store);
    WAIT_FOR(base, seen.ups[LANE_ALARM] == 1 && seen.ups[LANE_READING] == 1);
}

static void set_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

/* A panic of device "D<number>", or a reading. */
static struct arrival arrival_of(enum signal_kind kind, uint64_t number)
{
    struct arrival arrival = {.number = number};

    arrival.signal.kind = (uint8_t)kind;
    arrival.signal.protocol = (uint8_t)codec_find("watch");
    arrival.signal.received_at_us = RECEIVED_US + (int64_t)number;
    snprintf(arrival.signal.identity, sizeof arrival.signal.identity, "D%d", (int)number);
    return arrival;
}

static bool submit(enum lane lane, uint32_t id, size_t count)
{
    struct store_batch batch = {id, lane, records, count};

    return store_submit(seen.store, &batch);
}

static int64_t count(const char *what)
{
    char text[512];

    snprintf(text, sizeof text, "SELECT count(*) FROM onekey.%s", what);
    return server_number(text);
}

static void expect_text(const char *sql, const char *expected)
{
    char *text = server_sql(sql);

    assert_string_equal(text, expected);
    free(text);
}

static void alarms_become_tickets(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < 64; i++)
        records[i] = arrival_of(SIGNAL_PANIC, 1000 + (uint64_t)i);
    for (int times = 1; times <= 2; times++) { /* the second time is a replay */
        assert_true(submit(LANE_ALARM, 7, 64));
        WAIT_FOR(base, seen.results == times);
        assert_int_equal(seen.committed, times);
        assert_int_equal(seen.last_batch, 7);
        assert_int_equal(seen.last_lane, LANE_ALARM);
        assert_string_equal(seen.message, "");
    }
    assert_int_equal(count("signal WHERE number BETWEEN 1000 AND 1063 AND gateway = 'gate-1'"), 64);
    assert_int_equal(count("ticket WHERE identity ~ '^D10' AND district = 'testville'"), 64);
    store_close(seen.store);
}

static void everything_a_signal_says(void **state)
{
    static const uint8_t raw[] = {0, 0xff, '\\', '"'};
    static const char decision[] = "{\"rule\": \"two, {words}\", \"battery\": 12}";
    struct signal *signal = &records[0].signal;

    (void)state;
    open_store();
    records[0] = arrival_of(SIGNAL_SERVICE, 2000);
    records[0].raw = (struct bytes){raw, sizeof raw};
    records[0].detail = bytes_of(decision);
    signal->service = SERVICE_TAXI;
    signal->flags = SIGNAL_FLAG_STORED | SIGNAL_FLAG_NO_POSITION;
    signal->has = MEASURE_POSITION | MEASURE_BATTERY | MEASURE_TEMPERATURE;
    signal->occurred_at_us = RECEIVED_US - 1;
    signal->latitude_e7 = -312304160;
    signal->longitude_e7 = 1214737010;
    signal->battery_percent = 55;
    signal->temperature_c100 = 3650;
    set_text(signal->code, sizeof signal->code, "A\"L\\ \xff\n");
    assert_true(submit(LANE_ALARM, 1, 1));
    WAIT_FOR(base, seen.results == 1);
    assert_string_equal(seen.message, "");
    expect_text("SELECT concat_ws('|', kind, service_kind, flags, protocol, identity, raw, "
                "occurred_at AT TIME ZONE 'UTC', received_at AT TIME ZONE 'UTC') "
                "FROM onekey.signal WHERE number = 2000",
                "service|taxi|{no_position,stored,unknown_device}|watch|D2000|\\x00ff5c22|"
                "2025-12-31 23:59:59.999999|2026-01-01 00:00:00.002");
    expect_text("SELECT detail FROM onekey.signal WHERE number = 2000",
                "{\"code\": \"A\\\"L\\\\ ??\", \"rule\": \"two, {words}\", \"battery\": 12, "
                "\"latitude\": -31.2304160, \"longitude\": 121.4737010, "
                "\"body_temperature_c\": 36.50}");
    store_close(seen.store);
}

/* Whatever stands in the detail and the identity, the alarm is stored. */
static void no_decoration_refuses_an_alarm(void **state)
{
    static const char *const details[] = {"{",        "[1]",           "{\"a\":\"\\u0000\"}",
                                          "\xff\xfe", "{\"a\":nan}",   "{\"a\":1,\"a\":2}",
                                          "{}",       " {\"a\" : 1} ", "{\"a\":\"\\ud800\"}"};
    (void)state;
    open_store();
    for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
        records[i] = arrival_of(SIGNAL_FALL, 3000 + i);
        records[i].detail = bytes_of(details[i]);
        set_text(records[i].signal.identity, IDENTITY_LIMIT, i % 2 ? "\xe5{\"\\,}" : "NULL");
        set_text(records[i].signal.message_id, MESSAGE_ID_LIMIT, "\x80'\"{");
    }
    assert_true(submit(LANE_ALARM, 1, ARRAY_SIZE(details)));
    WAIT_FOR(base, seen.results == 1);
    assert_string_equal(seen.message, "");
    assert_int_equal(count("signal WHERE number BETWEEN 3000 AND 3099"), ARRAY_SIZE(details));
    expect_text("SELECT detail->>'decision' FROM onekey.signal WHERE number = 3002",
                "{\"a\":\"\\u0000\"}");
    expect_text("SELECT detail->>'a' FROM onekey.signal WHERE number = 3007", "1");
    store_close(seen.store);
}

static void one_bad_record_among_512(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < STORE_BATCH_MAX; i++)
        records[i] = arrival_of(SIGNAL_PANIC, 4000 + (uint64_t)i);
    records[300].signal.kind = SIGNAL_NONE;
    assert_true(submit(LANE_ALARM, 9, STORE_BATCH_MAX));
    WAIT_FOR(base, seen.results == 1);
    assert_int_equal(seen.refused, 1);
    assert_non_null(strstr(seen.message, "signal 4300"));
    assert_int_equal(seen.downs[LANE_ALARM], 0);
    assert_int_equal(count("signal WHERE number BETWEEN 4000 AND 4511"), 0);

    assert_true(store_reject(seen.store, &records[300], seen.message, on_rejected, NULL));
    WAIT_FOR(base, seen.rejected == 1);
    expect_text("SELECT identity FROM onekey.rejected WHERE number = 4300", "D4300");
    records[300] = arrival_of(SIGNAL_PANIC, 4512);
    assert_true(submit(LANE_ALARM, 10, STORE_BATCH_MAX));
    WAIT_FOR(base, seen.results == 2);
    assert_int_equal(seen.committed, 1);
    assert_int_equal(count("signal WHERE kind = 'panic' AND number BETWEEN 4000 AND 4512"),
                     STORE_BATCH_MAX);
    store_close(seen.store);
}

static void the_limit_in_flight(void **state)
{
    (void)state;
    open_store();
    records[0] = arrival_of(SIGNAL_PANIC, 5000);
    assert_true(submit(LANE_ALARM, 1, 1));
    assert_true(submit(LANE_ALARM, 2, 1));
    assert_false(submit(LANE_ALARM, 3, 1));
    records[0] = arrival_of(SIGNAL_READING, 5001);
    assert_true(submit(LANE_READING, 1, 1));
    WAIT_FOR(base, seen.results == 3);
    assert_true(submit(LANE_READING, 2, 1));
    WAIT_FOR(base, seen.results == 4);
    assert_int_equal(seen.committed, 4);
    store_close(seen.store);
}

static void a_crash_in_flight(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < 64; i++)
        records[i] = arrival_of(SIGNAL_PANIC, 6000 + (uint64_t)i);
    server_signal(SIGSTOP); /* so that the batch is certainly in flight */
    assert_true(submit(LANE_ALARM, 1, 64));
    assert_true(store_reject(seen.store, &records[0], "why", on_rejected, NULL));
    server_end(SIGKILL);
    WAIT_FOR(base, seen.downs[LANE_ALARM] > 0 && seen.downs[LANE_READING] > 0);
    assert_int_equal(seen.lost, 1);
    assert_int_equal(seen.not_rejected, 1);
    assert_false(store_is_up(seen.store, LANE_ALARM));
    assert_false(submit(LANE_ALARM, 2, 64));
    assert_false(store_reject(seen.store, &records[0], "why", on_rejected, NULL));
    server_start();
    WAIT_FOR(base, seen.ups[LANE_ALARM] == 2);
    assert_true(submit(LANE_ALARM, 3, 64));
    WAIT_FOR(base, seen.committed == 1);
    assert_int_equal(count("signal WHERE number BETWEEN 6000 AND 6063"), 64);
    store_close(seen.store);
}

static void readings(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < 100; i++) {
        records[i] = arrival_of(SIGNAL_READING, 7000 + (uint64_t)i);
        records[i].signal.has = MEASURE_TOTAL | (i % 2 ? MEASURE_INTERVAL | MEASURE_BATTERY : 0);
        records[i].signal.total_ml = 1000000 + i;
        records[i].signal.interval_ml = 250;
        records[i].signal.interval_s = 900;
        records[i].signal.battery_percent = 81;
        records[i].signal.occurred_at_us = RECEIVED_US;
    }
    for (int times = 1; times <= 2; times++) {
        assert_true(submit(LANE_READING, 1, 100));
        WAIT_FOR(base, seen.results == times);
        assert_string_equal(seen.message, "");
    }
    assert_int_equal(count("meter_reading WHERE number BETWEEN 7000 AND 7099"), 100);
    expect_text("SELECT concat_ws('|', total_ml, interval_ml, interval_s, battery_percent) "
                "FROM onekey.meter_reading WHERE number = 7001",
                "1000001|250|900|81");
    expect_text("SELECT concat_ws('|', total_ml, interval_ml, interval_s, battery_percent) "
                "FROM onekey.meter_reading WHERE number = 7002",
                "1000002");
    store_close(seen.store);
}

static void soft_state(void **state)
{
    static struct device_touch touches[500];

    (void)state;
    free(server_sql("INSERT INTO onekey.device (district, protocol, identity, kind) "
                    "SELECT 'testville', 'watch', 'T' || n, 'wristband' "
                    "FROM generate_series(0, 499) n"));
    open_store();
    for (int i = 0; i < 500; i++) {
        touches[i] = (struct device_touch){.protocol = (uint8_t)codec_find("watch")};
        snprintf(touches[i].identity, sizeof touches[i].identity, "T%d", i);
        touches[i].heard_us = RECEIVED_US;
    }
    touches[0].latest.has = MEASURE_BATTERY | MEASURE_POSITION;
    touches[0].latest.battery_percent = 33;
    touches[0].latest.position_at_us = touches[0].latest.condition_at_us = RECEIVED_US;
    touches[0].latest.latitude_e7 = 311111110;
    touches[0].latest.longitude_e7 = -1222222220;
    size_t taken = store_touch(seen.store, touches, 500);
    assert_int_equal(taken, 400); /* four batches of 100 in flight */
    while (taken < 500) {
        event_base_loop(base, EVLOOP_ONCE);
        taken += store_touch(seen.store, touches + taken, 500 - taken);
    }
    WAIT_FOR(base, count("device WHERE last_seen = '2026-01-01 00:00:00+00'") == 500);
    expect_text("SELECT concat_ws('|', battery_percent, latitude, longitude) "
                "FROM onekey.device WHERE identity = 'T0'",
                "33|31.111111|-122.222222");
    expect_text("SELECT concat_ws('|', battery_percent, latitude, longitude) "
                "FROM onekey.device WHERE identity = 'T1'",
                "");
    assert_int_equal(seen.downs[LANE_READING], 0);
    store_close(seen.store);
}

static struct observation observation_of(int64_t device_id)
{
    return (struct observation){.device_id = device_id,
                                .at_us = RECEIVED_US - INT64_C(7000000),
                                .received_at_us = RECEIVED_US,
                                .said = {.has = MEASURE_POSITION | MEASURE_ACCURACY |
                                                MEASURE_BATTERY | MEASURE_GSM | MEASURE_STEPS |
                                                MEASURE_HEART_RATE | MEASURE_BLOOD_PRESSURE |
                                                MEASURE_OXYGEN | MEASURE_TEMPERATURE,
                                         .latitude_e7 = -311234567,
                                         .longitude_e7 = 1214737010,
                                         .accuracy_m = 120,
                                         .steps = 70000,
                                         .battery_percent = 41,
                                         .gsm_percent = 64,
                                         .heart_rate = 71,
                                         .systolic = 131,
                                         .diastolic = 82,
                                         .oxygen_percent = 97,
                                         .temperature_c100 = 3655}};
}

static void the_history(void **state)
{
    struct observation rows[2];

    (void)state;
    int64_t device_id =
        server_number("INSERT INTO onekey.device (district, protocol, identity, kind)"
                      " VALUES ('testville', 'watch', 'O1', 'wristband') "
                      "RETURNING id");
    rows[0] = rows[1] = observation_of(device_id);
    rows[1].received_at_us++;
    rows[1].occurred_at_us = 1;
    rows[1].said.has = MEASURE_STEPS;
    open_store();
    assert_true(store_observe(seen.store, rows, 2));
    assert_false(store_observe(seen.store, rows, 2)); /* one batch at a time */
    WAIT_FOR(base, seen.observed == 1);
    assert_int_equal(seen.not_observed, 0);
    expect_text(
        "SELECT concat_ws('|', at AT TIME ZONE 'UTC', longitude, latitude, accuracy_m, "
        "battery_percent, gsm_percent, steps, heart_rate, systolic, diastolic, "
        "oxygen_percent, temperature_c) FROM onekey.observation WHERE heart_rate IS NOT NULL",
        "2025-12-31 23:59:53|121.473701|-31.1234567|120|41|64|70000|71|131|82|97|36.55");
    expect_text("SELECT concat_ws('|', occurred_at = 'epoch'::timestamptz + interval '1 us', steps,"
                " battery_percent) FROM onekey.observation WHERE heart_rate IS NULL",
                "t|70000");
    assert_int_equal(seen.downs[LANE_READING], 0);
    store_close(seen.store);
}

static int start(void **state)
{
    (void)state;
    if (!server_create())
        return 0;
    server_migrate();
    base = event_base_new();
    random_init(&rng, 20260103);
    free(server_sql("INSERT INTO onekey.area (district, code, level, name_zh) "
                    "VALUES ('testville', 'testville', 'district', '试区')"));
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

#define WITH_SERVER(test) cmocka_unit_test_setup(test, need_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(alarms_become_tickets),
        WITH_SERVER(everything_a_signal_says),
        WITH_SERVER(no_decoration_refuses_an_alarm),
        WITH_SERVER(one_bad_record_among_512),
        WITH_SERVER(the_limit_in_flight),
        WITH_SERVER(a_crash_in_flight),
        WITH_SERVER(readings),
        WITH_SERVER(soft_state),
        WITH_SERVER(the_history),
    };
    return cmocka_run_group_tests(tests, start, end);
}
