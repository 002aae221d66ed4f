#include "tools/sim/table.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

static bool read_line(struct table *table)
{
    if (!gzgets(table->file, table->text, sizeof(table->text)))
        return false;
    table->line++;
    table->text[strcspn(table->text, "\r\n")] = '\0';
    return true;
}

static int find_column(const char *header, const char *wanted)
{
    size_t size = strlen(wanted);

    for (int index = 0;; index++) {
        size_t length = strcspn(header, ",");
        if (length == size && memcmp(header, wanted, size) == 0)
            return index;
        if (header[length] == '\0')
            return -1;
        header += length + 1;
    }
}

static bool find_columns(struct table *table, const char *const *wanted)
{
    if (!read_line(table)) {
        fprintf(stderr, "onekey-sim: %s is empty\n", table->path);
        return false;
    }
    for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
        table->columns[i] = -1;
    for (int i = 0; wanted[i]; i++) {
        table->columns[i] = find_column(table->text, wanted[i]);
        if (table->columns[i] < 0) {
            fprintf(stderr, "onekey-sim: %s:1: no column %s\n", table->path, wanted[i]);
            return false;
        }
    }
    return true;
}

bool table_open(struct table *table, const char *path, const char *const *wanted)
{
    table->file = gzopen(path, "rb");
    table->path = path;
    table->line = 0;
    if (!table->file) {
        fprintf(stderr, "onekey-sim: %s cannot be opened\n", path);
        return false;
    }
    if (find_columns(table, wanted))
        return true;
    gzclose(table->file);
    return false;
}

bool table_next(struct table *table)
{
    const char *found[TABLE_COLUMNS_MAX] = {0};
    char *rest = table->text;

    if (!read_line(table))
        return false;
    for (int index = 0; index < TABLE_COLUMNS_MAX && rest; index++)
        found[index] = strsep(&rest, ",");
    for (int i = 0; i < TABLE_COLUMNS_MAX; i++) {
        int column = table->columns[i];
        table->fields[i] = column >= 0 && found[column] ? found[column] : "";
    }
    return true;
}

bool table_close(struct table *table)
{
    int error = Z_OK;
    const char *text = gzerror(table->file, &error);
    bool is_whole = error == Z_OK || error == Z_STREAM_END;

    if (!is_whole)
        fprintf(stderr, "onekey-sim: %s:%ld: %s\n", table->path, table->line, text);
    gzclose(table->file);
    return is_whole;
}
