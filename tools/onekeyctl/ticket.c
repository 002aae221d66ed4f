/*
 * onekeyctl ticket: what a person does to one ticket, from a terminal. Each command is one SQL
 * function; whether it may be done is decided there, and what it answers is said here. Who acts is
 * named by --as DISTRICT/NAME or ONEKEY_USER.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 3
#define TEXT_SIZE 16384
#define EXIT_TAKEN 3

/* $1 district, $2 ticket, $3 key, then the words; of the last word's kind there may be several. The
 * priority of a hold comes last. */
static const struct verb {
    const char *name, *words, *help;
    int least, most;
    const char *call;
} verbs[] = {
    {"claim", "", "make it yours, and the home's others that nobody owns", 0, 0,
     "ticket_claim($1, $2::bigint, key => $3)"},
    {"answer", "[WHO]", "someone spoke with the person", 0, 1,
     "ticket_answer($1, $2::bigint, $4, key => $3)"},
    {"dispatch", "HELPER...",
     "sent or told: 120 110 119 family neighbourhood volunteer key_holder technician", 1, 1,
     "ticket_dispatch($1, $2::bigint, string_to_array($4, ' '), key => $3)"},
    {"result", "NUMBER RESULT", "of a helper: no_answer busy refused accepted arrived done", 2, 2,
     "ticket_result($1, $2::bigint, $4::bigint, $5, key => $3)"},
    {"scene", "[NUMBER]", "a helper is there", 0, 1,
     "ticket_scene($1, $2::bigint, $4::bigint, key => $3)"},
    {"verify", "[HOW]", "the cause is confirmed", 0, 1,
     "ticket_verify($1, $2::bigint, $4, key => $3)"},
    {"close", "OUTCOME [NOTE]", "close it; `show` lists the outcomes", 1, 2,
     "ticket_close($1, $2::bigint, $4, $5, key => $3)"},
    {"hold", "SECONDS REASON", "put it aside; --priority N: with which it returns", 2, 2,
     "ticket_hold($1, $2::bigint, $5, $4::integer, $6::integer, key => $3)"},
    {"hand-over", "NAME", "make a colleague its owner", 1, 1,
     "ticket_hand_over($1, $2::bigint, $4, key => $3)"},
    {"release", "", "give it back to the queue", 0, 0, "ticket_release($1, $2::bigint, key => $3)"},
    {"merge", "TICKET", "close it because that other one stands for it", 1, 1,
     "ticket_merge($1, $2::bigint, $4::bigint, key => $3)"},
    {"reopen", "[REASON]", "begin a further episode", 0, 1,
     "ticket_reopen($1, $2::bigint, $4, key => $3)"},
    {"note", "TEXT", "add a note", 1, 1, "ticket_note($1, $2::bigint, $4, key => $3)"},
    {"strike", "NUMBER", "strike a note", 1, 1,
     "ticket_strike($1, $2::bigint, $4::bigint, key => $3)"},
    {"mark-test", "", "it was only a test", 0, 0, "ticket_mark_test($1, $2::bigint, key => $3)"},
    {"show", "", "everything about it, and what may be done next", 0, 0, NULL},
};

/* What was asked for. */
struct request {
    const struct verb *verb;
    const char *ticket, *key, *priority;
    char words[WORDS_MAX][TEXT_SIZE];
    int word_count;
    const char *person; /* who acts: DISTRICT/NAME */
    char district[64];
    bool json;
};

static void print_verb(FILE *out, const struct verb *verb)
{
    fprintf(out, "  %-9s ID %-15s %s\n", verb->name, verb->words, verb->help);
}

static void print_help(FILE *out, const struct verb *verb)
{
    fprintf(out, "usage: onekeyctl [--conninfo CONNINFO] [--json] ticket COMMAND ID ... "
                 "[--as DISTRICT/NAME] [--key KEY]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (verb == NULL || verb == &verbs[i])
            print_verb(out, &verbs[i]);
    fprintf(out,
            "\n--as, or ONEKEY_USER, says who acts. The same --key again changes nothing. Exit "
            "status: 0 done,\n1 refused or failed, 2 wrong use, 3 another owns the ticket.\n");
}

static int usage(const char *problem, const char *about)
{
    fprintf(stderr, "onekeyctl: %s%s; see onekeyctl ticket --help\n", problem, about);
    return EXIT_USAGE;
}

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
    return size > 0 && size < 19 && strspn(text, "0123456789") == size;
}

/* Takes DISTRICT/NAME apart. */
static bool read_person(struct request *request, const char *person)
{
    const char *slash = person == NULL ? NULL : strchr(person, '/');
    if (slash == NULL || slash == person || slash[1] == '\0' ||
        (size_t)(slash - person) >= sizeof(request->district))
        return false;
    memcpy(request->district, person, (size_t)(slash - person));
    request->person = person;
    return true;
}

/* The words after the ticket; what is more than the command takes belongs to its last one. */
static bool read_words(struct request *request, int count, char **words)
{
    for (int i = 0; i < count; i++) {
        int last = request->verb->most - 1, at = i < last ? i : last;
        if (last < 0)
            return false;
        char *word = request->words[at];
        size_t used = strlen(word);
        snprintf(word + used, TEXT_SIZE - used, "%s%s", used > 0 ? " " : "", words[i]);
        request->word_count = at + 1;
    }
    return request->word_count >= request->verb->least;
}

/* Whether that word must be a number, as its name says. */
static bool are_numbers_right(const struct request *request)
{
    const char *wanted = request->verb->words;
    wanted += *wanted == '[';
    bool numeric = strncmp(wanted, "NUMBER", 6) == 0 || strncmp(wanted, "SECONDS", 7) == 0 ||
                   strncmp(wanted, "TICKET", 6) == 0;
    return is_number(request->ticket) &&
           (!numeric || request->word_count == 0 || is_number(request->words[0])) &&
           (request->priority == NULL || is_number(request->priority));
}

/* Columns of what give() asks for. */
enum { REPLY_OK, REPLY_CODE, REPLY_TEXT, REPLY_JSON };

static int give(PGconn *connection, const struct request *request)
{
    char sql[512];
    const char *parameters[3 + WORDS_MAX] = {request->district, request->ticket, request->key};
    for (int i = 0; i < request->word_count; i++)
        parameters[3 + i] = request->words[i];
    int count = 3 + request->verb->most;
    if (strcmp(request->verb->name, "hold") == 0)
        parameters[count++] = request->priority;
    snprintf(sql, sizeof(sql),
             "select ok, code, case when ok then concat('ticket ', ticket_id, ' is ', state,"
             "  ', owner ' || owner, '; also ' || (detail ->> 'also')) else message end,"
             "  to_jsonb(r) from onekey.%s r",
             request->verb->call);
    PGresult *result = database_query(connection, sql, count, parameters);
    if (result == NULL)
        return EXIT_FAILED;
    bool good = *PQgetvalue(result, 0, REPLY_OK) == 't';
    bool taken = strcmp(PQgetvalue(result, 0, REPLY_CODE), "taken") == 0 ||
                 strcmp(PQgetvalue(result, 0, REPLY_CODE), "not_owner") == 0;
    if (request->json)
        puts(PQgetvalue(result, 0, REPLY_JSON));
    else if (good)
        puts(PQgetvalue(result, 0, REPLY_TEXT));
    if (!good)
        fprintf(stderr, "onekeyctl: %s\n", PQgetvalue(result, 0, REPLY_TEXT));
    PQclear(result);
    return !good ? (taken ? EXIT_TAKEN : EXIT_FAILED)
                 : (fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED);
}

/* The parts of a ticket as rows; what is not known is left out of the first. */
static const char show_sql[] =
    "with r as materialized (select onekey.read_ticket($1, $2::bigint) as ticket)"
    " select 0, 0, jsonb_strip_nulls(ticket -> 'ticket')::text from r where ticket is not null"
    " union all select 1, n, jsonb_build_object('number', h -> 'id', 'helper', h -> 'helper',"
    "  'sent', left(h ->> 'sent_at', 19), 'result', h -> 'result',"
    "  'arrived', left(h ->> 'arrived_at', 19))::text"
    " from r, jsonb_array_elements(ticket -> 'helpers') with ordinality x(h, n)"
    " union all select 2, n, jsonb_build_object('number', e -> 'id', 'at', left(e ->> 'at', 19),"
    "  'event', (e ->> 'kind') || case when e ->> 'struck' = 'true' then ' (struck)' else '' end,"
    "  'by', coalesce(e ->> 'actor', e ->> 'origin'), 'detail', (e -> 'detail')::text)::text"
    " from r, jsonb_array_elements(ticket -> 'events') with ordinality x(e, n)"
    " union all select 3, 0, jsonb_build_object('outcomes', (select string_agg(o ->> 'name', ' ')"
    "  from jsonb_array_elements(ticket -> 'outcomes') o), 'next', (select string_agg(c, ' ')"
    "  from jsonb_array_elements_text(ticket -> 'commands') c))::text"
    " from r where ticket is not null order by 1, 2";

static int show(PGconn *connection, const struct request *request)
{
    static struct columns columns;
    const char *parameters[] = {request->district, request->ticket};
    PGresult *result = database_query(
        connection,
        request->json ? "select 0, 0, onekey.read_ticket($1, $2::bigint)::text" : show_sql,
        ARRAY_SIZE(parameters), parameters);
    if (result == NULL)
        return EXIT_FAILED;
    bool found = PQntuples(result) > 0 && !PQgetisnull(result, 0, 2);
    columns_start(&columns, stdout);
    for (int row = 0; found && row < PQntuples(result); row++) {
        if (request->json)
            puts(PQgetvalue(result, row, 2));
        else
            columns_add(&columns, json_loads(PQgetvalue(result, row, 2), 0, NULL));
    }
    columns_finish(&columns);
    PQclear(result);
    if (!found)
        fprintf(stderr, "onekeyctl: district %s has no ticket %s that %s may read\n",
                request->district, request->ticket, strchr(request->person, '/') + 1);
    return found && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

int ticket_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {
        {"as", required_argument, NULL, 'a'}, {"key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},     {"priority", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},     {NULL, 0, NULL, 0}};
    static struct request request;
    const char *person = getenv("ONEKEY_USER");
    bool wants_help = false;
    request.json = invocation->json;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'a')
            person = optarg;
        else if (option == 'k')
            request.key = optarg;
        else if (option == 'p')
            request.priority = optarg;
        else if (option == '?')
            return usage("there is no such option", "");
        wants_help = wants_help || option == 'h';
        request.json = request.json || option == 'j';
    }
    request.verb = optind < argc ? find_verb(argv[optind]) : NULL;
    if (wants_help)
        return print_help(stdout, request.verb), EXIT_OK;
    if (request.verb == NULL)
        return usage("no such command of a ticket", optind < argc ? argv[optind] : "");
    if (optind + 1 >= argc)
        return usage("name the ticket after ", request.verb->name);
    request.ticket = argv[optind + 1];
    if (!read_words(&request, argc - optind - 2, argv + optind + 2) || !are_numbers_right(&request))
        return print_help(stderr, request.verb), EXIT_USAGE;
    if (!read_person(&request, person))
        return usage("say who acts by --as DISTRICT/NAME or ONEKEY_USER", "");
    PGconn *connection = database_connect(invocation);
    int status = connection == NULL || !database_act_as(connection, request.person) ? EXIT_FAILED
                 : request.verb->call == NULL ? show(connection, &request)
                                              : give(connection, &request);
    PQfinish(connection);
    return status;
}
