/* The wheel against a model: a plain array of deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/wheel.h"
#include "tests/unit/seed.h"

#define TIMERS 300
#define STEPS 20000

struct model {
    struct wheel wheel;
    struct wheel_timer timers[TIMERS];
    int64_t deadline_us[TIMERS]; /* 0 = not armed */
    int64_t now_us;
    int expired;
};

static struct model model;

static void expire(void *context, uint32_t timer)
{
    (void)context;
    assert_true(model.deadline_us[timer] != 0);
    assert_true(model.deadline_us[timer] <= model.now_us);
    model.deadline_us[timer] = 0;
    model.expired++;
}

/* From a tick to a month, so that every level of the wheel is used. */
static int64_t some_delay(struct random *random)
{
    static const int64_t spans_us[] = {200000, 20000000, 3600000000, 86400000000, 2592000000000};

    return (int64_t)random_below(random, (uint64_t)spans_us[random_below(random, 5)]);
}

static void change_some(struct random *random)
{
    uint32_t timer = (uint32_t)random_below(random, TIMERS);

    if (random_below(random, 4) == 0) {
        wheel_disarm(&model.wheel, timer);
        model.deadline_us[timer] = 0;
        return;
    }
    model.deadline_us[timer] = model.now_us + some_delay(random);
    wheel_arm(&model.wheel, timer, model.deadline_us[timer]);
}

static void check_none_overdue(void)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        assert_int_equal(wheel_is_armed(&model.wheel, i), model.deadline_us[i] != 0);
        if (model.deadline_us[i])
            assert_true(model.deadline_us[i] > model.now_us - WHEEL_TICK_US);
    }
}

static void test_expires_like_the_model(void **state)
{
    struct random random;
    int64_t start_us = 5000000;

    (void)state;
    random_init(&random, test_seed());
    model.now_us = start_us;
    wheel_init(&model.wheel, model.timers, TIMERS, start_us);
    for (int step = 0; step < STEPS; step++) {
        change_some(&random);
        if (random_below(&random, 8) == 0)
            model.now_us += some_delay(&random) / 50;
        assert_true(wheel_wake_at(&model.wheel) <= model.now_us + INT64_C(2592000000000) ||
                    model.wheel.armed == 0);
        while (wheel_advance(&model.wheel, model.now_us, 7, expire, NULL))
            ;
        check_none_overdue();
    }
    assert_true(model.expired > STEPS / 100);
}

static void test_wakes_in_time(void **state)
{
    struct wheel_timer timers[2];
    struct wheel wheel;
    int64_t deadline_us = 1000000 + 77 * WHEEL_TICK_US;

    (void)state;
    wheel_init(&wheel, timers, 2, 1000000);
    assert_true(wheel_wake_at(&wheel) == INT64_MAX);
    wheel_arm(&wheel, 1, deadline_us);
    assert_true(wheel_wake_at(&wheel) <= deadline_us + WHEEL_TICK_US);
    assert_true(wheel_wake_at(&wheel) > 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expires_like_the_model),
        cmocka_unit_test(test_wakes_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
