/* onekeyctl notice: one more try for a notice that was given up or waits. */
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 18

static const char retry_sql[] =
    "select coalesce(bool_or(onekey.retry_notice(n.district, n.id)), false) from onekey.v_notices n"
    " where n.id = $1::bigint";

int notice_command(const struct invocation *invocation, int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "retry") != 0 || argv[2][0] == '\0' ||
        argv[2][strspn(argv[2], "0123456789")] != '\0' || strlen(argv[2]) > DIGITS_MAX) {
        fprintf(stderr, "usage: onekeyctl [--conninfo CONNINFO] notice retry ID\n");
        return EXIT_USAGE;
    }
    const char *id = argv[2];
    PGconn *connection = database_connect(invocation);
    PGresult *result = connection ? database_query(connection, retry_sql, 1, &id) : NULL;
    bool ok = result && PQgetvalue(result, 0, 0)[0] == 't';
    if (ok)
        printf("notice %s is sent again\n", id);
    else if (result)
        fprintf(stderr, "onekeyctl: there is no notice %s that is not delivered yet\n", id);
    PQclear(result);
    PQfinish(connection);
    return ok ? EXIT_OK : EXIT_FAILED;
}
