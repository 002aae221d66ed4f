#include "tools/common/database.h"
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head_sql[] =
    "select json_build_object('district', $1::text, 'zone', onekey.zone($1), 'from', $2::text,"
    " 'until', $3::text, 'area', (select a.name_zh from onekey.v_area a where a.district = $1"
    " and a.id = $4::bigint), 'made_at', to_char(now(), 'YYYY-MM-DD HH24:MI:SS'),"
    " 'definitions', onekey.definitions_version(),"
    " 'tickets', (select sum((m ->> 'tickets')::bigint)"
    "   from onekey.read_measure('tickets', $1, $2::date, $3::date, $4::bigint) m))";

/* Shown on a terminal only: how far it is, on one line. */
static void tell(const struct request *request, const char *what, size_t done, size_t of)
{
    if (request->has_progress)
        fprintf(stderr, "\r\033[K%s", what);
    if (request->has_progress && of > 0)
        fprintf(stderr, " %zu/%zu", done, of);
    if (request->has_progress && what[0] == '\0')
        fprintf(stderr, "\r");
}

/* The only JSON value that a statement gives. */
static json_t *query_json(PGconn *connection, const char *sql, int count,
                          const char *const *parameters)
{
    PGresult *result = database_query(connection, sql, count, parameters);
    json_t *value = result == NULL || PQntuples(result) == 0
                        ? NULL
                        : json_loads(PQgetvalue(result, 0, 0), JSON_DECODE_ANY, NULL);
    PQclear(result);
    return value;
}

static bool use_zone(PGconn *connection, const char *district)
{
    const char *parameters[] = {district};
    PGresult *result =
        database_query(connection, "select set_config('TimeZone', onekey.zone($1), false)",
                       ARRAY_SIZE(parameters), parameters);
    PQclear(result);
    return result != NULL;
}

/* The id of the area of that code as text; false, and said, if there is none. */
static bool find_area(PGconn *connection, const struct request *request, char id[24])
{
    const char *parameters[] = {request->district, request->area};
    PGresult *result = database_query(
        connection, "select v.id from onekey.v_area v where v.district = $1 and v.code = $2",
        ARRAY_SIZE(parameters), parameters);
    bool found = result != NULL && PQntuples(result) == 1;
    if (found)
        snprintf(id, 24, "%s", PQgetvalue(result, 0, 0));
    else if (result != NULL)
        fprintf(stderr, "onekey-report: district %s has no area %s\n", request->district,
                request->area);
    PQclear(result);
    return found;
}

/* Closed days are summarised before they are read, some at a time so that progress can be told. */
static bool roll_up(PGconn *connection, const struct request *request)
{
    const char *parameters[] = {request->district};
    size_t days = 0;
    int batch;

    do {
        PGresult *result = database_query(connection, "select day from onekey.roll_up_days($1, 31)",
                                          ARRAY_SIZE(parameters), parameters);
        if (result == NULL)
            return false;
        batch = PQntuples(result);
        days += (size_t)batch;
        if (batch > 0 && request->has_progress)
            fprintf(stderr, "\r\033[Ksummarising closed days: %s",
                    PQgetvalue(result, batch - 1, 0));
        PQclear(result);
    } while (batch == 31 && days < 40000);
    return true;
}

static json_t *load_rows(PGconn *connection, const char *const parameters[5])
{
    PGresult *result = database_query(
        connection, "select m from onekey.read_measure($1, $2, $3::date, $4::date, $5::bigint) m",
        5, parameters);
    json_t *rows = result == NULL ? NULL : json_array();
    for (int row = 0; row < PQntuples(result); row++)
        json_array_append_new(rows, json_loads(PQgetvalue(result, row, 0), 0, NULL));
    PQclear(result);
    return rows;
}

static bool load_measure(PGconn *connection, const struct request *request, json_t *measure,
                         const char *area)
{
    const char *name = json_string_value(json_object_get(measure, "name"));
    const char *now[] = {name, request->district, request->from, request->until, area};
    const char *then[] = {name, request->district, request->previous_from, request->from, area};
    json_t *rows = load_rows(connection, now);

    if (rows == NULL)
        return false;
    json_object_set_new(measure, "rows", rows);
    if (!request->compares)
        return true;
    rows = load_rows(connection, then);
    json_object_set_new(measure, "previous", rows);
    return rows != NULL;
}

static bool is_wanted(const struct request *request, const json_t *measure)
{
    const char *name = json_string_value(json_object_get(measure, "name"));

    for (int i = 0; i < request->measure_count; i++)
        if (strcmp(request->measures[i], name) == 0)
            return true;
    return request->measure_count == 0 && !json_is_true(json_object_get(measure, "on_demand"));
}

/* False, and said, if a measure was asked for that is not in the catalog. */
static bool knows_all(const struct request *request, const json_t *catalog)
{
    for (int i = 0; i < request->measure_count; i++) {
        json_t *measure;
        size_t index;
        bool found = false;
        json_array_foreach(catalog, index, measure) found |=
            strcmp(json_string_value(json_object_get(measure, "name")), request->measures[i]) == 0;
        if (found)
            continue;
        fprintf(stderr, "onekey-report: there is no measure %s; there are:", request->measures[i]);
        json_array_foreach(catalog, index, measure)
            fprintf(stderr, " %s", json_string_value(json_object_get(measure, "name")));
        fprintf(stderr, "\n");
        return false;
    }
    return true;
}

/* The catalog without what is not wanted. */
static json_t *load_catalog(PGconn *connection, const struct request *request)
{
    const char *parameters[] = {request->district, request->is_chinese ? "zh" : "en"};
    json_t *catalog = query_json(connection, "select onekey.report_catalog($1, $2)",
                                 ARRAY_SIZE(parameters), parameters);

    if (catalog == NULL || !knows_all(request, catalog)) {
        json_decref(catalog);
        return NULL;
    }
    for (size_t i = json_array_size(catalog); i-- > 0;)
        if (!is_wanted(request, json_array_get(catalog, i)))
            json_array_remove(catalog, i);
    return catalog;
}

static json_t *load(PGconn *connection, const struct request *request)
{
    char area[24];
    const char *area_id = request->area == NULL ? NULL : area;
    const char *parameters[] = {request->district, request->from, request->until, area_id};
    json_t *report, *measures, *measure;
    size_t index;

    if (!use_zone(connection, request->district) ||
        (request->area != NULL && !find_area(connection, request, area)))
        return NULL;
    measures = load_catalog(connection, request);
    report = measures == NULL || !roll_up(connection, request)
                 ? NULL
                 : query_json(connection, head_sql, ARRAY_SIZE(parameters), parameters);
    json_array_foreach(measures, index, measure)
    {
        tell(request, json_string_value(json_object_get(measure, "name")), index + 1,
             json_array_size(measures));
        if (report != NULL && !load_measure(connection, request, measure, area_id)) {
            json_decref(report);
            report = NULL;
        }
    }
    tell(request, "", 0, 0);
    if (report == NULL) {
        json_decref(measures);
        return NULL;
    }
    json_object_set_new(report, "version", json_string(ONEKEY_VERSION));
    json_object_set_new(report, "measures", measures);
    return report;
}

/* The district of a database that has only one need not be named. */
static bool find_district(PGconn *connection, struct request *request)
{
    if (request->district[0] != '\0')
        return true;
    PGresult *result = database_query(
        connection, "select distinct v.district from onekey.v_area v order by 1", 0, NULL);
    bool found = result != NULL && PQntuples(result) == 1;
    if (found)
        snprintf(request->district, sizeof(request->district), "%s", PQgetvalue(result, 0, 0));
    else if (result != NULL)
        fprintf(stderr, "onekey-report: the database has %d districts: name one by --district\n",
                PQntuples(result));
    PQclear(result);
    return found;
}

json_t *load_report(const struct request *request)
{
    struct request found = *request;
    PGconn *connection = database_connect(&request->database);
    json_t *report = NULL;

    if (connection != NULL && find_district(connection, &found))
        report = load(connection, &found);
    PQfinish(connection);
    return report;
}
