/*
 * The table of devices: entries of the largest size, and the copy on disk whose memory it takes over,
 * by a daemon whose protocols are others.
 */
#include "daemon/edge/device_cache.h"
#include "daemon/edge/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEVICES 300
#define SHARDS_USED 100 /* several devices in each */

static char path[64];
static struct device_entry told[DEVICES + 1];
static int told_count, ahead_count;

/* Both in every shard, those of 0 between those of 1. */
static uint8_t protocol_of(int64_t number)
{
    return number / SHARDS_USED % 2 ? 0 : 1;
}

static struct device_entry device_of(int64_t number)
{
    struct device_entry device = {.protocol = protocol_of(number),
                                  .device_id = number % SHARDS_USED +
                                               number / SHARDS_USED * DEVICE_TABLE_SHARDS,
                                  .household_id = number,
                                  .secret_size = sizeof device.secret};

    memset(device.carrier, 'c', CARRIER_LIMIT);
    memset(device.scheme, 's', SCHEME_LIMIT);
    memset(device.secret, (int)number, sizeof device.secret);
    snprintf(device.identity, sizeof device.identity, "%0*d", IDENTITY_LIMIT, (int)number);
    return device;
}

static void fill(struct device_table *table)
{
    struct device_entry old;

    device_table_init(table);
    for (int64_t i = 1; i <= DEVICES; i++) {
        struct device_entry device = device_of(i);

        assert_int_equal(device_table_put(table, &device, &old), DEVICE_NEW);
    }
}

static void on_ahead(void *context, const struct device_entry *device)
{
    (void)context, (void)device;
    ahead_count++;
}

static void on_entry(void *context, const struct device_entry *device)
{
    (void)context;
    assert_in_range(device->household_id, 1, DEVICES);
    told[device->household_id] = *device;
    told_count++;
    assert_true(ahead_count >= told_count);
}

static const struct device_table_heir heir = {NULL, on_ahead, on_entry};

static void load(struct device_table *table)
{
    const char *error;

    told_count = ahead_count = 0;
    device_table_init(table);
    assert_int_equal(device_cache_load(path, "testville", table, &heir, &error), DEVICES);
    assert_int_equal(told_count, DEVICES);
}

/* A full load that names every device but those that `leave` divides. */
static size_t load_again(struct device_table *table, int leave, size_t changed)
{
    struct device_entry old;
    size_t changes = 0;

    table->generation++;
    for (int64_t i = 1; i <= DEVICES; i++) {
        struct device_entry device = device_of(i);

        if (i % leave == 0)
            continue;
        if ((size_t)i <= changed)
            snprintf(device.carrier, sizeof device.carrier, "another");
        changes += device_table_put(table, &device, &old) != DEVICE_SAME;
    }
    return changes;
}

static void on_removed(void *context, const struct device_entry *device)
{
    assert_int_equal(device->household_id % 3, 0);
    (*(int *)context)++;
}

static void largest_entries(void **state)
{
    struct device_table table;
    int64_t count = 0;

    (void)state;
    fill(&table);
    assert_int_equal(table.count, DEVICES);
    for (uint32_t i = 0; i < DEVICE_TABLE_SHARDS; i++)
        count += device_table_count(device_table_bytes(&table, i));
    assert_int_equal(count, DEVICES);
    device_table_fini(&table);
}

static void copy_is_taken_over(void **state)
{
    struct device_table table;
    int removed = 0;

    (void)state;
    fill(&table);
    assert_int_equal(load_again(&table, DEVICES + 1, 0), 0); /* as the next run's first load */
    device_cache_write(path, "testville", &table);
    device_table_fini(&table);

    load(&table);
    for (int64_t i = 1; i <= DEVICES; i++) {
        struct device_entry device = device_of(i);

        assert_memory_equal(&told[i], &device, sizeof device);
    }
    assert_int_equal(load_again(&table, 3, 10), 7);
    for (uint32_t i = 0; i < DEVICE_TABLE_SHARDS; i++)
        device_table_sweep(&table, i, on_removed, &removed);
    assert_int_equal(removed, DEVICES / 3);
    assert_int_equal(load_again(&table, DEVICES + 1, DEVICES), DEVICES - 7);
    assert_null(table.adopted); /* every shard has moved out */
    device_table_fini(&table);
}

/* The first protocol is no more, the second has another place. */
static void other_protocols(void **state)
{
    const int protocols[UINT8_MAX + 1] = {-1, 5};
    struct device_table old, table;
    size_t size = 0, room = DEVICES * sizeof(struct device_entry);
    uint8_t *memory = memory_take_full(room);

    (void)state;
    fill(&old);
    for (uint32_t i = 0; i < DEVICE_TABLE_SHARDS; i++) {
        struct bytes part = device_table_bytes(&old, i);

        if (part.size > 0)
            memcpy(memory + size, part.data, part.size);
        size += part.size;
    }
    device_table_fini(&old);
    told_count = ahead_count = 0;
    device_table_init(&table);
    device_table_adopt(&table, memory, room, (struct bytes){memory, size}, protocols, &heir);
    assert_int_equal(told_count, table.count);
    for (int64_t i = 1; i <= DEVICES; i++) {
        struct device_entry device = device_of(i), before;

        assert_int_equal(device_table_remove(&table, device.device_id, &before), protocol_of(i));
        assert_true(!protocol_of(i) || (told[i].protocol == 5 && before.protocol == 5));
        assert_true(!protocol_of(i) || before.household_id == i);
    }
    assert_int_equal(table.count, 0);
    device_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(largest_entries),
        cmocka_unit_test(copy_is_taken_over),
        cmocka_unit_test(other_protocols),
    };
    int failed;

    snprintf(path, sizeof path, "/tmp/onekey-device-table-%d", (int)getpid());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(path);
    return failed;
}
