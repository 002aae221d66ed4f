/*
 * A report in memory, as it came from the database: one JSON object
 *
 *   {"district", "zone", "from", "until" (the day after the last), "area", "made_at", "definitions",
 *    "version", "tickets", "measures": [{"name", "title", "definition", "source", "chart",
 *      "columns": [{"name", "unit", "is_label", "title", "words", "target"}],
 *      "rows": [{...}], "previous": [{...}] or absent}]}
 *
 * Each writer turns it into one format. A value that is null stays empty: not reached, not known.
 */
#ifndef ONEKEY_REPORT_REPORT_H
#define ONEKEY_REPORT_REPORT_H

#include "daemon/base/attributes.h"
#include "tools/common/invocation.h"

#include <jansson.h>
#include <stdio.h>

#define MEASURES_MAX 64

/* What was asked for. Days are YYYY-MM-DD; `until` is the day after the last. */
struct request {
    struct invocation database;
    char district[40], from[11], until[11], previous_from[11];
    const char *area;                   /* code of an area; NULL: the whole district */
    const char *measures[MEASURES_MAX]; /* names; none: all but those on demand */
    int measure_count;
    bool compares, has_progress, is_chinese;
};

/* Asks the database for all of it. NULL, and said why on standard error, if it could not. The
 * caller's to release. */
json_t *load_report(const struct request *request) MUST_USE;
/* The text of that member; "" if it is none. Lent. */
const char *text_member(const json_t *object, const char *name);
/* A value as people read it, in their words; "" for null. The caller's to free. */
char *text_value(const json_t *column, const json_t *value) MUST_USE;
/* What is said about the whole report, as pairs of title and text: [[title, text], ...]. */
json_t *text_header(const json_t *report, bool is_chinese) MUST_USE;

/* Each writes the whole report; false, and said why, if it could not. */
bool table_write(const json_t *report, const struct request *request, FILE *out) MUST_USE;
bool csv_write(const json_t *report, const struct request *request, FILE *out) MUST_USE;
bool table_write_definitions(const json_t *report, const struct request *request,
                             FILE *out) MUST_USE;
/* XLSX goes to a file of its own. */
bool xlsx_write(const json_t *report, const struct request *request, const char *path) MUST_USE;

#endif
