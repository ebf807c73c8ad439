#include "spool/schedule.h"

#define DAY INT64_C(86400)

enum { MINUTE = 60, HOUR = 3600, CORRECTION = 3 * HOUR };

/* ---- times of a day ----------------------------------------------------- */

/* Of the seconds in (t - gap, t], the first with the offset that t has. */
static int64_t behind_gap(const struct zone *z, int64_t t, int64_t gap)
{
    int32_t after = zone_offset(z, t);
    int64_t low = t - gap;

    while (t - low > 1) {
        int64_t middle = low + (t - low) / 2;

        if (zone_offset(z, middle) == after)
            t = middle;
        else
            low = middle;
    }
    return t;
}

/* The instant at which the wall's clock shows this time of the day. */
static int64_t instant(const struct zone *z, struct date day, uint16_t minutes)
{
    int64_t t;
    int32_t gap;

    day.hour = (uint8_t)(minutes / 60);
    day.minute = (uint8_t)(minutes % 60);
    day.second = 0;
    day.has_time = true;
    if (!z)
        return date_to_unix(day);
    zone_apply(z, &day);
    t = date_to_unix(day);
    gap = zone_offset(z, t) - day.offset * MINUTE;
    return gap > 0 ? behind_gap(z, t, gap) : t;
}

static struct date local(const struct zone *z, int64_t t)
{
    return z ? zone_local(z, t) : date_from_unix(t);
}

/*
 * The last slot in (from, to] if `want_last`, else the first; 0: there is
 * none. Days are few: whoever slept for a month needs only the last of them.
 */
static int64_t slot_between(const struct schedule *s, int64_t from, int64_t to,
                            bool want_last)
{
    struct date day = local(s->zone, from);
    int64_t found = 0;

    do {
        for (int i = 0; i < s->n_at; i++) {
            int64_t t = instant(s->zone, day, s->at[i]);

            if (t <= from || t > to)
                continue;
            if (!found || (want_last ? t > found : t < found))
                found = t;
        }
        if (found && !want_last)
            return found;
    } while (date_add_days(day, 1, &day) && instant(s->zone, day, 0) <= to);
    return found;
}

/* ---- both kinds --------------------------------------------------------- */

void schedule_begin(const struct schedule *s, struct schedule_state *st,
                    int64_t now, int64_t up)
{
    int64_t passed = now - st->last, interval = (int64_t)s->minutes * MINUTE;

    if (!st->last && s->kind == SCHEDULE_AT)
        st->last = now;
    /* What the other clock showed then is not known: from the wall's. */
    if (passed < 0)
        passed = 0;
    st->last_up = up - (passed < interval ? passed : interval);
}

void schedule_ran(struct schedule_state *st, int64_t now, int64_t up)
{
    st->last = now;
    st->last_up = up;
}

bool schedule_due(const struct schedule *s, struct schedule_state *st,
                  int64_t now, int64_t up)
{
    switch (s->kind) {
    case SCHEDULE_EVERY:
        return up - st->last_up >= (int64_t)s->minutes * MINUTE;
    case SCHEDULE_AT:
        if (st->last - now > CORRECTION)
            st->last = now;
        return st->last < now &&
               slot_between(s,
                            now - st->last > 8 * DAY ? now - 8 * DAY : st->last,
                            now, true) != 0;
    case SCHEDULE_FILE:
    case SCHEDULE_AFTER:
    case SCHEDULE_HAND:
        break;
    }
    return false;
}

int64_t schedule_wait(const struct schedule *s, const struct schedule_state *st,
                      int64_t now, int64_t up)
{
    struct schedule_state same = *st;
    int64_t from, next;

    if (schedule_due(s, &same, now, up))
        return 0;
    if (s->kind == SCHEDULE_EVERY)
        return st->last_up + (int64_t)s->minutes * MINUTE - up;
    if (s->kind != SCHEDULE_AT)
        return -1;
    from = same.last > now ? same.last : now;
    next = slot_between(s, from, from + 3 * DAY, false);
    return next ? next - now : -1;
}

struct str interval_text(struct arena *a, uint32_t minutes)
{
    static const struct {
        const char *name;
        uint32_t minutes;
    } units[] = { { "day", 1440 }, { "hour", 60 }, { "minute", 1 } };
    size_t i = 0;

    while (minutes % units[i].minutes)
        i++;
    minutes /= units[i].minutes;
    return arena_fmt(a, "%u %s%s", minutes, units[i].name,
                     minutes == 1 ? "" : "s");
}
