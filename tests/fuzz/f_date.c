/*
 * f_date.c - dates by patterns, and the files of time zones.
 *
 * Input: a pattern, a date, a TZif file; "%%" between them.
 */
#include "converters/base/date.h"
#include "tests/fuzz/fuzz.h"

static void check_date(struct arena *a, struct date d, struct str pattern,
                       const struct zone *zone)
{
    struct date other;

    FUZZ_CHECK(date_valid(&d));
    FUZZ_CHECK(date_from_canon(date_canon(a, d), &other));
    FUZZ_CHECK(date_cmp(d, other) == 0 && d.has_time == other.has_time);
    (void)date_format(a, d, pattern);
    if (d.has_offset) {
        other = date_from_unix(date_to_unix(d));
        FUZZ_CHECK(date_to_unix(other) == date_to_unix(d));
    }
    if (date_add_days(d, 40000, &other) && date_add_days(other, -40000, &other))
        FUZZ_CHECK(date_cmp(d, other) == 0);
    if (date_add_months(d, 5, &other))
        FUZZ_CHECK(date_valid(&other));
    if (!zone)
        return;
    other = d;
    zone_apply(zone, &other);
    (void)zone_convert(zone, other);
}

static void ask_zone(const struct zone *z)
{
    static const int64_t times[] = { 0,           -1,          1800000000,
                                     4000000000,  -4000000000, INT32_MAX,
                                     32503680000, INT32_MIN };

    for (size_t i = 0; i < COUNT(times); i++) {
        struct date d = zone_local(z, times[i]);
        int32_t offset = zone_offset(z, times[i]);

        FUZZ_CHECK(offset % 60 == 0);
        FUZZ_CHECK(date_to_unix(d) == times[i]);
    }
}

void fuzz_one(struct str data)
{
    struct str pattern = fuzz_part(&data), text = fuzz_part(&data);
    struct arena a = { 0 };
    const struct zone *zone = NULL;
    struct date d;
    struct err e;

    if (data.len)
        zone = zone_parse(&a, STR("Fuzz/Zone"), data, &e);
    if (zone)
        ask_zone(zone);
    if (!date_pattern_read_ok(pattern)) {
        FUZZ_CHECK(!date_pattern_ok(pattern));
        if (date_read(text, pattern, zone, &d))
            check_date(&a, d, pattern, zone);
    }
    if (date_from_canon(text, &d))
        check_date(&a, d, pattern, zone);
    arena_release(&a);
}
