/*
 * onekeyctl tickets: the queue, or the last tickets; with --follow also each ticket again whenever
 * it changes. When the connection was lost the list is printed again, so that nothing is missed.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECONNECT_S 2

/* Columns of list_sql. */
enum { FOR_PROGRAMS, FOR_TABLE, FOR_LINE };

/* $1: only what is open; $2 and $3: only these tickets of this district, null: all. Each row in three
 * forms; the line holds nothing that a terminal obeys. */
static const char list_sql[] =
    "select to_jsonb(t) - 'received' - 'device' - 'flag_list',"
    " json_build_object('id', id, 'priority', priority, 'kind', kind, 'service', service_kind,"
    "  'state', state, 'owner', claimed_by, 'received', received, 'signals', signal_count,"
    "  'household', household, 'resident', resident, 'address', address, 'device', device,"
    "  'flags', flag_list),"
    " regexp_replace(concat_ws('  ', received, 'priority ' || priority, '#' || id, kind,"
    "  service_kind, state, claimed_by, 'signals ' || signal_count, household, resident, address,"
    "  device, flag_list, outcome), '[[:cntrl:]]', '?', 'g')"
    " from ("
    " select t.district, t.id, t.priority, t.kind, nullif(t.service_kind, 'none') as service_kind,"
    "  t.state, t.flags, t.household, t.resident, t.address, t.protocol, t.identity,"
    "  t.signal_count, t.pressed_at, t.received_at, t.raised_at, t.last_signal_at, t.claimed_by, "
    "t.held_until,"
    "  t.closed_at, t.outcome, array_to_string(t.flags, ' ') as flag_list,"
    "  to_char(t.received_at, 'YYYY-MM-DD HH24:MI:SS') as received,"
    "  t.protocol || ':' || t.identity as device"
    " from onekey.v_tickets t"
    " where (not $1::boolean or t.state <> 'closed')"
    "  and ($2::text is null or t.district = $2 and t.id = any ($3::bigint[]))"
    " order by case when $1::boolean then t.priority end,"
    "  case when $1::boolean then t.received_at end, t.id desc"
    " limit case when $1::boolean or $2 is not null then null else 100 end) t";

struct listing {
    PGconn *connection;
    bool open_only, json;
};

/* Connects, as the person of ONEKEY_USER if one is named: what lies in that person's areas is listed. */
static PGconn *connect_as_person(const struct invocation *invocation)
{
    const char *person = getenv("ONEKEY_USER");
    PGconn *connection = database_connect(invocation);
    if (connection == NULL || person == NULL || database_act_as(connection, person))
        return connection;
    PQfinish(connection);
    return NULL;
}

static bool print_list(const struct listing *listing)
{
    static struct columns columns;
    const char *parameters[] = {listing->open_only ? "true" : "false", NULL, NULL};
    PGresult *result =
        database_query(listing->connection, list_sql, ARRAY_SIZE(parameters), parameters);
    columns_start(&columns, stdout);
    for (int row = 0; row < PQntuples(result); row++) {
        const char *text = PQgetvalue(result, row, listing->json ? FOR_PROGRAMS : FOR_TABLE);
        if (listing->json)
            puts(text);
        else
            columns_add(&columns, json_loads(text, 0, NULL));
    }
    columns_finish(&columns);
    PQclear(result);
    return result != NULL && fflush(stdout) == 0;
}

/* Prints the tickets that a notice names: "DISTRICT ID ID ...". */
static bool print_notice(const struct listing *listing, char *payload)
{
    char *ids = strchr(payload, ' ');
    char array[8100];
    if (ids == NULL)
        return true;
    *ids++ = '\0';
    snprintf(array, sizeof(array), "{%s}", ids);
    for (char *at = array; *at != '\0'; at++)
        *at = *at == ' ' ? ',' : *at;
    const char *parameters[] = {"false", payload, array};
    PGresult *result =
        database_query(listing->connection, list_sql, ARRAY_SIZE(parameters), parameters);
    for (int row = 0; row < PQntuples(result); row++)
        puts(PQgetvalue(result, row, listing->json ? FOR_PROGRAMS : FOR_LINE));
    PQclear(result);
    return result != NULL && fflush(stdout) == 0;
}

/* Waits for notices and prints what they name, until the connection or the output is lost. */
static void follow(const struct listing *listing)
{
    struct pollfd socket = {.fd = PQsocket(listing->connection), .events = POLLIN};
    bool good = true;
    while (good) {
        PGnotify *notice = PQnotifies(listing->connection);
        /* Waits only when there is none: a query may have read the next notice already. */
        if (notice != NULL)
            good = print_notice(listing, notice->extra);
        else
            good = poll(&socket, 1, -1) >= 0 && PQconsumeInput(listing->connection) == 1;
        PQfreemem(notice);
    }
}

static int list_and_follow(const struct invocation *invocation, struct listing *listing)
{
    bool again = false;
    for (;;) {
        listing->connection = connect_as_person(invocation);
        if (listing->connection == NULL && !again)
            return EXIT_FAILED;
        /* Listen first, so that no change falls between the list and the first notice. */
        if (listing->connection != NULL &&
            database_run(listing->connection, "listen onekey_ticket") && print_list(listing))
            follow(listing);
        bool lost = PQstatus(listing->connection) != CONNECTION_OK;
        PQfinish(listing->connection);
        if (!lost)
            return EXIT_FAILED;
        if (!again)
            fprintf(stderr, "onekeyctl: the connection to the database is lost; trying again, then "
                            "all is listed anew\n");
        again = true;
        sleep(RECONNECT_S);
    }
}

int tickets_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {{"open", no_argument, NULL, 'o'},
                                            {"follow", no_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct listing listing = {.json = invocation->json};
    bool follows = false;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        listing.open_only = listing.open_only || option == 'o';
        listing.json = listing.json || option == 'j';
        follows = follows || option == 'f';
        if (option == '?')
            argc = 0;
    }
    if (argc == 0 || optind != argc) {
        fprintf(stderr, "usage: onekeyctl [--conninfo CONNINFO] tickets [--open] [--follow] "
                        "[--json]\n");
        return EXIT_USAGE;
    }
    if (follows)
        return list_and_follow(invocation, &listing);
    listing.connection = connect_as_person(invocation);
    int status = listing.connection != NULL && print_list(&listing) ? EXIT_OK : EXIT_FAILED;
    PQfinish(listing.connection);
    return status;
}
