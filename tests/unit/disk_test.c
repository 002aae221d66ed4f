/* The journal's real disk in a temporary directory, with and without its thread. */
#include "daemon/base/error.h"
#include "daemon/edge/disk.h"
#include "daemon/journal/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SEGMENT_SIZE (1u << 20)
#define BUFFER_SIZE (64u << 10)
#define DEADLINE_MS 20000

struct fixture {
    char path[64];
    struct disk *disk;
    struct journal journal;
    struct journal_segment segments[8];
    uint8_t buffers[2 * BUFFER_SIZE];
    unsigned count;
    uint64_t last;
};

/* Time stands still but for the calls: it only has to rise. */
static int64_t now_us(void)
{
    static int64_t us;
    return __atomic_add_fetch(&us, 1, __ATOMIC_RELAXED);
}

static void open_journal(struct fixture *fixture)
{
    struct journal_setup setup = {.disk = disk_port(fixture->disk),
                                  .wall_seconds = 1750000000,
                                  .bytes_max = 4 * SEGMENT_SIZE,
                                  .segment_size = SEGMENT_SIZE,
                                  .buffer_size = BUFFER_SIZE,
                                  .buffers = fixture->buffers,
                                  .segments = fixture->segments,
                                  .segments_room = ARRAY_SIZE(fixture->segments),
                                  .retry_us = 0};
    assert_int_equal(journal_open(&fixture->journal, &setup), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *temporary = getenv("TMPDIR");
    snprintf(fixture->path, sizeof fixture->path, "%.40s/disk_test.XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(fixture->path) == NULL)
        return -1;
    *state = fixture;
    assert_int_equal(disk_open(&fixture->disk, fixture->path, now_us), 0);
    open_journal(fixture);
    return 0;
}

static int delete_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->disk != NULL)
        disk_stop(fixture->disk);
    disk_close(fixture->disk);
    int error = nftw(fixture->path, delete_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return error;
}

static void close_disk(struct fixture *fixture)
{
    disk_stop(fixture->disk);
    disk_close(fixture->disk);
    fixture->disk = NULL;
}

static void reopen(struct fixture *fixture)
{
    close_disk(fixture);
    assert_int_equal(disk_open(&fixture->disk, fixture->path, now_us), 0);
    open_journal(fixture);
}

static uint64_t append(struct fixture *fixture, size_t size)
{
    uint8_t payload[RECORD_PAYLOAD_MAX];
    memset(payload, (int)(size % 251), size);
    return journal_append(&fixture->journal, 3, payload, size);
}

static bool on_record(void *context, const struct record *record)
{
    struct fixture *fixture = context;
    for (size_t i = 0; i < record->size; i++)
        assert_int_equal(record->payload[i], record->size % 251);
    fixture->count++;
    fixture->last = record->number;
    return true;
}

static void on_damage(void *context, const struct scan_damage *damage)
{
    (void)context;
    fail_msg("damage from %llu", (unsigned long long)damage->first);
}

static unsigned replay(struct fixture *fixture)
{
    static uint8_t buffer[64u << 10];
    struct backlog backlog;
    struct backlog_handler handler = {fixture, on_record, on_damage};
    fixture->count = 0;
    backlog_init(&backlog, &fixture->journal, journal_checkpoint_number(&fixture->journal),
                 &handler);
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    return fixture->count;
}

/* One turn: what is done, then what is to do. Returns whether anything was done. */
static bool turn(struct fixture *fixture)
{
    struct disk_completion done;
    struct journal_write write;
    struct journal_prepare request;
    bool moved = false;
    while (disk_take_completion(fixture->disk, &done)) {
        moved = true;
        if (done.kind == DISK_WRITE)
            (void)journal_written(&fixture->journal, done.error);
        else
            journal_prepared(&fixture->journal, now_us(), done.error);
        assert_true(done.elapsed_us > 0);
    }
    if (journal_take(&fixture->journal, &write))
        disk_submit_write(fixture->disk, &write);
    if (journal_prepare(&fixture->journal, now_us(), &request))
        disk_submit_prepare(fixture->disk, &request);
    return moved;
}

static void wait_for_completion(struct fixture *fixture)
{
    struct pollfd poll_fd = {.fd = disk_completion_fd(fixture->disk), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, DEADLINE_MS), 1);
}

static void wait_durable(struct fixture *fixture, uint64_t number)
{
    turn(fixture);
    while (journal_durable(&fixture->journal) < number) {
        assert_false(journal_has_failed(&fixture->journal));
        wait_for_completion(fixture);
        turn(fixture);
    }
}

static void *let_go_soon(void *lock)
{
    poll(NULL, 0, 200);
    close(*(int *)lock);
    return NULL;
}

/* A killed daemon whose last write goes on for a moment. */
static void test_an_opener_waits_for_one_that_is_ending(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_MAX];
    pthread_t ending;
    close_disk(fixture);
    snprintf(path, sizeof path, "%s/lock", fixture->path);
    int lock = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(pthread_create(&ending, NULL, let_go_soon, &lock), 0);
    assert_int_equal(disk_open(&fixture->disk, fixture->path, now_us), 0);
    pthread_join(ending, NULL);
}

static void test_a_second_opener_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct disk *second = NULL;
    assert_int_equal(disk_open(&second, fixture->path, now_us), ERR_EXISTS);
    assert_null(second);
    close_disk(fixture);
    assert_int_equal(disk_open(&second, fixture->path, now_us), 0);
    fixture->disk = second;
}

static void test_a_path_that_is_no_directory_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[80];
    struct disk *second = NULL;
    snprintf(path, sizeof path, "%s/lock", fixture->path);
    assert_int_equal(disk_open(&second, path, now_us), ERR_IO);
    assert_int_equal(errno, ENOTDIR);
    snprintf(path, sizeof path, "%s/none/deeper", fixture->path);
    assert_int_equal(disk_open(&second, path, now_us), ERR_MISSING);
}

static void test_records_survive_without_the_thread(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;
    for (unsigned i = 0; i < 100; i++)
        assert_true((last = append(fixture, i * 30)) != 0 || !journal_sync(&fixture->journal));
    assert_int_equal(journal_sync(&fixture->journal), 0);
    unsigned before = replay(fixture);
    assert_true(before > 90);
    reopen(fixture);
    assert_int_equal(replay(fixture), before);
}

/* How many of these rising numbers are above `floor`. */
static unsigned count_above(const uint64_t *numbers, unsigned count, uint64_t floor)
{
    unsigned below = 0;
    while (below < count && numbers[below] <= floor)
        below++;
    return count - below;
}

static void test_records_survive_with_the_thread(void **state)
{
    struct fixture *fixture = *state;
    static uint64_t numbers[6000];
    unsigned appended = 0;
    uint64_t last = 0, first = 0;
    assert_int_equal(disk_start(fixture->disk), 0);
    while (appended <
           ARRAY_SIZE(numbers)) { /* more than the budget holds: segments must be recycled */
        uint64_t number = append(fixture, 1000);
        if (number == 0) {
            wait_for_completion(fixture);
            turn(fixture);
            journal_checkpoint(&fixture->journal, last - 1000 > first ? last - 1000 : first);
            continue;
        }
        last = numbers[appended++] = number;
        first = numbers[0];
        if (appended % 7 == 0)
            turn(fixture);
    }
    wait_durable(fixture, last);
    struct disk_figures figures;
    disk_read_figures(fixture->disk, &figures);
    assert_true(figures.writes > 0 && figures.bytes > 6000000 && figures.write_max_us > 0);
    uint64_t checkpoint = journal_checkpoint_number(&fixture->journal);
    reopen(fixture);
    assert_true(journal_checkpoint_number(&fixture->journal) <= checkpoint);
    assert_true(replay(fixture) >= count_above(numbers, appended, checkpoint));
    assert_int_equal(fixture->last, last);
}

static void test_stop_finishes_the_write(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(disk_start(fixture->disk), 0);
    uint64_t number = append(fixture, 500);
    turn(fixture); /* a write, and a segment to create */
    disk_stop(fixture->disk);
    struct disk_completion done;
    assert_true(disk_take_completion(fixture->disk, &done));
    assert_int_equal(done.kind, DISK_WRITE);
    assert_int_equal(journal_written(&fixture->journal, done.error), number);
    reopen(fixture);
    assert_int_equal(replay(fixture), 1);
    assert_int_equal(fixture->last, number);
}

static void test_unfinished_segments_are_deleted(void **state)
{
    struct fixture *fixture = *state;
    char unfinished[96], foreign[96];
    snprintf(unfinished, sizeof unfinished, "%s/00000000000000ff.new", fixture->path);
    snprintf(foreign, sizeof foreign, "%s/notes.journal", fixture->path);
    fclose(fopen(unfinished, "w"));
    fclose(fopen(foreign, "w"));
    reopen(fixture);
    assert_int_equal(access(unfinished, F_OK), -1);
    assert_int_equal(access(foreign, F_OK), 0);
}

static void test_segments_are_written_in_full_before_use(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/%016llx.journal", fixture->path,
             (unsigned long long)fixture->segments[0].floor);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, SEGMENT_SIZE);
    assert_true((uint64_t)status.st_blocks * 512 >= SEGMENT_SIZE);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_a_write_that_fails_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct disk_completion done;
    struct journal_write write = {
        .parts = 1, .part[0] = {.segment = 12345, .data = fixture->buffers, .size = 8}};
    assert_int_equal(disk_start(fixture->disk), 0);
    assert_false(disk_take_completion(fixture->disk, &done));
    disk_submit_write(fixture->disk, &write);
    wait_for_completion(fixture);
    assert_true(disk_take_completion(fixture->disk, &done));
    assert_int_equal(done.error, ERR_MISSING);
    assert_int_equal(done.system_error, ENOENT);
    assert_false(disk_take_completion(fixture->disk, &done));
    struct pollfd poll_fd = {.fd = disk_completion_fd(fixture->disk), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    assert_int_equal(disk_write_age_us(fixture->disk), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_second_opener_is_refused),
        TEST(test_an_opener_waits_for_one_that_is_ending),
        TEST(test_a_path_that_is_no_directory_is_refused),
        TEST(test_records_survive_without_the_thread),
        TEST(test_records_survive_with_the_thread),
        TEST(test_stop_finishes_the_write),
        TEST(test_unfinished_segments_are_deleted),
        TEST(test_segments_are_written_in_full_before_use),
        TEST(test_a_write_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
