/* val.c - values as text, number, date, yes/no; faults and arguments. */
#include "converters/lang/run.h"

/* ---- faults ------------------------------------------------------------- */

/* Write maps: the document or member that is being written. */
static const struct doc *innermost(const struct run *r)
{
    int i = MAX_SCOPES;

    while (i && !r->scope[i - 1])
        i--;
    return i ? r->scope[i - 1] : NULL;
}

/* Read maps: where a value stood, or else the record or row at work. */
static const struct item *place_in_data(const struct run *r,
                                        const struct val *v)
{
    if (v && v->item)
        return v->item;
    if (r->ctx.item)
        return r->ctx.item;
    return r->ctx.n_rows ? r->ctx.rows[0] : NULL;
}

bool run_fault(struct run *r, enum diag_id id, struct place at,
               const struct val *v, const struct str *args, size_t n_args)
{
    struct fault f = { .id = id, .map = at, .cell = -1, .field = -1 };

    f.item = place_in_data(r, v);
    if (v && v->item)
        f.cell = v->cell;
    f.doc = innermost(r);
    for (size_t i = 0; i < n_args && i < DIAG_ARGS; i++)
        f.args[i] = args[i];
    if (diag_table[id].level == DIAG_ERROR)
        r->failed = true;
    r->raise(r->ctx_of, &f);
    return false;
}

/* The place of a column in a file without header, from 1; 0: not known. */
static uint32_t column_of(const struct reader *reader, int32_t cell)
{
    const struct want *w = reader->plan ? reader->plan->record->child : NULL;

    for (; w; w = w->next)
        for (uint32_t i = 0; w->kind == WANT_NTH && i < w->n_cells; i++)
            if (w->cells[i] == (uint32_t)cell)
                return w->nth;
    return 0;
}

static struct str where_cell(const struct run *r, int32_t cell)
{
    const struct str *titles = r->reader ? r->reader->titles : NULL;
    uint32_t n;

    if (titles && titles[cell].len)
        return arena_fmt(r->a, " in column %.*s", STR_ARGS(titles[cell]));
    n = r->reader ? column_of(r->reader, cell) : 0;
    return n ? arena_fmt(r->a, " in column %u", n) : STR("");
}

struct str where_of(const struct run *r, const struct val *v)
{
    if (!v || !v->item)
        return STR("");
    if (v->cell >= 0)
        return where_cell(r, v->cell);
    if (!v->item->name.len)
        return STR("");
    return arena_fmt(r->a, " in %s %.*s",
                     v->item->want && v->item->want->kind == WANT_ATTRIBUTE
                         ? "attribute"
                         : "element",
                     STR_ARGS(v->item->name));
}

/* ---- as text ------------------------------------------------------------ */

static struct str dec_canonical(const struct run *r, const struct val *v)
{
    return v->s.len ? v->s : dec_text(r->a, v->d);
}

/* "-1234567" is "-1 234 567". */
static struct str in_groups(struct arena *a, struct str whole, struct str sign)
{
    char *to = arena_text(a, whole.len * (1 + sign.len));
    size_t n = 0;

    for (size_t i = 0; i < whole.len; i++) {
        to[n++] = whole.p[i];
        if (whole.p[i] == '-' || i + 1 == whole.len || (whole.len - i) % 3 != 1)
            continue;
        str_copy(to + n, sign);
        n += sign.len;
    }
    return (struct str){ to, n };
}

static struct str dec_str(struct run *r, const struct val *v)
{
    struct str s = dec_canonical(r, v), groups = r->map->num.thousands;
    ptrdiff_t at = str_find_char(s, '.');
    char *to;

    if (r->map->is_write && groups.len) {
        size_t n = at < 0 ? s.len : (size_t)at;

        return arena_fmt(r->a, "%.*s%.*s%.*s",
                         STR_ARGS(in_groups(r->a, str_first(s, n), groups)),
                         at >= 0, &r->map->num.point,
                         STR_ARGS(str_from(s, at < 0 ? n : n + 1)));
    }

    if (at < 0 || r->map->num.point != ',')
        return s;
    to = arena_text(r->a, s.len);
    str_copy(to, s);
    to[at] = ',';
    return (struct str){ to, s.len };
}

/* The date as it is, moved into the map's zone where both know one. */
static bool date_here(const struct run *r, const struct val *v,
                      struct date *out)
{
    if (v->has_t)
        *out = v->t;
    else if (!date_from_canon(v->s, out))
        return false;
    if (r->map->zone && out->has_time && out->has_offset)
        *out = zone_convert(r->map->zone, *out);
    return true;
}

static struct str date_str(struct run *r, const struct val *v)
{
    struct date t;

    if (!date_here(r, v, &t))
        return v->s;
    if (r->map->n_dates)
        return date_format(r->a, t, r->map->dates[0]);
    return date_format(
        r->a, t, t.has_time ? STR("YYYY-MM-DDThh:mm:ss") : STR("YYYY-MM-DD"));
}

static struct str word_of(const struct map *m, bool yes)
{
    struct str word = yes ? m->yes : m->no;

    return word.p ? word : yes ? STR("true") : STR("false");
}

struct str val_str(struct run *r, const struct val *v)
{
    switch (v->kind) {
    case V_EMPTY:
        break;
    case V_TEXT:
        return v->s;
    case V_DEC:
        return dec_str(r, v);
    case V_DATE:
        return date_str(r, v);
    case V_BOOL:
        return word_of(r->map, v->yes);
    }
    return STR("");
}

bool val_format(struct run *r, const struct expr *at, const struct val *v,
                struct str format, struct str *out)
{
    struct val moved;
    struct date t;
    struct dec d;

    if (v->kind != V_DATE && !dec_pattern_ok(format)) {
        if (!val_to_dec(r, at, v, &d))
            return false;
        if (dec_format(r->a, d, format, out))
            return true;
        return RUN_FAULT(r, NUMBER_OVERFLOW, at->at, v, val_str(r, v),
                         where_of(r, v));
    }
    if (date_pattern_ok(format))
        return RUN_FAULT(r, PATTERN, at->at, v, format,
                         str_of(date_pattern_ok(format)));
    if (!val_to_date(r, at, v, &t))
        return false;
    moved = val_date(t);
    (void)date_here(r, &moved, &t);
    *out = date_format(r->a, t, format);
    return true;
}

/* ---- as a number -------------------------------------------------------- */

static enum dec_result read_dec(const struct run *r, const struct val *v,
                                struct dec *out)
{
    struct numfmt f = r->map->num;

    if (v->kind == V_DEC) {
        if (v->has_d)
            *out = v->d;
        return v->has_d || dec_from_canon(v->s, out) ? DEC_OK : DEC_OVERFLOW;
    }
    if (v->kind != V_TEXT)
        return DEC_SYNTAX;
    if (!f.point)
        f.point = '.';
    return dec_read(v->s, &f, out);
}

bool val_is_dec(const struct run *r, const struct val *v, struct dec *out)
{
    return read_dec(r, v, out) == DEC_OK;
}

/* Only where no other meaning is left: "1.149" alone may be 1 or 1149. */
struct str where_of_number(const struct run *r, const struct val *v,
                           struct str s)
{
    struct numfmt f = r->map->num;
    struct str where = where_of(r, v), sign;
    struct dec d;

    f.point = f.point ? f.point : '.';
    sign = f.point == ',' ? STR(".") : STR(",");
    if (f.thousands.len)
        return where;
    f.thousands = STR(" ");
    if (dec_read(s, &f, &d) == DEC_OK)
        return arena_fmt(r->a, "%.*s; thousands space in the map would read it",
                         STR_ARGS(where));
    f.thousands = sign;
    if (str_find_char(s, f.point) >= 0 && dec_read(s, &f, &d) == DEC_OK)
        return arena_fmt(r->a, "%.*s; thousands %.*s in the map would read it",
                         STR_ARGS(where), STR_ARGS(sign));
    return where;
}

bool val_to_dec(struct run *r, const struct expr *e, const struct val *v,
                struct dec *out)
{
    switch (read_dec(r, v, out)) {
    case DEC_OK:
        return true;
    case DEC_OVERFLOW:
        return RUN_FAULT(r, NUMBER_OVERFLOW, e->at, v, val_str(r, v),
                         where_of(r, v));
    case DEC_SYNTAX:
        break;
    }
    return RUN_FAULT(r, NUMBER_SYNTAX, e->at, v, val_str(r, v),
                     where_of_number(r, v, val_str(r, v)));
}

bool val_to_int(struct run *r, const struct expr *e, const struct val *v,
                int32_t min, int32_t max, int32_t *out)
{
    struct dec d;

    if (v->kind != V_EMPTY && !val_to_dec(r, e, v, &d))
        return false;
    if (v->kind != V_EMPTY) {
        d = dec_strip(d);
        if (d.scale == 0 && d.units >= min && d.units <= max) {
            *out = (int32_t)d.units;
            return true;
        }
    }
    return RUN_FAULT(r, WHOLE_NUMBER, e->at, v, val_str(r, v),
                     arena_fmt(r->a, "%d", min), arena_fmt(r->a, "%d", max));
}

bool val_to_count(struct run *r, const struct expr *e, const struct val *v,
                  uint32_t *out)
{
    int32_t n = 0;

    if (!val_to_int(r, e, v, 0, 1000000, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

/* ---- as a date ---------------------------------------------------------- */

static const struct str iso_dates[] = {
    { "YYYY-MM-DD", 10 },
    { "YYYY-MM-DD hh:mm:ss", 19 },
    { "YYYY-MM-DDThh:mm:ss", 19 },
    { "YYYY-MM-DDThh:mm:ssZ", 20 },
};

/* The patterns that texts are tried by. */
static const struct str *date_patterns(const struct map *m, size_t *n)
{
    *n = m->n_dates ? (size_t)m->n_dates : COUNT(iso_dates);
    return m->n_dates ? m->dates : iso_dates;
}

bool val_is_date(const struct run *r, const struct val *v, struct date *out)
{
    const struct str *patterns;
    struct str s;
    size_t n;

    if (v->kind == V_DATE) {
        if (v->has_t)
            *out = v->t;
        return v->has_t || date_from_canon(v->s, out);
    }
    if (v->kind != V_TEXT && v->kind != V_DEC)
        return false;
    s = v->kind == V_DEC ? dec_canonical(r, v) : v->s; /* unix, excel */
    patterns = date_patterns(r->map, &n);
    for (size_t i = 0; i < n; i++)
        if (date_read(s, patterns[i], r->map->zone, out))
            return true;
    return false;
}

int val_date_cmp(const struct run *r, struct date a, struct date b)
{
    if (r->map->zone) {
        a = zone_convert(r->map->zone, a);
        b = zone_convert(r->map->zone, b);
    }
    return date_cmp(a, b);
}

/* "DD.MM.YYYY or unix", for the message. */
static struct str patterns_listed(struct run *r)
{
    size_t n;
    const struct str *p = date_patterns(r->map, &n);
    struct str s = p[0];

    for (size_t i = 1; i < n; i++)
        s = arena_fmt(r->a, "%.*s or %.*s", STR_ARGS(s), STR_ARGS(p[i]));
    return s;
}

bool val_to_date(struct run *r, const struct expr *e, const struct val *v,
                 struct date *out)
{
    if (val_is_date(r, v, out))
        return true;
    return RUN_FAULT(r, DATE_SYNTAX, e->at, v, val_str(r, v), where_of(r, v),
                     patterns_listed(r));
}

/* ---- as yes or no ------------------------------------------------------- */

/* The map's own words come first: they may mean the opposite of ours. */
static bool read_bool(const struct map *m, struct str s, bool *out)
{
    const struct {
        struct str word;
        bool yes;
    } words[] = {
        { word_of(m, true), true },
        { word_of(m, false), false },
        { STR("yes"), true },
        { STR("no"), false },
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq_nocase(s, words[i].word)) {
            *out = words[i].yes;
            return true;
        }
    return false;
}

bool val_to_bool(struct run *r, const struct expr *e, const struct val *v,
                 bool *out)
{
    if (v->kind == V_BOOL) {
        *out = v->yes;
        return true;
    }
    if (read_bool(r->map, str_trim(val_str(r, v)), out))
        return true;
    return RUN_FAULT(r, BOOL_SYNTAX, e->at, v, val_str(r, v), where_of(r, v),
                     arena_fmt(r->a, "%.*s nor %.*s",
                               STR_ARGS(word_of(r->map, true)),
                               STR_ARGS(word_of(r->map, false))));
}

/* ---- arguments of functions --------------------------------------------- */

const struct expr *arg(const struct expr *call, int i)
{
    const struct expr *e = call->args;

    while (e && i--)
        e = e->next;
    return e;
}

bool arg_val(struct run *r, const struct expr *call, int i, struct val *out)
{
    const struct expr *e = arg(call, i);

    *out = val_empty();
    return !e || eval(r, e, out);
}

bool arg_str(struct run *r, const struct expr *call, int i, struct str *out)
{
    struct val v;

    if (!arg_val(r, call, i, &v))
        return false;
    *out = val_str(r, &v);
    return true;
}

/* ---- the file ----------------------------------------------------------- */

void run_info_file(struct run_info *i, struct str file, struct str member)
{
    size_t from = file.len, dot;

    while (from > 0 && file.p[from - 1] != '/')
        from--;
    i->file_name = str_from(file, from);
    i->file_member = member;
    dot = i->file_name.len;
    while (dot > 0 && i->file_name.p[dot - 1] != '.')
        dot--;
    i->file_base =
        str_first(i->file_name, dot > 1 ? dot - 1 : i->file_name.len);
}
