/* The ring against a model queue, through many turns round its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/ring.h"
#include "tests/unit/seed.h"

#define QUEUE 4096

static uint64_t queue_size[QUEUE], queue_mark[QUEUE];

static void check_entry(const struct ring *ring, uint64_t position, uint64_t index)
{
    size_t size;
    const uint8_t *entry = ring_at(ring, position, &size);

    assert_non_null(entry);
    assert_int_equal(size, queue_size[index % QUEUE]);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(entry[i], (uint8_t)(queue_mark[index % QUEUE] + i));
}

static void test_keeps_order_and_content(void **state)
{
    _Alignas(8) static uint8_t memory[4000];
    struct random random;
    struct ring ring;
    uint64_t first = 0, last = 0;

    (void)state;
    random_init(&random, test_seed());
    ring_init(&ring, memory, sizeof(memory));
    for (int step = 0; step < 200000; step++) {
        size_t size = random_below(&random, 300);
        bool room = ring_has_room(&ring, size);

        if (random_below(&random, 2) == 0) {
            uint8_t *entry = ring_push(&ring, size);

            assert_int_equal(entry != NULL, room);
            if (!entry)
                continue;
            queue_size[last % QUEUE] = size;
            queue_mark[last % QUEUE] = random_below(&random, 256);
            for (size_t i = 0; i < size; i++)
                entry[i] = (uint8_t)(queue_mark[last % QUEUE] + i);
            last++;
        } else if (first < last) {
            check_entry(&ring, ring.head, first);
            ring_pop(&ring);
            first++;
        }
        assert_int_equal(ring.count, last - first);
    }
    assert_true(last > 1000);
}

static void test_walks_without_popping(void **state)
{
    _Alignas(8) uint8_t memory[256];
    struct ring ring;
    uint64_t position;
    size_t size, seen = 0;

    (void)state;
    ring_init(&ring, memory, sizeof(memory));
    for (int i = 0; i < 5; i++)
        assert_non_null(ring_push(&ring, 10));
    for (position = ring.head; ring_at(&ring, position, &size);
         position = ring_next(&ring, position))
        seen++;
    assert_int_equal(seen, 5);
    ring_clear(&ring);
    assert_null(ring_at(&ring, ring.head, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_order_and_content),
        cmocka_unit_test(test_walks_without_popping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
