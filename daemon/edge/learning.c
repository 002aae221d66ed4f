#include "daemon/edge/learning.h"

#include "daemon/base/instant.h"
#include "db/listen.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL "onekey_lesson"
#define BATCH 100       /* profiles, or meters asked for, in one statement */
#define STORE_EVERY_S 1 /* a batch, full or not */
#define ASK_EVERY_S 10  /* for lessons nobody told of, blank meters, absences that follow others */
#define RETRY_S 1

enum { LESSONS, STORE, LOAD, NEXT_ABSENCES };
static const char *const statements[] = {
    [LESSONS] = "SELECT id, protocol, identity, lesson, (extract(epoch from at) * 1e6)::bigint"
                " FROM onekey.lessons_due($1, $2::bigint)",
    /* Soft: the commit need not wait for the disk. */
    [STORE] = "SELECT set_config('synchronous_commit', 'off', true), onekey.store_profiles($1, $2,"
              " $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[],"
              " $8::bytea[], $9::jsonb[])",
    [LOAD] = "SELECT protocol, identity, state FROM onekey.profiles_of($1, $2::text[], $3::text[])",
    [NEXT_ABSENCES] = "SELECT onekey.tell_next_absences($1)",
    NULL,
};

struct held {
    const char *protocol;
    char identity[IDENTITY_LIMIT + 1];
    uint64_t number;
    int64_t kept_us, lesson_id;
    size_t state_size, detail_size;
    uint8_t state[PROFILE_STATE_MAX], detail[PROFILE_DETAIL_MAX];
};

struct learning {
    struct inlets_setup setup;
    char *name, *district;
    struct listen *listen;
    struct statement parameters;
    struct event *store_timer, *ask_timer;
    bool is_up, storing, asking, loading;
    bool ask_again;      /* a notice came while asking */
    int64_t asked_after; /* the last lesson of the page before */
    uint32_t position;   /* among the gateway's meters */
    size_t count;
    struct held held[BATCH];
};

static void start_timer(struct event *timer, int seconds)
{
    event_add(timer, &(struct timeval){.tv_sec = seconds});
}

static void say_refused(struct learning *learning, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_REFUSED)
        log_event(learning->setup.log, LOG_WARNING, "learning.refused",
                  field_text("reason", result->message));
}

static bool submit(struct learning *learning, int statement, pipeline_on_result *on_result)
{
    return pipeline_submit(listen_pipeline(learning->listen), statement, &learning->parameters,
                           on_result, learning);
}

static void begin_parameters(struct learning *learning)
{
    statement_reset(&learning->parameters);
}

/* --- copies to the database --- */

static void on_stored(void *context, const struct pipeline_result *result)
{
    struct learning *learning = context;

    learning->storing = false;
    say_refused(learning, result);
}

typedef void put_held(struct statement *out, const struct held *held);

static void put_protocol(struct statement *out, const struct held *held)
{
    statement_string(out, held->protocol);
}

static void put_identity(struct statement *out, const struct held *held)
{
    statement_string(out, held->identity);
}

static void put_number(struct statement *out, const struct held *held)
{
    statement_int64(out, (int64_t)held->number);
}

static void put_kept(struct statement *out, const struct held *held)
{
    statement_instant(out, held->kept_us);
}

static void put_lesson(struct statement *out, const struct held *held)
{
    statement_int64(out, held->lesson_id);
}

static void put_state(struct statement *out, const struct held *held)
{
    statement_bytes(out, held->state, held->state_size);
}

static void put_detail(struct statement *out, const struct held *held)
{
    statement_text(out, (const char *)held->detail, held->detail_size);
}

static put_held *const columns[] = {put_protocol, put_identity, put_number, put_kept,
                                    put_lesson,   put_state,    put_detail, NULL};

static void store(struct learning *learning)
{
    if (!learning->is_up || learning->storing || learning->count == 0)
        return;
    begin_parameters(learning);
    statement_string(&learning->parameters, learning->name);
    statement_string(&learning->parameters, learning->district);
    for (put_held *const *put = columns; *put; put++) {
        statement_array_begin(&learning->parameters);
        for (size_t i = 0; i < learning->count; i++)
            (*put)(&learning->parameters, &learning->held[i]);
        statement_array_end(&learning->parameters);
    }
    learning->storing = submit(learning, STORE, on_stored);
    learning->count = 0;
}

void learning_put(struct learning *learning, const struct profile *profile)
{
    struct held *held = &learning->held[learning->count];

    if (learning->count == BATCH || profile->state.size > sizeof held->state ||
        profile->detail.size > sizeof held->detail)
        return;
    held->protocol = codecs[profile->protocol]->name;
    memcpy(held->identity, profile->identity, strlen(profile->identity) + 1);
    held->number = profile->number;
    held->kept_us = profile->kept_us;
    held->lesson_id = profile->lesson_id;
    held->state_size = profile->state.size;
    held->detail_size = profile->detail.size;
    memcpy(held->state, profile->state.data, profile->state.size);
    memcpy(held->detail, profile->detail.data, profile->detail.size);
    if (++learning->count == BATCH)
        store(learning);
}

static void on_store_timer(evutil_socket_t fd, short what, void *context)
{
    struct learning *learning = context;

    (void)fd, (void)what;
    store(learning);
    start_timer(learning->store_timer, STORE_EVERY_S);
}

/* --- lessons from it --- */

static void ask_lessons(struct learning *learning);

/* False: the gateway has no room for it now. */
static bool teach(struct learning *learning, const struct pg_result *rows, int row)
{
    int protocol = codec_find(rows_text(rows, row, 1));
    struct lesson lesson = {
        .id = rows_int64(rows, row, 0),
        .protocol = (uint8_t)protocol,
        .identity = rows_text(rows, row, 2),
        .word = rows_text(rows, row, 3),
        .at_us = rows_int64(rows, row, 4),
    };

    if (protocol >= 0 && strlen(lesson.identity) <= IDENTITY_LIMIT &&
        !gateway_lesson(learning->setup.gateway, &lesson))
        return false;
    learning->asked_after = lesson.id;
    return true;
}

static void on_lessons(void *context, const struct pipeline_result *result)
{
    struct learning *learning = context;
    int count = result->outcome == PIPELINE_OK ? rows_count(result->rows) : 0, row = 0;

    learning->asking = false;
    say_refused(learning, result);
    learning->setup.on_turn(learning->setup.context);
    while (row < count && teach(learning, result->rows, row))
        row++;
    if (row < count) {
        start_timer(learning->ask_timer, RETRY_S);
        return;
    }
    if (count == 0)
        learning->asked_after = 0; /* the end: the next time from the beginning again */
    if (count > 0 || learning->ask_again)
        ask_lessons(learning);
}

static void ask_lessons(struct learning *learning)
{
    if (!learning->is_up || learning->asking) {
        learning->ask_again = true;
        return;
    }
    learning->ask_again = false;
    begin_parameters(learning);
    statement_string(&learning->parameters, learning->district);
    statement_int64(&learning->parameters, learning->asked_after);
    learning->asking = submit(learning, LESSONS, on_lessons);
}

/* --- copies from it --- */

static void load_blank(struct learning *learning);

static void on_loaded(void *context, const struct pipeline_result *result)
{
    struct learning *learning = context;
    int count = result->outcome == PIPELINE_OK ? rows_count(result->rows) : 0;
    uint8_t state[PROFILE_STATE_MAX];
    int64_t loaded = 0;

    learning->loading = false;
    say_refused(learning, result);
    learning->setup.on_turn(learning->setup.context);
    for (int row = 0; row < count; row++) {
        int protocol = codec_find(rows_text(result->rows, row, 0));
        size_t size = rows_bytes(result->rows, row, 2, state, sizeof state);

        if (protocol < 0)
            continue;
        gateway_profile(learning->setup.gateway, (uint8_t)protocol, rows_text(result->rows, row, 1),
                        (struct bytes){state, size});
        loaded += size > 0;
    }
    if (loaded > 0)
        log_event(learning->setup.log, LOG_NOTICE, "profiles.loaded",
                  field_number("meters", loaded));
    if (result->outcome == PIPELINE_OK)
        load_blank(learning);
    else
        learning->position = 0;
}

/* Asks for copies of meters of which nothing is known. */
static void load_blank(struct learning *learning)
{
    struct profile wanted[BATCH];
    size_t count = 0;

    if (!learning->is_up || learning->loading)
        return;
    while (count < BATCH &&
           gateway_next_blank(learning->setup.gateway, &learning->position, &wanted[count]))
        count++;
    if (count == 0) {
        learning->position = 0;
        return;
    }
    begin_parameters(learning);
    statement_string(&learning->parameters, learning->district);
    statement_array_begin(&learning->parameters);
    for (size_t i = 0; i < count; i++)
        statement_string(&learning->parameters, codecs[wanted[i].protocol]->name);
    statement_array_end(&learning->parameters);
    statement_array_begin(&learning->parameters);
    for (size_t i = 0; i < count; i++)
        statement_string(&learning->parameters, wanted[i].identity);
    statement_array_end(&learning->parameters);
    learning->loading = submit(learning, LOAD, on_loaded);
}

/* --- the connection --- */

static void on_nothing(void *context, const struct pipeline_result *result)
{
    say_refused(context, result);
}

static void on_ask_timer(evutil_socket_t fd, short what, void *context)
{
    struct learning *learning = context;

    (void)fd, (void)what;
    start_timer(learning->ask_timer, ASK_EVERY_S);
    if (!learning->is_up)
        return;
    ask_lessons(learning);
    load_blank(learning);
    begin_parameters(learning);
    statement_string(&learning->parameters, learning->district);
    if (!submit(learning, NEXT_ABSENCES, on_nothing))
        return; /* down: on_gap asks for all of it anew */
}

static void on_gap(void *context)
{
    struct learning *learning = context;

    learning->is_up = true;
    learning->asked_after = 0;
    event_active(learning->ask_timer, EV_TIMEOUT, 0);
}

static void on_notification(void *context, const char *channel, const char *payload)
{
    struct learning *learning = context;

    (void)channel;
    if (strcmp(payload, learning->district) == 0)
        ask_lessons(learning);
}

static void on_down(void *context, const char *reason)
{
    struct learning *learning = context;

    learning->is_up = false;
    log_event(learning->setup.log, LOG_WARNING, "learning.down", field_text("reason", reason));
}

struct learning *learning_open(const struct inlets_setup *setup, const char *district, char **error)
{
    static const char *const channels[] = {CHANNEL, NULL};
    struct listen_settings wanted = {
        .conninfo = setup->config->database.conninfo,
        .application_name = "onekeyd learning",
        .channels = channels,
        .statements = statements,
        .timeout_ms = setup->config->database.statement_timeout_ms,
    };
    struct learning *learning = calloc(1, sizeof *learning);
    if (!learning)
        abort(); /* out of memory: the supervisor starts us anew */

    struct listen_callbacks answers = {learning, on_gap, on_notification, on_down};
    learning->setup = *setup;
    learning->listen = listen_open(setup->base, &wanted, setup->random, &answers, error);
    if (!learning->listen) {
        free(learning);
        return NULL;
    }
    learning->name = strdup(setup->config->gateway.name);
    learning->district = strdup(district);
    learning->store_timer = evtimer_new(setup->base, on_store_timer, learning);
    learning->ask_timer = evtimer_new(setup->base, on_ask_timer, learning);
    statement_init(&learning->parameters);
    start_timer(learning->store_timer, STORE_EVERY_S);
    return learning;
}

void learning_close(struct learning *learning)
{
    if (!learning)
        return;
    listen_close(learning->listen);
    event_free(learning->store_timer);
    event_free(learning->ask_timer);
    statement_fini(&learning->parameters);
    free(learning->name);
    free(learning->district);
    free(learning);
}
