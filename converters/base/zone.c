/*
 * zone.c - time zones from the system's tz database, without the C library's
 * idea of the process's zone.
 *
 * A TZif file (RFC 8536) is read in one go: its version 2 block gives the
 * instants at which the offset changes, its footer (a POSIX TZ string) the
 * rule for all later years. Every length is checked against the bytes that
 * are there, since a file may be broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"

enum {
    ZONE_FILE_MAX = 256 * 1024,
    LONGEST_OFFSET = (DATE_OFFSET_MAX - 1) * 60,
    ZONE_NAME_MAX = 64,
    TZIF_HEADER = 44,
    DAY = 86400,
    HOUR = 3600,
};

/* When in a year a rule's change happens, in the local time before it. */
struct rule_day {
    char kind;             /* 'M': week and month, 'J': no 29 February, 'n' */
    int month, week, wday; /* M; week 5 is the last, wday 0 is Sunday */
    int yday;              /* J: 1..365, n: 0..365 */
    int32_t time;          /* seconds after midnight, of -167 h..167 h */
};

struct rule {
    int32_t standard, summer; /* seconds east */
    bool has_summer;
    struct rule_day begin, end;
};

struct change {
    int64_t at;
    int32_t offset;
};

struct zone {
    struct change *changes; /* ascending */
    size_t n_changes;
    int32_t first; /* before all changes */
    bool has_rule; /* after them */
    struct rule rule;
};

static int32_t whole_minutes(int32_t seconds)
{
    int32_t half = seconds < 0 ? -30 : 30;

    return (seconds + half) / 60 * 60;
}

/* ---- the rule: a POSIX TZ string ---------------------------------------- */

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_int(struct str *s, int min, int max, int *out)
{
    int v = 0;
    size_t n = 0;

    while (n < s->len && n < 3 && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (s->p[n++] - '0');
    *s = str_from(*s, n);
    *out = v;
    return n > 0 && v >= min && v <= max;
}

/* A zone's short name: three letters or more, or anything within <>. */
static bool take_name(struct str *s)
{
    size_t n = 0;

    if (take_char(s, '<')) {
        ptrdiff_t end = str_find_char(*s, '>');

        *s = str_from(*s, end < 0 ? s->len : (size_t)end + 1);
        return end > 0;
    }
    while (n < s->len && ((s->p[n] >= 'A' && s->p[n] <= 'Z') ||
                          (s->p[n] >= 'a' && s->p[n] <= 'z')))
        n++;
    *s = str_from(*s, n);
    return n >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct str *s, int max_hours, int32_t *out)
{
    bool minus = take_char(s, '-');
    int h, m = 0, sec = 0;

    if (!minus)
        take_char(s, '+');
    if (!take_int(s, 0, max_hours, &h))
        return false;
    if (take_char(s, ':')) {
        if (!take_int(s, 0, 59, &m))
            return false;
        if (take_char(s, ':') && !take_int(s, 0, 59, &sec))
            return false;
    }
    *out = h * HOUR + m * 60 + sec;
    if (minus)
        *out = -*out;
    return true;
}

static bool take_day(struct str *s, struct rule_day *d)
{
    bool ok;

    if (!take_char(s, ','))
        return false;
    if (take_char(s, 'M')) {
        d->kind = 'M';
        ok = take_int(s, 1, 12, &d->month) && take_char(s, '.') &&
             take_int(s, 1, 5, &d->week) && take_char(s, '.') &&
             take_int(s, 0, 6, &d->wday);
    } else if (take_char(s, 'J')) {
        d->kind = 'J';
        ok = take_int(s, 1, 365, &d->yday);
    } else {
        d->kind = 'n';
        ok = take_int(s, 0, 365, &d->yday);
    }
    d->time = 2 * HOUR;
    return ok && (!take_char(s, '/') || take_time(s, 167, &d->time));
}

/* "CET-1CEST,M3.5.0,M10.5.0/3". Signs are those of POSIX: west is plus. */
static bool parse_rule(struct str s, struct rule *r)
{
    int32_t west;

    *r = (struct rule){ 0 };
    if (!take_name(&s) || !take_time(&s, LONGEST_OFFSET / HOUR, &west))
        return false;
    r->standard = whole_minutes(-west);
    if (s.len == 0)
        return true;
    r->has_summer = true;
    r->summer = r->standard + HOUR;
    if (!take_name(&s))
        return false;
    if (s.len && s.p[0] != ',') {
        if (!take_time(&s, LONGEST_OFFSET / HOUR, &west))
            return false;
        r->summer = whole_minutes(-west);
    }
    return take_day(&s, &r->begin) && take_day(&s, &r->end) && s.len == 0;
}

static int64_t first_day_of(int year, int month)
{
    struct date d = { .year = (int16_t)year,
                      .month = (uint8_t)month,
                      .day = 1 };

    return date_to_unix(d) / DAY;
}

/* Local seconds of a rule's day in a year. 1970 began on a Thursday. */
static int64_t rule_seconds(const struct rule_day *d, int year)
{
    int64_t day = first_day_of(year, 1), next;
    int wday;

    if (d->kind == 'M') {
        day = first_day_of(year, d->month);
        next = d->month == 12 ? first_day_of(year + 1, 1)
                              : first_day_of(year, d->month + 1);
        wday = (int)(((day + 4) % 7 + 7) % 7);
        day += (d->wday - wday + 7) % 7 + 7 * (d->week - 1);
        if (day >= next)
            day -= 7;
    } else if (d->kind == 'J') {
        bool leap = first_day_of(year, 3) - day == 31 + 29;

        day += d->yday - 1 + (leap && d->yday >= 31 + 29);
    } else {
        day += d->yday;
    }
    return day * DAY + d->time;
}

/*
 * The last of the changes around t that is not after it decides. The years
 * before and after are asked too, because a rule's time may reach over a
 * year's end. Where an end and a begin fall together, summer goes on.
 */
static int32_t rule_offset(const struct rule *r, int64_t t)
{
    int year = date_from_unix(t).year;
    int64_t last = INT64_MIN;
    int32_t offset = r->standard;

    if (!r->has_summer)
        return offset;
    for (int y = year - 1; y <= year + 1; y++) {
        int64_t end = rule_seconds(&r->end, y) - r->summer;
        int64_t begin = rule_seconds(&r->begin, y) - r->standard;

        if (end <= t && end > last) {
            last = end;
            offset = r->standard;
        }
        if (begin <= t && begin >= last) {
            last = begin;
            offset = r->summer;
        }
    }
    return offset;
}

/* ---- the file ----------------------------------------------------------- */

/* The counts of a TZif header, in the order in which they stand there. */
struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 |
           u[3];
}

static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Checks a header and takes it off the front of s. */
static const char *take_header(struct str *s, struct counts *c)
{
    const char *p = s->p;

    if (s->len < TZIF_HEADER || !str_starts(*s, STR("TZif")))
        return "not a TZif file";
    if (p[4] < '2')
        return "version 1 of TZif, which ends in 2037";
    *c = (struct counts){ be32(p + 20), be32(p + 24), be32(p + 28),
                          be32(p + 32), be32(p + 36), be32(p + 40) };
    *s = str_from(*s, TZIF_HEADER);
    return NULL;
}

/* Bytes of a data block whose instants have `size` bytes; 32-bit counts
 * cannot make 64 bits wrap. */
static uint64_t block_size(const struct counts *c, unsigned size)
{
    return (uint64_t)c->time * (size + 1) + (uint64_t)c->type * 6 + c->chars +
           (uint64_t)c->leap * (size + 4) + c->isstd + c->isut;
}

static const char *parse_changes(struct arena *a, struct str s,
                                 const struct counts *c, struct zone *z)
{
    const char *index = s.p + (size_t)c->time * 8;
    const char *types = index + c->time;

    for (uint32_t i = 0; i < c->type; i++) {
        int32_t offset = (int32_t)be32(types + (size_t)i * 6);

        if (offset < -LONGEST_OFFSET || offset > LONGEST_OFFSET)
            return "an offset of more than 16 hours";
    }
    z->first = whole_minutes((int32_t)be32(types));
    z->n_changes = c->time;
    z->changes = arena_alloc(a, c->time * sizeof(*z->changes));
    for (uint32_t i = 0; i < c->time; i++) {
        unsigned type = (unsigned char)index[i];
        struct change *to = &z->changes[i];

        if (type >= c->type)
            return "a change to a type that is not there";
        to->at = be64(s.p + (size_t)i * 8);
        to->offset = whole_minutes((int32_t)be32(types + (size_t)type * 6));
        if (i > 0 && to->at <= to[-1].at)
            return "changes that are not in order";
    }
    return NULL;
}

static const char *parse_footer(struct str s, struct zone *z)
{
    ptrdiff_t end;

    if (!take_char(&s, '\n'))
        return "no footer";
    end = str_find_char(s, '\n');
    if (end < 0)
        return "no end of the footer";
    s = str_first(s, (size_t)end);
    z->has_rule = s.len > 0;
    if (z->has_rule && !parse_rule(s, &z->rule))
        return "a footer that is no TZ rule";
    return NULL;
}

static const char *parse(struct arena *a, struct str s, struct zone *z)
{
    struct counts c;
    const char *why = take_header(&s, &c);

    if (why)
        return why;
    if (block_size(&c, 4) > s.len)
        return "cut short";
    s = str_from(s, (size_t)block_size(&c, 4));
    why = take_header(&s, &c);
    if (why)
        return why;
    if (block_size(&c, 8) > s.len)
        return "cut short";
    if (c.type == 0)
        return "no offset at all";
    if (c.leap > 0)
        return "leap seconds, which are not supported";
    why = parse_changes(a, s, &c, z);
    return why ? why : parse_footer(str_from(s, (size_t)block_size(&c, 8)), z);
}

const struct zone *zone_parse(struct arena *a, struct str name, struct str tzif,
                              struct err *e)
{
    struct zone *z = arena_alloc(a, sizeof(*z));
    const char *why = parse(a, tzif, z);

    if (!why)
        return z;
    err_set(e, ERR_REJECT, "time zone %.*s cannot be used: %s", STR_ARGS(name),
            why);
    return NULL;
}

/* Only names that cannot lead out of the folder: "Europe/Prague", "Etc/GMT+1";
 * a dot is not among the characters. */
static bool name_ok(struct str name)
{
    char before = '/';

    if (name.len == 0 || name.len > ZONE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ||
                  (c == '/' && before != '/');

        if (!ok)
            return false;
        before = c;
    }
    return before != '/';
}

/* The whole open file, to be freed by the caller; NULL: e says why. */
static char *read_file(int fd, struct str name, size_t *len, struct err *e)
{
    struct stat st;
    char *text;

    *len = 0;
    if (fstat(fd, &st) != 0) {
        err_sys(e, ERR_RETRY, "time zone %.*s", STR_ARGS(name));
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > ZONE_FILE_MAX) {
        err_set(e, ERR_REJECT, "%.*s is no time zone", STR_ARGS(name));
        return NULL;
    }
    text = xcalloc(1, (size_t)st.st_size);
    while (*len < (size_t)st.st_size) {
        ssize_t got = read(fd, text + *len, (size_t)st.st_size - *len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            err_sys(e, ERR_RETRY, "time zone %.*s", STR_ARGS(name));
            free(text);
            return NULL;
        }
        if (got == 0)
            break;
        *len += (size_t)got;
    }
    return text;
}

const struct zone *zone_load(struct arena *a, struct str name, struct err *e)
{
    const struct zone *z = NULL;
    char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX] = ZONE_FOLDER;
    char *text;
    size_t len;
    int fd;

    if (str_is(name, "UTC"))
        return arena_alloc(a, sizeof(*z)); /* no changes, no offset */
    if (!name_ok(name)) {
        err_set(e, ERR_REJECT,
                "\"%.*s\" is no name of a time zone; one is Europe/Prague",
                (int)(name.len < 80 ? name.len : 80), name.p ? name.p : "");
        return NULL;
    }
    str_copy(path + sizeof(ZONE_FOLDER) - 1, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            err_set(e, ERR_REJECT,
                    "there is no time zone %.*s (no file %s); one is "
                    "Europe/Prague",
                    STR_ARGS(name), path);
        else
            err_sys(e, ERR_RETRY, "time zone %.*s (%s)", STR_ARGS(name), path);
        return NULL;
    }
    text = read_file(fd, name, &len, e);
    if (text)
        z = zone_parse(a, name, (struct str){ text, len }, e);
    free(text);
    close(fd);
    return z;
}

/* ---- questions ---------------------------------------------------------- */

int32_t zone_offset(const struct zone *z, int64_t unix_seconds)
{
    int64_t t = unix_seconds;
    size_t low = 0, high = z->n_changes;

    if (z->has_rule && (high == 0 || t >= z->changes[high - 1].at))
        return rule_offset(&z->rule, t);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (z->changes[middle].at <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? z->first : z->changes[low - 1].offset;
}

struct date zone_local(const struct zone *z, int64_t unix_seconds)
{
    int64_t t = date_to_unix(date_from_unix(unix_seconds));
    int32_t offset = zone_offset(z, t);
    struct date d = date_from_unix(t + offset);

    d.offset = (int16_t)(offset / 60);
    return d;
}

/*
 * A day before and a day after, the offset is that of either side of a change
 * nearby. The earlier side is tried first: it is right before the change, and
 * the first of two in an overlap. In a gap neither is right.
 */
void zone_apply(const struct zone *z, struct date *d)
{
    struct date wall = *d;
    int64_t local;
    int32_t before, after;

    if (!d->has_time)
        return;
    wall.has_offset = false;
    local = date_to_unix(wall);
    before = zone_offset(z, local - DAY);
    after = zone_offset(z, local + DAY);
    if (zone_offset(z, local - before) != before &&
        zone_offset(z, local - after) == after)
        before = after;
    d->has_offset = true;
    d->offset = (int16_t)(before / 60);
}

struct date zone_convert(const struct zone *z, struct date d)
{
    if (!d.has_time || !d.has_offset)
        return d;
    return zone_local(z, date_to_unix(d));
}
