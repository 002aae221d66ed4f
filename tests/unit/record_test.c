/* One record of the journal as bytes. */
#include "daemon/journal/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_record_is_as_documented(void **state)
{
    (void)state;
    /* Made with Python's struct and zlib from docs/JOURNAL.md. */
    static const uint8_t expected[] = {0x97, 0x16, 0x8e, 0xf8, 0x02, 0x00, 0x07, 0x01,
                                       0x65, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x63, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x41, 0x42, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    struct record record = {
        .number = 101, .durable = 99, .payload = (const uint8_t *)"AB", .size = 2, .type = 7};
    uint8_t bytes[sizeof expected];
    assert_int_equal(record_size(2), sizeof expected);
    record_encode(&record, bytes);
    assert_memory_equal(bytes, expected, sizeof expected);
    memset(&record, 0, sizeof record);
    assert_int_equal(record_decode(expected, sizeof expected - 1, &record), RECORD_SHORT);
    assert_int_equal(record_decode(expected, sizeof expected, &record), RECORD_GOOD);
    assert_int_equal(record.number, 101);
    assert_int_equal(record.durable, 99);
    assert_memory_equal(record.payload, "AB", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_record_is_as_documented)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
