#include "daemon/edge/command_queue.h"

#include "daemon/edge/clock.h"
#include "db/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL "onekey_device_command"
#define ROWS_MAX 1000
#define CHANGED_MAX 200 /* more than this: all is read */
#define TAKES_MAX 64
#define RESULTS_MAX 512
#define READ_EVERY_US US_PER_MINUTE /* what other gateways left behind */
#define RETRY_US (5 * US_PER_SECOND)

enum { WAITING, TAKE, RESULT };
static const char *const statements[] = {
    [WAITING] = "SELECT id, device_id, protocol, identity, kind, seconds, numbers, left_us"
                " FROM onekey.waiting_device_commands($1, $2, $3::bigint[], $4::int, $5::int)",
    [TAKE] = "SELECT onekey.take_device_commands($1, $2, $3::bigint[], $4::int)",
    [RESULT] = "SELECT onekey.device_command_result($1, $2, $3::bigint, $4, $5)",
    NULL,
};
enum { ID, DEVICE_ID, PROTOCOL, IDENTITY, KIND, SECONDS, NUMBERS, LEFT_US };

struct command_queue {
    struct inlets_setup setup;
    char *name, *district;
    int32_t answer_s;
    struct listen *listen;
    struct statement parameters;
    bool is_up, is_reading, is_taking, is_storing;
    int64_t read_at_us; /* all of it */
    int64_t changed[CHANGED_MAX];
    size_t changed_count;
    int64_t takes[TAKES_MAX]; /* the first `asked` are being taken */
    size_t take_count, asked;
    struct command_result results[RESULTS_MAX]; /* oldest first */
    size_t result_count;
};

static bool submit(struct command_queue *queue, int statement, pipeline_on_result *on_result)
{
    return pipeline_submit(listen_pipeline(queue->listen), statement, &queue->parameters, on_result,
                           queue);
}

static void begin_parameters(struct command_queue *queue)
{
    statement_reset(&queue->parameters);
    statement_string(&queue->parameters, queue->name);
    statement_string(&queue->parameters, queue->district);
}

static void put_ids(struct command_queue *queue, const int64_t *ids, size_t count)
{
    statement_array_begin(&queue->parameters);
    for (size_t i = 0; i < count; i++)
        statement_int64(&queue->parameters, ids[i]);
    statement_array_end(&queue->parameters);
}

static void say_refused(struct command_queue *queue, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_REFUSED)
        log_event(queue->setup.log, LOG_WARNING, "commands.refused",
                  field_text("reason", result->message));
}

static void read_later(struct command_queue *queue, int64_t wait_us)
{
    queue->read_at_us = 0;
    if (wait_us > 0)
        queue->read_at_us = clock_now().mono_us + wait_us;
}

/* --- what waits --- */

static void copy_text(const struct pg_result *rows, int row, int column, char *out, size_t size)
{
    snprintf(out, size, "%s", rows_is_null(rows, row, column) ? "" : rows_text(rows, row, column));
}

static void split_numbers(const char *text, struct asked_command *out)
{
    struct bytes rest = bytes_of(text), number;

    while (*text && out->number_count < COMMAND_NUMBERS_MAX &&
           bytes_next_field(&rest, ',', &number))
        bytes_copy_text(number, out->numbers[out->number_count++], sizeof(out->numbers[0]));
}

/* False: not a command that this version knows. */
static bool read_row(const struct pg_result *rows, int row, struct asked_command *out)
{
    static const char *const kinds[] = {[COMMAND_LOCATE] = "locate",
                                        [COMMAND_REPORT_INTERVAL] = "interval",
                                        [COMMAND_SOS_NUMBER] = "sos_numbers",
                                        [COMMAND_ACKNOWLEDGE] = "acknowledge"};
    int protocol = codec_find(rows_text(rows, row, PROTOCOL));
    char numbers[128];

    *out = (struct asked_command){.id = rows_int64(rows, row, ID),
                                  .device_id = rows_int64(rows, row, DEVICE_ID),
                                  .left_us = rows_int64(rows, row, LEFT_US)};
    if (!rows_is_null(rows, row, SECONDS))
        out->seconds = (int32_t)rows_int64(rows, row, SECONDS);
    copy_text(rows, row, NUMBERS, numbers, sizeof(numbers));
    split_numbers(numbers, out);
    copy_text(rows, row, IDENTITY, out->identity, sizeof(out->identity));
    out->protocol = (uint8_t)protocol;
    for (int kind = COMMAND_LOCATE; kind <= COMMAND_ACKNOWLEDGE; kind++)
        if (strcmp(rows_text(rows, row, KIND), kinds[kind]) == 0) {
            out->kind = (enum command_kind)kind;
            return protocol >= 0;
        }
    return false;
}

static void on_waiting(void *context, const struct pipeline_result *result)
{
    struct command_queue *queue = context;
    struct asked_command asked;

    queue->setup.on_turn(queue->setup.context);
    queue->is_reading = false;
    say_refused(queue, result);
    if (result->outcome == PIPELINE_REFUSED)
        read_later(queue, READ_EVERY_US);
    for (int row = 0; result->outcome == PIPELINE_OK && row < rows_count(result->rows); row++)
        if (read_row(result->rows, row, &asked) && !gateway_command(queue->setup.gateway, &asked))
            read_later(queue, RETRY_US);
}

static void ask(struct command_queue *queue, bool all)
{
    begin_parameters(queue);
    if (all)
        statement_null(&queue->parameters);
    else
        put_ids(queue, queue->changed, queue->changed_count);
    statement_int64(&queue->parameters, queue->answer_s);
    statement_int64(&queue->parameters, ROWS_MAX);
    queue->is_reading = submit(queue, WAITING, on_waiting);
    if (all && queue->is_reading)
        read_later(queue, READ_EVERY_US);
    queue->changed_count = 0;
}

/* "DISTRICT DEVICE_ID" */
static void on_notification(void *context, const char *channel, const char *payload)
{
    struct command_queue *queue = context;
    size_t size = strcspn(payload, " ");

    (void)channel;
    if (strlen(queue->district) != size || strncmp(payload, queue->district, size) != 0)
        return;
    if (queue->changed_count == CHANGED_MAX)
        read_later(queue, 0);
    else
        queue->changed[queue->changed_count++] = strtoll(payload + size, NULL, 10);
}

/* --- taking --- */

bool command_queue_take(struct command_queue *queue, int64_t id)
{
    if (!queue->is_up || queue->take_count == TAKES_MAX)
        return false;
    queue->takes[queue->take_count++] = id;
    return true;
}

static bool is_among(const struct pipeline_result *result, int64_t id)
{
    for (int row = 0; result->outcome == PIPELINE_OK && row < rows_count(result->rows); row++)
        if (rows_int64(result->rows, row, ID) == id)
            return true;
    return false;
}

static void on_taken(void *context, const struct pipeline_result *result)
{
    struct command_queue *queue = context;
    int64_t ids[TAKES_MAX];
    size_t count = queue->asked;

    queue->setup.on_turn(queue->setup.context);
    queue->is_taking = false;
    say_refused(queue, result);
    /* Out of the way first: the gateway may ask for more at once. */
    memcpy(ids, queue->takes, count * sizeof(ids[0]));
    queue->take_count -= count;
    memmove(queue->takes, queue->takes + count, queue->take_count * sizeof(ids[0]));
    queue->asked = 0;
    for (size_t i = 0; i < count; i++)
        gateway_command_taken(queue->setup.gateway, ids[i], is_among(result, ids[i]));
}

static void take(struct command_queue *queue)
{
    begin_parameters(queue);
    put_ids(queue, queue->takes, queue->take_count);
    statement_int64(&queue->parameters, queue->answer_s);
    queue->asked = queue->take_count;
    queue->is_taking = submit(queue, TAKE, on_taken);
}

/* --- results --- */

void command_queue_result(struct command_queue *queue, const struct command_result *result)
{
    if (queue->result_count == RESULTS_MAX) {
        log_event(queue->setup.log, LOG_ERROR, "command.result_lost",
                  field_number("command", result->id));
        return; /* the database will find that nobody answered */
    }
    queue->results[queue->result_count++] = *result;
}

static void on_stored(void *context, const struct pipeline_result *result)
{
    struct command_queue *queue = context;
    int64_t device = queue->results[0].device_id;

    queue->is_storing = false;
    say_refused(queue, result);
    if (result->outcome == PIPELINE_LOST)
        return; /* the same again */
    queue->result_count--;
    memmove(queue->results, queue->results + 1, queue->result_count * sizeof(queue->results[0]));
    if (queue->changed_count < CHANGED_MAX)
        queue->changed[queue->changed_count++] = device; /* more may wait behind it */
}

static void store(struct command_queue *queue)
{
    const struct command_result *result = &queue->results[0];

    begin_parameters(queue);
    statement_int64(&queue->parameters, result->id);
    statement_string(&queue->parameters, result->state);
    statement_string(&queue->parameters, result->answer);
    queue->is_storing = submit(queue, RESULT, on_stored);
}

void command_queue_turn(struct command_queue *queue, int64_t mono_us)
{
    bool all = mono_us >= queue->read_at_us;

    if (!queue->is_up)
        return;
    if (queue->result_count > 0 && !queue->is_storing)
        store(queue);
    if (queue->take_count > 0 && !queue->is_taking)
        take(queue);
    if (queue->result_count == 0 && !queue->is_reading && (all || queue->changed_count > 0))
        ask(queue, all);
}

void command_queue_read(struct command_queue *queue)
{
    read_later(queue, 0);
}

/* --- life --- */

static void on_gap(void *context)
{
    struct command_queue *queue = context;

    queue->is_up = true;
    read_later(queue, 0);
}

/* What was in flight is LOST, and has been told. */
static void on_down(void *context, const char *reason)
{
    struct command_queue *queue = context;

    queue->setup.on_turn(queue->setup.context);
    queue->is_up = false;
    queue->changed_count = 0;
    for (size_t i = 0; i < queue->take_count; i++)
        gateway_command_taken(queue->setup.gateway, queue->takes[i], false);
    queue->take_count = queue->asked = 0;
    log_event(queue->setup.log, LOG_WARNING, "commands.trouble", field_text("reason", reason));
}

struct command_queue *command_queue_open(const struct inlets_setup *setup, const char *district,
                                         char **error)
{
    static const char *const channels[] = {CHANNEL, NULL};
    struct listen_settings wanted = {
        .conninfo = setup->config->database.conninfo,
        .application_name = "onekeyd commands",
        .channels = channels,
        .statements = statements,
        .timeout_ms = setup->config->database.statement_timeout_ms,
    };
    struct command_queue *queue = calloc(1, sizeof(*queue));

    if (!queue)
        abort(); /* out of memory: the supervisor starts us anew */

    struct listen_callbacks answers = {queue, on_gap, on_notification, on_down};

    queue->listen = listen_open(setup->base, &wanted, setup->random, &answers, error);
    if (!queue->listen) {
        free(queue);
        return NULL;
    }
    queue->setup = *setup;
    queue->name = strdup(setup->config->gateway.name);
    queue->district = strdup(district);
    queue->answer_s = setup->config->admit.command_answer_s;
    statement_init(&queue->parameters);
    return queue;
}

void command_queue_close(struct command_queue *queue)
{
    if (!queue)
        return;
    listen_close(queue->listen);
    statement_fini(&queue->parameters);
    free(queue->name);
    free(queue->district);
    free(queue);
}
