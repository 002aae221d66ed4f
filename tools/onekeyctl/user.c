/*
 * onekeyctl user: people of the console. What is changed is changed by onekey.set_user(), as the schema's
 * owner or as whom --as names; only the hash of a password leaves this program.
 */
#include "daemon/base/attributes.h"
#include "daemon/base/config.h"
#include "tools/common/columns.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"
#include "tools/password/password.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define AREAS_SIZE 4096

struct request {
    char **words; /* name, and what follows it */
    int count;
    const char *person; /* who acts: DISTRICT/NAME; NULL: the schema's owner */
    const char *full_name, *password_file;
    char areas[AREAS_SIZE]; /* {code,code}; "": not said */
    char district[64];
    bool json;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: onekeyctl user list\n"
            "       onekeyctl user add NAME ROLE [--full-name TEXT] [--areas CODE,CODE]"
            " [--password-file FILE]\n"
            "       onekeyctl user password NAME [--password-file FILE]\n"
            "       onekeyctl user role NAME ROLE\n"
            "       onekeyctl user areas NAME [CODE...]\n"
            "       onekeyctl user disable|enable NAME\n"
            "\nRoles: operator supervisor administrator read_only street_town. FILE - is standard"
            " input;\nwithout a file the password is asked for. --as DISTRICT/NAME acts as an"
            " administrator,\n--district CODE is for another district than that of the"
            " configuration.\n");
    return EXIT_USAGE;
}

/* --- passwords --- */

static bool read_line(FILE *stream, char *out, size_t size)
{
    bool good = fgets(out, (int)size, stream) != NULL;
    out[good ? strcspn(out, "\r\n") : 0] = '\0';
    return good;
}

static bool read_file(const char *path, char *out, size_t size)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    bool good = stream != NULL && read_line(stream, out, size);
    if (!good)
        fprintf(stderr, "onekeyctl: no password in %s: %s\n", path,
                stream == NULL ? strerror(errno) : "it is empty");
    if (stream != NULL && stream != stdin)
        fclose(stream);
    return good;
}

/* Asks on the terminal, without showing what is typed. */
static bool ask(const char *question, char *out, size_t size)
{
    struct termios shown, hidden;
    FILE *terminal = fopen("/dev/tty", "r+");
    if (terminal == NULL || tcgetattr(fileno(terminal), &shown) != 0) {
        fprintf(stderr, "onekeyctl: no terminal to ask for the password; give --password-file\n");
        if (terminal != NULL)
            fclose(terminal);
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(terminal, "%s: ", question);
    fflush(terminal);
    tcsetattr(fileno(terminal), TCSAFLUSH, &hidden);
    bool good = read_line(terminal, out, size);
    tcsetattr(fileno(terminal), TCSAFLUSH, &shown);
    fputs("\n", terminal);
    fclose(terminal);
    return good;
}

static bool ask_twice(char *out, size_t size)
{
    char again[PASSWORD_LENGTH_MAX + 3];
    if (!ask("New password", out, size) || !ask("Again", again, sizeof(again)))
        return false;
    bool same = strcmp(out, again) == 0;
    password_forget(again, sizeof(again));
    if (!same)
        fprintf(stderr, "onekeyctl: these differ; nothing is changed\n");
    return same;
}

static bool make_hash(const struct request *request, char out[PASSWORD_HASH_SIZE])
{
    char password[PASSWORD_LENGTH_MAX + 3] = "";
    bool good = request->password_file != NULL
                    ? read_file(request->password_file, password, sizeof(password))
                    : ask_twice(password, sizeof(password));
    const char *wrong = good ? password_wrong(password) : NULL;
    if (wrong != NULL)
        fprintf(stderr, "onekeyctl: %s\n", wrong);
    good = good && wrong == NULL && password_hash(password, out);
    password_forget(password, sizeof(password));
    return good;
}

/* --- changes --- */

/* {"A","B"}: an array of PostgreSQL; codes have no characters that need more care than quotes. */
static bool add_area(struct request *request, const char *code, size_t size)
{
    size_t used = strlen(request->areas);
    if (strcspn(code, "\"\\{}") < size || used + size + 5 > sizeof(request->areas))
        return false;
    if (used > 0)
        request->areas[used - 1] = ','; /* in place of the brace */
    else
        request->areas[used++] = '{';
    snprintf(request->areas + used, sizeof(request->areas) - used, "\"%.*s\"}", (int)size, code);
    return true;
}

static bool read_areas(struct request *request, const char *list)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        if (size > 0 && !add_area(request, list, size))
            return false;
        list += size + (list[size] == ',');
    }
    return true;
}

/* $1 district, $2 name, $3 role or null: as it is, $4 full name, $5 areas, $6 hash, $7 whether active,
 * $8 whether he must be new. Answers whether it was done; no row: he is not there, or is already. */
static const char change_sql[] =
    "select onekey.set_user($1, $2, coalesce($3, u.role), $4, $5::text[], $6, $7::boolean)"
    " from (select 1) one left join onekey.app_user u on u.district = $1 and u.name = $2"
    " where (u.name is null) = $8::boolean";

static int change(PGconn *connection, const struct request *request, const char *role,
                  const char *hash, const char *is_active, bool is_new)
{
    const char *areas = request->areas[0] == '\0' ? NULL : request->areas;
    const char *parameters[] = {
        request->district, request->words[0],        role, request->full_name, areas, hash,
        is_active,         is_new ? "true" : "false"};
    PGresult *result = database_query(connection, change_sql, ARRAY_SIZE(parameters), parameters);
    if (result == NULL)
        return EXIT_FAILED;
    bool found = PQntuples(result) > 0, good = found && *PQgetvalue(result, 0, 0) == 't';
    if (!found)
        fprintf(stderr, "onekeyctl: district %s has %s user %s\n", request->district,
                is_new ? "already a" : "no", request->words[0]);
    else if (!good)
        fprintf(stderr, "onekeyctl: you may not change users\n");
    PQclear(result);
    return good ? EXIT_OK : EXIT_FAILED;
}

static int list(PGconn *connection, const struct request *request)
{
    static struct columns columns;
    const char *parameters[] = {request->district};
    PGresult *result = database_query(
        connection,
        "select jsonb_build_object('name', u.name, 'role', u.role, 'full_name', u.full_name,"
        " 'active', u.is_active, 'areas', coalesce((select string_agg(a.code, ' ' order by a.code)"
        "  from onekey.app_user_area m join onekey.area a on a.district = m.district"
        "  and a.id = m.area_id where m.district = u.district and m.user_name = u.name), ''))::text"
        " from onekey.app_user u where u.district = $1 order by u.name",
        ARRAY_SIZE(parameters), parameters);
    if (result == NULL)
        return EXIT_FAILED;
    columns_start(&columns, stdout);
    for (int row = 0; row < PQntuples(result); row++) {
        if (request->json)
            puts(PQgetvalue(result, row, 0));
        else
            columns_add(&columns, json_loads(PQgetvalue(result, row, 0), 0, NULL));
    }
    columns_finish(&columns);
    PQclear(result);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int run(PGconn *connection, struct request *request, const char *verb)
{
    char hash[PASSWORD_HASH_SIZE];
    if (strcmp(verb, "list") == 0 && request->count == 0)
        return list(connection, request);
    if (request->count == 0)
        return usage();
    if (strcmp(verb, "add") == 0 && request->count == 2)
        return make_hash(request, hash)
                   ? change(connection, request, request->words[1], hash, NULL, true)
                   : EXIT_FAILED;
    if (strcmp(verb, "password") == 0 && request->count == 1)
        return make_hash(request, hash) ? change(connection, request, NULL, hash, NULL, false)
                                        : EXIT_FAILED;
    if (strcmp(verb, "role") == 0 && request->count == 2)
        return change(connection, request, request->words[1], NULL, NULL, false);
    if (strcmp(verb, "disable") == 0 && request->count == 1)
        return change(connection, request, NULL, NULL, "false", false);
    if (strcmp(verb, "enable") == 0 && request->count == 1)
        return change(connection, request, NULL, NULL, "true", false);
    if (strcmp(verb, "areas") != 0)
        return usage();
    for (int i = 1; i < request->count; i++)
        if (!add_area(request, request->words[i], strlen(request->words[i])))
            return usage();
    if (request->count == 1)
        snprintf(request->areas, sizeof(request->areas), "{}");
    return change(connection, request, NULL, NULL, NULL, false);
}

static void ignore_error(void *context, const char *text)
{
    (void)context, (void)text;
}

/* The configuration's district; what is wrong with it is said when the database is looked for. */
static void find_district(const struct invocation *invocation, struct request *request)
{
    static struct config config;
    int ignored = config_load(&config, invocation->config, NULL, ignore_error);
    (void)ignored;
    snprintf(request->district, sizeof(request->district), "%d", config.gateway.district);
}

int user_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {{"as", required_argument, NULL, 'a'},
                                            {"district", required_argument, NULL, 'd'},
                                            {"full-name", required_argument, NULL, 'n'},
                                            {"areas", required_argument, NULL, 'r'},
                                            {"password-file", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct request request;
    request.json = invocation->json;
    request.person = getenv("ONEKEY_USER");
    find_district(invocation, &request);
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'a')
            request.person = optarg;
        else if (option == 'd')
            snprintf(request.district, sizeof(request.district), "%s", optarg);
        else if (option == 'n')
            request.full_name = optarg;
        else if (option == 'p')
            request.password_file = optarg;
        else if (option != 'r' || !read_areas(&request, optarg))
            return usage();
    }
    if (optind >= argc)
        return usage();
    request.words = argv + optind + 1;
    request.count = argc - optind - 1;
    PGconn *connection = database_connect(invocation);
    int status = EXIT_FAILED;
    if (connection != NULL &&
        (request.person == NULL || database_act_as(connection, request.person)))
        status = run(connection, &request, argv[optind]);
    PQfinish(connection);
    return status;
}
