/*
 * UTC microseconds and the civil date, both ways, for every codec that reads or writes a date. The
 * proleptic Gregorian calendar, no time zone but UTC, no leap seconds (a stated second 60 counts as
 * the next second). Pure: it never asks what time it is.
 */
#ifndef ONEKEY_PROTOCOL_CALENDAR_H
#define ONEKEY_PROTOCOL_CALENDAR_H

#include "protocol/bytes.h"

#define CALENDAR_SECOND_US INT64_C(1000000)
#define CALENDAR_DAY_US (86400 * CALENDAR_SECOND_US)

struct civil {
    int year, month, day; /* 1..9999, 1..12, 1..31 */
    int hour, minute, second;
    int microsecond;
};

/* False, and *us untouched, if there is no such date or time. Second 60 is accepted. */
bool calendar_from_civil(const struct civil *civil, int64_t *us);
/* Of times within the years 1..9999; others give the nearest of them. */
struct civil calendar_to_civil(int64_t us);

/* "2026-01-02T03:04:05.678+08:00": RFC 3339, any number of fractional digits (below a microsecond
 * they are cut). T, t or a blank between date and time; the offset must be there. */
bool calendar_parse_rfc3339(struct bytes text, int64_t *us);
/* "20260102T030405Z", the basic form of ISO 8601, UTC only. */
bool calendar_parse_basic(struct bytes text, int64_t *us);
/* Six digits YYMMDD or DDMMYY and six HHMMSS; the century is 20. */
bool calendar_parse_yymmdd(struct bytes date, struct bytes time, int64_t *us);
bool calendar_parse_ddmmyy(struct bytes date, struct bytes time, int64_t *us);

/* "2026-01-02T03:04:05Z", with six more digits if the microseconds are not zero. */
void calendar_write_rfc3339(struct writer *writer, int64_t us);

#endif
