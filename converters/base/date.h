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
 * Patterns (option `dates`, `as`, date(x, pattern), text(x, pattern)):
 *
 *   YYYY YY       year; 70..99 are 1970..1999, 00..69 are 2000..2069
 *   MM M          month; but MM or M right after an hour and ':' is a minute
 *   DD D          day
 *   hh h          hour, 0..23
 *   mm m          minute; it needs an hour before it
 *   ss s          second
 *   SSS           milliseconds: 1 to 9 digits are read and ignored, 000 is
 *                 written
 *   Z             an offset: Z, +hh:mm, +hhmm or +hh (or with -); written as
 *                 Z or +hh:mm, and as nothing when the offset is not known
 *   unix          alone: seconds since 1970
 *   excel         alone: a serial day number, 1 is 1 January 1900; a fraction
 *                 behind '.' or ',' is the time
 *
 * YYYY reads exactly four digits, double letters exactly two, single ones one
 * or two. Other characters stand for themselves ("YYYY-MM-DDThh:mm:ss"), and
 * a blank for one or more blanks on reading. Each part stands once. Letters
 * that look like a mistake (H, y, d, S, MMM) are refused.
 *
 * Blanks around a text are ignored. A date and time may be read with a
 * pattern that has a date only if the rest is "00:00:00" (or "0:00:00", with
 * a fraction of zeros, after a blank or T); a pattern with a time accepts a
 * text that ends behind its date (time 00:00:00 is then not known: has_time
 * is false, as it is for a whole `excel` number). Valid years are 1900..9999;
 * 30 February, 24:00 and a 60th second are refused.
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

/* Minutes that no offset reaches: Manila's clocks were 15:56 behind once. */
enum { DATE_OFFSET_MAX = 16 * 60 };

/* Whether d is a date of 1900..9999 and, if it has one, a time of a day. */
bool date_valid(const struct date *d);

/* A time zone, loaded from the system's tz database into memory. */
struct zone;

/*
 * Loads a zone by name ("Europe/Prague"). Call before the process is locked
 * in: it opens a file. NULL: e says what is wrong. Lives in `a`. The file is
 * the system's (TZDIR is not honoured), TZif version 2+ with its footer
 * (RFC 8536), so that years beyond the table follow the rule.
 */
const struct zone *zone_load(struct arena *a, struct str name, struct err *e);
/* The same from the bytes of a TZif file; `name` is for messages only. */
const struct zone *zone_parse(struct arena *a, struct str name, struct str tzif,
                              struct err *e);
/* Seconds east of UTC at an instant, in whole minutes: the odd seconds of old
 * local mean times are rounded away. */
int32_t zone_offset(const struct zone *z, int64_t unix_seconds);
/* Local time of an instant (seconds since 1970), with its offset. */
struct date zone_local(const struct zone *z, int64_t unix_seconds);
/*
 * Gives d, a local time of z, its offset. A time that a DST gap skips gets
 * the offset before the gap; one that occurs twice gets the first. An offset
 * that d already has is replaced; a date without a time is left alone.
 */
void zone_apply(const struct zone *z, struct date *d);
/* Moves d, which has an offset, into z. Nothing happens without offset/time. */
struct date zone_convert(const struct zone *z, struct date d);

int64_t date_to_unix(struct date d); /* offset taken as 0 when not known */
/* In UTC, has_offset. Instants outside the years 1..9999 become the nearest
 * one inside. */
struct date date_from_unix(int64_t seconds);

/* The system's clock. The only place that asks it; frozen in tests. */
int64_t clock_now(void);
void clock_freeze(int64_t unix_seconds);
/* Seconds since the machine started, its sleep included: nobody sets it. */
int64_t clock_up(void);
/* Milliseconds of the monotonic clock: for how long something took. */
int64_t clock_ms(void);
bool clock_is_frozen(void);

enum { DATE_PATTERN_MAX = 64 };
/* Why a pattern is refused (static text), or NULL. */
const char *date_pattern_ok(struct str pattern);
/* The same for a pattern to read with: it needs year, month and day, and no
 * single letter right before another number. */
const char *date_pattern_read_ok(struct str pattern);
/*
 * Reads s by one pattern; false: s is no such date. With a zone, a time
 * without an offset is one of that zone, and unix is moved into it. zone may
 * be NULL: unix is then UTC. An offset that s has is kept, not moved.
 */
bool date_read(struct str s, struct str pattern, const struct zone *zone,
               struct date *out);
/* A time that is not known is written as zeros. Empty for a bad pattern. */
struct str date_format(struct arena *a, struct date d, struct str pattern);

bool date_from_canon(struct str s, struct date *out);
struct str date_canon(struct arena *a, struct date d);

/* By instant if both know it, else as on the wall; no time is 00:00:00. */
int date_cmp(struct date a, struct date b);
/*
 * On the wall: time and offset stay (zone_apply() renews the offset). A day
 * that a month lacks becomes its last: 31 January + 1 month is 28 or 29
 * February. False, and *out alone, outside the valid years.
 */
bool date_add_days(struct date d, int64_t days, struct date *out);
bool date_add_months(struct date d, int64_t months, struct date *out);

#endif
