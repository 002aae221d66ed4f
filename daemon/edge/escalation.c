#include "daemon/edge/escalation.h"

#include "daemon/core/escalate.h"
#include "daemon/edge/clock.h"
#include "db/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKETS "onekey_ticket"
#define LIMITS "onekey_limits"
#define PAGE_ROWS 500
#define ASK_MAX 200       /* changed tickets read by one query */
#define CHANGED_MAX 10000 /* more changes than this: all are read */
#define TAKE_MAX 25       /* tickets whose rows one transaction holds: some 20 ms */
#define TAKES_MAX 2       /* such transactions in flight */
#define RETRY_US (2 * US_PER_SECOND)
#define TIMEOUT_MS_MIN 10000 /* a page of a million tickets takes longer than an alarm */
#define PLACE_MAX 512
#define FIRST_PLACE "{\"\",\"\",\"\"}"

enum { PAGE, ASK, TAKE, EXPIRE };
static const char *const statements[] = {
    [PAGE] = "SELECT ticket_id, in_us, place FROM onekey.page_of_due($1, $2::text[], $3::int, "
             "$4::int)",
    [ASK] = "SELECT ticket_id, in_us FROM onekey.next_due($1, $2::bigint[], $3::int)",
    [TAKE] = "SELECT ticket_id, in_us FROM onekey.take_due($1, $2, $3::bigint[], $4::int)",
    [EXPIRE] = "SELECT onekey.expire_tickets($1)",
    NULL,
};
enum { TICKET_ID, IN_US, PLACE };

struct escalation {
    struct log *log;
    char *gateway, *district;
    struct listen *listen;
    struct escalate deadlines;
    void *memory;
    struct statement parameters;
    bool is_up, is_asking, is_reading;
    bool read_again; /* once the reading that runs is done */
    int takes;
    int64_t read_at_us; /* of the next reading */
    char place[PLACE_MAX];
    int64_t changed[CHANGED_MAX]; /* tickets to read again; the first `asked` are being read */
    size_t changed_count, asked;
    struct escalation_figures figures;
};

static int64_t now_us(void)
{
    return clock_now().mono_us;
}

static void say_trouble(struct escalation *escalation, const char *reason)
{
    log_event(escalation->log, LOG_WARNING, "time_limits.trouble", field_text("reason", reason));
}

/* --- queries --- */

static void put_tickets(struct escalation *escalation, const int64_t *tickets, size_t count)
{
    statement_array_begin(&escalation->parameters);
    for (size_t i = 0; i < count; i++)
        statement_int64(&escalation->parameters, tickets[i]);
    statement_array_end(&escalation->parameters);
}

static void put_horizon(struct escalation *escalation)
{
    statement_int64(&escalation->parameters, escalation->deadlines.horizon_us / US_PER_SECOND);
}

static bool send_query(struct escalation *escalation, int statement, pipeline_on_result *on_result)
{
    return pipeline_submit(listen_pipeline(escalation->listen), statement, &escalation->parameters,
                           on_result, escalation);
}

/* Whether there is an answer. A refusal is no fault of a ticket: all are read again, a little later. */
static bool is_good(struct escalation *escalation, const struct pipeline_result *result)
{
    if (result->outcome == PIPELINE_REFUSED) {
        say_trouble(escalation, result->message);
        escalation->read_at_us = now_us() + RETRY_US;
    }
    return result->outcome == PIPELINE_OK;
}

static void set_deadlines(struct escalation *escalation, const struct pg_result *rows)
{
    for (int row = 0; row < rows_count(rows); row++)
        escalate_set(&escalation->deadlines, rows_int64(rows, row, TICKET_ID),
                     rows_is_null(rows, row, IN_US) ? ESCALATE_NEVER : rows_int64(rows, row, IN_US),
                     now_us());
}

/* --- all deadlines --- */

static void send_page(struct escalation *escalation);

static void on_swept(void *context, const struct pipeline_result *result)
{
    is_good(context, result);
}

/* What a claim or a hold left behind is swept up, and old keys of commands are forgotten. */
static void end_reading(struct escalation *escalation)
{
    escalation->is_reading = false;
    escalation->figures.readings++;
    escalation->read_at_us =
        now_us() + (escalation->read_again ? 0 : escalate_read(&escalation->deadlines));
    statement_reset(&escalation->parameters);
    statement_string(&escalation->parameters, escalation->district);
    (void)send_query(escalation, EXPIRE, on_swept);
}

static void on_page(void *context, const struct pipeline_result *result)
{
    struct escalation *escalation = context;

    if (!is_good(escalation, result)) {
        escalation->is_reading = false;
        return;
    }
    int count = rows_count(result->rows);
    set_deadlines(escalation, result->rows);
    if (count < PAGE_ROWS) {
        end_reading(escalation);
        return;
    }
    if (rows_size(result->rows, count - 1, PLACE) >= PLACE_MAX) {
        say_trouble(escalation, "the subject of a ticket is too long");
        end_reading(escalation);
        return;
    }
    snprintf(escalation->place, PLACE_MAX, "%s", rows_text(result->rows, count - 1, PLACE));
    send_page(escalation);
}

static void send_page(struct escalation *escalation)
{
    statement_reset(&escalation->parameters);
    statement_string(&escalation->parameters, escalation->district);
    statement_string(&escalation->parameters, escalation->place);
    statement_int64(&escalation->parameters, PAGE_ROWS);
    put_horizon(escalation);
    escalation->is_reading = send_query(escalation, PAGE, on_page);
}

static void read_all(struct escalation *escalation)
{
    escalation->read_again = false;
    snprintf(escalation->place, PLACE_MAX, "%s", FIRST_PLACE);
    escalate_reading(&escalation->deadlines);
    send_page(escalation);
}

/* --- changes --- */

static void on_asked(void *context, const struct pipeline_result *result)
{
    struct escalation *escalation = context;

    escalation->is_asking = false;
    if (is_good(escalation, result))
        set_deadlines(escalation, result->rows);
    escalation->changed_count -= escalation->asked;
    memmove(escalation->changed, escalation->changed + escalation->asked,
            escalation->changed_count * sizeof(escalation->changed[0]));
    escalation->asked = 0;
}

static void ask(struct escalation *escalation)
{
    escalation->asked =
        escalation->changed_count < ASK_MAX ? escalation->changed_count : (size_t)ASK_MAX;
    statement_reset(&escalation->parameters);
    statement_string(&escalation->parameters, escalation->district);
    put_tickets(escalation, escalation->changed, escalation->asked);
    put_horizon(escalation);
    escalation->is_asking = send_query(escalation, ASK, on_asked);
}

static void want_reading(struct escalation *escalation)
{
    escalation->read_again = escalation->is_reading;
    escalation->read_at_us = now_us();
}

/* "DISTRICT ID ID …" names tickets that have changed. */
static void note_changes(struct escalation *escalation, const char *payload)
{
    size_t size = strcspn(payload, " ");
    char *end;

    if (strlen(escalation->district) != size || strncmp(payload, escalation->district, size) != 0)
        return;
    for (payload += size; *payload; payload = end) {
        int64_t ticket = strtoll(payload, &end, 10);

        if (end == payload || escalation->changed_count == CHANGED_MAX) {
            want_reading(escalation);
            break;
        }
        escalation->changed[escalation->changed_count++] = ticket;
    }
}

static void on_notification(void *context, const char *channel, const char *payload)
{
    struct escalation *escalation = context;

    if (strcmp(channel, TICKETS) == 0)
        note_changes(escalation, payload);
    else
        want_reading(escalation);
}

static void on_gap(void *context)
{
    struct escalation *escalation = context;

    escalation->is_up = true;
    escalation->read_at_us = now_us();
}

/* What was in flight is LOST, and has been told. */
static void on_down(void *context, const char *reason)
{
    struct escalation *escalation = context;

    escalation->is_up = false;
    escalation->changed_count = 0; /* what they say is read when it is up again */
    say_trouble(escalation, reason);
}

/* --- what is due --- */

static void on_taken(void *context, const struct pipeline_result *result)
{
    struct escalation *escalation = context;

    escalation->takes--;
    if (is_good(escalation, result))
        set_deadlines(escalation, result->rows);
}

static bool take(struct escalation *escalation, int64_t mono_us)
{
    int64_t tickets[TAKE_MAX];
    uint32_t count = escalate_due(&escalation->deadlines, mono_us, tickets, TAKE_MAX);

    if (count == 0)
        return false;
    statement_reset(&escalation->parameters);
    statement_string(&escalation->parameters, escalation->gateway);
    statement_string(&escalation->parameters, escalation->district);
    put_tickets(escalation, tickets, count);
    put_horizon(escalation);
    if (!send_query(escalation, TAKE, on_taken))
        return false; /* down: all is read when it is up again */
    escalation->takes++;
    escalation->figures.taken += count;
    return true;
}

void escalation_turn(struct escalation *escalation, int64_t mono_us)
{
    if (!escalation->is_up)
        return;
    if (!escalation->is_reading && mono_us >= escalation->read_at_us)
        read_all(escalation);
    if (!escalation->is_asking && escalation->changed_count > 0)
        ask(escalation);
    while (escalation->takes < TAKES_MAX && take(escalation, mono_us))
        ;
}

int64_t escalation_wake_at(const struct escalation *escalation)
{
    int64_t wake_at = INT64_MAX;

    if (!escalation->is_up)
        return wake_at;
    if (!escalation->is_reading)
        wake_at = escalation->read_at_us;
    if (escalation->takes < TAKES_MAX && escalate_wake_at(&escalation->deadlines) < wake_at)
        wake_at = escalate_wake_at(&escalation->deadlines);
    return wake_at;
}

struct escalation_figures escalation_figures(const struct escalation *escalation)
{
    struct escalation_figures figures = escalation->figures;

    figures.waiting = escalation->deadlines.count;
    return figures;
}

/* --- life --- */

static void make_memory(struct escalation *escalation, uint32_t tickets_max)
{
    escalation->memory = malloc(escalate_memory_size(tickets_max));
    if (!escalation->memory)
        abort(); /* out of memory: the supervisor starts us anew */
    escalate_init(&escalation->deadlines, escalation->memory, tickets_max, now_us());
    statement_init(&escalation->parameters);
}

struct escalation *escalation_open(struct event_base *base,
                                   const struct escalation_settings *settings,
                                   struct random *random, struct log *log, char **error)
{
    static const char *const channels[] = {TICKETS, LIMITS, NULL};
    struct listen_settings wanted = {
        .conninfo = settings->conninfo,
        .application_name = "onekeyd time limits",
        .channels = channels,
        .statements = statements,
        .timeout_ms = settings->timeout_ms > TIMEOUT_MS_MIN ? settings->timeout_ms : TIMEOUT_MS_MIN,
    };
    struct escalation *escalation = calloc(1, sizeof(*escalation));
    if (!escalation)
        abort(); /* out of memory: the supervisor starts us anew */

    struct listen_callbacks answers = {escalation, on_gap, on_notification, on_down};
    escalation->listen = listen_open(base, &wanted, random, &answers, error);
    if (!escalation->listen) {
        free(escalation);
        return NULL;
    }
    escalation->log = log;
    escalation->gateway = strdup(settings->gateway);
    escalation->district = strdup(settings->district);
    make_memory(escalation, settings->tickets_max);
    return escalation;
}

void escalation_close(struct escalation *escalation)
{
    if (!escalation)
        return;
    listen_close(escalation->listen);
    statement_fini(&escalation->parameters);
    free(escalation->memory);
    free(escalation->gateway);
    free(escalation->district);
    free(escalation);
}
