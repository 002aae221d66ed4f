#include "tests/support/gateway_fixture.h"

struct fixture fixture;

static enum append_room fixture_room(void *context)
{
    (void)context;
    return fixture.behind_from && fixture.number >= fixture.behind_from ? APPEND_WAIT
                                                                        : APPEND_READY;
}

static uint64_t fixture_append(void *context, enum lane lane, struct bytes payload)
{
    struct arrival arrival;

    (void)context;
    if (lane == LANE_ALARM && arrival_decode(payload, &arrival)) {
        assert_true(fixture.alarm_count < ALARMS_MAX);
        fixture.alarms[fixture.alarm_count++] = arrival.signal;
    }
    fixture.readings += lane == LANE_READING;
    return ++fixture.number;
}

static void fixture_send(void *context, uint64_t connection, struct bytes data)
{
    (void)context, (void)connection;
    bytes_copy_text(data, fixture.sent, sizeof(fixture.sent));
}

static void fixture_hang_up(void *context, uint64_t connection, const char *reason)
{
    (void)context, (void)connection, (void)reason;
}

static void fixture_publish(void *context, struct bytes topic, struct bytes body)
{
    (void)context, (void)topic, (void)body;
}

static bool fixture_submit(void *context, const struct store_batch *batch)
{
    (void)context, (void)batch;
    return false;
}

static size_t fixture_touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context;
    if (!fixture.database)
        return 0;
    memcpy(fixture.touches, touches, count * sizeof(*touches));
    fixture.touch_count = count;
    return count;
}

static bool fixture_observe(void *context, const struct observation *observations, size_t count)
{
    (void)context;
    if (!fixture.database)
        return false;
    memcpy(fixture.observed, observations, count * sizeof(*observations));
    fixture.observed_count = count;
    return true;
}

static bool fixture_read_back(void *context, enum lane lane, uint64_t after)
{
    (void)context, (void)lane, (void)after;
    return true;
}

static void open_gateway(uint32_t history, const struct gateway_ports *commands)
{
    const struct gateway_limits limits = {.devices_max = 16,
                                          .commands_max = 16,
                                          .sessions_max = 8,
                                          .outbox_bytes = 256 << 10,
                                          .pledge_bytes = 64 << 10,
                                          .recent_sets = 64,
                                          .early_max = 2 * DECODE_SIGNALS_MAX,
                                          .observations_max = history};
    const struct gateway_ports ports = {.append_room = fixture_room,
                                        .append = fixture_append,
                                        .send = fixture_send,
                                        .hang_up = fixture_hang_up,
                                        .publish = fixture_publish,
                                        .submit = fixture_submit,
                                        .touch = fixture_touch,
                                        .observe = fixture_observe,
                                        .read_back = fixture_read_back,
                                        .take_command = commands->take_command,
                                        .command_result = commands->command_result,
                                        .log = &fixture.log};

    memset(&fixture, 0, sizeof(fixture));
    log_init(&fixture.log, LOG_CRITICAL);
    fixture.database = true;
    fixture.now = (struct instant){.mono_us = 1000 * US_PER_SECOND, .wall_us = STARTED_US};
    fixture.settings = (struct gateway_settings){.clock_wrong_us = US_PER_DAY,
                                                 .partial_frame_us = US_PER_MINUTE,
                                                 .keep_round_us = US_PER_HOUR,
                                                 .command_answer_us = 30 * US_PER_SECOND,
                                                 .batch_records = 16,
                                                 .in_flight = 1,
                                                 .observation_interval_us = US_PER_MINUTE,
                                                 .silence = silence_settings_default()};
    fixture.memory = calloc(1, gateway_memory_size(&limits));
    assert_non_null(fixture.memory);
    fixture.gateway = gateway_init(fixture.memory, &limits, &fixture.settings, &ports, fixture.now);
}

void fixture_open(uint32_t history)
{
    const struct gateway_ports none = {0};

    open_gateway(history, &none);
}

void fixture_open_with(const struct gateway_ports *commands)
{
    open_gateway(0, commands);
}

int fixture_close(void **state)
{
    (void)state;
    free(fixture.memory);
    fixture.memory = NULL;
    return 0;
}

void fixture_device(int64_t id, const char *protocol, const char *identity, enum device_kind kind,
                    const char *secret)
{
    struct device_entry entry = {.protocol = (uint8_t)codec_find(protocol),
                                 .kind = (uint8_t)kind,
                                 .device_id = id,
                                 .household_id = 1,
                                 .secret_size = (uint8_t)strlen(secret)};

    snprintf(entry.identity, sizeof(entry.identity), "%s", identity);
    memcpy(entry.secret, secret, strlen(secret));
    assert_true(gateway_device(fixture.gateway, &entry));
}

void fixture_pass(int64_t us)
{
    fixture.now.mono_us += us;
    fixture.now.wall_us += us;
    gateway_now(fixture.gateway, fixture.now);
    while (gateway_tick(fixture.gateway))
        ;
    gateway_durable(fixture.gateway, fixture.number);
}

void fixture_publish_json(const char *kind, const char *identity, const char *channel,
                          const char *body)
{
    char topic[128];

    snprintf(topic, sizeof(topic), "onekey/v1/%s/%s/up/%s", kind, identity, channel);
    (void)gateway_message(fixture.gateway,
                          &(struct message){.topic = bytes_of(topic), .body = bytes_of(body)});
}
