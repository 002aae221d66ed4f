#include "daemon/base/field.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PIECE_MAX 64 /* the longest number or time */

/* Output with room for one NUL at the end; `full` once something did not fit. */
struct text {
    char *out;
    size_t used, size;
    bool full;
};

static void append(struct text *text, const char *bytes, size_t size)
{
    if (text->full || size >= text->size - text->used) {
        text->full = true;
        return;
    }
    memcpy(text->out + text->used, bytes, size);
    text->used += size;
    text->out[text->used] = '\0';
}

static void append_text(struct text *text, const char *bytes)
{
    append(text, bytes, strlen(bytes));
}

static void append_escape(struct text *text, const char *format, unsigned value)
{
    char escape[8];
    append(text, escape, (size_t)snprintf(escape, sizeof(escape), format, value));
}

struct field field_bytes(const char *name, const void *bytes, size_t size)
{
    return (struct field){.name = name, .kind = FIELD_TEXT, .size = size, .bytes = bytes};
}

struct field field_text(const char *name, const char *text)
{
    return field_bytes(name, text, text == NULL ? 0 : strlen(text));
}

struct field field_hex(const char *name, const void *bytes, size_t size)
{
    return (struct field){.name = name, .kind = FIELD_HEX, .size = size, .bytes = bytes};
}

struct field field_number(const char *name, int64_t number)
{
    return (struct field){.name = name, .kind = FIELD_NUMBER, .number = number};
}

struct field field_unsigned(const char *name, uint64_t number)
{
    return (struct field){.name = name, .kind = FIELD_UNSIGNED, .unsigned_number = number};
}

struct field field_real(const char *name, double real)
{
    return (struct field){.name = name, .kind = FIELD_REAL, .real = real};
}

struct field field_boolean(const char *name, bool boolean)
{
    return (struct field){.name = name, .kind = FIELD_BOOLEAN, .boolean = boolean};
}

struct field field_time(const char *name, int64_t wall_us)
{
    return (struct field){.name = name, .kind = FIELD_TIME, .number = wall_us};
}

/* ISO 8601 in UTC; beyond the years that gmtime knows, the bare number. */
static void print_time(int64_t wall_us, char out[PIECE_MAX])
{
    int64_t fraction = wall_us % 1000000;
    if (fraction < 0)
        fraction += 1000000;
    time_t seconds = (time_t)((wall_us - fraction) / 1000000);
    struct tm date;
    if (gmtime_r(&seconds, &date) == NULL || date.tm_year > 9999 - 1900 || date.tm_year < -1900) {
        snprintf(out, PIECE_MAX, "%" PRId64, wall_us);
        return;
    }
    size_t used = strftime(out, PIECE_MAX, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(out + used, PIECE_MAX - used, ".%06dZ", (int)fraction);
}

static void append_hex(struct text *text, const struct field *field)
{
    const uint8_t *bytes = field->bytes;
    for (size_t i = 0; i < field->size && !text->full; i++)
        append_escape(text, "%02x", bytes[i]);
}

static bool is_plain(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '=' && byte != '\\';
}

static bool needs_quotes(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_plain(bytes[i]))
            return true;
    return size == 0;
}

static void append_quoted_logfmt(struct text *text, const uint8_t *bytes, size_t size)
{
    append_text(text, "\"");
    for (size_t i = 0; i < size && !text->full; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            append(text, (const char[]){'\\', (char)bytes[i]}, 2);
        else if (bytes[i] == '\n')
            append_text(text, "\\n");
        else if (bytes[i] < ' ' || bytes[i] >= 0x7f)
            append_escape(text, "\\x%02x", bytes[i]);
        else
            append(text, (const char *)&bytes[i], 1);
    }
    append_text(text, "\"");
}

/* What both forms write alike; text, booleans and times are the caller's. */
static void append_figure(struct text *text, const struct field *field)
{
    char piece[PIECE_MAX] = "";
    if (field->kind == FIELD_NUMBER)
        snprintf(piece, sizeof(piece), "%" PRId64, field->number);
    else if (field->kind == FIELD_UNSIGNED)
        snprintf(piece, sizeof(piece), "%" PRIu64, field->unsigned_number);
    else if (field->kind == FIELD_REAL)
        snprintf(piece, sizeof(piece), "%.6g", field->real);
    else
        print_time(field->number, piece);
    append_text(text, piece);
}

static void append_logfmt(struct text *text, const struct field *field)
{
    append_text(text, " ");
    append_text(text, field->name);
    append_text(text, "=");
    if (field->kind == FIELD_TEXT && needs_quotes(field->bytes, field->size))
        append_quoted_logfmt(text, field->bytes, field->size);
    else if (field->kind == FIELD_TEXT)
        append(text, field->bytes, field->size);
    else if (field->kind == FIELD_HEX)
        append_hex(text, field);
    else if (field->kind == FIELD_BOOLEAN)
        append_text(text, field->boolean ? "yes" : "no");
    else
        append_figure(text, field);
}

size_t field_write_logfmt(const struct field *fields, size_t count, char *out, size_t size)
{
    static const char truncated[] = " truncated=yes";
    size_t mark = size > sizeof(truncated) ? sizeof(truncated) - 1 : 0;
    struct text text = {.out = out, .size = size - mark};
    out[0] = '\0';
    for (size_t i = 0; i < count && !text.full; i++) {
        size_t whole = text.used;
        append_logfmt(&text, &fields[i]);
        if (text.full)
            text.used = whole;
    }
    if (text.full && mark > 0) {
        text = (struct text){.out = out, .used = text.used, .size = size};
        append(&text, truncated, mark);
    }
    out[text.used] = '\0';
    return text.used;
}

/* Length of the UTF-8 sequence at `bytes`, 0 if there is none that is valid. */
static size_t utf8_length(const uint8_t *bytes, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    if (length == 0 || length > size || lead > 0xf4)
        return 0;
    uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < smallest[length] || point > 0x10ffff || surrogate ? 0 : length;
}

static void append_json_text(struct text *text, const uint8_t *bytes, size_t size)
{
    append_text(text, "\"");
    for (size_t i = 0; i < size && !text->full;) {
        size_t length = utf8_length(bytes + i, size - i);
        if (length == 0)
            append_text(text, "\\ufffd");
        else if (bytes[i] == '"' || bytes[i] == '\\')
            append(text, (const char[]){'\\', (char)bytes[i]}, 2);
        else if (bytes[i] < ' ' || bytes[i] == 0x7f)
            append_escape(text, "\\u%04x", bytes[i]);
        else
            append(text, (const char *)bytes + i, length);
        i += length == 0 ? 1 : length;
    }
    append_text(text, "\"");
}

static void append_json_value(struct text *text, const struct field *field)
{
    bool quoted = field->kind == FIELD_HEX || field->kind == FIELD_TIME;
    if (quoted)
        append_text(text, "\"");
    if (field->kind == FIELD_TEXT)
        append_json_text(text, field->bytes, field->size);
    else if (field->kind == FIELD_HEX)
        append_hex(text, field);
    else if (field->kind == FIELD_BOOLEAN)
        append_text(text, field->boolean ? "true" : "false");
    else if (field->kind == FIELD_REAL && !isfinite(field->real))
        append_text(text, "null");
    else
        append_figure(text, field);
    if (quoted)
        append_text(text, "\"");
}

size_t field_write_json(const struct field *fields, size_t count, char *out, size_t size)
{
    struct text text = {.out = out, .size = size};
    out[0] = '\0';
    append_text(&text, "{");
    for (size_t i = 0; i < count; i++) {
        append_text(&text, i > 0 ? ",\"" : "\"");
        append_text(&text, fields[i].name);
        append_text(&text, "\":");
        append_json_value(&text, &fields[i]);
    }
    append_text(&text, "}");
    if (text.full)
        text.used = 0;
    out[text.used] = '\0';
    return text.used;
}
