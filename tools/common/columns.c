#include "tools/common/columns.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define GAP 2

void columns_start(struct columns *columns, FILE *out)
{
    memset(columns, 0, sizeof(*columns));
    columns->out = out;
}

/* A value as people read it, in memory the caller frees. Control characters become '?'. */
static char *to_text(const json_t *value)
{
    char *text = json_is_string(value) ? strdup(json_string_value(value))
                 : json_is_null(value) ? strdup("-")
                                       : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        abort(); /* out of memory */
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
        if (*at < ' ' || *at == 0x7f)
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* U+0080 to U+009F */
            at[0] = at[1] = '?';
    }
    return text;
}

/* Columns of a terminal that a text takes; a Chinese character takes two. */
static size_t width_of(const char *text)
{
    wchar_t wide[256];
    size_t count = mbstowcs(wide, text, sizeof(wide) / sizeof(wide[0]));
    if (count == (size_t)-1 || count == sizeof(wide) / sizeof(wide[0]))
        return strlen(text);
    int width = wcswidth(wide, count);
    return width < 0 ? strlen(text) : (size_t)width;
}

static bool has_same_keys(const json_t *left, const json_t *right)
{
    void *a = json_object_iter((json_t *)left), *b = json_object_iter((json_t *)right);
    while (a != NULL && b != NULL &&
           strcmp(json_object_iter_key(a), json_object_iter_key(b)) == 0) {
        a = json_object_iter_next((json_t *)left, a);
        b = json_object_iter_next((json_t *)right, b);
    }
    return a == NULL && b == NULL;
}

static void widen(size_t *width, size_t needed)
{
    if (*width < needed)
        *width = needed;
}

static void measure(struct columns *columns)
{
    for (int i = 0; i < columns->row_count; i++) {
        const char *key;
        json_t *value;
        int column = 0;
        json_object_foreach(columns->rows[i], key, value)
        {
            if (column == COLUMNS_MAX)
                break;
            char *text = to_text(value);
            widen(&columns->widths[column], width_of(key));
            widen(&columns->widths[column], width_of(text));
            free(text);
            column++;
        }
    }
}

static void print_cell(struct columns *columns, int column, bool is_last, const char *text)
{
    size_t room = column < COLUMNS_MAX ? columns->widths[column] + GAP : GAP,
           taken = width_of(text);
    fprintf(columns->out, "%s%*s", text, is_last || taken >= room ? 0 : (int)(room - taken), "");
}

/* One line: the keys of a row, or its values. */
static void print_row(struct columns *columns, json_t *row, bool as_heading)
{
    const char *key;
    json_t *value;
    int column = 0, last = (int)json_object_size(row) - 1;
    json_object_foreach(row, key, value)
    {
        char *text = as_heading ? NULL : to_text(value);
        print_cell(columns, column, column == last, as_heading ? key : text);
        free(text);
        column++;
    }
    fputc('\n', columns->out);
}

/* One object alone reads better downwards. */
static void print_single(struct columns *columns)
{
    const char *key;
    json_t *value;
    size_t widest = 0;
    json_object_foreach(columns->rows[0], key, value) widen(&widest, strlen(key));
    json_object_foreach(columns->rows[0], key, value)
    {
        char *text = to_text(value);
        fprintf(columns->out, "%-*s  %s\n", (int)widest, key, text);
        free(text);
    }
}

static void print_held(struct columns *columns)
{
    if (columns->row_count == 1 && !columns->has_heading) {
        print_single(columns);
    } else {
        measure(columns);
        if (!columns->has_heading && columns->row_count > 0)
            print_row(columns, columns->rows[0], true);
        columns->has_heading = true;
        for (int i = 0; i < columns->row_count; i++)
            print_row(columns, columns->rows[i], false);
    }
}

static void drop_held(struct columns *columns)
{
    for (int i = 0; i < columns->row_count; i++)
        json_decref(columns->rows[i]);
    columns->row_count = 0;
}

void columns_add(struct columns *columns, json_t *row)
{
    if (columns->row_count > 0 && !has_same_keys(columns->rows[0], row)) {
        print_held(columns);
        drop_held(columns);
        fputc('\n', columns->out);
        columns->has_heading = false;
        memset(columns->widths, 0, sizeof(columns->widths));
    } else if (columns->row_count == COLUMNS_BATCH) {
        print_held(columns);
        drop_held(columns);
    }
    columns->rows[columns->row_count++] = row;
}

void columns_finish(struct columns *columns)
{
    if (columns->row_count > 0)
        print_held(columns);
    drop_held(columns);
}
