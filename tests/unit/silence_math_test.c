/* The learned rule's own exp and log against the C library's, over all that they are given. */
#include "daemon/core/silence_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEPS 200000

static double wrong(double is, double should)
{
    return fabs(is / should - 1);
}

static void exp_is_exp(void **state)
{
    (void)state;
    for (int i = 0; i <= STEPS; i++) {
        double x = -700 + 1400.0 * i / STEPS, small = -0.1 + 0.2 * i / STEPS;
        assert_true(wrong(silence_math_exp(x), exp(x)) < 5e-13);
        assert_true(wrong(silence_math_exp(small), exp(small)) < 5e-13);
        assert_true(wrong(silence_math_exp_small(small), exp(small)) < 5e-13);
    }
    assert_true(silence_math_exp(0) == 1);
    assert_true(silence_math_exp(-1e9) == 0);
}

static void log_is_log(void **state)
{
    (void)state;
    for (int i = 0; i <= STEPS; i++) {
        double far = exp(-300 + 600.0 * i / STEPS), near = 0.5 + 1.0 * i / STEPS;
        assert_true(fabs(silence_math_log(far) - log(far)) < 5e-13 * fmax(1, fabs(log(far))));
        assert_true(fabs(silence_math_log(near) - log(near)) < 5e-13);
    }
    assert_true(silence_math_log(1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_exp),
        cmocka_unit_test(log_is_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
