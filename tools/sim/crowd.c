#include "tools/sim/crowd.h"

#include "daemon/base/attributes.h"
#include "daemon/base/field.h"
#include "daemon/base/instant.h"
#include "protocol/calendar.h"
#include "tools/sim/broker.h"
#include "tools/sim/clock.h"
#include "tools/sim/latency.h"
#include "tools/sim/roster.h"

#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TICK_US 1000
#define SWEEP_US (50 * US_PER_MS) /* every device is looked at this often */
#define CONNECTIONS_A_TICK 5
#define CUT_US (20 * US_PER_MS)
#define RECONNECT_US (200 * US_PER_MS)
#define START_LIMIT_US (60 * US_PER_SECOND) /* then it begins with those that are connected */

struct crowd {
    const struct settings *settings;
    struct roster roster;
    struct event_base *base;
    struct broker *broker;
    struct device *by_identity; /* those on the broker */
    struct random random;
    FILE *record;
    int64_t opened_at_us, started_at_us, ended_at_us; /* mono; 0 = not yet */
    int64_t now_us;                                   /* mono, of this tick */
    int swept, pending, connections_left;
    bool is_pressing;
    bool is_asked_to_end; /* by a signal */
    long chosen;          /* of the devices that press when they are chosen */
    long reports, faults, pressed, acknowledged, retransmissions, reconnections;
    struct latency latency;
};

static bool strikes(struct crowd *crowd, struct device *device, enum fault fault)
{
    bool strikes = faults_strike(&device->faults, fault, &device->chance);

    crowd->faults += strikes;
    return strikes;
}

/* The first half of the bytes, and the end of the connection once they are under way. */
static void send_half(struct crowd *crowd, struct device *device, struct bytes bytes)
{
    wire_send(&device->wire, bytes_part(bytes, 0, bytes.size / 2));
    device->cut_at_us = crowd->now_us + CUT_US;
}

static void send_garbage(struct device *device)
{
    uint8_t garbage[32];

    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (uint8_t)random_next(&device->chance);
    wire_send(&device->wire, (struct bytes){garbage, sizeof(garbage)});
}

static void send_frame(struct crowd *crowd, struct device *device, const struct device_frame *frame)
{
    struct bytes bytes = {.data = frame->bytes, .size = frame->size};
    int times = strikes(crowd, device, FAULT_DUPLICATE) ? 2 : 1;

    if (device_is_stream(device) && strikes(crowd, device, FAULT_CUT)) {
        send_half(crowd, device, bytes);
        return;
    }
    if (device_is_stream(device) && strikes(crowd, device, FAULT_GARBAGE))
        send_garbage(device);
    for (int i = 0; i < times; i++)
        if (device_is_stream(device))
            wire_send(&device->wire, bytes);
        else
            broker_publish(crowd->broker, frame->topic, bytes);
}

static bool is_connected(const struct crowd *crowd, const struct device *device)
{
    return device_is_stream(device) ? device->wire.is_up && !device->cut_at_us
                                    : broker_is_up(crowd->broker);
}

static int64_t its_wall_us(const struct device *device)
{
    return clock_wall_us() + device->clock_offset_us;
}

static void send_report(struct crowd *crowd, struct device *device)
{
    struct device_frame frame;

    if (!device_say_report(device, &device->chance, its_wall_us(device), &frame))
        return;
    send_frame(crowd, device, &frame);
    crowd->reports++;
    if (strikes(crowd, device, FAULT_DELAY))
        device->hold_until_us =
            crowd->now_us + (int64_t)random_below(&device->chance, FAULT_DELAY_MAX_US);
}

static void send_alarm(struct crowd *crowd, struct device *device)
{
    struct device_frame frame;

    if (!device_say_alarm(device, &frame))
        return;
    send_frame(crowd, device, &frame);
    device->is_sent = true;
    device->sent_at_us = clock_mono_us();
    if (device_is_owed_answer(device, &frame))
        return;
    device->is_pending = false; /* said, and that is all it can know */
    crowd->pending--;
}

static void write_record(struct crowd *crowd, const struct device *device)
{
    char at[40], name[MESSAGE_ID_LIMIT + 1];
    struct writer writer = writer_into(at, sizeof(at) - 1);

    if (!crowd->record)
        return;
    calendar_write_rfc3339(&writer, device->alarm.occurred_at_us);
    at[writer.size] = '\0';
    device_name_alarm(device, name);
    fprintf(crowd->record, "%s,%s,%s,%s\n", device->identity, name,
            signal_kind_name(device->alarm.kind), at);
}

static void acknowledge(struct crowd *crowd, struct device *device)
{
    device->is_pending = false;
    crowd->pending--;
    crowd->acknowledged++;
    latency_add(&crowd->latency, clock_mono_us() - device->pressed_at_us);
    write_record(crowd, device);
}

/* --- the wristbands' connections --- */

static void on_up(void *context)
{
    struct device *device = context;
    struct crowd *crowd = device->crowd;

    device->has_come = true;
    send_report(crowd, device); /* says who it is */
    if (device->is_pending && is_connected(crowd, device))
        send_alarm(crowd, device);
}

static size_t on_input(void *context, struct bytes input)
{
    struct device *device = context;
    size_t used = 0, skip = 0, size = 0;

    while (device->codec->split(bytes_part(input, used, input.size), &skip, &size) == FRAME_READY) {
        struct bytes reply = bytes_part(input, used + skip, size);
        if (device->is_pending && device->is_sent && device_is_acknowledged_by(device, reply))
            acknowledge(device->crowd, device);
        used += skip + size;
    }
    return used;
}

static void on_down(void *context)
{
    struct device *device = context;
    struct crowd *crowd = device->crowd;

    device->cut_at_us = 0;
    device->retry_at_us = crowd->now_us + RECONNECT_US / 2 +
                          (int64_t)random_below(&crowd->random, (uint64_t)RECONNECT_US);
}

static const struct wire_events wire_events = {on_up, on_input, on_down};

static void connect_device(struct crowd *crowd, struct device *device)
{
    if (crowd->connections_left == 0 || crowd->now_us < device->retry_at_us)
        return;
    crowd->connections_left--;
    crowd->reconnections += device->retry_at_us != 0;
    device->is_sent = false;
    device->cut_at_us = 0;
    if (!wire_open(&device->wire, crowd->base, device->to))
        on_down(device);
}

/* --- the others' broker --- */

/* The device that a topic onekey/v1/KIND/IDENTITY/down/ack speaks to, NULL if it is none of ours. */
static struct device *find_device(struct crowd *crowd, const char *topic)
{
    char identity[IDENTITY_LIMIT + 1];
    struct device *device;

    if (sscanf(topic, "onekey/v1/%*[^/]/%40[^/]/down/ack", identity) != 1)
        return NULL;
    HASH_FIND_STR(crowd->by_identity, identity, device);
    return device;
}

static void on_message(void *context, const char *topic, struct bytes body)
{
    struct crowd *crowd = context;
    struct device *device = find_device(crowd, topic);
    json_t *json = json_loadb((const char *)body.data, body.size, 0, NULL);
    const char *id = json_string_value(json_object_get(json, "id"));

    if (device && device->is_pending && id && strcmp(id, device->alarm.message_id) == 0 &&
        json_is_true(json_object_get(json, "accepted")))
        acknowledge(crowd, device);
    json_decref(json);
}

static const struct broker_events broker_events = {.on_message = on_message};

/* --- the tick --- */

/* Someone who can press and waits for nothing, chosen at random; NULL if there is none. */
static struct device *choose_device(struct crowd *crowd)
{
    int first = (int)random_below(&crowd->random, (uint64_t)crowd->roster.count);

    for (int i = 0; i < crowd->roster.count; i++) {
        struct device *device = &crowd->roster.devices[(first + i) % crowd->roster.count];
        if (device_may_press(device, crowd->now_us))
            return device;
    }
    return NULL;
}

/* Some protocols show a state, which must end before it can begin again: a report ends it. */
static void press(struct crowd *crowd, struct device *device, struct random *random)
{
    enum service_kind service;
    enum signal_kind kind = device_choose(device, random, crowd->settings->panics_only, &service);

    if (device->alarm.kind == kind && is_connected(crowd, device))
        send_report(crowd, device);
    device_press(device, kind, service, its_wall_us(device));
    device->pressed_at_us = clock_mono_us();
    crowd->pressed++;
    crowd->pending++;
    if (is_connected(crowd, device) && crowd->now_us >= device->hold_until_us)
        send_alarm(crowd, device);
}

/* The pauses between its own presses are as chance has them. */
static void press_by_itself(struct crowd *crowd, struct device *device)
{
    if (device->press_every_us == 0 || !crowd->is_pressing)
        return;
    if (device->press_at_us == 0)
        device->press_at_us = crowd->started_at_us + device_next_pause_us(device);
    if (crowd->now_us < device->press_at_us || device->is_pending)
        return;
    press(crowd, device, &device->random);
    device->press_at_us += device_next_pause_us(device);
}

static void press_due(struct crowd *crowd)
{
    double elapsed_s = (double)(crowd->now_us - crowd->started_at_us) / (double)US_PER_SECOND;
    long due = (long)(elapsed_s * crowd->settings->alarms_per_second);
    struct device *device;

    for (; crowd->chosen < due && (device = choose_device(crowd)); crowd->chosen++)
        press(crowd, device, &crowd->random);
}

static void retransmit(struct crowd *crowd, struct device *device)
{
    if (device_is_stream(device)) {
        wire_close(&device->wire);
        on_down(device);
    } else {
        send_alarm(crowd, device);
    }
    crowd->retransmissions++;
}

static void tend(struct crowd *crowd, struct device *device)
{
    int64_t patience_us = (int64_t)(crowd->settings->retransmit_s * (double)US_PER_SECOND);

    if (device->cut_at_us && crowd->now_us >= device->cut_at_us) {
        wire_close(&device->wire);
        on_down(device);
    }
    if (device_is_stream(device) && !device->wire.stream)
        connect_device(crowd, device);
    press_by_itself(crowd, device);
    if (!is_connected(crowd, device) || crowd->now_us < device->hold_until_us)
        return;
    if (crowd->now_us >= device->report_at_us) {
        send_report(crowd, device);
        device->report_at_us += device->report_every_us;
    }
    if (device->is_pending && !device->is_sent)
        send_alarm(crowd, device);
    else if (device->is_pending && crowd->now_us - device->sent_at_us > patience_us)
        retransmit(crowd, device);
}

static void sweep(struct crowd *crowd)
{
    int share = (int)(crowd->roster.count * (int64_t)TICK_US / SWEEP_US) + 1;

    crowd->connections_left = CONNECTIONS_A_TICK;
    for (int i = 0; i < share; i++) {
        tend(crowd, &crowd->roster.devices[crowd->swept]);
        crowd->swept = (crowd->swept + 1) % crowd->roster.count;
    }
}

/* Whether each has been connected once: with a server that is killed now and then they may never be
 * all at one moment. */
static bool all_came(const struct crowd *crowd)
{
    for (int i = 0; i < crowd->roster.count; i++) {
        const struct device *device = &crowd->roster.devices[i];
        if (!(device_is_stream(device) ? device->has_come : is_connected(crowd, device)))
            return false;
    }
    return true;
}

static bool has_time_left(const struct crowd *crowd)
{
    double elapsed_s = (double)(crowd->now_us - crowd->started_at_us) / (double)US_PER_SECOND;

    return crowd->settings->seconds == 0 || elapsed_s < crowd->settings->seconds;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct crowd *crowd = context;

    (void)fd, (void)what;
    crowd->now_us = clock_mono_us();
    sweep(crowd);
    if (!crowd->started_at_us) {
        bool is_late = crowd->now_us - crowd->opened_at_us > START_LIMIT_US;
        if (crowd->swept == 0 && (is_late || all_came(crowd)))
            crowd->started_at_us = crowd->now_us;
        return;
    }
    crowd->is_pressing = !crowd->is_asked_to_end && has_time_left(crowd);
    if (crowd->is_pressing) {
        press_due(crowd);
        crowd->ended_at_us = crowd->now_us;
    } else if (crowd->pending == 0 ||
               crowd->now_us - crowd->ended_at_us > crowd->settings->drain_s * US_PER_SECOND) {
        event_base_loopbreak(crowd->base);
    }
}

/* The first signal ends the pressing, so that what is on its way is still answered; a second one ends all. */
static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct crowd *crowd = context;

    (void)number, (void)what;
    if (crowd->is_asked_to_end || !crowd->started_at_us)
        event_base_loopbreak(crowd->base);
    crowd->is_asked_to_end = true;
}

/* --- life --- */

static bool open_record(struct crowd *crowd)
{
    if (!crowd->settings->record_path)
        return true;
    crowd->record = fopen(crowd->settings->record_path, "w");
    if (!crowd->record) {
        perror(crowd->settings->record_path);
        return false;
    }
    fprintf(crowd->record, "identity,message_id,kind,occurred_at\n");
    return true;
}

static void greet_devices(struct crowd *crowd)
{
    crowd->opened_at_us = crowd->now_us = clock_mono_us();
    for (int i = 0; i < crowd->roster.count; i++) {
        struct device *device = &crowd->roster.devices[i];
        device->crowd = crowd;
        device->wire.events = &wire_events;
        device->wire.context = device;
        device->report_at_us = crowd->now_us + (int64_t)(random_fraction(&crowd->random) *
                                                         (double)device->report_every_us);
        if (!device_is_stream(device))
            HASH_ADD_STR(crowd->by_identity, identity, device);
    }
}

static void print_summary(struct crowd *crowd)
{
    char line[1024];
    double seconds = (double)(crowd->ended_at_us - crowd->started_at_us) / (double)US_PER_SECOND;
    const struct field fields[] = {
        field_number("devices", crowd->roster.count),
        field_number("left_out", crowd->roster.left_out),
        field_real("seconds", crowd->started_at_us ? seconds : 0),
        field_number("signals", crowd->reports + crowd->pressed),
        field_number("reports", crowd->reports),
        field_number("faults", crowd->faults),
        field_number("alarms", crowd->pressed),
        field_number("acknowledged", crowd->acknowledged),
        field_number("pending", crowd->pending),
        field_number("retransmissions", crowd->retransmissions),
        field_number("reconnections", crowd->reconnections),
        field_real("ack_p50_ms", latency_quantile_ms(&crowd->latency, 0.5)),
        field_real("ack_p90_ms", latency_quantile_ms(&crowd->latency, 0.9)),
        field_real("ack_p99_ms", latency_quantile_ms(&crowd->latency, 0.99)),
        field_real("ack_max_ms", latency_quantile_ms(&crowd->latency, 1)),
    };

    field_write_json(fields, ARRAY_SIZE(fields), line, sizeof(line));
    puts(line);
    fflush(stdout);
}

/* Runs the loop until on_tick or a signal ends it. */
static void run_loop(struct crowd *crowd)
{
    const struct timeval tick = {.tv_usec = TICK_US};
    struct event *ticker = event_new(crowd->base, -1, EV_PERSIST, on_tick, crowd);
    struct event *interrupt = evsignal_new(crowd->base, SIGINT, on_signal, crowd);
    struct event *terminate = evsignal_new(crowd->base, SIGTERM, on_signal, crowd);

    event_add(ticker, &tick);
    event_add(interrupt, NULL);
    event_add(terminate, NULL);
    event_base_dispatch(crowd->base);
    event_free(ticker);
    event_free(interrupt);
    event_free(terminate);
}

static void close_crowd(struct crowd *crowd)
{
    for (int i = 0; i < crowd->roster.count; i++)
        wire_close(&crowd->roster.devices[i].wire);
    HASH_CLEAR(hh, crowd->by_identity);
    if (crowd->broker)
        broker_close(crowd->broker);
    if (crowd->record && fclose(crowd->record) != 0)
        perror(crowd->settings->record_path);
    latency_fini(&crowd->latency);
    roster_close(&crowd->roster);
    event_base_free(crowd->base);
}

int crowd_run(const struct settings *settings)
{
    struct crowd crowd = {.settings = settings, .base = event_base_new()};
    int pending = -1;

    wire_allow_many();
    random_init(&crowd.random, settings->seed);
    if (roster_open(&crowd.roster, settings) && open_record(&crowd)) {
        greet_devices(&crowd);
        if (settings->mqtt.port)
            crowd.broker = broker_open(crowd.base, &settings->mqtt, "onekey/v1/+/+/down/ack",
                                       &broker_events, &crowd);
        if (crowd.broker || !settings->mqtt.port) {
            run_loop(&crowd);
            print_summary(&crowd);
            pending = crowd.started_at_us ? crowd.pending : -1;
        }
    }
    close_crowd(&crowd);
    return pending == 0 ? 0 : 1;
}
