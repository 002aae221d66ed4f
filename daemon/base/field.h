/*
 * Named, typed values and the two ways to write them on one line: logfmt for the log, JSON for the
 * control socket. Text may come from a device: whatever is not plain is escaped, so a value can
 * never start a line, end a quote or reach a terminal. All functions are pure.
 */
#ifndef ONEKEY_BASE_FIELD_H
#define ONEKEY_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_TEXT,     /* NUL-terminated or of a given size; untrusted bytes are welcome */
    FIELD_HEX,      /* bytes, as hexadecimal digits */
    FIELD_NUMBER,   /* int64_t */
    FIELD_UNSIGNED, /* uint64_t */
    FIELD_REAL,     /* double; JSON null if not finite */
    FIELD_BOOLEAN,  /* logfmt yes or no */
    FIELD_TIME      /* microseconds since 1970, as 2026-11-22T05:08:00.123456Z */
};

struct field {
    const char *name; /* a literal: lower_case, no quoting needed */
    enum field_kind kind;
    size_t size; /* of text and bytes */
    union {
        const void *bytes;
        int64_t number;
        uint64_t unsigned_number;
        double real;
        bool boolean;
    };
};

/* `text` is borrowed until the line is written; NULL is an empty text. */
struct field field_text(const char *name, const char *text);
struct field field_bytes(const char *name, const void *bytes, size_t size);
struct field field_hex(const char *name, const void *bytes, size_t size);
struct field field_number(const char *name, int64_t number);
struct field field_unsigned(const char *name, uint64_t number);
struct field field_real(const char *name, double real);
struct field field_boolean(const char *name, bool boolean);
struct field field_time(const char *name, int64_t wall_us);

/* Writes " name=value" for every field, NUL-terminated. Returns the length, at most size - 1; a
 * field that does not fit whole is left out with all after it, and " truncated=yes" says so where
 * there is room for it. size > 0. */
size_t field_write_logfmt(const struct field *fields, size_t count, char *out, size_t size);
/* Writes one JSON object without line breaks, NUL-terminated. Returns its length, 0 if it does not
 * fit. Always valid UTF-8. */
size_t field_write_json(const struct field *fields, size_t count, char *out, size_t size);

#endif
