/*
 * The journal against a model, from a seed: appends, writes, checkpoints, full disks and crashes in
 * any order. What must hold after every restart: each record that was reported durable and lies
 * above the checkpoint comes back once, in order, unchanged; nothing comes back that was not
 * written; no number is given twice; and nothing is called damaged that was only torn.
 */
#include "daemon/base/random.h"
#include "daemon/journal/backlog.h"
#include "tests/unit/fake_disk.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define RECORDS_MAX 100000
#define SEGMENT_SIZE (16u << 10)
#define BUFFER_SIZE (8u << 10)
#define SEGMENTS_ROOM 16u

struct written {
    uint64_t number;
    uint32_t size, seed; /* of the payload */
    uint8_t type;
    bool lost; /* in a crash, before it was durable */
};

struct world {
    struct random random;
    struct fake_disk disk;
    struct journal journal;
    struct journal_segment segments[SEGMENTS_ROOM];
    uint8_t buffers[2 * BUFFER_SIZE];
    uint64_t wall_seconds;
    int64_t now_us;
    struct journal_prepare request; /* with the writer, if `preparing` */
    bool preparing, prepared;
    int prepare_error;

    struct written *written; /* in the order of their numbers */
    size_t count;
    uint64_t durable, checkpoint; /* as told by, and to, the journal */

    size_t replay_at; /* in written: the next that may come back */
    size_t live_at;   /* the same for the backlog that reads while the journal runs */
    struct backlog live;
    struct backlog_handler live_handler;
    unsigned replayed, read, crashes, refused;
};

static uint8_t payload_byte(uint32_t seed, size_t at)
{
    return (uint8_t)((seed * 31 + at * (1 + seed % 7)) >> (at % 3));
}

static void assert_unchanged(const struct written *written, const struct record *record)
{
    assert_int_equal(record->number, written->number);
    assert_int_equal(record->type, written->type);
    assert_int_equal(record->size, written->size);
    for (size_t i = 0; i < record->size; i++)
        assert_int_equal(record->payload[i], payload_byte(written->seed, i));
}

/* --- reading back --- */

/* A record that did not come back: either it was not promised, or nobody needs it any more. */
static void miss(struct world *world, struct written *written)
{
    if (written->number > world->durable)
        written->lost = true;
    assert_true(written->lost || written->number <= world->checkpoint);
}

static bool on_replayed(void *context, const struct record *record)
{
    struct world *world = context;
    while (world->written[world->replay_at].number < record->number)
        miss(world, &world->written[world->replay_at++]);
    assert_true(world->replay_at < world->count);
    assert_false(world->written[world->replay_at].lost);
    assert_unchanged(&world->written[world->replay_at++], record);
    world->replayed++;
    return true;
}

static bool on_live(void *context, const struct record *record)
{
    struct world *world = context;
    assert_true(record->number <= world->durable);
    if (random_below(&world->random, 50) == 0)
        return false;
    while (world->written[world->live_at].number < record->number)
        miss(world, &world->written[world->live_at++]);
    assert_false(world->written[world->live_at].lost);
    assert_unchanged(&world->written[world->live_at++], record);
    world->read++;
    return true;
}

static void on_damage(void *context, const struct scan_damage *damage)
{
    (void)context;
    fail_msg("damage %llu..%llu where nothing was harmed", (unsigned long long)damage->first,
             (unsigned long long)damage->last);
}

static void replay(struct world *world, uint64_t after)
{
    struct backlog backlog;
    struct backlog_handler handler = {world, on_replayed, on_damage};
    uint8_t buffer[BACKLOG_BUFFER_MIN + 1000];
    world->replay_at = 0;
    while (world->replay_at < world->count && world->written[world->replay_at].number <= after)
        world->replay_at++;
    backlog_init(&backlog, &world->journal, after, &handler);
    assert_int_equal(backlog_replay(&backlog, buffer, sizeof buffer), BACKLOG_DONE);
    while (world->replay_at < world->count)
        miss(world, &world->written[world->replay_at++]);
}

static void read_live(struct world *world)
{
    uint8_t buffer[BACKLOG_BUFFER_MIN];
    enum backlog_state state = backlog_read(&world->live, buffer, sizeof buffer);
    assert_true(state != BACKLOG_FAILED);
    for (size_t i = world->live_at; state == BACKLOG_DONE && i < world->count; i++) {
        const struct written *written = &world->written[i];
        assert_true(written->lost || written->number > world->durable ||
                    written->number <= world->checkpoint);
    }
}

/* --- the life of a journal --- */

static void start(struct world *world)
{
    struct journal_setup setup = {.disk = &world->disk.port,
                                  .wall_seconds = world->wall_seconds,
                                  .bytes_max = 8 * SEGMENT_SIZE,
                                  .segment_size = SEGMENT_SIZE,
                                  .buffer_size = BUFFER_SIZE,
                                  .buffers = world->buffers,
                                  .segments = world->segments,
                                  .segments_room = SEGMENTS_ROOM,
                                  .retry_us = 10};
    assert_int_equal(journal_open(&world->journal, &setup), 0);
    uint64_t after = journal_checkpoint_number(&world->journal);
    assert_true(after <= world->checkpoint);
    replay(world, after);
    world->durable = journal_durable(&world->journal);
    world->live_at = 0;
    while (world->live_at < world->count && world->written[world->live_at].number <= after)
        world->live_at++;
    world->live_handler = (struct backlog_handler){world, on_live, on_damage};
    backlog_init(&world->live, &world->journal, after, &world->live_handler);
}

static void crash(struct world *world)
{
    fake_disk_crash(&world->disk, &world->random);
    world->preparing = false;
    world->crashes++;
    uint64_t step = random_below(&world->random, 20);
    world->wall_seconds = step == 0 ? world->wall_seconds - 5000 : world->wall_seconds + step;
    start(world);
}

static void append(struct world *world)
{
    uint8_t payload[RECORD_PAYLOAD_MAX];
    bool large = random_below(&world->random, 20) == 0;
    size_t size = (size_t)random_below(&world->random, large ? RECORD_PAYLOAD_MAX + 1 : 300);
    uint8_t type = (uint8_t)(1 + random_below(&world->random, 253));
    uint32_t seed = (uint32_t)random_next(&world->random);
    for (size_t i = 0; i < size; i++)
        payload[i] = payload_byte(seed, i);
    bool has_room = journal_has_room(&world->journal, size);
    uint64_t number = journal_append(&world->journal, type, payload, size);
    assert_int_equal(has_room, number != 0);
    if (number == 0) {
        world->refused++;
        return;
    }
    assert_true(world->count < RECORDS_MAX);
    assert_true(world->count == 0 || number > world->written[world->count - 1].number);
    world->written[world->count++] = (struct written){number, (uint32_t)size, seed, type, false};
}

static void take(struct world *world)
{
    struct journal_write write;
    if (journal_take(&world->journal, &write))
        fake_disk_submit(&world->disk, &write);
}

static void complete(struct world *world)
{
    if (world->disk.pending.parts == 0)
        return;
    int error = fake_disk_complete(&world->disk);
    assert_int_equal(error, 0);
    world->durable = journal_written(&world->journal, error);
    assert_int_equal(world->durable, journal_durable(&world->journal));
}

/* The writer begins a preparation, or tells that it is done; it takes effect at either end. */
static void prepare(struct world *world)
{
    struct journal_prepare *request = &world->request;
    world->now_us += (int64_t)random_below(&world->random, 10);
    if (world->preparing) {
        if (!world->prepared)
            world->prepare_error = fake_disk_prepare(&world->disk, request);
        journal_prepared(&world->journal, world->now_us, world->prepare_error);
        world->preparing = false;
    } else if (journal_prepare(&world->journal, world->now_us, request)) {
        world->preparing = true;
        world->prepared = random_below(&world->random, 2) == 0;
        if (world->prepared)
            world->prepare_error = fake_disk_prepare(&world->disk, request);
    }
}

static void checkpoint(struct world *world)
{
    if (world->count == 0)
        return;
    size_t back = (size_t)random_below(&world->random, world->count < 400 ? world->count : 400);
    uint64_t number = world->written[world->count - 1 - back].number;
    journal_checkpoint(&world->journal, number);
    if (number > world->checkpoint)
        world->checkpoint = number;
    assert_true(journal_checkpoint_number(&world->journal) >= number);
    if (random_below(&world->random, 4) == 0)
        journal_settle(&world->journal);
}

static void step(struct world *world)
{
    static void (*const actions[])(struct world *) = {take, complete, prepare, read_live};
    uint64_t dice = random_below(&world->random, 1000);
    if (dice < 600)
        append(world);
    else if (dice < 950)
        actions[dice % ARRAY_SIZE(actions)](world);
    else if (dice < 990)
        checkpoint(world);
    else if (dice < 997)
        world->disk.space = (2 + random_below(&world->random, 10)) * SEGMENT_SIZE;
    else
        crash(world);
}

static void test_no_promise_is_broken(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000;
    unsigned rounds = given != NULL ? 1 : 40;
    /* Each of these once broke a promise, and is played before new ones. */
    static const uint64_t remembered[] = {UINT64_C(1795342569035)};
    unsigned replayed = 0, read = 0, crashes = 0, refused = 0, recycled = 0;
    struct world *world = calloc(1, sizeof *world);
    world->written = calloc(RECORDS_MAX, sizeof *world->written);
    for (unsigned round = 0; round < rounds; round++, seed++) {
        struct written *written = world->written;
        memset(world, 0, sizeof *world);
        world->written = written;
        bool is_new = given != NULL || round >= sizeof remembered / sizeof *remembered;
        uint64_t chosen = is_new ? seed : remembered[round];
        printf("# SEED=%llu\n", (unsigned long long)chosen);
        random_init(&world->random, chosen);
        fake_disk_init(&world->disk, 8 * SEGMENT_SIZE);
        world->wall_seconds = 1700000000;
        start(world);
        for (unsigned i = 0; i < 20000; i++)
            step(world);
        replayed += world->replayed;
        read += world->read;
        crashes += world->crashes;
        refused += world->refused;
        recycled += world->disk.recyclings;
        fake_disk_fini(&world->disk);
    }
    printf("# %u crashes, %u replayed, %u read, %u refused, %u segments recycled\n", crashes,
           replayed, read, refused, recycled);
    assert_true(crashes > 0 && replayed > 0 && read > 0 && refused > 0 && recycled > 0);
    free(world->written);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_promise_is_broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
