/* facts_ask.c - what rules ask of the past, and teach: each is a question to
 * the ledger, an entry over it, a row of the file. */
#include <stdio.h>

#include "spool/facts_inside.h"

enum { DAY = 86400 };

/* ---- documents ------------------------------------------------------------
 */

static struct str seen_name(struct arena *a, const struct doc_key *key)
{
    return arena_fmt(a, "seen\n%.*s", STR_ARGS(facts_doc_name(a, key)));
}

void facts_doc(struct facts *f, const struct doc_key *key, struct arena *a,
               struct known_doc *out)
{
    const struct learnt *l;

    *out = (struct known_doc){ 0 };
    if (!f)
        return;
    facts_ask(f, scope_of_docs(a, key->output, key->sender));
    l = facts_find(f, facts_doc_name(a, key));
    if (l)
        *out = *l->doc;
    else if (!f->failed)
        facts_check(f, ledger_doc(f->ledger, key, a, out, &f->err));
    l = f->any_seen ? facts_find(f, seen_name(a, key)) : NULL;
    if (l) {
        out->came_hash = l->doc->came_hash;
        out->came_place = l->doc->came_place;
    }
}

/* What this process has learnt of one that the ledger has found; an invoice
 * only if the ledger knows of none: it may be an old one, which was cancelled.
 */
static void take_learnt(const struct facts *f, struct arena *a,
                        struct known_doc *d)
{
    const struct learnt *l =
        d->found ? facts_find(f, facts_doc_name(a, &d->key)) : NULL;

    if (!l)
        return;
    d->passed = l->doc->passed;
    if (d->invoice.len)
        return;
    d->series = l->doc->series;
    d->invoice = l->doc->invoice;
}

void facts_doc_as(struct facts *f, struct str unit, struct str document,
                  struct str as_number, struct arena *a, struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed &&
        facts_check(f, ledger_doc_as(f->ledger, unit, document, as_number, a,
                                     out, &f->err)))
        take_learnt(f, a, out);
}

void facts_doc_of(struct facts *f, struct str unit, struct str sender,
                  struct str document, struct str number, struct arena *a,
                  struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed &&
        facts_check(f, ledger_doc_of(f->ledger, unit, sender, document, number,
                                     a, out, &f->err)))
        take_learnt(f, a, out);
}

void facts_doc_moved(struct facts *f, struct str unit, struct str route,
                     const struct doc_key *key, struct arena *a,
                     struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed)
        facts_check(
            f, ledger_doc_moved(f->ledger, unit, route, key, a, out, &f->err));
}

static struct str invoice_name(struct arena *a, struct str unit,
                               struct str series, struct str invoice)
{
    return arena_fmt(a, "i\n%.*s\n%.*s\n%.*s", STR_ARGS(unit), STR_ARGS(series),
                     STR_ARGS(invoice));
}

/* The partner of an output, which is "PARTNER/FOLDER". */
static struct str unit_of(const struct doc_key *key)
{
    ptrdiff_t slash = str_find_char(key->output, '/');

    return slash < 0 ? key->output : str_first(key->output, (size_t)slash);
}

void facts_doc_invoiced(struct facts *f, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out)
{
    const struct learnt *l;

    *out = (struct known_doc){ 0 };
    if (!f || f->failed ||
        !facts_check(f, ledger_doc_invoiced(f->ledger, unit, series, invoice, a,
                                            out, &f->err)))
        return;
    /* Of a list that has the invoice and what cancels it. */
    l = facts_find(f, invoice_name(a, unit, series, invoice));
    if (!out->found && l)
        *out = *l->doc;
}

void facts_docs_of_file(struct facts *f, struct str unit, struct str file,
                        bool (*fn)(void *ctx, const struct known_doc *d),
                        void *ctx)
{
    struct arena a = { 0 };
    struct known_doc *v;
    size_t n = 0;

    if (!f || f->failed)
        return;
    if (facts_check(
            f, ledger_docs_of_file(f->ledger, unit, file, &a, &v, &n, &f->err)))
        for (size_t i = 0; i < n && fn(ctx, &v[i]); i++)
            continue;
    arena_release(&a);
}

uint64_t facts_place(const struct facts *f)
{
    return f ? f->place : 0;
}

bool facts_is_news(const struct facts *f, const struct known_doc *was,
                   struct str hash)
{
    return !was->found || !str_eq(was->came_hash, hash) || !f ||
           f->now - was->last_at >= DAY;
}

void facts_came(struct facts *f, const struct doc_key *key,
                const struct doc_face *face, struct str hash)
{
    struct arena a = { 0 };

    if (!f)
        return;
    ROW(f, FACT_CAME, KEY(key), face->unit, face->route, face->customer,
        face->email, face->date, number_text(&a, face->line), face->member,
        hash);
    arena_release(&a);
}

void facts_seen(struct facts *f, const struct doc_key *key, struct str hash)
{
    struct arena a = { 0 };
    struct known_doc *d;

    if (!f)
        return;
    d = arena_alloc(&f->arena, sizeof(*d));
    *d = (struct known_doc){ .came_hash = arena_str(&f->arena, hash),
                             .came_place = f->place };
    facts_overlay(f, seen_name(&a, key), false)->doc = d;
    f->any_seen = true;
    arena_release(&a);
}

/* A copy of what is known, to be changed; its texts are kept. */
static struct known_doc *change_doc(struct facts *f, const struct doc_key *key)
{
    struct known_doc *d = arena_alloc(&f->arena, sizeof(*d)), was;
    struct arena a = { 0 };

    facts_doc(f, key, &a, &was);
    *d = (struct known_doc){
        .found = true,
        .key = { arena_str(&f->arena, key->output),
                 arena_str(&f->arena, key->sender),
                 arena_str(&f->arena, key->document),
                 arena_str(&f->arena, key->number) },
        .state = was.state,
        .sent_job = was.sent_job,
        .refused = was.refused,
        .known = was.known,
        .last_at = f->now,
        .as_number = arena_str(&f->arena, was.as_number),
        .action = arena_str(&f->arena, was.action),
        .hash = arena_str(&f->arena, was.hash),
        .came_hash = arena_str(&f->arena, was.came_hash),
        .came_route = arena_str(&f->arena, was.came_route),
        .reported = arena_str(&f->arena, was.reported),
        .sent_place = was.sent_place,
        .came_place = was.came_place,
        .series = arena_str(&f->arena, was.series),
        .invoice = arena_str(&f->arena, was.invoice),
        .passed = arena_str(&f->arena, was.passed),
    };
    facts_overlay(f, facts_doc_name(&a, key), false)->doc = d;
    arena_release(&a);
    return d;
}

void facts_sent(struct facts *f, const struct doc_key *key,
                struct str as_number, struct str action, struct str values,
                struct str files)
{
    struct arena a = { 0 };
    struct known_doc *d;
    struct str hash;

    if (!f)
        return;
    hash = facts_hash_text(f, values, &a);
    d = change_doc(f, key);
    d->state = str_is(action, "cancel") ? DOC_CANCELLED : DOC_SENT;
    d->as_number = arena_str(&f->arena, as_number);
    d->action = arena_str(&f->arena, action);
    d->hash = arena_str(&f->arena, hash);
    d->sent_job = f->job;
    d->sent_place = f->place;
    d->refused = false;
    ROW(f, FACT_SENT, KEY(key), as_number, action, values, hash, files);
    arena_release(&a);
}

void facts_reported(struct facts *f, const struct doc_key *key, struct str hash,
                    struct str text)
{
    if (!f)
        return;
    change_doc(f, key)->reported = arena_str(&f->arena, hash);
    ROW(f, FACT_REPORTED, KEY(key), hash, text);
}

/* Whether it was cancelled long ago the keeper knows. */
static void learn_invoice(struct facts *f, const struct doc_key *key,
                          const struct doc_answer *w)
{
    struct known_doc *d = change_doc(f, key);
    struct arena a = { 0 };
    struct str name = invoice_name(&a, unit_of(key), w->series, w->invoice);

    d->series = arena_str(&f->arena, w->series);
    d->invoice = arena_str(&f->arena, w->invoice);
    facts_overlay(f, name, false)->doc = d;
    arena_release(&a);
}

void facts_answered(struct facts *f, const struct doc_key *key,
                    const struct doc_answer *w)
{
    if (!f)
        return;
    if (w->invoice.len && !w->invoice_cancelled)
        learn_invoice(f, key, w);
    ROW(f, FACT_ANSWERED, KEY(key), yes_no(w->given), yes_no(w->ok), w->text,
        w->number, w->id, w->status, w->carrier, w->tracking, w->series,
        w->invoice, yes_no(w->invoice_cancelled));
}

void facts_passed(struct facts *f, const struct doc_key *key, struct str hash)
{
    if (!f)
        return;
    change_doc(f, key)->passed = arena_str(&f->arena, hash);
    ROW(f, FACT_PASSED, KEY(key), hash);
}

void facts_withdrawn(struct facts *f, const struct doc_key *key,
                     struct str text)
{
    struct known_doc *d;

    if (!f)
        return;
    d = change_doc(f, key);
    d->refused = false;
    d->state = DOC_CANCELLED;
    ROW(f, FACT_WITHDRAWN, KEY(key), text);
}

void facts_story(struct facts *f, const struct doc_key *key, struct str what,
                 struct str text, struct str files)
{
    if (f)
        ROW(f, FACT_STORY, KEY(key), what, text, files);
}

/* ---- reservations ----------------------------------------------------------
 */

void facts_reserve(struct facts *f, const struct doc_key *key, struct str unit,
                   struct str sku, struct str warehouse, struct str quantity)
{
    if (f)
        ROW(f, FACT_RESERVE, KEY(key), unit, sku, warehouse, quantity);
}

void facts_reserved(struct facts *f, struct str unit,
                    void (*fn)(void *ctx, struct str sku, struct str warehouse,
                               struct str quantity),
                    void *ctx)
{
    if (f && !f->failed)
        facts_check(f, ledger_reserved(f->ledger, unit, fn, ctx, &f->err));
}

/* ---- cards -----------------------------------------------------------------
 */

const char *const card_kind_names[N_CARD_KINDS] = {
    [CARD_CUSTOMER] = "customer",
    [CARD_PRODUCT] = "product",
    [CARD_PAYMENT] = "payment",
    [CARD_SHIPPING] = "shipping",
};

/* Names of partners are shorter by far; each key that is loaded takes some 200
 * bytes, and a job has job-memory: of more, they are asked for one by one. */
enum { LOADED_NAME = 512, MOST_LOADED = 1000000 };
enum { LOADED = 1, TOO_MANY };

static struct str loaded_name(char *room, struct str unit, enum card_kind kind)
{
    snprintf(room, LOADED_NAME, "%s %.*s", card_kind_names[kind],
             STR_ARGS(unit));
    return str_of(room);
}

/* LOADED, TOO_MANY, or 0: nobody has asked for all. */
static uint32_t loaded(const struct facts *f, struct str unit,
                       enum card_kind kind)
{
    char room[LOADED_NAME];
    const uint32_t *at =
        textmap_find(&f->loaded, loaded_name(room, unit, kind));

    return at ? *at : 0;
}

/* Asked for every record: the last one is remembered. */
static void ask_cards(struct facts *f, struct str unit, enum card_kind kind)
{
    struct arena a = { 0 };

    if (f->cards_unit.p && f->cards_kind == kind && str_eq(f->cards_unit, unit))
        return;
    facts_ask(f, scope_of_cards(&a, unit, str_of(card_kind_names[kind])));
    arena_release(&a);
    f->cards_kind = kind;
    if (!f->cards_unit.p || !str_eq(f->cards_unit, unit))
        f->cards_unit = arena_str(&f->scope_names, unit);
}

void facts_card(struct facts *f, struct str unit, enum card_kind kind,
                struct str key, struct arena *a, struct card *out)
{
    const struct learnt *l;

    *out = (struct card){ 0 };
    if (!f)
        return;
    ask_cards(f, unit, kind);
    l = facts_find(f, facts_card_name(a, unit, kind, key));
    if (l) {
        *out = *l->card;
        out->fresh = !l->loaded;
    } else if (!f->failed && loaded(f, unit, kind) != LOADED)
        facts_check(f,
                    ledger_card(f->ledger, unit, kind, key, a, out, &f->err));
}

static void overlay_card(struct facts *f, struct str name, const struct card *c,
                         bool loaded, bool is_new)
{
    struct learnt *l = facts_overlay(f, name, is_new);

    l->card = arena_alloc(&f->arena, sizeof(*l->card));
    l->loaded = loaded;
    *l->card = *c;
    l->card->code = arena_str(&f->arena, c->code);
    l->card->name = arena_str(&f->arena, c->name);
}

struct loading {
    struct facts *f;
    struct str unit;
    enum card_kind kind;
    struct arena a, rows;
};

/* What was learnt meanwhile counts more. */
static void load_card(void *ctx, struct str key, const struct card *c)
{
    struct loading *l = ctx;
    const uint32_t *at;
    struct str name;

    arena_reset(&l->a);
    name = facts_card_name(&l->a, l->unit, l->kind, key);
    at = textmap_find(&l->f->map, name);
    if (!at || !*at)
        overlay_card(l->f, name, c, true, !at);
}

void facts_load_cards(struct facts *f, struct str unit, enum card_kind kind)
{
    struct loading l = { .f = f, .unit = unit, .kind = kind };
    bool clean = f && f->n_learnt == f->doc_mark, many = false;
    char room[LOADED_NAME];

    if (!f || f->failed || loaded(f, unit, kind) ||
        !facts_check(f, ledger_many_cards(f->ledger, unit, kind, MOST_LOADED,
                                          &many, &f->err)))
        return;
    if (many || facts_check(f, ledger_cards(f->ledger, unit, kind, load_card,
                                            &l, &l.rows, &f->err)))
        textmap_add(&f->loaded,
                    arena_str(&f->arena, loaded_name(room, unit, kind)),
                    many ? TOO_MANY : LOADED);
    if (clean) /* they are none of what the document at hand teaches */
        f->doc_mark = f->n_learnt;
    arena_release(&l.rows);
    arena_release(&l.a);
}

void facts_learn_card(struct facts *f, struct str unit, enum card_kind kind,
                      struct str key, const struct card *card, bool by_us)
{
    struct arena a = { 0 };
    struct card c = *card;

    if (!f)
        return;
    c.found = true;
    c.wait_job = by_us ? f->job : 0;
    overlay_card(f, facts_card_name(&a, unit, kind, key), &c, false, false);
    ROW(f, FACT_CARD, unit, str_of(card_kind_names[kind]), key, c.code, c.name,
        yes_no(c.hidden), yes_no(by_us));
    arena_release(&a);
}

void facts_wait_for(struct facts *f, uint64_t job)
{
    struct arena a = { 0 };

    if (f && job != f->job)
        ROW(f, FACT_WAIT, number_text(&a, job));
    arena_release(&a);
}

/* ---- what a receiver got ----------------------------------------------------
 */

/* What files before this one have sent waits, too. */
static void add_own_got(const struct facts *f, struct str output,
                        struct str source, struct arena *a,
                        struct got_tables *out)
{
    struct str *all =
        arena_alloc(a, (out->n_waiting + f->n_got + 1) * sizeof(*all));

    for (size_t i = 0; i < out->n_waiting; i++)
        all[i] = out->waiting[i];
    for (size_t i = 0; i < f->n_got; i++)
        if (str_eq(f->got[i].output, output) &&
            str_eq(f->got[i].source, source))
            all[out->n_waiting++] = f->got[i].table;
    out->waiting = all;
}

void facts_got(struct facts *f, struct str output, struct str source,
               struct arena *a, struct got_tables *out)
{
    *out = (struct got_tables){ 0 };
    if (!f)
        return;
    facts_ask(f, scope_of_got(a, output, source));
    if (!f->failed &&
        facts_check(
            f, ledger_got_tables(f->ledger, output, source, a, out, &f->err)))
        add_own_got(f, output, source, a, out);
}

void facts_learn_got(struct facts *f, struct str output, struct str source,
                     struct str table)
{
    struct got *g;

    if (!f)
        return;
    ROW(f, FACT_GOT, output, source, table);
    if (f->n_got == f->cap_got) {
        f->cap_got = f->cap_got ? 2 * f->cap_got : 16;
        f->got = xrealloc(f->got, f->cap_got * sizeof(*f->got));
    }
    g = &f->got[f->n_got++];
    g->output = arena_str(&f->arena, output);
    g->source = arena_str(&f->arena, source);
    g->table = arena_str(&f->arena, table);
}

struct hash128 facts_hash(const struct facts *f, struct str s)
{
    static const uint64_t none[2];

    return hash128_keyed(f ? f->key : none, s);
}

struct str facts_hash_text(const struct facts *f, struct str s, struct arena *a)
{
    struct hash128 h = facts_hash(f, s);

    return arena_fmt(a, "%016llx%016llx", (unsigned long long)h.hi,
                     (unsigned long long)h.lo);
}
