/*
 * onekeyctl silence show: what the detector has learned of a home, what it expects beside what ran, and
 * what its alarms turned out to be. onekeyctl silence set: how the home is judged.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each object is a row of a table; where the keys change another table begins. */
static const char show_sql[] =
    "with home as (select onekey.read_silence($1) as s),"
    " meter as (select m from home, jsonb_array_elements(s -> 'meters') m),"
    " part (place, row) as ("
    " select 0, jsonb_build_object('household', s -> 'household') || (s -> 'settings') from home "
    "where s is not null"
    " union all select 1, to_jsonb(x) from (select m ->> 'identity' as meter, m ->> 'kept_at' as "
    "as_of,"
    "  p -> 'threshold_hours' as threshold_h, p -> 'moved_by_outcomes_hours' as moved_h,"
    "  p -> 'effective_hours' as effective_h, p ->> 'rules_on' as rules, p ->> 'reasons' as "
    "explained,"
    "  p ->> 'scheme' as scheme, (p -> 'fixed_ml')::bigint / 1000 as litres,"
    "  (p -> 'fixed_window_s')::bigint / 3600 as hours, p -> 'false_before' as false,"
    "  p -> 'true_before' as true, to_timestamp((p -> 'last_use_us')::bigint / 1e6) as last_use,"
    "  to_timestamp(nullif((p -> 'deadline_us')::bigint, 0) / 1e6) as due_at"
    "  from meter, lateral (select m -> 'profile' as p) q where m -> 'profile' <> 'null') x"
    " union all select 2, jsonb_build_object('meter', m ->> 'identity', 'hour', c ->> 'hour',"
    "  'expected', c -> 'expected', 'litres', c -> 'litres')"
    "  from meter, jsonb_array_elements(nullif(m -> 'curve', 'null')) c"
    " union all select 3, t from home, jsonb_array_elements(s -> 'tickets') t"
    " union all select 4, a - 'entered_at' from home, jsonb_array_elements(s -> 'absences') a"
    " union all select 5, e from home, jsonb_array_elements(s -> 'explained') e)"
    " select row from part order by place";

static bool print_rows(PGconn *connection, const char *household)
{
    static struct columns columns;
    const char *parameters[] = {household};
    PGresult *result = database_query(connection, show_sql, ARRAY_SIZE(parameters), parameters);
    columns_start(&columns, stdout);
    for (int row = 0; row < PQntuples(result); row++)
        columns_add(&columns, json_loads(PQgetvalue(result, row, 0), 0, NULL));
    columns_finish(&columns);
    bool found = result != NULL && PQntuples(result) > 0;
    if (result != NULL && !found)
        fprintf(stderr,
                "onekeyctl: nothing is known of household %s, or it is not for you to see\n",
                household);
    PQclear(result);
    return found && fflush(stdout) == 0;
}

static bool print_json(PGconn *connection, const char *household)
{
    const char *parameters[] = {household};
    PGresult *result = database_query(connection, "select onekey.read_silence($1)",
                                      ARRAY_SIZE(parameters), parameters);
    bool found = result != NULL && !PQgetisnull(result, 0, 0);
    if (found)
        puts(PQgetvalue(result, 0, 0));
    PQclear(result);
    return found;
}

/* The household's code, then scheme, litres and hours; NULL: as the configuration says. */
static bool change(PGconn *connection, const char *const parameters[4])
{
    PGresult *result = database_query(
        connection,
        "select onekey.set_silence(h.district, h.id, $2, $3::numeric, $4::numeric)"
        " from onekey.household h where h.code = $1"
        " and ((onekey.who()).district is null or h.district = (onekey.who()).district)",
        4, parameters);
    bool done = result != NULL && PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    if (result != NULL && !done)
        fprintf(stderr, "onekeyctl: there is no household %s, or it is not for you to change\n",
                parameters[0]);
    PQclear(result);
    return done;
}

/* Reads what follows `set`; false for wrong usage. */
static bool read_change(int argc, char **argv, const char *parameters[4])
{
    static const struct option options[] = {{"scheme", required_argument, NULL, 1},
                                            {"litres", required_argument, NULL, 2},
                                            {"hours", required_argument, NULL, 3},
                                            {NULL, 0, NULL, 0}};
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return false;
        parameters[option] = optarg;
    }
    parameters[0] = optind + 1 == argc ? argv[optind] : NULL;
    return parameters[0] != NULL;
}

int silence_command(const struct invocation *invocation, int argc, char **argv)
{
    const char *person = getenv("ONEKEY_USER"), *wanted[4] = {NULL};
    bool shows = argc == 3 && strcmp(argv[1], "show") == 0;
    bool sets = argc > 2 && strcmp(argv[1], "set") == 0 && read_change(argc - 1, argv + 1, wanted);

    if (!shows && !sets) {
        fprintf(stderr, "usage: onekeyctl [--conninfo CONNINFO] [--json] silence show HOUSEHOLD\n"
                        "       onekeyctl [--conninfo CONNINFO] silence set HOUSEHOLD"
                        " [--scheme NAME] [--litres L] [--hours H]\n");
        return EXIT_USAGE;
    }
    PGconn *connection = database_connect(invocation);
    bool good = connection != NULL && (person == NULL || database_act_as(connection, person));
    if (good && sets)
        good = change(connection, wanted);
    else if (good)
        good = invocation->json ? print_json(connection, argv[2]) : print_rows(connection, argv[2]);
    PQfinish(connection);
    return good ? EXIT_OK : EXIT_FAILED;
}
