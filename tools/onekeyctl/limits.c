/*
 * onekeyctl limits, escalation, disaster, contact: the time limits of tickets, what happens to those
 * that nobody moves, disaster mode, and what contacts answer. What is changed is changed by functions
 * of db/functions, which check it; here words NAME=VALUE become their JSON object. Who acts is named by --as DISTRICT/NAME or ONEKEY_USER.
 */
#include "daemon/base/attributes.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18

/* $1 district. */
static const char limits_sql[] =
    "select json_build_object('id', p.id, 'district', p.district, 'kind', p.kind, 'service', "
    "p.service_kind,"
    " 'priority', p.priority, 'area', a.code, 'measure', p.measure, 'warn_s', p.warn_s,"
    " 'breach_s', p.breach_s)"
    " from onekey.sla_policy p left join onekey.area a on a.district = p.district and a.id = "
    "p.area_id"
    " where p.district in ('*', $1) order by p.kind, p.measure, p.district, p.id";
static const char steps_sql[] =
    "select json_build_object('id', e.id, 'district', e.district, 'class', e.kind_class,"
    " 'state', e.state, 'after_s', e.after_s, 'action', e.action, 'target', e.target)"
    " from onekey.escalation_step e where e.district in ('*', $1)"
    " order by e.kind_class, e.state, e.district, e.after_s, e.id";
static const char policy_sql[] =
    "select json_build_object('district', p.district, 'accept_s', p.accept_s, 'rounds', p.rounds,"
    " 'look_s', p.look_s, 'contact_first', p.contact_first,"
    " 'contact_by', array_to_string(p.contact_by, ' '),"
    " 'supervisor_by', array_to_string(p.supervisor_by, ' '), 'fair_assignment', p.fair_assignment)"
    " from onekey.escalation_policy p where p.district in ('*', $1) order by p.district";

static const char disasters_sql[] =
    "select json_build_object('id', d.id, 'area', a.code, 'priority_offset', d.priority_offset,"
    " 'started_at', d.started_at, 'started_by', d.started_by, 'ended_at', d.ended_at, 'ended_by',"
    " d.ended_by, 'reason', d.reason)"
    " from onekey.disaster d left join onekey.area a on a.district = d.district and a.id = "
    "d.area_id"
    " where d.district = $1 order by d.ended_at is not null, d.id desc limit 100";

/* `change`: $1 district, $2 what is wanted; answers null or false if it is refused. */
enum words { NO_WORDS, PAIRS, NUMBER };
static const struct verb {
    const char *command, *name;
    enum words words;
    const char *list, *change, *help;
} verbs[] = {
    {"limits", "list", NO_WORDS, limits_sql, NULL,
     "                 those of * and of the district"},
    {"limits", "set", PAIRS, NULL, "select onekey.set_limit($1, $2::jsonb)::text",
     "NAME=VALUE ...    kind measure warn_s breach_s, service_kind priority area; or id"},
    {"limits", "remove", NUMBER, NULL, "select onekey.set_limit($1, $2::jsonb)::text",
     "ID            one of the district's own"},
    {"escalation", "list", NO_WORDS, steps_sql, NULL,
     "                 those of * and of the district"},
    {"escalation", "set", PAIRS, NULL, "select onekey.set_escalation($1, $2::jsonb)::text",
     "NAME=VALUE ...    kind_class state after_s action target; or id"},
    {"escalation", "remove", NUMBER, NULL, "select onekey.set_escalation($1, $2::jsonb)::text",
     "ID            one of the district's own"},
    {"escalation", "policy", NO_WORDS, policy_sql, NULL,
     "               how contacts and supervisors are told"},
    {"escalation", "policy", PAIRS, NULL,
     "select nullif(onekey.set_escalation_policy($1, $2::jsonb), false)::text",
     "NAME=VALUE ... accept_s rounds look_s contact_first contact_by supervisor_by "
     "fair_assignment"},
    {"disaster", "list", NO_WORDS, disasters_sql, NULL,
     "         when it was on, and whether it is"},
    {"disaster", "start", PAIRS, NULL, "select onekey.set_disaster($1, $2::jsonb)::text",
     "NAME=VALUE ...  reason, area priority_offset"},
    {"disaster", "end", NUMBER, NULL, "select onekey.set_disaster($1, $2::jsonb)::text", "ID"},
    {"contact", "result", PAIRS, NULL,
     "select nullif(onekey.contact_result($1, ($2::jsonb ->> 'attempt')::bigint,"
     " $2::jsonb ->> 'result'), false)::text",
     "attempt=NUMBER result=RESULT   no_answer busy refused accepted arrived done needs_help"},
    {"contact", "reply", PAIRS, NULL,
     "select nullif(onekey.contact_reply($1, $2::jsonb ->> 'token', $2::jsonb ->> 'result'),"
     " false)::text",
     "token=TOKEN result=RESULT       as the contact, by the token of the notice"},
};

static int usage(const char *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].command, command) == 0)
            fprintf(stderr, "  onekeyctl %s %s %s\n", command, verbs[i].name, verbs[i].help);
    fprintf(stderr, "--as DISTRICT/NAME, or ONEKEY_USER, says who acts. NAME= means none.\n");
    return EXIT_USAGE;
}

static const struct verb *find_verb(const char *command, const char *name, bool has_words)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].command, command) == 0 && strcmp(verbs[i].name, name) == 0 &&
            (verbs[i].words != NO_WORDS) == has_words)
            return &verbs[i];
    return NULL;
}

static bool is_number(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= DIGITS_MAX && strspn(text, "0123456789") == size;
}

/* What is wanted as an object, the caller's to free; NULL if the words are not of the verb's kind. */
static json_t *read_words(const struct verb *verb, int count, char **words)
{
    json_t *wanted = json_object();
    bool good = verb->words != NUMBER || (count == 1 && is_number(words[0]));
    if (verb->words == NUMBER && good)
        good = json_object_set_new(wanted, "id", json_string(words[0])) == 0 &&
               json_object_set_new(wanted, "remove", json_true()) == 0;
    for (int i = 0; verb->words == PAIRS && good && i < count; i++) {
        char *value = strchr(words[i], '=');
        good = value != NULL && value != words[i];
        if (!good)
            break;
        *value++ = '\0';
        json_t *text = *value == '\0' ? json_null() : json_string(value);
        good = text != NULL && json_object_set_new(wanted, words[i], text) == 0;
    }
    if (good)
        return wanted;
    json_decref(wanted);
    return NULL;
}

static int list(PGconn *connection, const struct verb *verb, const char *district, bool json)
{
    static struct columns columns;
    PGresult *result = database_query(connection, verb->list, 1, &district);
    if (result == NULL)
        return EXIT_FAILED;
    columns_start(&columns, stdout);
    for (int row = 0; row < PQntuples(result); row++) {
        if (json)
            puts(PQgetvalue(result, row, 0));
        else
            columns_add(&columns, json_loads(PQgetvalue(result, row, 0), 0, NULL));
    }
    columns_finish(&columns);
    PQclear(result);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int change(PGconn *connection, const struct verb *verb, const char *district,
                  const json_t *wanted)
{
    char *text = json_dumps(wanted, 0);
    const char *parameters[] = {district, text};
    PGresult *result = database_query(connection, verb->change, ARRAY_SIZE(parameters), parameters);
    free(text);
    if (result == NULL)
        return EXIT_FAILED;
    bool good = !PQgetisnull(result, 0, 0);
    if (!good)
        fprintf(stderr,
                "onekeyctl: you may not do that, or the district has none such of its own\n");
    else if (strcmp(verb->name, "set") == 0 || strcmp(verb->name, "start") == 0)
        printf("number %s\n", PQgetvalue(result, 0, 0));
    PQclear(result);
    return good ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct invocation *invocation, const struct verb *verb, const char *person,
               const json_t *wanted)
{
    char district[64];
    snprintf(district, sizeof(district), "%.*s", (int)strcspn(person, "/"), person);
    PGconn *connection = database_connect(invocation);
    int status = connection == NULL || !database_act_as(connection, person) ? EXIT_FAILED
                 : verb->list != NULL ? list(connection, verb, district, invocation->json)
                                      : change(connection, verb, district, wanted);
    PQfinish(connection);
    return status;
}

int limits_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {
        {"as", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *person = getenv("ONEKEY_USER"), *command = argv[0];
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'a')
            return usage(command);
        person = optarg;
    }
    int count = argc - optind - 1;
    const struct verb *verb = count < 0 ? NULL : find_verb(command, argv[optind], count > 0);
    if (verb == NULL || person == NULL || strchr(person, '/') == NULL)
        return usage(command);
    json_t *wanted = read_words(verb, count, argv + optind + 1);
    int status = wanted == NULL ? usage(command) : run(invocation, verb, person, wanted);
    json_decref(wanted);
    return status;
}
