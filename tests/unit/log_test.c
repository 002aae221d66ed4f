#include "daemon/base/attributes.h"
#include "daemon/base/log.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the sink was given. */
struct collector {
    char text[64 * LOG_LINE_MAX];
    size_t used;
    int lines;
};

static void collect(void *context, const char *line, size_t size)
{
    struct collector *collector = context;
    assert_int_equal(line[size - 1], '\n');
    assert_int_equal(strlen(line), size);
    assert_true(collector->used + size < sizeof(collector->text));
    memcpy(collector->text + collector->used, line, size + 1);
    collector->used += size;
    collector->lines++;
}

static struct collector collector;

static struct log fresh(enum log_level level)
{
    struct log log;
    collector = (struct collector){0};
    log_init(&log, level);
    log.context = &collector;
    log.sink = collect;
    return log;
}

static void writes_one_logfmt_line(void **state)
{
    (void)state;
    struct log log = fresh(LOG_INFO);
    log_event(&log, LOG_NOTICE, "ticket.raised", field_number("number", 812),
              field_text("device", "watch:1234567890"), field_boolean("replay", false),
              field_real("level", 1.5));
    log_event(&log, LOG_INFO, "gateway.ready");
    assert_string_equal(collector.text,
                        "<5>ticket.raised number=812 device=watch:1234567890 replay=no level=1.5\n"
                        "<6>gateway.ready\n");
}

static void drops_what_is_above_the_level(void **state)
{
    (void)state;
    struct log log = fresh(LOG_WARNING);
    log_event(&log, LOG_INFO, "a");
    log_event(&log, LOG_WARNING, "b");
    log_event(&log, LOG_CRITICAL, "c");
    assert_string_equal(collector.text, "<4>b\n<2>c\n");
    struct log zeroed = {0};
    log_event(&zeroed, LOG_CRITICAL, "nobody hears it");
    log_tick(&zeroed, 1);
}

static void escapes_what_a_device_sends(void **state)
{
    (void)state;
    static const char hostile[] = "a b\n<0>forged x=\"1\" \\ \x1b[31m\0\xc3\xa9";
    static const struct {
        struct field field;
        const char *expected;
    } cases[] = {
        {{"v", FIELD_TEXT, 0, {.bytes = ""}}, " v=\"\""},
        {{"v", FIELD_TEXT, 5, {.bytes = "plain"}}, " v=plain"},
        {{"v", FIELD_TEXT, 3, {.bytes = "a=b"}}, " v=\"a=b\""},
        {{"v", FIELD_TEXT, sizeof(hostile) - 1, {.bytes = hostile}},
         " v=\"a b\\n<0>forged x=\\\"1\\\" \\\\ \\x1b[31m\\x00\\xc3\\xa9\""},
        {{"v", FIELD_HEX, 3, {.bytes = "\x00\x7f\xff"}}, " v=007fff"},
        {{"v", FIELD_NUMBER, 0, {.number = INT64_MIN}}, " v=-9223372036854775808"},
        {{"v", FIELD_UNSIGNED, 0, {.unsigned_number = UINT64_MAX}}, " v=18446744073709551615"},
        {{"v", FIELD_TIME, 0, {.number = 1795323600123456}}, " v=2026-11-22T05:00:00.123456Z"},
        {{"v", FIELD_TIME, 0, {.number = -1}}, " v=1969-12-31T23:59:59.999999Z"},
        {{"v", FIELD_TIME, 0, {.number = INT64_MAX}}, " v=9223372036854775807"},
    };
    char out[256];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(field_write_logfmt(&cases[i].field, 1, out, sizeof(out)),
                         strlen(cases[i].expected));
        assert_string_equal(out, cases[i].expected);
    }
    struct field missing = field_text("v", NULL);
    field_write_logfmt(&missing, 1, out, sizeof(out));
    assert_string_equal(out, " v=\"\"");
}

static void json_is_valid_whatever_comes(void **state)
{
    (void)state;
    char out[256];
    const struct field fields[] = {
        field_text("a", "q\"\\\n\x7f\xc3\xa9\xe6\xb0\xb4"), /* é and 水 stay */
        field_bytes("b", "\xc3(\xed\xa0\x80\xc0\x80\xf5", 8),
        field_real("c", INFINITY),
        field_boolean("d", true),
        field_time("e", 0),
        field_hex("f", "\x01\xab", 2),
        field_number("g", -5),
    };
    size_t size = field_write_json(fields, ARRAY_SIZE(fields), out, sizeof(out));
    assert_string_equal(out, "{\"a\":\"q\\\"\\\\\\u000a\\u007f\xc3\xa9\xe6\xb0\xb4\","
                             "\"b\":\"\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\","
                             "\"c\":null,\"d\":true,\"e\":\"1970-01-01T00:00:00.000000Z\","
                             "\"f\":\"01ab\",\"g\":-5}");
    assert_int_equal(size, strlen(out));
    assert_int_equal(field_write_json(fields, ARRAY_SIZE(fields), out, size), 0);
    assert_int_equal(field_write_json(fields, ARRAY_SIZE(fields), out, size + 1), size);
    assert_int_equal(field_write_json(NULL, 0, out, sizeof(out)), 2);
    assert_string_equal(out, "{}");
}

static void long_lines_say_that_they_are_cut(void **state)
{
    (void)state;
    struct log log = fresh(LOG_INFO);
    char text[LOG_LINE_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_event(&log, LOG_INFO, "long", field_number("first", 1), field_text("text", text),
              field_number("last", 2));
    assert_string_equal(collector.text, "<6>long first=1 truncated=yes\n");

    /* At every size the result fits, is terminated and never splits a field. */
    const struct field fields[] = {field_text("a", "\n\n\n"), field_number("b", 12345)};
    for (size_t size = 1; size < 64; size++) {
        char out[64];
        size_t used = field_write_logfmt(fields, 2, out, size);
        assert_true(used < size);
        assert_int_equal(strlen(out), used);
    }
}

static void speak(struct log *log, int times)
{
    for (int i = 0; i < times; i++)
        log_event(log, LOG_INFO, "frame.bad", field_number("i", i));
}

static void a_noisy_site_is_silenced_and_counted(void **state)
{
    (void)state;
    struct log log = fresh(LOG_INFO);
    log_tick(&log, 1000);
    speak(&log, LOG_BURST + 7);
    assert_int_equal(collector.lines, LOG_BURST);
    log_event(&log, LOG_INFO, "frame.bad"); /* another line of code: its own budget */
    assert_int_equal(collector.lines, LOG_BURST + 1);

    log_tick(&log, 1000 + LOG_WINDOW_US - 1);
    speak(&log, 1);
    assert_int_equal(collector.lines, LOG_BURST + 1);
    collector = (struct collector){0};
    log_tick(&log, 1000 + LOG_WINDOW_US);
    assert_string_equal(collector.text, "<5>log.suppressed event=frame.bad suppressed=8\n");
    log_tick(&log, 1001 + LOG_WINDOW_US);
    assert_int_equal(collector.lines, 1);
    speak(&log, LOG_BURST + 1);
    assert_int_equal(collector.lines, 1 + LOG_BURST);
}

static void critical_lines_are_never_silenced(void **state)
{
    (void)state;
    struct log log = fresh(LOG_INFO);
    for (int i = 0; i < LOG_BURST + 5; i++)
        log_event(&log, LOG_CRITICAL, "disk.full");
    assert_int_equal(collector.lines, LOG_BURST + 5);
}

static void a_full_table_of_sites_still_limits(void **state)
{
    (void)state;
    struct log log = fresh(LOG_INFO);
    for (int i = 0; i < LOG_SITES_MAX - 1; i++)
        log_write(&log, LOG_INFO, i, "site", NULL, 0);
    collector = (struct collector){0};
    for (int i = 0; i < 100; i++)
        log_write(&log, LOG_INFO, LOG_SITES_MAX + i, "late", NULL, 0);
    assert_int_equal(collector.lines, LOG_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_logfmt_line),
        cmocka_unit_test(drops_what_is_above_the_level),
        cmocka_unit_test(escapes_what_a_device_sends),
        cmocka_unit_test(json_is_valid_whatever_comes),
        cmocka_unit_test(long_lines_say_that_they_are_cut),
        cmocka_unit_test(a_noisy_site_is_silenced_and_counted),
        cmocka_unit_test(critical_lines_are_never_silenced),
        cmocka_unit_test(a_full_table_of_sites_still_limits),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
