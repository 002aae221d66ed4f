#include "protocol/calendar.h"

#define YEAR_MAX 9999

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01. Years are counted from March, so that a leap day ends one. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t month_from_march = (month + 9) % 12;
    int64_t leap_days = shifted / 4 - shifted / 100 + shifted / 400;

    return 365 * shifted + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - 719468;
}

bool calendar_from_civil(const struct civil *civil, int64_t *us)
{
    if (civil->year < 1 || civil->year > YEAR_MAX || civil->month < 1 || civil->month > 12)
        return false;
    if (civil->day < 1 || civil->day > days_in_month(civil->year, civil->month))
        return false;
    if (civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59)
        return false;
    if (civil->second < 0 || civil->second > 60 || civil->microsecond < 0 ||
        civil->microsecond > 999999)
        return false;
    int64_t seconds = days_from_civil(civil->year, civil->month, civil->day) * 86400 +
                      civil->hour * 3600 + civil->minute * 60 + civil->second;

    *us = seconds * CALENDAR_SECOND_US + civil->microsecond;
    return true;
}

struct civil calendar_to_civil(int64_t us)
{
    const int64_t first_us = days_from_civil(1, 1, 1) * CALENDAR_DAY_US;
    const int64_t last_us = days_from_civil(YEAR_MAX + 1, 1, 1) * CALENDAR_DAY_US - 1;

    us = us < first_us ? first_us : us > last_us ? last_us : us;

    int64_t days = us / CALENDAR_DAY_US - (us % CALENDAR_DAY_US < 0);
    int64_t of_day = us - days * CALENDAR_DAY_US;
    int year = (int)((days + 719468) * 400 / 146097) + 1; /* from March; the guess may be late */
    struct civil civil = {0};

    while (days_from_civil(year, 3, 1) > days)
        year--;
    int of_year = (int)(days - days_from_civil(year, 3, 1));
    int month_from_march = (5 * of_year + 2) / 153;

    civil.day = of_year - (153 * month_from_march + 2) / 5 + 1;
    civil.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    civil.year = year + (civil.month <= 2);
    civil.microsecond = (int)(of_day % CALENDAR_SECOND_US);
    of_day /= CALENDAR_SECOND_US;
    civil.hour = (int)(of_day / 3600);
    civil.minute = (int)(of_day / 60 % 60);
    civil.second = (int)(of_day % 60);
    return civil;
}

/* Takes exactly `count` digits off the front. */
static bool take_digits(struct bytes *text, size_t count, int *out)
{
    int value = 0;

    if (text->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        value = value * 10 + (text->data[i] - '0');
    }
    *text = bytes_part(*text, count, text->size);
    *out = value;
    return true;
}

static bool take_one_of(struct bytes *text, const char *allowed)
{
    if (text->size == 0 || text->data[0] == '\0')
        return false;
    for (; *allowed; allowed++) {
        if (text->data[0] == (uint8_t)*allowed) {
            *text = bytes_part(*text, 1, text->size);
            return true;
        }
    }
    return false;
}

static bool take_fraction(struct bytes *text, int *microsecond)
{
    int unit = 100000, digits = 0;

    for (*microsecond = 0; text->size && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
        *microsecond += (text->data[0] - '0') * unit;
        unit /= 10;
        *text = bytes_part(*text, 1, text->size);
    }
    return digits > 0;
}

static bool take_offset(struct bytes *text, int64_t *offset_us)
{
    int hours, minutes;
    bool east = text->size && text->data[0] == '+';

    *offset_us = 0;
    if (take_one_of(text, "Zz"))
        return true;
    if (!take_one_of(text, "+-") || !take_digits(text, 2, &hours) || !take_one_of(text, ":") ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_us = (hours * 3600 + minutes * 60) * (east ? 1 : -1) * CALENDAR_SECOND_US;
    return true;
}

bool calendar_parse_rfc3339(struct bytes text, int64_t *us)
{
    struct civil civil = {0};
    int64_t offset_us, local_us;

    if (!take_digits(&text, 4, &civil.year) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, &civil.month) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, &civil.day) || !take_one_of(&text, "Tt "))
        return false;
    if (!take_digits(&text, 2, &civil.hour) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, &civil.minute) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, &civil.second))
        return false;
    if (take_one_of(&text, ".") && !take_fraction(&text, &civil.microsecond))
        return false;
    if (!take_offset(&text, &offset_us) || text.size || !calendar_from_civil(&civil, &local_us))
        return false;
    *us = local_us - offset_us;
    return true;
}

static bool take_time(struct bytes *text, struct civil *civil)
{
    return take_digits(text, 2, &civil->hour) && take_digits(text, 2, &civil->minute) &&
           take_digits(text, 2, &civil->second);
}

bool calendar_parse_basic(struct bytes text, int64_t *us)
{
    struct civil civil = {0};

    return take_digits(&text, 4, &civil.year) && take_digits(&text, 2, &civil.month) &&
           take_digits(&text, 2, &civil.day) && take_one_of(&text, "T") &&
           take_time(&text, &civil) && take_one_of(&text, "Z") && text.size == 0 &&
           calendar_from_civil(&civil, us);
}

bool calendar_parse_yymmdd(struct bytes date, struct bytes time, int64_t *us)
{
    struct civil civil = {0};
    bool digits = date.size == 6 && time.size == 6 && take_digits(&date, 2, &civil.year) &&
                  take_digits(&date, 2, &civil.month) && take_digits(&date, 2, &civil.day) &&
                  take_time(&time, &civil);

    civil.year += 2000;
    return digits && calendar_from_civil(&civil, us);
}

bool calendar_parse_ddmmyy(struct bytes date, struct bytes time, int64_t *us)
{
    struct civil civil = {0};
    bool digits = date.size == 6 && time.size == 6 && take_digits(&date, 2, &civil.day) &&
                  take_digits(&date, 2, &civil.month) && take_digits(&date, 2, &civil.year) &&
                  take_time(&time, &civil);

    civil.year += 2000;
    return digits && calendar_from_civil(&civil, us);
}

void calendar_write_rfc3339(struct writer *writer, int64_t us)
{
    struct civil civil = calendar_to_civil(us);
    const int parts[] = {civil.month, civil.day, civil.hour, civil.minute, civil.second};

    writer_decimal_padded(writer, (uint64_t)civil.year, 4);
    for (int i = 0; i < 5; i++) {
        writer_u8(writer, (uint8_t) "--T::"[i]);
        writer_decimal_padded(writer, (uint64_t)parts[i], 2);
    }
    if (civil.microsecond) {
        writer_u8(writer, '.');
        writer_decimal_padded(writer, (uint64_t)civil.microsecond, 6);
    }
    writer_u8(writer, 'Z');
}
