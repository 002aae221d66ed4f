#include "protocol/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct batch *batch, enum signal_kind kind, int32_t steps)
{
    struct signal signal = {.kind = (uint8_t)kind, .steps = steps};

    batch_add(batch, &signal);
}

static void a_full_batch_keeps_alarms_and_the_last_others(void **state)
{
    struct signal out[3];
    struct batch batch = {out, 0, 3};

    (void)state;
    add(&batch, SIGNAL_POSITION, 1);
    add(&batch, SIGNAL_PANIC, 2);
    add(&batch, SIGNAL_POSITION, 3);
    add(&batch, SIGNAL_POSITION, 4);
    assert_int_equal(batch.count, 3);
    assert_int_equal(out[0].steps, 2);
    assert_int_equal(out[1].steps, 3);
    assert_int_equal(out[2].steps, 4);
    add(&batch, SIGNAL_FALL, 5);
    add(&batch, SIGNAL_FALL, 6);
    add(&batch, SIGNAL_POSITION, 7);
    add(&batch, SIGNAL_FALL, 8);
    assert_int_equal(batch.count, 3);
    assert_int_equal(out[0].steps, 2);
    assert_int_equal(out[1].steps, 5);
    assert_int_equal(out[2].steps, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_batch_keeps_alarms_and_the_last_others)};

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
