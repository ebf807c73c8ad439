/* fn_date.c - functions over dates. An empty date gives empty. */
#include "converters/lang/fn.h"

static bool fn_date_of(struct run *r, const struct expr *e, struct val *out)
{
    struct str pattern, s;
    struct val v;
    struct date t;

    if (!arg_val(r, e, 0, &v) || !arg_str(r, e, 1, &pattern))
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    s = v.kind == V_DEC && v.s.len ? v.s : val_str(r, &v);
    if (v.kind == V_DATE || !pattern.len) {
        if (!val_to_date(r, arg(e, 0), &v, &t))
            return false;
    } else if (!date_read(s, pattern, r->map->zone, &t)) {
        return RUN_FAULT(r, DATE_SYNTAX, arg(e, 0)->at, &v, s, where_of(r, &v),
                         pattern);
    }
    *out = val_date(t);
    out->item = v.item;
    out->cell = v.cell;
    return true;
}

static bool fn_now(struct run *r, const struct expr *e, struct val *out)
{
    (void)e;
    *out = val_date(r->info->run_time);
    return true;
}

static bool fn_today(struct run *r, const struct expr *e, struct val *out)
{
    struct date t = r->info->run_time;

    (void)e;
    *out = val_date(
        (struct date){ .year = t.year, .month = t.month, .day = t.day });
    return true;
}

/* Moves argument 0 by argument 1; on the wall of the map's zone. */
static bool move(struct run *r, const struct expr *e, struct val *out,
                 bool (*add)(struct date d, int64_t n, struct date *out))
{
    const struct zone *zone = r->map->zone;
    struct val v, by;
    struct date t;
    int32_t n;
    bool zoned;

    if (!arg_val(r, e, 0, &v) || !arg_val(r, e, 1, &by))
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    if (!val_to_date(r, arg(e, 0), &v, &t) ||
        !val_to_int(r, arg(e, 1), &by, -1000000, 1000000, &n))
        return false;
    zoned = zone && t.has_time && t.has_offset;
    if (zoned)
        t = zone_convert(zone, t);
    if (!add(t, n, &t))
        return run_fault(r, DIAG_DATE_RANGE, e->at, &v, NULL, 0);
    if (zoned)
        zone_apply(zone, &t);
    *out = val_date(t);
    return true;
}

static bool fn_add_days(struct run *r, const struct expr *e, struct val *out)
{
    return move(r, e, out, date_add_days);
}

static bool fn_add_months(struct run *r, const struct expr *e, struct val *out)
{
    return move(r, e, out, date_add_months);
}

const struct func fn_date[] = {
    { "date", 1, 2, FN_DATE, 1, "x, \"pattern\"",
      "a text as a date; pattern: how it is written, else as the map says",
      fn_date_of },
    { "today", 0, 0, FN_BARE, -1, "", "the date of the run", fn_today },
    { "now", 0, 0, FN_BARE, -1, "", "date and time of the run", fn_now },
    { "add_days", 2, 2, 0, -1, "date, n", "n days later; earlier if negative",
      fn_add_days },
    { "add_months", 2, 2, 0, -1, "date, n",
      "n months later; a day that the month lacks is its last", fn_add_months },
    { 0 },
};
