#include "db/connection.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000
#define PAUSE_NEXT_HOST_MS 5
#define PARAMETERS_MAX 64 /* libpq 15 knows 44 */
#define REASON_MAX 512

enum state { WAITING, CONNECTING, UP };

struct connection {
    enum state state;
    PGconn *pg;
    PQconninfoOption *options; /* conninfo, taken apart */
    char *application_name;
    int timeout_ms;
    char timeout_text[16];
    int host_count, host; /* the host of this attempt */
    unsigned failures;    /* attempts since the connection last did work */
    bool failing;         /* on_down is due; reason says why */
    char reason[REASON_MAX];
    struct random *random;
    struct connection_callbacks callbacks;
    struct event *input;  /* UP: stays; CONNECTING: one wait of libpq, for reading or writing */
    struct event *output; /* only while libpq holds something back */
    struct event *timer;  /* WAITING: the pause; CONNECTING: its limit; UP: the answer's limit */
    struct event_base *base;
};

static void on_timer(evutil_socket_t fd, short what, void *context);
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

static const char *option(const struct connection *connection, const char *keyword)
{
    for (const PQconninfoOption *o = connection->options; o->keyword; o++)
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
static int count_hosts(const struct connection *connection)
{
    const char *const keywords[] = {"host", "hostaddr", "port"};
    int count = 1;

    for (int i = 0; i < 3; i++) {
        const char *list = option(connection, keywords[i]);
        int size = list_size(list);
        if (list && size > 1 && count > 1 && size != count)
            return 0;
        if (size > count)
            count = size;
    }
    return count;
}

static void start_timer(struct connection *connection, int64_t wait_ms)
{
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};

    event_add(connection->timer, &wait);
}

struct connection *connection_open(struct event_base *base,
                                   const struct connection_settings *settings,
                                   struct random *random,
                                   const struct connection_callbacks *callbacks, char **error)
{
    struct connection *connection = allocate(sizeof *connection);
    char *message = NULL;

    connection->options = PQconninfoParse(settings->conninfo, &message);
    connection->host_count = connection->options ? count_hosts(connection) : 0;
    if (connection->host_count == 0) {
        *error = strdup(message ? message : "hosts and ports in conninfo do not fit together");
        PQfreemem(message);
        PQconninfoFree(connection->options);
        free(connection);
        return NULL;
    }
    connection->application_name = strdup(settings->application_name);
    connection->timeout_ms = settings->timeout_ms;
    snprintf(connection->timeout_text, sizeof connection->timeout_text, "%d", settings->timeout_ms);
    connection->random = random;
    connection->callbacks = *callbacks;
    connection->base = base;
    connection->timer = evtimer_new(base, on_timer, connection);
    start_timer(connection, 0);
    return connection;
}

/* Gives back what belongs to the attempt or session; the state is WAITING, no timer runs. */
static void drop(struct connection *connection)
{
    /* The events first: closing the socket under them would leave them with a foreign one. */
    if (connection->input)
        event_free(connection->input);
    if (connection->output)
        event_free(connection->output);
    connection->input = connection->output = NULL;
    evtimer_del(connection->timer);
    PQfinish(connection->pg);
    connection->pg = NULL;
    connection->state = WAITING;
    connection->failing = false;
}

void connection_close(struct connection *connection)
{
    if (!connection)
        return;
    drop(connection);
    event_free(connection->timer);
    PQconninfoFree(connection->options);
    free(connection->application_name);
    free(connection);
}

struct pg_conn *connection_pg(const struct connection *connection)
{
    return connection->state == UP && !connection->failing ? connection->pg : NULL;
}

void connection_is_good(struct connection *connection)
{
    connection->failures = 0;
}

void connection_expect(struct connection *connection, bool answer)
{
    if (connection->state != UP || connection->failing)
        return;
    if (answer)
        start_timer(connection, connection->timeout_ms);
    else
        evtimer_del(connection->timer);
}

void connection_fail(struct connection *connection, const char *reason)
{
    if (connection->failing)
        return;
    connection->failing = true;
    snprintf(connection->reason, sizeof connection->reason, "%s", reason);
    size_t size = strlen(connection->reason);
    while (size > 0 && connection->reason[size - 1] == '\n')
        connection->reason[--size] = '\0';
    for (char *at = connection->reason; (at = strpbrk(at, "\n\t"));)
        *at = ' ';
    event_active(connection->timer, EV_TIMEOUT, 0);
}

/* The pause before the next attempt: none to speak of while hosts are left that this round has not
 * tried, then growing, half of it random so that many gateways do not come back as one. */
static int64_t pause_ms(struct connection *connection)
{
    unsigned hosts = (unsigned)connection->host_count;
    unsigned round = connection->failures++ / hosts;
    int64_t longest = round < 6 ? PAUSE_MIN_MS << round : PAUSE_MAX_MS;

    if (connection->failures % hosts != 0)
        return PAUSE_NEXT_HOST_MS;
    if (longest > PAUSE_MAX_MS)
        longest = PAUSE_MAX_MS;
    return longest / 2 + (int64_t)random_below(connection->random, (uint64_t)longest / 2 + 1);
}

static void go_down(struct connection *connection)
{
    drop(connection);
    connection->host = (connection->host + 1) % connection->host_count;
    start_timer(connection, pause_ms(connection));
    connection->callbacks.on_down(connection->callbacks.context, connection->reason);
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
static PGconn *start_connect(const struct connection *connection)
{
    struct parameters parameters = {.count = 0};
    const char *const lists[] = {"host", "hostaddr", "port"};
    char elements[3][256];

    add_parameter(&parameters, "keepalives_idle", "5");
    add_parameter(&parameters, "keepalives_interval", "2");
    add_parameter(&parameters, "keepalives_count", "3");
    add_parameter(&parameters, "tcp_user_timeout", connection->timeout_text);
    add_parameter(&parameters, "target_session_attrs", "read-write");
    add_parameter(&parameters, "application_name", connection->application_name);
    for (const PQconninfoOption *o = connection->options; o->keyword; o++)
        if (o->val)
            add_parameter(&parameters, o->keyword, o->val);
    for (int i = 0; i < 3; i++) {
        const char *list = option(connection, lists[i]);
        if (list)
            add_parameter(&parameters, lists[i],
                          list_element(list, connection->host, elements[i], sizeof elements[i]));
    }
    add_parameter(&parameters, "client_encoding", "UTF8");
    return PQconnectStartParams(parameters.keywords, parameters.values, 0);
}

static void become_up(struct connection *connection)
{
    PGconn *pg = connection->pg;

    connection->state = UP;
    evtimer_del(connection->timer);
    connection->input =
        event_new(connection->base, PQsocket(pg), EV_READ | EV_PERSIST, on_readable, connection);
    connection->output =
        event_new(connection->base, PQsocket(pg), EV_WRITE, on_writable, connection);
    event_add(connection->input, NULL);
    PQsetnonblocking(pg, 1);
    connection->callbacks.on_connected(connection->callbacks.context);
}

/* Waits for what libpq wants next. The socket may be another one each time, so the event is. */
static void poll_connect(struct connection *connection)
{
    PostgresPollingStatusType wanted = PQconnectPoll(connection->pg);

    if (wanted == PGRES_POLLING_OK) {
        become_up(connection);
    } else if (wanted == PGRES_POLLING_FAILED) {
        connection_fail(connection, PQerrorMessage(connection->pg));
    } else {
        short what = wanted == PGRES_POLLING_READING ? EV_READ : EV_WRITE;
        connection->input =
            event_new(connection->base, PQsocket(connection->pg), what, on_wait, connection);
        event_add(connection->input, NULL);
    }
}

static void on_wait(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;

    (void)fd, (void)what;
    if (connection->failing)
        return;
    event_free(connection->input);
    connection->input = NULL;
    poll_connect(connection);
}

static void begin_connect(struct connection *connection)
{
    connection->state = CONNECTING;
    connection->pg = start_connect(connection);
    start_timer(connection, connection->timeout_ms);
    if (!connection->pg || PQstatus(connection->pg) == CONNECTION_BAD)
        connection_fail(connection, connection->pg ? PQerrorMessage(connection->pg) : "no memory");
    else
        poll_connect(connection);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;

    (void)fd, (void)what;
    if (connection->failing) {
        go_down(connection);
        return;
    }
    switch (connection->state) {
    case WAITING:
        begin_connect(connection);
        break;
    case CONNECTING:
        connection_fail(connection, "the server did not let us in in time");
        break;
    case UP:
        connection_fail(connection, "the server did not answer in time");
        break;
    }
}

/* --- up --- */

void connection_flush(struct connection *connection)
{
    if (!connection_pg(connection))
        return;
    int left = PQflush(connection->pg);
    if (left < 0)
        connection_fail(connection, PQerrorMessage(connection->pg));
    else if (left > 0)
        event_add(connection->output, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;

    (void)fd, (void)what;
    if (connection->failing)
        return;
    if (!PQconsumeInput(connection->pg)) {
        connection_fail(connection, PQerrorMessage(connection->pg));
        return;
    }
    connection_flush(connection);
    connection->callbacks.on_input(connection->callbacks.context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    connection_flush(context);
}
