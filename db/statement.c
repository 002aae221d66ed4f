#include "db/statement.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS 1000000
#define YEAR_1_US INT64_C(-62135596800000000)    /* 0001-01-01 00:00:00 */
#define YEAR_9999_US INT64_C(253402300799999999) /* 9999-12-31 23:59:59.999999 */

static const char hex_digits[] = "0123456789abcdef";

void statement_init(struct statement *statement)
{
    *statement = (struct statement){.capacity = 0};
}

void statement_fini(struct statement *statement)
{
    free(statement->text);
    *statement = (struct statement){.capacity = 0};
}

void statement_reset(struct statement *statement)
{
    statement->size = 0;
    statement->count = 0;
    statement->in_array = false;
}

/* Room for `size` more bytes; gives the place where they go. */
static char *reserve(struct statement *statement, size_t size)
{
    if (statement->capacity - statement->size < size) {
        size_t capacity = statement->capacity ? statement->capacity : 1024;
        while (capacity - statement->size < size)
            capacity *= 2;
        statement->text = realloc(statement->text, capacity);
        if (!statement->text)
            abort(); /* out of memory: the supervisor starts us anew */
        statement->capacity = capacity;
    }
    return statement->text + statement->size;
}

static void append(struct statement *statement, const char *text, size_t size)
{
    memcpy(reserve(statement, size), text, size);
    statement->size += size;
}

static void append_char(struct statement *statement, char c)
{
    append(statement, &c, 1);
}

/* Starts a parameter, or the next element of the array that is open. */
static void begin_value(struct statement *statement)
{
    if (statement->in_array) {
        if (statement->text[statement->size - 1] != '{')
            append_char(statement, ',');
        return;
    }
    assert(statement->count < STATEMENT_PARAMETERS_MAX);
    statement->offsets[statement->count] = statement->size;
    statement->nulls[statement->count] = false;
    statement->count++;
}

static void end_value(struct statement *statement)
{
    if (!statement->in_array)
        append_char(statement, '\0');
}

/* A value whose text holds nothing that an array would read as its own. */
static void put_plain(struct statement *statement, const char *text, size_t size)
{
    begin_value(statement);
    append(statement, text, size);
    end_value(statement);
}

void statement_array_begin(struct statement *statement)
{
    assert(!statement->in_array);
    begin_value(statement);
    append_char(statement, '{');
    statement->in_array = true;
}

void statement_array_end(struct statement *statement)
{
    assert(statement->in_array);
    append_char(statement, '}');
    statement->in_array = false;
    end_value(statement);
}

void statement_null(struct statement *statement)
{
    begin_value(statement);
    if (statement->in_array)
        append(statement, "NULL", 4);
    else
        statement->nulls[statement->count - 1] = true;
}

void statement_bool(struct statement *statement, bool value)
{
    put_plain(statement, value ? "t" : "f", 1);
}

void statement_int64(struct statement *statement, int64_t value)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, value);

    put_plain(statement, text, (size_t)size);
}

/* Bytes of the well-formed UTF-8 sequence that starts here, 0 if none does: no overlong form, no
 * surrogate, nothing above U+10FFFF, no NUL; what PostgreSQL accepts. */
static size_t utf8_size(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t lead_from, lead_to, second_from, second_to, size;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t size = forms[i].size;
        if (at[0] < forms[i].lead_from || at[0] > forms[i].lead_to)
            continue;
        if (size > left)
            return 0;
        if (size > 1 && (at[1] < forms[i].second_from || at[1] > forms[i].second_to))
            return 0;
        for (size_t k = 2; k < size; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return size;
    }
    return 0;
}

/* Text as it stands, or inside the quotes of an array element. */
static void append_escaped(struct statement *statement, const uint8_t *at, size_t left)
{
    bool quoted = statement->in_array;

    while (left > 0) {
        size_t size = utf8_size(at, left);
        char *out = reserve(statement, 5);
        if (size == 0) {
            char visible[] = {'\\', '\\', 'x', hex_digits[at[0] >> 4], hex_digits[at[0] & 15]};
            append(statement, visible + !quoted, sizeof visible - !quoted);
            size = 1;
        } else if (size == 1) {
            if (quoted && (at[0] == '"' || at[0] == '\\'))
                *out++ = '\\';
            *out++ = (char)at[0];
            statement->size = (size_t)(out - statement->text);
        } else {
            append(statement, (const char *)at, size);
        }
        at += size;
        left -= size;
    }
}

void statement_text(struct statement *statement, const char *text, size_t size)
{
    begin_value(statement);
    if (statement->in_array)
        append_char(statement, '"');
    append_escaped(statement, (const uint8_t *)text, size);
    if (statement->in_array)
        append_char(statement, '"');
    end_value(statement);
}

void statement_string(struct statement *statement, const char *text)
{
    if (text)
        statement_text(statement, text, strlen(text));
    else
        statement_null(statement);
}

void statement_bytes(struct statement *statement, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    begin_value(statement);
    if (statement->in_array)
        append(statement, "\"\\\\x", 4);
    else
        append(statement, "\\x", 2);
    char *out = reserve(statement, 2 * size);
    for (size_t i = 0; i < size; i++) {
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    statement->size += 2 * size;
    if (statement->in_array)
        append_char(statement, '"');
    end_value(statement);
}

void statement_instant(struct statement *statement, int64_t at_us)
{
    char text[64];
    struct tm date;

    if (at_us == 0) {
        statement_null(statement);
        return;
    }
    if (at_us < YEAR_1_US)
        at_us = YEAR_1_US;
    if (at_us > YEAR_9999_US)
        at_us = YEAR_9999_US;
    time_t second = at_us / MICROSECONDS;
    int fraction = (int)(at_us % MICROSECONDS);
    if (fraction < 0) {
        fraction += MICROSECONDS;
        second--;
    }
    gmtime_r(&second, &date);
    int size =
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00", date.tm_year + 1900,
                 date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, fraction);
    /* As text, for its space needs quotes in an array. */
    statement_text(statement, text, (size_t)size);
}

const char *statement_parameter(const struct statement *statement, int index)
{
    assert(index >= 0 && index < statement->count && !statement->in_array);
    return statement->nulls[index] ? NULL : statement->text + statement->offsets[index];
}
