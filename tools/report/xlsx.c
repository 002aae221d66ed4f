/* A workbook: a sheet that says what it is, one for each measure with a chart, and the definitions. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#define SHEET_NAME_MAX 31 /* characters, as spreadsheet programs demand */
#define TITLE_ROW 0
#define HEAD_ROW 2
#define SERIES_MAX 4
#define BARS_MAX 30

enum style { PLAIN, BOLD, HEAD, WRAP, NUMBER, PERCENT, DECIMAL, DAY, TIME, LATE, STYLE_COUNT };

struct book {
    lxw_workbook *workbook;
    lxw_format *styles[STYLE_COUNT];
    const json_t *report;
    const struct request *request;
};

static void make_styles(struct book *book)
{
    static const char *const number_formats[STYLE_COUNT] = {[NUMBER] = "#,##0",
                                                            [PERCENT] = "0.00%",
                                                            [DECIMAL] = "#,##0.0#",
                                                            [DAY] = "yyyy-mm-dd",
                                                            [TIME] = "yyyy-mm-dd hh:mm:ss"};

    for (int i = 0; i < STYLE_COUNT; i++) {
        book->styles[i] = workbook_add_format(book->workbook);
        if (number_formats[i] != NULL)
            format_set_num_format(book->styles[i], number_formats[i]);
        if (i == BOLD || i == HEAD)
            format_set_bold(book->styles[i]);
    }
    format_set_bg_color(book->styles[HEAD], 0xE8EDF2);
    format_set_bottom(book->styles[HEAD], LXW_BORDER_THIN);
    format_set_text_wrap(book->styles[HEAD]);
    format_set_text_wrap(book->styles[WRAP]);
    format_set_align(book->styles[WRAP], LXW_ALIGN_VERTICAL_TOP);
    format_set_font_color(book->styles[LATE], 0xA80000);
}

/* "2026-10-01" or "2026-10-01T08:30:00.5+08:00": what the clock on the wall showed. */
static bool parse_time(const char *text, lxw_datetime *time)
{
    int count;

    memset(time, 0, sizeof(*time));
    count = sscanf(text, "%d-%d-%dT%d:%d:%lf", &time->year, &time->month, &time->day, &time->hour,
                   &time->min, &time->sec);
    return count == 3 || count == 6;
}

static enum style style_of(const char *unit)
{
    static const struct {
        const char *unit;
        enum style style;
    } known[] = {{"number", NUMBER}, {"percent", PERCENT}, {"seconds", DECIMAL}, {"hours", DECIMAL},
                 {"ticket", PLAIN},  {"day", DAY},         {"time", TIME}};

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i].unit, unit) == 0)
            return known[i].style;
    return PLAIN;
}

/* A cell of its type, so that a spreadsheet can count with it; nothing for null. */
static void write_cell(const struct book *book, lxw_worksheet *sheet, const lxw_row_t row,
                       const lxw_col_t at, const json_t *column, const json_t *value)
{
    enum style style = style_of(text_member(column, "unit"));
    lxw_datetime time;

    if (json_is_number(value) && style != DAY && style != TIME) {
        double number = json_number_value(value);
        bool is_whole = style == NUMBER && number != (double)(long long)number;
        worksheet_write_number(sheet, row, at, style == PERCENT ? number / 100 : number,
                               book->styles[is_whole ? DECIMAL : style]);
    } else if ((style == DAY || style == TIME) && json_is_string(value) &&
               parse_time(json_string_value(value), &time)) {
        worksheet_write_datetime(sheet, row, at, &time, book->styles[style]);
    } else if (!json_is_null(value)) {
        char *text = text_value(column, value);
        worksheet_write_string(sheet, row, at, text, NULL);
        free(text);
    }
}

/* Titles of sheets hold no []:*?/\ and at most 31 characters, of one to four bytes. */
static void sheet_name(const char *title, char out[SHEET_NAME_MAX * 4 + 1])
{
    size_t size = 0;

    for (int count = 0; *title != '\0';) {
        bool begins = ((unsigned char)*title & 0xc0) != 0x80;
        if (begins && count++ == SHEET_NAME_MAX)
            break;
        out[size++] = strchr("[]:*?/\\'", *title) != NULL ? ' ' : *title;
        title++;
    }
    out[size] = '\0';
}

static lxw_row_t write_rows(const struct book *book, lxw_worksheet *sheet, const json_t *measure,
                            const char *which, lxw_row_t row)
{
    const json_t *columns = json_object_get(measure, "columns");
    lxw_datetime from;
    json_t *line, *column;
    size_t index, at;

    (void)parse_time(
        strcmp(which, "rows") == 0 ? book->request->from : book->request->previous_from, &from);
    json_array_foreach(json_object_get(measure, which), index, line)
    {
        worksheet_write_datetime(sheet, row, 0, &from, book->styles[DAY]);
        json_array_foreach(columns, at, column)
            write_cell(book, sheet, row, (lxw_col_t)(at + 1), column,
                       json_object_get(line, text_member(column, "name")));
        row++;
    }
    return row;
}

static void write_head(const struct book *book, lxw_worksheet *sheet, const json_t *measure)
{
    json_t *column;
    size_t at;

    worksheet_write_string(sheet, TITLE_ROW, 0, text_member(measure, "title"), book->styles[BOLD]);
    worksheet_write_string(sheet, TITLE_ROW + 1, 0, text_member(measure, "definition"), NULL);
    worksheet_write_string(sheet, HEAD_ROW, 0, book->request->is_chinese ? "起始日" : "From",
                           book->styles[HEAD]);
    json_array_foreach(json_object_get(measure, "columns"), at, column) worksheet_write_string(
        sheet, HEAD_ROW, (lxw_col_t)(at + 1), text_member(column, "title"), book->styles[HEAD]);
    worksheet_set_column(sheet, 0, (lxw_col_t)at, 13, NULL);
    worksheet_freeze_panes(sheet, HEAD_ROW + 1, 0);
}

/* Marks what misses its target: a time is not to pass it, all else is to reach it. */
static void mark_targets(const struct book *book, lxw_worksheet *sheet, const json_t *measure,
                         lxw_row_t end)
{
    json_t *column;
    size_t at;

    json_array_foreach(json_object_get(measure, "columns"), at, column)
    {
        const json_t *target = json_object_get(json_object_get(column, "target"), "value");
        enum style style = style_of(text_member(column, "unit"));
        bool is_percent = style == PERCENT, is_time = style == DECIMAL;
        if (target == NULL)
            continue;
        lxw_conditional_format late = {.type = LXW_CONDITIONAL_TYPE_CELL,
                                       .criteria = is_time ? LXW_CONDITIONAL_CRITERIA_GREATER_THAN
                                                           : LXW_CONDITIONAL_CRITERIA_LESS_THAN,
                                       .value = json_number_value(target) / (is_percent ? 100 : 1),
                                       .format = book->styles[LATE]};
        worksheet_conditional_format_range(sheet, HEAD_ROW + 1, (lxw_col_t)(at + 1), end - 1,
                                           (lxw_col_t)(at + 1), &late);
    }
}

static bool is_drawn(const json_t *column, const char *chart)
{
    const char *unit = text_member(column, "unit");
    bool is_time = strcmp(unit, "seconds") == 0 || strcmp(unit, "percent") == 0;

    if (json_is_true(json_object_get(column, "is_label")))
        return false;
    if (strcmp(chart, "line") == 0)
        return strcmp(unit, "seconds") == 0;
    return strcmp(chart, "steps") == 0 ? is_time : strcmp(unit, "number") == 0;
}

/* The chart beside the rows: its first label against its first columns that go together. */
static void draw(const struct book *book, lxw_worksheet *sheet, const json_t *measure,
                 const char *name, size_t row_count)
{
    const char *kind = text_member(measure, "chart");
    bool is_bars = strcmp(kind, "bars") == 0;
    lxw_row_t last = HEAD_ROW + (lxw_row_t)(is_bars && row_count > BARS_MAX ? BARS_MAX : row_count);
    lxw_chart *chart = workbook_add_chart(book->workbook, is_bars ? LXW_CHART_BAR : LXW_CHART_LINE);
    json_t *column;
    size_t at;
    int series_count = 0;

    json_array_foreach(json_object_get(measure, "columns"), at, column)
    {
        lxw_col_t col = (lxw_col_t)(at + 1);
        if (!is_drawn(column, kind) || series_count == (is_bars ? 1 : SERIES_MAX))
            continue;
        lxw_chart_series *series = chart_add_series(chart, NULL, NULL);
        chart_series_set_categories(series, name, HEAD_ROW + 1, 1, last, 1);
        chart_series_set_values(series, name, HEAD_ROW + 1, col, last, col);
        chart_series_set_name(series, text_member(column, "title"));
        series_count++;
    }
    chart_title_set_name(chart, text_member(measure, "title"));
    worksheet_insert_chart(sheet, HEAD_ROW, (lxw_col_t)(at + 2), chart);
}

static void shade(lxw_worksheet *sheet, const json_t *measure, lxw_row_t end)
{
    lxw_col_t last = (lxw_col_t)json_array_size(json_object_get(measure, "columns"));
    lxw_conditional_format colours = {
        .type = LXW_CONDITIONAL_2_COLOR_SCALE, .min_color = 0xFFFFFF, .max_color = 0xE08A3C};

    worksheet_conditional_format_range(sheet, HEAD_ROW + 1, 3, end - 1, last, &colours);
}

static void write_measure(const struct book *book, const json_t *measure)
{
    char name[SHEET_NAME_MAX * 4 + 1];
    const char *kind = text_member(measure, "chart");
    size_t count = json_array_size(json_object_get(measure, "rows"));
    lxw_worksheet *sheet;
    lxw_row_t end;

    sheet_name(text_member(measure, "title"), name);
    sheet = workbook_add_worksheet(book->workbook, name);
    write_head(book, sheet, measure);
    end = write_rows(book, sheet, measure, "rows", HEAD_ROW + 1);
    end = write_rows(book, sheet, measure, "previous", end);
    if (count == 0) {
        worksheet_write_string(sheet, HEAD_ROW + 1, 0, book->request->is_chinese ? "无" : "none",
                               NULL);
        return;
    }
    worksheet_autofilter(sheet, HEAD_ROW, 0, end - 1,
                         (lxw_col_t)json_array_size(json_object_get(measure, "columns")));
    mark_targets(book, sheet, measure, end);
    if (strcmp(kind, "heat_map") == 0)
        shade(sheet, measure, end);
    else if (strcmp(kind, "none") != 0)
        draw(book, sheet, measure, name, count);
}

static void write_cover(const struct book *book)
{
    bool is_chinese = book->request->is_chinese;
    lxw_worksheet *sheet = workbook_add_worksheet(book->workbook, is_chinese ? "说明" : "About");
    json_t *header = text_header(book->report, is_chinese), *pair, *measure;
    size_t index, row = 0;

    worksheet_set_column(sheet, 0, 0, 24, NULL);
    worksheet_set_column(sheet, 1, 1, 100, NULL);
    json_array_foreach(header, index, pair)
    {
        worksheet_write_string(sheet, (lxw_row_t)row, 0, json_string_value(json_array_get(pair, 0)),
                               book->styles[BOLD]);
        worksheet_write_string(sheet, (lxw_row_t)row++, 1,
                               json_string_value(json_array_get(pair, 1)), NULL);
    }
    json_decref(header);
    row++;
    json_array_foreach(json_object_get(book->report, "measures"), index, measure)
    {
        worksheet_write_string(sheet, (lxw_row_t)row, 0, text_member(measure, "title"),
                               book->styles[BOLD]);
        worksheet_write_string(sheet, (lxw_row_t)row++, 1, text_member(measure, "definition"),
                               book->styles[WRAP]);
    }
}

bool xlsx_write(const json_t *report, const struct request *request, const char *path)
{
    struct book book = {.workbook = workbook_new(path), .report = report, .request = request};
    json_t *measure;
    size_t index;
    lxw_error error;

    if (book.workbook == NULL)
        return fprintf(stderr, "onekey-report: no memory for a workbook\n"), false;
    make_styles(&book);
    write_cover(&book);
    json_array_foreach(json_object_get(report, "measures"), index, measure)
        write_measure(&book, measure);
    error = workbook_close(book.workbook);
    if (error != LXW_NO_ERROR)
        fprintf(stderr, "onekey-report: %s: %s\n", path, lxw_strerror(error));
    return error == LXW_NO_ERROR;
}
