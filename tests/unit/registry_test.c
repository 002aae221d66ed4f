#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/registry.h"
#include "tests/unit/seed.h"

#define DEVICES_MAX 200

static struct device_entry entry_of(int number, int64_t household)
{
    struct device_entry entry = {.protocol = (uint8_t)(number % 3),
                                 .kind = DEVICE_METER,
                                 .device_id = number + 1,
                                 .household_id = household};

    snprintf(entry.identity, sizeof(entry.identity), "device-%d", number);
    return entry;
}

static int count_household(const struct registry *registry, int64_t household)
{
    int count = 0;

    for (uint32_t at = registry_household(registry, household); at != NO_DEVICE;
         at = registry->devices[at].next_in_household)
        count++;
    return count;
}

/* Devices join, move house and leave at random; the registry agrees with a plain table. */
static void test_agrees_with_a_table(void **state)
{
    static int64_t household_of[DEVICES_MAX + 20]; /* 0 = not registered */
    struct registry *registry = calloc(1, sizeof(*registry));
    void *memory = calloc(1, registry_memory_size(DEVICES_MAX));
    uint32_t registered = 0;
    struct random random;

    (void)state;
    random_init(&random, test_seed());
    registry_init(registry, memory, DEVICES_MAX);
    for (int step = 0; step < 50000; step++) {
        int number = (int)random_below(&random, DEVICES_MAX + 20);
        struct device_entry entry = entry_of(number, 1 + (int64_t)random_below(&random, 30));
        uint32_t known = registry_find(registry, entry.protocol, entry.identity);

        assert_int_equal(known != NO_DEVICE, household_of[number] != 0);
        if (known != NO_DEVICE && random_below(&random, 3) == 0) {
            registry_remove(registry, known);
            household_of[number] = 0;
            registered--;
        } else if (known != NO_DEVICE || registered < DEVICES_MAX) {
            registered += known == NO_DEVICE;
            assert_true(registry_put(registry, &entry) != NO_DEVICE);
            household_of[number] = entry.household_id;
        } else {
            assert_true(registry_put(registry, &entry) == NO_DEVICE);
        }
        assert_int_equal(registry->device_count, registered);
    }
    for (int64_t household = 1; household <= 30; household++) {
        int expected = 0;

        for (int i = 0; i < DEVICES_MAX + 20; i++)
            expected += household_of[i] == household;
        assert_int_equal(count_household(registry, household), expected);
    }
    free(memory);
    free(registry);
}

/* Emptying and filling again must not use up the memory of the hash tables. */
static void test_empties_and_fills_for_ever(void **state)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    void *memory = calloc(1, registry_memory_size(4));
    struct device_entry entry = entry_of(7, 9);

    (void)state;
    registry_init(registry, memory, 4);
    for (int i = 0; i < 10000; i++)
        registry_remove(registry, registry_put(registry, &entry));
    assert_int_equal(registry->device_count, 0);
    free(memory);
    free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_a_table),
        cmocka_unit_test(test_empties_and_fills_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
