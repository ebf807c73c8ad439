/* eval_rule.c - clauses, and texts with {expressions}. */
#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/lang/eval.h"
#include "converters/lang/table.h"

/*
 * How many characters or bytes cp makes in the output. A limit is the
 * receiver's, who counts what stands for a character (TL for ₺), too.
 */
static size_t width_of(struct run *r, uint32_t cp, bool bytes)
{
    const struct charset *cs = r->map->charset;
    unsigned width = cs ? charset_width(cs, cp) : 1;
    struct str text;

    if (width)
        return bytes ? width : 1;
    /* A charset that lacks a character has one byte for each. */
    if (r->fallback && r->fallback(r->ctx_of, cp, &text))
        return utf8_count(text);
    return 1;
}

bool eval_surely_fits(const struct run *r, struct str s, uint32_t max)
{
    size_t n;

    /* One byte is one, two bytes are FALLBACK_MAX at most. */
    if (s.len <= max / (FALLBACK_MAX / 2) && !r->long_stand_ins)
        return true;
    if (s.len > max)
        return false;
    /* Each character that is not ASCII has a second byte at least. */
    n = utf8_count(s);
    return n == s.len ||
           (!r->long_stand_ins && n + (FALLBACK_MAX - 1) * (s.len - n) <= max);
}

static bool apply_cut(struct run *r, const struct clause *c, struct val *v,
                      bool bytes)
{
    const struct charset *cs = r->map->charset;
    bool wide = bytes && cs && cs->kind == CS_UTF16;
    struct str s = val_str(r, v);
    size_t at = 0, n = 0;

    /* UTF-16 has two or four bytes for each. */
    if (eval_surely_fits(r, s, wide ? c->n / 4 : c->n))
        return true;
    while (at < s.len) {
        size_t plain = wide ? 0 : utf8_ascii_len(str_from(s, at)), before;

        if (plain > c->n - n)
            plain = c->n - n;
        n += plain;
        before = at += plain;
        if (at == s.len)
            break;
        n += width_of(r, (uint32_t)utf8_next(s, &at), bytes);
        if (n > c->n) {
            struct str kept = str_first(s, before);

            (void)RUN_FAULT(
                r, CUT, c->at, v, s,
                arena_fmt(r->a, "%u %s", c->n, bytes ? "bytes" : "characters"));
            v->kind = kept.len ? V_TEXT : V_EMPTY;
            v->s = kept;
            return true;
        }
    }
    return true;
}

static bool apply_max(struct run *r, const struct clause *c, struct val *v)
{
    struct str s = val_str(r, v);
    size_t at = 0, n = 0;

    if (eval_surely_fits(r, s, c->n))
        return true;
    while (at < s.len) {
        size_t plain = utf8_ascii_len(str_from(s, at));

        n += plain;
        at += plain;
        if (at < s.len)
            n += width_of(r, (uint32_t)utf8_next(s, &at), false);
    }
    if (n <= c->n)
        return true;
    return RUN_FAULT(r, TOO_LONG, c->at, v, s, arena_fmt(r->a, "%zu", n),
                     arena_fmt(r->a, "%u", c->n));
}

static bool apply_as(struct run *r, const struct clause *c, struct val *v)
{
    struct dec d;
    struct date t;
    struct str s;
    struct expr e = { .at = c->at };

    if (!c->n) {
        if (!val_to_date(r, &e, v, &t))
            return false;
        if (r->map->zone)
            t = zone_convert(r->map->zone, t);
        s = date_format(r->a, t, c->format);
    } else {
        if (!val_to_dec(r, &e, v, &d))
            return false;
        if (!dec_format(r->a, d, c->format, &s))
            return eval_overflow(r, &e, v);
    }
    v->kind = V_TEXT;
    v->s = s;
    return true;
}

static bool apply_check(struct run *r, const struct clause *c,
                        const struct val *v)
{
    struct str s = val_str(r, v), shown;

    if (c->check->ok(s))
        return true;
    shown = idcheck_shown(c->check, r->a, s);
    if (c->reject)
        return RUN_FAULT(r, CHECK_REJECT, c->at, v, shown,
                         str_of(c->check->name));
    (void)RUN_FAULT(r, CHECK_FAILED, c->at, v, shown, str_of(c->check->name));
    return true;
}

static struct str what_is_required(struct run *r, const struct rule *rule)
{
    const struct place *at = &rule->e->at;
    struct str text = at->src->text;
    uint32_t line = 1;

    while (line < at->line && text.len) {
        ptrdiff_t nl = str_find_char(text, '\n');

        text = str_from(text, nl < 0 ? text.len : (size_t)nl + 1);
        line++;
    }
    text = str_from(text, utf8_offset(text, at->col - 1));
    return arena_str(r->a, str_first(text, utf8_offset(text, at->len)));
}

static bool apply(struct run *r, const struct rule *rule,
                  const struct clause *c, struct val *v)
{
    struct val in = *v;

    switch (c->kind) {
    case C_VIA:
        return table_apply(r, c->at, c->table, &in, v);
    case C_DEFAULT:
        return !val_is_empty(v) || eval(r, c->e, v);
    case C_REQUIRED:
        return !val_is_empty(v) ||
               RUN_FAULT(r, REQUIRED, rule->at, v, what_is_required(r, rule));
    default:
        break;
    }
    if (val_is_empty(v))
        return true;
    switch (c->kind) {
    case C_MAX:
        return apply_max(r, c, v);
    case C_CUT:
    case C_CUT_BYTES:
        return apply_cut(r, c, v, c->kind == C_CUT_BYTES);
    case C_AS:
        return apply_as(r, c, v);
    default:
        return apply_check(r, c, v);
    }
}

bool eval_rule(struct run *r, const struct rule *rule, struct val *out)
{
    if (!eval(r, rule->e, out))
        return false;
    for (const struct clause *c = rule->clauses; c; c = c->next) {
        const struct item *item = out->item;
        int32_t cell = out->cell;

        if (!apply(r, rule, c, out))
            return false;
        if (!out->item) {
            out->item = item;
            out->cell = cell;
        }
    }
    return true;
}

/* The largest offset up to max that is not inside a character. */
static size_t utf8_offset_before(struct str s, size_t max)
{
    while (max > 0 && max < s.len && (s.p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* A text that is longer than a megabyte ends there. */
bool eval_pieces(struct run *r, const struct piece *p, struct str *out)
{
    struct buf b;
    bool ok = true;

    buf_init(&b, MB(1));
    for (; ok && p; p = p->next) {
        struct str s = p->text;
        struct val v;

        if (p->rule) {
            ok = eval_rule(r, p->rule, &v);
            if (!ok)
                break;
            s = val_str(r, &v);
        }
        if (buf_add(&b, s) == -1)
            (void)buf_add(&b,
                          str_first(s, utf8_offset_before(s, b.max - b.len)));
    }
    *out = arena_str(r->a, buf_str(&b));
    buf_release(&b);
    return ok;
}
