/* For a terminal: the figures as tables, and what they mean. */
#include "tools/common/columns.h"
#include "tools/report/report.h"

#include <stdlib.h>

/* One row under the titles of its columns, what people read. */
static json_t *titled(const json_t *measure, const json_t *row)
{
    json_t *out = json_object(), *column;
    size_t index;

    json_array_foreach(json_object_get(measure, "columns"), index, column)
    {
        char *text = text_value(column, json_object_get(row, text_member(column, "name")));
        json_object_set_new(out, text_member(column, "title"), json_string(text));
        free(text);
    }
    return out;
}

static void print_header(const json_t *report, const struct request *request, FILE *out)
{
    json_t *header = text_header(report, request->is_chinese), *pair;
    size_t index;

    json_array_foreach(header, index, pair)
        fprintf(out, "%s: %s\n", json_string_value(json_array_get(pair, 0)),
                json_string_value(json_array_get(pair, 1)));
    json_decref(header);
}

static void print_rows(const json_t *measure, const char *which, FILE *out)
{
    static struct columns columns;
    json_t *row;
    size_t index;

    columns_start(&columns, out);
    json_array_foreach(json_object_get(measure, which), index, row)
        columns_add(&columns, titled(measure, row));
    columns_finish(&columns);
}

bool table_write(const json_t *report, const struct request *request, FILE *out)
{
    json_t *measure;
    size_t index;

    print_header(report, request, out);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
    {
        fprintf(out, "\n== %s (%s)\n", text_member(measure, "title"), text_member(measure, "name"));
        if (json_array_size(json_object_get(measure, "rows")) == 0)
            fprintf(out, "%s\n", request->is_chinese ? "无" : "none");
        print_rows(measure, "rows", out);
        if (json_object_get(measure, "previous") == NULL)
            continue;
        fprintf(out, "-- %s %s\n", request->is_chinese ? "上期，自" : "previous, from",
                request->previous_from);
        print_rows(measure, "previous", out);
    }
    return fflush(out) == 0;
}

bool table_write_definitions(const json_t *report, const struct request *request, FILE *out)
{
    json_t *measure, *column;
    size_t index, inner;

    print_header(report, request, out);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
    {
        fprintf(out, "\n%s (%s)\n  %s\n  [%s]\n", text_member(measure, "title"),
                text_member(measure, "name"), text_member(measure, "definition"),
                text_member(measure, "source"));
        json_array_foreach(json_object_get(measure, "columns"), inner, column)
        {
            const json_t *target = json_object_get(column, "target");
            if (json_is_object(target))
                fprintf(out, "  %s: %s %g (%s)\n", text_member(column, "title"),
                        request->is_chinese ? "目标" : "target",
                        json_number_value(json_object_get(target, "value")),
                        text_member(target, "source"));
        }
    }
    return fflush(out) == 0;
}
