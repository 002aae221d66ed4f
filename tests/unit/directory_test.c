/*
 * The directory of devices against a real server with the project's schema: a full load, changes,
 * a gap, and the copy on disk, also when it is damaged.
 */
#include "daemon/edge/directory.h"
#include "protocol/codec.h"
#include "tests/support/private_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEVICES_MAX 2000

static struct event_base *base;
static struct random rng;
static char cache_path[128];

/* What the directory has told. */
static struct {
    struct directory *directory;
    struct device_entry devices[DEVICES_MAX]; /* by device_id; device_id 0: not known */
    int count, told, removed, completes, troubles;
    size_t complete_count;
} seen;

static void on_device(void *context, const struct device_entry *device)
{
    (void)context;
    assert_in_range(device->device_id, 1, DEVICES_MAX - 1);
    seen.count += seen.devices[device->device_id].device_id == 0;
    seen.devices[device->device_id] = *device;
    seen.told++;
}

static void on_device_ahead(void *context, const struct device_entry *device)
{
    (void)context, (void)device;
}

static void on_device_removed(void *context, const struct device_entry *device)
{
    struct device_entry *known = &seen.devices[device->device_id];

    (void)context;
    assert_string_equal(known->identity, device->identity);
    known->device_id = 0;
    seen.count--;
    seen.removed++;
}

static void on_complete(void *context, size_t devices)
{
    (void)context;
    seen.completes++;
    seen.complete_count = devices;
}

static void on_trouble(void *context, const char *message)
{
    (void)context, (void)message;
    seen.troubles++;
}

static void open_directory(const char *conninfo, const char *district)
{
    struct directory_settings settings = {conninfo, district, cache_path, 1, 0};
    struct directory_callbacks callbacks = {
        NULL, on_device, on_device_ahead, on_device_removed, on_complete, on_trouble};
    char *error = NULL;

    memset(&seen, 0, sizeof seen);
    seen.directory = directory_open(base, &settings, &callbacks);
    assert_true(directory_connect(seen.directory, &settings, &rng, &error));
}

/* In one transaction, so that what comes after a semicolon is told together. */
static void sql(const char *text)
{
    free(server_sql(text));
}

/* The same, without the triggers that notify. */
static void sql_silently(const char *text)
{
    char whole[512];

    snprintf(whole, sizeof whole, "SET session_replication_role = replica; %s", text);
    sql(whole);
}

static int64_t id_of(const char *identity)
{
    char text[256];

    snprintf(text, sizeof text, "SELECT id FROM onekey.device WHERE identity = '%s'", identity);
    return server_number(text);
}

static bool knows(int64_t id, const char *identity)
{
    return seen.devices[id].device_id == id && strcmp(seen.devices[id].identity, identity) == 0;
}

/* As many devices as asked for; number 1 is a call box with everything set. */
static void fill(int count)
{
    char text[512];

    snprintf(text, sizeof text,
             "DELETE FROM onekey.device; ALTER TABLE onekey.device ALTER id RESTART; "
             "INSERT INTO onekey.device (district, protocol, identity, kind, household_id) "
             "SELECT 'testville', 'watch', 'W' || n, 'wristband', "
             "(SELECT id FROM onekey.household LIMIT 1) FROM generate_series(1, %d) n; "
             "UPDATE onekey.device SET protocol = 'meter_json', kind = 'call_box', "
             "report_interval_s = 60, supervision_s = 180, carrier = '46000', secret = 'abc' WHERE "
             "identity = 'W1'; "
             "UPDATE onekey.device SET household_id = NULL WHERE identity = 'W2'",
             count);
    sql(text);
}

static void a_full_load(void **state)
{
    static const int counts[] = {0, 1, 256, 700};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        fill(counts[i]);
        open_directory(server.conninfo, "testville");
        WAIT_FOR(base, seen.completes == 1);
        assert_int_equal(seen.complete_count, counts[i]);
        assert_int_equal(seen.count, counts[i]);
        assert_int_equal(seen.told, counts[i]);
        assert_int_equal(directory_count(seen.directory), counts[i]);
        if (i + 1 < ARRAY_SIZE(counts))
            directory_close(seen.directory);
    }
    const struct device_entry *box = &seen.devices[id_of("W1")];
    assert_string_equal(box->identity, "W1");
    assert_string_equal(codecs[box->protocol]->name, "meter_json");
    assert_int_equal(box->kind, DEVICE_CALL_BOX);
    assert_int_equal(box->report_interval_s, 60);
    assert_int_equal(box->supervision_s, 180);
    assert_string_equal(box->carrier, "46000");
    assert_int_equal(box->household_id, server_number("SELECT id FROM onekey.household"));
    assert_int_equal(box->area_id, server_number("SELECT area_id FROM onekey.household"));
    assert_int_equal(box->secret_size, 3);
    assert_memory_equal(box->secret, "abc", 3);
    assert_true(box->supervised);
    assert_false(seen.devices[id_of("W2")].supervised);
    directory_close(seen.directory);
}

static void changes(void **state)
{
    (void)state;
    fill(10);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, seen.completes == 1);
    int64_t third = id_of("W3"), fourth = id_of("W4"), fifth = id_of("W5");

    sql("UPDATE onekey.device SET report_interval_s = 77 WHERE identity = 'W3'");
    WAIT_FOR(base, seen.devices[third].report_interval_s == 77);
    sql("UPDATE onekey.household SET area_id = area_id, silence_hours = 9"); /* ten devices' */
    sql("INSERT INTO onekey.device (district, protocol, identity, kind) "
        "VALUES ('testville', 'watch', 'W11', 'wristband')");
    WAIT_FOR(base, seen.count == 11);
    assert_int_equal(seen.removed, 0);
    sql("DELETE FROM onekey.device WHERE identity = 'W5'");
    WAIT_FOR(base, seen.count == 10);
    assert_int_equal(seen.devices[fifth].device_id, 0);
    assert_int_equal(seen.removed, 1);
    sql("UPDATE onekey.household SET area_id = (SELECT id FROM onekey.area WHERE code = 'S1')");
    WAIT_FOR(base, seen.devices[third].area_id ==
                       server_number("SELECT id FROM onekey.area WHERE code = 'S1'"));
    /* Two swap their identities; in the end each has its own. */
    sql("UPDATE onekey.device SET identity = 'X' WHERE identity = 'W3'; "
        "UPDATE onekey.device SET identity = 'W3' WHERE identity = 'W4'; "
        "UPDATE onekey.device SET identity = 'W4' WHERE identity = 'X'");
    WAIT_FOR(base, knows(third, "W4") && knows(fourth, "W3"));
    assert_int_equal(seen.removed, 3);
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.completes, 1); /* nothing of this took a full load */
    sql("SET onekey.bulk = on; DELETE FROM onekey.device WHERE identity = 'W6'");
    WAIT_FOR(base, seen.count == 9);
    WAIT_FOR(base, seen.completes == 2);
    directory_close(seen.directory);
}

/* A notice that names devices has only those read again. */
static void named_changes(void **state)
{
    char text[128];

    (void)state;
    fill(300);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, seen.completes == 1);
    int64_t third = id_of("W3"), fourth = id_of("W4"), fifth = id_of("W5");
    int told = seen.told;

    sql_silently("UPDATE onekey.device SET report_interval_s = 5 WHERE identity IN ('W3', 'W5'); "
                 "DELETE FROM onekey.device WHERE identity = 'W4'");
    sql("NOTIFY onekey_device, 'elsewhere'");
    sql("NOTIFY onekey_device, 'testville2 3 4'");
    snprintf(text, sizeof text, "NOTIFY onekey_device, 'testville %d %d 999'", (int)third,
             (int)fourth);
    sql(text);
    WAIT_FOR(base, seen.removed == 1 && seen.told > told);
    assert_int_equal(seen.told, told + 1);
    assert_int_equal(seen.devices[third].report_interval_s, 5);
    assert_int_equal(seen.devices[fourth].device_id, 0);
    assert_int_equal(seen.devices[fifth].report_interval_s, 0);
    sql("NOTIFY onekey_device, 'testville'");
    WAIT_FOR(base, seen.completes == 2);
    assert_int_equal(seen.devices[fifth].report_interval_s, 5);
    assert_int_equal(seen.told, told + 2);
    directory_close(seen.directory);
}

static void a_gap(void **state)
{
    (void)state;
    fill(20);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, seen.completes == 1);
    sql_silently("DELETE FROM onekey.device WHERE identity IN ('W7', 'W8')");
    server_end(SIGKILL);
    WAIT_FOR(base, seen.troubles > 0);
    assert_int_equal(seen.count, 20);
    server_start();
    WAIT_FOR(base, seen.completes == 2);
    assert_int_equal(seen.count, 18);
    assert_int_equal(seen.removed, 2);
    directory_close(seen.directory);
}

/* --- the copy on disk --- */

static bool is_written(void)
{
    return access(cache_path, F_OK) == 0;
}

static void copy_round_trip(void **state)
{
    static struct device_entry before[DEVICES_MAX];
    char *error = NULL;

    (void)state;
    remove(cache_path);
    fill(500);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, seen.completes == 1 && is_written());
    memcpy(before, seen.devices, sizeof before);
    directory_close(seen.directory);

    open_directory("host=/nowhere", "testville");
    assert_int_equal(directory_load_cache(seen.directory, &error), 500);
    assert_int_equal(seen.count, 500);
    assert_memory_equal(seen.devices, before, sizeof before);
    WAIT_FOR(base, seen.troubles > 0);
    assert_int_equal(seen.count, 500);
    directory_close(seen.directory);

    /* What has gone meanwhile goes with the first full load, what has not is not told again. */
    sql("DELETE FROM onekey.device WHERE identity = 'W9'");
    open_directory(server.conninfo, "testville");
    assert_int_equal(directory_load_cache(seen.directory, &error), 500);
    WAIT_FOR(base, seen.completes == 1);
    assert_int_equal(seen.count, 499);
    assert_int_equal(seen.told, 500);
    directory_close(seen.directory);
}

static void changes_are_written(void **state)
{
    char *error = NULL;

    (void)state;
    remove(cache_path);
    fill(3);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, is_written());
    remove(cache_path);
    sql("DELETE FROM onekey.device WHERE identity = 'W3'");
    WAIT_FOR(base, is_written());
    directory_close(seen.directory);
    open_directory("host=/nowhere", "testville");
    assert_int_equal(directory_load_cache(seen.directory, &error), 2);
    directory_close(seen.directory);
}

static void expect_no_copy(const char *district, const char *reason)
{
    char *error = NULL;

    open_directory("host=/nowhere", district);
    assert_int_equal(directory_load_cache(seen.directory, &error), -1);
    assert_non_null(strstr(error, cache_path));
    assert_non_null(strstr(error, reason));
    assert_int_equal(seen.told, 0);
    free(error);
    directory_close(seen.directory);
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *file = fopen(cache_path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void damaged_copies(void **state)
{
    static uint8_t data[65536];
    char *error = NULL;

    (void)state;
    remove(cache_path);
    expect_no_copy("testville", "No such file");
    fill(40);
    open_directory(server.conninfo, "testville");
    WAIT_FOR(base, is_written());
    directory_close(seen.directory);
    expect_no_copy("elsewhere", "another district");

    FILE *file = fopen(cache_path, "r");
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut += 13) {
        write_file(data, cut);
        expect_no_copy("testville", "");
    }
    for (size_t at = 0; at < size; at += 7) {
        data[at] ^= 0x10;
        write_file(data, size);
        expect_no_copy("testville", "");
        data[at] ^= 0x10;
    }
    write_file(data, size);
    open_directory("host=/nowhere", "testville");
    assert_int_equal(directory_load_cache(seen.directory, &error), 40);
    directory_close(seen.directory);
}

/* --- set-up --- */

static int start(void **state)
{
    (void)state;
    if (!server_create())
        return 0;
    server_migrate();
    sql("INSERT INTO onekey.area (district, code, level, name_zh) "
        "VALUES ('testville', 'testville', 'district', '试区'); "
        "INSERT INTO onekey.household (district, code, area_id, address) "
        "SELECT 'testville', 'H1', id, '1 Test Street' FROM onekey.area; "
        "INSERT INTO onekey.area (district, code, parent_id, level, name_zh) "
        "SELECT district, 'S1', id, 'street_town', '街' FROM onekey.area");
    base = event_base_new();
    random_init(&rng, 20260102);
    snprintf(cache_path, sizeof cache_path, "%s/devices.cache", server.folder);
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
        WITH_SERVER(a_full_load),    WITH_SERVER(changes),         WITH_SERVER(named_changes),
        WITH_SERVER(a_gap),          WITH_SERVER(copy_round_trip), WITH_SERVER(changes_are_written),
        WITH_SERVER(damaged_copies),
    };
    return cmocka_run_group_tests(tests, start, end);
}
