#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/topic.h"

static bool matches(const char *filter, const char *topic)
{
    return topic_matches(filter, bytes_of(topic));
}

static void test_levels(void **state)
{
    (void)state;
    assert_true(matches("a/b/c", "a/b/c"));
    assert_false(matches("a/b/c", "a/b"));
    assert_false(matches("a/b", "a/b/c"));
    assert_false(matches("a/b", "a/B"));
    assert_true(matches("a/+/c", "a/anything/c"));
    assert_true(matches("a/+/c", "a//c"));
    assert_false(matches("a/+", "a"));
    assert_true(matches("+/+", "/finance"));
    assert_false(matches("+", "/finance"));
    assert_true(matches("a/b+", "a/b+")); /* no wildcard, as it is no level of its own */
    assert_false(matches("a/b+", "a/bc"));
    assert_false(matches("", "a"));
    assert_true(matches("", ""));
}

static void test_rest(void **state)
{
    (void)state;
    assert_true(matches("#", "a/b/c"));
    assert_true(matches("a/#", "a"));
    assert_true(matches("a/#", "a/b/c"));
    assert_false(matches("a/#", "b"));
    assert_false(matches("#", "$SYS/uptime"));
    assert_false(matches("+/uptime", "$SYS/uptime"));
    assert_true(matches("$SYS/#", "$SYS/uptime"));
    assert_false(matches("a/b", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
