#include "db/rows.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

int rows_count(const struct pg_result *rows)
{
    return PQntuples(rows);
}

bool rows_is_null(const struct pg_result *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) != 0;
}

const char *rows_text(const struct pg_result *rows, int row, int column)
{
    return PQgetvalue(rows, row, column);
}

size_t rows_size(const struct pg_result *rows, int row, int column)
{
    return (size_t)PQgetlength(rows, row, column);
}

int64_t rows_int64(const struct pg_result *rows, int row, int column)
{
    return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

bool rows_bool(const struct pg_result *rows, int row, int column)
{
    return PQgetvalue(rows, row, column)[0] == 't';
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

size_t rows_bytes(const struct pg_result *rows, int row, int column, uint8_t *out, size_t limit)
{
    const char *text = PQgetvalue(rows, row, column);
    size_t size = 0;

    /* The server writes \x and pairs of hex digits (bytea_output is set at connect). */
    if (text[0] != '\\' || text[1] != 'x')
        return 0;
    for (text += 2; text[0] && text[1] && size < limit; text += 2)
        out[size++] = (uint8_t)(hex_value(text[0]) << 4 | hex_value(text[1]));
    return size;
}
