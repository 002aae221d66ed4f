/*
 * onekeyctl db: brings the schema up to date. A migration (migrations/NNNN_name.sql) runs once and
 * is never changed afterwards; a repeatable file (functions/) runs again whenever it has changed.
 * One transaction a file, one migration at a time in the whole cluster. What was applied stands in
 * onekey.migration.
 */
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"
#include "tools/onekeyctl/sql_files.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define CHECKSUM_SIZE 65

enum state { STATE_APPLIED, STATE_PENDING, STATE_CHANGED, STATE_LATE };

/* What `db` was asked for and works on. */
struct work {
    PGconn *connection;
    PGresult *applied; /* rows of onekey.migration: name, checksum, date */
    struct sql_files migrations, functions;
    bool again; /* repeat the repeatable files even if they have not changed */
    int done;
};

static const char bookkeeping[] =
    "select pg_advisory_lock(hashtext('onekey.migrate'));"
    "set client_min_messages = warning;"
    "create schema if not exists onekey;"
    "create table if not exists onekey.migration ("
    " name text primary key, checksum text not null,"
    " applied_at timestamptz not null default clock_timestamp(),"
    " applied_by text not null default session_user);"
    "comment on table onekey.migration is 'SQL files that onekeyctl db migrate has applied';"
    "comment on column onekey.migration.name is 'Folder and name of the file';"
    "comment on column onekey.migration.checksum is 'SHA-256 of its text';"
    "comment on column onekey.migration.applied_at is 'When it was last applied';"
    "comment on column onekey.migration.applied_by is 'By whom'";

static bool read_applied(struct work *work)
{
    PQclear(work->applied);
    work->applied = database_query(
        work->connection,
        "select name, checksum, to_char(applied_at, 'YYYY-MM-DD HH24:MI') from onekey.migration"
        " order by name",
        0, NULL);
    return work->applied != NULL;
}

static bool find_checksum(struct work *work, const char *text, char out[CHECKSUM_SIZE])
{
    PGresult *result = database_query(
        work->connection, "select encode(sha256(convert_to($1, 'UTF8')), 'hex')", 1, &text);
    if (result != NULL)
        snprintf(out, CHECKSUM_SIZE, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return result != NULL;
}

/* "migrations/0001_schema.sql" of its path. */
static const char *key_of(const struct sql_file *file)
{
    const char *at = file->name - 1;
    while (at > file->path && at[-1] != '/')
        at--;
    return at;
}

/* Row of `applied` for that key, -1 if there is none. */
static int find_row(const struct work *work, const char *key)
{
    for (int row = 0; row < PQntuples(work->applied); row++)
        if (strcmp(PQgetvalue(work->applied, row, 0), key) == 0)
            return row;
    return -1;
}

/* Whether a migration of a later name has been applied. */
static bool is_late(const struct work *work, const char *key)
{
    for (int row = 0; row < PQntuples(work->applied); row++) {
        const char *other = PQgetvalue(work->applied, row, 0);
        if (strncmp(other, "migrations/", 11) == 0 && strcmp(other, key) > 0)
            return true;
    }
    return false;
}

static bool find_state(struct work *work, const struct sql_file *file, enum state *out)
{
    char checksum[CHECKSUM_SIZE];
    int row = find_row(work, key_of(file));
    if (!find_checksum(work, file->text, checksum))
        return false;
    if (row >= 0)
        *out = strcmp(PQgetvalue(work->applied, row, 1), checksum) == 0 ? STATE_APPLIED
                                                                        : STATE_CHANGED;
    else if (strncmp(key_of(file), "migrations/", 11) == 0 && is_late(work, key_of(file)))
        *out = STATE_LATE;
    else
        *out = STATE_PENDING;
    return true;
}

/* NNNN_name.sql, each number once. */
static bool check_names(const struct sql_files *migrations)
{
    for (int i = 0; i < migrations->count; i++) {
        const char *name = migrations->files[i].name;
        if (strspn(name, "0123456789") != 4 || name[4] != '_') {
            fprintf(stderr, "%s: not named NNNN_what_it_does.sql; rename it\n",
                    migrations->files[i].path);
            return false;
        }
        if (i > 0 && strncmp(name, migrations->files[i - 1].name, 4) == 0) {
            fprintf(stderr, "%s: has the number of %s; give it the next free one\n",
                    migrations->files[i].path, migrations->files[i - 1].name);
            return false;
        }
    }
    return true;
}

/* Nothing that was applied may have changed or gone, nothing may come before it. */
static bool check_history(struct work *work)
{
    bool good = true;
    for (int i = 0; i < work->migrations.count; i++) {
        const struct sql_file *file = &work->migrations.files[i];
        enum state state;
        if (!find_state(work, file, &state))
            return false;
        if (state == STATE_CHANGED)
            fprintf(stderr,
                    "%s: has changed since it was applied on %s; restore it and put the change "
                    "into a new migration\n",
                    file->path, PQgetvalue(work->applied, find_row(work, key_of(file)), 2));
        if (state == STATE_LATE)
            fprintf(stderr,
                    "%s: a later migration has been applied already; give it the next free "
                    "number\n",
                    file->path);
        good = good && state != STATE_CHANGED && state != STATE_LATE;
    }
    for (int row = 0; row < PQntuples(work->applied); row++) {
        const char *key = PQgetvalue(work->applied, row, 0);
        bool found = strncmp(key, "migrations/", 11) != 0;
        for (int i = 0; i < work->migrations.count; i++)
            found = found || strcmp(key, key_of(&work->migrations.files[i])) == 0;
        if (!found)
            fprintf(stderr, "%s: was applied on %s and is missing; restore it\n", key,
                    PQgetvalue(work->applied, row, 2));
        good = good && found;
    }
    return good;
}

/* Runs the text of a file and remembers it, all or nothing. */
static bool apply(struct work *work, const struct sql_file *file)
{
    char checksum[CHECKSUM_SIZE];
    const char *parameters[] = {key_of(file), checksum};
    if (!find_checksum(work, file->text, checksum) || !database_run(work->connection, "begin"))
        return false;
    PGresult *result = PQexec(work->connection, file->text);
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good)
        database_complain(work->connection, result, file->path, file->text);
    else if (PQtransactionStatus(work->connection) != PQTRANS_INTRANS) {
        fprintf(stderr, "%s: ends the transaction itself; take its COMMIT or ROLLBACK out\n",
                file->path);
        good = false;
    }
    PQclear(result);
    if (good) {
        result =
            database_query(work->connection,
                           "insert into onekey.migration as m (name, checksum) values ($1, $2)"
                           " on conflict (name) do update set checksum = excluded.checksum,"
                           " applied_at = excluded.applied_at, applied_by = excluded.applied_by",
                           2, parameters);
        good = result != NULL;
        PQclear(result);
    }
    good = database_run(work->connection, good ? "commit" : "rollback") && good;
    if (good)
        printf("applied %s\n", key_of(file));
    work->done += good;
    return good;
}

static bool apply_files(struct work *work, const struct sql_files *files, bool again)
{
    for (int i = 0; i < files->count; i++) {
        enum state state;
        if (!find_state(work, &files->files[i], &state))
            return false;
        if ((state != STATE_APPLIED || again) && !apply(work, &files->files[i]))
            return false;
    }
    return true;
}

static int migrate(struct work *work)
{
    bool good =
        database_run(work->connection, "select pg_advisory_lock(hashtext('onekey.migration'))") &&
        read_applied(work) && check_names(&work->migrations) && check_history(work) &&
        apply_files(work, &work->migrations, false) &&
        apply_files(work, &work->functions, work->again);
    if (good && work->done == 0)
        printf("nothing to do: the schema is up to date\n");
    return good ? EXIT_OK : EXIT_FAILED;
}

static bool print_states(struct work *work, const struct sql_files *files, bool *is_current)
{
    static const char *const words[] = {
        [STATE_APPLIED] = "applied",
        [STATE_PENDING] = "pending",
        [STATE_CHANGED] = "changed",
        [STATE_LATE] = "too late",
    };
    for (int i = 0; i < files->count; i++) {
        const char *key = key_of(&files->files[i]);
        int row = find_row(work, key);
        enum state state;
        if (!find_state(work, &files->files[i], &state))
            return false;
        printf("%-8s  %-16s  %s\n", words[state], row < 0 ? "" : PQgetvalue(work->applied, row, 2),
               key);
        *is_current = *is_current && state == STATE_APPLIED;
    }
    return true;
}

static int print_status(struct work *work)
{
    bool is_current = true;
    if (!read_applied(work) || !print_states(work, &work->migrations, &is_current) ||
        !print_states(work, &work->functions, &is_current))
        return EXIT_FAILED;
    return is_current ? EXIT_OK : EXIT_FAILED;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: onekeyctl [--conninfo CONNINFO] db migrate [--directory DIR] [--again]\n"
            "       onekeyctl [--conninfo CONNINFO] db status [--directory DIR]\n");
    return EXIT_USAGE;
}

static bool is_one_of(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

int migrate_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {{"directory", required_argument, NULL, 'd'},
                                            {"again", no_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    char directory[SQL_PATH_SIZE] = "";
    struct work work = {.again = false};
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'd')
            snprintf(directory, sizeof(directory), "%s", optarg);
        else if (option == 'a')
            work.again = true;
        else
            return usage();
    }
    if (argc != optind + 1 || !is_one_of(argv[optind], "migrate", "status"))
        return usage();
    if (directory[0] == '\0' && !sql_files_find_directory(directory))
        return EXIT_FAILED;
    int status = EXIT_FAILED;
    bool is_read = sql_files_read(&work.migrations, directory, "migrations") &&
                   sql_files_read(&work.functions, directory, "functions");
    if (is_read && (work.connection = database_connect(invocation)) != NULL) {
        PGresult *result = PQexec(work.connection, bookkeeping);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            database_complain(work.connection, result, NULL, bookkeeping);
        else
            status = strcmp(argv[optind], "status") == 0 ? print_status(&work) : migrate(&work);
        PQclear(result);
    }
    PQclear(work.applied);
    PQfinish(work.connection);
    sql_files_fini(&work.migrations);
    sql_files_fini(&work.functions);
    return status;
}
