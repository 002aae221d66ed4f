/*
 * From a press to the ticket that an operator's program has read, and the floor of it:
 *
 *     ticket_client gateway PORT RATE SECONDS FIRST    presses go to the gateway, on TCP
 *     ticket_client floor 0 RATE SECONDS FIRST         a bare libpq client inserts them
 *
 * Both have the same listener: on a notice it selects the rows that the notice names, and a press is
 * over when its row has been read. The floor's writer has one insert under way, of all presses that
 * have come since the last; its row has no index but the key. The schema `bench` is the runner's.
 */
#include "tests/bench/bench.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#define CONNECTIONS 32
#define LIST_SIZE 65536
#define DRAIN_US 3000000

struct list {
    char text[LIST_SIZE]; /* a PostgreSQL array without its closing brace */
    size_t size;
};

struct course {
    bool is_floor;
    int port, clients[CONNECTIONS];
    PGconn *listener, *writer;
    bool is_reading, is_writing;
    struct list ids, identities; /* to be read by the listener, to be written by the floor */
    int64_t first, count, sent, *sent_us, *latencies;
    size_t done;
};

static void list_add(struct list *list, const char *item, size_t size)
{
    if (list->size + size + 3 > sizeof(list->text)) {
        fputs("ticket_client: the backlog is too large\n", stderr);
        exit(1);
    }
    list->text[list->size] = list->size == 0 ? '{' : ',';
    memcpy(list->text + list->size + 1, item, size);
    list->size += size + 1;
}

/* Sends the list as the only parameter of a prepared statement, and empties it. */
static void list_send(struct list *list, PGconn *connection)
{
    const char *parameter = list->text;

    memcpy(list->text + list->size, "}", 2);
    if (!PQsendQueryPrepared(connection, "s", 1, &parameter, NULL, NULL, 0))
        fail(PQerrorMessage(connection));
    list->size = 0;
}

static PGconn *connect_database(const char *first, const char *prepared)
{
    PGconn *connection = PQconnectdb("");
    PGresult *result = PQstatus(connection) == CONNECTION_OK ? PQexec(connection, first) : NULL;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(PQerrorMessage(connection));
    PQclear(result);
    result = PQprepare(connection, "s", prepared, 1, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(PQerrorMessage(connection));
    PQclear(result);
    return connection;
}

static void press(struct course *course)
{
    char text[FRAME_SIZE];
    int64_t n = course->first + course->sent;
    int fd = course->clients[course->sent % CONNECTIONS];

    course->sent_us[course->sent++] = now_us();
    if (course->is_floor) {
        int size = snprintf(text, sizeof(text), "%lld", (long long)identity_of(n));
        list_add(&course->identities, text, (size_t)size);
    } else {
        int size = frame_panic(text, n);
        if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
            fail("send");
    }
}

/* The row of this wristband's press has been read; a second row of it says nothing. */
static void on_row(struct course *course, const char *identity)
{
    int64_t place = strtoll(identity, NULL, 10) - FIRST_IDENTITY;
    int64_t index = (place - course->first % IDENTITIES + IDENTITIES) % IDENTITIES;

    if (index >= course->sent || course->sent_us[index] == 0)
        return;
    course->latencies[course->done++] = now_us() - course->sent_us[index];
    course->sent_us[index] = 0;
}

/* Results that are there; whether the statement is still under way. */
static bool take_results(struct course *course, PGconn *connection, bool are_rows)
{
    while (!PQisBusy(connection)) {
        PGresult *result = PQgetResult(connection);
        if (result == NULL)
            return false;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            fail(PQerrorMessage(connection));
        for (int row = 0; are_rows && row < PQntuples(result); row++)
            on_row(course, PQgetvalue(result, row, 0));
        PQclear(result);
    }
    return true;
}

/* A notice is "DISTRICT ID ID ...". */
static void take_notices(struct course *course)
{
    PGnotify *notice;

    while ((notice = PQnotifies(course->listener)) != NULL) {
        char *rest = notice->extra, *word = strsep(&rest, " ");
        while ((word = strsep(&rest, " ")) != NULL)
            list_add(&course->ids, word, strlen(word));
        PQfreemem(notice);
    }
}

static void work(struct course *course, PGconn *connection)
{
    if (!PQconsumeInput(connection))
        fail(PQerrorMessage(connection));
    if (connection == course->writer) {
        if (course->is_writing)
            course->is_writing = take_results(course, connection, false);
        return;
    }
    if (course->is_reading)
        course->is_reading = take_results(course, connection, true);
    take_notices(course);
    if (!course->is_reading && course->ids.size > 0) {
        list_send(&course->ids, connection);
        course->is_reading = true;
    }
}

static void wait_until(struct course *course, int64_t until_us)
{
    struct pollfd polls[CONNECTIONS + 2] = {
        {.fd = PQsocket(course->listener), .events = POLLIN},
        {.fd = course->is_floor ? PQsocket(course->writer) : -1, .events = POLLIN}};
    int64_t wait_us = until_us - now_us();
    struct timespec wait = {wait_us > 0 ? wait_us / 1000000 : 0,
                            wait_us > 0 ? wait_us % 1000000 * 1000 : 0};
    char ignored[4096];

    for (int i = 0; i < CONNECTIONS; i++)
        polls[2 + i] = (struct pollfd){.fd = course->clients[i], .events = POLLIN};
    if (ppoll(polls, CONNECTIONS + 2, &wait, NULL) <= 0)
        return;
    if (polls[0].revents)
        work(course, course->listener);
    if (polls[1].revents)
        work(course, course->writer);
    for (int i = 0; i < CONNECTIONS; i++)
        if (polls[2 + i].revents && recv(course->clients[i], ignored, sizeof(ignored), 0) <= 0)
            fail("recv");
}

static void run(struct course *course, double rate)
{
    double due_us = (double)now_us();
    int64_t end_us = INT64_MAX;

    while (course->done < (size_t)course->count && now_us() < end_us) {
        while (course->sent < course->count && due_us <= (double)now_us()) {
            press(course);
            due_us += 1e6 / rate;
        }
        if (course->is_floor && !course->is_writing && course->identities.size > 0) {
            list_send(&course->identities, course->writer);
            course->is_writing = true;
        }
        if (course->sent == course->count && end_us == INT64_MAX)
            end_us = now_us() + DRAIN_US;
        wait_until(course, course->sent < course->count ? (int64_t)due_us : end_us);
    }
}

static void open_course(struct course *course)
{
    if (course->is_floor) {
        course->listener =
            connect_database("listen bench_ticket", "select identity from bench.ticket "
                                                    "where id = any($1::bigint[])");
        course->writer = connect_database(
            "set application_name = 'floor'",
            "with added as (insert into bench.ticket (identity, kind, raised_at) select i, "
            "'panic', "
            "now() from unnest($1::text[]) i returning id) select pg_notify('bench_ticket', "
            "'990100 ' || string_agg(id::text, ' ')) from added");
    } else {
        course->listener = connect_database("listen onekey_ticket",
                                            "select identity from onekey.ticket where district = "
                                            "'990100' and id = any($1::bigint[])");
    }
    for (int i = 0; i < CONNECTIONS; i++)
        course->clients[i] = course->is_floor ? -1 : connect_to(course->port);
}

int main(int argc, char **argv)
{
    static struct course course;

    if (argc != 6) {
        fputs("usage: ticket_client gateway|floor PORT RATE SECONDS FIRST\n", stderr);
        return 2;
    }
    double rate = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
    course.is_floor = strcmp(argv[1], "floor") == 0;
    course.port = (int)strtol(argv[2], NULL, 10);
    course.first = strtoll(argv[5], NULL, 10);
    course.count = (int64_t)(rate * seconds);
    course.sent_us = calloc((size_t)course.count + 1, sizeof(*course.sent_us));
    course.latencies = calloc((size_t)course.count + 1, sizeof(*course.latencies));
    if (!course.sent_us || !course.latencies || course.count > IDENTITIES)
        fail("start");
    open_course(&course);
    run(&course, rate);
    printf("sent=%lld unread=%lld ", (long long)course.sent,
           (long long)(course.sent - (int64_t)course.done));
    print_latencies(course.latencies, course.done);
    putchar('\n');
    return 0;
}
