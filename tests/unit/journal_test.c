/* The journal by example: numbers, groups, segments, full and failed disks, bit rot. */
#include "daemon/base/random.h"
#include "daemon/journal/backlog.h"
#include "tests/unit/fake_disk.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define SEGMENT_SIZE (16u << 10)
#define BUFFER_SIZE (8u << 10)
#define WALL UINT64_C(1750000000)
#define RECORDS_MAX 4000

struct fixture {
    struct fake_disk disk;
    struct journal journal;
    struct journal_segment segments[32];
    uint8_t buffers[2 * BUFFER_SIZE];
    struct journal_setup setup;
    /* What came back. */
    uint64_t numbers[RECORDS_MAX];
    size_t count, stop_at;
    struct scan_damage damages[16];
    size_t damage_count;
};

static void reopen(struct fixture *fixture)
{
    assert_int_equal(journal_open(&fixture->journal, &fixture->setup), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_disk_init(&fixture->disk, 1u << 20);
    fixture->setup = (struct journal_setup){.disk = &fixture->disk.port,
                                            .wall_seconds = WALL,
                                            .bytes_max = 8 * SEGMENT_SIZE,
                                            .segment_size = SEGMENT_SIZE,
                                            .buffer_size = BUFFER_SIZE,
                                            .buffers = fixture->buffers,
                                            .segments = fixture->segments,
                                            .segments_room = ARRAY_SIZE(fixture->segments),
                                            .retry_us = 1000};
    reopen(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fake_disk_fini(&fixture->disk);
    free(fixture);
    return 0;
}

static uint64_t append(struct fixture *fixture, size_t size)
{
    static const uint8_t payload[RECORD_PAYLOAD_MAX] = {0xa5, 0x5a};
    return journal_append(&fixture->journal, 7, payload, size);
}

/* Appends and syncs until `count` records of `size` are durable. Returns the last number. */
static uint64_t fill(struct fixture *fixture, unsigned count, size_t size)
{
    uint64_t number = 0;
    while (count > 0) {
        number = append(fixture, size);
        if (number == 0 || --count == 0)
            assert_int_equal(journal_sync(&fixture->journal), 0);
    }
    return number;
}

static bool on_record(void *context, const struct record *record)
{
    struct fixture *fixture = context;
    if (fixture->count == fixture->stop_at && fixture->stop_at > 0)
        return false;
    assert_true(fixture->count < RECORDS_MAX);
    fixture->numbers[fixture->count++] = record->number;
    return true;
}

static void on_damage(void *context, const struct scan_damage *damage)
{
    struct fixture *fixture = context;
    assert_true(fixture->damage_count < ARRAY_SIZE(fixture->damages));
    fixture->damages[fixture->damage_count++] = *damage;
}

static enum backlog_state replay(struct fixture *fixture, uint64_t after)
{
    struct backlog backlog;
    struct backlog_handler handler = {fixture, on_record, on_damage};
    uint8_t buffer[BACKLOG_BUFFER_MIN];
    fixture->count = fixture->damage_count = 0;
    backlog_init(&backlog, &fixture->journal, after, &handler);
    return backlog_replay(&backlog, buffer, sizeof buffer);
}

/* --- numbers and groups --- */

static void test_numbers_rise_and_are_never_reused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = append(fixture, 10);
    assert_true(first >= WALL << 20 && first < (WALL + 1) << 20);
    assert_int_equal(append(fixture, 10), first + 1);
    assert_int_equal(journal_sync(&fixture->journal), 0);
    uint64_t lost = append(fixture, 10); /* never taken: lost with the process */

    fixture->setup.wall_seconds = WALL - 1000; /* the clock was set back */
    reopen(fixture);
    uint64_t second = append(fixture, 10);
    assert_true(second > lost && second >= first + 1 + (1 << 20));

    fake_disk_fini(&fixture->disk); /* the directory is gone */
    fake_disk_init(&fixture->disk, 1u << 20);
    fixture->setup.wall_seconds = WALL + 3;
    reopen(fixture);
    assert_true(append(fixture, 10) > second);
}

static void test_one_write_carries_all_of_a_turn(void **state)
{
    struct fixture *fixture = *state;
    struct journal_write write, none;
    assert_false(journal_take(&fixture->journal, &write));
    uint64_t before = journal_durable(&fixture->journal);
    append(fixture, 100);
    uint64_t last = append(fixture, 200);
    assert_true(journal_take(&fixture->journal, &write));
    assert_int_equal(write.parts, 1);
    assert_int_equal(write.last, last);
    uint64_t next = append(fixture, 10);
    assert_false(journal_take(&fixture->journal, &none)); /* one at a time */
    assert_int_equal(journal_durable(&fixture->journal), before);
    fake_disk_submit(&fixture->disk, &write);
    assert_int_equal(journal_written(&fixture->journal, fake_disk_complete(&fixture->disk)), last);
    assert_true(journal_take(&fixture->journal, &write));
    assert_int_equal(write.last, next);
}

static void test_full_buffer_refuses_until_written(void **state)
{
    struct fixture *fixture = *state;
    while (append(fixture, 1000) != 0)
        continue;
    assert_false(journal_has_room(&fixture->journal, 1000));
    assert_false(journal_is_full(&fixture->journal));
    assert_int_equal(journal_sync(&fixture->journal), 0);
    assert_true(append(fixture, 1000) != 0);
}

static void test_a_group_may_span_two_segments(void **state)
{
    struct fixture *fixture = *state;
    struct journal_write write = {.parts = 0};
    uint64_t last = 0;
    for (unsigned i = 0; write.parts < 2; i++) {
        last = append(fixture, 1500);
        if (i % 3 < 2)
            continue;
        assert_true(journal_take(&fixture->journal, &write));
        fake_disk_submit(&fixture->disk, &write);
        journal_written(&fixture->journal, fake_disk_complete(&fixture->disk));
        assert_int_equal(journal_sync(&fixture->journal), 0);
    }
    assert_int_equal(write.part[1].offset, 0);
    assert_true(write.part[1].segment > write.part[0].segment);
    assert_int_equal(journal_durable(&fixture->journal), last);
    assert_int_equal(replay(fixture, 0), BACKLOG_DONE);
    assert_int_equal(fixture->numbers[fixture->count - 1], last);
}

/* --- checkpoints, full and failed --- */

static void test_checkpoint_survives_and_starts_the_replay(void **state)
{
    struct fixture *fixture = *state;
    uint64_t done = fill(fixture, 5, 100);
    journal_checkpoint(&fixture->journal, done);
    journal_checkpoint(&fixture->journal, done - 2); /* never backwards */
    fill(fixture, 2, 100);
    reopen(fixture);
    assert_int_equal(journal_checkpoint_number(&fixture->journal), done);
    assert_int_equal(replay(fixture, done), BACKLOG_DONE);
    assert_int_equal(fixture->count, 2);
}

static void test_settle_writes_an_owed_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    uint64_t done = fill(fixture, 5, 100);
    journal_checkpoint(&fixture->journal, done);
    struct journal_write write;
    assert_false(journal_take(&fixture->journal, &write)); /* no sync for its own sake */
    journal_settle(&fixture->journal);
    assert_int_equal(journal_sync(&fixture->journal), 0);
    reopen(fixture);
    assert_int_equal(journal_checkpoint_number(&fixture->journal), done);
}

static void test_full_at_the_budget_until_a_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    uint64_t number = 0, last = 0;
    uint64_t free_bytes = journal_free_bytes(&fixture->journal);
    assert_int_equal(free_bytes, 8 * SEGMENT_SIZE);
    while ((number = append(fixture, 4000)) != 0) {
        last = number;
        assert_int_equal(journal_sync(&fixture->journal), 0);
        assert_true(journal_free_bytes(&fixture->journal) < free_bytes);
        free_bytes = journal_free_bytes(&fixture->journal);
    }
    assert_true(journal_is_full(&fixture->journal));
    assert_int_equal(fixture->disk.creations, 8);
    journal_checkpoint(&fixture->journal, last - 10);
    assert_int_equal(journal_sync(&fixture->journal), 0);
    assert_false(journal_is_full(&fixture->journal));
    assert_true(append(fixture, 4000) > last);
    assert_int_equal(fixture->disk.creations, 8);
    assert_true(fixture->disk.recyclings > 0);
}

static void test_segment_under_the_writer_is_not_recycled(void **state)
{
    struct fixture *fixture = *state;
    struct journal_prepare request;
    uint64_t last = 0;
    for (unsigned i = 0; fixture->journal.used < 2; i++) {
        if (i % 3 == 0) /* so that the segment's last records are not durable when it is left */
            assert_int_equal(journal_sync(&fixture->journal), 0);
        last = append(fixture, 2000);
    }
    journal_checkpoint(&fixture->journal, last); /* stored before it was durable here */
    assert_true(journal_prepare(&fixture->journal, 0, &request));
    assert_int_equal(request.kind, JOURNAL_CREATE);
}

static void test_no_space_is_asked_again_after_a_pause(void **state)
{
    struct fixture *fixture = *state;
    struct journal_prepare request;
    fixture->disk.space = SEGMENT_SIZE;
    append(fixture, 100); /* begins the only segment */
    assert_true(journal_prepare(&fixture->journal, 500, &request));
    assert_false(journal_prepare(&fixture->journal, 500, &request));
    journal_prepared(&fixture->journal, 600, fake_disk_prepare(&fixture->disk, &request));
    assert_true(journal_free_bytes(&fixture->journal) < SEGMENT_SIZE);
    assert_false(journal_prepare(&fixture->journal, 1599, &request));
    while (append(fixture, 4000) != 0)
        assert_int_equal(journal_sync(&fixture->journal), 0);
    assert_true(journal_is_full(&fixture->journal));
    fixture->disk.space = 4 * SEGMENT_SIZE;
    assert_true(journal_prepare(&fixture->journal, 10000, &request));
    journal_prepared(&fixture->journal, 10000, fake_disk_prepare(&fixture->disk, &request));
    assert_false(journal_is_full(&fixture->journal));
    assert_true(append(fixture, 4000) != 0);
}

static void test_opens_on_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture, 30, 500);
    fixture->disk.space = 0;
    reopen(fixture); /* takes the segment that was prepared and not used */
    uint64_t last = fill(fixture, 1, 500);
    reopen(fixture);
    assert_true(journal_is_full(&fixture->journal));
    assert_int_equal(append(fixture, 10), 0);
    assert_int_equal(replay(fixture, 0), BACKLOG_DONE);
    assert_int_equal(fixture->count, 31);
    journal_checkpoint(&fixture->journal, last);
    assert_int_equal(journal_sync(&fixture->journal), 0);
    assert_true(append(fixture, 10) > last);
}

static void test_failed_write_is_for_good(void **state)
{
    struct fixture *fixture = *state;
    uint64_t durable = fill(fixture, 1, 10);
    append(fixture, 10);
    fixture->disk.write_fails = true;
    assert_int_equal(journal_sync(&fixture->journal), ERR_IO);
    fixture->disk.write_fails = false;
    assert_true(journal_has_failed(&fixture->journal));
    assert_int_equal(journal_durable(&fixture->journal), durable);
    struct journal_write write;
    assert_int_equal(append(fixture, 10), 0);
    assert_false(journal_take(&fixture->journal, &write));
}

static void test_segments_of_another_size_are_read_then_removed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = fill(fixture, 30, 500);
    unsigned created = fixture->disk.creations;
    fixture->setup.segment_size = 2 * SEGMENT_SIZE;
    reopen(fixture);
    assert_int_equal(replay(fixture, 0), BACKLOG_DONE);
    assert_int_equal(fixture->count, 30);
    journal_checkpoint(&fixture->journal, last);
    fill(fixture, 100, 500);
    assert_int_equal(fixture->disk.removals, created);
}

static void test_open_says_what_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture, 100, 500);
    struct journal_setup setup = fixture->setup;
    setup.segment_size = SEGMENT_SIZE + 1;
    assert_int_equal(journal_open(&fixture->journal, &setup), ERR_INVALID);
    setup = fixture->setup;
    setup.bytes_max = 2 * SEGMENT_SIZE;
    setup.segments_room = 2;
    assert_int_equal(journal_open(&fixture->journal, &setup), ERR_FULL);
    fixture->disk.read_fails = true;
    assert_int_equal(journal_open(&fixture->journal, &fixture->setup), ERR_IO);
}

static void test_unused_segments_do_not_pile_up(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 10; i++) {
        append(fixture, 10); /* into a buffer that never reaches the disk */
        reopen(fixture);
    }
    assert_true(fixture->disk.creations <= 2);
}

/* A daemon that ends again and again while its database is away: its alarms fill the budget, not its starts. */
static void test_restarts_take_no_more_than_their_records(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        last = fill(fixture, 1, 500);
        reopen(fixture);
    }
    assert_true(last > 0);
    assert_false(journal_is_full(&fixture->journal));
    assert_true(append(fixture, 500) > last);
    assert_int_equal(replay(fixture, 0), BACKLOG_DONE);
    assert_int_equal(fixture->count, 20);
    journal_checkpoint(&fixture->journal, last);
    fill(fixture, 100, 500);
    assert_true(fixture->disk.cuts == 20 && fixture->disk.removals >= 20);
}

static void test_what_is_done_with_is_not_cut(void **state)
{
    struct fixture *fixture = *state;
    journal_checkpoint(&fixture->journal, fill(fixture, 1, 500));
    journal_settle(&fixture->journal);
    assert_int_equal(journal_sync(&fixture->journal), 0);
    reopen(fixture);
    assert_int_equal(fixture->disk.cuts, 0);
}

/* --- reading back --- */

static void test_backlog_stops_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct backlog backlog;
    struct backlog_handler handler = {fixture, on_record, on_damage};
    uint8_t buffer[BACKLOG_BUFFER_MIN];
    fill(fixture, 10, 500);
    append(fixture, 500); /* not durable: not seen */
    fixture->stop_at = 4;
    backlog_init(&backlog, &fixture->journal, 0, &handler);
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_STOPPED);
    assert_int_equal(backlog_read(&backlog, buffer, sizeof buffer), BACKLOG_STOPPED);
    assert_int_equal(fixture->count, 4);
    fixture->stop_at = 0;
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    assert_int_equal(fixture->count, 10);
    uint64_t last = fill(fixture, 60, 500);
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    assert_int_equal(fixture->count, 71);
    assert_int_equal(fixture->numbers[70], last);
    fixture->disk.read_fails = true;
    assert_int_equal(backlog_read(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    fill(fixture, 1, 10);
    assert_int_equal(backlog_read(&backlog, buffer, sizeof buffer), BACKLOG_FAILED);
    fixture->disk.read_fails = false;
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    assert_int_equal(fixture->count, 72);
}

/* --- bit rot --- */

static bool came_back(const struct fixture *fixture, uint64_t number)
{
    for (size_t i = 0; i < fixture->count; i++) {
        if (fixture->numbers[i] == number)
            return true;
    }
    return false;
}

static bool is_reported(const struct fixture *fixture, uint64_t number)
{
    for (size_t i = 0; i < fixture->damage_count; i++) {
        if (fixture->damages[i].first <= number && number <= fixture->damages[i].last)
            return true;
    }
    return false;
}

/* Flips a few bits anywhere on the disk but in the last records, behind which nothing proves that
 * they were durable. Every record must come back or be reported; few may be lost. */
static void flip_and_check(struct fixture *fixture, struct random *random, const uint64_t *all,
                           size_t count)
{
    unsigned flips = 1 + (unsigned)random_below(random, 3);
    uint64_t active = fixture->journal.durable_segment;
    for (unsigned i = 0; i < flips;) {
        struct fake_segment *segment = &fixture->disk.segments[random_below(random, FAKE_SEGMENTS)];
        if (segment->bytes == NULL || segment->floor >= active)
            continue;
        uint64_t at = random_below(random, segment->size);
        segment->bytes[at] ^= (uint8_t)(1 << random_below(random, 8));
        i++;
    }
    fixture->setup.wall_seconds++;
    reopen(fixture);
    assert_int_equal(replay(fixture, 0), BACKLOG_DONE);
    unsigned lost = 0;
    for (size_t i = 0; i < count; i++) {
        if (came_back(fixture, all[i]))
            continue;
        assert_true(is_reported(fixture, all[i]));
        lost++;
    }
    assert_true(lost <= flips);
    assert_true(fixture->count + lost == count);
}

static void test_bit_rot_is_reported_and_stepped_over(void **state)
{
    const char *given = getenv("SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000;
    size_t damages = 0;
    for (unsigned round = 0; round < (given != NULL ? 1 : 100); round++, seed++) {
        struct fixture *fixture = *state;
        struct random random;
        uint64_t all[200];
        printf("# SEED=%llu\n", (unsigned long long)seed);
        random_init(&random, seed);
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
            all[i] = fill(fixture, 1, (size_t)random_below(&random, 600));
        flip_and_check(fixture, &random, all, ARRAY_SIZE(all));
        damages += fixture->damage_count;
        tear_down(state);
        set_up(state);
    }
    assert_true(given != NULL || damages > 20);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_rise_and_are_never_reused),
        TEST(test_one_write_carries_all_of_a_turn),
        TEST(test_full_buffer_refuses_until_written),
        TEST(test_a_group_may_span_two_segments),
        TEST(test_checkpoint_survives_and_starts_the_replay),
        TEST(test_settle_writes_an_owed_checkpoint),
        TEST(test_full_at_the_budget_until_a_checkpoint),
        TEST(test_segment_under_the_writer_is_not_recycled),
        TEST(test_no_space_is_asked_again_after_a_pause),
        TEST(test_opens_on_a_full_disk),
        TEST(test_failed_write_is_for_good),
        TEST(test_segments_of_another_size_are_read_then_removed),
        TEST(test_open_says_what_is_wrong),
        TEST(test_unused_segments_do_not_pile_up),
        TEST(test_restarts_take_no_more_than_their_records),
        TEST(test_what_is_done_with_is_not_cut),
        TEST(test_backlog_stops_and_goes_on),
        TEST(test_bit_rot_is_reported_and_stepped_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
