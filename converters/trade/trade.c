#include "converters/trade/trade.h"

#include "converters/base/text.h"

/* ---- configuration ------------------------------------------------------- */

bool trade_need(struct trade_parser *p, const struct oline *l, struct str *rest,
                const char *what, const char *needed, struct str *word)
{
    if (oline_word(p->conf->arena, l, rest, word, p->diags))
        return true;
    DIAG(p->diags, CONF_VALUE, oline_whole(l), str_of(what), str_of(needed));
    return false;
}

void trade_wrong(struct trade_parser *p, const struct oline *l, struct str at,
                 const char *what, const char *wrong)
{
    DIAG(p->diags, CONF_VALUE, oline_place(l, at), str_of(what), str_of(wrong));
}

int trade_choice(struct trade_parser *p, const struct oline *l,
                 struct str *rest, const char *what, const char *const *words,
                 size_t n, const char *needed)
{
    struct str word;

    if (!trade_need(p, l, rest, what, needed, &word))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_is(word, words[i]))
            return (int)i;
    trade_wrong(p, l, word, what, needed);
    return -1;
}

void trade_end_of_line(struct trade_parser *p, const struct oline *l,
                       struct str rest)
{
    if (str_trim(rest).len)
        trade_wrong(p, l, str_trim(rest), "the line", "nothing may follow");
}

void *trade_own(struct trade_parser *p, size_t size)
{
    if (!*p->own)
        *p->own = arena_alloc(p->conf->arena, size);
    return *p->own;
}

static int index_of(const struct trade_rule *rule)
{
    int i = 0;

    while (trade_rules[i] != rule)
        i++;
    return i;
}

const void *trade_lines_of(const struct trade_conf *c,
                           const struct trade_rule *rule)
{
    return c->of[index_of(rule)];
}

struct place trade_place_of(const struct trade_conf *c,
                            const struct trade_rule *rule)
{
    return oline_whole(c->lines[index_of(rule)]);
}

card_kinds trade_asks(const struct trade_conf *c)
{
    card_kinds kinds = 0;

    for (int i = 0; trade_rules[i]; i++)
        if (trade_rules[i]->asks)
            kinds |= trade_rules[i]->asks(c, c->of[i]);
    return kinds;
}

/* Does the line begin with the words? */
static bool begins(struct str text, const char *name, struct str *rest)
{
    struct str s = str_of(name);

    if (!str_starts(text, s) || (text.len > s.len && text.p[s.len] != ' '))
        return false;
    *rest = str_trim(str_from(text, s.len));
    return true;
}

/* The first line counts; a second one is reported. */
static bool is_second(struct trade_conf *c, const struct trade_word *w,
                      const struct oline *l, struct diags *diags)
{
    if (w->may_repeat)
        return false;
    for (size_t i = 0; i < c->n_seen; i++)
        if (c->seen[i] == w) {
            DIAG(diags, CONF_TWICE, oline_whole(l), str_of(w->name));
            return true;
        }
    c->seen[c->n_seen++] = w;
    return false;
}

bool trade_line(struct trade_conf *c, const struct oline *l,
                struct diags *diags)
{
    struct str rest;

    for (int i = 0; trade_rules[i]; i++) {
        const struct trade_word *w = trade_rules[i]->words;

        for (; w && w->name; w++) {
            struct trade_parser p = { .conf = c,
                                      .own = &c->of[i],
                                      .diags = diags };

            if (!begins(l->text, w->name, &rest))
                continue;
            if (is_second(c, w, l, diags))
                return true;
            if (!c->lines[i])
                c->lines[i] = l;
            w->parse(&p, l, rest);
            if (!w->has_block)
                outline_no_block(l, diags);
            return true;
        }
    }
    return false;
}

size_t trade_word_names(const char **names, size_t max)
{
    size_t n = 0;

    for (int i = 0; trade_rules[i]; i++) {
        const struct trade_word *w = trade_rules[i]->words;

        for (; w && w->name && n < max; w++)
            names[n++] = w->name;
    }
    return n;
}

bool trade_is(const struct trade_site *s, const char *document)
{
    return str_is(str_of(s->document->name), document);
}

void trade_site_check(struct trade_site *s, struct diags *diags)
{
    for (int i = 0; trade_rules[i]; i++) {
        s->serves[i] = trade_rules[i]->serves(s, s->conf->of[i], diags);
        s->any = s->any || s->serves[i];
    }
}

void trade_conf_check(const struct trade_conf *c, const bool *served,
                      struct diags *diags)
{
    for (int i = 0; trade_rules[i]; i++) {
        const struct trade_rule *r = trade_rules[i];
        size_t n = diags->n_errors;

        if (r->check && c->lines[i])
            r->check(c, c->of[i], diags);
        if (diags->n_errors == n && r->fits && c->lines[i] && !served[i])
            DIAG(diags, CONF_VALUE, oline_whole(c->lines[i]),
                 str_of(r->words->name),
                 arena_fmt(c->arena, "is for %s, and this route sends none",
                           r->fits));
    }
}

bool trade_serves(const struct trade_site *s, const struct trade_rule *rule)
{
    return s->serves[index_of(rule)];
}

/* ---- at work ------------------------------------------------------------- */

static void begin_rules(struct trade *t)
{
    for (int i = 0; trade_rules[i]; i++) {
        const struct trade_rule *r = trade_rules[i];

        t->state[i] = NULL;
        if (!t->site->serves[i])
            continue;
        if (r->state)
            t->state[i] = arena_alloc(&t->own, r->state);
        if (r->begin)
            r->begin(t, t->state[i], t->site->conf->of[i]);
    }
}

void trade_begin(struct trade *t, const struct trade_site *site)
{
    t->site = site;
    t->number_field = trade_field(site->shape, "number");
    t->series_field = trade_field(site->shape, "series");
    begin_rules(t);
}

enum trade_verdict trade_skip(struct trade *t, const char *reason)
{
    t->reason = reason;
    return TRADE_SKIP;
}

static void count_skip(struct trade *t)
{
    size_t i = 0;

    while (i < t->n_skips && t->skips[i].reason != t->reason)
        i++;
    if (i == COUNT(t->skips))
        i = COUNT(t->skips) - 1; /* rules have fewer reasons by far */
    if (i == t->n_skips)
        t->skips[t->n_skips++] = (struct trade_skip){ .reason = t->reason };
    t->skips[i].n++;
}

void trade_skip_held(struct trade *t, const char *reason)
{
    t->reason = reason;
    count_skip(t);
}

void trade_aside_held(struct trade *t, const struct doc *d)
{
    t->n_aside++;
    t->hooks.set_aside(t->hooks.ctx, d);
}

struct doc *trade_make(struct trade *t)
{
    struct doc *d = doc_new(t->docs, t->site->shape);

    d->seq = ++t->last_seq;
    t->n_made++;
    return d;
}

/* What was learnt of a document counts unless it is set aside; one that is
 * skipped was dealt with as well. */
static void settle(struct trade *t, struct doc *d, enum trade_written how)
{
    for (int last = 0; last < 2; last++)
        for (int i = 0; trade_rules[i]; i++) {
            const struct trade_rule *r = trade_rules[i];

            if (t->site->serves[i] && r->wrote && r->wrote_last == last)
                r->wrote(t, t->state[i], t->site->conf->of[i], d, how);
        }
    t->n_aside += how == WROTE_ASIDE;
    if (how == WROTE_ASIDE)
        facts_drop(t->facts);
    else
        facts_keep(t->facts, d->seq);
}

/* Through the rules from `first` on, and out. */
static enum trade_verdict run(struct trade *t, struct doc *d, int first)
{
    for (int i = first; trade_rules[i]; i++) {
        const struct trade_rule *r = trade_rules[i];
        enum trade_verdict v;

        if (!t->site->serves[i] || !r->take ||
            (!t->wanted && !r->takes_unwanted))
            continue;
        v = r->take(t, t->state[i], t->site->conf->of[i], d);
        if (v == TRADE_ON)
            continue;
        if (v == TRADE_SKIP)
            count_skip(t);
        if (v == TRADE_SKIP || v == TRADE_HELD)
            facts_keep(t->facts, d->seq);
        else if (v == TRADE_ASIDE)
            facts_drop(t->facts);
        return v;
    }
    if (t->wanted)
        settle(t, d, t->hooks.write(t->hooks.ctx, d));
    else
        facts_keep(t->facts, d->seq);
    return TRADE_ON;
}

/* By its number, and that of an invoice by its series, too ("FCT 123"). */
static bool is_asked_for(const struct trade *t, const struct doc *d)
{
    struct str series = doc_text(d, t->series_field), only = t->only;

    if (series.len && str_starts(only, series) && only.len > series.len &&
        only.p[series.len] == ' ')
        only = str_from(only, series.len + 1);
    else if (series.len)
        return false;
    return str_eq(only, t->number);
}

/* What a person has asked for is wanted, whatever `when` says of it. */
enum trade_verdict trade_take(struct trade *t, struct doc *d, bool wanted)
{
    t->wanted = wanted || t->only.len;
    t->number = doc_text(d, t->number_field);
    t->output = t->site->output;
    if (d->seq > t->last_seq)
        t->last_seq = d->seq;
    if (!t->only.len || is_asked_for(t, d))
        return run(t, d, 0);
    (void)trade_skip(t, "not asked for");
    count_skip(t);
    return TRADE_SKIP;
}

void trade_pass_on(struct trade *t, const struct trade_rule *rule,
                   struct doc *d)
{
    enum trade_verdict v;

    t->wanted = true;
    t->number = doc_text(d, t->number_field);
    t->output = t->site->output;
    v = run(t, d, index_of(rule) + 1);
    if (v == TRADE_ASIDE)
        trade_aside_held(t, d);
    else if (v == TRADE_ON && !t->wanted)
        t->hooks.filtered(t->hooks.ctx);
}

void trade_end(struct trade *t)
{
    for (int i = 0; trade_rules[i]; i++)
        if (t->site->serves[i] && trade_rules[i]->end)
            trade_rules[i]->end(t, t->state[i], t->site->conf->of[i]);
    facts_keep(t->facts, 0); /* of no document */
}

void trade_done(struct trade *t)
{
    for (int i = 0; trade_rules[i]; i++)
        if (t->site->serves[i] && trade_rules[i]->done)
            trade_rules[i]->done(t, t->state[i], t->site->conf->of[i]);
    facts_keep(t->facts, 0);
}

static void release_rules(struct trade *t)
{
    for (int i = 0; t->site && trade_rules[i]; i++)
        if (t->site->serves[i] && trade_rules[i]->release)
            trade_rules[i]->release(t->state[i]);
    arena_reset(&t->own);
}

void trade_reset(struct trade *t)
{
    release_rules(t);
    t->n_skips = 0;
    t->n_aside = t->last_seq = t->n_made = 0;
    begin_rules(t);
}

void trade_release(struct trade *t)
{
    release_rules(t);
    arena_release(&t->own);
}
