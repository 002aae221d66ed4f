/*
 * A meter's silence decided with crashes is the silence decided without them: the same readings run
 * through two gateways on virtual time, one of which loses its memory at random moments and starts
 * again from what its journal kept behind the checkpoint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/gateway.h"
#include "daemon/core/gateway_start.h"
#include "tests/unit/seed.h"

#define METERS 12
#define DAYS 40
#define RECORDS_MAX 200000
#define DECISIONS_MAX 4000
#define START_US (INT64_C(1700000000) * US_PER_SECOND)

struct kept {
    uint64_t number;
    enum lane lane;
    uint8_t *payload;
    size_t size;
};

struct decision_seen {
    uint8_t kind;
    char identity[IDENTITY_LIMIT + 1], code[CODE_LIMIT + 1];
    int64_t at_us;
};

struct run {
    struct gateway *gateway;
    void *memory;
    struct log log;
    struct instant now;
    struct kept *records;
    size_t record_count;
    uint64_t number, checkpoint;
    struct decision_seen decisions[DECISIONS_MAX];
    size_t decision_count;
    int crashes;
    size_t replayed;
    bool full;
};

static const struct gateway_limits limits = {.devices_max = METERS + 1,
                                             .sessions_max = 1,
                                             .outbox_bytes = 64 << 10,
                                             .pledge_bytes = 8 << 10,
                                             .recent_sets = 16};

static enum append_room append_room(void *context)
{
    return ((struct run *)context)->full ? APPEND_FULL : APPEND_READY;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct run *run = context;
    struct kept *kept = &run->records[run->record_count++];
    struct arrival arrival;

    assert_true(run->record_count < RECORDS_MAX);
    *kept = (struct kept){++run->number, lane, malloc(payload.size), payload.size};
    memcpy(kept->payload, payload.data, payload.size);
    if (lane == LANE_ALARM && arrival_decode(payload, &arrival)) {
        struct decision_seen *seen = &run->decisions[run->decision_count++];

        seen->kind = arrival.signal.kind;
        seen->at_us = arrival.signal.received_at_us;
        memcpy(seen->identity, arrival.signal.identity, sizeof(seen->identity));
        memcpy(seen->code, arrival.signal.code, sizeof(seen->code));
    }
    return run->number;
}

static bool submit(void *context, const struct store_batch *batch)
{
    gateway_stored(((struct run *)context)->gateway, batch->id, STORE_COMMITTED, "");
    return true;
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    struct run *run = context;

    for (size_t i = 0; i < run->record_count; i++)
        if (run->records[i].lane == lane && run->records[i].number > after &&
            !gateway_refill(run->gateway, lane, run->records[i].number,
                            (struct bytes){run->records[i].payload, run->records[i].size}))
            return false;
    return true;
}

static void replay(struct run *run)
{
    for (size_t i = 0; i < run->record_count; i++) {
        const struct kept *kept = &run->records[i];

        if (kept->number <= run->checkpoint)
            continue;
        gateway_replay(run->gateway, kept->lane, kept->number,
                       (struct bytes){kept->payload, kept->size});
        run->replayed++;
    }
    gateway_replayed(run->gateway);
    gateway_durable(run->gateway, run->number);
}

static void start(struct run *run, bool fixed)
{
    struct gateway_settings settings = {.clock_wrong_us = US_PER_DAY,
                                        .partial_frame_us = US_PER_MINUTE,
                                        .keep_round_us = 2 * US_PER_HOUR,
                                        .batch_records = 16,
                                        .in_flight = 2,
                                        .silence = silence_settings_default()};
    struct gateway_ports ports = {.context = run,
                                  .append_room = append_room,
                                  .append = append,
                                  .submit = submit,
                                  .touch = touch,
                                  .read_back = read_back,
                                  .log = &run->log};

    if (fixed)
        settings.silence.rules = SILENCE_FIXED;
    memset(run->memory, 0, gateway_memory_size(&limits));
    run->gateway = gateway_init(run->memory, &limits, &settings, &ports, run->now);
    for (int i = 0; i < METERS; i++) {
        struct device_entry entry = {.protocol = (uint8_t)codec_find("meter_json"),
                                     .kind = DEVICE_METER,
                                     .device_id = i + 1,
                                     .household_id = i + 1};

        snprintf(entry.identity, sizeof(entry.identity), "WM-%03d", i);
        assert_true(gateway_device(run->gateway, &entry));
    }
    replay(run);
    gateway_lane_up(run->gateway, LANE_ALARM);
    gateway_lane_up(run->gateway, LANE_READING);
}

static void step(struct run *run)
{
    gateway_now(run->gateway, run->now);
    while (gateway_tick(run->gateway))
        ;
    gateway_keep(run->gateway, false);
    gateway_durable(run->gateway, run->number);
    gateway_submit(run->gateway);
    if (gateway_checkpoint(run->gateway) > run->checkpoint)
        run->checkpoint = gateway_checkpoint(run->gateway);
}

static void publish_reading(struct run *run, int meter, int64_t total_l)
{
    char topic[64], body[96];

    snprintf(topic, sizeof(topic), "onekey/v1/meter/WM-%03d/up/reading", meter);
    snprintf(body, sizeof(body), "{\"total_l\":%lld}", (long long)total_l);
    gateway_message(run->gateway,
                    &(struct message){.topic = bytes_of(topic), .body = bytes_of(body)});
}

/* People sleep, go out and are sometimes away for days; some meters fall mute. */
static int64_t litres_used(struct random *random, int meter, int hour)
{
    int of_day = hour % 24, day = hour / 24;

    if (of_day < 6 || (day + meter) % 9 == 0 || random_below(random, 3) == 0)
        return 0;
    return (int64_t)random_below(random, 30);
}

static void advance(struct run *run, int64_t at_us)
{
    run->now.mono_us += at_us - run->now.wall_us;
    run->now.wall_us = at_us;
    step(run);
}

static void live(struct run *run, uint64_t seed, uint64_t crash_one_in, bool fixed)
{
    struct random habits, fate;
    int64_t total_l[METERS] = {0};

    random_init(&habits, seed);
    random_init(&fate, seed + 1);
    run->memory = malloc(gateway_memory_size(&limits));
    run->records = calloc(RECORDS_MAX, sizeof(*run->records));
    run->now = (struct instant){.mono_us = US_PER_HOUR, .wall_us = START_US};
    start(run, fixed);
    for (int hour = 0; hour < DAYS * 24; hour++) {
        for (int part = 0; part < 60; part++)
            advance(run, START_US + hour * US_PER_HOUR + part * US_PER_MINUTE);
        for (int meter = 0; meter < METERS; meter++) {
            total_l[meter] += litres_used(&habits, meter, hour);
            if ((hour / 24 + meter) % 13 != 0)
                publish_reading(run, meter, total_l[meter]);
        }
        if (crash_one_in && random_below(&fate, crash_one_in) == 0) {
            run->crashes++;
            start(run, fixed);
        }
    }
}

static void end(struct run *run)
{
    for (size_t i = 0; i < run->record_count; i++)
        free(run->records[i].payload);
    free(run->records);
    free(run->memory);
    free(run);
}

static void compare(uint64_t seed, bool fixed)
{
    struct run *calm = calloc(1, sizeof(*calm)), *crashing = calloc(1, sizeof(*crashing));

    live(calm, seed, 0, fixed);
    live(crashing, seed, 30, fixed);
    printf("# %s: %zu decisions, %d crashes, %zu of %zu records replayed\n",
           fixed ? "fixed" : "learned", calm->decision_count, crashing->crashes, crashing->replayed,
           crashing->record_count);
    assert_true(calm->decision_count > METERS);
    assert_true(crashing->crashes > 10);
    assert_true(crashing->checkpoint > crashing->number / 2);
    assert_int_equal(crashing->decision_count, calm->decision_count);
    assert_memory_equal(crashing->decisions, calm->decisions,
                        calm->decision_count * sizeof(calm->decisions[0]));
    end(calm);
    end(crashing);
}

static void test_learned_rule_survives(void **state)
{
    (void)state;
    compare(test_seed(), false);
}

static void test_fixed_rule_survives(void **state)
{
    (void)state;
    compare(test_seed(), true);
}

/* A full journal must not be held by states that cannot be written for want of room. */
static void test_gives_way_when_the_journal_is_full(void **state)
{
    struct run *run = calloc(1, sizeof(*run));

    (void)state;
    run->memory = malloc(gateway_memory_size(&limits));
    run->records = calloc(RECORDS_MAX, sizeof(*run->records));
    run->now = (struct instant){.mono_us = US_PER_HOUR, .wall_us = START_US};
    start(run, false);
    publish_reading(run, 0, 1000);
    step(run);
    assert_true(gateway_checkpoint(run->gateway) < run->number);
    run->full = true;
    assert_true(gateway_checkpoint(run->gateway) >= run->number);
    end(run);
}

/* A device that turns out to be a meter is judged as one, and one that is none no longer is not. */
static void test_follows_a_device_that_changes_its_kind(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    struct device_entry entry = {.protocol = (uint8_t)codec_find("meter_json"),
                                 .kind = DEVICE_CALL_BOX,
                                 .identity = "WM-999",
                                 .device_id = 999,
                                 .household_id = 999};

    (void)state;
    run->memory = malloc(gateway_memory_size(&limits));
    run->records = calloc(RECORDS_MAX, sizeof(*run->records));
    run->now = (struct instant){.mono_us = US_PER_HOUR, .wall_us = START_US};
    start(run, false);
    assert_true(gateway_device(run->gateway, &entry));
    entry.kind = DEVICE_METER;
    assert_true(gateway_device(run->gateway, &entry));
    publish_reading(run, 999, 1000);
    for (int hour = 1; hour < 60 && run->decision_count == 0; hour++)
        advance(run, START_US + hour * US_PER_HOUR);
    assert_true(run->decision_count > 0);
    /* A state that was never set up would have no threshold and speak at once. */
    assert_true(run->decisions[0].at_us > START_US + 10 * US_PER_HOUR);
    gateway_device_removed(run->gateway, entry.protocol, entry.identity, 999);
    assert_string_equal(run->decisions[0].identity, "WM-999");
    end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learned_rule_survives),
        cmocka_unit_test(test_fixed_rule_survives),
        cmocka_unit_test(test_gives_way_when_the_journal_is_full),
        cmocka_unit_test(test_follows_a_device_that_changes_its_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
