/*
 * date.c - the calendar, canonical text and the clock; date_text.c has the
 * patterns, zone.c the time zones.
 */
#include "converters/base/date.h"

#include <time.h>

#define DAY          INT64_C(86400)
#define HOUR         INT64_C(3600)
#define MINUTE       INT64_C(60)
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

/* 31 December 9999 is what many programs write for "for ever". */
enum { FIRST_YEAR = 1900, LAST_YEAR = 9999 };

static bool frozen;
static int64_t frozen_at;

int64_t clock_now(void)
{
    struct timespec now = { 0 };

    if (frozen)
        return frozen_at;
    clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return now.tv_sec;
}

int64_t clock_up(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
    return now.tv_sec;
}

int64_t clock_ms(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool clock_is_frozen(void)
{
    return frozen;
}

void clock_freeze(int64_t unix_seconds)
{
    frozen = true;
    frozen_at = unix_seconds;
}

/* ---- calendar ----------------------------------------------------------- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && is_leap(year));
}

bool date_valid(const struct date *d)
{
    return d->year >= FIRST_YEAR && d->year <= LAST_YEAR && d->month >= 1 &&
           d->month <= 12 && d->day >= 1 &&
           d->day <= days_in_month(d->year, d->month) && d->hour <= 23 &&
           d->minute <= 59 && d->second <= 59 && d->offset > -DATE_OFFSET_MAX &&
           d->offset < DATE_OFFSET_MAX;
}

/*
 * Days since 1970 of a date in the proleptic Gregorian calendar, year >= 0.
 * Years are counted from 1 March, so that the leap day is the last one; the
 * months from March on then begin on day (153 * n + 2) / 5.
 */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = y >= 0 ? y / 400 : -1;
    int64_t n = month > 2 ? month - 3 : month + 9;
    int64_t of_year = (153 * n + 2) / 5 + day - 1;

    y -= era * 400;
    return era * 146097 + y * 365 + y / 4 - y / 100 + of_year - 719468;
}

/* The reverse: fills in year, month and day. days must not lie before the
 * year 0. */
static void set_days(struct date *d, int64_t days)
{
    int64_t n = days + 719468;
    int64_t era = n / 146097, of_era = n % 146097;
    int64_t y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t month = (5 * of_year + 2) / 153;

    d->day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1);
    d->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    d->year = (int16_t)(y + era * 400 + (d->month <= 2));
}

int64_t date_to_unix(struct date d)
{
    int64_t t = days_of(d.year, d.month, d.day) * DAY + d.hour * HOUR +
                d.minute * MINUTE + d.second;

    return d.has_offset ? t - d.offset * MINUTE : t;
}

struct date date_from_unix(int64_t seconds)
{
    struct date d = { .has_time = true, .has_offset = true };
    int64_t days, rest;

    if (seconds < FIRST_SECOND)
        seconds = FIRST_SECOND;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    rest = ((seconds % DAY) + DAY) % DAY;
    days = (seconds - rest) / DAY;
    set_days(&d, days);
    d.hour = (uint8_t)(rest / HOUR);
    d.minute = (uint8_t)(rest / MINUTE % 60);
    d.second = (uint8_t)(rest % 60);
    return d;
}

int date_cmp(struct date a, struct date b)
{
    bool instants = a.has_time && a.has_offset && b.has_time && b.has_offset;
    int64_t x, y;

    if (!instants)
        a.has_offset = b.has_offset = false;
    x = date_to_unix(a);
    y = date_to_unix(b);
    return x < y ? -1 : x > y;
}

bool date_add_days(struct date d, int64_t days, struct date *out)
{
    int64_t all = INT64_C(366) * (LAST_YEAR - FIRST_YEAR + 1);

    if (days < -all || days > all)
        return false;
    set_days(&d, days_of(d.year, d.month, d.day) + days);
    if (d.year < FIRST_YEAR || d.year > LAST_YEAR)
        return false;
    *out = d;
    return true;
}

bool date_add_months(struct date d, int64_t months, struct date *out)
{
    int64_t first = INT64_C(12) * FIRST_YEAR;
    int64_t end = INT64_C(12) * (LAST_YEAR + 1), n;

    if (months < first - end || months > end - first)
        return false;
    n = d.year * 12 + d.month - 1 + months;
    if (n < first || n >= end)
        return false;
    d.year = (int16_t)(n / 12);
    d.month = (uint8_t)(n % 12 + 1);
    if (d.day > days_in_month(d.year, d.month))
        d.day = (uint8_t)days_in_month(d.year, d.month);
    *out = d;
    return true;
}

/* ---- canonical text ----------------------------------------------------- */

/* The number that s begins with at `at`, of n digits; -1 if it has no such. */
static int number_at(struct str s, size_t at, size_t n)
{
    int v = 0;

    for (size_t i = at; i < at + n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9)
            return -1;
        v = v * 10 + (int)digit;
    }
    return v;
}

/* Whether s has the separators of "0000-00-00T00:00:00" and digits else. */
static bool fits_shape(struct str s, struct str shape)
{
    if (s.len != shape.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';

        if (shape.p[i] == '0' ? !digit : s.p[i] != shape.p[i])
            return false;
    }
    return true;
}

/* "", "Z" or "+hh:mm" behind a canonical time. */
static bool read_offset(struct str s, struct date *d)
{
    int hours, minutes;

    if (s.len == 0)
        return true;
    d->has_offset = true;
    if (str_is(s, "Z"))
        return true;
    if ((s.p[0] != '+' && s.p[0] != '-') ||
        !fits_shape(str_from(s, 1), STR("00:00")))
        return false;
    hours = number_at(s, 1, 2);
    minutes = number_at(s, 4, 2);
    d->offset = (int16_t)(hours * 60 + minutes);
    if (s.p[0] == '-')
        d->offset = (int16_t)-d->offset;
    return minutes < 60;
}

bool date_from_canon(struct str s, struct date *out)
{
    struct date d = { 0 };

    if (!fits_shape(str_first(s, 10), STR("0000-00-00")))
        return false;
    d.year = (int16_t)number_at(s, 0, 4);
    d.month = (uint8_t)number_at(s, 5, 2);
    d.day = (uint8_t)number_at(s, 8, 2);
    if (s.len > 10) {
        if (!fits_shape(str_first(str_from(s, 10), 9), STR("T00:00:00")))
            return false;
        d.has_time = true;
        d.hour = (uint8_t)number_at(s, 11, 2);
        d.minute = (uint8_t)number_at(s, 14, 2);
        d.second = (uint8_t)number_at(s, 17, 2);
        if (!read_offset(str_from(s, 19), &d))
            return false;
    }
    if (!date_valid(&d))
        return false;
    *out = d;
    return true;
}
