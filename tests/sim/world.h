/*
 * The whole gateway in one process on virtual time, from one seed: the real core, journal and codecs
 * between devices that retransmit until they are answered, a network that cuts and resets, a broker
 * that delivers again, a disk that loses unsynced bytes, and a database that is slow, goes away,
 * commits and loses the reply, or refuses a row. Crashes come at any moment,
 * and devices do not wait for the replay after one.
 *
 * Checked at each event: no answer before its record is durable; answers in the order of the frames.
 * Checked at the end: every answered alarm is in the database, and none twice.
 */
#ifndef ONEKEY_TESTS_SIM_WORLD_H
#define ONEKEY_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/random.h"
#include "daemon/core/gateway.h"
#include "daemon/journal/backlog.h"
#include "daemon/journal/journal.h"
#include "tests/unit/fake_disk.h"

#define WATCHES 24
#define BOXES 8
#define DEVICES (WATCHES + BOXES)
#define PRESSES_MAX 4000
#define FRAME_MAX 512
#define LINK_MAX 8192
#define SENT_MAX 64
#define EVENTS_MAX 50
#define STORED_MAX 8 /* numbers of one press, more than ever are */
#define NONE (-1)

struct press {
    int device;
    uint8_t frame[FRAME_MAX]; /* unique: carries its own time or id */
    size_t size;
    uint64_t number; /* of a record of it that is durable or may become so; 0 = none */
    int64_t sent_us;
    int again;  /* times it was accepted once more while the journal was replayed */
    int lost;   /* times a crash took its record before it was durable */
    int stored; /* under how many numbers it is in the database */
    uint64_t stored_numbers[STORED_MAX];
    bool acknowledged, poisoned, parked;
};

struct player {
    char identity[IDENTITY_LIMIT + 1];
    int codec;
    int press; /* the one not yet acknowledged, NONE */
    int64_t last_second;
    struct codec_session memory;
    /* a wristband's connection */
    uint64_t session; /* the gateway's; 0 = not connected */
    uint8_t up[LINK_MAX], down[LINK_MAX];
    size_t up_size, arrived, down_size; /* `arrived` of up_size bytes have reached the gateway */
    int sent[SENT_MAX];                 /* presses of the frames sent on it, oldest first */
    int sent_count;
    /* a call box's message at the broker */
    bool published, delivered;
    uint64_t owed;
};

struct batch {
    uint32_t id;
    size_t count;
    uint64_t numbers[STORE_BATCH_MAX];
    int presses[STORE_BATCH_MAX]; /* NONE: decided by the gateway */
};

struct world {
    uint64_t seed;
    struct random random;
    struct instant now;
    struct fake_disk disk;
    struct journal journal;
    uint8_t buffers[2 * (64u << 10)];
    struct journal_segment segments[64];
    uint8_t read_buffer[64u << 10];
    struct backlog backlogs[2], replay;
    struct backlog_handler handlers[3];
    bool reading[2], starting;
    struct gateway *gateway;
    void *memory;
    struct log log;
    uint64_t log_hash;
    struct player players[DEVICES];
    struct press presses[PRESSES_MAX];
    int press_count;
    struct batch batches[2 * 4];
    int batch_count;
    uint64_t parking; /* number being parked, 0 = none */
    int parking_press;
    bool database_up, calm; /* calm: no more faults, let everything finish */
    int crashes, resets;
    int early, crashes_early; /* alarms accepted, and crashes, while the journal was replayed */
    char events[EVENTS_MAX][120];
    int event_count;
};

/* world.c: the gateway, its ports, time, crash and restart */
void world_init(struct world *world, uint64_t seed);
void world_fini(struct world *world);
void world_start(struct world *world);
void world_crash(struct world *world);
/* One turn of the loop. */
void world_turn(struct world *world);
void world_note(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
/* Prints seed and last events and ends the process unless `ok`. */
void world_require(struct world *world, bool ok, const char *what);
bool world_chance(struct world *world, uint64_t one_in);
int world_find_press(const struct world *world, const char *identity, struct bytes raw);

/* players.c: devices, network, broker */
void players_init(struct world *world);
void players_act(struct world *world);
void players_cut_off(struct world *world); /* the gateway has gone: connections are lost */
void players_receive(struct world *world, int player, struct bytes data);
void players_acknowledged(struct world *world, int player, int press);
bool players_done(const struct world *world);

/* database.c */
bool database_submit(struct world *world, const struct store_batch *batch);
bool database_park(struct world *world, const struct arrival *arrival);
void database_act(struct world *world);
void database_forget(struct world *world); /* the gateway crashed: nobody waits for results */

#endif
