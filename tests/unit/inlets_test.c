/*
 * Bytes that come while the journal has no room for a moment: they are taken as soon as it has, without
 * waiting for the peer to say more.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/address.h"
#include "daemon/edge/clock.h"
#include "daemon/edge/inlets.h"
#include "tests/unit/loop.h"

#define ALARM "[3G*9000000042*0002*AL]"

static struct {
    struct event_base *base;
    struct gateway *gateway;
    struct inlets *inlets;
    struct config config;
    struct log log;
    struct random random;
    enum append_room room;
    uint64_t number;
    int turns;
} world;

static enum append_room append_room(void *context)
{
    (void)context;
    return world.room;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    (void)context, (void)lane, (void)payload;
    return ++world.number;
}

static void take_reply(void *context, uint64_t connection, struct bytes data)
{
    (void)context, (void)connection, (void)data;
}

static void begin(void *context)
{
    (void)context;
    world.turns++;
    gateway_now(world.gateway, clock_now());
}

static void *open_gateway(void)
{
    static const struct gateway_limits limits = {.devices_max = 4,
                                                 .sessions_max = 16,
                                                 .outbox_bytes = 64 << 10,
                                                 .pledge_bytes = 64 << 10,
                                                 .recent_sets = 16};
    struct gateway_settings settings = {.clock_wrong_us = US_PER_DAY,
                                        .partial_frame_us = US_PER_MINUTE,
                                        .keep_round_us = US_PER_HOUR,
                                        .batch_records = 16,
                                        .in_flight = 2,
                                        .silence = silence_settings_default()};
    struct gateway_ports ports = {
        .append_room = append_room, .append = append, .send = take_reply, .log = &world.log};
    void *memory = calloc(1, gateway_memory_size(&limits));

    world.gateway = gateway_init(memory, &limits, &settings, &ports, clock_now());
    return memory;
}

/* A port that was free a moment ago. */
static uint16_t free_port(int type)
{
    char error[200];
    int fd = address_bind(type, "127.0.0.1", 0, error, sizeof(error));
    uint16_t port = address_port(fd);

    assert_true(fd >= 0);
    close(fd);
    return port;
}

static void open_inlets(enum config_transport transport, uint16_t port)
{
    char error[512] = "";
    struct config_listener *listener = &world.config.listeners[0];

    world.config.gateway.sessions_max = 16;
    world.config.listener_count = 1;
    *listener = (struct config_listener){.transport = transport,
                                         .port = port,
                                         .connections_max = 8,
                                         .accepts_per_second = 100,
                                         .handshake_timeout_s = 5,
                                         .idle_timeout_s = 60};
    snprintf(listener->name, sizeof(listener->name), "test");
    snprintf(listener->protocol, sizeof(listener->protocol), "watch");
    snprintf(listener->address, sizeof(listener->address), "127.0.0.1");
    world.inlets = inlets_open(&(struct inlets_setup){.base = world.base,
                                                      .config = &world.config,
                                                      .gateway = world.gateway,
                                                      .log = &world.log,
                                                      .random = &world.random,
                                                      .on_turn = begin},
                               error, sizeof(error));
    assert_string_equal(error, "");
}

static void test_a_frame_that_had_to_wait_is_taken(void **state)
{
    void *memory;
    uint16_t port = free_port(SOCK_STREAM);
    (void)state;

    memset(&world, 0, sizeof(world));
    world.base = event_base_new();
    memory = open_gateway();
    open_inlets(CONFIG_TCP, port);
    world.room = APPEND_WAIT;

    int fd = dial(port);

    assert_true(LOOP_UNTIL(world.base, world.turns > 0));
    world.turns = 0;
    assert_int_equal(write(fd, ALARM, strlen(ALARM)), strlen(ALARM));
    assert_true(LOOP_UNTIL(world.base, world.turns > 0));
    inlets_turn(world.inlets, 0, false);
    assert_int_equal(world.number, 0);
    world.room = APPEND_READY;
    inlets_turn(world.inlets, 0, true);
    assert_true(LOOP_UNTIL(world.base, world.number == 1));
    close(fd);
    inlets_close(world.inlets);
    event_base_free(world.base);
    free(memory);
}

/* More senders than sessions, as an address can be forged in a datagram: each is heard, and half of the
 * sessions stay free for connections. */
static void test_a_flood_of_senders_shuts_nobody_out(void **state)
{
    void *memory;
    uint16_t port = free_port(SOCK_DGRAM);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fds[20];
    (void)state;

    memset(&world, 0, sizeof(world));
    world.base = event_base_new();
    memory = open_gateway();
    open_inlets(CONFIG_UDP, port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 20; i++) {
        fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(
            sendto(fds[i], ALARM, strlen(ALARM), 0, (struct sockaddr *)&where, sizeof(where)),
            strlen(ALARM));
    }
    assert_true(LOOP_UNTIL_WITHIN(world.base, 3, world.number == 20));
    assert_int_equal(gateway_figures(world.gateway).sessions, 8);
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    inlets_close(world.inlets);
    event_base_free(world.base);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_that_had_to_wait_is_taken),
        cmocka_unit_test(test_a_flood_of_senders_shuts_nobody_out),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
