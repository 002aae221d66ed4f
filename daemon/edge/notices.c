#include "daemon/edge/notices.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edge/clock.h"
#include "daemon/edge/notice_targets.h"
#include "db/listen.h"

#define SLOTS_MAX 64
#define LEASE_MARGIN_S 60 /* on top of the longest time that a target may take */
#define LOOK_EVERY_US (10 * US_PER_SECOND)
#define SETTLE_EVERY_US US_PER_HOUR
#define STATEMENT_TIMEOUT_MS 10000

enum { TAKE, RELEASE, DELIVERED, FAILED, SETTLE };
static const char *const statements[] = {
    [TAKE] = "SELECT id, target, event_type, message_id,"
             " (extract(epoch from created_at) * 1000000)::bigint, body, subject_zh, subject_en,"
             " text_zh, text_en FROM onekey.take_notices($1, $2, $3::text[], $4::text[], $5::int[],"
             " $6::boolean[], $7::int)",
    [RELEASE] = "SELECT onekey.release_notices($1, $2)",
    [DELIVERED] = "SELECT onekey.notice_delivered($1, $2, $3::bigint)",
    [FAILED] = "SELECT onekey.notice_failed($1, $2, $3::bigint, $4, $5::float8, $6::float8,"
               " $7::float8, $8::float8, $9::float8)",
    [SETTLE] = "SELECT onekey.settle_notices($1, $2::float8)",
    NULL,
};
static const char *const channels[] = {"onekey_notice", NULL};

enum slot_state { SLOT_FREE, SLOT_SENDING, SLOT_DONE, SLOT_STORING };

/* One notice from the moment it is taken until its result is stored. */
struct slot {
    struct notices *notices;
    enum slot_state state;
    int64_t id;
    int target;
    struct notice_result result;
};

struct notices {
    struct notices_setup setup;
    struct notice_targets targets;
    struct listen *listen;
    struct statement parameters;
    struct event *timer;
    struct slot slots[SLOTS_MAX];
    bool is_released, is_taking, may_be_more;
    int64_t look_at_us, settle_at_us; /* mono */
    struct notices_figures figures;
};

static void work(struct notices *notices);

/* --- the timer --- */

static void look_in(struct notices *notices, double seconds)
{
    int64_t at_us = clock_now().mono_us + (int64_t)(seconds * US_PER_SECOND);

    if (at_us < notices->look_at_us)
        notices->look_at_us = at_us;
}

static void set_timer(struct notices *notices)
{
    int64_t wait_us = notices->look_at_us - clock_now().mono_us;

    if (wait_us < 0)
        wait_us = 0;
    event_add(notices->timer, &(struct timeval){wait_us / US_PER_SECOND, wait_us % US_PER_SECOND});
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct notices *notices = context;

    (void)fd, (void)what;
    notices->setup.on_turn(notices->setup.context);
    notices->look_at_us = INT64_MAX;
    look_in(notices, (double)LOOK_EVERY_US / US_PER_SECOND);
    notices->may_be_more = true;
    work(notices);
}

/* --- the database --- */

static void begin_parameters(struct notices *notices)
{
    statement_reset(&notices->parameters);
    statement_string(&notices->parameters, notices->setup.config->gateway.name);
    statement_string(&notices->parameters, notices->setup.district);
}

static bool submit(struct notices *notices, int statement, pipeline_on_result *on_result,
                   void *context)
{
    return pipeline_submit(listen_pipeline(notices->listen), statement, &notices->parameters,
                           on_result, context);
}

static void warn_of(struct notices *notices, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_REFUSED)
        log_event(notices->setup.log, LOG_ERROR, "notice.database_refused",
                  field_text("reason", result->message));
}

/* --- results --- */

static void on_stored(void *context, const struct pipeline_result *result)
{
    struct slot *slot = context;
    struct notices *notices = slot->notices;

    notices->setup.on_turn(notices->setup.context);
    warn_of(notices, result);
    if (result->outcome == PIPELINE_LOST) {
        slot->state = SLOT_DONE; /* told again once there is a connection */
        return;
    }
    if (result->outcome == PIPELINE_OK && slot->result.outcome == NOTICE_LATER &&
        !rows_is_null(result->rows, 0, 0))
        look_in(notices, strtod(rows_text(result->rows, 0, 0), NULL));
    slot->state = SLOT_FREE;
    notices->targets.list[slot->target].busy--;
    notices->may_be_more = true;
    work(notices);
}

static void put_seconds(struct notices *notices, int seconds)
{
    statement_int64(&notices->parameters, seconds);
}

static void store_result(struct slot *slot)
{
    struct notices *notices = slot->notices;
    const struct config *config = notices->setup.config;
    bool is_delivered = slot->result.outcome == NOTICE_DELIVERED;

    begin_parameters(notices);
    statement_int64(&notices->parameters, slot->id);
    if (!is_delivered) {
        statement_string(&notices->parameters, slot->result.reason);
        if (slot->result.outcome == NOTICE_REFUSED)
            statement_null(&notices->parameters);
        else
            put_seconds(notices, slot->result.retry_s);
        put_seconds(notices, config->notice.first_retry_s);
        put_seconds(notices, config->notice.longest_retry_s);
        put_seconds(notices, config->notice.give_up_s);
        put_seconds(notices, config->notice.ticket_after_s);
    }
    if (submit(notices, is_delivered ? DELIVERED : FAILED, on_stored, slot))
        slot->state = SLOT_STORING;
}

static void count_result(struct notices *notices, const struct notice_target *target, int64_t id,
                         const struct notice_result *result)
{
    bool is_delivered = result->outcome == NOTICE_DELIVERED;

    notices->figures.delivered += is_delivered;
    notices->figures.failed += result->outcome == NOTICE_LATER;
    notices->figures.refused += result->outcome == NOTICE_REFUSED;
    log_event(notices->setup.log, is_delivered ? LOG_INFO : LOG_WARNING,
              is_delivered ? "notice.delivered" : "notice.failed", field_number("notice", id),
              field_text("transport", target->transport->name), field_text("target", target->name),
              field_text("reason", result->reason));
}

static void on_result(void *context, const struct notice_result *result)
{
    struct slot *slot = context;
    struct notices *notices = slot->notices;
    struct notice_target *target = &notices->targets.list[slot->target];

    notices->setup.on_turn(notices->setup.context);
    assert(slot->state == SLOT_SENDING);
    slot->state = SLOT_DONE;
    slot->result = *result;
    target->is_failing = result->outcome == NOTICE_LATER;
    count_result(notices, target, slot->id, result);
    store_result(slot);
}

/* --- taking --- */

static struct slot *free_slot(struct notices *notices)
{
    for (int i = 0; i < SLOTS_MAX; i++)
        if (notices->slots[i].state == SLOT_FREE)
            return &notices->slots[i];
    return NULL;
}

static void send_row(struct notices *notices, const struct pg_result *rows, int row)
{
    struct slot *slot = free_slot(notices);
    int target = (int)rows_int64(rows, row, 1);
    struct notice notice = {
        .event_type = rows_text(rows, row, 2),
        .message_id = rows_text(rows, row, 3),
        .created_us = rows_int64(rows, row, 4),
        .now_us = clock_now().wall_us,
        .body = rows_text(rows, row, 5),
        .size = rows_size(rows, row, 5),
        .subject_zh = rows_text(rows, row, 6),
        .subject_en = rows_text(rows, row, 7),
        .text_zh = rows_text(rows, row, 8),
        .text_en = rows_text(rows, row, 9),
    };

    assert(slot && target >= 0 && target < notices->targets.count);
    slot->state = SLOT_SENDING;
    slot->id = rows_int64(rows, row, 0);
    slot->target = target;
    notices->targets.list[target].busy++;
    notices->targets.list[target].transport->send(notices->targets.list[target].sender, &notice,
                                                  on_result, slot);
}

static void on_taken(void *context, const struct pipeline_result *result)
{
    struct notices *notices = context;
    int count = result->outcome == PIPELINE_OK ? rows_count(result->rows) : 0;

    notices->setup.on_turn(notices->setup.context);
    notices->is_taking = false;
    warn_of(notices, result);
    for (int row = 0; row < count; row++)
        send_row(notices, result->rows, row);
    if (count > 0)
        notices->may_be_more = true;
    if (result->outcome != PIPELINE_LOST)
        work(notices);
}

/* How many each target may be sent now, together no more than there are slots. */
static int find_room(const struct notices *notices, int rooms[NOTICE_TARGETS_MAX])
{
    int slots = 0, total = 0;

    for (int i = 0; i < SLOTS_MAX; i++)
        slots += notices->slots[i].state == SLOT_FREE;
    for (int i = 0; i < notices->targets.count; i++) {
        rooms[i] = notice_targets_room(&notices->targets.list[i]);
        if (rooms[i] > slots - total)
            rooms[i] = slots - total;
        total += rooms[i];
    }
    return total;
}

static void put_targets(struct notices *notices, const int rooms[NOTICE_TARGETS_MAX])
{
    struct statement *parameters = &notices->parameters;
    const struct notice_targets *targets = &notices->targets;

    statement_array_begin(parameters);
    for (int i = 0; i < targets->count; i++)
        statement_string(parameters, targets->list[i].transport->name);
    statement_array_end(parameters);
    statement_array_begin(parameters);
    for (int i = 0; i < targets->count; i++)
        statement_string(parameters, targets->list[i].name);
    statement_array_end(parameters);
    statement_array_begin(parameters);
    for (int i = 0; i < targets->count; i++)
        statement_int64(parameters, rooms[i]);
    statement_array_end(parameters);
    statement_array_begin(parameters);
    for (int i = 0; i < targets->count; i++)
        statement_bool(parameters, targets->list[i].include == CONFIG_PERSON);
    statement_array_end(parameters);
}

static void take(struct notices *notices)
{
    int rooms[NOTICE_TARGETS_MAX];

    if (notices->is_taking || !notices->may_be_more || find_room(notices, rooms) == 0)
        return;
    begin_parameters(notices);
    put_targets(notices, rooms);
    put_seconds(notices, notices->targets.longest_s + LEASE_MARGIN_S);
    notices->is_taking = submit(notices, TAKE, on_taken, notices);
    notices->may_be_more = !notices->is_taking;
}

static void on_done(void *context, const struct pipeline_result *result)
{
    warn_of(context, result);
}

static void settle(struct notices *notices)
{
    int64_t now_us = clock_now().mono_us;

    if (now_us < notices->settle_at_us)
        return;
    statement_reset(&notices->parameters);
    statement_string(&notices->parameters, notices->setup.district);
    put_seconds(notices, notices->setup.config->notice.give_up_s);
    if (submit(notices, SETTLE, on_done, notices))
        notices->settle_at_us = now_us + SETTLE_EVERY_US;
}

/* Everything that there is to do now; harmless at any time. */
static void work(struct notices *notices)
{
    if (pipeline_is_up(listen_pipeline(notices->listen))) {
        for (int i = 0; i < SLOTS_MAX; i++)
            if (notices->slots[i].state == SLOT_DONE)
                store_result(&notices->slots[i]);
        settle(notices);
        take(notices);
    }
    set_timer(notices);
}

/* --- the connection --- */

static void on_released(void *context, const struct pipeline_result *result)
{
    struct notices *notices = context;

    notices->is_released = notices->is_released || result->outcome == PIPELINE_OK;
    on_done(context, result);
}

/* Connected. What this gateway had leased before it started is free; what it has on the way is not. */
static void on_gap(void *context)
{
    struct notices *notices = context;

    notices->setup.on_turn(notices->setup.context);
    begin_parameters(notices);
    if (!notices->is_released)
        (void)submit(notices, RELEASE, on_released, notices); /* before the first take */
    notices->is_taking = false;
    notices->may_be_more = true;
    work(notices);
}

static void on_notification(void *context, const char *channel, const char *payload)
{
    struct notices *notices = context;

    (void)channel;
    notices->setup.on_turn(notices->setup.context);
    if (strcmp(payload, notices->setup.district) != 0)
        return;
    notices->may_be_more = true;
    work(notices);
}

static void on_down(void *context, const char *reason)
{
    struct notices *notices = context;

    notices->setup.on_turn(notices->setup.context);
    log_event(notices->setup.log, LOG_WARNING, "notice.database_down",
              field_text("reason", reason));
}

/* --- life --- */

static bool open_listen(struct notices *notices, char *error, size_t error_size)
{
    struct listen_settings settings = {
        .conninfo = notices->setup.config->database.conninfo,
        .application_name = "onekeyd notices",
        .channels = channels,
        .statements = statements,
        .timeout_ms = STATEMENT_TIMEOUT_MS,
    };
    struct listen_callbacks callbacks = {notices, on_gap, on_notification, on_down};
    char *line = NULL;

    notices->listen =
        listen_open(notices->setup.base, &settings, notices->setup.random, &callbacks, &line);
    if (!notices->listen)
        snprintf(error, error_size, "%s", line);
    free(line);
    return notices->listen != NULL;
}

bool notices_open(const struct notices_setup *setup, struct notices **opened, char *error,
                  size_t error_size)
{
    struct notices *notices = calloc(1, sizeof(*notices));

    assert(notices);
    notices->setup = *setup;
    statement_init(&notices->parameters);
    for (int i = 0; i < SLOTS_MAX; i++)
        notices->slots[i].notices = notices;
    notices->look_at_us = INT64_MAX;
    notices->timer = evtimer_new(setup->base, on_timer, notices);
    assert(notices->timer);
    *opened = notices;
    if (notice_targets_open(&notices->targets, setup, error, error_size) &&
        (notices->targets.count == 0 || open_listen(notices, error, error_size))) {
        if (notices->targets.count > 0)
            return true;
        notices_close(notices);
        *opened = NULL;
        return true;
    }
    notices_close(notices);
    *opened = NULL;
    return false;
}

void notices_close(struct notices *notices)
{
    if (!notices)
        return;
    notice_targets_close(&notices->targets);
    listen_close(notices->listen);
    event_free(notices->timer);
    statement_fini(&notices->parameters);
    free(notices);
}

void notices_configure(struct notices *notices, const struct config *config)
{
    if (notices)
        notices->setup.config = config;
}

struct notices_figures notices_figures(const struct notices *notices)
{
    struct notices_figures figures = {0};

    if (!notices)
        return figures;
    figures = notices->figures;
    figures.targets = (uint32_t)notices->targets.count;
    for (int i = 0; i < SLOTS_MAX; i++)
        figures.on_the_way += notices->slots[i].state != SLOT_FREE;
    return figures;
}
