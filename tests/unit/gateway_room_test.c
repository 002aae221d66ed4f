/*
 * What the gateway does while the disk or the database keeps it waiting: bytes that it does not read
 * are no peer's fault, and a lane that waits does not stop the alarms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/gateway.h"
#include "daemon/core/gateway_start.h"

#define METER "WM-900"
#define ALARM "[3G*9000000042*0002*AL]"
#define CONNECTION 77

struct world {
    struct gateway *gateway;
    void *memory;
    struct log log;
    struct instant now;
    enum append_room room;
    uint64_t number, parked;
    bool database, refuse, at_end; /* answers submissions; with a refusal; all was read back */
    int hung_up;
};

static enum append_room append_room(void *context)
{
    return ((struct world *)context)->room;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    (void)lane, (void)payload;
    return ++((struct world *)context)->number;
}

static void take_reply(void *context, uint64_t connection, struct bytes data)
{
    (void)context, (void)data;
    assert_int_equal(connection, CONNECTION);
}

static void hang_up(void *context, uint64_t connection, const char *reason)
{
    (void)connection, (void)reason;
    ((struct world *)context)->hung_up++;
}

static void publish(void *context, struct bytes topic, struct bytes body)
{
    (void)context, (void)topic, (void)body;
}

static bool submit(void *context, const struct store_batch *batch)
{
    struct world *world = context;

    if (world->database)
        gateway_stored(world->gateway, batch->id,
                       world->refuse && batch->type == LANE_READING ? STORE_REFUSED
                                                                    : STORE_COMMITTED,
                       "no such thing");
    return world->database;
}

static bool park(void *context, const struct arrival *arrival, const char *message)
{
    (void)message;
    ((struct world *)context)->parked = arrival->number;
    return true;
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    (void)lane, (void)after;
    return ((struct world *)context)->at_end;
}

/* Each lane has room for little more than one record of a long frame. */
static int start(void **state)
{
    static const struct gateway_limits limits = {.devices_max = 4,
                                                 .sessions_max = 4,
                                                 .outbox_bytes = 2000,
                                                 .pledge_bytes = 64 << 10,
                                                 .recent_sets = 16};
    struct gateway_settings settings = {.clock_wrong_us = US_PER_DAY,
                                        .partial_frame_us = US_PER_MINUTE,
                                        .keep_round_us = US_PER_HOUR,
                                        .batch_records = 16,
                                        .in_flight = 2,
                                        .silence = silence_settings_default()};
    struct world *world = calloc(1, sizeof(*world));
    struct gateway_ports ports = {world,  append_room, append, take_reply, hang_up, publish,
                                  submit, park,        touch,  NULL,       NULL,    NULL,
                                  NULL,   read_back,   NULL,   &world->log};
    struct device_entry meter = {.protocol = (uint8_t)codec_find("meter_json"),
                                 .kind = DEVICE_METER,
                                 .identity = METER,
                                 .device_id = 1,
                                 .household_id = 1};

    world->now =
        (struct instant){.mono_us = US_PER_HOUR, .wall_us = INT64_C(1700000000) * US_PER_SECOND};
    world->room = APPEND_READY;
    world->memory = calloc(1, gateway_memory_size(&limits));
    world->gateway = gateway_init(world->memory, &limits, &settings, &ports, world->now);
    assert_true(gateway_device(world->gateway, &meter));
    gateway_replayed(world->gateway);
    *state = world;
    return 0;
}

static int end(void **state)
{
    free(((struct world *)*state)->memory);
    free(*state);
    return 0;
}

static void turn(struct world *world, int64_t us)
{
    world->now.mono_us += us;
    world->now.wall_us += us;
    gateway_now(world->gateway, world->now);
    while (gateway_tick(world->gateway))
        ;
    gateway_submit(world->gateway);
}

static uint64_t connect_watch(struct world *world)
{
    return gateway_connected(world->gateway, codec_find("watch"), CONNECTION);
}

/* An alarm whose record leaves no room for a second one in its lane. */
static void press_long(struct world *world, uint64_t session)
{
    char frame[1101];

    snprintf(frame, sizeof(frame), "[3G*9000000042*0434*AL,%01073d]", 0);
    assert_int_equal(
        gateway_input(world->gateway, session, (struct bytes){(uint8_t *)frame, strlen(frame)}),
        strlen(frame));
}

static void read_meter(struct world *world)
{
    gateway_message(world->gateway,
                    &(struct message){.topic = bytes_of("onekey/v1/meter/" METER "/up/reading"),
                                      .body = bytes_of("{\"total_l\":7}")});
}

static void test_what_is_not_read_is_not_too_long(void **state)
{
    struct world *world = *state;
    uint64_t session = connect_watch(world);
    size_t size = codecs[codec_find("watch")]->frame_max + 4096;
    uint8_t *data = malloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)ALARM[i % strlen(ALARM)];
    world->room = APPEND_WAIT;
    assert_int_equal(gateway_input(world->gateway, session, (struct bytes){data, size}), 0);
    turn(world, 5 * US_PER_MINUTE);
    assert_int_equal(world->hung_up, 0);
    world->room = APPEND_READY;
    assert_true(gateway_input(world->gateway, session, (struct bytes){data, size}) > 0);
    assert_true(world->number > 0); /* until the replies that wait have no more room */
    assert_int_equal(world->hung_up, 0);
    free(data);
}

static void test_what_is_not_read_is_not_too_slow(void **state)
{
    struct world *world = *state;
    uint64_t session = connect_watch(world);

    assert_int_equal(gateway_input(world->gateway, session, bytes_of("[3G*90")), 0);
    world->room = APPEND_WAIT;
    turn(world, 2 * US_PER_MINUTE);
    assert_int_equal(world->hung_up, 0);
    world->room = APPEND_READY;
    turn(world, 2 * US_PER_MINUTE);
    assert_int_equal(world->hung_up, 1);
}

static void test_a_lane_that_goes_down_stops_no_input(void **state)
{
    struct world *world = *state;
    uint64_t session = connect_watch(world);

    press_long(world, session);
    press_long(world, session);
    assert_int_equal(gateway_figures(world->gateway).alarms_spilled, 2);
    world->at_end = world->database = true;
    gateway_lane_up(world->gateway, LANE_ALARM);
    turn(world, 0);
    turn(world, 0); /* the first is stored, the second not yet durable: nothing new for a moment */
    assert_false(gateway_has_room(world->gateway));
    world->database = false;
    gateway_lane_down(world->gateway, LANE_ALARM);
    turn(world, 0);
    assert_true(gateway_has_room(world->gateway));
}

static void test_a_parked_record_leaves_its_own_lane(void **state)
{
    struct world *world = *state;
    uint64_t session = connect_watch(world);

    press_long(world, session); /* 1, in memory */
    read_meter(world);          /* 2, a reading */
    press_long(world, session); /* 3, in the journal alone */
    world->database = world->refuse = true;
    gateway_lane_up(world->gateway, LANE_ALARM);
    gateway_lane_up(world->gateway, LANE_READING);
    turn(world, 0);
    assert_int_equal(gateway_figures(world->gateway).alarms_waiting, 0);
    assert_int_equal(gateway_figures(world->gateway).alarms_spilled, 3);
    assert_int_equal(world->parked, 2);
    gateway_parked(world->gateway, 2, true);
    assert_int_equal(gateway_figures(world->gateway).parked, 1);
    assert_int_equal(gateway_figures(world->gateway).readings_waiting, 0);
}

static void test_an_unreadable_record_is_passed_over(void **state)
{
    struct world *world = *state;

    assert_true(gateway_refill(world->gateway, LANE_ALARM, 5, bytes_of("of another version")));
    world->database = true;
    gateway_lane_up(world->gateway, LANE_ALARM);
    turn(world, 0);
    assert_int_equal(gateway_figures(world->gateway).alarms_waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_not_read_is_not_too_long, start, end),
        cmocka_unit_test_setup_teardown(test_what_is_not_read_is_not_too_slow, start, end),
        cmocka_unit_test_setup_teardown(test_a_lane_that_goes_down_stops_no_input, start, end),
        cmocka_unit_test_setup_teardown(test_a_parked_record_leaves_its_own_lane, start, end),
        cmocka_unit_test_setup_teardown(test_an_unreadable_record_is_passed_over, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
