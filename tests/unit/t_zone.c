/* t_zone.c - base/zone.c. Expected times are those of Python's zoneinfo, those
 * of rules are the C library's for TZ. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "converters/base/date.h"

static void check_text(int line, struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("%s:%d: got \"%.*s\", not \"%s\"", __FILE__, line,
                 STR_ARGS(got), want);
}

static const struct zone *load(struct arena *a, const char *name)
{
    struct err e;
    const struct zone *z = zone_load(a, str_of(name), &e);

    if (!z)
        fail_msg("%s", e.text);
    return z;
}

/* ---- an instant, on the clock of a zone ---- */

static struct instant_case {
    int line;
    const char *name, *zone;
    int64_t at;
    const char *want;
} instants[] = {
    { __LINE__, "winter", "Europe/Prague", 1705320000,
      "2024-01-15T13:00:00+01:00" },
    { __LINE__, "summer", "Europe/Prague", 1721044800,
      "2024-07-15T14:00:00+02:00" },
    { __LINE__, "before the spring change", "Europe/Prague", 1711846799,
      "2024-03-31T01:59:59+01:00" },
    { __LINE__, "at the spring change", "Europe/Prague", 1711846800,
      "2024-03-31T03:00:00+02:00" },
    { __LINE__, "before the autumn change", "Europe/Prague", 1729990799,
      "2024-10-27T02:59:59+02:00" },
    { __LINE__, "at the autumn change", "Europe/Prague", 1729990800,
      "2024-10-27T02:00:00+01:00" },
    { __LINE__, "summer 2037", "Europe/Prague", 2130019200,
      "2037-07-01T02:00:00+02:00" },
    { __LINE__, "summer 2038, by the rule", "Europe/Prague", 2161555200,
      "2038-07-01T02:00:00+02:00" },
    { __LINE__, "before the spring change of 2100", "Europe/Prague", 4109878799,
      "2100-03-28T01:59:59+01:00" },
    { __LINE__, "at the spring change of 2100", "Europe/Prague", 4109878800,
      "2100-03-28T03:00:00+02:00" },
    { __LINE__, "at the autumn change of 2100", "Europe/Prague", 4128627600,
      "2100-10-31T02:00:00+01:00" },
    { __LINE__, "the end of 2199", "Europe/Prague", 7258114799,
      "2199-12-31T23:59:59+01:00" },
    { __LINE__, "Christmas 1946", "Europe/Prague", -726408000,
      "1946-12-25T12:00:00Z" },
    { __LINE__, "1 January 1900", "Europe/Prague", -2208988800,
      "1900-01-01T01:00:00+01:00" },
    { __LINE__, "Bucharest in winter", "Europe/Bucharest", 1705320000,
      "2024-01-15T14:00:00+02:00" },
    { __LINE__, "Bucharest before spring", "Europe/Bucharest", 1711846799,
      "2024-03-31T02:59:59+02:00" },
    { __LINE__, "Bucharest at spring", "Europe/Bucharest", 1711846800,
      "2024-03-31T04:00:00+03:00" },
    { __LINE__, "Bucharest at autumn", "Europe/Bucharest", 1729990800,
      "2024-10-27T03:00:00+02:00" },
    { __LINE__, "Bucharest in 2100", "Europe/Bucharest", 4118083200,
      "2100-07-01T03:00:00+03:00" },
    { __LINE__, "Bucharest in 1910", "Europe/Bucharest", -1893456000,
      "1910-01-01T01:44:00+01:44" },
    { __LINE__, "Budapest before spring", "Europe/Budapest", 1711846799,
      "2024-03-31T01:59:59+01:00" },
    { __LINE__, "Budapest at spring", "Europe/Budapest", 1711846800,
      "2024-03-31T03:00:00+02:00" },
    { __LINE__, "Budapest before autumn", "Europe/Budapest", 1698541199,
      "2023-10-29T02:59:59+02:00" },
    { __LINE__, "Budapest at autumn", "Europe/Budapest", 1698541200,
      "2023-10-29T02:00:00+01:00" },
    { __LINE__, "Budapest in 2100", "Europe/Budapest", 4131302400,
      "2100-12-01T01:00:00+01:00" },
    { __LINE__, "Istanbul in summer 2015", "Europe/Istanbul", 1435708800,
      "2015-07-01T03:00:00+03:00" },
    { __LINE__, "Istanbul in November 2015, late", "Europe/Istanbul",
      1446944399, "2015-11-08T03:59:59+03:00" },
    { __LINE__, "Istanbul in winter 2015", "Europe/Istanbul", 1446944400,
      "2015-11-08T03:00:00+02:00" },
    { __LINE__, "Istanbul at its last spring", "Europe/Istanbul", 1459040400,
      "2016-03-27T04:00:00+03:00" },
    { __LINE__, "Istanbul stays at +03 in 2016", "Europe/Istanbul", 1480550400,
      "2016-12-01T03:00:00+03:00" },
    { __LINE__, "Istanbul in summer 2024", "Europe/Istanbul", 1719792000,
      "2024-07-01T03:00:00+03:00" },
    { __LINE__, "Istanbul in 2100", "Europe/Istanbul", 4102444800,
      "2100-01-01T03:00:00+03:00" },
    { __LINE__, "Kolkata has half an hour", "Asia/Kolkata", 1704067200,
      "2024-01-01T05:30:00+05:30" },
    { __LINE__, "New York in summer", "America/New_York", 1719792000,
      "2024-06-30T20:00:00-04:00" },
    { __LINE__, "Lord Howe moves half an hour", "Australia/Lord_Howe",
      4102444800, "2100-01-01T11:00:00+11:00" },
    { __LINE__, "Santiago has summer in January", "America/Santiago",
      4102444800, "2099-12-31T21:00:00-03:00" },
    { __LINE__, "Dublin in winter", "Europe/Dublin", 4102444800,
      "2100-01-01T00:00:00Z" },
    { __LINE__, "Dublin in summer", "Europe/Dublin", 4118083200,
      "2100-07-01T01:00:00+01:00" },
    { __LINE__, "a fixed zone", "Etc/GMT+5", 1719792000,
      "2024-06-30T19:00:00-05:00" },
    { __LINE__, "UTC", "UTC", 1719792000, "2024-07-01T00:00:00Z" },
    { __LINE__, "UTC from its file", "Etc/UTC", 1719792000,
      "2024-07-01T00:00:00Z" },
};

static void test_instant(void **state)
{
    const struct instant_case *c = *state;
    struct arena a = { 0 };
    const struct zone *z = load(&a, c->zone);
    struct date d = zone_local(z, c->at);

    check_text(c->line, date_canon(&a, d), c->want);
    assert_int_equal(date_to_unix(d), c->at);
    d = zone_convert(z, date_from_unix(c->at));
    check_text(c->line, date_canon(&a, d), c->want);
    arena_release(&a);
}

/* ---- a time on a wall gets its offset ---- */

static struct wall_case {
    int line;
    const char *name, *zone, *in, *want;
} walls[] = {
    { __LINE__, "a winter noon", "Europe/Prague", "2024-01-15T12:00:00",
      "2024-01-15T12:00:00+01:00" },
    { __LINE__, "a summer noon", "Europe/Prague", "2024-07-15T12:00:00",
      "2024-07-15T12:00:00+02:00" },
    { __LINE__, "the last second before the gap", "Europe/Prague",
      "2024-03-31T01:59:59", "2024-03-31T01:59:59+01:00" },
    { __LINE__, "the first second of the gap", "Europe/Prague",
      "2024-03-31T02:00:00", "2024-03-31T02:00:00+01:00" },
    { __LINE__, "the last second of the gap", "Europe/Prague",
      "2024-03-31T02:59:59", "2024-03-31T02:59:59+01:00" },
    { __LINE__, "the first second after the gap", "Europe/Prague",
      "2024-03-31T03:00:00", "2024-03-31T03:00:00+02:00" },
    { __LINE__, "the last second before the overlap", "Europe/Prague",
      "2024-10-27T01:59:59", "2024-10-27T01:59:59+02:00" },
    { __LINE__, "the first second of the overlap", "Europe/Prague",
      "2024-10-27T02:00:00", "2024-10-27T02:00:00+02:00" },
    { __LINE__, "the last second of the overlap", "Europe/Prague",
      "2024-10-27T02:59:59", "2024-10-27T02:59:59+02:00" },
    { __LINE__, "the first second after the overlap", "Europe/Prague",
      "2024-10-27T03:00:00", "2024-10-27T03:00:00+01:00" },
    { __LINE__, "the gap of 2100", "Europe/Prague", "2100-03-28T02:30:00",
      "2100-03-28T02:30:00+01:00" },
    { __LINE__, "the overlap of 2100", "Europe/Prague", "2100-10-31T02:30:00",
      "2100-10-31T02:30:00+02:00" },
    { __LINE__, "after the overlap of 2100", "Europe/Prague",
      "2100-10-31T03:00:00", "2100-10-31T03:00:00+01:00" },
    { __LINE__, "the gap in Bucharest", "Europe/Bucharest",
      "2024-03-31T03:30:00", "2024-03-31T03:30:00+02:00" },
    { __LINE__, "the overlap in Bucharest", "Europe/Bucharest",
      "2024-10-27T03:30:00", "2024-10-27T03:30:00+03:00" },
    { __LINE__, "after the overlap in Bucharest", "Europe/Bucharest",
      "2024-10-27T04:00:00", "2024-10-27T04:00:00+02:00" },
    { __LINE__, "the gap in Budapest", "Europe/Budapest", "2023-03-26T02:30:00",
      "2023-03-26T02:30:00+01:00" },
    { __LINE__, "the overlap in Budapest", "Europe/Budapest",
      "2023-10-29T02:30:00", "2023-10-29T02:30:00+02:00" },
    { __LINE__, "the late overlap in Istanbul", "Europe/Istanbul",
      "2015-11-08T03:30:00", "2015-11-08T03:30:00+03:00" },
    { __LINE__, "after the late overlap in Istanbul", "Europe/Istanbul",
      "2015-11-08T04:00:00", "2015-11-08T04:00:00+02:00" },
    { __LINE__, "the last gap in Istanbul", "Europe/Istanbul",
      "2016-03-27T03:30:00", "2016-03-27T03:30:00+02:00" },
    { __LINE__, "no overlap in Istanbul in 2016", "Europe/Istanbul",
      "2016-10-30T03:30:00", "2016-10-30T03:30:00+03:00" },
    { __LINE__, "a winter in Istanbul", "Europe/Istanbul",
      "2024-01-15T12:00:00", "2024-01-15T12:00:00+03:00" },
    { __LINE__, "a day that Samoa left out", "Pacific/Apia",
      "2011-12-30T12:00:00", "2011-12-30T12:00:00-10:00" },
    { __LINE__, "the day after it", "Pacific/Apia", "2011-12-31T00:00:00",
      "2011-12-31T00:00:00+14:00" },
    { __LINE__, "the overlap on Lord Howe", "Australia/Lord_Howe",
      "2024-04-07T01:45:00", "2024-04-07T01:45:00+11:00" },
    { __LINE__, "UTC", "UTC", "2024-07-01T10:00:00", "2024-07-01T10:00:00Z" },
};

static void test_wall(void **state)
{
    const struct wall_case *c = *state;
    struct arena a = { 0 };
    const struct zone *z = load(&a, c->zone);
    struct date d;

    assert_true(date_read(str_of(c->in), STR("YYYY-MM-DDThh:mm:ss"), z, &d));
    check_text(c->line, date_canon(&a, d), c->want);
    d.offset = -123; /* an offset that it has is replaced */
    zone_apply(z, &d);
    check_text(c->line, date_canon(&a, d), c->want);
    arena_release(&a);
}

/* ---- rules, in the footer of a file that has nothing else ---- */

static size_t make_tzif(char *to, const char *footer, unsigned n_changes)
{
    static const char second[] = { 0, 0, 0, 0, 0, 0 }; /* UTC, no summer */
    char *p = to;

    memset(to, 0, 2 * 44);
    str_copy(p, STR("TZif2"));
    p += 44;
    str_copy(p, STR("TZif2"));
    p[35] = (char)n_changes;
    p[39] = 1; /* one type */
    p += 44;
    for (unsigned i = 0; i < n_changes; i++, p += 8) {
        memset(p, 0, 8);
        p[7] = (char)(i * 10);
    }
    memset(p, 0, n_changes);
    p += n_changes;
    memcpy(p, second, sizeof(second));
    p += sizeof(second);
    str_copy(p, str_of(footer));
    return (size_t)(p - to) + strlen(footer);
}

static const struct zone *parse_footer(struct arena *a, const char *rule,
                                       struct err *e)
{
    char file[512], footer[128];

    snprintf(footer, sizeof(footer), "\n%s\n", rule);
    return zone_parse(a, STR("test"),
                      (struct str){ file, make_tzif(file, footer, 0) }, e);
}

static struct rule_case {
    int line;
    const char *name, *rule;
    int64_t at;
    int32_t want; /* seconds */
} rules[] = {
    { __LINE__, "M in spring", "CET-1CEST,M3.5.0,M10.5.0/3", 4109878799, 3600 },
    { __LINE__, "M in spring, a second later", "CET-1CEST,M3.5.0,M10.5.0/3",
      4109878800, 7200 },
    { __LINE__, "the first week", "EST5EDT,M3.2.0,M11.1.0", 1730613599,
      -14400 },
    { __LINE__, "the first week, a second later", "EST5EDT,M3.2.0,M11.1.0",
      1730613600, -18000 },
    { __LINE__, "a month that begins on the day", "XXX0YYY,M9.1.0/0,M10.1.0/0",
      1725148800, 3600 },
    { __LINE__, "a fifth week that would be November",
      "XXX0YYY,M3.1.0/0,M10.5.5/0", 1729810800, 0 },
    { __LINE__, "a last week in December", "XXX0YYY,M6.1.0/0,M12.5.2/0",
      1735599600, 0 },
    { __LINE__, "a last week in December, later", "XXX0YYY,M6.1.0/0,M12.5.2/0",
      1735603200, 0 },
    { __LINE__, "south of the equator, January",
      "<-04>4<-03>,M9.1.6/24,M4.1.6/24", 4102444800, -10800 },
    { __LINE__, "south of the equator, July", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
      4118083200, -14400 },
    { __LINE__, "a negative time", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
      1711846799, -7200 },
    { __LINE__, "a negative time, a second later",
      "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1711846800, -3600 },
    { __LINE__, "a time of more than a day", "IST-2IDT,M3.4.4/26,M10.5.0",
      1711670399, 7200 },
    { __LINE__, "a time of more than a day, later",
      "IST-2IDT,M3.4.4/26,M10.5.0", 1711670400, 10800 },
    { __LINE__, "J60 is 1 March in a leap year", "XXX0YYY,J60/0,J300/0",
      1709251199, 0 },
    { __LINE__, "J60 is 1 March in a leap year, later", "XXX0YYY,J60/0,J300/0",
      1709251200, 3600 },
    { __LINE__, "J60 is 1 March in another year", "XXX0YYY,J60/0,J300/0",
      1677628800, 3600 },
    { __LINE__, "J59 is 28 February", "XXX0YYY,J59/0,J300/0", 1709078400,
      3600 },
    { __LINE__, "59 is 29 February in a leap year", "XXX0YYY,59/0,300/0",
      1709164800, 3600 },
    { __LINE__, "59 is 1 March in another year", "XXX0YYY,59/0,300/0",
      1677628799, 0 },
    { __LINE__, "59 is 1 March in another year, later", "XXX0YYY,59/0,300/0",
      1677628800, 3600 },
    { __LINE__, "365 is 31 December in a leap year", "XXX0YYY,100/0,365/0",
      1735599601, 0 },
    { __LINE__, "summer all year", "XXX3EDT4,0/0,J365/23", 1704079800, -14400 },
    { __LINE__, "summer all year, at its seam", "XXX3EDT4,0/0,J365/23",
      1735703999, -14400 },
    { __LINE__, "summer all year, July", "XXX3EDT4,0/0,J365/23", 1719792000,
      -14400 },
    { __LINE__, "a summer of half an hour",
      "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 4102444800, 39600 },
    { __LINE__, "an offset with seconds is rounded", "XXX-1:44:24", 1704067200,
      6240 },
    { __LINE__, "no summer", "<+03>-3", 1719792000, 10800 },
};

static void test_rule(void **state)
{
    const struct rule_case *c = *state;
    struct arena a = { 0 };
    struct err e;
    const struct zone *z = parse_footer(&a, c->rule, &e);

    if (!z)
        fail_msg("%s:%d: %s", __FILE__, c->line, e.text);
    if (zone_offset(z, c->at) != c->want)
        fail_msg("%s:%d: got %d, not %d", __FILE__, c->line,
                 (int)zone_offset(z, c->at), (int)c->want);
    arena_release(&a);
}

static struct bad_rule {
    int line;
    const char *name, *rule;
} bad_rules[] = {
    { __LINE__, "a name of two letters", "XX3" },
    { __LINE__, "no offset", "CET" },
    { __LINE__, "a name that does not end", "<+03-3" },
    { __LINE__, "an empty name", "<>-3" },
    { __LINE__, "an offset of 25 hours", "XXX25" },
    { __LINE__, "an offset of 60 minutes", "XXX1:60" },
    { __LINE__, "a summer without a rule", "CET-1CEST" },
    { __LINE__, "a summer without an end", "CET-1CEST,M3.5.0" },
    { __LINE__, "a third day", "CET-1CEST,M3.5.0,M10.5.0,M11.5.0" },
    { __LINE__, "month 0", "CET-1CEST,M0.5.0,M10.5.0" },
    { __LINE__, "month 13", "CET-1CEST,M13.5.0,M10.5.0" },
    { __LINE__, "week 0", "CET-1CEST,M3.0.0,M10.5.0" },
    { __LINE__, "week 6", "CET-1CEST,M3.6.0,M10.5.0" },
    { __LINE__, "weekday 7", "CET-1CEST,M3.5.7,M10.5.0" },
    { __LINE__, "J0", "CET-1CEST,J0,J300" },
    { __LINE__, "J366", "CET-1CEST,J60,J366" },
    { __LINE__, "day 366", "CET-1CEST,60,366" },
    { __LINE__, "a time of 168 hours", "CET-1CEST,60/168,300" },
    { __LINE__, "a time without digits", "CET-1CEST,60/,300" },
    { __LINE__, "a number of four digits", "CET-1CEST,0060,300" },
    { __LINE__, "something behind it", "CET-1 " },
};

static void test_bad_rule(void **state)
{
    const struct bad_rule *c = *state;
    struct arena a = { 0 };
    struct err e;

    if (parse_footer(&a, c->rule, &e))
        fail_msg("%s:%d: accepted", __FILE__, c->line);
    assert_non_null(strstr(e.text, "TZ rule"));
    arena_release(&a);
}

/* ---- broken files ---- */

enum { KEEP = -1 };

static struct broken_case {
    int line;
    const char *name;
    int at; /* this byte of a good file becomes `byte` */
    int byte;
    const char *why; /* NULL: still good */
} broken[] = {
    { __LINE__, "a good file", KEEP, 0, NULL },
    { __LINE__, "another magic", 0, 'X', "not a TZif" },
    { __LINE__, "version 1", 4, 0, "version 1" },
    { __LINE__, "version 4", 4, '4', NULL },
    { __LINE__, "a first block that is not there", 32, 1, "cut short" },
    { __LINE__, "a first block of gigabytes", 33, 127, "cut short" },
    { __LINE__, "another second magic", 44, 'X', "not a TZif" },
    { __LINE__, "no types", 44 + 39, 0, "no offset" },
    { __LINE__, "more types than bytes", 44 + 39, 99, "cut short" },
    { __LINE__, "a second block of gigabytes", 44 + 32, 127, "cut short" },
    { __LINE__, "names that are not there", 44 + 43, 99, "cut short" },
    { __LINE__, "changes out of order", 88 + 15, 30, "in order" },
    { __LINE__, "the same change twice", 88 + 15, 0, "in order" },
    { __LINE__, "a type that is not there", 88 + 25, 1, "not there" },
    { __LINE__, "an offset of years", 88 + 27, 127, "more than 16 hours" },
    { __LINE__, "no footer", 88 + 33, 'x', "no footer" },
};

static void test_broken(void **state)
{
    const struct broken_case *c = *state;
    char file[512];
    size_t len = make_tzif(file, "\nCET-1CEST,M3.5.0,M10.5.0/3\n", 3);
    struct arena a = { 0 };
    struct err e = { 0 };
    const struct zone *z;

    if (c->at != KEEP)
        file[c->at] = (char)c->byte;
    z = zone_parse(&a, STR("test"), (struct str){ file, len }, &e);
    if (!z != (c->why != NULL) || (c->why && !strstr(e.text, c->why)))
        fail_msg("%s:%d: %s", __FILE__, c->line, z ? "accepted" : e.text);
    assert_true(z || e.next == ERR_REJECT);
    arena_release(&a);
}

/* A file that ends anywhere is refused, without a look behind its end. */
static void test_cut(void **state)
{
    char file[512];
    size_t len = make_tzif(file, "\nCET-1CEST,M3.5.0,M10.5.0/3\n", 3);
    struct arena a = { 0 };

    (void)state;
    for (size_t n = 0; n < len; n++) {
        char *copy = malloc(n ? n : 1); /* so that ASan sees a step too far */
        struct err e;

        assert_non_null(copy);
        memcpy(copy, file, n);
        assert_null(zone_parse(&a, STR("test"), (struct str){ copy, n }, &e));
        free(copy);
    }
    arena_release(&a);
}

static void test_leap_seconds(void **state)
{
    char file[512];
    size_t len = make_tzif(file, "\n\n", 0);
    struct arena a = { 0 };
    struct err e;

    (void)state;
    file[44 + 31] = 1; /* one leap second, 12 bytes between types and footer */
    memmove(file + 94 + 12, file + 94, 2);
    memset(file + 94, 0, 12);
    assert_null(
        zone_parse(&a, STR("test"), (struct str){ file, len + 12 }, &e));
    assert_non_null(strstr(e.text, "leap seconds"));
    arena_release(&a);
}

static void test_no_rule(void **state)
{
    char file[512];
    size_t len = make_tzif(file, "\n\n", 3);
    struct arena a = { 0 };
    struct err e;
    const struct zone *z;

    (void)state;
    z = zone_parse(&a, STR("test"), (struct str){ file, len }, &e);
    assert_non_null(z);
    assert_int_equal(zone_offset(z, INT64_MIN), 0);
    assert_int_equal(zone_offset(z, INT64_MAX), 0);
    arena_release(&a);
}

/* ---- names ---- */

static struct name_case {
    int line;
    const char *name, *zone;
    const char *why; /* NULL: loads */
} names[] = {
    { __LINE__, "a folder and a name", "Europe/Prague", NULL },
    { __LINE__, "three levels", "America/Argentina/Buenos_Aires", NULL },
    { __LINE__, "plus and digits", "Etc/GMT+1", NULL },
    { __LINE__, "UTC", "UTC", NULL },
    { __LINE__, "nothing", "", "no name" },
    { __LINE__, "an absolute path", "/etc/passwd", "no name" },
    { __LINE__, "a way out", "../../../etc/passwd", "no name" },
    { __LINE__, "a way out inside", "Europe/../UTC", "no name" },
    { __LINE__, "two slashes", "Europe//Prague", "no name" },
    { __LINE__, "a slash at the end", "Europe/", "no name" },
    { __LINE__, "a blank", "Europe/ Prague", "no name" },
    { __LINE__, "a letter that is not ASCII", "Europe/Pr\xC3\xA1ha",
      "no name" },
    { __LINE__, "a POSIX string", "CET-1CEST,M3.5.0,M10.5.0", "no name" },
    { __LINE__, "a table of the database", "zone.tab", "no name" },
    { __LINE__, "too long a name",
      "Europe/PraguePraguePraguePraguePraguePraguePraguePraguePraguePrag",
      "no name" },
    { __LINE__, "a zone that is not there", "Europe/Brno", "no time zone" },
    { __LINE__, "a file as a folder", "Europe/Prague/Brno", "no time zone" },
    { __LINE__, "a folder", "Europe", "no time zone" },
};

static void test_name(void **state)
{
    const struct name_case *c = *state;
    struct arena a = { 0 };
    struct err e = { 0 };
    const struct zone *z = zone_load(&a, str_of(c->zone), &e);

    if (!z != (c->why != NULL) || (c->why && !strstr(e.text, c->why)))
        fail_msg("%s:%d: %s", __FILE__, c->line, z ? "loaded" : e.text);
    assert_true(z || e.next == ERR_REJECT);
    assert_null(zone_load(&a, (struct str){ "UTC", 4 }, &e)); /* a NUL */
    arena_release(&a);
}

/* ---- the rest ---- */

static void test_convert(void **state)
{
    struct arena a = { 0 };
    const struct zone *istanbul = load(&a, "Europe/Istanbul");
    struct date d;

    (void)state;
    assert_true(date_from_canon(STR("2024-12-31T23:30:00+01:00"), &d));
    check_text(__LINE__, date_canon(&a, zone_convert(istanbul, d)),
               "2025-01-01T01:30:00+03:00");
    assert_true(date_from_canon(STR("2024-12-31T23:30:00"), &d));
    check_text(__LINE__, date_canon(&a, zone_convert(istanbul, d)),
               "2024-12-31T23:30:00");
    assert_true(date_from_canon(STR("2024-12-31"), &d));
    check_text(__LINE__, date_canon(&a, zone_convert(istanbul, d)),
               "2024-12-31");
    zone_apply(istanbul, &d);
    check_text(__LINE__, date_canon(&a, d), "2024-12-31");
    /* "For ever" stays that: the year 10000 is none. */
    assert_true(date_from_canon(STR("9999-12-31T23:59:59Z"), &d));
    check_text(__LINE__, date_canon(&a, zone_convert(istanbul, d)),
               "9999-12-31T23:59:59+03:00");
    arena_release(&a);
}

static void test_read_in_zone(void **state)
{
    struct arena a = { 0 };
    const struct zone *prague = load(&a, "Europe/Prague");
    struct date d;

    (void)state;
    assert_true(date_read(STR("1711846800"), STR("unix"), prague, &d));
    check_text(__LINE__, date_canon(&a, d), "2024-03-31T03:00:00+02:00");
    assert_true(date_read(STR("45356.5"), STR("excel"), prague, &d));
    check_text(__LINE__, date_canon(&a, d), "2024-03-05T12:00:00+01:00");
    assert_true(date_read(STR("2024-07-01 10:00:00"),
                          STR("YYYY-MM-DD hh:mm:ss"), prague, &d));
    check_text(__LINE__, date_canon(&a, d), "2024-07-01T10:00:00+02:00");
    assert_true(date_read(STR("2024-07-01T10:00Z"), STR("YYYY-MM-DDThh:mmZ"),
                          prague, &d));
    check_text(__LINE__, date_canon(&a, d), "2024-07-01T10:00:00Z");
    assert_true(date_read(STR("2024-07-01"), STR("YYYY-MM-DD"), prague, &d));
    check_text(__LINE__, date_canon(&a, d), "2024-07-01");
    arena_release(&a);
}

/* Each hour of years with and without the table: there and back again. */
static void test_there_and_back(void **state)
{
    struct arena a = { 0 };
    const struct zone *z = load(&a, "Europe/Bucharest");

    (void)state;
    for (int64_t t = 1672531200; t < 1672531200 + 3600 * 24 * 1000; t += 3600) {
        struct date d = zone_local(z, t), e = d;

        zone_apply(z, &e);
        assert_int_equal(date_to_unix(d), t);
        /* the second hour of an overlap becomes the first one */
        assert_true(e.offset == d.offset || e.offset == d.offset + 60);
    }
    arena_release(&a);
}

static struct CMUnitTest tests[COUNT(instants) + COUNT(walls) + COUNT(rules) +
                               COUNT(bad_rules) + COUNT(broken) + COUNT(names) +
                               6];
static size_t n_tests;

#define ADD_ROWS(fn, rows)                   \
    for (size_t i = 0; i < COUNT(rows); i++) \
    tests[n_tests++] = (struct CMUnitTest)ROW(fn, &(rows)[i])

int main(void)
{
    ADD_ROWS(test_instant, instants);
    ADD_ROWS(test_wall, walls);
    ADD_ROWS(test_rule, rules);
    ADD_ROWS(test_bad_rule, bad_rules);
    ADD_ROWS(test_broken, broken);
    ADD_ROWS(test_name, names);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_cut);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_leap_seconds);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_no_rule);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_convert);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_read_in_zone);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_there_and_back);
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
