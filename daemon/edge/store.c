#include "daemon/edge/store.h"

#include "daemon/edge/columns.h"
#include "db/pipeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LANES 2
#define TOUCH_BATCH 100    /* more rows a transaction were seen to delay the alarms beside them */
#define TOUCH_IN_FLIGHT 4  /* batches of touches without result */
#define REJECT_IN_FLIGHT 4 /* a lane parks one record at a time */
#define OBSERVE_IN_FLIGHT 1
#define JOBS_MAX 64 /* everything a lane may have in flight */

enum { STORE, PARK, TOUCH, OBSERVE, GREET, MAINTAIN };
static const char park[] =
    "SELECT onekey.reject($1, $2, $3::bigint, $4::timestamptz, $5, $6, $7, $8,"
    " $9::bytea)";
static const char *const alarm_statements[] = {
    [STORE] = "SELECT count(*) FROM onekey.raise_tickets($1, $2, $3::bigint[], $4::text[],"
              " $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],"
              " $10::timestamptz[], $11::bytea[], $12::jsonb[])",
    [PARK] = park,
    NULL,
};
/* The functions' inner statements are planned at their first call in a session, which takes longer
 * than an alarm should wait: an empty batch makes that call when the connection comes up. */
static const char *const alarm_setup[] = {
    "SELECT count(*) FROM onekey.raise_tickets('', '', '{}', '{}', '{}', '{}', '{}', '{}', '{}', "
    "'{}',"
    " '{}', '{}')",
    NULL,
};
static const char *const reading_statements[] = {
    [STORE] = "SELECT onekey.store_readings($1, $2, $3::bigint[], $4::text[], $5::text[],"
              " $6::timestamptz[], $7::timestamptz[], $8::bigint[], $9::bigint[], $10::int[],"
              " $11::int[], $12::text[])",
    [PARK] = park,
    /* Soft state: its commit need not wait for the disk. */
    [TOUCH] = "SELECT set_config('synchronous_commit', 'off', true),"
              " onekey.touch_devices($1, $2::text[], $3::text[], $4::timestamptz[],"
              " $5::int[], $6::int[], $7::float8[], $8::float8[], $9::int[], $10::int[],"
              " $11::int[], $12::int[], $13::int[], $14::int[], $15::numeric[],"
              " $16::timestamptz[], $17::timestamptz[], $18::timestamptz[])",
    [OBSERVE] = "SELECT set_config('synchronous_commit', 'off', true),"
                " onekey.store_observations($1, $2::bigint[], $3::timestamptz[],"
                " $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::float8[],"
                " $9::float8[], $10::int[], $11::int[], $12::int[], $13::int[], $14::int[],"
                " $15::int[], $16::numeric[])",
    [GREET] = "SELECT onekey.gateway_started($1, $2, $3)",
    [MAINTAIN] = "SELECT count(*) FROM onekey.maintain_partitions()",
    NULL,
};

enum job_kind { JOB_BATCH, JOB_REJECT, JOB_TOUCH, JOB_OBSERVE, JOB_KINDS };

/* What a submission in flight was for. */
struct job {
    enum job_kind kind;
    uint32_t batch;
    uint64_t number;
    store_on_rejected *on_rejected;
    void *context;
};

struct route {
    struct store *store;
    enum lane lane;
    struct pipeline *pipeline;
    struct job jobs[JOBS_MAX]; /* a ring in the order of submission */
    unsigned first, count;
    unsigned in_flight[JOB_KINDS];
};

struct store {
    char *gateway, *district;
    unsigned limits[JOB_KINDS]; /* most in flight of each kind, a lane */
    struct store_callbacks callbacks;
    struct route routes[LANES];
    struct statement parameters; /* of the submission being built */
};

static void begin_parameters(struct store *store)
{
    statement_reset(&store->parameters);
    statement_string(&store->parameters, store->gateway);
    statement_string(&store->parameters, store->district);
}

/* --- submissions --- */

static struct route *route_of(struct store *store, enum lane lane)
{
    return &store->routes[lane == LANE_ALARM ? 0 : 1];
}

static void on_answer(void *context, const struct pipeline_result *result)
{
    static const enum store_result results[] = {
        [PIPELINE_OK] = STORE_COMMITTED,
        [PIPELINE_REFUSED] = STORE_REFUSED,
        [PIPELINE_LOST] = STORE_LOST,
    };
    struct route *route = context;
    const struct store_callbacks *callbacks = &route->store->callbacks;

    assert(route->count > 0);
    struct job job = route->jobs[route->first];
    route->first = (route->first + 1) % JOBS_MAX;
    route->count--;
    route->in_flight[job.kind]--;
    switch (job.kind) {
    case JOB_BATCH:
        callbacks->on_result(callbacks->context, route->lane, job.batch, results[result->outcome],
                             result->message);
        break;
    case JOB_REJECT:
        job.on_rejected(job.context, job.number, result->outcome == PIPELINE_OK);
        break;
    case JOB_OBSERVE:
        callbacks->on_observed(callbacks->context, results[result->outcome], result->message);
        break;
    case JOB_TOUCH:
    case JOB_KINDS:
        break;
    }
}

static bool has_room(const struct route *route, enum job_kind kind)
{
    return pipeline_is_up(route->pipeline) && route->in_flight[kind] < route->store->limits[kind];
}

/* Sends store->parameters. */
static bool dispatch(struct route *route, int statement, struct job job)
{
    if (!pipeline_submit(route->pipeline, statement, &route->store->parameters, on_answer, route))
        return false;
    route->jobs[(route->first + route->count) % JOBS_MAX] = job;
    route->count++;
    route->in_flight[job.kind]++;
    return true;
}

bool store_submit(struct store *store, const struct store_batch *batch)
{
    struct route *route = route_of(store, batch->type);

    assert(batch->count > 0 && batch->count <= STORE_BATCH_MAX);
    if (!has_room(route, JOB_BATCH))
        return false;
    begin_parameters(store);
    columns_put_batch(&store->parameters, batch);
    return dispatch(route, STORE, (struct job){.kind = JOB_BATCH, .batch = batch->id});
}

bool store_reject(struct store *store, const struct arrival *arrival, const char *message,
                  store_on_rejected *on_rejected, void *context)
{
    struct route *route = route_of(store, arrival_lane(arrival));
    struct job job = {JOB_REJECT, 0, arrival->number, on_rejected, context};

    if (!has_room(route, JOB_REJECT))
        return false;
    begin_parameters(store);
    columns_put_rejected(&store->parameters, arrival, message);
    return dispatch(route, PARK, job);
}

/* --- soft state --- */

size_t store_touch(struct store *store, const struct device_touch *touches, size_t count)
{
    struct route *route = route_of(store, LANE_READING);
    size_t taken = 0;

    while (taken < count && has_room(route, JOB_TOUCH)) {
        size_t size = count - taken < TOUCH_BATCH ? count - taken : TOUCH_BATCH;
        statement_reset(&store->parameters);
        statement_string(&store->parameters, store->district);
        columns_put_touches(&store->parameters, touches + taken, size);
        if (!dispatch(route, TOUCH, (struct job){.kind = JOB_TOUCH}))
            break;
        taken += size;
    }
    return taken;
}

bool store_observe(struct store *store, const struct observation *observations, size_t count)
{
    struct route *route = route_of(store, LANE_READING);

    if (!has_room(route, JOB_OBSERVE))
        return false;
    statement_reset(&store->parameters);
    statement_string(&store->parameters, store->district);
    columns_put_observations(&store->parameters, observations, count);
    return dispatch(route, OBSERVE, (struct job){.kind = JOB_OBSERVE});
}

/* Nothing tells the result: both are asked for again and again. */
void store_greet(struct store *store, const char *version)
{
    struct route *route = route_of(store, LANE_READING);

    statement_reset(&store->parameters);
    statement_string(&store->parameters, store->gateway);
    statement_string(&store->parameters, store->district);
    statement_string(&store->parameters, version);
    (void)dispatch(route, GREET, (struct job){.kind = JOB_TOUCH});
}

void store_maintain(struct store *store)
{
    struct route *route = route_of(store, LANE_READING);

    if (!has_room(route, JOB_TOUCH))
        return;
    statement_reset(&store->parameters);
    (void)dispatch(route, MAINTAIN, (struct job){.kind = JOB_TOUCH});
}

/* --- life --- */

static void on_up(void *context)
{
    struct route *route = context;

    route->store->callbacks.on_up(route->store->callbacks.context, route->lane);
}

static void on_down(void *context, const char *reason)
{
    struct route *route = context;

    route->store->callbacks.on_down(route->store->callbacks.context, route->lane, reason);
}

bool store_is_up(const struct store *store, enum lane lane)
{
    return pipeline_is_up(store->routes[lane == LANE_ALARM ? 0 : 1].pipeline);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (int i = 0; i < LANES; i++)
        pipeline_close(store->routes[i].pipeline);
    statement_fini(&store->parameters);
    free(store->gateway);
    free(store->district);
    free(store);
}

static struct store *create(const struct store_settings *settings,
                            const struct store_callbacks *callbacks)
{
    struct store *store = calloc(1, sizeof *store);
    int batches = settings->in_flight > 0 ? settings->in_flight : 1;

    if (!store)
        abort(); /* out of memory: the supervisor starts us anew */
    store->gateway = strdup(settings->gateway);
    store->district = strdup(settings->district);
    store->callbacks = *callbacks;
    store->limits[JOB_TOUCH] = TOUCH_IN_FLIGHT;
    store->limits[JOB_REJECT] = REJECT_IN_FLIGHT;
    store->limits[JOB_OBSERVE] = OBSERVE_IN_FLIGHT;
    if (batches > JOBS_MAX - TOUCH_IN_FLIGHT - REJECT_IN_FLIGHT - OBSERVE_IN_FLIGHT)
        batches = JOBS_MAX - TOUCH_IN_FLIGHT - REJECT_IN_FLIGHT - OBSERVE_IN_FLIGHT;
    store->limits[JOB_BATCH] = (unsigned)batches;
    statement_init(&store->parameters);
    return store;
}

struct store *store_open(struct event_base *base, const struct store_settings *settings,
                         struct random *random, const struct store_callbacks *callbacks,
                         char **error)
{
    static const enum lane lanes[LANES] = {LANE_ALARM, LANE_READING};
    static const char *const names[LANES] = {"onekeyd alarms", "onekeyd readings"};
    struct store *store = create(settings, callbacks);

    for (int i = 0; i < LANES; i++) {
        struct route *route = &store->routes[i];
        struct pipeline_settings wanted = {
            .conninfo = settings->conninfo,
            .application_name = names[i],
            .setup = lanes[i] == LANE_ALARM ? alarm_setup : NULL,
            .statements = lanes[i] == LANE_ALARM ? alarm_statements : reading_statements,
            .timeout_ms = settings->timeout_ms,
        };
        struct pipeline_callbacks answers = {route, on_up, on_down, NULL};
        route->store = store;
        route->lane = lanes[i];
        route->pipeline = pipeline_open(base, &wanted, random, &answers, error);
        if (!route->pipeline) {
            store_close(store);
            return NULL;
        }
    }
    return store;
}
