/* What people read of a report: values in words, the header, the table, CSV, JSON, definitions. */
#include "tools/onekeyctl/columns.h"
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* spreadsheet programs take a CSV without it for no UTF-8 */

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static char *print_number(double value, const char *unit)
{
    char text[64];
    int digits = strcmp(unit, "seconds") == 0 || strcmp(unit, "hours") == 0 ? 1 : 2;

    if (value == (double)(long long)value)
        digits = 0;
    snprintf(text, sizeof(text), "%.*f", digits, value);
    return strdup(text);
}

char *report_text(const json_t *column, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        const char *word = member(json_object_get(column, "words"), json_string_value(value));
        text = strdup(word[0] != '\0' ? word : json_string_value(value));
    } else if (json_is_boolean(value)) {
        const char *code = json_is_true(value) ? "true" : "false";
        const char *word = member(json_object_get(column, "words"), code);
        text = strdup(word[0] != '\0' ? word : code);
    } else if (json_is_number(value)) {
        text = print_number(json_number_value(value), member(column, "unit"));
    } else {
        text = strdup("");
    }
    if (text == NULL)
        abort(); /* out of memory */
    return text;
}

json_t *report_header(const json_t *report, bool is_chinese)
{
    char window[64], tickets[32];
    const char *area = member(report, "area");

    snprintf(window, sizeof(window), "[%s 00:00, %s 00:00)", member(report, "from"),
             member(report, "until"));
    snprintf(tickets, sizeof(tickets), "%lld",
             (long long)json_integer_value(json_object_get(report, "tickets")));
    return json_pack("[[ss][ss][ss][ss][ss][ss][ss]]", is_chinese ? "区" : "District",
                     member(report, "district"), is_chinese ? "范围" : "Area",
                     area[0] != '\0' ? area
                     : is_chinese    ? "全区"
                                     : "all",
                     is_chinese ? "统计窗口" : "Window", window, is_chinese ? "时区" : "Time zone",
                     member(report, "zone"), is_chinese ? "工单数 n" : "Tickets n", tickets,
                     is_chinese ? "口径版本" : "Definitions", member(report, "definitions"),
                     is_chinese ? "生成时间" : "Made at", member(report, "made_at"));
}

/* One row under the titles of its columns, what people read. */
static json_t *titled(const json_t *measure, const json_t *row)
{
    json_t *out = json_object(), *column;
    size_t index;

    json_array_foreach(json_object_get(measure, "columns"), index, column)
    {
        char *text = report_text(column, json_object_get(row, member(column, "name")));
        json_object_set_new(out, member(column, "title"), json_string(text));
        free(text);
    }
    return out;
}

static void print_header(const json_t *report, const struct request *request, FILE *out)
{
    json_t *header = report_header(report, request->is_chinese), *pair;
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

bool write_table(const json_t *report, const struct request *request, FILE *out)
{
    json_t *measure;
    size_t index;

    print_header(report, request, out);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
    {
        fprintf(out, "\n== %s (%s)\n", member(measure, "title"), member(measure, "name"));
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

/* A field by RFC 4180. What a spreadsheet would take for a formula is made text. */
static void print_field(const char *text, bool is_last, FILE *out)
{
    bool is_formula = strchr("=+-@\t\r", text[0]) != NULL && text[0] != '\0' &&
                      !(text[0] == '-' && strspn(text + 1, "0123456789.") == strlen(text + 1));

    fputc('"', out);
    if (is_formula)
        fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputs(is_last ? "\"\r\n" : "\",", out);
}

static void print_csv_row(const json_t *measure, const json_t *row, const char *window, FILE *out)
{
    const json_t *columns = json_object_get(measure, "columns");
    json_t *column;
    size_t index;

    print_field(window, false, out);
    json_array_foreach(columns, index, column)
    {
        char *text = row == NULL
                         ? strdup(member(column, "title"))
                         : report_text(column, json_object_get(row, member(column, "name")));
        print_field(text, index + 1 == json_array_size(columns), out);
        free(text);
    }
}

static void print_csv_measure(const json_t *measure, const struct request *request, FILE *out)
{
    json_t *row;
    size_t index;

    print_field(member(measure, "name"), false, out);
    print_field(member(measure, "title"), true, out);
    print_csv_row(measure, NULL, request->is_chinese ? "起始日" : "From", out);
    json_array_foreach(json_object_get(measure, "rows"), index, row)
        print_csv_row(measure, row, request->from, out);
    json_array_foreach(json_object_get(measure, "previous"), index, row)
        print_csv_row(measure, row, request->previous_from, out);
    fputs("\r\n", out);
}

bool write_csv(const json_t *report, const struct request *request, FILE *out)
{
    json_t *header = report_header(report, request->is_chinese), *pair, *measure;
    size_t index;

    fputs(BYTE_ORDER_MARK, out);
    json_array_foreach(header, index, pair)
    {
        print_field(json_string_value(json_array_get(pair, 0)), false, out);
        print_field(json_string_value(json_array_get(pair, 1)), true, out);
    }
    json_decref(header);
    fputs("\r\n", out);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
        print_csv_measure(measure, request, out);
    return fflush(out) == 0;
}

bool write_json(const json_t *report, const struct request *request, FILE *out)
{
    (void)request;
    return json_dumpf(report, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF &&
           fflush(out) == 0;
}

bool write_definitions(const json_t *report, const struct request *request, FILE *out)
{
    json_t *measure, *column;
    size_t index, inner;

    print_header(report, request, out);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
    {
        fprintf(out, "\n%s (%s)\n  %s\n  [%s]\n", member(measure, "title"), member(measure, "name"),
                member(measure, "definition"), member(measure, "source"));
        json_array_foreach(json_object_get(measure, "columns"), inner, column)
        {
            const json_t *target = json_object_get(column, "target");
            if (json_is_object(target))
                fprintf(out, "  %s: %s %g (%s)\n", member(column, "title"),
                        request->is_chinese ? "目标" : "target",
                        json_number_value(json_object_get(target, "value")),
                        member(target, "source"));
        }
    }
    return fflush(out) == 0;
}
