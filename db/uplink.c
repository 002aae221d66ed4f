#include "db/uplink.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 500 /* a step of a time limit may come 1 s after the database's return */
#define PAUSE_NEXT_HOST_MS 5
#define STEADY_MS 5000 /* up for so long: the next failure starts with the shortest pause again */
#define PARAMETERS_MAX 64 /* libpq 15 knows 44 */
#define REASON_MAX 512

enum state { WAITING, CONNECTING, UP };

struct uplink {
    enum state state;
    PGconn *pg;
    PQconninfoOption *options; /* conninfo, taken apart */
    char *application_name;
    int timeout_ms;
    char timeout_text[16];
    int host_count, host; /* the host of this attempt */
    unsigned failures;    /* attempts since the connection last was steady */
    bool failing;         /* on_down is due; reason says why */
    char reason[REASON_MAX];
    struct random *random;
    struct uplink_callbacks callbacks;
    struct event *input;  /* UP: stays; CONNECTING: one wait of libpq, for reading or writing */
    struct event *output; /* only while libpq holds something back */
    struct event *timer;  /* WAITING: the pause; CONNECTING: its limit; UP: the answer's limit */
    struct event *steady; /* UP: until it is called steady */
    struct event_base *base;
};

static void on_timer(evutil_socket_t fd, short what, void *context);
static void on_steady(evutil_socket_t fd, short what, void *context);
static void on_wait(evutil_socket_t fd, short what, void *context);
static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort(); /* out of memory: the supervisor starts us anew */
    return memory;
}

static const char *option(const struct uplink *uplink, const char *keyword)
{
    for (const PQconninfoOption *o = uplink->options; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    return NULL;
}

static int list_size(const char *list)
{
    int size = 1;

    for (; list && *list; list++)
        size += *list == ',';
    return size;
}

/* The element of a comma list that belongs to host `index`, copied into out; a list of one serves
 * every host. */
static const char *list_element(const char *list, int index, char out[], size_t limit)
{
    if (list_size(list) > 1)
        for (; index > 0; index--)
            list = strchr(list, ',') + 1;
    snprintf(out, limit, "%.*s", (int)strcspn(list, ","), list);
    return out;
}

/* How many hosts conninfo names; 0 if its lists do not fit together. */
static int count_hosts(const struct uplink *uplink)
{
    const char *const keywords[] = {"host", "hostaddr", "port"};
    int count = 1;

    for (int i = 0; i < 3; i++) {
        const char *list = option(uplink, keywords[i]);
        int size = list_size(list);
        if (list && size > 1 && count > 1 && size != count)
            return 0;
        if (size > count)
            count = size;
    }
    return count;
}

static void start_timer(struct event *timer, int64_t wait_ms)
{
    event_add(timer, &(struct timeval){wait_ms / 1000, wait_ms % 1000 * 1000});
}

struct uplink *uplink_open(struct event_base *base, const struct uplink_settings *settings,
                           struct random *random, const struct uplink_callbacks *callbacks,
                           char **error)
{
    struct uplink *uplink = allocate(sizeof *uplink);
    char *message = NULL;

    uplink->options = PQconninfoParse(settings->conninfo, &message);
    uplink->host_count = uplink->options ? count_hosts(uplink) : 0;
    if (uplink->host_count == 0) {
        *error = strdup(message ? message : "hosts and ports in conninfo do not fit together");
        PQfreemem(message);
        PQconninfoFree(uplink->options);
        free(uplink);
        return NULL;
    }
    uplink->application_name = strdup(settings->application_name);
    uplink->timeout_ms = settings->timeout_ms;
    snprintf(uplink->timeout_text, sizeof uplink->timeout_text, "%d", settings->timeout_ms);
    uplink->random = random;
    uplink->callbacks = *callbacks;
    uplink->base = base;
    uplink->timer = evtimer_new(base, on_timer, uplink);
    uplink->steady = evtimer_new(base, on_steady, uplink);
    start_timer(uplink->timer, 0);
    return uplink;
}

/* Gives back what belongs to the attempt or session; the state is WAITING, no timer runs. */
static void drop(struct uplink *uplink)
{
    /* The events first: closing the socket under them would leave them with a foreign one. */
    if (uplink->input)
        event_free(uplink->input);
    if (uplink->output)
        event_free(uplink->output);
    uplink->input = uplink->output = NULL;
    evtimer_del(uplink->timer);
    evtimer_del(uplink->steady);
    PQfinish(uplink->pg);
    uplink->pg = NULL;
    uplink->state = WAITING;
    uplink->failing = false;
}

void uplink_close(struct uplink *uplink)
{
    if (!uplink)
        return;
    drop(uplink);
    event_free(uplink->timer);
    event_free(uplink->steady);
    PQconninfoFree(uplink->options);
    free(uplink->application_name);
    free(uplink);
}

struct pg_conn *uplink_pg(const struct uplink *uplink)
{
    return uplink->state == UP && !uplink->failing ? uplink->pg : NULL;
}

void uplink_expect(struct uplink *uplink, bool answer)
{
    if (uplink->state != UP || uplink->failing)
        return;
    if (answer)
        start_timer(uplink->timer, uplink->timeout_ms);
    else
        evtimer_del(uplink->timer);
}

void uplink_fail(struct uplink *uplink, const char *reason)
{
    if (uplink->failing)
        return;
    uplink->failing = true;
    snprintf(uplink->reason, sizeof uplink->reason, "%s", reason);
    uplink->reason[strcspn(uplink->reason, "\n")] = '\0'; /* the rest is advice */
    event_active(uplink->timer, EV_TIMEOUT, 0);
}

/* The pause before the next attempt: none to speak of while hosts are left that this round has not
 * tried, then growing, half of it random so that many gateways do not come back as one. */
static int64_t pause_ms(struct uplink *uplink)
{
    unsigned hosts = (unsigned)uplink->host_count;
    unsigned round = uplink->failures++ / hosts;
    int64_t longest = round < 4 ? PAUSE_MIN_MS << round : PAUSE_MAX_MS;

    if (uplink->failures % hosts != 0)
        return PAUSE_NEXT_HOST_MS;
    if (longest > PAUSE_MAX_MS)
        longest = PAUSE_MAX_MS;
    return longest / 2 + (int64_t)random_below(uplink->random, (uint64_t)longest / 2 + 1);
}

static void go_down(struct uplink *uplink)
{
    drop(uplink);
    uplink->host = (uplink->host + 1) % uplink->host_count;
    start_timer(uplink->timer, pause_ms(uplink));
    uplink->callbacks.on_down(uplink->callbacks.context, uplink->reason);
}

/* --- connecting --- */

struct parameters {
    const char *keywords[PARAMETERS_MAX], *values[PARAMETERS_MAX];
    int count;
};

static void add_parameter(struct parameters *parameters, const char *keyword, const char *value)
{
    assert(parameters->count < PARAMETERS_MAX - 1);
    parameters->keywords[parameters->count] = keyword;
    parameters->values[parameters->count] = value;
    parameters->count++;
}

/* Our defaults, then what conninfo says (libpq takes the last of a keyword), then what must be. */
static PGconn *start_connect(const struct uplink *uplink)
{
    struct parameters parameters = {.count = 0};
    const char *const lists[] = {"host", "hostaddr", "port"};
    char elements[3][256];

    add_parameter(&parameters, "keepalives_idle", "5");
    add_parameter(&parameters, "keepalives_interval", "2");
    add_parameter(&parameters, "keepalives_count", "3");
    add_parameter(&parameters, "tcp_user_timeout", uplink->timeout_text);
    add_parameter(&parameters, "target_session_attrs", "read-write");
    add_parameter(&parameters, "application_name", uplink->application_name);
    for (const PQconninfoOption *o = uplink->options; o->keyword; o++)
        if (o->val)
            add_parameter(&parameters, o->keyword, o->val);
    for (int i = 0; i < 3; i++) {
        const char *list = option(uplink, lists[i]);
        if (list)
            add_parameter(&parameters, lists[i],
                          list_element(list, uplink->host, elements[i], sizeof elements[i]));
    }
    add_parameter(&parameters, "client_encoding", "UTF8");
    return PQconnectStartParams(parameters.keywords, parameters.values, 0);
}

static void become_up(struct uplink *uplink)
{
    PGconn *pg = uplink->pg;

    uplink->state = UP;
    evtimer_del(uplink->timer);
    start_timer(uplink->steady, STEADY_MS);
    uplink->input =
        event_new(uplink->base, PQsocket(pg), EV_READ | EV_PERSIST, on_readable, uplink);
    uplink->output = event_new(uplink->base, PQsocket(pg), EV_WRITE, on_writable, uplink);
    event_add(uplink->input, NULL);
    PQsetnonblocking(pg, 1);
    uplink->callbacks.on_connected(uplink->callbacks.context);
}

/* What the server remarks is not for our log; left alone, libpq prints it. */
static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context, (void)notice;
}

/* Waits for what libpq wants next. The socket may be another one each time, so the event is. */
static void poll_connect(struct uplink *uplink)
{
    PostgresPollingStatusType wanted = PQconnectPoll(uplink->pg);

    if (wanted == PGRES_POLLING_OK) {
        become_up(uplink);
    } else if (wanted == PGRES_POLLING_FAILED) {
        uplink_fail(uplink, PQerrorMessage(uplink->pg));
    } else {
        short what = wanted == PGRES_POLLING_READING ? EV_READ : EV_WRITE;
        uplink->input = event_new(uplink->base, PQsocket(uplink->pg), what, on_wait, uplink);
        event_add(uplink->input, NULL);
    }
}

static void on_wait(evutil_socket_t fd, short what, void *context)
{
    struct uplink *uplink = context;

    (void)fd, (void)what;
    if (uplink->failing)
        return;
    event_free(uplink->input);
    uplink->input = NULL;
    poll_connect(uplink);
}

static void begin_connect(struct uplink *uplink)
{
    uplink->state = CONNECTING;
    uplink->pg = start_connect(uplink);
    start_timer(uplink->timer, uplink->timeout_ms);
    if (uplink->pg)
        PQsetNoticeReceiver(uplink->pg, ignore_notice, NULL);
    if (!uplink->pg || PQstatus(uplink->pg) == CONNECTION_BAD)
        uplink_fail(uplink, uplink->pg ? PQerrorMessage(uplink->pg) : "no memory");
    else
        poll_connect(uplink);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct uplink *uplink = context;

    (void)fd, (void)what;
    if (uplink->failing) {
        go_down(uplink);
        return;
    }
    switch (uplink->state) {
    case WAITING:
        begin_connect(uplink);
        break;
    case CONNECTING:
        uplink_fail(uplink, "the server did not let us in in time");
        break;
    case UP:
        uplink_fail(uplink, "the server did not answer in time");
        break;
    }
}

/* --- up --- */

/* Not sooner: where each session dies of the same error, the pauses must go on growing. */
static void on_steady(evutil_socket_t fd, short what, void *context)
{
    struct uplink *uplink = context;

    (void)fd, (void)what;
    uplink->failures = 0;
}

void uplink_flush(struct uplink *uplink)
{
    if (!uplink_pg(uplink))
        return;
    int left = PQflush(uplink->pg);
    if (left < 0)
        uplink_fail(uplink, PQerrorMessage(uplink->pg));
    else if (left > 0)
        event_add(uplink->output, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct uplink *uplink = context;

    (void)fd, (void)what;
    if (uplink->failing)
        return;
    if (!PQconsumeInput(uplink->pg)) {
        uplink_fail(uplink, PQerrorMessage(uplink->pg));
        return;
    }
    uplink_flush(uplink);
    uplink->callbacks.on_input(uplink->callbacks.context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    uplink_flush(context);
}
