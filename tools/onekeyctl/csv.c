#include "tools/onekeyctl/csv.h"

#include <stdint.h>
#include <string.h>

void csv_start(struct csv *csv, char *text, size_t size)
{
    csv->at = text;
    csv->end = text + size;
    csv->line = 1;
    *csv->end = '\n'; /* so that the last record ends as the others do */
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3;
}

/* Size of the UTF-8 character at `at`, 0 if there is none: too long, cut off, surrogate or beyond
 * U+10FFFF. */
static size_t character_size(const char *at, const char *end)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*at;
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? first : first & (0x7fU >> size);
    if (size == 0 || first > 0xf4 || (size_t)(end - at) < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((unsigned char)at[i] & 0x3f);
    }
    return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}

static void set_error(struct csv_error *error, long line, int field, const char *problem,
                      const char *remedy)
{
    if (error->problem == NULL)
        *error =
            (struct csv_error){.line = line, .field = field, .problem = problem, .remedy = remedy};
}

static bool is_line_end(const char *at)
{
    return *at == '\n' || (*at == '\r' && at[1] == '\n');
}

/* Copies one character from *from to *to; a wrong one is an error and is skipped. */
static void take_character(struct csv *csv, char **to, int field, struct csv_error *error)
{
    size_t size = character_size(csv->at, csv->end);
    unsigned char first = (unsigned char)*csv->at;
    if (size == 0)
        set_error(error, csv->line, field, "is not UTF-8", "save the file as UTF-8");
    else if ((first < ' ' && first != '\t' && first != '\n' && first != '\r') || first == 0x7f)
        set_error(error, csv->line, field, "holds a control character", "remove it");
    csv->line += first == '\n';
    for (size_t i = 0; i < (size == 0 ? 1 : size); i++)
        *(*to)++ = *csv->at++;
}

/* The rest of a field in quotes, from behind the opening one. */
static void take_quoted(struct csv *csv, char **to, int field, struct csv_error *error)
{
    long began = csv->line;
    while (csv->at < csv->end) {
        if (*csv->at == '"' && csv->at[1] != '"') {
            csv->at++;
            if (*csv->at != ',' && !is_line_end(csv->at))
                set_error(error, csv->line, field, "goes on behind its closing quote",
                          "double the quotes within the value");
            return;
        }
        csv->at += *csv->at == '"';
        take_character(csv, to, field, error);
    }
    set_error(error, began, field, "begins with a quote that is never closed", "close it");
}

/* One field, ended by NUL in its own place, and the separator behind it. Returns the separator. */
static char take_field(struct csv *csv, char **out, int field, struct csv_error *error)
{
    char *to = csv->at;
    *out = csv->at;
    if (*csv->at == '"') {
        csv->at++;
        take_quoted(csv, &to, field, error);
    } else {
        while (*csv->at != ',' && *csv->at != '"' && !is_line_end(csv->at))
            take_character(csv, &to, field, error);
        if (*csv->at == '"')
            set_error(error, csv->line, field, "has a quote in a value without quotes",
                      "put the value into quotes and double those within");
    }
    while (*csv->at != ',' && !is_line_end(csv->at))
        csv->at++;
    csv->at += *csv->at == '\r';
    char separator = *csv->at++;
    *to = '\0';
    return separator;
}

enum csv_result csv_next(struct csv *csv, struct csv_record *record, struct csv_error *error)
{
    *error = (struct csv_error){.problem = NULL};
    while (csv->at < csv->end && is_line_end(csv->at)) {
        csv->at += *csv->at == '\r' ? 2 : 1;
        csv->line++;
    }
    if (csv->at >= csv->end)
        return CSV_END;
    record->line = csv->line;
    record->count = 0;
    char separator;
    do {
        char *field;
        if (record->count == CSV_FIELDS_MAX)
            set_error(error, csv->line, -1, "has too many fields", "remove those without heading");
        separator = take_field(csv, &field, record->count, error);
        if (record->count < CSV_FIELDS_MAX)
            record->fields[record->count++] = field;
    } while (separator == ',');
    csv->line++;
    return error->problem == NULL ? CSV_RECORD : CSV_BAD;
}
