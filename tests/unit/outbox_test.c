/* The outbox against a database that commits, loses, refuses and goes away at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/outbox.h"
#include "tests/unit/seed.h"

#define RECORDS 3000
#define RING_BYTES 30000 /* holds some hundred: the rest spills */

static uint8_t payloads[RECORDS + 1][512];
static size_t sizes[RECORDS + 1];
static int stored[RECORDS + 1]; /* times committed */
static bool poisoned[RECORDS + 1], parked[RECORDS + 1];

struct pending {
    uint32_t id;
    size_t count;
    uint64_t numbers[STORE_BATCH_MAX];
};

static struct outbox outbox;
static struct pending pending[OUTBOX_IN_FLIGHT_MAX];
static size_t pending_count;
static uint64_t newest;

static void push_record(struct random *random)
{
    struct arrival arrival = {.signal = {.kind = SIGNAL_PANIC}};
    struct writer writer = writer_into(payloads[newest + 1], sizeof(payloads[0]));

    newest++;
    arrival.signal.received_at_us = (int64_t)newest;
    arrival_encode(&arrival, &writer);
    sizes[newest] = writer.size;
    poisoned[newest] = random_below(random, 100) == 0;
    outbox_push(&outbox, newest, writer_view(&writer));
}

static void refill(struct random *random)
{
    uint64_t after;

    if (!outbox_wants_refill(&outbox, &after))
        return;
    for (uint64_t number = after + 1; number <= newest; number++) {
        struct bytes payload = {payloads[number], sizes[number]};

        if (random_below(random, 200) == 0 || !outbox_refill(&outbox, number, payload))
            return;
    }
    outbox_refilled(&outbox);
}

static void submit(void)
{
    static struct arrival records[STORE_BATCH_MAX];
    uint32_t id;
    size_t count = outbox_next(&outbox, records, &id);

    if (count == 0)
        return;
    pending[pending_count].id = id;
    pending[pending_count].count = count;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(records[i].signal.received_at_us, records[i].number);
        if (i > 0)
            assert_true(records[i].number > records[i - 1].number);
        pending[pending_count].numbers[i] = records[i].number;
    }
    pending_count++;
}

static enum store_result judge(const struct pending *batch, struct random *random)
{
    if (random_below(random, 20) == 0)
        return STORE_LOST;
    for (size_t i = 0; i < batch->count; i++)
        if (poisoned[batch->numbers[i]])
            return STORE_REFUSED;
    return STORE_COMMITTED;
}

static void park_first(struct random *random)
{
    bool done = random_below(random, 3) > 0;
    struct arrival first;

    assert_true(outbox_first(&outbox, &first));
    assert_true(poisoned[first.number]);
    parked[first.number] = done;
    outbox_parked(&outbox, done);
}

static void answer(struct random *random)
{
    struct pending batch = pending[0];
    enum store_result result;

    if (pending_count == 0)
        return;
    memmove(pending, pending + 1, --pending_count * sizeof(pending[0]));
    result = judge(&batch, random);
    if (result == STORE_COMMITTED || (result == STORE_LOST && random_below(random, 2) == 0))
        for (size_t i = 0; i < batch.count; i++)
            stored[batch.numbers[i]]++;
    if (outbox_result(&outbox, batch.id, result))
        park_first(random);
}

static void go_away(void)
{
    outbox_pause(&outbox);
    pending_count = 0;
    outbox_resume(&outbox);
}

static bool is_empty(void)
{
    return outbox_oldest(&outbox) == 0;
}

static void test_every_record_is_stored_or_parked(void **state)
{
    _Alignas(8) static uint8_t memory[RING_BYTES];
    struct random random;
    int steps = 0;

    (void)state;
    random_init(&random, test_seed());
    outbox_init(&outbox, LANE_ALARM, memory, sizeof(memory));
    outbox_limit(&outbox, 64, 2);
    outbox_resume(&outbox);
    while (newest < RECORDS || !is_empty()) {
        assert_true(++steps < 2000000);
        if (newest < RECORDS && random_below(&random, 3) > 0)
            push_record(&random);
        if (random_below(&random, 300) == 0)
            go_away();
        refill(&random);
        submit();
        if (random_below(&random, 2) == 0)
            answer(&random);
    }
    for (uint64_t number = 1; number <= RECORDS; number++) {
        assert_int_equal(parked[number], poisoned[number]);
        assert_true(parked[number] || stored[number] > 0);
    }
    assert_true(outbox.refused > 0);
}

static void test_oldest_holds_the_checkpoint(void **state)
{
    _Alignas(8) static uint8_t memory[2048];
    static struct arrival records[STORE_BATCH_MAX];
    struct random random;
    uint32_t id;

    (void)state;
    random_init(&random, 1);
    newest = 0;
    outbox_init(&outbox, LANE_READING, memory, sizeof(memory));
    assert_int_equal(outbox_oldest(&outbox), 0);
    for (int i = 0; i < 40; i++)
        push_record(&random);
    assert_true(outbox.spilled != 0);
    assert_int_equal(outbox_oldest(&outbox), 1);
    assert_int_equal(outbox_next(&outbox, records, &id), 0); /* paused */
    outbox_resume(&outbox);
    assert_true(outbox_next(&outbox, records, &id) > 0);
    assert_int_equal(outbox_lane_of(id), LANE_READING);
    assert_false(outbox_result(&outbox, id, STORE_COMMITTED));
    assert_true(outbox_oldest(&outbox) > 1 && outbox_oldest(&outbox) <= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_record_is_stored_or_parked),
        cmocka_unit_test(test_oldest_holds_the_checkpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
