#include "protocol/calendar.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void parses(const char *text, int64_t expected_us)
{
    int64_t us = -1;

    if (!calendar_parse_rfc3339(bytes_of(text), &us))
        fail_msg("%s is refused", text);
    assert_int_equal(us, expected_us);
}

static void refuses(const char *text)
{
    int64_t us;

    if (calendar_parse_rfc3339(bytes_of(text), &us))
        fail_msg("%s is taken", text);
}

static void rfc3339_is_read(void **state)
{
    (void)state;
    parses("1970-01-01T00:00:00Z", 0);
    parses("2026-01-02T03:04:05Z", INT64_C(1767323045000000));
    parses("2026-01-02T03:04:05+08:00", INT64_C(1767294245000000));
    parses("2026-01-01t23:34:05.5-03:30", INT64_C(1767323045500000));
    parses("2026-01-02 03:04:05.1234567z", INT64_C(1767323045123456));
    parses("2024-02-29T00:00:00Z", INT64_C(1709164800000000));
    parses("2016-12-31T23:59:60Z", INT64_C(1483228800000000));
    parses("1969-12-31T23:59:59.000001Z", -999999);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    refuses("");
    refuses("2026-01-02T03:04:05");
    refuses("2026-01-02");
    refuses("2026-02-29T00:00:00Z");
    refuses("1900-02-29T00:00:00Z");
    refuses("2026-13-01T00:00:00Z");
    refuses("2026-00-01T00:00:00Z");
    refuses("2026-01-32T00:00:00Z");
    refuses("0000-01-01T00:00:00Z");
    refuses("2026-01-02T24:00:00Z");
    refuses("2026-01-02T03:60:05Z");
    refuses("2026-01-02T03:04:61Z");
    refuses("2026-01-02T03:04:05.Z");
    refuses("2026-01-02T03:04:05+0800");
    refuses("2026-01-02T03:04:05+24:00");
    refuses("2026-01-02T03:04:05Z ");
    refuses("2026-1-2T03:04:05Z");
    refuses("-026-01-02T03:04:05Z");
}

static void the_device_forms_are_read(void **state)
{
    int64_t us = 0;

    (void)state;
    assert_true(calendar_parse_basic(bytes_of("20260102T030405Z"), &us));
    assert_int_equal(us, INT64_C(1767323045000000));
    assert_false(calendar_parse_basic(bytes_of("20260102T030405"), &us));
    assert_true(calendar_parse_yymmdd(bytes_of("260102"), bytes_of("030405"), &us));
    assert_int_equal(us, INT64_C(1767323045000000));
    us = 0;
    assert_true(calendar_parse_ddmmyy(bytes_of("020126"), bytes_of("030405"), &us));
    assert_int_equal(us, INT64_C(1767323045000000));
    assert_false(calendar_parse_ddmmyy(bytes_of("000000"), bytes_of("000000"), &us));
    assert_false(calendar_parse_ddmmyy(bytes_of("02012"), bytes_of("0304056"), &us));
}

/* Against the C library, over the years 1 to 9999, and there and back again. */
static void agrees_with_the_library(void **state)
{
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = (int64_t)random_below(&random, 315537897600) - 62135596800;
        int64_t us = seconds * CALENDAR_SECOND_US + (int64_t)random_below(&random, 1000000), back;
        struct civil civil = calendar_to_civil(us);
        time_t library = (time_t)seconds;
        struct tm tm;

        gmtime_r(&library, &tm);
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(civil.hour, tm.tm_hour);
        assert_int_equal(civil.minute, tm.tm_min);
        assert_int_equal(civil.second, tm.tm_sec);
        assert_true(calendar_from_civil(&civil, &back));
        assert_int_equal(back, us);
    }
}

static void what_is_written_is_read(void **state)
{
    const int64_t times[] = {0, INT64_C(1767323045000000), INT64_C(1767323045000042), -1};
    char text[40];

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct writer writer = writer_into(text, sizeof(text));
        int64_t us;

        calendar_write_rfc3339(&writer, times[i]);
        assert_true(calendar_parse_rfc3339(writer_view(&writer), &us));
        assert_int_equal(us, times[i]);
    }
    assert_int_equal(calendar_to_civil(INT64_MAX).year, 9999);
    assert_int_equal(calendar_to_civil(INT64_MIN).year, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339_is_read),           cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(the_device_forms_are_read), cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
