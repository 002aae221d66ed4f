/* CSV by RFC 4180, in UTF-8 with a byte order mark. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* spreadsheet programs take a CSV without it for no UTF-8 */

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
                         ? strdup(text_member(column, "title"))
                         : text_value(column, json_object_get(row, text_member(column, "name")));
        print_field(text, index + 1 == json_array_size(columns), out);
        free(text);
    }
}

static void print_csv_measure(const json_t *measure, const struct request *request, FILE *out)
{
    json_t *row;
    size_t index;

    print_field(text_member(measure, "name"), false, out);
    print_field(text_member(measure, "title"), true, out);
    print_csv_row(measure, NULL, request->is_chinese ? "起始日" : "From", out);
    json_array_foreach(json_object_get(measure, "rows"), index, row)
        print_csv_row(measure, row, request->from, out);
    json_array_foreach(json_object_get(measure, "previous"), index, row)
        print_csv_row(measure, row, request->previous_from, out);
    fputs("\r\n", out);
}

bool csv_write(const json_t *report, const struct request *request, FILE *out)
{
    json_t *header = text_header(report, request->is_chinese), *pair, *measure;
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
