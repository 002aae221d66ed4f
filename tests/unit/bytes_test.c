#include "protocol/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_part_is_clipped(void **state)
{
    struct bytes whole = bytes_of("abcdef");

    (void)state;
    assert_true(bytes_equal_text(bytes_part(whole, 2, 3), "cde"));
    assert_true(bytes_equal_text(bytes_part(whole, 4, 100), "ef"));
    assert_int_equal(bytes_part(whole, 7, 1).size, 0);
    assert_int_equal(bytes_part(whole, SIZE_MAX, SIZE_MAX).size, 0);
    assert_int_equal(bytes_part((struct bytes){NULL, 0}, 0, 5).size, 0);
}

static void text_compares(void **state)
{
    (void)state;
    assert_true(bytes_equal_nocase(bytes_of("Heart"), "hEARt"));
    assert_false(bytes_equal_nocase(bytes_of("Heart"), "Hearts"));
    assert_false(bytes_equal_nocase(bytes_of("[eart"), "{eart"));
    assert_true(bytes_starts_with(bytes_of("service:taxi"), "service:"));
    assert_false(bytes_starts_with(bytes_of("serv"), "service:"));
    assert_int_equal(bytes_find(bytes_of("a*b*"), '*'), 1);
    assert_int_equal(bytes_find(bytes_of("ab"), '*'), 2);
    assert_true(bytes_equal_text(bytes_trim(bytes_of(" \t7.1 ")), "7.1"));
    assert_int_equal(bytes_trim(bytes_of("   ")).size, 0);
}

static void fields_end_once(void **state)
{
    struct bytes rest = bytes_of("a,,b,"), field;
    const char *const expected[] = {"a", "", "b", ""};

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(bytes_next_field(&rest, ',', &field));
        assert_true(bytes_equal_text(field, expected[i]));
    }
    assert_false(bytes_next_field(&rest, ',', &field));
    rest = bytes_of("");
    assert_true(bytes_next_field(&rest, ',', &field));
    assert_false(bytes_next_field(&rest, ',', &field));
}

static void copied_text_is_printable(void **state)
{
    char out[5];

    (void)state;
    assert_true(bytes_copy_text(bytes_of("abcd"), out, sizeof(out)));
    assert_string_equal(out, "abcd");
    assert_false(bytes_copy_text(bytes_of("abcde"), out, sizeof(out)));
    assert_string_equal(out, "abcd");
    assert_false(bytes_copy_text(bytes_of("a\n\x80"), out, sizeof(out)));
    assert_string_equal(out, "a??");
}

static void numbers_are_whole(void **state)
{
    int64_t value = 0;
    uint64_t hex = 0;

    (void)state;
    assert_true(bytes_parse_decimal(bytes_of("-042"), &value));
    assert_int_equal(value, -42);
    assert_true(bytes_parse_decimal(bytes_of("9223372036854775807"), &value));
    assert_false(bytes_parse_decimal(bytes_of("9223372036854775808"), &value));
    assert_false(bytes_parse_decimal(bytes_of(""), &value));
    assert_false(bytes_parse_decimal(bytes_of("-"), &value));
    assert_false(bytes_parse_decimal(bytes_of(" 1"), &value));
    assert_false(bytes_parse_decimal(bytes_of("1x"), &value));
    assert_true(bytes_parse_hex(bytes_of("00fF"), &hex));
    assert_int_equal(hex, 255);
    assert_false(bytes_parse_hex(bytes_of("0x1"), &hex));
    assert_false(bytes_parse_hex(bytes_of("11112222333344445"), &hex));
}

static void fractions_are_scaled(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_true(bytes_parse_fixed(bytes_of("36.5"), 2, &value));
    assert_int_equal(value, 3650);
    assert_true(bytes_parse_fixed(bytes_of("-0.123456789"), 7, &value));
    assert_int_equal(value, -1234567);
    assert_true(bytes_parse_fixed(bytes_of(".5"), 1, &value));
    assert_int_equal(value, 5);
    assert_true(bytes_parse_fixed(bytes_of("12."), 1, &value));
    assert_int_equal(value, 120);
    assert_false(bytes_parse_fixed(bytes_of("."), 1, &value));
    assert_false(bytes_parse_fixed(bytes_of("1.2.3"), 1, &value));
    assert_false(bytes_parse_fixed(bytes_of("1.-3"), 1, &value));
    assert_false(bytes_parse_fixed(bytes_of("999999999999999999"), 3, &value));
}

static void hex_strings_are_bytes(void **state)
{
    uint8_t out[2];
    size_t size;

    (void)state;
    assert_true(bytes_parse_hex_string(bytes_of("7Efa"), out, 2, &size));
    assert_int_equal(size, 2);
    assert_int_equal(out[1], 0xFA);
    assert_false(bytes_parse_hex_string(bytes_of("7Ef"), out, 2, &size));
    assert_false(bytes_parse_hex_string(bytes_of("7Efa00"), out, 2, &size));
    assert_false(bytes_parse_hex_string(bytes_of("7g"), out, 2, &size));
}

static void a_cursor_fails_for_good(void **state)
{
    const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 0x12, 0x3A};
    struct cursor cursor = cursor_over((struct bytes){data, sizeof(data)});
    char digits[5];

    (void)state;
    assert_int_equal(cursor_u8(&cursor), 1);
    assert_int_equal(cursor_u16_be(&cursor), 0x0203);
    assert_int_equal(cursor_u16_le(&cursor), 0x0504);
    assert_int_equal(cursor_take(&cursor, 3).size, 3);
    assert_false(cursor.failed);
    cursor_bcd(&cursor, 2, digits);
    assert_true(cursor.failed); /* the A is no digit */
    assert_string_equal(digits, "1230");
    assert_int_equal(cursor_u8(&cursor), 0);
    cursor = cursor_over((struct bytes){data, 7});
    assert_int_equal(cursor_u64_le(&cursor), 0);
    assert_true(cursor.failed);
    cursor = cursor_over((struct bytes){data, 8});
    assert_int_equal(cursor_u32_le(&cursor), 0x04030201);
    assert_int_equal(cursor_u32_be(&cursor), 0x05060708);
}

static void a_writer_overflows_for_good(void **state)
{
    uint8_t out[4];
    struct writer writer = writer_into(out, sizeof(out));

    (void)state;
    writer_u16_be(&writer, 0x0102);
    writer_u32_be(&writer, 7);
    assert_true(writer.overflow);
    writer_u8(&writer, 3); /* would fit, but the frame is broken already */
    assert_int_equal(writer.size, 2);
}

static void numbers_are_written(void **state)
{
    char out[128];
    struct writer writer = writer_into(out, sizeof(out));

    (void)state;
    writer_decimal(&writer, INT64_MIN);
    writer_u8(&writer, ' ');
    writer_decimal_padded(&writer, 12345, 4);
    writer_u8(&writer, ' ');
    writer_hex(&writer, 0xBEEF, 6);
    writer_u8(&writer, ' ');
    writer_fixed(&writer, -3650, 2);
    writer_u8(&writer, ' ');
    writer_fixed(&writer, -5, 3);
    writer_u8(&writer, ' ');
    writer_fixed(&writer, 7, 0);
    assert_true(
        bytes_equal_text(writer_view(&writer), "-9223372036854775808 2345 00BEEF -36.50 -0.005 7"));
    writer = writer_into(out, sizeof(out));
    writer_bcd(&writer, "12345", 4);
    assert_memory_equal(out, "\x00\x01\x23\x45", 4);
    writer_u16_le(&writer, 0x0102);
    writer_u32_le(&writer, 0x01020304);
    writer_u64_le(&writer, 0x0102030405060708);
    assert_memory_equal(out + 4, "\x02\x01\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01", 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_clipped),
        cmocka_unit_test(text_compares),
        cmocka_unit_test(fields_end_once),
        cmocka_unit_test(copied_text_is_printable),
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(fractions_are_scaled),
        cmocka_unit_test(hex_strings_are_bytes),
        cmocka_unit_test(a_cursor_fails_for_good),
        cmocka_unit_test(a_writer_overflows_for_good),
        cmocka_unit_test(numbers_are_written),
    };

    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
