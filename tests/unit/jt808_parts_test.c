/* JT/T 808: messages of reports in several packages, however they come. */
#include "tests/unit/jt808_frames.h"

#include <stdlib.h>

#define REPORTS 6
#define MESSAGE_MAX 1024
#define PARTS_MAX 8

/* Six reports of a 0x0704, the fourth an emergency (by its bit or by a vendor's element), of
 * different seconds. */
static size_t write_message(uint8_t out[MESSAGE_MAX], unsigned bits, const char *element)
{
    char hex[2 * MESSAGE_MAX];
    size_t used = (size_t)snprintf(hex, sizeof(hex), "%04x01", REPORTS), size;

    for (int i = 0; i < REPORTS; i++) {
        const char *more = i == 3 ? element : "";

        used += (size_t)snprintf(hex + used, sizeof(hex) - used,
                                 "%04zx%08x00000002"
                                 "01d164a00636ba90000000000000"
                                 "26010211040%d"
                                 "30011f%s0104000000ff",
                                 28 + 3 + strlen(more) / 2 + 6, i == 3 ? bits : 0, i, more);
    }
    assert_true(bytes_parse_hex_string(bytes_of(hex), out, MESSAGE_MAX, &size));
    return size;
}

/* Adds one package. */
static void add_part(unsigned id, unsigned total, unsigned part, struct bytes body)
{
    char hex[2 * MESSAGE_MAX + 64];
    size_t used = (size_t)snprintf(hex, sizeof(hex), "%04x%04zx" PHONE "%04x%04x%04x", id,
                                   0x2000 | body.size, 100 + part, total, part);

    for (size_t i = 0; i < body.size; i++)
        used += (size_t)snprintf(hex + used, sizeof(hex) - used, "%02x", body.data[i]);
    add(hex);
}

static struct bytes part_of(struct bytes message, size_t cut, unsigned part)
{
    return part == 1 ? bytes_part(message, 0, cut) : bytes_part(message, cut, message.size);
}

static size_t panics(void)
{
    size_t count = 0;

    for (size_t i = 0; i < outcome.signal_count; i++)
        count += outcome.signals[i].kind == SIGNAL_PANIC;
    return count;
}

static bool is_positioned(int second)
{
    for (size_t i = 0; i < outcome.signal_count; i++)
        if (outcome.signals[i].has & MEASURE_POSITION &&
            outcome.signals[i].occurred_at_us == AT_US + (second - 5) * INT64_C(1000000))
            return true;
    return false;
}

/* What the n-th answer, all of one size, says: ok, failed. */
static int result(size_t index)
{
    size_t size = 1 + 12 + 5 + 1 + 1;

    assert_true(outcome.reply_size >= (index + 1) * size);
    return outcome.reply[index * size + size - 3];
}

static void in_order_everything_is_read_wherever_it_is_cut(void **state)
{
    static const struct {
        unsigned bits;
        const char *element;
    } presses[] = {{1, ""}, {0, "e7080002000000000000"}, {0, "e8030c0100"}};
    uint8_t memory[MESSAGE_MAX];

    (void)state;
    for (size_t press = 0; press < 3; press++) {
        const char *element = presses[press].element;
        struct bytes message = {memory, write_message(memory, presses[press].bits, element)};

        for (size_t cut = 3; cut < message.size; cut++) {
            begin();
            add_part(0x0704, 2, 1, part_of(message, cut, 1));
            add_part(0x0704, 2, 2, part_of(message, cut, 2));
            take();
            assert_int_equal(panics(), 1);
            for (int second = 0; second < REPORTS; second++)
                assert_true(is_positioned(second));
            assert_int_equal(result(0), 0);
            assert_int_equal(result(1), 0);
        }
    }
}

static void in_many_small_packages_too(void **state)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes message = {memory, write_message(memory, 1, "")};

    (void)state;
    for (size_t step = 3; step < 40; step++) {
        unsigned total = (unsigned)((message.size + step - 1) / step);

        begin();
        for (unsigned part = 1; part <= total; part++)
            add_part(0x0704, total, part, bytes_part(message, (part - 1) * step, step));
        take();
        assert_int_equal(panics(), 1);
    }
}

static void a_package_alone_is_searched_and_not_called_read(void **state)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes message = {memory, write_message(memory, 1, "")};
    size_t item = 2 + 28 + 3 + 6, low_byte = 3 + 3 * item + 2 + 3;

    (void)state;
    for (size_t cut = 3; cut < message.size - 40; cut++) {
        begin();
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        take();
        assert_int_equal(result(0), 1);
        assert_int_equal(panics(), cut <= low_byte);
        begin();
        add_part(0x0704, 2, 1, part_of(message, cut, 1));
        take();
        assert_int_equal(result(0), 0);
        assert_int_equal(panics(), cut > low_byte);
    }
}

static void late_and_doubled_packages_miss_nothing(void **state)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes message = {memory, write_message(memory, 1, "")};

    (void)state;
    for (size_t cut = 3; cut < message.size - 40; cut++) {
        begin();
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        add_part(0x0704, 2, 1, part_of(message, cut, 1));
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        take();
        assert_true(panics() >= 1);
        assert_int_equal(result(0), 1);
        assert_int_equal(result(1), 0);
        assert_int_equal(result(2), 0);
        begin();
        add_part(0x0704, 2, 1, part_of(message, cut, 1));
        add_part(0x0704, 2, 1, part_of(message, cut, 1));
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        take();
        assert_true(panics() >= 1);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(result(i), 0);
        for (int second = 0; second < REPORTS; second++)
            assert_true(is_positioned(second));
    }
}

/* The element of a vendor's button behind the cut of one report. */
static void one_long_report_is_read_over_packages(void **state)
{
    static const char hex[] = "00000000" PLACE("00000002") "30011fe70800020000000000000104000000ff";
    uint8_t memory[MESSAGE_MAX];
    size_t size;

    (void)state;
    assert_true(bytes_parse_hex_string(bytes_of(hex), memory, sizeof(memory), &size));
    for (size_t cut = 1; cut < size; cut++) {
        struct bytes report = {memory, size};

        begin();
        add_part(0x0200, 2, 1, part_of(report, cut, 1));
        add_part(0x0200, 2, 2, part_of(report, cut, 2));
        take();
        assert_int_equal(panics(), 1);
    }
    memory[3] = 1; /* the emergency of the standard: confirmed with each package */
    begin();
    add_part(0x0200, 2, 1, bytes_part((struct bytes){memory, size}, 0, 30));
    add_part(0x0200, 2, 2, bytes_part((struct bytes){memory, size}, 30, size));
    take();
    assert_int_equal(panics(), 1);
    assert_int_equal(result(0), 4);
    assert_int_equal(result(1), 4);
}

static void what_goes_on_is_no_end_of_a_state(void **state)
{
    uint8_t memory[MESSAGE_MAX];
    struct bytes message = {memory, write_message(memory, 1U << 7 | 1U << 8, "")};

    (void)state;
    for (size_t cut = 3; cut < message.size; cut++) {
        size_t restored = 0;

        begin();
        add_part(0x0704, 2, 1, part_of(message, cut, 1));
        add_part(0x0704, 2, 2, part_of(message, cut, 2));
        take();
        for (size_t i = 0; i < outcome.signal_count; i++)
            restored += outcome.signals[i].kind == SIGNAL_MAINS_RESTORED;
        assert_int_equal(restored, 1); /* by the fifth report */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_everything_is_read_wherever_it_is_cut),
        cmocka_unit_test(in_many_small_packages_too),
        cmocka_unit_test(a_package_alone_is_searched_and_not_called_read),
        cmocka_unit_test(late_and_doubled_packages_miss_nothing),
        cmocka_unit_test(one_long_report_is_read_over_packages),
        cmocka_unit_test(what_goes_on_is_no_end_of_a_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
