/*
 * The floor of storing: floor_insert SECONDS inserts rows as a signal has them by one statement of 64
 * rows from arrays a transaction, two under way on one connection in pipeline mode. Prints rows a
 * second. The table bench.plain is the runner's.
 */
#include "tests/bench/bench.h"

#include <libpq-fe.h>
#include <string.h>

#define ROWS 64
#define UNDER_WAY 2
#define COLUMNS 6
#define ARRAY_SIZE (ROWS * 128)

static const char insert[] =
    "insert into bench.plain select 'bench', * from unnest($1::bigint[], $2::text[], $3::text[], "
    "$4::text[], $5::timestamptz[], $6::bytea[])";

static void require(PGconn *connection, bool is_good)
{
    if (!is_good) {
        fputs(PQerrorMessage(connection), stderr);
        exit(1);
    }
}

static void fill(char *array, const char *item, int64_t number)
{
    size_t at = 0;

    for (int i = 0; i < ROWS; i++)
        at += (size_t)snprintf(array + at, ARRAY_SIZE - at, "%c", i == 0 ? '{' : ','),
            at +=
            item ? (size_t)snprintf(array + at, ARRAY_SIZE - at, "\"%s\"", item)
                 : (size_t)snprintf(array + at, ARRAY_SIZE - at, "%lld", (long long)(number + i));
    snprintf(array + at, ARRAY_SIZE - at, "}");
}

static void submit(PGconn *connection, int64_t number)
{
    static char arrays[COLUMNS][ARRAY_SIZE];
    const char *parameters[COLUMNS];
    static const char *const items[COLUMNS] = {
        NULL,    "watch", "7000000000",
        "panic", "now",   "\\\\x5b33472a373030303030303030302a303033392a414c5d"};

    for (int i = 0; i < COLUMNS; i++) {
        if (items[i] == NULL || arrays[i][0] == '\0')
            fill(arrays[i], items[i], number);
        parameters[i] = arrays[i];
    }
    require(connection, PQsendQueryPrepared(connection, "s", COLUMNS, parameters, NULL, NULL, 0) &&
                            PQpipelineSync(connection) && PQflush(connection) == 0);
}

/* Waits for one statement: its result, the end of its results, and its sync. */
static void collect(PGconn *connection)
{
    PGresult *result = PQgetResult(connection);

    require(connection, PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
    require(connection, PQgetResult(connection) == NULL);
    result = PQgetResult(connection);
    require(connection, PQresultStatus(result) == PGRES_PIPELINE_SYNC);
    PQclear(result);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    PGconn *connection = PQconnectdb("");
    int64_t number, done = 0, start_us;
    int under_way = 0;

    require(connection, PQstatus(connection) == CONNECTION_OK);
    PGresult *result = PQexec(connection, "select coalesce(max(number), 0) + 1 from bench.plain");
    require(connection, PQresultStatus(result) == PGRES_TUPLES_OK);
    number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    result = PQprepare(connection, "s", insert, 0, NULL);
    require(connection, PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
    require(connection, PQenterPipelineMode(connection));
    start_us = now_us();
    while ((double)(now_us() - start_us) < seconds * 1e6) {
        for (; under_way < UNDER_WAY; under_way++, number += ROWS)
            submit(connection, number);
        collect(connection);
        under_way--;
        done += ROWS;
    }
    printf("rate=%.0f\n", (double)done / ((double)(now_us() - start_us) / 1e6));
    for (; under_way > 0; under_way--)
        collect(connection);
    PQfinish(connection);
    return 0;
}
