#include "tools/common/database.h"

#include "daemon/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_error(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static bool is_missing_default(const char *path)
{
    return strcmp(path, DEFAULT_CONFIG) == 0 && access(path, F_OK) != 0 && errno == ENOENT;
}

static PGconn *connect_by(const char *conninfo)
{
    const char *keywords[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *values[] = {conninfo, program_invocation_short_name, "UTF8", NULL};
    return PQconnectdbParams(keywords, values, 1);
}

PGconn *database_connect(const struct invocation *invocation)
{
    struct config config;
    const char *conninfo = invocation->conninfo;
    if (conninfo == NULL && !is_missing_default(invocation->config)) {
        if (config_load(&config, invocation->config, NULL, print_error) > 0)
            return NULL;
        conninfo = config.database.conninfo;
    }
    PGconn *connection = connect_by(conninfo);
    if (connection == NULL)
        abort(); /* out of memory */
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    fprintf(stderr, "%s: no connection to the database: %s", program_invocation_short_name,
            PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
}

/* Line of the character at `position`, counted from 1, in UTF-8 text. */
static int line_at(const char *sql, long position)
{
    int line = 1;
    for (long character = 1; *sql != '\0' && character < position; sql++) {
        line += *sql == '\n';
        character += (sql[1] & 0xc0) != 0x80;
    }
    return line;
}

static void print_field(const PGresult *result, int field, const char *title)
{
    const char *text = PQresultErrorField(result, field);
    if (text != NULL)
        fprintf(stderr, "  %s: %s\n", title, text);
}

void database_complain(PGconn *connection, const PGresult *result, const char *file,
                       const char *sql)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    if (message == NULL) {
        fprintf(stderr, "%s: %s", program_invocation_short_name, PQerrorMessage(connection));
        return;
    }
    if (file != NULL && position != NULL)
        fprintf(stderr, "%s:%d: %s\n", file, line_at(sql, strtol(position, NULL, 10)), message);
    else
        fprintf(stderr, "%s: %s\n", file == NULL ? program_invocation_short_name : file, message);
    print_field(result, PG_DIAG_MESSAGE_DETAIL, "detail");
    print_field(result, PG_DIAG_MESSAGE_HINT, "hint");
    if (file != NULL)
        print_field(result, PG_DIAG_CONTEXT, "context");
}

PGresult *database_query(PGconn *connection, const char *sql, int count,
                         const char *const *parameters)
{
    PGresult *result = PQexecParams(connection, sql, count, NULL, parameters, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN)
        return result;
    database_complain(connection, result, NULL, sql);
    PQclear(result);
    return NULL;
}

bool database_run(PGconn *connection, const char *sql)
{
    PGresult *result = database_query(connection, sql, 0, NULL);
    PQclear(result);
    return result != NULL;
}

bool database_act_as(PGconn *connection, const char *person)
{
    char host[256] = "", origin[300];
    gethostname(host, sizeof(host) - 1);
    snprintf(origin, sizeof(origin), "onekeyctl %s", host);
    const char *parameters[] = {person, origin};
    PGresult *result = database_query(
        connection,
        "select onekey.act_as(split_part($1, '/', 1), substr($1, strpos($1, '/') + 1), $2, true)",
        ARRAY_SIZE(parameters), parameters);
    bool good = result != NULL && !PQgetisnull(result, 0, 0);
    if (result != NULL && !good)
        fprintf(stderr, "onekeyctl: there is no active user %s\n", person);
    PQclear(result);
    return good;
}
