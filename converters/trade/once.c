/*
 * once.c - a document that happens once is sent once.
 *
 *   never sent          sent, unless it was cancelled before
 *   sent, and the same  skipped
 *   sent, and another   `changes report` tells people, once for each version;
 *                       `changes send` sends it with action change, or cancel;
 *                       `changes ignore` skips it
 *   refused, changed    sent as new: the receiver has none; if it was a
 *                       change that was refused, see above
 *   older               skipped: a file that is tried again is not newer than
 *                       what was sent since
 *   invoiced, changed   told, whatever `changes` says: it is locked there
 *
 * `when` of the route chooses what is sent for the first time. What was sent is
 * followed from then on, whatever its status becomes; by the route that sent
 * it, or by another one to the same output whose `when` holds now.
 *
 * Nor does it matter that the route delivers into another folder now.
 *
 * "The same" is what the receiver would get (canon.h), in the fields that both
 * versions know, and in the sender's words: one more line in a map, or another
 * warehouse, VAT key or title of the receiver sends nothing again.
 *
 * What a person has asked for (a document by its number, a whole file once
 * more) is sent whatever was before.
 */
#include "converters/trade/canon.h"
#include "converters/trade/rules.h"

enum changes { CHANGES_REPORT, CHANGES_SEND, CHANGES_IGNORE };

struct own {
    enum changes changes;
    struct place at;
};

struct state {
    /* Fields of the documents, or -1. */
    int number, series, status, action, date, company, name, email;
    struct buf values; /* of the document at hand */
    struct str action_now;
    bool sends; /* it is on its way to the write maps */
    bool came;  /* that it was read is among what is learnt */
};

/* ---- lines ----------------------------------------------------------------
 */

static void p_changes(struct trade_parser *p, const struct oline *l,
                      struct str rest)
{
    static const char *const words[] = { [CHANGES_REPORT] = "report",
                                         [CHANGES_SEND] = "send",
                                         [CHANGES_IGNORE] = "ignore" };
    struct own *own = trade_own(p, sizeof(*own));
    int i;

    own->at = oline_place(l, str_trim(rest));
    i = trade_choice(p, l, &rest, "changes", words, COUNT(words),
                     "wants report, send or ignore");
    if (i < 0)
        return;
    own->changes = (enum changes)i;
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "changes", .parse = p_changes },
    { .name = NULL },
};

static bool sees(const struct trade_site *s, const char *name)
{
    int i = trade_field(s->shape, name);

    return i < 0 || s->shape->written[i];
}

/* Receivers may replace an order by its number; but who sees neither what to do
 * nor how it stands takes a cancellation for an order. */
static void check_action(const struct trade_site *s, const struct own *own,
                         struct diags *diags)
{
    int action = trade_field(s->shape, "action");

    if (own && own->changes == CHANGES_SEND && action >= 0 &&
        !s->shape->named[action] && !sees(s, "action") && !sees(s, "status"))
        DIAG0(diags, CHANGES_UNSEEN, own->at);
}

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    if (!s->output.len || (!trade_is(s, "order") && !trade_is(s, "invoice") &&
                           !trade_is(s, "shipment")))
        return false;
    check_action(s, own, diags);
    return true;
}

/* ---- at work --------------------------------------------------------------
 */

static void begin(struct trade *t, void *state, const void *own)
{
    struct state *s = state;

    (void)own;
    *s = (struct state){
        .number = trade_field(t->site->shape, "number"),
        .series = trade_field(t->site->shape, "series"),
        .status = trade_field(t->site->shape, "status"),
        .action = trade_field(t->site->shape, "action"),
        .date = trade_field(t->site->shape, "date"),
        .company = trade_field(t->site->shape, "billing.company"),
        .name = trade_field(t->site->shape, "billing.name"),
        .email = trade_field(t->site->shape, "customer.email"),
    };
    buf_init(&s->values, MB(64));
}

static void release(void *state)
{
    struct state *s = state;

    buf_release(&s->values);
}

static struct doc_key key_of(struct trade *t, const struct state *s,
                             const struct doc *d)
{
    struct str number = t->number;

    if (doc_text(d, s->series).len)
        number = arena_fmt(t->docs, "%.*s %.*s", STR_ARGS(d->f[s->series]),
                           STR_ARGS(number));
    return (struct doc_key){ .output = t->output,
                             .sender = t->sender,
                             .document = str_of(t->site->document->name),
                             .number = number };
}

static bool is_cancelled(const struct state *s, const struct doc *d)
{
    return str_is(doc_text(d, s->status), "cancelled");
}

#define CANCELLED " cancelled"

/* Receivers may not see the status; that it is cancelled they are told. */
static struct str version_of(struct trade *t, const struct state *s,
                             const struct doc *d)
{
    struct str hash = facts_hash_text(t->facts, buf_str(&s->values), t->docs);

    return is_cancelled(s, d)
               ? arena_fmt(t->docs, "%.*s" CANCELLED, STR_ARGS(hash))
               : hash;
}

/* What a `when` asks counts as well, though the receiver sees nothing of it: a
 * person who wants the document sent gets it as it came last. */
static struct str version_that_came(struct trade *t, const struct state *s,
                                    const struct doc *d)
{
    const struct shape *shape = t->site->shape;
    struct str version = version_of(t, s, d), asked = STR("");

    for (int i = 0; i < shape->n_fields; i++)
        if (shape->named[i] && !shape->written[i] && i != s->action)
            asked = arena_fmt(t->docs, "%.*s\n%.*s", STR_ARGS(asked),
                              STR_ARGS(d->f[i]));
    if (!asked.len)
        return version;
    version = facts_hash_text(
        t->facts,
        arena_fmt(t->docs, "%.*s%.*s", STR_ARGS(version), STR_ARGS(asked)),
        t->docs);
    return is_cancelled(s, d)
               ? arena_fmt(t->docs, "%.*s" CANCELLED, STR_ARGS(version))
               : version;
}

static void came(struct trade *t, struct state *s, const struct doc_key *key,
                 const struct doc *d)
{
    struct str company = doc_text(d, s->company);

    s->came = true;
    facts_came(t->facts, key,
               &(struct doc_face){
                   .unit = t->site->receiver,
                   .route = t->site->route,
                   .customer = company.len ? company : doc_text(d, s->name),
                   .email = doc_text(d, s->email),
                   .date = doc_text(d, s->date),
                   .line = d->line,
                   .member = t->place,
               },
               version_that_came(t, s, d));
}

static enum trade_verdict send(struct trade *t, struct state *s, struct doc *d,
                               const struct known_doc *was, const char *action)
{
    s->action_now = str_of(action);
    /* The receiver knows it under a prefix that is another now, perhaps. */
    if (!str_is(s->action_now, "create") && was->as_number.len)
        d->f[s->number] = was->as_number;
    if (s->action >= 0)
        d->f[s->action] = s->action_now;
    s->sends = true;
    t->wanted = true;
    return TRADE_ON;
}

/* People are told of a version once. */
static enum trade_verdict tell(struct trade *t, const struct state *s,
                               const struct doc_key *key, struct doc *d,
                               const struct known_doc *was, struct str what)
{
    struct str hash = version_of(t, s, d);
    bool locked = was->invoice.len > 0;

    if (!str_eq(hash, was->reported)) {
        if (locked)
            TRADE_FAULT(t, d, s->number, DOCUMENT_LOCKED,
                        arena_fmt(t->docs, "%.*s%s%.*s", STR_ARGS(was->series),
                                  was->series.len ? " " : "",
                                  STR_ARGS(was->invoice)),
                        what);
        else
            TRADE_FAULT(
                t, d, s->number, DOCUMENT_CHANGED,
                arena_fmt(t->docs, "%llu", (unsigned long long)was->sent_job),
                what);
        facts_reported(t->facts, key, hash, what);
    }
    return trade_skip(t, locked ? "changed after the invoice, not sent"
                                : "changed, not sent");
}

/*
 * It was refused, and was not a change of one that the receiver has, nor that
 * one once more. Of a change before his first answer nobody knows: to send it
 * as new could make two of it, which is for a person to say.
 */
static bool receiver_has_none(const struct known_doc *was)
{
    return was->refused && !was->known && str_is(was->action, "create");
}

#define NEVER_ACCEPTED "cancelled, and never accepted"

/* The receiver has none, and needs none. */
static enum trade_verdict withdraw(struct trade *t, const struct doc_key *key)
{
    facts_withdrawn(t->facts, key, STR(NEVER_ACCEPTED));
    return trade_skip(t, NEVER_ACCEPTED);
}

/* One that was sent before, and is another now. */
static enum trade_verdict changed(struct trade *t, struct state *s,
                                  const struct own *own,
                                  const struct doc_key *key, struct doc *d,
                                  const struct known_doc *was, struct str what)
{
    bool cancelled = is_cancelled(s, d);
    enum changes mode = own ? own->changes : CHANGES_REPORT;
    /* One that the receiver has cancelled is not there to be changed. */
    const char *action = cancelled                     ? "cancel"
                         : was->state == DOC_CANCELLED ? "create"
                                                       : "change";

    if (receiver_has_none(was))
        return cancelled ? withdraw(t, key) : send(t, s, d, was, "create");
    if (was->state == DOC_CANCELLED && !str_is(was->action, "cancel"))
        return cancelled ? trade_skip(t, NEVER_ACCEPTED)
                         : send(t, s, d, was, "create"); /* see withdraw() */
    if (was->invoice.len)
        return tell(t, s, key, d, was, what);
    switch (mode) {
    case CHANGES_SEND:
        return send(t, s, d, was, action);
    case CHANGES_REPORT:
        return tell(t, s, key, d, was, what);
    case CHANGES_IGNORE:
        break;
    }
    return trade_skip(t, "changed, ignored");
}

/* Is it the same as what was sent? `what` tells people what is not. */
static bool is_same(struct trade *t, const struct state *s,
                    const struct known_doc *was, const struct doc *d,
                    struct str *what)
{
    struct str now = buf_str(&s->values);

    *what = STR("its fields");
    if (is_cancelled(s, d) != (was->state == DOC_CANCELLED)) {
        *what = was->state == DOC_CANCELLED
                    ? STR("it is not cancelled any more")
                    : STR("it is cancelled");
        return false;
    }
    if (was->values.len)
        return !canon_differ(was->values, now, t->docs, what);
    return str_eq(facts_hash_text(t->facts, now, t->docs), was->hash);
}

static enum trade_verdict follow(struct trade *t, struct state *s,
                                 const struct own *own,
                                 const struct doc_key *key, struct doc *d,
                                 const struct known_doc *was)
{
    struct str what;

    if (is_same(t, s, was, d, &what))
        return trade_skip(t, "sent before");
    if (was->sent_place > facts_place(t->facts))
        return trade_skip(t, "older than what was sent");
    return changed(t, s, own, key, d, was, what);
}

static enum trade_verdict first_time(struct trade *t, struct state *s,
                                     struct doc *d, const struct known_doc *was)
{
    bool cancelled_since = was->came_place > facts_place(t->facts) &&
                           str_ends(was->came_hash, STR(CANCELLED));

    if (!t->wanted)
        return TRADE_ON;
    if (is_cancelled(s, d) || cancelled_since)
        return trade_skip(t, "cancelled before it was sent");
    return send(t, s, d, was, "create");
}

/* A person wants it sent once more: as the receiver has it, or has not. */
static enum trade_verdict again(struct trade *t, struct state *s, struct doc *d,
                                const struct known_doc *was)
{
    bool cancelled = is_cancelled(s, d);

    if (was->sent_job && cancelled && !receiver_has_none(was))
        return send(t, s, d, was, "cancel");
    if (!cancelled && (was->state == DOC_CANCELLED ||
                       (was->refused && !was->known && t->only.len)))
        return send(t, s, d, was, "create");
    return send(t, s, d, was,
                was->action.len ? arena_cstr(t->docs, was->action) : "create");
}

/* Routes may share what comes by their `when`, each with rules of its own. What
 * a route has sent that is gone, or has another name now, is followed by all.
 */
static bool is_of_another_route(const struct trade *t, struct str route)
{
    for (size_t i = 0; i < t->site->n_siblings; i++)
        if (str_eq(route, t->site->siblings[i]))
            return true;
    return false;
}

/* Its file is the one to send it from again, unless a newer one has it. */
static bool is_news(struct trade *t, const struct state *s, const struct doc *d,
                    const struct known_doc *was)
{
    bool adopted = was->found && !str_eq(was->came_route, t->site->route) &&
                   !is_of_another_route(t, was->came_route);

    return was->came_place <= facts_place(t->facts) &&
           (adopted ||
            facts_is_news(t->facts, was, version_that_came(t, s, d)));
}

/* Its `to` has another folder now, or another order of lines: what the route
 * has sent to that partner is followed as what it was. */
static void find_moved(struct trade *t, struct doc_key *key,
                       struct known_doc *was)
{
    struct known_doc there;

    facts_doc_moved(t->facts, t->site->receiver, t->site->route, key, t->docs,
                    &there);
    if (!there.found || (was->found && !there.sent_job))
        return;
    t->output = key->output = there.key.output;
    facts_doc(t->facts, key, t->docs, was);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    /* The number is the key; the receiver's own prefix may be a new one. */
    static const char *const without[] = { "action", "number", NULL };
    struct state *s = state;
    struct known_doc was;
    struct doc_key key;

    s->sends = s->came = false;
    if (!t->number.len)
        return TRADE_ON;
    key = key_of(t, s, d);
    facts_doc(t->facts, &key, t->docs, &was);
    if (!was.sent_job)
        find_moved(t, &key, &was);
    if (!t->wanted && !t->only.len && is_of_another_route(t, was.sent_route))
        return TRADE_ON;
    buf_clear(&s->values);
    if (canon_text(d, without, &s->values) == -1)
        buf_clear(&s->values); /* it is compared with nothing, and sent */
    if (is_news(t, s, d, &was)) {
        came(t, s, &key, d);
        if (was.found)
            facts_seen(t->facts, &key, version_that_came(t, s, d));
    }
    if (t->full && !t->only.len && was.invoice.len)
        return trade_skip(t, "invoiced");
    if (t->only.len || (t->full && t->wanted && was.sent_job))
        return again(t, s, d, &was);
    return was.sent_job ? follow(t, s, own, &key, d, &was)
                        : first_time(t, s, d, &was);
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    struct state *s = state;
    struct doc_key key;

    (void)own;
    if (!s->sends || how != WROTE)
        return;
    key = key_of(t, s, d);
    /* Files of earlier jobs, which tell that it came, are not kept for ever. */
    if (!s->came)
        came(t, s, &key, d);
    facts_sent(t->facts, &key, doc_text(d, s->number), s->action_now,
               buf_str(&s->values), t->files);
}

const struct trade_rule rule_once = {
    .name = "once",
    .words = words,
    .fits = "orders, invoices and shipments",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
    .wrote = wrote,
    .release = release,
};
