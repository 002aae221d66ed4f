/* What the scanner takes for a record, and what for damage, in segments made by hand. */
#include "daemon/journal/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FLOOR 1000u
#define SEGMENT_SIZE 8192u

struct fixture {
    uint8_t bytes[SEGMENT_SIZE];
    size_t size;
    struct scan scan;
    struct scan_damage damage;
    uint64_t found[16];
    unsigned count, damages;
};

static void put(struct fixture *fixture, uint64_t number, uint64_t durable, const void *payload,
                size_t size)
{
    struct record record = {.number = number,
                            .durable = durable,
                            .payload = payload,
                            .size = (uint16_t)size,
                            .type = 9};
    record_encode(&record, fixture->bytes + fixture->size);
    fixture->size += record_size(size);
}

static void scan(struct fixture *fixture, uint64_t floor)
{
    struct record record;
    scan_begin(&fixture->scan, floor);
    while (scan_next(&fixture->scan, fixture->bytes + fixture->scan.offset,
                     SEGMENT_SIZE - fixture->scan.offset, SEGMENT_SIZE, &record) == SCAN_RECORD) {
        fixture->found[fixture->count++] = record.number;
        fixture->damages += scan_damaged(&fixture->scan, &record, &fixture->damage);
    }
}

/* Three records of which the second is spoilt, the last knowing that `durable` was on disk. */
static void put_three(struct fixture *fixture, uint64_t durable)
{
    put(fixture, FLOOR, FLOOR - 1, "first", 5);
    size_t spoilt = fixture->size;
    put(fixture, FLOOR + 1, FLOOR - 1, "second", 6);
    put(fixture, FLOOR + 2, durable, "third", 5);
    fixture->bytes[spoilt + RECORD_HEADER] ^= 1;
}

static void test_spoilt_record_that_was_durable_is_damage(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    put_three(&fixture, FLOOR + 1);
    scan(&fixture, FLOOR);
    assert_int_equal(fixture.count, 2);
    assert_int_equal(fixture.damages, 1);
    assert_int_equal(fixture.damage.first, FLOOR + 1);
    assert_int_equal(fixture.damage.last, FLOOR + 1);
    assert_int_equal(fixture.damage.offset, 32);
    assert_int_equal(fixture.damage.bytes, 32);
}

static void test_torn_record_is_no_damage(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    put_three(&fixture, FLOOR - 1); /* of the same write */
    scan(&fixture, FLOOR);
    assert_int_equal(fixture.count, 2);
    assert_int_equal(fixture.damages, 0);
}

static void test_torn_head_is_no_damage(void **state)
{
    (void)state;
    /* The segment was prepared early: numbers up to 1019 went to the one before, since pruned. */
    struct fixture fixture = {.size = 96};
    put(&fixture, FLOOR + 24, FLOOR + 19, "of the write that was torn", 26);
    scan(&fixture, FLOOR);
    assert_int_equal(fixture.count, 1);
    assert_int_equal(fixture.damages, 0);
}

static void test_spoilt_head_is_damage(void **state)
{
    (void)state;
    struct fixture fixture = {.size = 96};
    put(&fixture, FLOOR + 2, FLOOR + 1, "of a later write", 16);
    scan(&fixture, FLOOR);
    assert_int_equal(fixture.count, 1);
    assert_int_equal(fixture.damages, 1);
    assert_int_equal(fixture.damage.last, FLOOR + 1);
}

static void test_stale_records_are_not_taken(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    put(&fixture, FLOOR, FLOOR - 1, "new", 3);
    put(&fixture, FLOOR - 20, FLOOR - 30, "old", 3);
    put(&fixture, FLOOR - 19, FLOOR - 30, "old", 3);
    scan(&fixture, FLOOR);
    assert_int_equal(fixture.count, 1);
    fixture.count = 0;
    memset(&fixture.scan, 0, sizeof fixture.scan);
    scan(&fixture, FLOOR + 1); /* recycled, and nothing written yet */
    assert_int_equal(fixture.count, 0);
}

static void test_record_inside_a_spoilt_payload_is_not_taken(void **state)
{
    (void)state;
    struct fixture inner = {0}, outer = {0};
    put(&inner, FLOOR + 500, FLOOR, "a record sent by a device", 25);
    put(&outer, FLOOR, FLOOR - 1, "first", 5);
    size_t spoilt = outer.size;
    put(&outer, FLOOR + 1, FLOOR, inner.bytes, inner.size);
    put(&outer, FLOOR + 2, FLOOR + 1, "third", 5);
    outer.bytes[spoilt] ^= 1;
    scan(&outer, FLOOR);
    assert_int_equal(outer.count, 2);
    assert_int_equal(outer.found[1], FLOOR + 2);
}

static void test_a_gap_between_segments_is_damage_within_a_run_only(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    put(&fixture, FLOOR, FLOOR - 1, "first", 5);
    scan(&fixture, FLOOR);
    fixture.size = 0;
    put(&fixture, FLOOR + 9, FLOOR + 8, "same run", 8);
    scan(&fixture, FLOOR + 1);
    assert_int_equal(fixture.damages, 1);
    assert_int_equal(fixture.damage.first, FLOOR + 1);
    assert_int_equal(fixture.damage.last, FLOOR + 8);
    fixture.size = 0;
    put(&fixture, FLOOR + 9 + JOURNAL_RUN_GAP, FLOOR + 8 + JOURNAL_RUN_GAP, "next run", 8);
    scan(&fixture, FLOOR + 9 + JOURNAL_RUN_GAP);
    assert_int_equal(fixture.count, 3);
    assert_int_equal(fixture.damages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spoilt_record_that_was_durable_is_damage),
        cmocka_unit_test(test_torn_record_is_no_damage),
        cmocka_unit_test(test_torn_head_is_no_damage),
        cmocka_unit_test(test_spoilt_head_is_damage),
        cmocka_unit_test(test_stale_records_are_not_taken),
        cmocka_unit_test(test_record_inside_a_spoilt_payload_is_not_taken),
        cmocka_unit_test(test_a_gap_between_segments_is_damage_within_a_run_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
