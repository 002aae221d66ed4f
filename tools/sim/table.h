/*
 * A CSV file with a header line, plain or gzipped, read line by line. Simple CSV: no field contains
 * a comma, a quote or a line break (true of readings and devices; a quote is an error that is told).
 */
#ifndef ONEKEY_SIM_TABLE_H
#define ONEKEY_SIM_TABLE_H

#include <stdbool.h>

#define TABLE_COLUMNS_MAX 16
#define TABLE_LINE_MAX 1024

struct table {
    void *file;
    const char *path;
    long line; /* number of the line last read */
    int columns[TABLE_COLUMNS_MAX];
    const char *fields[TABLE_COLUMNS_MAX]; /* of the line last read, in the wanted order */
    char text[TABLE_LINE_MAX];
};

/* Opens `path` and finds the `wanted` columns (NULL-terminated) in its header, in any order. False,
 * with a sentence on stderr, if that fails; then there is nothing to close. */
bool table_open(struct table *table, const char *path, const char *const *wanted);
/* The next line into table->fields, lent until the next call; false at the end. Missing fields are
 * empty. */
bool table_next(struct table *table);
/* False, with a sentence on stderr, if reading ended for another reason than the file's end. */
bool table_close(struct table *table);

#endif
