/* The cache of deadlines against a model, and what it does where there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/escalate.h"
#include "tests/unit/seed.h"

#define TICKETS 400
#define STEPS 20000

static struct escalate escalate;

static void *make(uint32_t tickets_max)
{
    void *memory = malloc(escalate_memory_size(tickets_max));

    assert_non_null(memory);
    escalate_init(&escalate, memory, tickets_max, 0);
    return memory;
}

/* Takes out everything that is due and takes it off the model; what is due is never early, and what
 * stays behind is not late. */
static void take_all(int64_t *model, int64_t now_us)
{
    int64_t due[7];
    uint32_t count;

    do {
        count = escalate_due(&escalate, now_us, due, 7);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(model[due[i]] != 0 && model[due[i]] <= now_us);
            model[due[i]] = 0;
        }
    } while (count > 0 || escalate_wake_at(&escalate) <= now_us);
    for (int ticket = 1; ticket < TICKETS; ticket++)
        assert_true(model[ticket] == 0 || model[ticket] > now_us - WHEEL_TICK_US);
}

static void test_each_deadline_comes_once_and_on_time(void **state)
{
    static int64_t model[TICKETS]; /* deadline by ticket, 0 = none */
    struct random random;
    int64_t now_us = 0;
    void *memory = make(TICKETS);

    (void)state;
    random_init(&random, test_seed());
    for (int step = 0; step < STEPS; step++) {
        int64_t ticket = 1 + (int64_t)random_below(&random, TICKETS - 1);
        int64_t in_us = (int64_t)random_below(&random, 20 * US_PER_SECOND) - US_PER_SECOND;

        if (random_below(&random, 4) == 0)
            in_us = ESCALATE_NEVER;
        escalate_set(&escalate, ticket, in_us, now_us);
        model[ticket] = in_us == ESCALATE_NEVER ? 0 : now_us + in_us;
        if (in_us != ESCALATE_NEVER && model[ticket] == 0)
            model[ticket] = 1;
        now_us += (int64_t)random_below(&random, 100000);
        take_all(model, now_us);
    }
    take_all(model, now_us + US_PER_MINUTE);
    assert_int_equal(escalate.count, 0);
    assert_true(escalate_wake_at(&escalate) == INT64_MAX);
    free(memory);
}

static void test_what_lies_beyond_the_horizon_waits_for_the_next_reading(void **state)
{
    void *memory = make(10);

    (void)state;
    escalate_set(&escalate, 1, ESCALATE_HORIZON_MAX_US, 0);
    escalate_set(&escalate, 2, ESCALATE_HORIZON_MAX_US + 1, 0);
    assert_int_equal(escalate.count, 1);
    escalate_set(&escalate, 1, ESCALATE_HORIZON_MAX_US + 1, 0);
    assert_int_equal(escalate.count, 0);
    escalate_reading(&escalate);
    assert_true(escalate_read(&escalate) <= ESCALATE_HORIZON_MAX_US / 2);
    free(memory);
}

/* More deadlines than room: what is due first stays, whatever the order in which they come. */
static void test_without_room_the_horizon_shrinks_and_grows_again(void **state)
{
    int64_t due[100], now_us = 0;
    void *memory = make(100);
    struct random random;

    (void)state;
    random_init(&random, test_seed());
    escalate_reading(&escalate);
    for (int64_t ticket = 1; ticket <= 1000; ticket++)
        escalate_set(&escalate, 1 + (ticket * 7) % 1000,
                     (1 + (ticket * 7) % 1000) * ESCALATE_HORIZON_MAX_US / 1000, now_us);
    assert_true(escalate.horizon_us < ESCALATE_HORIZON_MAX_US / 8);
    assert_in_range(escalate.count, 30, 100);
    int64_t next_us = escalate_read(&escalate);
    assert_true(next_us <= escalate.horizon_us / 2);
    now_us = escalate.horizon_us;
    assert_int_equal(escalate_due(&escalate, now_us, due, 100),
                     now_us * 1000 / ESCALATE_HORIZON_MAX_US);
    for (int i = 0; i < 10; i++) {
        escalate_reading(&escalate);
        escalate_read(&escalate);
    }
    assert_true(escalate.horizon_us == ESCALATE_HORIZON_MAX_US);
    free(memory);
}

static void test_all_due_at_once_without_room(void **state)
{
    int64_t due[100];
    void *memory = make(100);
    uint32_t taken = 0;

    (void)state;
    for (int reading = 0; reading < 10; reading++) {
        escalate_reading(&escalate);
        for (int64_t ticket = taken + 1; ticket <= 1000; ticket++)
            escalate_set(&escalate, ticket, -1, 0);
        assert_true(escalate_read(&escalate) <= US_PER_SECOND || taken == 900);
        taken += escalate_due(&escalate, 0, due, 100);
    }
    assert_int_equal(taken, 1000);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_deadline_comes_once_and_on_time),
        cmocka_unit_test(test_what_lies_beyond_the_horizon_waits_for_the_next_reading),
        cmocka_unit_test(test_without_room_the_horizon_shrinks_and_grows_again),
        cmocka_unit_test(test_all_due_at_once_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
