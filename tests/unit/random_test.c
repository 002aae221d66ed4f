#include "daemon/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The first outputs of xoshiro256** from the state 1, 2, 3, 4, worked out by hand from its
 * definition: rotl(2*5, 7)*9, and the two steps after. */
static void follows_the_definition(void **state)
{
    (void)state;
    struct random random = {{1, 2, 3, 4}};
    assert_int_equal(random_next(&random), 11520);
    assert_int_equal(random_next(&random), 0);
    assert_int_equal(random_next(&random), 1509978240);
}

static void one_seed_gives_one_sequence(void **state)
{
    (void)state;
    struct random first, second, other;
    random_init(&first, 7);
    random_init(&second, 7);
    random_init(&other, 8);
    int equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_next(&first);
        assert_int_equal(value, random_next(&second));
        equal += value == random_next(&other);
    }
    assert_int_equal(equal, 0);
}

static void below_stays_below_and_is_even(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 0);
    int seen[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t value = random_below(&random, 6);
        assert_in_range(value, 0, 5);
        seen[value]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9600, 10400); /* 10000, and more than four deviations of 91 */
    assert_int_equal(random_below(&random, 1), 0);
}

static void large_bounds_are_not_biased(void **state)
{
    (void)state;
    /* With a plain remainder the lower half would come twice as often as the upper. */
    uint64_t bound = UINT64_C(3) << 62;
    struct random random;
    random_init(&random, 1);
    int low = 0;
    for (int i = 0; i < 30000; i++)
        low += random_below(&random, bound) < bound / 3;
    assert_in_range(low, 9600, 10400);
}

static void fractions_fill_zero_to_one(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 2);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double fraction = random_fraction(&random);
        assert_true(fraction >= 0 && fraction < 1);
        sum += fraction;
    }
    assert_true(sum > 4850 && sum < 5150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_definition),
        cmocka_unit_test(one_seed_gives_one_sequence),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(large_bounds_are_not_biased),
        cmocka_unit_test(fractions_fill_zero_to_one),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
