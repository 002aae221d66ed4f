/*
 * onekeyctl import: areas, households, contacts, absences and devices from CSV, all or nothing. This file reads
 * the CSV and hands its rows to the database as text, in a temporary table import_row; what the
 * values mean, and whether they fit together, is judged by db/functions/50_import.sql.
 */
#include "daemon/base/attributes.h"
#include "protocol/codec.h"
#include "tools/common/database.h"
#include "tools/onekeyctl/command.h"
#include "tools/onekeyctl/csv.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_LIMIT 16
#define ERRORS_SHOWN 100
#define SQL_SIZE 1024

static const struct {
    const char *kind;
    const char *columns[COLUMNS_LIMIT]; /* NULL-terminated */
    int optional;                       /* so many of the last may be left out of the file */
} kinds[] = {
    {"areas", {"code", "parent", "level", "name_zh", "name_en", NULL}, 0},
    {"households",
     {"code", "area", "address", "resident", "birth_year", "living_alone", "phone", "conditions",
      "notes", "lon", "lat", "silence_scheme", "silence_litres", "silence_hours", NULL},
     3},
    {"contacts",
     {"household", "order", "role", "name", "phone", "available_from", "available_until",
      "available_days", NULL},
     3},
    {"absences", {"household", "reason", "from", "until", "note", NULL}, 0},
    {"devices",
     {"protocol", "identity", "kind", "household", "report_interval_s", "secret", "supervision",
      "carrier", NULL},
     2},
};

struct import {
    const char *kind, *path;
    const char *const *columns;
    int optional;         /* the same */
    const char *district; /* NULL: the only one there is */
    bool dry_run;
    PGconn *connection;
    int positions[CSV_FIELDS_MAX]; /* of each field of the file in `columns` */
    int field_count;
    long row_count, error_count;
};

/* --- errors --- */

/* FILE:LINE: column NAME: "value" problem; remedy */
static void complain(struct import *import, long line, const char *column, const char *value,
                     const char *problem, const char *remedy)
{
    if (++import->error_count > ERRORS_SHOWN)
        return;
    fprintf(stderr, "%s:%ld: ", import->path, line);
    if (column != NULL && *column != '\0')
        fprintf(stderr, "column %s: ", column);
    if (value != NULL && *value != '\0')
        fprintf(stderr, "\"%s\" ", value);
    fprintf(stderr, "%s; %s\n", problem, remedy);
}

static void complain_record(struct import *import, const struct csv_error *error)
{
    const char *column = NULL;
    if (error->field >= 0 && error->field < import->field_count)
        column = import->columns[import->positions[error->field]];
    complain(import, error->line, column, NULL, error->problem, error->remedy);
}

/* --- the heading --- */

static int find_column(const char *const *columns, const char *name)
{
    for (int i = 0; columns[i] != NULL; i++)
        if (strcmp(columns[i], name) == 0)
            return i;
    return -1;
}

static void join_columns(const char *const *columns, char out[SQL_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; columns[i] != NULL; i++)
        used += (size_t)snprintf(out + used, SQL_SIZE - used, "%s%s", i > 0 ? "," : "", columns[i]);
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t", text[size - 1]) != NULL)
        size--;
    text[size] = '\0';
    return text;
}

static int count_columns(const char *const *columns)
{
    int count = 0;
    while (columns[count] != NULL)
        count++;
    return count;
}

/* Which field is which column: each exactly once, in any order; the optional ones may be missing. */
static void read_heading(struct import *import, const struct csv_record *record)
{
    char remedy[SQL_SIZE + 32], wanted[SQL_SIZE];
    bool seen[COLUMNS_LIMIT] = {false};
    join_columns(import->columns, wanted);
    snprintf(remedy, sizeof(remedy), "the columns are %s", wanted);
    for (int i = 0; i < record->count; i++) {
        const char *name = trim(record->fields[i]);
        int column = find_column(import->columns, name);
        if (column < 0)
            complain(import, record->line, NULL, name, "is no column of this file", remedy);
        else if (seen[column])
            complain(import, record->line, name, NULL, "stands there twice", "remove one");
        else
            seen[column] = true;
        import->positions[i] = column < 0 ? 0 : column;
    }
    import->field_count = record->count;
    for (int i = 0; i < count_columns(import->columns) - import->optional; i++)
        if (!seen[i])
            complain(import, record->line, import->columns[i], NULL, "is missing",
                     "add it; its values may be empty where nothing is known");
}

/* --- rows to the database --- */

static size_t escape(char *to, const char *value)
{
    char *start = to;
    if (*value == '\0')
        return memcpy(to, "\\N", 2), 2;
    for (; *value != '\0'; value++) {
        const char *special = strchr("\\\\\tt\nn\rr", *value);
        if (special != NULL && (special - "\\\\\tt\nn\rr") % 2 == 0) {
            *to++ = '\\';
            *to++ = special[1];
        } else {
            *to++ = *value;
        }
    }
    return (size_t)(to - start);
}

/* Sends one record as a line of COPY: its line number, then the columns in our order. */
static bool send_record(struct import *import, const struct csv_record *record)
{
    int count = count_columns(import->columns);
    char *values[COLUMNS_LIMIT], none[] = "";
    size_t room = 32 + 3 * COLUMNS_LIMIT;
    for (int i = 0; i < count; i++)
        values[i] = none;
    for (int i = 0; i < record->count; i++) {
        values[import->positions[i]] = trim(record->fields[i]);
        room += 2 * strlen(values[import->positions[i]]) + 3;
    }
    char *line = malloc(room);
    if (line == NULL)
        abort(); /* out of memory */
    size_t size = (size_t)snprintf(line, room, "%ld", record->line);
    for (int i = 0; i < count; i++) {
        line[size++] = '\t';
        size += escape(line + size, values[i]);
    }
    line[size++] = '\n';
    bool good = PQputCopyData(import->connection, line, (int)size) == 1;
    free(line);
    import->row_count++;
    return good;
}

static bool begin_rows(struct import *import)
{
    char sql[SQL_SIZE];
    size_t used =
        (size_t)snprintf(sql, sizeof(sql), "create temporary table import_row (line bigint");
    /* "order" is a word of SQL, so every name is quoted. */
    for (int i = 0; import->columns[i] != NULL; i++)
        used +=
            (size_t)snprintf(sql + used, sizeof(sql) - used, ", \"%s\" text", import->columns[i]);
    snprintf(sql + used, sizeof(sql) - used, ") on commit drop");
    return database_run(import->connection, "begin") && database_run(import->connection, sql) &&
           database_run(import->connection, "copy pg_temp.import_row from stdin");
}

static bool end_rows(struct import *import)
{
    if (PQputCopyEnd(import->connection, NULL) != 1)
        return false;
    bool good = true;
    for (PGresult *result; (result = PQgetResult(import->connection)) != NULL;) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            database_complain(import->connection, result, NULL, NULL);
            good = false;
        }
        PQclear(result);
    }
    return good;
}

/* All records of the file into import_row. False if the database fails; errors of the file are
 * counted. */
static bool send_file(struct import *import, struct csv *csv)
{
    struct csv_record record;
    struct csv_error error;
    enum csv_result result = csv_next(csv, &record, &error);
    if (result == CSV_END) {
        complain(import, 1, NULL, NULL, "the file is empty", "begin it with a heading");
        return true;
    }
    if (result == CSV_BAD) {
        complain_record(import, &error);
        return true;
    }
    read_heading(import, &record);
    if (import->error_count > 0)
        return true;
    if (!begin_rows(import))
        return false;
    while ((result = csv_next(csv, &record, &error)) != CSV_END) {
        if (result == CSV_BAD)
            complain_record(import, &error);
        else if (record.count != import->field_count)
            complain(import, record.line, NULL, NULL,
                     record.count < import->field_count ? "has fewer fields than the heading"
                                                        : "has more fields than the heading",
                     "put values that hold a comma into quotes");
        else if (!send_record(import, &record))
            return false;
    }
    return end_rows(import);
}

/* --- what the database says to them --- */

static long number_at(const PGresult *result, int row, int column)
{
    return strtol(PQgetvalue(result, row, column), NULL, 10);
}

static bool check_rows(struct import *import)
{
    char protocols[SQL_SIZE], limit[16];
    const char *parameters[] = {import->kind, import->district, protocols, limit};
    size_t used = 0;
    for (int i = 0; i < codec_count; i++)
        used += (size_t)snprintf(protocols + used, sizeof(protocols) - used, "%c%s",
                                 i > 0 ? ',' : '{', codecs[i]->name);
    snprintf(protocols + used, sizeof(protocols) - used, "}");
    snprintf(limit, sizeof(limit), "%d", ERRORS_SHOWN);
    PGresult *result = database_query(import->connection,
                                      "select line, column_name, value, problem, remedy, total"
                                      " from onekey.import_errors($1, $2, $3, $4)",
                                      ARRAY_SIZE(parameters), parameters);
    for (int row = 0; row < PQntuples(result); row++)
        complain(import, number_at(result, row, 0), PQgetvalue(result, row, 1),
                 PQgetvalue(result, row, 2), PQgetvalue(result, row, 3),
                 PQgetvalue(result, row, 4));
    if (PQntuples(result) > 0)
        import->error_count = number_at(result, 0, 5);
    PQclear(result);
    return result != NULL;
}

static bool apply_rows(struct import *import)
{
    const char *parameters[] = {import->kind, import->district};
    PGresult *result =
        database_query(import->connection, "select added, changed from onekey.import_apply($1, $2)",
                       ARRAY_SIZE(parameters), parameters);
    if (result == NULL ||
        !database_run(import->connection, import->dry_run ? "rollback" : "commit"))
        return PQclear(result), false;
    printf("%s: %ld %s: %s new, %s changed%s\n", import->path, import->row_count, import->kind,
           PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
           import->dry_run ? " (dry run: nothing was stored)" : "");
    PQclear(result);
    return true;
}

static bool import_text(struct import *import, char *text, size_t size)
{
    struct csv csv;
    csv_start(&csv, text, size);
    if (!send_file(import, &csv)) {
        if (PQstatus(import->connection) != CONNECTION_OK)
            fprintf(stderr, "onekeyctl: %s", PQerrorMessage(import->connection));
        return false;
    }
    if (import->error_count == 0 && !check_rows(import))
        return false;
    if (import->error_count == 0)
        return apply_rows(import);
    if (import->error_count > ERRORS_SHOWN)
        fprintf(stderr, "%s: and %ld more\n", import->path, import->error_count - ERRORS_SHOWN);
    fprintf(stderr, "%s: %ld error%s; nothing was imported\n", import->path, import->error_count,
            import->error_count == 1 ? "" : "s");
    return false;
}

/* The whole file and room for one byte more; NULL, and said why, if it cannot be read. */
static char *read_file(const char *path, size_t *size)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    size_t capacity = 1 << 16, used = 0, count;
    char *text = malloc(capacity);
    while (stream != NULL && text != NULL &&
           (count = fread(text + used, 1, capacity - used - 1, stream)) > 0) {
        used += count;
        if (used == capacity - 1)
            text = realloc(text, capacity *= 2);
    }
    if (text == NULL)
        abort(); /* out of memory */
    bool good = stream != NULL && !ferror(stream);
    if (!good)
        fprintf(stderr, "onekeyctl: cannot read %s: %s\n", path, strerror(errno));
    if (stream != NULL)
        fclose(stream);
    *size = used;
    if (good)
        return text;
    free(text);
    return NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: onekeyctl [--conninfo CONNINFO] import KIND FILE.csv [--district CODE] "
                    "[--dry-run]\n");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char columns[SQL_SIZE];
        join_columns(kinds[i].columns, columns);
        fprintf(stderr, "  %-10s  %s\n", kinds[i].kind, columns);
    }
    return EXIT_USAGE;
}

int import_command(const struct invocation *invocation, int argc, char **argv)
{
    static const struct option options[] = {{"district", required_argument, NULL, 'd'},
                                            {"dry-run", no_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    struct import import = {.kind = NULL};
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'd')
            import.district = optarg;
        else if (option == 'n')
            import.dry_run = true;
        else
            return usage();
    }
    for (size_t i = 0; argc == optind + 2 && i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(argv[optind], kinds[i].kind) == 0) {
            import.kind = kinds[i].kind;
            import.columns = kinds[i].columns;
            import.optional = kinds[i].optional;
        }
    }
    if (import.kind == NULL)
        return usage();
    import.path = argv[optind + 1];
    size_t size;
    char *text = read_file(import.path, &size);
    bool good = text != NULL && (import.connection = database_connect(invocation)) != NULL &&
                import_text(&import, text, size);
    PQfinish(import.connection);
    free(text);
    return good ? EXIT_OK : EXIT_FAILED;
}
