#include "tests/sim/world.h"

#include "daemon/core/gateway_start.h"

#include "tests/unit/fake_disk.c"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_SIZE (256u << 10)
#define START_US (1700000000 * US_PER_SECOND)

void world_note(struct world *world, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(world->events[world->event_count++ % EVENTS_MAX], sizeof(world->events[0]), format,
              arguments);
    va_end(arguments);
}

void world_require(struct world *world, bool ok, const char *what)
{
    if (ok)
        return;
    printf("seed=%llu: %s\n", (unsigned long long)world->seed, what);
    for (int i = world->event_count < EVENTS_MAX ? 0 : world->event_count - EVENTS_MAX;
         i < world->event_count; i++)
        printf("  %s\n", world->events[i % EVENTS_MAX]);
    fflush(stdout);
    exit(1);
}

bool world_chance(struct world *world, uint64_t one_in)
{
    return random_below(&world->random, one_in) == 0;
}

int world_find_press(const struct world *world, const char *identity, struct bytes raw)
{
    for (int i = world->press_count - 1; i >= 0; i--) {
        const struct press *press = &world->presses[i];

        if (press->size == raw.size && memcmp(press->frame, raw.data, raw.size) == 0 &&
            strcmp(world->players[press->device].identity, identity) == 0)
            return i;
    }
    return NONE;
}

/* FNV-1a over every line: two runs of one seed must say the same. */
static void hear_line(void *context, const char *line, size_t size)
{
    struct world *world = context;

    for (size_t i = 0; i < size; i++)
        world->log_hash = (world->log_hash ^ (uint8_t)line[i]) * UINT64_C(0x100000001B3);
}

static enum append_room append_room(void *context)
{
    struct world *world = context;

    if (journal_has_room(&world->journal, ARRIVAL_SIZE_MAX))
        return APPEND_READY;
    return journal_is_full(&world->journal) ? APPEND_FULL : APPEND_WAIT;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct world *world = context;
    uint64_t number = journal_append(&world->journal, (uint8_t)lane, payload.data, payload.size);
    struct arrival arrival;

    if (number != 0 && arrival_decode(payload, &arrival)) {
        int press = world_find_press(world, arrival.signal.identity, arrival.raw);

        if (press != NONE) {
            world->early += world->starting;
            world_require(world, world->presses[press].number == 0 || world->starting,
                          "a retransmission became a second record");
            if (world->presses[press].number == 0)
                world->presses[press].number = number;
            else
                world->presses[press].again++;
            world_note(world, "append %llu press %d", (unsigned long long)number, press);
        }
    }
    return number;
}

static void answer(void *context, uint64_t connection, struct bytes data)
{
    players_receive(context, (int)connection, data);
}

static void hang_up(void *context, uint64_t connection, const char *reason)
{
    struct world *world = context;

    world_note(world, "hang up %d: %s", (int)connection, reason);
    world_require(world, false, "the gateway hung up on an honest device");
}

static void publish(void *context, struct bytes topic, struct bytes body)
{
    struct world *world = context;

    for (int i = WATCHES; i < DEVICES; i++) {
        struct player *player = &world->players[i];
        char expected[128];

        snprintf(expected, sizeof(expected), "onekey/v1/call_box/%s/down/ack", player->identity);
        if (!bytes_equal_text(topic, expected) || player->press == NONE)
            continue;
        snprintf(expected, sizeof(expected), "\"press-%d\"", player->press);
        if (memmem(body.data, body.size, expected, strlen(expected)))
            players_acknowledged(world, i, player->press);
    }
}

static bool submit(void *context, const struct store_batch *batch)
{
    return database_submit(context, batch);
}

static bool park(void *context, const struct arrival *arrival, const char *message)
{
    (void)message;
    return database_park(context, arrival);
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static bool on_read_back(void *context, const struct record *record)
{
    struct world *world = context;

    return gateway_refill(world->gateway, (enum lane)record->type, record->number,
                          (struct bytes){record->payload, record->size});
}

static bool on_read_back_alarm(void *context, const struct record *record)
{
    return record->type != LANE_ALARM || on_read_back(context, record);
}

static bool on_read_back_reading(void *context, const struct record *record)
{
    return record->type != LANE_READING || on_read_back(context, record);
}

static void on_damage(void *context, const struct scan_damage *damage)
{
    (void)damage;
    world_require(context, false, "the journal reports damage that nobody did");
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    struct world *world = context;
    int i = lane == LANE_READING;

    if (!world->reading[i]) {
        world->reading[i] = true;
        backlog_init(&world->backlogs[i], &world->journal, after, &world->handlers[i]);
    }
    if (backlog_read(&world->backlogs[i], world->read_buffer, sizeof(world->read_buffer)) !=
        BACKLOG_DONE)
        return false;
    world->reading[i] = false;
    return true;
}

static struct gateway_settings settings_of(void)
{
    return (struct gateway_settings){
        .clock_wrong_us = US_PER_DAY,
        .partial_frame_us = US_PER_HOUR,
        .keep_round_us = US_PER_MINUTE,
        .batch_records = 32,
        .in_flight = 2,
        .silence = silence_settings_default(),
    };
}

static const struct gateway_limits limits = {
    .devices_max = DEVICES + 4,
    .sessions_max = 4 * WATCHES,
    .outbox_bytes = 24u << 10, /* small, so that it spills */
    .pledge_bytes = 32u << 10,
    .recent_sets = 512,
    .early_max = DECODE_SIGNALS_MAX + 32, /* few, so that some must wait */
};

static void open_journal(struct world *world)
{
    struct journal_setup setup = {
        .disk = &world->disk.port,
        .wall_seconds = (uint64_t)(world->now.wall_us / US_PER_SECOND),
        .bytes_max = 48 * SEGMENT_SIZE,
        .segment_size = SEGMENT_SIZE,
        .buffer_size = sizeof(world->buffers) / 2,
        .buffers = world->buffers,
        .segments = world->segments,
        .segments_room = 64,
        .retry_us = US_PER_SECOND,
    };

    world_require(world, journal_open(&world->journal, &setup) == 0, "the journal does not open");
}

static bool on_replayed(void *context, const struct record *record)
{
    struct world *world = context;
    struct bytes payload = {record->payload, record->size};
    struct arrival arrival;
    int press = NONE;

    if (arrival_decode(payload, &arrival))
        press = world_find_press(world, arrival.signal.identity, arrival.raw);
    if (press != NONE && world->presses[press].number == 0)
        world->presses[press].number = record->number; /* it had reached the disk after all */
    gateway_replay(world->gateway, (enum lane)record->type, record->number, payload);
    return true;
}

/* A little more of it; frames come in between. */
static void replay(struct world *world)
{
    enum backlog_state state = backlog_read(&world->replay, world->read_buffer, BACKLOG_BUFFER_MIN);

    world_require(world, state == BACKLOG_MORE || state == BACKLOG_DONE,
                  "the journal does not read back");
    if (state != BACKLOG_DONE || !gateway_replayed(world->gateway))
        return;
    world->starting = false;
    world_note(world, "replayed, durable %llu",
               (unsigned long long)journal_durable(&world->journal));
    if (world->database_up) {
        gateway_lane_up(world->gateway, LANE_ALARM);
        gateway_lane_up(world->gateway, LANE_READING);
    }
}

static void register_devices(struct world *world)
{
    for (int i = 0; i < DEVICES; i++) {
        struct device_entry entry = {.protocol = (uint8_t)world->players[i].codec,
                                     .kind = i < WATCHES ? DEVICE_WRISTBAND : DEVICE_CALL_BOX,
                                     .device_id = i + 1,
                                     .household_id = i + 1};

        if (i % 8 == 7)
            continue; /* unknown devices raise alarms as well */
        memcpy(entry.identity, world->players[i].identity, sizeof(entry.identity));
        world_require(world, gateway_device(world->gateway, &entry), "the registry is full");
    }
}

void world_start(struct world *world)
{
    struct gateway_settings settings = settings_of();
    struct gateway_ports ports = {
        .context = world,
        .append_room = append_room,
        .append = append,
        .send = answer,
        .hang_up = hang_up,
        .publish = publish,
        .submit = submit,
        .park = park,
        .touch = touch,
        .read_back = read_back,
        .log = &world->log,
    };

    open_journal(world);
    memset(world->memory, 0, gateway_memory_size(&limits));
    world->gateway = gateway_init(world->memory, &limits, &settings, &ports, world->now);
    register_devices(world);
    backlog_init(&world->replay, &world->journal, journal_checkpoint_number(&world->journal),
                 &world->handlers[2]);
    gateway_starting(world->gateway, journal_durable(&world->journal));
    world->starting = true;
    world_note(world, "start, durable %llu", (unsigned long long)journal_durable(&world->journal));
}

/* Numbers that were not durable may or may not have survived: nothing may rely on them. */
void world_crash(struct world *world)
{
    uint64_t durable = journal_durable(&world->journal);

    world_note(world, "crash, durable %llu", (unsigned long long)durable);
    for (int i = 0; i < world->press_count; i++)
        if (world->presses[i].number > durable) {
            world->presses[i].number = 0;
            world->presses[i].lost++;
        }
    fake_disk_crash(&world->disk, &world->random);
    players_cut_off(world);
    database_forget(world);
    world->reading[0] = world->reading[1] = false;
    world->crashes++;
    world->crashes_early += world->starting;
    world_start(world);
}

static void write_journal(struct world *world)
{
    struct journal_prepare request;
    struct journal_write write;

    if (world->disk.pending.parts == 0 && journal_take(&world->journal, &write))
        fake_disk_submit(&world->disk, &write);
    if (journal_prepare(&world->journal, world->now.mono_us, &request))
        journal_prepared(&world->journal, world->now.mono_us,
                         fake_disk_prepare(&world->disk, &request));
}

static void complete_write(struct world *world)
{
    if (world->disk.pending.parts == 0 || (!world->calm && !world_chance(world, 3)))
        return;
    fake_disk_complete(&world->disk);
    journal_written(&world->journal, 0);
    gateway_durable(world->gateway, journal_durable(&world->journal));
}

void world_turn(struct world *world)
{
    int64_t step_us = (int64_t)random_below(&world->random, 30000);

    world->now.mono_us += step_us;
    world->now.wall_us += step_us;
    log_tick(&world->log, world->now.mono_us);
    gateway_now(world->gateway, world->now);
    complete_write(world);
    players_act(world);
    if (world->starting) {
        replay(world);
        write_journal(world);
        return;
    }
    database_act(world);
    gateway_tick(world->gateway);
    gateway_keep(world->gateway, world_chance(world, 100));
    write_journal(world);
    gateway_submit(world->gateway);
    if (world_chance(world, 50))
        journal_checkpoint(&world->journal, gateway_checkpoint(world->gateway));
}

void world_init(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    random_init(&world->random, seed);
    world->now = (struct instant){.mono_us = 1000000, .wall_us = START_US};
    fake_disk_init(&world->disk, 48 * SEGMENT_SIZE);
    log_init(&world->log, LOG_INFO);
    world->log.sink = hear_line;
    world->log.context = world;
    world->handlers[0] = (struct backlog_handler){world, on_read_back_alarm, on_damage};
    world->handlers[1] = (struct backlog_handler){world, on_read_back_reading, on_damage};
    world->handlers[2] = (struct backlog_handler){world, on_replayed, on_damage};
    world->memory = malloc(gateway_memory_size(&limits));
    world->database_up = true;
    players_init(world);
    world_start(world);
}

void world_fini(struct world *world)
{
    fake_disk_fini(&world->disk);
    free(world->memory);
}
