#include "protocol/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The check values of the CRC catalogues. */
static void digits_give_the_check_values(void **state)
{
    struct bytes digits = bytes_of("123456789");

    (void)state;
    assert_int_equal(checksum_crc16_arc(digits), 0xBB3D);
    assert_int_equal(checksum_crc16_xmodem(digits), 0x31C3);
    assert_int_equal(checksum_crc16_x25(digits), 0x906E);
    assert_int_equal(checksum_xor(digits), 0x31);
    assert_int_equal(checksum_sum(digits), 0xDD);
}

static void an_imei_has_a_digit_that_checks_it(void **state)
{
    uint8_t packed[8] = {0x04, 0x90, 0x15, 0x42, 0x03, 0x23, 0x75, 0x18};
    struct bytes imei = {packed, sizeof(packed)};

    (void)state;
    assert_true(checksum_is_imei(imei));
    assert_false(checksum_is_imei(bytes_part(imei, 0, 7)));
    for (int nibble = 0; nibble < 16; nibble++)
        for (int other = 1; other < 16; other++) {
            uint8_t *byte = &packed[nibble / 2], kept = *byte;

            *byte = (uint8_t)(kept ^ (nibble % 2 ? other : other << 4));
            assert_false(checksum_is_imei(imei));
            *byte = kept;
        }
}

static void nothing_gives_the_initial_value(void **state)
{
    struct bytes nothing = {NULL, 0};

    (void)state;
    assert_int_equal(checksum_crc16_arc(nothing), 0);
    assert_int_equal(checksum_crc16_xmodem(nothing), 0);
    assert_int_equal(checksum_crc16_x25(nothing), 0);
    assert_int_equal(checksum_xor(nothing), 0);
    assert_int_equal(checksum_sum(nothing), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_give_the_check_values),
        cmocka_unit_test(an_imei_has_a_digit_that_checks_it),
        cmocka_unit_test(nothing_gives_the_initial_value),
    };

    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
