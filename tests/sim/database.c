/* A database that knows records by their numbers, and has every fault that matters. */
#include "tests/sim/world.h"

#include <string.h>

bool database_submit(struct world *world, const struct store_batch *batch)
{
    struct batch *kept = &world->batches[world->batch_count];

    if (!world->database_up || world->batch_count == 8)
        return false;
    kept->id = batch->id;
    kept->count = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        const struct arrival *arrival = &batch->records[i];

        kept->numbers[i] = arrival->number;
        kept->presses[i] = world_find_press(world, arrival->signal.identity, arrival->raw);
    }
    world->batch_count++;
    return true;
}

bool database_park(struct world *world, const struct arrival *arrival)
{
    if (!world->database_up)
        return false;
    world->parking = arrival->number;
    world->parking_press = world_find_press(world, arrival->signal.identity, arrival->raw);
    return true;
}

static bool is_stored(const struct press *press, uint64_t number)
{
    for (int i = 0; i < press->stored && i < STORED_MAX; i++)
        if (press->stored_numbers[i] == number)
            return true;
    return false;
}

/* Storing the same number again changes nothing: each press remembers the numbers it is under. */
static void commit(struct world *world, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct press *press;

        if (batch->presses[i] == NONE)
            continue;
        press = &world->presses[batch->presses[i]];
        if (!is_stored(press, batch->numbers[i]))
            press->stored_numbers[press->stored++ % STORED_MAX] = batch->numbers[i];
    }
}

static enum store_result judge(struct world *world, const struct batch *batch)
{
    if (!world->calm && world_chance(world, 15)) {
        if (world_chance(world, 2))
            commit(world, batch); /* and the reply is lost */
        return STORE_LOST;
    }
    for (size_t i = 0; i < batch->count; i++)
        if (batch->presses[i] != NONE && world->presses[batch->presses[i]].poisoned)
            return STORE_REFUSED;
    commit(world, batch);
    return STORE_COMMITTED;
}

static void answer_batch(struct world *world)
{
    struct batch batch = world->batches[0];
    enum store_result result = judge(world, &batch);

    memmove(world->batches, world->batches + 1,
            (size_t)--world->batch_count * sizeof(world->batches[0]));
    gateway_stored(world->gateway, batch.id, result, "poisoned");
}

static void answer_parking(struct world *world)
{
    bool done = world->calm || !world_chance(world, 4);
    uint64_t number = world->parking;

    world->parking = 0;
    if (done && world->parking_press != NONE)
        world->presses[world->parking_press].parked = true;
    gateway_parked(world->gateway, number, done);
}

static void go(struct world *world, bool up)
{
    world->database_up = up;
    world_note(world, "database %s", up ? "up" : "down");
    for (int lane = LANE_ALARM; lane <= LANE_READING; lane++)
        if (up)
            gateway_lane_up(world->gateway, (enum lane)lane);
        else
            gateway_lane_down(world->gateway, (enum lane)lane);
    if (!up)
        database_forget(world);
}

void database_act(struct world *world)
{
    if (!world->database_up) {
        if (world->calm || world_chance(world, 300))
            go(world, true);
        return;
    }
    if (!world->calm && world_chance(world, 1000)) {
        go(world, false);
        return;
    }
    if (world->batch_count > 0 && world_chance(world, 2))
        answer_batch(world);
    if (world->parking != 0 && world_chance(world, 2))
        answer_parking(world);
}

void database_forget(struct world *world)
{
    world->batch_count = 0;
    world->parking = 0;
}
