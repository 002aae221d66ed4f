#include "tests/support/virtual_gateway.h"

#include "daemon/core/gateway_start.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static enum append_room append_room(void *context)
{
    return ((struct virtual_gateway *)context)->full ? APPEND_FULL : APPEND_READY;
}

/* Forgets what lies behind the checkpoint. */
static void prune(struct virtual_gateway *world)
{
    size_t first = 0, cut;

    if (world->record_count == 0)
        return;
    while (first < world->record_count && world->records[first].number <= world->checkpoint)
        first++;
    cut = first < world->record_count ? world->records[first].at : world->bytes_used;
    memmove(world->bytes, world->bytes + cut, world->bytes_used - cut);
    memmove(world->records, world->records + first,
            (world->record_count - first) * sizeof(*world->records));
    world->bytes_used -= cut;
    world->record_count -= first;
    for (size_t i = 0; i < world->record_count; i++)
        world->records[i].at -= cut;
}

/* What is left after a pruning is a quarter at most, so that little is moved. */
static void make_room(struct virtual_gateway *world, size_t size)
{
    if (world->bytes_used + size <= world->bytes_room && world->record_count < world->record_room)
        return;
    prune(world);
    if (4 * (world->bytes_used + size) > world->bytes_room) {
        world->bytes_room = 8 * (world->bytes_used + size) + 65536;
        world->bytes = must(realloc(world->bytes, world->bytes_room));
    }
    if (4 * (world->record_count + 1) > world->record_room) {
        world->record_room = 8 * (world->record_count + 256);
        world->records =
            must(realloc(world->records, world->record_room * sizeof(*world->records)));
    }
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct virtual_gateway *world = context;
    struct arrival arrival;

    make_room(world, payload.size);
    world->records[world->record_count++] =
        (struct virtual_record){++world->number, lane, world->bytes_used, payload.size};
    memcpy(world->bytes + world->bytes_used, payload.data, payload.size);
    world->bytes_used += payload.size;
    if (lane == LANE_ALARM && world->on_alarm && arrival_decode(payload, &arrival)) {
        arrival.number = world->number;
        world->on_alarm(world->context, &arrival);
    }
    return world->number;
}

static bool submit(void *context, const struct store_batch *batch)
{
    gateway_stored(((struct virtual_gateway *)context)->gateway, batch->id, STORE_COMMITTED, "");
    return true;
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static struct bytes payload_of(const struct virtual_gateway *world, size_t i)
{
    return (struct bytes){world->bytes + world->records[i].at, world->records[i].size};
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    struct virtual_gateway *world = context;

    for (size_t i = 0; i < world->record_count; i++)
        if (world->records[i].lane == lane && world->records[i].number > after &&
            !gateway_refill(world->gateway, lane, world->records[i].number, payload_of(world, i)))
            return false;
    return true;
}

static void publish(void *context, struct bytes topic, struct bytes body)
{
    (void)context, (void)topic, (void)body;
}

static void sync_journal(struct virtual_gateway *world)
{
    world->durable = world->number;
    gateway_durable(world->gateway, world->durable);
}

static void replay(struct virtual_gateway *world)
{
    for (size_t i = 0; i < world->record_count; i++) {
        if (world->records[i].number <= world->checkpoint)
            continue;
        gateway_replay(world->gateway, world->records[i].lane, world->records[i].number,
                       payload_of(world, i));
        world->replayed++;
    }
    gateway_replayed(world->gateway);
    sync_journal(world);
}

void virtual_start(struct virtual_gateway *world)
{
    struct gateway_ports ports = {.context = world,
                                  .append_room = append_room,
                                  .append = append,
                                  .publish = publish,
                                  .submit = submit,
                                  .touch = touch,
                                  .read_back = read_back,
                                  .log = &world->log};
    size_t size = gateway_memory_size(&world->limits);

    free(world->memory);
    world->memory = must(calloc(1, size));
    world->gateway =
        gateway_init(world->memory, &world->limits, &world->settings, &ports, world->now);
    for (size_t i = 0; i < world->device_count; i++)
        if (!gateway_device(world->gateway, &world->devices[i]))
            abort();
    replay(world);
    gateway_lane_up(world->gateway, LANE_ALARM);
    gateway_lane_up(world->gateway, LANE_READING);
}

void virtual_crash(struct virtual_gateway *world)
{
    while (world->record_count > 0 &&
           world->records[world->record_count - 1].number > world->durable)
        world->bytes_used -= world->records[--world->record_count].size;
    world->number = world->durable;
}

void virtual_end(struct virtual_gateway *world)
{
    free(world->memory);
    free(world->bytes);
    free(world->records);
}

void virtual_advance(struct virtual_gateway *world, int64_t wall_us)
{
    world->now.mono_us += wall_us - world->now.wall_us;
    world->now.wall_us = wall_us;
    gateway_now(world->gateway, world->now);
    while (gateway_tick(world->gateway))
        ;
    gateway_keep(world->gateway, false);
    sync_journal(world);
    gateway_submit(world->gateway);
    if (gateway_checkpoint(world->gateway) > world->checkpoint)
        world->checkpoint = gateway_checkpoint(world->gateway);
}

void virtual_publish(struct virtual_gateway *world, const char *topic, const char *body)
{
    gateway_message(world->gateway,
                    &(struct message){.topic = bytes_of(topic), .body = bytes_of(body)});
}

int64_t virtual_wake_at(const struct virtual_gateway *world)
{
    int64_t wake_us = gateway_wake_at(world->gateway);

    return wake_us == INT64_MAX ? wake_us : world->now.wall_us + wake_us - world->now.mono_us;
}
