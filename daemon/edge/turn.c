#include "daemon/edge/turn.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/gateway_start.h"
#include "daemon/edge/clock.h"
#include "daemon/edge/memory.h"
#include "daemon/edge/service.h"
#include "daemon/edge/setup.h"
#include "daemon/edge/turn_state.h"

#define IDLE_TURN_US (US_PER_SECOND / 2) /* the longest sleep: watchdog and checkpoints go on */
#define EARLY_WAIT_US 10000
#define CHECKPOINT_EVERY_US US_PER_SECOND
#define MAINTAIN_EVERY_US (6 * US_PER_HOUR)
#define SYNC_STUCK_US (5 * US_PER_SECOND) /* then the watchdog is no longer fed */

/* The clocks are read when the first event of a turn is handled, and not again in it. */
static void begin(void *context)
{
    struct turn *turn = context;

    if (turn->fresh)
        return;
    turn->fresh = true;
    turn->now = clock_now();
    log_tick(turn->log, turn->now.mono_us);
    if (turn->effects.gateway)
        gateway_now(turn->effects.gateway, turn->now);
}

static void on_result(void *context, enum lane lane, uint32_t batch, enum store_result result,
                      const char *message)
{
    struct turn *turn = context;

    begin(turn);
    (void)lane; /* the batch id says it too */
    gateway_stored(turn->effects.gateway, batch, result, message);
}

static void on_up(void *context, enum lane lane)
{
    struct turn *turn = context;

    begin(turn);
    log_event(turn->log, LOG_NOTICE, "database.up",
              field_text("lane", lane == LANE_ALARM ? "alarms" : "readings"));
    gateway_lane_up(turn->effects.gateway, lane);
    if (lane != LANE_READING)
        return;
    store_greet(turn->effects.store, ONEKEY_VERSION);
    turn->maintain_at_us = turn->now.mono_us;
}

static void maintain(struct turn *turn)
{
    if (turn->now.mono_us < turn->maintain_at_us)
        return;
    turn->maintain_at_us = turn->now.mono_us + MAINTAIN_EVERY_US;
    store_maintain(turn->effects.store);
}

static void on_down(void *context, enum lane lane, const char *reason)
{
    struct turn *turn = context;

    begin(turn);
    log_event(turn->log, LOG_ERROR, "database.down",
              field_text("lane", lane == LANE_ALARM ? "alarms" : "readings"),
              field_text("reason", reason));
    gateway_lane_down(turn->effects.gateway, lane);
}

static void on_observed(void *context, enum store_result result, const char *message)
{
    struct turn *turn = context;

    begin(turn);
    if (result == STORE_REFUSED)
        log_event(turn->log, LOG_ERROR, "observations.refused", field_text("reason", message));
    gateway_observed(turn->effects.gateway, result);
}

static void on_device(void *context, const struct device_entry *entry)
{
    struct turn *turn = context;

    begin(turn);
    (void)gateway_device(turn->effects.gateway, entry); /* it has logged that there is no room */
}

static void on_device_ahead(void *context, const struct device_entry *entry)
{
    gateway_device_ahead(((struct turn *)context)->effects.gateway, entry);
}

static void on_device_removed(void *context, const struct device_entry *entry)
{
    struct turn *turn = context;

    begin(turn);
    gateway_device_removed(turn->effects.gateway, entry->protocol, entry->identity,
                           entry->device_id);
}

static void on_complete(void *context, size_t devices)
{
    struct turn *turn = context;

    turn->directory_complete = true;
    if (turn->effects.commands)
        command_queue_read(turn->effects.commands);
    log_event(turn->log, LOG_NOTICE, "registry.complete", field_unsigned("devices", devices));
}

static void on_trouble(void *context, const char *message)
{
    struct turn *turn = context;

    log_event(turn->log, LOG_WARNING, "registry.trouble", field_text("reason", message));
}

static void on_replayed(void *context, uint8_t type, uint64_t number, const void *payload,
                        size_t size)
{
    gateway_replay(((struct turn *)context)->effects.gateway, (enum lane)type, number,
                   (struct bytes){payload, size});
}

/* What the writer has finished: replies may leave. */
static void collect(struct turn *turn)
{
    if (!ledger_collect(turn->effects.ledger, turn->now.mono_us)) {
        turn->failed = turn->stopping = true;
        return;
    }
    gateway_durable(turn->effects.gateway, ledger_durable(turn->effects.ledger));
}

static void on_written(evutil_socket_t fd, short what, void *context)
{
    struct turn *turn = context;

    (void)fd, (void)what;
    begin(turn);
    collect(turn);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    begin(context);
}

static struct inlets_setup setup_of(struct turn *turn)
{
    return (struct inlets_setup){
        turn->base, turn->config, turn->effects.gateway, turn->log, &turn->random, begin, turn};
}

static bool open_ledger(struct turn *turn, char *error, size_t error_size)
{
    struct ledger_settings settings = {
        .directory = turn->config->journal.directory,
        .segment_bytes = (uint64_t)turn->config->journal.segment_bytes,
        .total_bytes = (uint64_t)turn->config->journal.total_bytes,
        .clock_mono_us = clock_monotonic_us,
        .now = turn->now,
    };

    turn->effects.ledger = ledger_open(&settings, turn->log, error, error_size);
    return turn->effects.ledger != NULL;
}

static void open_gateway(struct turn *turn)
{
    struct gateway_limits limits = setup_limits(turn->config);
    struct gateway_settings settings = setup_gateway(turn->config);
    struct gateway_ports ports = effects_ports(&turn->effects);

    turn->memory_size = gateway_memory_size(&limits);
    turn->memory = memory_take(turn->memory_size);
    turn->effects.gateway = gateway_init(turn->memory, &limits, &settings, &ports, turn->now);
}

static bool keep_error(char *line, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s", line);
    free(line);
    return false;
}

static bool open_store(struct turn *turn, char *error, size_t error_size)
{
    struct store_settings settings = {
        .conninfo = turn->config->database.conninfo,
        .gateway = turn->config->gateway.name,
        .district = turn->district,
        .in_flight = turn->config->database.in_flight,
        .timeout_ms = turn->config->database.statement_timeout_ms,
    };
    struct store_callbacks callbacks = {turn, on_result, on_up, on_down, on_observed};
    char *line = NULL;

    turn->effects.store = store_open(turn->base, &settings, &turn->random, &callbacks, &line);
    return turn->effects.store ? true : keep_error(line, error, error_size);
}

static struct directory_settings directory_settings(const struct turn *turn)
{
    return (struct directory_settings){
        .conninfo = turn->config->database.conninfo,
        .district = turn->district,
        .cache_path = turn->cache_path,
        .timeout_ms = turn->config->database.statement_timeout_ms,
    };
}

static void open_directory(struct turn *turn)
{
    struct directory_settings settings = directory_settings(turn);
    struct directory_callbacks callbacks = {
        turn, on_device, on_device_ahead, on_device_removed, on_complete, on_trouble};
    char *line = NULL;
    int64_t count;

    turn->directory = directory_open(turn->base, &settings, &callbacks);
    count = directory_load_cache(turn->directory, &line);
    if (count < 0) {
        log_event(turn->log, LOG_NOTICE, "registry.no_cache", field_text("reason", line));
        free(line);
    } else {
        log_event(turn->log, LOG_NOTICE, "registry.from_cache", field_number("devices", count));
    }
}

static bool open_escalation(struct turn *turn, char *error, size_t error_size)
{
    struct escalation_settings settings = setup_escalation(turn->config, turn->district);
    char *line = NULL;

    turn->escalation = escalation_open(turn->base, &settings, &turn->random, turn->log, &line);
    return turn->escalation ? true : keep_error(line, error, error_size);
}

static bool open_inlets(struct turn *turn, char *error, size_t error_size)
{
    struct inlets_setup setup = setup_of(turn);

    turn->effects.inlets = inlets_open(&setup, error, error_size);
    turn->written = event_new(turn->base, ledger_fd(turn->effects.ledger), EV_READ | EV_PERSIST,
                              on_written, turn);
    event_add(turn->written, NULL);
    return turn->effects.inlets != NULL;
}

/* A turn while the journal is replayed: what came in is journaled, and what is durable is answered. */
static void turn_early(struct turn *turn, bool is_idle)
{
    struct ledger *ledger = turn->effects.ledger;

    event_add(turn->timer, &(struct timeval){0, is_idle ? EARLY_WAIT_US : 0});
    event_base_loop(turn->base, EVLOOP_ONCE);
    begin(turn);
    ledger_flush(ledger, turn->now.mono_us);
    inlets_turn(turn->effects.inlets, ledger_durable(ledger),
                gateway_has_room(turn->effects.gateway));
    turn->fresh = false;
}

/* Alarms are taken from now on. The database is not asked for anything yet. */
static bool replay(struct turn *turn, char *error, size_t error_size)
{
    struct gateway *gateway = turn->effects.gateway;
    enum ledger_replay state = LEDGER_MORE;

    gateway_starting(gateway, ledger_durable(turn->effects.ledger));
    log_event(turn->log, LOG_NOTICE, "daemon.listening");
    while (state != LEDGER_END || !gateway_replayed(gateway)) {
        turn_early(turn, state == LEDGER_END);
        state = ledger_replay(turn->effects.ledger, on_replayed, turn);
        if (state == LEDGER_FAILED || turn->failed) {
            snprintf(error, error_size, "%s: the journal cannot be %s",
                     turn->config->journal.directory, turn->failed ? "written" : "read back");
            return false;
        }
    }
    log_event(turn->log, LOG_NOTICE, "journal.replayed",
              field_unsigned("waiting", gateway_figures(gateway).alarms_waiting),
              field_unsigned("durable", ledger_durable(turn->effects.ledger)));
    return true;
}

/* What belongs to the database, and may change what the replay must find as it was. */
static bool open_database(struct turn *turn, char *error, size_t error_size)
{
    struct directory_settings settings = directory_settings(turn);
    struct inlets_setup setup = setup_of(turn);
    char *line = NULL;

    if (!directory_connect(turn->directory, &settings, &turn->random, &line))
        return keep_error(line, error, error_size);
    turn->effects.learning = learning_open(&setup, turn->district, &line);
    if (!turn->effects.learning)
        return keep_error(line, error, error_size);
    turn->effects.commands = command_queue_open(&setup, turn->district, &line);
    return turn->effects.commands ? true : keep_error(line, error, error_size);
}

static bool open_notices(struct turn *turn, char *error, size_t error_size)
{
    return notices_open(&(struct notices_setup){.base = turn->base,
                                                .config = turn->config,
                                                .district = turn->district,
                                                .mqtt = inlets_mqtt(turn->effects.inlets),
                                                .random = &turn->random,
                                                .log = turn->log,
                                                .on_turn = begin,
                                                .context = turn},
                        &turn->notices, error, error_size);
}

static bool open_all(struct turn *turn, char *error, size_t error_size)
{
    begin(turn);
    turn->timer = event_new(turn->base, -1, 0, on_timer, turn);
    assert(turn->timer);
    if (!open_ledger(turn, error, error_size))
        return false;
    open_gateway(turn);
    open_directory(turn);
    return open_inlets(turn, error, error_size) && replay(turn, error, error_size) &&
           open_store(turn, error, error_size) && open_database(turn, error, error_size) &&
           open_escalation(turn, error, error_size) && open_notices(turn, error, error_size);
}

struct turn *turn_open(struct event_base *base, const struct config *config, struct log *log,
                       char *error, size_t error_size)
{
    struct turn *turn = calloc(1, sizeof(*turn));

    assert(turn);
    turn->base = base;
    turn->config = config;
    turn->log = log;
    turn->effects = (struct effects){.log = log, .context = turn, .begin = begin};
    random_init(&turn->random, clock_entropy());
    snprintf(turn->cache_path, sizeof(turn->cache_path), "%s/registry.cache",
             config->gateway.state_directory);
    snprintf(turn->district, sizeof(turn->district), "%d", config->gateway.district);
    turn->figures.started_us = clock_now().wall_us;
    if (open_all(turn, error, error_size))
        return turn;
    turn_close(turn);
    return NULL;
}

void turn_close(struct turn *turn)
{
    notices_close(turn->notices);
    if (turn->effects.inlets)
        inlets_close(turn->effects.inlets);
    learning_close(turn->effects.learning);
    command_queue_close(turn->effects.commands);
    escalation_close(turn->escalation);
    if (turn->directory)
        directory_close(turn->directory);
    if (turn->effects.store)
        store_close(turn->effects.store);
    if (turn->written)
        event_free(turn->written);
    if (turn->timer)
        event_free(turn->timer);
    if (turn->effects.ledger)
        ledger_close(turn->effects.ledger);
    memory_give_back(turn->memory, turn->memory_size);
    free(turn);
}

/* Alive means: the loop turns, and no sync hangs. A database that is away is no reason to die. */
static void feed_watchdog(struct turn *turn)
{
    int64_t interval_us = service_watchdog_interval_us();

    if (interval_us == 0 || turn->now.mono_us < turn->alive_at_us)
        return;
    if (ledger_figures(turn->effects.ledger).write_age_us > SYNC_STUCK_US)
        return;
    service_alive();
    turn->alive_at_us = turn->now.mono_us + interval_us;
}

static void keep_checkpoint(struct turn *turn)
{
    if (turn->now.mono_us < turn->checkpoint_at_us)
        return;
    turn->checkpoint_at_us = turn->now.mono_us + CHECKPOINT_EVERY_US;
    ledger_checkpoint(turn->effects.ledger, gateway_checkpoint(turn->effects.gateway));
}

/* A quarter of the journal's budget is left: the states must not be what holds it. */
static bool wants_pruning(const struct turn *turn)
{
    return ledger_free_bytes(turn->effects.ledger) <
           (uint64_t)turn->config->journal.total_bytes / 4;
}

static bool is_drained(const struct turn *turn)
{
    struct gateway_figures figures = gateway_figures(turn->effects.gateway);

    return turn->draining && figures.alarms_waiting == 0 && figures.readings_waiting == 0 &&
           !figures.alarms_spilled && !figures.readings_spilled && figures.replies_waiting == 0;
}

/* Everything after the input, in the order of the header. True: turn again at once. */
static bool finish(struct turn *turn)
{
    bool more;

    begin(turn);
    more = gateway_tick(turn->effects.gateway);
    gateway_keep(turn->effects.gateway, wants_pruning(turn));
    ledger_flush(turn->effects.ledger, turn->now.mono_us);
    gateway_submit(turn->effects.gateway);
    escalation_turn(turn->escalation, turn->now.mono_us);
    command_queue_turn(turn->effects.commands, turn->now.mono_us);
    inlets_turn(turn->effects.inlets, ledger_durable(turn->effects.ledger),
                gateway_has_room(turn->effects.gateway));
    keep_checkpoint(turn);
    maintain(turn);
    feed_watchdog(turn);
    if (is_drained(turn))
        turn->stopping = true;
    turn->figures.turns++;
    turn->fresh = false;
    return more;
}

static void set_timer(struct turn *turn)
{
    int64_t wait_us = gateway_wake_at(turn->effects.gateway) - turn->now.mono_us;
    int64_t limits_us = escalation_wake_at(turn->escalation) - turn->now.mono_us;

    if (limits_us < wait_us)
        wait_us = limits_us;
    if (wait_us > IDLE_TURN_US)
        wait_us = IDLE_TURN_US;
    if (wait_us < 0)
        wait_us = 0;
    event_add(turn->timer, &(struct timeval){wait_us / US_PER_SECOND, wait_us % US_PER_SECOND});
}

bool turn_run(struct turn *turn)
{
    bool more = finish(turn);

    while (!turn->stopping) {
        set_timer(turn);
        event_base_loop(turn->base, EVLOOP_ONCE | (more ? EVLOOP_NONBLOCK : 0));

        begin(turn); /* if no event did: the wait before it is no part of the turn */

        int64_t started_us = turn->now.mono_us;

        more = finish(turn);

        int64_t took_us = clock_now().mono_us - started_us;

        if (took_us > turn->figures.longest_us)
            turn->figures.longest_us = took_us;
    }
    return !turn->failed;
}

void turn_stop(struct turn *turn)
{
    turn->stopping = true;
}

void turn_configure(struct turn *turn, const struct config *config)
{
    struct gateway_settings settings = setup_gateway(config);

    turn->config = config;
    gateway_configure(turn->effects.gateway, &settings);
    inlets_reload(turn->effects.inlets, config);
    notices_configure(turn->notices, config);
}

void turn_drain(struct turn *turn)
{
    turn->draining = true;
    inlets_drain(turn->effects.inlets);
}
