/*
 * Meter readings of many homes from a CSV file, plain or gzip:
 *
 *   household_id,timestamp,litres_in_interval
 *   D01,2016-03-01T01:35,13
 *
 * Time stamps are local wall-clock and mark the END of an interval that starts at the home's row
 * before; the first row of a home only marks its start. They are kept as microseconds since 1970 of
 * that wall clock. Which homes count is said by a second file with columns household_id and lived_in.
 */
#ifndef ONEKEY_SIM_HOMES_H
#define ONEKEY_SIM_HOMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOME_ID_LIMIT 31

struct reading_row {
    int64_t at_us;
    int64_t volume_ml;
};

struct home {
    char id[HOME_ID_LIMIT + 1];
    bool wanted;
    struct reading_row *rows; /* as in the file */
    size_t count, limit;
};

struct homes {
    struct home *list; /* in the order they first appear */
    size_t count, limit;
};

/* Reads both files (homes_path may be NULL: every home is wanted). On false one sentence with file,
 * line, value and remedy went to stderr. homes_free() in either case. */
bool homes_load(struct homes *homes, const char *readings_path, const char *homes_path);
void homes_free(struct homes *homes);

#endif
