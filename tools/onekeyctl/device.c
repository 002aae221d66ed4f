/*
 * onekeyctl device: which devices there are, what they last said, and what they are asked to do. Each is
 * found by its identity; --protocol tells two of the same identity apart. Who acts is named by
 * --as DISTRICT/NAME or ONEKEY_USER; whether that person may is decided in the database.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4

struct request {
    const struct verb *verb;
    const char *person, *protocol, *expires;
    char district[64];
    const char *words[WORDS_MAX]; /* the device first */
    int word_count;
    bool json;
};

static int list(PGconn *connection, const struct request *request);
static int show(PGconn *connection, const struct request *request);
static int ask(PGconn *connection, const struct request *request);
static int print_commands(PGconn *connection, const struct request *request);

static const struct verb {
    const char *name, *words, *help;
    int least, most;
    int (*run)(PGconn *connection, const struct request *request);
} verbs[] = {
    {"list", "", "all devices, and when each was last heard of", 0, 0, list},
    {"show", "IDENTITY", "everything about one", 1, 1, show},
    {"locate", "IDENTITY", "say where it is; a meter: its reading", 1, 1, ask},
    {"interval", "IDENTITY SECONDS", "report every so many seconds", 2, 2, ask},
    {"sos", "IDENTITY NUMBER...", "call these numbers, one to three, when the button is pressed", 2,
     4, ask},
    {"acknowledge", "IDENTITY", "show the person that help is coming", 1, 1, ask},
    {"commands", "[IDENTITY]", "the last 100 commands, and what came of them", 0, 1,
     print_commands},
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: onekeyctl [--conninfo CONNINFO] [--json] device COMMAND ... "
                 "[--as DISTRICT/NAME] [--protocol NAME] [--expires SECONDS]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        fprintf(out, "  %-11s %-19s %s\n", verbs[i].name, verbs[i].words, verbs[i].help);
    fprintf(out,
            "\n--as, or ONEKEY_USER, says who acts. A command that could not be sent within "
            "--expires\n(a day) is dropped. Exit status: 0 done or asked, 1 refused or failed, "
            "2 wrong use.\n");
}

static int usage(const char *problem, const char *about)
{
    fprintf(stderr, "onekeyctl: %s%s; see onekeyctl device --help\n", problem, about);
    return EXIT_USAGE;
}

/* Rows of two columns: for programs, and for people. How many; -1 if the query failed. */
static int print_rows(PGconn *connection, const struct request *request, const char *sql, int count,
                      const char *const *parameters)
{
    static struct columns columns;
    PGresult *result = database_query(connection, sql, count, parameters);
    int rows = result == NULL ? -1 : PQntuples(result);

    columns_start(&columns, stdout);
    for (int row = 0; row < rows; row++) {
        if (request->json)
            puts(PQgetvalue(result, row, 0));
        else
            columns_add(&columns, json_loads(PQgetvalue(result, row, 1), 0, NULL));
    }
    columns_finish(&columns);
    PQclear(result);
    return fflush(stdout) == 0 ? rows : -1;
}

/* --- the devices --- */

#define DEVICE_COLUMNS                                                                             \
    "district, id, protocol, identity, kind, household_id, report_interval_s, last_seen,"          \
    " battery_percent, gsm_percent, longitude, latitude, position_at"

static int list(PGconn *connection, const struct request *request)
{
    const char *parameters[] = {request->district, request->protocol};

    return print_rows(connection, request,
                      "select to_jsonb(d), json_build_object('protocol', protocol, 'identity',"
                      "  identity, 'kind', kind, 'home', household_id, 'heard',"
                      "  to_char(last_seen, 'YYYY-MM-DD HH24:MI:SS'), 'battery', battery_percent)"
                      " from (select " DEVICE_COLUMNS " from onekey.device) d"
                      " where district = $1 and ($2::text is null or protocol = $2)"
                      " and onekey.sees(district, onekey.area_of_household(district, household_id))"
                      " order by protocol, identity",
                      ARRAY_SIZE(parameters), parameters) < 0
               ? EXIT_FAILED
               : EXIT_OK;
}

/* The device's number into `id`; false, and said, if there is none or more than one. */
static bool find_device(PGconn *connection, const struct request *request, char id[32])
{
    const char *parameters[] = {request->district, request->words[0], request->protocol};
    PGresult *result = database_query(
        connection,
        "select id from onekey.device where district = $1 and identity = $2"
        " and ($3::text is null or protocol = $3)"
        " and onekey.sees(district, onekey.area_of_household(district, household_id))",
        ARRAY_SIZE(parameters), parameters);
    int rows = result == NULL ? -1 : PQntuples(result);

    if (rows == 1)
        snprintf(id, 32, "%s", PQgetvalue(result, 0, 0));
    else if (rows == 0)
        fprintf(stderr, "onekeyctl: district %s has no device %s that %s may see\n",
                request->district, request->words[0], strchr(request->person, '/') + 1);
    else if (rows > 1)
        fprintf(stderr, "onekeyctl: several devices are called %s: say which by --protocol\n",
                request->words[0]);
    PQclear(result);
    return rows == 1;
}

static int show(PGconn *connection, const struct request *request)
{
    char id[32];
    const char *parameters[] = {request->district, id};

    if (!find_device(connection, request, id))
        return EXIT_FAILED;
    return print_rows(
               connection, request,
               "select to_jsonb(d), jsonb_strip_nulls(to_jsonb(d)) from (select " DEVICE_COLUMNS
               " from onekey.device where district = $1 and id = $2::bigint) d",
               ARRAY_SIZE(parameters), parameters) < 0
               ? EXIT_FAILED
               : EXIT_OK;
}

/* --- the commands --- */

static int ask(PGconn *connection, const struct request *request)
{
    char id[32], numbers[256] = "";
    bool is_sos = strcmp(request->verb->name, "sos") == 0;

    for (int i = 1; i < request->word_count; i++)
        snprintf(numbers + strlen(numbers), sizeof(numbers) - strlen(numbers), "%s%s",
                 i > 1 ? " " : "", request->words[i]);
    if (!find_device(connection, request, id))
        return EXIT_FAILED;

    const char *parameters[] = {request->district, id, is_sos ? "sos_numbers" : request->verb->name,
                                numbers, request->expires};
    PGresult *result = database_query(
        connection,
        "select ok, to_jsonb(r), coalesce(message, 'command ' || (detail ->> 'command') || ' "
        "waits')"
        " from onekey.ask_device($1, $2::bigint, $3, case $3"
        "  when 'interval' then jsonb_build_object('seconds', ($4::text)::numeric)"
        "  when 'sos_numbers' then jsonb_build_object('numbers', string_to_array($4::text, ' '))"
        "  else '{}' end, coalesce($5::integer, 86400)) r",
        ARRAY_SIZE(parameters), parameters);
    bool good = result != NULL && *PQgetvalue(result, 0, 0) == 't';

    if (result != NULL && request->json)
        puts(PQgetvalue(result, 0, 1));
    else if (good)
        puts(PQgetvalue(result, 0, 2));
    if (result != NULL && !good)
        fprintf(stderr, "onekeyctl: %s\n", PQgetvalue(result, 0, 2));
    PQclear(result);
    return good && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int print_commands(PGconn *connection, const struct request *request)
{
    char id[32];
    const char *parameters[] = {request->district, NULL};

    if (request->word_count > 0) {
        if (!find_device(connection, request, id))
            return EXIT_FAILED;
        parameters[1] = id;
    }
    return print_rows(connection, request,
                      "select to_jsonb(c), json_build_object('command', id, 'device', identity,"
                      " 'what', kind, 'asked', to_char(asked_at, 'YYYY-MM-DD HH24:MI:SS'), 'by',"
                      " asked_by, 'state', state, 'sent', to_char(sent_at, 'HH24:MI:SS'), 'times',"
                      " attempts, 'answer', answer)"
                      " from onekey.read_device_commands($1, $2::bigint, 100) c",
                      ARRAY_SIZE(parameters), parameters) < 0
               ? EXIT_FAILED
               : EXIT_OK;
}

/* --- the command line --- */

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static bool is_number(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size < 9 && strspn(text, "0123456789") == size;
}

/* Takes DISTRICT/NAME apart. */
static bool read_person(struct request *request)
{
    const char *slash = request->person == NULL ? NULL : strchr(request->person, '/');

    if (slash == NULL || slash == request->person || slash[1] == '\0' ||
        (size_t)(slash - request->person) >= sizeof(request->district))
        return false;
    memcpy(request->district, request->person, (size_t)(slash - request->person));
    return true;
}

static int read_words(struct request *request, int count, char **words)
{
    if (count < request->verb->least || count > request->verb->most)
        return usage("it is: device ", request->verb->name);
    for (request->word_count = 0; request->word_count < count; request->word_count++)
        request->words[request->word_count] = words[request->word_count];
    if (strcmp(request->verb->name, "interval") == 0 && !is_number(words[1]))
        return usage("no number of seconds: ", words[1]);
    if (request->expires != NULL && !is_number(request->expires))
        return usage("no number of seconds: ", request->expires);
    if (!read_person(request))
        return usage("say who acts by --as DISTRICT/NAME or ONEKEY_USER", "");
    return EXIT_OK;
}

int device_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {
        {"as", required_argument, NULL, 'a'},      {"protocol", required_argument, NULL, 'p'},
        {"expires", required_argument, NULL, 'e'}, {"help", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0}};
    static struct request request;
    int status;

    request.json = invocation->json;
    request.person = getenv("ONEKEY_USER");
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return print_help(stdout), EXIT_OK;
        if (option == '?')
            return usage("there is no such option", "");
        if (option == 'j')
            request.json = true;
        else
            *(option == 'a'   ? &request.person
              : option == 'p' ? &request.protocol
                              : &request.expires) = optarg;
    }
    request.verb = optind < argc ? find_verb(argv[optind]) : NULL;
    if (request.verb == NULL)
        return usage("no such command of a device ", optind < argc ? argv[optind] : "");
    status = read_words(&request, argc - optind - 1, argv + optind + 1);
    if (status != EXIT_OK)
        return status;

    PGconn *connection = database_connect(invocation);

    status = connection != NULL && database_act_as(connection, request.person)
                 ? request.verb->run(connection, &request)
                 : EXIT_FAILED;
    PQfinish(connection);
    return status;
}
