/*
 * The gateway's core with a million meters armed: how long one slice of its work takes, and how late
 * a silence is decided.
 *
 *     core_timers [COUNT]
 *
 * The real core with a journal, network and database that do nothing. All meters have used water; the
 * deadlines of 10,000 of them fall on one moment, those of 1,000 on another. Time is the real one,
 * less the hours in which nothing is due. Prints `slice_us=`, the processor time of the longest turn,
 * and of the 1,000 `p50= p99=`, microseconds from the deadline to the append of the record that
 * becomes the ticket.
 */
#include "daemon/core/gateway.h"
#include "daemon/core/gateway_start.h"
#include "tests/bench/bench.h"

#include <string.h>

#define CROWD 10000 /* due at one moment */
#define GROUP 1000  /* due at another, of which the lag is told */
#define START_US (INT64_C(1790000000) * US_PER_SECOND)
#define BATCHES_MAX 8
#define METER_CODEC "meter_json"

struct bench {
    struct gateway *gateway;
    struct log log;
    uint64_t number;
    uint32_t batches[BATCHES_MAX];
    int batch_count, codec;
    int64_t skipped_us; /* virtual less real time */
    int64_t slice_ns;
    int64_t group_due_us;
    int64_t lags[GROUP];
    size_t decided, lag_count;
};

static int64_t used_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static struct instant now_of(const struct bench *bench)
{
    int64_t mono_us = now_us() + bench->skipped_us;
    return (struct instant){mono_us, START_US + mono_us};
}

static enum append_room append_room(void *context)
{
    (void)context;
    return APPEND_READY;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct bench *bench = context;
    struct arrival arrival;

    if (lane == LANE_ALARM && arrival_decode(payload, &arrival) &&
        arrival.signal.kind == SIGNAL_SILENCE) {
        long meter = strtol(arrival.signal.identity, NULL, 10);
        bench->decided++;
        if (meter >= CROWD && meter < CROWD + GROUP && bench->lag_count < GROUP)
            bench->lags[bench->lag_count++] = now_of(bench).wall_us - bench->group_due_us;
    }
    return ++bench->number;
}

static bool submit(void *context, const struct store_batch *batch)
{
    struct bench *bench = context;

    if (bench->batch_count == BATCHES_MAX)
        return false;
    bench->batches[bench->batch_count++] = batch->id;
    return true;
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    (void)context, (void)lane, (void)after;
    return true;
}

static bool park(void *context, const struct arrival *arrival, const char *message)
{
    (void)context, (void)arrival, (void)message;
    return false;
}

static void say_nothing(void *context, const char *line, size_t size)
{
    (void)context, (void)line, (void)size;
}

/* One turn as edge/turn.c has it; true if more is due. */
static bool turn(struct bench *bench)
{
    bool more;

    gateway_now(bench->gateway, now_of(bench));
    int64_t start_ns = used_ns();
    more = gateway_tick(bench->gateway);
    gateway_keep(bench->gateway, false);
    gateway_submit(bench->gateway);
    int64_t took_ns = used_ns() - start_ns;
    if (took_ns > bench->slice_ns)
        bench->slice_ns = took_ns;
    gateway_durable(bench->gateway, bench->number);
    for (int count = bench->batch_count; count > 0; count--) {
        uint32_t batch = bench->batches[--bench->batch_count];
        gateway_stored(bench->gateway, batch, STORE_COMMITTED, NULL);
    }
    return more || bench->batch_count > 0;
}

static struct gateway_settings settings_of(void)
{
    struct gateway_settings settings = {.clock_wrong_us = US_PER_DAY,
                                        .partial_frame_us = US_PER_HOUR,
                                        .keep_round_us = US_PER_HOUR,
                                        .batch_records = 256,
                                        .in_flight = 2,
                                        .silence = silence_settings_default()};
    settings.silence.rules = SILENCE_FIXED;
    return settings;
}

static void open_gateway(struct bench *bench, uint32_t count)
{
    static struct gateway_ports ports;
    struct gateway_settings settings = settings_of();
    struct gateway_limits limits = {.devices_max = count,
                                    .sessions_max = 16,
                                    .outbox_bytes = 16u << 20,
                                    .pledge_bytes = 1u << 20,
                                    .recent_sets = 1024};
    void *memory = calloc(1, gateway_memory_size(&limits) + 64);

    if (!memory)
        fail("memory");
    log_init(&bench->log, LOG_CRITICAL);
    bench->log.sink = say_nothing;
    ports = (struct gateway_ports){.context = bench,
                                   .append_room = append_room,
                                   .append = append,
                                   .submit = submit,
                                   .park = park,
                                   .touch = touch,
                                   .read_back = read_back,
                                   .log = &bench->log};
    bench->codec = codec_find(METER_CODEC);
    bench->gateway = gateway_init(memory, &limits, &settings, &ports, now_of(bench));
    gateway_replayed(bench->gateway);
    gateway_lane_up(bench->gateway, LANE_ALARM);
    gateway_lane_up(bench->gateway, LANE_READING);
    for (uint32_t i = 0; i < count; i++) {
        struct device_entry entry = {.protocol = (uint8_t)bench->codec,
                                     .kind = DEVICE_METER,
                                     .device_id = i + 1,
                                     .household_id = i + 1,
                                     .area_id = 1};
        snprintf(entry.identity, sizeof(entry.identity), "%u", i);
        if (!gateway_device(bench->gateway, &entry))
            fail("gateway_device");
    }
}

/* The reading of some meters, all stamped with the moment at which the first of them is heard. */
static int64_t read_meters(struct bench *bench, uint32_t first, uint32_t count)
{
    char topic[128], body[128];
    int64_t at_us = now_of(bench).wall_us / US_PER_MS * US_PER_MS;

    int size = snprintf(body, sizeof(body), "{\"interval_l\":40,\"interval_s\":3600,\"at\":%lld}",
                        (long long)(at_us / US_PER_MS));
    for (uint32_t i = first; i < first + count; i++) {
        int length = snprintf(topic, sizeof(topic), "onekey/v1/meter/%u/up/reading", i);
        struct message message = {{(uint8_t *)topic, (size_t)length},
                                  {(uint8_t *)body, (size_t)size}};
        /* Before the first one, too: the gateway would take them as heard when it last looked at its
         * clock, minutes before the moment that they are stamped with. */
        if (i == first || i % 64 == 0)
            while (turn(bench)) {
            }
        if (gateway_message(bench->gateway, &message) == GATEWAY_REFUSED)
            fail("gateway_message");
    }
    return at_us;
}

/* When the detector itself says that such a meter is due. */
static int64_t due_of(int64_t at_us)
{
    struct silence silence;
    struct silence_settings settings = settings_of().silence;
    struct silence_reading reading = {
        .at_us = at_us, .heard_us = at_us, .volume_ml = 40000, .interval_s = 3600};

    silence_init(&silence, &settings);
    silence_reading(&silence, &settings, &reading);
    return silence_due_at(&silence, &settings);
}

/* Lives until so many silences have been decided, without the time in which nothing is due. */
static void run_until(struct bench *bench, size_t decided)
{
    while (bench->decided < decided) {
        if (turn(bench))
            continue;
        int64_t ahead_us = gateway_wake_at(bench->gateway) - now_of(bench).mono_us;
        if (ahead_us > 0)
            bench->skipped_us += ahead_us;
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;

    if (count <= CROWD + GROUP) {
        fputs("core_timers: more meters\n", stderr);
        return 2;
    }
    open_gateway(&bench, count);
    read_meters(&bench, 0, CROWD);
    bench.skipped_us += 10 * US_PER_MINUTE;
    bench.group_due_us = due_of(read_meters(&bench, CROWD, GROUP));
    bench.skipped_us += 10 * US_PER_MINUTE;
    read_meters(&bench, CROWD + GROUP, count - CROWD - GROUP);
    printf("feed_slice_us=%lld ", (long long)(bench.slice_ns / 1000));
    bench.slice_ns = 0;
    run_until(&bench, CROWD + GROUP);
    printf("slice_us=%lld ", (long long)(bench.slice_ns / 1000));
    print_latencies(bench.lags, bench.lag_count);
    putchar('\n');
    return 0;
}
