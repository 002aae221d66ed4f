#include "daemon/base/pool.h"
#include "daemon/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct thing {
    uint64_t number;
    char text[13]; /* a size that needs rounding */
};

#define THINGS 5

static struct pool make(void **memory, uint32_t capacity)
{
    struct pool pool;
    *memory = malloc(pool_memory_size(sizeof(struct thing), capacity));
    pool_init(&pool, *memory, sizeof(struct thing), capacity);
    return pool;
}

static void gives_zeroed_objects_until_full(void **state)
{
    (void)state;
    void *memory;
    struct pool pool = make(&memory, THINGS);
    for (uint32_t i = 0; i < THINGS; i++) {
        uint64_t handle = pool_add(&pool);
        assert_int_not_equal(handle, HANDLE_NONE);
        struct thing *thing = pool_get(&pool, handle);
        assert_non_null(thing);
        assert_int_equal((uintptr_t)thing % 16, 0);
        assert_int_equal(thing->number, 0);
        memset(thing, 0xff, sizeof(*thing));
        assert_int_equal(pool_handle(&pool, thing), handle);
    }
    assert_int_equal(pool.count, THINGS);
    assert_int_equal(pool_add(&pool), HANDLE_NONE);
    uint64_t first = pool_next(&pool, HANDLE_NONE);
    pool_remove(&pool, first);
    struct thing *again = pool_get(&pool, pool_add(&pool));
    assert_int_equal(again->number, 0);
    free(memory);
}

static void stale_handle_finds_nothing(void **state)
{
    (void)state;
    void *memory;
    struct pool pool = make(&memory, 1);
    uint64_t first = pool_add(&pool);
    pool_remove(&pool, first);
    assert_null(pool_get(&pool, first));
    uint64_t second = pool_add(&pool);
    assert_int_equal(handle_index(first), handle_index(second));
    assert_null(pool_get(&pool, first));
    assert_non_null(pool_get(&pool, second));
    free(memory);
}

static void foreign_handle_finds_nothing(void **state)
{
    (void)state;
    void *memory;
    struct pool pool = make(&memory, THINGS);
    assert_null(pool_get(&pool, HANDLE_NONE));
    assert_null(pool_get(&pool, 1));                      /* index 1, never given */
    assert_null(pool_get(&pool, UINT64_C(1) << 32 | 99)); /* beyond the end */
    assert_null(pool_get(&pool, UINT64_MAX));
    free(memory);
}

static void walk_survives_removal(void **state)
{
    (void)state;
    void *memory;
    struct pool pool = make(&memory, THINGS);
    for (int i = 0; i < THINGS; i++)
        pool_add(&pool);
    int seen = 0;
    for (uint64_t at = pool_next(&pool, HANDLE_NONE); at != HANDLE_NONE;
         at = pool_next(&pool, at)) {
        pool_remove(&pool, at);
        seen++;
    }
    assert_int_equal(seen, THINGS);
    assert_int_equal(pool.count, 0);
    free(memory);
}

static void empty_pool_is_full(void **state)
{
    (void)state;
    uint64_t nothing[2];
    struct pool pool;
    pool_init(&pool, (void *)(((uintptr_t)nothing + 15) / 16 * 16), sizeof(struct thing), 0);
    assert_int_equal(pool_add(&pool), HANDLE_NONE);
    assert_int_equal(pool_next(&pool, HANDLE_NONE), HANDLE_NONE);
}

/* Adds and removes at random beside a plain table of what should be there. */
static void agrees_with_a_model(void **state)
{
    (void)state;
    enum { CAPACITY = 37 };
    void *memory;
    struct pool pool = make(&memory, CAPACITY);
    uint64_t live[CAPACITY] = {0}, gone[CAPACITY] = {0};
    struct random random;
    random_init(&random, 11);
    for (int step = 0; step < 20000; step++) {
        uint64_t at = random_below(&random, CAPACITY);
        if (live[at] != HANDLE_NONE) {
            assert_int_equal(((struct thing *)pool_get(&pool, live[at]))->number, at);
            pool_remove(&pool, live[at]);
            gone[at] = live[at];
            live[at] = HANDLE_NONE;
        } else {
            live[at] = pool_add(&pool);
            assert_int_not_equal(live[at], HANDLE_NONE);
            ((struct thing *)pool_get(&pool, live[at]))->number = at;
        }
        assert_null(pool_get(&pool, gone[random_below(&random, CAPACITY)]));
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_objects_until_full),
        cmocka_unit_test(stale_handle_finds_nothing),
        cmocka_unit_test(foreign_handle_finds_nothing),
        cmocka_unit_test(walk_survives_removal),
        cmocka_unit_test(empty_pool_is_full),
        cmocka_unit_test(agrees_with_a_model),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
