#include "daemon/edge/directory.h"

#include "daemon/edge/device_cache.h"
#include "daemon/edge/device_row.h"
#include "daemon/edge/device_table.h"
#include "db/listen.h"
#include "protocol/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL "onekey_device"
#define FETCH_ROWS 256        /* about a millisecond's work */
#define FETCH_SQL "256"       /* the same */
#define ASK_MAX 100           /* changed devices read by one query */
#define CHANGED_MAX 10000     /* more changes than this: a full load is cheaper */
#define SWEEP_SHARDS 2048     /* looked through in one turn */
#define TIMEOUT_MS_MIN 60000  /* the first rows of a million take the server seconds */
#define RETRY_MS 10000        /* after a load that the database refused */
#define REST_MS_MIN 200       /* between two loads, and 1 ms more … */
#define REST_DEVICES_A_MS 100 /* … for so many devices */
#define CACHE_SLICE_MS 1      /* between two slices of the copy on disk */
#define CACHE_INTERVAL_S 60

#define SELECT "SELECT " DEVICE_ROW_COLUMNS " "

enum { BEGIN, DECLARE, FETCH, COMMIT, ROLLBACK, CHANGED };
static const char *const statements[] = {
    [BEGIN] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    [DECLARE] = "DECLARE devices NO SCROLL CURSOR FOR " SELECT "FROM onekey.registry($1)",
    [FETCH] = "FETCH FORWARD " FETCH_SQL " FROM devices",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [CHANGED] = SELECT "FROM onekey.registry_of($1, $2::bigint[])",
    NULL,
};

/*
 *           reload wanted                   last row                all shards seen
 *   IDLE ------------------> LOADING ------------------> SWEEPING ------------------> IDLE
 *     ^                         | connection lost, refused
 *     +-------------------------+
 *   IDLE --changed devices--> ASKING --answer--> IDLE
 */
enum work { IDLE, LOADING, SWEEPING, ASKING };

struct directory {
    struct directory_callbacks callbacks;
    char *district, *cache_path;
    int cache_interval_s;
    struct listen *listen;
    struct device_table table;
    struct statement parameters;
    enum work work;
    bool is_up;
    bool complete;      /* a full load has come to its end since the start */
    bool reload_wanted; /* after a gap, or a change that names no device */
    uint32_t sweep_shard;
    struct event *step; /* SWEEPING: the next slice; IDLE: the rest before the next load */
    int64_t changed[CHANGED_MAX]; /* devices to read again, the first `asked` are being read */
    size_t changed_count, asked;
    bool dirty;                 /* the copy on disk is older than the table */
    bool written;               /* tried to write one since the start */
    struct device_cache *cache; /* being written */
    struct event *cache_timer;
};

static void go_on(struct directory *directory);
static void cache_soon(struct directory *directory);

static void start_timer(struct event *timer, int64_t wait_ms)
{
    event_add(timer, &(struct timeval){wait_ms / 1000, wait_ms % 1000 * 1000});
}

static void say_trouble(struct directory *directory, const char *what, const char *why)
{
    char line[512];

    snprintf(line, sizeof line, "%s: %s", what, why);
    directory->callbacks.on_trouble(directory->callbacks.context, line);
}

/* --- one device --- */

static void tell_removed(void *context, const struct device_entry *device)
{
    struct directory *directory = context;

    directory->dirty = true;
    directory->callbacks.on_device_removed(directory->callbacks.context, device);
}

static void apply(void *context, const struct device_entry *device)
{
    struct directory *directory = context;
    struct device_entry old;
    enum device_change change = device_table_put(&directory->table, device, &old);

    if (change == DEVICE_SAME)
        return;
    if (change == DEVICE_CHANGED &&
        (old.protocol != device->protocol || strcmp(old.identity, device->identity) != 0))
        tell_removed(directory, &old);
    directory->dirty = true;
    directory->callbacks.on_device(directory->callbacks.context, device);
}

/* --- queries --- */

static void begin_parameters(struct directory *directory)
{
    statement_reset(&directory->parameters);
    statement_string(&directory->parameters, directory->district);
}

/* Sends one of the statements with the parameters so far. Where the connection just went down it
 * sends nothing: on_down follows, and the load starts anew when it is up. */
static void send_query(struct directory *directory, int statement, pipeline_on_result *on_result)
{
    bool sent = pipeline_submit(listen_pipeline(directory->listen), statement,
                                &directory->parameters, on_result, directory);

    (void)sent;
}

static void send_bare(struct directory *directory, int statement, pipeline_on_result *on_result)
{
    statement_reset(&directory->parameters);
    send_query(directory, statement, on_result);
}

static void on_nothing(void *context, const struct pipeline_result *result)
{
    (void)context, (void)result;
}

/* Whether the answer to a step of the load is good. If not, the load is over. */
static bool is_good(struct directory *directory, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_REFUSED) {
        say_trouble(directory, "the devices cannot be read", result->message);
        send_bare(directory, ROLLBACK, on_nothing);
        directory->reload_wanted = true;
        start_timer(directory->step, RETRY_MS);
    }
    if (result->outcome != PIPELINE_OK)
        directory->work = IDLE;
    return result->outcome == PIPELINE_OK;
}

/* --- the full load --- */

static void on_committed(void *context, const struct pipeline_result *result)
{
    struct directory *directory = context;

    if (!is_good(directory, result))
        return;
    directory->work = SWEEPING;
    directory->sweep_shard = 0;
    start_timer(directory->step, 0);
}

static void on_step_of_load(void *context, const struct pipeline_result *result)
{
    is_good(context, result);
}

static void on_fetched(void *context, const struct pipeline_result *result)
{
    struct directory *directory = context;
    struct device_entry device;
    int unreadable = 0;

    if (!is_good(directory, result))
        return;
    int count = rows_count(result->rows);
    if (count == FETCH_ROWS)
        send_bare(directory, FETCH, on_fetched); /* the server works while we do */
    else
        send_bare(directory, COMMIT, on_committed);
    for (int row = 0; row < count; row++) {
        if (device_row_read(result->rows, row, &device))
            apply(directory, &device);
        else
            unreadable++;
    }
    if (unreadable > 0)
        say_trouble(directory, "devices left out", "unknown protocol, long identity or secret");
}

static void load(struct directory *directory)
{
    directory->work = LOADING;
    directory->reload_wanted = false;
    directory->changed_count = 0; /* what they say is in the load */
    directory->table.generation++;
    send_bare(directory, BEGIN, on_step_of_load);
    begin_parameters(directory);
    send_query(directory, DECLARE, on_step_of_load);
    send_bare(directory, FETCH, on_fetched);
}

static void sweep(struct directory *directory)
{
    uint32_t end = directory->sweep_shard + SWEEP_SHARDS;

    for (; directory->sweep_shard < end; directory->sweep_shard++)
        device_table_sweep(&directory->table, directory->sweep_shard, tell_removed, directory);
    if (directory->sweep_shard < DEVICE_TABLE_SHARDS) {
        start_timer(directory->step, 0);
        return;
    }
    directory->work = IDLE;
    directory->complete = true;
    start_timer(directory->step, REST_MS_MIN + (int64_t)directory->table.count / REST_DEVICES_A_MS);
    directory->callbacks.on_complete(directory->callbacks.context, directory->table.count);
    cache_soon(directory);
    go_on(directory);
}

static void on_step(evutil_socket_t fd, short what, void *context)
{
    struct directory *directory = context;

    (void)fd, (void)what;
    if (directory->work == SWEEPING)
        sweep(directory);
    else
        go_on(directory);
}

/* --- changes --- */

static bool holds(const struct device_entry *devices, size_t count, int64_t device_id)
{
    for (size_t i = 0; i < count; i++)
        if (devices[i].device_id == device_id)
            return true;
    return false;
}

/* What is gone first: its identity may belong to one of the others now. */
static void on_changed(void *context, const struct pipeline_result *result)
{
    struct directory *directory = context;
    struct device_entry devices[ASK_MAX], old;
    size_t count = 0;

    directory->work = IDLE;
    if (result->outcome == PIPELINE_LOST)
        return;
    if (result->outcome == PIPELINE_REFUSED) {
        say_trouble(directory, "changed devices cannot be read", result->message);
        directory->reload_wanted = true;
        start_timer(directory->step, RETRY_MS);
    } else {
        for (int row = 0; row < rows_count(result->rows) && count < ASK_MAX; row++)
            count += device_row_read(result->rows, row, &devices[count]);
        for (size_t i = 0; i < directory->asked; i++)
            if (!holds(devices, count, directory->changed[i]) &&
                device_table_remove(&directory->table, directory->changed[i], &old))
                tell_removed(directory, &old);
        for (size_t i = 0; i < count; i++)
            apply(directory, &devices[i]);
    }
    directory->changed_count -= directory->asked;
    memmove(directory->changed, directory->changed + directory->asked,
            directory->changed_count * sizeof directory->changed[0]);
    directory->asked = 0;
    cache_soon(directory);
    go_on(directory);
}

static void ask(struct directory *directory)
{
    directory->work = ASKING;
    directory->asked =
        directory->changed_count < ASK_MAX ? directory->changed_count : (size_t)ASK_MAX;
    begin_parameters(directory);
    statement_array_begin(&directory->parameters);
    for (size_t i = 0; i < directory->asked; i++)
        statement_int64(&directory->parameters, directory->changed[i]);
    statement_array_end(&directory->parameters);
    send_query(directory, CHANGED, on_changed);
}

/* Starts what is to be done, if nothing is being done. */
static void go_on(struct directory *directory)
{
    bool resting = evtimer_pending(directory->step, NULL);

    if (!directory->is_up || directory->work != IDLE)
        return;
    if (directory->reload_wanted && !resting)
        load(directory);
    else if (directory->changed_count > 0 && directory->complete)
        ask(directory);
}

/* "DISTRICT" says that anything may have changed, "DISTRICT ID ID …" which devices have. */
static void on_notification(void *context, const char *channel, const char *payload)
{
    struct directory *directory = context;
    size_t size = strcspn(payload, " ");
    char *end;

    (void)channel;
    if (strlen(directory->district) != size || strncmp(payload, directory->district, size) != 0)
        return;
    payload += size;
    if (!*payload)
        directory->reload_wanted = true;
    for (; *payload; payload = end) {
        int64_t device_id = strtoll(payload, &end, 10);
        if (end == payload || directory->changed_count == CHANGED_MAX) {
            directory->reload_wanted = true;
            break;
        }
        directory->changed[directory->changed_count++] = device_id;
    }
    go_on(directory);
}

static void on_gap(void *context)
{
    struct directory *directory = context;

    directory->is_up = true;
    directory->reload_wanted = true;
    if (directory->work == IDLE)
        evtimer_del(directory->step); /* no rest after a gap */
    go_on(directory);
}

static void on_down(void *context, const char *reason)
{
    struct directory *directory = context;

    directory->is_up = false;
    directory->asked = 0;
    if (directory->work == LOADING || directory->work == ASKING)
        directory->work = IDLE;
    say_trouble(directory, "no connection for the devices", reason);
}

/* --- the copy on disk --- */

static void cache_soon(struct directory *directory)
{
    int wait_s = directory->written ? directory->cache_interval_s : 0;

    if (directory->cache_path && directory->dirty && directory->complete && !directory->cache &&
        !evtimer_pending(directory->cache_timer, NULL))
        start_timer(directory->cache_timer, wait_s * INT64_C(1000));
}

static void on_cache_failed(struct directory *directory)
{
    say_trouble(directory, directory->cache_path, strerror(errno));
    directory->dirty = true;
    cache_soon(directory);
}

static void on_cache_timer(evutil_socket_t fd, short what, void *context)
{
    struct directory *directory = context;

    (void)fd, (void)what;
    if (!directory->cache) {
        directory->dirty = false;
        directory->written = true;
        directory->cache =
            device_cache_begin(directory->cache_path, directory->district, &directory->table);
        if (!directory->cache) {
            on_cache_failed(directory);
            return;
        }
    }
    switch (device_cache_continue(directory->cache)) {
    case DEVICE_CACHE_MORE:
        start_timer(directory->cache_timer, CACHE_SLICE_MS);
        break;
    case DEVICE_CACHE_DONE:
        directory->cache = NULL;
        cache_soon(directory);
        break;
    case DEVICE_CACHE_FAILED:
        directory->cache = NULL;
        on_cache_failed(directory);
        break;
    }
}

int64_t directory_load_cache(struct directory *directory, char **error)
{
    const struct device_table_heir heir = {directory->callbacks.context,
                                           directory->callbacks.on_device_ahead,
                                           directory->callbacks.on_device};
    const char *reason = "no copy is kept";
    int64_t count = -1;

    if (directory->cache_path)
        count = device_cache_load(directory->cache_path, directory->district, &directory->table,
                                  &heir, &reason);
    if (count < 0 &&
        asprintf(error, "%s %s",
                 directory->cache_path ? directory->cache_path : "devices:", reason) < 0)
        abort(); /* out of memory: the supervisor starts us anew */
    return count;
}

/* --- life --- */

struct directory *directory_open(struct event_base *base, const struct directory_settings *settings,
                                 const struct directory_callbacks *callbacks)
{
    struct directory *directory = calloc(1, sizeof *directory);

    if (!directory)
        abort(); /* out of memory: the supervisor starts us anew */
    directory->callbacks = *callbacks;
    directory->district = strdup(settings->district);
    directory->cache_path = settings->cache_path ? strdup(settings->cache_path) : NULL;
    directory->cache_interval_s =
        settings->cache_interval_s > 0 ? settings->cache_interval_s : CACHE_INTERVAL_S;
    directory->step = evtimer_new(base, on_step, directory);
    directory->cache_timer = evtimer_new(base, on_cache_timer, directory);
    device_table_init(&directory->table);
    statement_init(&directory->parameters);
    return directory;
}

bool directory_connect(struct directory *directory, const struct directory_settings *settings,
                       struct random *random, char **error)
{
    static const char *const channels[] = {CHANNEL, NULL};
    struct listen_settings wanted = {
        .conninfo = settings->conninfo,
        .application_name = "onekeyd devices",
        .channels = channels,
        .statements = statements,
        .timeout_ms = settings->timeout_ms > TIMEOUT_MS_MIN ? settings->timeout_ms : TIMEOUT_MS_MIN,
    };
    struct listen_callbacks answers = {directory, on_gap, on_notification, on_down};

    directory->listen =
        listen_open(event_get_base(directory->step), &wanted, random, &answers, error);
    return directory->listen != NULL;
}

void directory_close(struct directory *directory)
{
    if (!directory)
        return;
    bool is_old = directory->complete && (directory->dirty || directory->cache);
    listen_close(directory->listen);
    device_cache_drop(directory->cache);
    if (directory->cache_path && is_old)
        device_cache_write(directory->cache_path, directory->district, &directory->table);
    event_free(directory->step);
    event_free(directory->cache_timer);
    device_table_fini(&directory->table);
    statement_fini(&directory->parameters);
    free(directory->district);
    free(directory->cache_path);
    free(directory);
}

size_t directory_count(const struct directory *directory)
{
    return directory->table.count;
}
