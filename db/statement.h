/*
 * The parameters of one SQL statement, built as text from C values: scalars, and arrays for the
 * functions that take a whole batch. The words of this folder never paste values into SQL.
 *
 * Between statement_array_begin and statement_array_end every put appends an element; outside it
 * adds a parameter. Whatever bytes a device sent, what leaves here is valid UTF-8 that PostgreSQL
 * reads back as the same value: a byte that is no UTF-8, and NUL, become the visible text \xHH.
 * A finished statement is reset and used again, so that a busy daemon allocates nothing.
 */
#ifndef ONEKEY_DB_STATEMENT_H
#define ONEKEY_DB_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEMENT_PARAMETERS_MAX 32

struct statement {
    char *text; /* all parameters, each ended by NUL */
    size_t size, capacity;
    size_t offsets[STATEMENT_PARAMETERS_MAX];
    bool nulls[STATEMENT_PARAMETERS_MAX];
    int count;
    bool in_array;
};

void statement_init(struct statement *statement);
void statement_fini(struct statement *statement);
/* No parameters again; the memory is kept. */
void statement_reset(struct statement *statement);

void statement_array_begin(struct statement *statement);
void statement_array_end(struct statement *statement);

void statement_null(struct statement *statement);
void statement_bool(struct statement *statement, bool value);
void statement_int64(struct statement *statement, int64_t value);
/* Any bytes, for text, json and everything else that has a text form. */
void statement_text(struct statement *statement, const char *text, size_t size);
/* A NUL-terminated string; NULL is SQL NULL. */
void statement_string(struct statement *statement, const char *text);
/* bytea; any bytes. */
void statement_bytes(struct statement *statement, const void *data, size_t size);
/* timestamptz from UTC microseconds since 1970; 0 is SQL NULL, and what lies outside the years
 * 1 to 9999 is moved to their edge. */
void statement_instant(struct statement *statement, int64_t at_us);

/* The text of parameter `index`, NULL if it is SQL NULL. Lent until the next put or reset. */
const char *statement_parameter(const struct statement *statement, int index);

#endif
