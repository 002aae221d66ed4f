#include "daemon/core/gateway_state.h"

#include <assert.h>
#include <string.h>

/* A restart replays so many records more than it must, so that devices which repeat themselves
 * across the restart are still recognised: as long as the journal has room for them. */
#define CHECKPOINT_LAG 4096

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static uint32_t timer_count(const struct gateway_limits *limits)
{
    return 2 * limits->devices_max + limits->sessions_max;
}

/* Hands out the caller's block piece by piece; with memory NULL it only adds up. */
struct carver {
    uint8_t *memory;
    size_t used;
};

static void *carve(struct carver *carver, size_t size)
{
    void *piece = carver->memory ? carver->memory + carver->used : NULL;

    carver->used += aligned(size);
    return piece;
}

struct layout {
    struct gateway *gateway;
    void *registry, *outages, *mains, *sessions, *timers, *pledges, *recent, *alarms, *readings;
    void *water, *circumstances, *latest, *due, *touched, *history, *commands, *early;
};

static size_t lay_out(struct layout *layout, void *memory, const struct gateway_limits *limits)
{
    struct carver carver = {memory, 0};
    size_t devices = limits->devices_max;

    layout->gateway = carve(&carver, sizeof(struct gateway));
    layout->registry = carve(&carver, registry_memory_size(limits->devices_max));
    layout->outages = carve(&carver, outage_memory_size(limits->devices_max));
    layout->mains = carve(&carver, mains_memory_size(limits->devices_max));
    layout->sessions =
        carve(&carver, pool_memory_size(sizeof(struct session), limits->sessions_max));
    layout->timers = carve(&carver, timer_count(limits) * sizeof(struct wheel_timer));
    layout->pledges = carve(&carver, limits->pledge_bytes);
    layout->recent =
        carve(&carver, (size_t)limits->recent_sets * RECENT_WAYS * sizeof(struct recent_alarm));
    layout->alarms = carve(&carver, limits->outbox_bytes);
    layout->readings = carve(&carver, limits->outbox_bytes);
    layout->touched = carve(&carver, devices * sizeof(uint32_t));
    layout->water = carve(&carver, devices * sizeof(struct silence));
    layout->circumstances = carve(&carver, devices * sizeof(struct circumstances));
    layout->latest = carve(&carver, devices * sizeof(struct measures));
    layout->due = carve(&carver, devices * sizeof(uint32_t[OBSERVED_GROUPS]));
    layout->history = carve(&carver, limits->observations_max * sizeof(struct observation));
    layout->commands = carve(&carver, limits->commands_max * sizeof(struct held_command));
    layout->early = carve(&carver, limits->early_max * sizeof(struct early_signal));
    return carver.used;
}

size_t gateway_memory_size(const struct gateway_limits *limits)
{
    struct layout layout;

    return lay_out(&layout, NULL, limits);
}

struct gateway *gateway_init(void *memory, const struct gateway_limits *limits,
                             const struct gateway_settings *settings,
                             const struct gateway_ports *ports, struct instant now)
{
    struct layout layout;

    lay_out(&layout, memory, limits);

    struct gateway *gateway = layout.gateway;

    gateway->limits = *limits;
    gateway->ports = *ports;
    gateway->now = now;
    gateway->started_mono_us = gateway->keep_at_us = now.mono_us;
    registry_init(&gateway->registry, layout.registry, limits->devices_max);
    outage_init(&gateway->outages, layout.outages, limits->devices_max);
    mains_init(&gateway->mains, layout.mains, limits->devices_max);
    gateway->mains.at_mono_us = now.mono_us;
    pool_init(&gateway->sessions, layout.sessions, sizeof(struct session), limits->sessions_max);
    wheel_init(&gateway->wheel, layout.timers, timer_count(limits), now.mono_us);
    pledge_init(&gateway->pledges, layout.pledges, limits->pledge_bytes);
    recent_init(&gateway->recent, layout.recent, limits->recent_sets);
    outbox_init(&gateway->alarms, LANE_ALARM, layout.alarms, limits->outbox_bytes);
    outbox_init(&gateway->readings, LANE_READING, layout.readings, limits->outbox_bytes);
    gateway->water = layout.water;
    gateway->circumstances = layout.circumstances;
    gateway->observer = (struct observer){.latest = layout.latest,
                                          .due_s = layout.due,
                                          .touched = layout.touched,
                                          .history = layout.history};
    gateway->commands.held = layout.commands;
    gateway->early.signals = layout.early;
    gateway_configure(gateway, settings);
    return gateway;
}

void gateway_configure(struct gateway *gateway, const struct gateway_settings *settings)
{
    gateway->settings = *settings;
    outbox_limit(&gateway->alarms, settings->batch_records, settings->in_flight);
    outbox_limit(&gateway->readings, settings->batch_records, settings->in_flight);
}

void gateway_now(struct gateway *gateway, struct instant now)
{
    gateway->now = now;
}

uint32_t gateway_timer(const struct gateway *gateway, enum timer_kind kind, uint32_t index)
{
    return (uint32_t)kind * gateway->limits.devices_max + index;
}

/* A decision needs room in the journal: without it the timer comes again, sooner if a turn is enough
 * to make some. */
static bool must_wait(struct gateway *gateway, uint32_t timer)
{
    enum append_room room = gateway->ports.append_room(gateway->ports.context);

    if (room == APPEND_READY && gateway_has_room(gateway))
        return false;
    wheel_arm(&gateway->wheel, timer,
              gateway->now.mono_us + (room == APPEND_FULL ? US_PER_SECOND : DECISION_RETRY_US));
    return true;
}

static void on_expire(void *context, uint32_t timer)
{
    struct gateway *gateway = context;
    uint32_t devices_max = gateway->limits.devices_max;

    if (timer < 2 * devices_max && must_wait(gateway, timer))
        return;
    if (timer < devices_max)
        supervise_expired(gateway, timer);
    else if (timer < 2 * devices_max)
        water_expired(gateway, timer - devices_max);
    else if (!gateway_has_room(gateway)) /* nothing is read: it may not be the peer who is slow */
        wheel_arm(&gateway->wheel, timer,
                  gateway->now.mono_us + gateway->settings.partial_frame_us);
    else
        session_expired(gateway, timer - 2 * devices_max);
}

static void refill_lane(struct gateway *gateway, struct outbox *outbox)
{
    uint64_t after;

    if (!outbox_wants_refill(outbox, &after) ||
        !gateway->ports.read_back(gateway->ports.context, outbox->lane, after))
        return;
    /* All that is durable has been read back. What is newer is on its way to the disk: nothing new
     * is taken for this moment, or the lane would never catch up. */
    if (gateway->durable < gateway->newest)
        gateway->settling = true;
    else
        outbox_refilled(outbox);
}

bool gateway_tick(struct gateway *gateway)
{
    bool more =
        wheel_advance(&gateway->wheel, gateway->now.mono_us, TIMERS_PER_TURN, on_expire, gateway);

    observe_flush(gateway);
    commands_tick(gateway);
    mains_watch_tick(gateway);
    gateway->settling = false; /* asked anew each turn: a lane that went down waits for nothing */
    refill_lane(gateway, &gateway->alarms);
    refill_lane(gateway, &gateway->readings);
    return more;
}

static void submit_lane(struct gateway *gateway, struct outbox *outbox)
{
    struct store_batch batch = {.type = outbox->lane, .records = gateway->batch};

    while ((batch.count = outbox_next(outbox, gateway->batch, &batch.id)) > 0)
        if (!gateway->ports.submit(gateway->ports.context, &batch)) {
            outbox_unsent(outbox);
            return;
        }
}

void gateway_submit(struct gateway *gateway)
{
    submit_lane(gateway, &gateway->alarms);
    submit_lane(gateway, &gateway->readings);
}

int64_t gateway_wake_at(const struct gateway *gateway)
{
    int64_t wake_at = wheel_wake_at(&gateway->wheel), observe_at = observe_wake_at(gateway);

    return wake_at < observe_at ? wake_at : observe_at;
}

bool gateway_has_room(const struct gateway *gateway)
{
    if (gateway->early.is_on &&
        gateway->early.count + DECODE_SIGNALS_MAX > gateway->limits.early_max)
        return false;
    return !gateway->settling && pledge_has_room(&gateway->pledges) &&
           gateway->ports.append_room(gateway->ports.context) != APPEND_WAIT;
}

static void on_release(void *context, const struct pledge *pledge)
{
    struct gateway *gateway = context;

    gateway->counters.replies_late++;
    if (pledge->session == 0) {
        gateway->ports.publish(gateway->ports.context, pledge->topic, pledge->body);
        return;
    }

    struct session *session = session_find(gateway, pledge->session);

    if (session)
        gateway->ports.send(gateway->ports.context, session->connection, pledge->body);
}

void gateway_durable(struct gateway *gateway, uint64_t number)
{
    assert(number >= gateway->durable);
    gateway->durable = number;
    pledge_release(&gateway->pledges, number, on_release, gateway);
}

struct outbox *gateway_outbox(struct gateway *gateway, enum lane lane)
{
    return lane == LANE_ALARM ? &gateway->alarms : &gateway->readings;
}

void gateway_lane_up(struct gateway *gateway, enum lane lane)
{
    outbox_resume(gateway_outbox(gateway, lane));
}

void gateway_lane_down(struct gateway *gateway, enum lane lane)
{
    outbox_pause(gateway_outbox(gateway, lane));
}

static void keep_reason(struct outbox *outbox, const char *message)
{
    size_t size = strnlen(message, sizeof(outbox->reason) - 1);

    memcpy(outbox->reason, message, size);
    outbox->reason[size] = '\0';
}

void gateway_stored(struct gateway *gateway, uint32_t batch, enum store_result result,
                    const char *message)
{
    struct outbox *outbox = gateway_outbox(gateway, outbox_lane_of(batch));
    bool was_rejecting = outbox->rejecting, alone = outbox_result(outbox, batch, result);
    struct arrival first;

    /* The batch behind it must come back first, and knows nothing of the reason. */
    if (outbox->rejecting && !was_rejecting)
        keep_reason(outbox, message);
    if (!alone || !outbox_first(outbox, &first))
        return;
    log_event(gateway->ports.log, LOG_ERROR, "record.refused",
              field_unsigned("number", first.number),
              field_text("kind", signal_kind_name(first.signal.kind)),
              field_text("reason", outbox->reason));
    if (!gateway->ports.park(gateway->ports.context, &first, outbox->reason))
        outbox_parked(outbox, false);
}

void gateway_parked(struct gateway *gateway, uint64_t number, bool done)
{
    /* A lane whose records are all in the journal names as its oldest a number that need not be its
     * own: only the lane that is parking is meant. */
    if (gateway->alarms.rejecting && outbox_oldest(&gateway->alarms) == number)
        outbox_parked(&gateway->alarms, done);
    else if (gateway->readings.rejecting && outbox_oldest(&gateway->readings) == number)
        outbox_parked(&gateway->readings, done);
}

bool gateway_refill(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload)
{
    struct arrival arrival;

    /* As at the replay: one that another version wrote must not stop those behind it. */
    if (!arrival_decode(payload, &arrival)) {
        log_event(gateway->ports.log, LOG_CRITICAL, "refill.unreadable",
                  field_unsigned("number", number), field_unsigned("size", payload.size));
        return true;
    }
    if (lane == LANE_ALARM && start_is_repeated(gateway, &arrival.signal, number))
        return true;
    return outbox_refill(gateway_outbox(gateway, lane), number, payload);
}

uint64_t gateway_checkpoint(const struct gateway *gateway)
{
    uint64_t alarms = outbox_oldest(&gateway->alarms);
    uint64_t readings = outbox_oldest(&gateway->readings);
    uint64_t oldest = gateway->durable + 1;
    bool full = gateway->ports.append_room(gateway->ports.context) == APPEND_FULL;
    uint64_t lag = full ? 0 : CHECKPOINT_LAG;

    if (alarms && alarms < oldest)
        oldest = alarms;
    if (readings && readings < oldest)
        oldest = readings;
    /* Without room no round can end: then habits are given up, which are learned again, for alarms. */
    if (!full && gateway->kept_from < oldest)
        oldest = gateway->kept_from + 1;
    return oldest > lag ? oldest - 1 - lag : 0;
}

bool gateway_device(struct gateway *gateway, const struct device_entry *entry)
{
    uint32_t known = registry_find(&gateway->registry, entry->protocol, entry->identity), device;
    bool is_other = known == NO_DEVICE || gateway->registry.devices[known].kind != entry->kind;

    if (is_other && known != NO_DEVICE)
        water_leave(gateway, known);
    if (known != NO_DEVICE)
        supervise_leave(gateway, known);
    device = registry_put(&gateway->registry, entry);
    if (device == NO_DEVICE) {
        log_event(gateway->ports.log, LOG_ERROR, "registry.full",
                  field_unsigned("devices_max", gateway->limits.devices_max));
        return false;
    }
    if (is_other)
        water_join(gateway, device);
    explain_put(gateway, device, entry);
    supervise_join(gateway, device);
    return true;
}

static void forget_device(struct gateway *gateway, uint32_t device)
{
    struct device *entry = &gateway->registry.devices[device];
    struct session *session = session_find(gateway, entry->session);

    if (session)
        session->device = NO_DEVICE;
    supervise_forget(gateway, device);
    water_leave(gateway, device);
    observe_forget(gateway, device);
    commands_forget(gateway, device);
    registry_remove(&gateway->registry, device);
}

void gateway_device_removed(struct gateway *gateway, uint8_t protocol, const char *identity,
                            int64_t device_id)
{
    uint32_t device = registry_find(&gateway->registry, protocol, identity);

    if (device != NO_DEVICE && gateway->registry.devices[device].device_id == device_id)
        forget_device(gateway, device);
}

const struct gateway_counters *gateway_counters(const struct gateway *gateway)
{
    return &gateway->counters;
}

struct gateway_figures gateway_figures(const struct gateway *gateway)
{
    return (struct gateway_figures){
        .devices = gateway->registry.device_count,
        .sessions = gateway->sessions.count,
        .devices_lost = gateway->devices_lost,
        .outages = gateway->outages.open_count,
        .devices_in_outages = gateway->outages.grouped_count,
        .mains_outages = gateway->mains.open_count,
        .meters_in_mains_outages = gateway->mains.explained_count,
        .alarms_waiting = gateway->alarms.ring.count,
        .readings_waiting = gateway->readings.ring.count,
        .alarms_spilled = gateway->alarms.spilled,
        .readings_spilled = gateway->readings.spilled,
        .alarms_committed = gateway->alarms.committed,
        .readings_committed = gateway->readings.committed,
        .parked = gateway->alarms.refused + gateway->readings.refused,
        .replies_waiting = gateway->pledges.ring.count,
        .observations_waiting = gateway->observer.history_count,
        .database_up = !gateway->alarms.paused,
    };
}
