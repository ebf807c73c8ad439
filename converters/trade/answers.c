/*
 * answers.c - what is said of orders that were sent.
 *
 *   order_status   accepted or refused, where it stands, its invoice; from the
 *                  partner who was sent the order
 *   shipment       it has left, with whom, under which tracking number
 *   invoice        it was made: the order is locked from then on. Or it
 *                  cancels one: the order is open again
 *
 * The number is looked up as its receiver knows it, and becomes the shop's own
 * again, in a document that says whose order it is (`sender`). An invoice may
 * also come from the shop that has sent the order: the number is its own.
 *
 * An order_status without number speaks of all orders of the file that it
 * names: a pack that was refused as a whole. It is kept with each of them, and
 * goes no further.
 *
 * Of an order that nobody has sent people are told once; see unknown().
 */
#include "converters/base/utf8.h"
#include "converters/trade/canon.h"
#include "converters/trade/rules.h"

enum { MAX_ANSWER = 1000 }; /* bytes of a text that is kept */

struct state {
    /* Fields of the documents, or -1. */
    int order, sender, number, id, status, series, invoice, cancels, kind;
    int carrier, tracking, ok, text, file;
    int messages, packages; /* lists, or -1 */
    uint64_t seq;           /* the document at hand; 0: of no known order */
    struct doc_key key;     /* of its order */
    struct str hash;        /* of what an order_status says; "": no matter */
    struct buf values;
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)own, (void)diags;
    if (trade_is(s, "invoice") && s->follows_orders)
        return true;
    return s->answers_orders &&
           (trade_is(s, "order_status") || trade_is(s, "invoice") ||
            trade_is(s, "shipment"));
}

/* ---- at work --------------------------------------------------------------
 */

static void begin(struct trade *t, void *state, const void *own)
{
    bool is_status = trade_is(t->site, "order_status");
    struct state *s = state;

    (void)own;
    *s = (struct state){
        .order = trade_field(t->site->shape, "order"),
        .sender = trade_field(t->site->shape, "sender"),
        .number = trade_field(t->site->shape, "number"),
        .id = trade_field(t->site->shape, "id"),
        .status = trade_field(t->site->shape, "status"),
        .series = trade_field(t->site->shape,
                              is_status ? "invoice.series" : "series"),
        .invoice = trade_field(t->site->shape, "invoice.number"),
        .cancels = trade_field(t->site->shape, "cancels"),
        .kind = trade_field(t->site->shape, "kind"),
        .carrier = trade_field(t->site->shape, "carrier"),
        .tracking = trade_field(t->site->shape, "tracking"),
        .ok = trade_field(t->site->shape, "ok"),
        .text = trade_field(t->site->shape, "text"),
        .file = trade_field(t->site->shape, "file"),
        .messages = shape_list(t->site->shape, STR("message")),
        .packages = shape_list(t->site->shape, STR("package")),
    };
    buf_init(&s->values, MB(64));
}

static void release(void *state)
{
    struct state *s = state;

    buf_release(&s->values);
}

/* Texts of a list's members, joined; only of those whose level is that, unless
 * it is NULL. */
static struct str texts_of(struct arena *a, const struct doc *d, int list,
                           const char *name, const char *level)
{
    struct str all = STR("");

    if (list < 0)
        return all;
    for (const struct doc *m = d->lists[list].first; m; m = m->next) {
        struct shape *shape = d->shape->lists[list];
        struct str s = doc_text(m, trade_field(shape, name));

        if (level && !str_is(doc_text(m, trade_field(shape, "level")), level))
            continue;
        if (s.len && all.len < MAX_ANSWER)
            all = arena_fmt(a, "%.*s%s%.*s", STR_ARGS(all), all.len ? "; " : "",
                            STR_ARGS(s));
    }
    return all;
}

static struct str cut(struct str s)
{
    s = str_first(s, MAX_ANSWER);
    return str_first(s, utf8_valid_len(s));
}

/* ---- what is said ---------------------------------------------------------
 */

static struct doc_answer of_status(struct trade *t, const struct state *s,
                                   const struct doc *d)
{
    struct doc_answer w = {
        .given = doc_has(d, s->ok),
        .ok = str_is(doc_text(d, s->ok), "yes"),
        .text = doc_text(d, s->text),
        .number = doc_text(d, s->number),
        .id = doc_text(d, s->id),
        .status = doc_text(d, s->status),
        .carrier = doc_text(d, s->carrier),
        .tracking = doc_text(d, s->tracking),
        .series = doc_text(d, s->series),
        .invoice = doc_text(d, s->invoice),
    };

    if (!w.text.len && w.given && !w.ok)
        w.text = texts_of(t->docs, d, s->messages, "text", "error");
    if (!w.text.len)
        w.text = texts_of(t->docs, d, s->messages, "text", NULL);
    w.text = cut(w.text);
    return w;
}

static struct doc_answer of_shipment(struct trade *t, const struct state *s,
                                     const struct doc *d)
{
    struct str tracking = doc_text(d, s->tracking);

    if (!tracking.len)
        tracking = cut(texts_of(t->docs, d, s->packages, "tracking", NULL));
    return (struct doc_answer){ .status = STR("shipped"),
                                .carrier = doc_text(d, s->carrier),
                                .tracking = tracking };
}

/* A proforma or an advance invoice asks for money; the order stays open. */
static struct doc_answer of_invoice(struct trade *t, const struct state *s,
                                    const struct doc *d)
{
    struct str kind = doc_text(d, s->kind);
    struct doc_answer w = { .series = doc_text(d, s->series),
                            .invoice = doc_text(d, s->number) };

    if (!kind.len || str_is(kind, "invoice"))
        return w;
    return (struct doc_answer){ .text = arena_fmt(
                                    t->docs, "%.*s %.*s%s%.*s", STR_ARGS(kind),
                                    STR_ARGS(w.series), w.series.len ? " " : "",
                                    STR_ARGS(w.invoice)) };
}

static bool says_nothing(const struct doc_answer *w)
{
    return !w->given && !w->text.len && !w->number.len && !w->id.len &&
           !w->status.len && !w->carrier.len && !w->tracking.len &&
           !w->invoice.len;
}

/* ---- of which order -------------------------------------------------------
 */

/* By the number that its receiver knows; of the shop's own documents by the
 * number that it gave. */
static void find_order(struct trade *t, const struct state *s,
                       const struct doc *d, struct known_doc *out)
{
    const struct trade_site *site = t->site;
    struct str order = doc_text(d, s->order);

    *out = (struct known_doc){ 0 };
    if (order.len && site->answers_orders)
        facts_doc_as(t->facts, t->sender, STR("order"), order, t->docs, out);
    if (order.len && !out->found && site->follows_orders)
        facts_doc_of(t->facts, site->receiver, t->sender, STR("order"), order,
                     t->docs, out);
}

/* In the books of which partner its order is. */
static void find_invoiced(struct trade *t, struct str series,
                          struct str invoice, struct known_doc *out)
{
    const struct trade_site *site = t->site;

    *out = (struct known_doc){ 0 };
    if (site->answers_orders)
        facts_doc_invoiced(t->facts, t->sender, series, invoice, t->docs, out);
    if (!out->found && site->follows_orders)
        facts_doc_invoiced(t->facts, site->receiver, series, invoice, t->docs,
                           out);
}

/* The invoice that this document cancels; "": it cancels none. */
static struct str cancelled(const struct state *s, const struct doc *d)
{
    if (doc_has(d, s->cancels))
        return d->f[s->cancels];
    return str_is(doc_text(d, s->status), "cancelled") ? doc_text(d, s->number)
                                                       : STR("");
}

/*
 * The order whose invoice that is: by series and number, which may both stand
 * in `cancels` ("FCT 123"); a credit note of a series of its own names the
 * order. False: its invoice is another one, or was cancelled before.
 */
static bool find_cancelled(struct trade *t, const struct state *s,
                           const struct doc *d, struct known_doc *out)
{
    struct str cancels = cancelled(s, d);
    ptrdiff_t blank = str_find_char(cancels, ' ');

    find_invoiced(t, doc_text(d, s->series), cancels, out);
    if (!out->found && blank > 0)
        find_invoiced(t, str_first(cancels, (size_t)blank),
                      str_from(cancels, (size_t)blank + 1), out);
    if (out->found)
        return true;
    find_order(t, s, d, out);
    return out->found && out->invoice.len && str_ends(cancels, out->invoice);
}

/* What is said when an invoice is cancelled. */
static struct doc_answer of_cancelled(struct trade *t, const struct state *s,
                                      const struct doc *d,
                                      const struct known_doc *order)
{
    struct str by = doc_text(d, s->number), series = doc_text(d, s->series);
    struct doc_answer w = { .invoice_cancelled = true,
                            .series = order->series,
                            .invoice = order->invoice };

    if (by.len && !str_eq(by, cancelled(s, d)))
        w.text = arena_fmt(t->docs, "by %.*s%s%.*s", STR_ARGS(series),
                           series.len ? " " : "", STR_ARGS(by));
    return w;
}

/*
 * Programs tell how an order stands as long as they have it; its shop hears
 * what is new since it was last sent. Whoever asks for a document, or for
 * everything, gets it.
 */
static bool was_said(struct trade *t, struct state *s, const struct doc *d,
                     const struct known_doc *order)
{
    s->hash = STR("");
    if (!trade_is(t->site, "order_status") || !t->site->output.len ||
        !t->wanted || t->only.len || t->full)
        return false;
    buf_clear(&s->values);
    if (canon_text(d, NULL, &s->values) == -1 ||
        buf_addf(&s->values, "\n%llu %.*s", (unsigned long long)order->sent_job,
                 STR_ARGS(t->site->output)) == -1)
        return false;
    s->hash = facts_hash_text(t->facts, buf_str(&s->values), t->docs);
    return str_eq(s->hash, order->passed);
}

static void take_over(struct state *s, struct doc *d,
                      const struct known_doc *order)
{
    s->key = order->key;
    s->seq = d->seq;
    if (s->order >= 0)
        d->f[s->order] = order->key.number;
    if (s->sender >= 0)
        d->f[s->sender] = order->key.sender;
}

/*
 * Told once. Whether it was accepted is kept as that of an order of the
 * answer's sender, without an output: one that was refused waits for a person
 * like any other.
 */
static void unknown(struct trade *t, const struct state *s, struct doc *d,
                    const struct doc_answer *w)
{
    const struct doc_key key = { .output = STR(""),
                                 .sender = t->sender,
                                 .document = STR("order"),
                                 .number = doc_text(d, s->order) };
    struct known_doc was;

    facts_doc(t->facts, &key, t->docs, &was);
    if (!was.found)
        TRADE_FAULT(t, d, s->order, ORDER_UNKNOWN, key.number, t->sender);
    if (facts_is_news(t->facts, &was, STR("")))
        facts_came(t->facts, &key,
                   &(struct doc_face){ .unit = t->sender,
                                       .route = t->site->route,
                                       .line = d->line,
                                       .member = t->place },
                   STR(""));
    if (w->given)
        facts_answered(t->facts, &key,
                       &(struct doc_answer){
                           .given = true, .ok = w->ok, .text = w->text });
}

/* ---- a whole file ---------------------------------------------------------
 */

struct of_file {
    struct facts *facts;
    struct doc_answer answer;
    size_t n;
};

static bool answer_one(void *ctx, const struct known_doc *order)
{
    struct of_file *x = ctx;

    if (!str_is(order->key.document, "order"))
        return true;
    facts_answered(x->facts, &order->key, &x->answer);
    x->n++;
    return true;
}

static enum trade_verdict whole_file(struct trade *t, const struct state *s,
                                     struct doc *d)
{
    struct of_file x = { .facts = t->facts, .answer = of_status(t, s, d) };
    struct str file = doc_text(d, s->file);

    facts_docs_of_file(t->facts, t->sender, file, answer_one, &x);
    if (x.n)
        return trade_skip(t, "of a whole file, kept with its orders");
    TRADE_FAULT(t, d, s->file, FILE_UNKNOWN, file, t->sender);
    return TRADE_ASIDE;
}

/* ---- all of it ------------------------------------------------------------
 */

static struct doc_answer answer_of(struct trade *t, const struct state *s,
                                   const struct doc *d)
{
    if (trade_is(t->site, "invoice"))
        return of_invoice(t, s, d);
    if (trade_is(t->site, "shipment"))
        return of_shipment(t, s, d);
    return of_status(t, s, d);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;
    struct known_doc order;
    struct doc_answer w;

    (void)own;
    s->seq = 0;
    if (trade_is(t->site, "order_status") && !doc_has(d, s->order) &&
        doc_has(d, s->file))
        return whole_file(t, s, d);
    w = (struct doc_answer){ 0 };
    if (!trade_is(t->site, "invoice") || !cancelled(s, d).len) {
        find_order(t, s, d, &order);
        w = answer_of(t, s, d);
    } else if (find_cancelled(t, s, d, &order)) {
        w = of_cancelled(t, s, d, &order);
    }
    if (order.rival.len) {
        TRADE_FAULT(t, d, s->order, ORDER_AMBIGUOUS, order.as_number,
                    order.key.sender, order.rival);
        return TRADE_ASIDE;
    }
    if (order.found) {
        take_over(s, d, &order);
        if (!says_nothing(&w))
            facts_answered(t->facts, &order.key, &w);
        if (was_said(t, s, d, &order))
            return trade_skip(t, "said before");
    } else if (doc_has(d, s->order) && t->site->answers_orders) {
        unknown(t, s, d, &w);
    }
    return TRADE_ON;
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    const struct trade_site *site = t->site;
    struct state *s = state;
    struct str to = site->receiver;

    (void)own;
    if (!s->seq || s->seq != d->seq || how != WROTE)
        return;
    for (size_t i = 0; i < site->n_replies; i++)
        if (str_eq(site->replies[i], s->key.sender))
            to = s->key.sender;
    if (s->hash.len)
        facts_passed(t->facts, &s->key, s->hash);
    facts_story(
        t->facts, &s->key,
        str_eq(to, s->key.sender) ? STR("went back") : STR("went on"),
        arena_fmt(t->docs, "%s to %.*s", t->site->document->noun, STR_ARGS(to)),
        t->files);
}

const struct trade_rule rule_answers = {
    .name = "answers",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
    .wrote = wrote,
    .release = release,
};
