/*
 * CSV as RFC 4180 has it: fields by commas, records by CR LF or LF, quotes doubled within quotes, line
 * breaks allowed within quotes. A byte order mark is skipped, empty lines are too. Text must be
 * UTF-8 without control characters other than tab and, within quotes, line breaks.
 *
 * csv_next cuts the caller's text in place; fields point into it and stay valid as long as it does.
 */
#ifndef ONEKEY_ONEKEYCTL_CSV_H
#define ONEKEY_ONEKEYCTL_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 64

struct csv {
    char *at, *end;
    long line; /* of `at` */
};

struct csv_record {
    long line; /* on which it begins */
    int count;
    char *fields[CSV_FIELDS_MAX];
};

/* What is wrong with a record; it is skipped up to its end as far as that can be seen. */
struct csv_error {
    long line;
    int field; /* counted from 0, -1: the whole record */
    const char *problem, *remedy;
};

enum csv_result { CSV_RECORD, CSV_BAD, CSV_END };

/* `text` has room for one byte more than `size`. */
void csv_start(struct csv *csv, char *text, size_t size);
/* Fills `record`, or with CSV_BAD `error`. */
enum csv_result csv_next(struct csv *csv, struct csv_record *record, struct csv_error *error);

#endif
