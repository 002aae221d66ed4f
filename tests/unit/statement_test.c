/*
 * Parameters as text. The expected forms stand here; that PostgreSQL reads them back as the same
 * values is in pipeline_test.
 */
#include "db/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct statement statement;

static int start(void **state)
{
    (void)state;
    statement_init(&statement);
    return 0;
}

static int end(void **state)
{
    (void)state;
    statement_fini(&statement);
    return 0;
}

static void expect(const char *text)
{
    if (text)
        assert_string_equal(statement_parameter(&statement, statement.count - 1), text);
    else
        assert_null(statement_parameter(&statement, statement.count - 1));
}

static void scalars(void **state)
{
    (void)state;
    statement_int64(&statement, INT64_MIN);
    expect("-9223372036854775808");
    statement_bool(&statement, true);
    expect("t");
    statement_null(&statement);
    expect(NULL);
    statement_string(&statement, "a \"quoted\" \\ {word}, 张");
    expect("a \"quoted\" \\ {word}, 张");
    statement_string(&statement, NULL);
    expect(NULL);
    statement_bytes(&statement, "\x00\xff", 2);
    expect("\\x00ff");
    statement_bytes(&statement, "", 0);
    expect("\\x");
    assert_int_equal(statement.count, 7);
    assert_string_equal(statement_parameter(&statement, 0), "-9223372036854775808");
}

static void arrays(void **state)
{
    (void)state;
    statement_array_begin(&statement);
    statement_array_end(&statement);
    expect("{}");
    statement_array_begin(&statement);
    statement_text(&statement, "", 0);
    statement_null(&statement);
    statement_string(&statement, "NULL");
    statement_string(&statement, "a\"b\\c{d},张");
    statement_array_end(&statement);
    expect("{\"\",NULL,\"NULL\",\"a\\\"b\\\\c{d},张\"}");
    statement_array_begin(&statement);
    statement_bytes(&statement, "\x01\x7f", 2);
    statement_int64(&statement, -7);
    statement_instant(&statement, 1);
    statement_bool(&statement, false);
    statement_array_end(&statement);
    expect("{\"\\\\x017f\",-7,\"1970-01-01 00:00:00.000001+00\",f}");
}

static void bad_utf8_becomes_visible(void **state)
{
    /* Lone continuation, overlong, surrogate, above U+10FFFF, cut short, NUL. */
    static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe5\xbc"};
    static const char *const good[] = {"\\x80", "\\xc0\\xaf", "\\xed\\xa0\\x80",
                                       "\\xf4\\x90\\x80\\x80", "\\xe5\\xbc"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        statement_string(&statement, bad[i]);
        expect(good[i]);
    }
    statement_text(&statement, "a\0b", 3);
    expect("a\\x00b");
    statement_array_begin(&statement);
    statement_text(&statement, "\xff\0", 2);
    statement_array_end(&statement);
    expect("{\"\\\\xff\\\\x00\"}");
    statement_string(&statement, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
    expect("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

static void instants(void **state)
{
    static const struct {
        int64_t at_us;
        const char *text;
    } cases[] = {
        {0, NULL},
        {-1, "1969-12-31 23:59:59.999999+00"},
        {-1000000, "1969-12-31 23:59:59.000000+00"},
        {INT64_C(951782400123456), "2000-02-29 00:00:00.123456+00"},
        {INT64_C(-62135596800000000), "0001-01-01 00:00:00.000000+00"},
        {INT64_MIN, "0001-01-01 00:00:00.000000+00"},
        {INT64_MAX, "9999-12-31 23:59:59.999999+00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        statement_instant(&statement, cases[i].at_us);
        expect(cases[i].text);
    }
}

static void a_reset_keeps_the_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++)
        statement_text(&statement, "0123456789", 10), statement_reset(&statement);
    assert_int_equal(statement.capacity, 1024);
    statement_array_begin(&statement);
    for (int i = 0; i < 5000; i++)
        statement_text(&statement, "0123456789", 10);
    statement_array_end(&statement);
    assert_int_equal(statement.size, 2 + 5000 * 13 - 1 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scalars, start, end),
        cmocka_unit_test_setup_teardown(arrays, start, end),
        cmocka_unit_test_setup_teardown(bad_utf8_becomes_visible, start, end),
        cmocka_unit_test_setup_teardown(instants, start, end),
        cmocka_unit_test_setup_teardown(a_reset_keeps_the_memory, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
