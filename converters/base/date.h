/*
 * date.h - dates and times as files write them; never the process's zone.
 *
 * A date is a civil date (and time) as a clock on the wall shows it. It may
 * know its offset from UTC: when the map names a `timezone`, or the file
 * wrote one (Z, +02:00), or it came as Unix seconds. Only such a date can be
 * moved into another zone; a date without a time is never moved.
 *
 * Canonical text, used between processes: YYYY-MM-DD, or
 * YYYY-MM-DDThh:mm:ss, each optionally followed by Z or +hh:mm / -hh:mm
 * (only after a time).
 *
 * Patterns (option `dates`, `as`, date(x, pattern), text(x, pattern)): YYYY YY
 * MM M DD D hh h mm m ss s (m after an hour is a minute; MM is a month unless
 * it stands after hh or h and ':'), SSS milliseconds (read and ignored), Z an
 * offset or "Z"; `unix` alone is seconds since 1970, `excel` alone a serial
 * day number. Other characters stand for themselves, and a blank for one or
 * more blanks on reading. A date and time may be read with a pattern that
 * has a date only if the rest is "00:00:00"; a pattern with a time accepts a
 * date alone (time 00:00:00 is then not known). D, M, h, m, s accept one or
 * two digits on reading; DD also accepts exactly two only.
 * Valid years are 1900..2199; 30 February is refused.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "converters/base/err.h"
#include "converters/base/mem.h"

struct date {
    int16_t year;
    uint8_t month, day;
    uint8_t hour, minute, second;
    bool has_time;
    bool has_offset;
    int16_t offset; /* minutes east of UTC */
};

/* A time zone, loaded from the system's tz database into memory. */
struct zone;

/*
 * Loads a zone by name ("Europe/Prague"). Call before the process is locked
 * in: it opens a file. NULL: e says what is wrong. Lives in `a`. The file is
 * the system's (TZDIR is not honoured), TZif version 2+ with its footer
 * (RFC 8536), so that years beyond the table follow the rule.
 */
const struct zone *zone_load(struct arena *a, struct str name, struct err *e);
/* Local time of an instant (seconds since 1970), with its offset. */
struct date zone_local(const struct zone *z, int64_t unix_seconds);
/*
 * Gives d, a local time of z, its offset. A time that a DST gap skips gets
 * the offset before the gap; one that occurs twice gets the first.
 */
void zone_apply(const struct zone *z, struct date *d);
/* Moves d, which has an offset, into z. Nothing happens without offset/time. */
struct date zone_convert(const struct zone *z, struct date d);

int64_t date_to_unix(struct date d); /* offset taken as 0 when not known */
struct date date_from_unix(int64_t seconds); /* in UTC, has_offset */

/* The system's clock. The only place that asks it; frozen in tests. */
int64_t clock_now(void);
void clock_freeze(int64_t unix_seconds);

enum { DATE_PATTERN_MAX = 64 };
/* Why a pattern is refused (static text), or NULL. */
const char *date_pattern_ok(struct str pattern);
/* One pattern; false: s is no such date. zone may be NULL (then unix is UTC).
 */
bool date_read(struct str s, struct str pattern, const struct zone *zone,
               struct date *out);
struct str date_format(struct arena *a, struct date d, struct str pattern);

bool date_from_canon(struct str s, struct date *out);
struct str date_canon(struct arena *a, struct date d);

int date_cmp(struct date a, struct date b); /* by instant if both know it */
bool date_add_days(struct date d, int64_t days, struct date *out);
bool date_add_months(struct date d, int64_t months, struct date *out);

#endif
