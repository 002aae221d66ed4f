/*
 * One blocking connection to PostgreSQL, for commands that people wait for. What goes wrong is said
 * on standard error where it happens, with the file and line of the SQL if it came from a file.
 */
#ifndef ONEKEY_COMMON_DATABASE_H
#define ONEKEY_COMMON_DATABASE_H

#include "daemon/base/attributes.h"
#include "tools/common/invocation.h"

#include <libpq-fe.h>

/* Connects by --conninfo; else as the configuration says; else, if there is no configuration at its
 * default place, as libpq's environment says. NULL, and said why, if it cannot. */
PGconn *database_connect(const struct invocation *invocation) MUST_USE;
/* Runs one statement with `count` text parameters (NULL: null). The result is the caller's to clear;
 * NULL, and said why, if it failed. */
PGresult *database_query(PGconn *connection, const char *sql, int count,
                         const char *const *parameters) MUST_USE;
/* The same without parameters and result; false if it failed. */
bool database_run(PGconn *connection, const char *sql) MUST_USE;
/* From here on DISTRICT/NAME acts on this connection. False, and said, if nobody of that name may. */
bool database_act_as(PGconn *connection, const char *person) MUST_USE;
/* Says why `result` failed. `file`: the statement was `sql`, from this file; NULL if from none. */
void database_complain(PGconn *connection, const PGresult *result, const char *file,
                       const char *sql);

#endif
