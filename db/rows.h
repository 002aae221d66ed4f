/*
 * What a query answered: a view over libpq's result for users that do not know libpq. Columns are
 * counted from 0 in the order of the SELECT. Everything is lent for the callback that got it.
 */
#ifndef ONEKEY_DB_ROWS_H
#define ONEKEY_DB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_result;

int rows_count(const struct pg_result *rows);
bool rows_is_null(const struct pg_result *rows, int row, int column);
/* "" for NULL. */
const char *rows_text(const struct pg_result *rows, int row, int column);
size_t rows_size(const struct pg_result *rows, int row, int column);
/* 0 for NULL and for what is no number. */
int64_t rows_int64(const struct pg_result *rows, int row, int column);
bool rows_bool(const struct pg_result *rows, int row, int column);
/* bytea into out: its size, at most `limit`; 0 for NULL. */
size_t rows_bytes(const struct pg_result *rows, int row, int column, uint8_t *out, size_t limit);

#endif
