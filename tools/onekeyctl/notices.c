/*
 * onekeyctl notices: how the notices to people and programs outside stand. What they say is not shown:
 * it may name persons.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* $1: only what could not be delivered so far. Each row for programs and for people. */
static const char list_sql[] =
    "select to_jsonb(n), json_build_object('id', id, 'created',"
    "  to_char(created_at, 'YYYY-MM-DD HH24:MI:SS'), 'ticket', ticket_id, 'tells', event_type,"
    "  'transport', transport, 'target', destination, 'state', state, 'attempts', attempts,"
    "  'next', case when state in ('waiting', 'failing')"
    "               then to_char(next_try_at, 'YYYY-MM-DD HH24:MI:SS') end,"
    "  'error', case when state <> 'delivered' then last_error end)"
    " from onekey.v_notices n where not $1::boolean or state in ('failing', 'given_up')"
    " order by id desc limit 100";

static bool print_rows(const struct invocation *invocation, const PGresult *result)
{
    static struct columns columns;

    columns_start(&columns, stdout);
    for (int row = 0; row < PQntuples(result); row++) {
        if (invocation->json)
            puts(PQgetvalue(result, row, 0));
        else
            columns_add(&columns, json_loads(PQgetvalue(result, row, 1), 0, NULL));
    }
    columns_finish(&columns);
    return fflush(stdout) == 0;
}

int notices_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {{"failed", no_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    const char *failed = "false";

    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        failed = "true";
        if (option == '?')
            argc = 0;
    }
    if (argc == 0 || optind != argc) {
        fprintf(stderr, "usage: onekeyctl [--conninfo CONNINFO] [--json] notices [--failed]\n");
        return EXIT_USAGE;
    }
    PGconn *connection = database_connect(invocation);
    PGresult *result = connection ? database_query(connection, list_sql, 1, &failed) : NULL;
    bool ok = result && print_rows(invocation, result);
    PQclear(result);
    PQfinish(connection);
    return ok ? EXIT_OK : EXIT_FAILED;
}
