/*
 * Which alarms count as a retransmission: the same name from the same device within a day, and nothing
 * that only resembles it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/core/recent.h"

#define SETS 8
#define RECEIVED_US (INT64_C(1790000000) * US_PER_SECOND)

static struct recent_alarm alarms[SETS * RECENT_WAYS];
static struct recent recent;

static int set_up(void **state)
{
    (void)state;
    memset(alarms, 0, sizeof(alarms));
    recent_init(&recent, alarms, SETS);
    return 0;
}

static struct signal press(const char *identity, const char *message_id)
{
    struct signal signal = {.kind = SIGNAL_PANIC, .protocol = 3, .received_at_us = RECEIVED_US};

    snprintf(signal.identity, sizeof(signal.identity), "%s", identity);
    snprintf(signal.message_id, sizeof(signal.message_id), "%s", message_id);
    return signal;
}

static void the_same_message_is_found(void **state)
{
    struct signal first = press("W1", "7"), again = first;

    (void)state;
    assert_int_equal(recent_find(&recent, &first), 0);
    recent_add(&recent, &first, 41);
    again.received_at_us += US_PER_HOUR;
    assert_int_equal(recent_find(&recent, &again), 41);
}

static void what_only_resembles_it_is_another(void **state)
{
    struct signal first = press("W1", "7"), other;

    (void)state;
    recent_add(&recent, &first, 41);
    other = press("W2", "7");
    assert_int_equal(recent_find(&recent, &other), 0);
    other = press("W1", "8");
    assert_int_equal(recent_find(&recent, &other), 0);
    other = first;
    other.kind = SIGNAL_FALL;
    assert_int_equal(recent_find(&recent, &other), 0);
    other = first;
    other.protocol = 4;
    assert_int_equal(recent_find(&recent, &other), 0);
    other = first;
    other.flags = SIGNAL_FLAG_UNAUTHENTICATED;
    assert_int_equal(recent_find(&recent, &other), 0);
}

static void a_message_without_a_name_is_never_one(void **state)
{
    struct signal nameless = press("W1", "");

    (void)state;
    recent_add(&recent, &nameless, 41);
    assert_int_equal(recent_find(&recent, &nameless), 0);
}

/* A device that counts from 1 again, days later; and a clock that was set back. */
static void a_name_is_forgotten_after_a_day(void **state)
{
    struct signal first = press("W1", "1"), later = first;

    (void)state;
    recent_add(&recent, &first, 41);
    later.received_at_us = RECEIVED_US + US_PER_DAY - 1;
    assert_int_equal(recent_find(&recent, &later), 41);
    later.received_at_us = RECEIVED_US + US_PER_DAY;
    assert_int_equal(recent_find(&recent, &later), 0);
    later.received_at_us = RECEIVED_US - US_PER_DAY;
    assert_int_equal(recent_find(&recent, &later), 0);
    later.received_at_us = RECEIVED_US + 3 * US_PER_DAY;
    recent_add(&recent, &later, 77);
    assert_int_equal(recent_find(&recent, &later), 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_message_is_found, set_up),
        cmocka_unit_test_setup(what_only_resembles_it_is_another, set_up),
        cmocka_unit_test_setup(a_message_without_a_name_is_never_one, set_up),
        cmocka_unit_test_setup(a_name_is_forgotten_after_a_day, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
