/* Devices as they are: they press, they repeat themselves until they are answered, they get lost. */
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

#define RETRANSMIT_US (3 * US_PER_SECOND)

void players_init(struct world *world)
{
    for (int i = 0; i < DEVICES; i++) {
        struct player *player = &world->players[i];

        if (i < WATCHES)
            snprintf(player->identity, sizeof(player->identity), "70000000%02d", i);
        else
            snprintf(player->identity, sizeof(player->identity), "box-%d", i);
        player->codec = codec_find(i < WATCHES ? "watch" : "meter_json");
        player->press = NONE;
    }
}

void players_acknowledged(struct world *world, int index, int press)
{
    struct player *player = &world->players[index];
    uint64_t number = world->presses[press].number;

    world_note(world, "acknowledged press %d, number %llu", press, (unsigned long long)number);
    world_require(world, number != 0 && number <= journal_durable(&world->journal),
                  "an answer left before its record was durable");
    world->presses[press].acknowledged = true;
    if (player->press == press)
        player->press = NONE;
}

/* A press is named by its second, so a device presses at most once in one. */
static void press_button(struct world *world, int index)
{
    struct player *player = &world->players[index];
    struct press *press = &world->presses[world->press_count];
    int64_t second = world->now.wall_us / US_PER_SECOND;

    if (player->press != NONE || second <= player->last_second || world->press_count == PRESSES_MAX)
        return;

    struct signal signal = {.kind = SIGNAL_PANIC, .occurred_at_us = second * US_PER_SECOND};
    struct codec_environment environment = {.now_us = world->now.wall_us};
    struct writer out = writer_into(press->frame, sizeof(press->frame));

    memcpy(signal.identity, player->identity, sizeof(signal.identity));
    if (index < WATCHES) {
        world_require(
            world,
            codecs[player->codec]->compose(&signal, &player->memory, &environment, NULL, &out),
            "the wristband cannot say it");
    } else {
        out.size = (size_t)snprintf((char *)press->frame, sizeof(press->frame),
                                    "{\"id\":\"press-%d\",\"type\":\"panic\"}", world->press_count);
    }
    press->size = out.size;
    press->device = index;
    press->poisoned = world_chance(world, 60);
    player->last_second = second;
    player->press = world->press_count++;
    player->published = false;
    press->sent_us = 0;
}

static void put_frame(struct player *player, const uint8_t *frame, size_t size)
{
    memcpy(player->up + player->up_size, frame, size);
    player->up_size += size;
}

static void send_press(struct world *world, struct player *player)
{
    struct press *press = &world->presses[player->press];

    if (player->up_size + press->size > LINK_MAX || player->sent_count == SENT_MAX)
        return;
    put_frame(player, press->frame, press->size);
    player->sent[player->sent_count++] = player->press;
    press->sent_us = world->now.mono_us;
}

static void connect(struct world *world, int index)
{
    struct player *player = &world->players[index];

    player->up_size = player->arrived = player->down_size = 0;
    player->sent_count = 0;
    player->session = gateway_connected(world->gateway, player->codec, (uint64_t)index);
    if (player->press != NONE)
        world->presses[player->press].sent_us = 0;
}

static void reset(struct world *world, struct player *player)
{
    gateway_closed(world->gateway, player->session);
    player->session = 0;
    world->resets++;
}

/* Some more bytes reach the gateway; it is shown all that it has not consumed. */
static void carry(struct world *world, struct player *player)
{
    size_t waiting = player->up_size - player->arrived, consumed;

    if (waiting > 0)
        player->arrived += 1 + random_below(&world->random, waiting);
    if (player->arrived == 0)
        return;
    consumed =
        gateway_input(world->gateway, player->session, (struct bytes){player->up, player->arrived});
    memmove(player->up, player->up + consumed, player->up_size - consumed);
    player->up_size -= consumed;
    player->arrived -= consumed;
}

static void beat(struct player *player)
{
    char frame[64];
    int size = snprintf(frame, sizeof(frame), "[3G*%s*000B*LK,0,0,0077]", player->identity);

    if (player->up_size + (size_t)size <= LINK_MAX)
        put_frame(player, (const uint8_t *)frame, (size_t)size);
}

static void act_watch(struct world *world, int index)
{
    struct player *player = &world->players[index];

    if (player->session == 0) {
        if (world_chance(world, 4))
            connect(world, index);
        return;
    }
    if (!world->calm && world_chance(world, 200)) {
        reset(world, player);
        return;
    }
    if (player->press != NONE) {
        int64_t sent_us = world->presses[player->press].sent_us;

        if (sent_us == 0 || world->now.mono_us - sent_us > RETRANSMIT_US)
            send_press(world, player);
    }
    if (world_chance(world, 20))
        beat(player);
    carry(world, player);
}

/* The broker keeps a message until its number is durable, and delivers again after a crash. */
static void act_box(struct world *world, int index)
{
    struct player *player = &world->players[index];
    struct press *press;
    char topic[96];

    if (player->press == NONE)
        return;
    press = &world->presses[player->press];
    if (player->published && player->delivered && player->owed <= journal_durable(&world->journal))
        player->published = false;
    if (!player->published &&
        (press->sent_us == 0 || world->now.mono_us - press->sent_us > RETRANSMIT_US)) {
        player->published = true;
        player->delivered = false;
        press->sent_us = world->now.mono_us;
    }
    if (!player->published || player->delivered || !world_chance(world, 3) ||
        !gateway_has_room(world->gateway))
        return;
    snprintf(topic, sizeof(topic), "onekey/v1/call_box/%s/up/alarm", player->identity);
    player->delivered = true;
    player->owed =
        gateway_message(world->gateway, &(struct message){.topic = bytes_of(topic),
                                                          .body = {press->frame, press->size}});
    if (player->owed == GATEWAY_REFUSED)
        player->delivered = false;
}

void players_act(struct world *world)
{
    for (int i = 0; i < DEVICES; i++) {
        if (!world->calm && world_chance(world, 40))
            press_button(world, i);
        if (i < WATCHES)
            act_watch(world, i);
        else
            act_box(world, i);
    }
}

void players_cut_off(struct world *world)
{
    for (int i = 0; i < DEVICES; i++) {
        world->players[i].session = 0;
        world->players[i].delivered = false;
    }
}

/* Answers come whole frame by whole frame here; LK answers are of no interest. */
void players_receive(struct world *world, int index, struct bytes data)
{
    struct player *player = &world->players[index];
    char expected[64];

    snprintf(expected, sizeof(expected), "[3G*%s*0002*AL]", player->identity);
    if (!bytes_equal_text(data, expected))
        return;
    world_require(world, player->sent_count > 0, "an answer to nothing");
    players_acknowledged(world, index, player->sent[0]);
    memmove(player->sent, player->sent + 1, (size_t)--player->sent_count * sizeof(int));
}

bool players_done(const struct world *world)
{
    for (int i = 0; i < DEVICES; i++)
        if (world->players[i].press != NONE)
            return false;
    return true;
}
