/* job_trade.c - between the reader's documents and the write maps: the rules of
 * the trade, for routes that have some. */
#include "spool/facts.h"
#include "spool/job_inside.h"

/* Which outputs have the document that was just written. */
static struct str files_of(struct job *j)
{
    const char *staging = j->spec->staging;
    const char *slash = staging ? strrchr(staging, '/') : NULL;
    struct str all = STR("");

    /* From the folder that holds those of every read map. */
    for (size_t w = 0; slash && w < j->spec->n_writes; w++) {
        const struct output *o = j->writes[w].target;

        if (o)
            all = arena_fmt(
                &j->docs, "%.*s\t%.*s", STR_ARGS(all),
                STR_ARGS(str_from(o->path, (size_t)(slash + 1 - staging))));
    }
    return all;
}

/* Write maps that look over all documents get it in the second pass. */
static enum trade_written keep_for_later(struct job *j, struct doc *d)
{
    bool wanted;

    if (!job_conditions_hold_up(j, d, &wanted)) {
        job_set_aside(j, d);
        return WROTE_ASIDE;
    }
    if (!wanted) {
        j->out->n_filtered++;
        return WROTE_NOWHERE;
    }
    docfile_add(&j->kept, d);
    return WROTE;
}

static enum trade_written write_out(void *ctx, struct doc *d)
{
    struct job *j = ctx;
    uint64_t written = j->out->n_written;

    j->current = d;
    j->trade.files = STR("");
    job_name_file(j, d); /* it may have waited */
    if (j->keep_all)
        return keep_for_later(j, d);
    if (!job_write_document(j, d)) {
        job_set_aside(j, d);
        return WROTE_ASIDE;
    }
    if (j->out->n_written == written)
        return WROTE_NOWHERE;
    if (j->spec->trade)
        j->trade.files = files_of(j);
    return WROTE;
}

static struct write_run *card_write(struct job *j, size_t card)
{
    return &j->writes[j->spec->n_writes + j->spec->trade->card_write[card]];
}

static bool try_card(void *ctx, size_t i, struct doc *card)
{
    struct job *j = ctx;
    struct write_run *w = card_write(j, i);
    bool ok;

    job_counts_mark(&j->counts);
    ok = write_try(w, card);
    if (ok)
        write_undo(w);
    job_counts_back(&j->counts);
    return ok;
}

static bool write_card(void *ctx, size_t i, struct doc *card)
{
    struct job *j = ctx;
    struct write_run *w = card_write(j, i);

    if (!write_try(w, card) || !write_keep(w))
        return false;
    j->out->n_created[j->spec->trade->cards[i]->kind]++;
    return true;
}

/* Of a card: its order is at fault, and has none of its fields. */
void job_card_fault(void *ctx, const struct fault *f)
{
    struct job *j = ctx;

    job_add_fault(j, f->id, f->map, f->args, DIAG_ARGS, j->current, -1);
}

static void trade_fault(void *ctx, enum diag_id id, const struct str *args,
                        size_t n_args, const struct doc *d, int field)
{
    job_add_fault(ctx, id, (struct place){ 0 }, args, n_args, d, field);
}

static void trade_aside(void *ctx, const struct doc *d)
{
    job_set_aside(ctx, d);
}

static void trade_filtered(void *ctx)
{
    struct job *j = ctx;

    j->out->n_filtered++;
}

static void trade_fail(void *ctx, const char *what)
{
    struct job *j = ctx;

    if (!j->kept.failed)
        err_sys(&j->kept.err, ERR_RETRY, "%s", what);
    j->kept.failed = true;
}

static int trade_temporary(void *ctx)
{
    struct job *j = ctx;
    int fd = docfile_temporary(j->spec->staging);

    if (fd == -1)
        trade_fail(j, "cannot make a temporary file");
    return fd;
}

void job_begin_trade(struct job *j)
{
    const struct job_spec *s = j->spec;

    j->trade = (struct trade){
        .facts = s->facts,
        .hooks = { .ctx = j,
                   .write = write_out,
                   .try_card = try_card,
                   .write_card = write_card,
                   .fault = trade_fault,
                   .set_aside = trade_aside,
                   .filtered = trade_filtered,
                   .temporary = trade_temporary,
                   .fail = trade_fail },
        .sender = s->sender,
        .sender_asked = s->sender_asked,
        .file = s->n_inputs ? s->inputs[0].name : STR(""),
        .only = s->only,
        .full = s->full,
        .limits = s->limits,
        .docs = &j->docs,
    };
    if (s->trade)
        trade_begin(&j->trade, s->trade);
}

/* Through the rules, or straight to the write maps. */
void job_pass_on(struct job *j, struct doc *d, bool wanted)
{
    struct trade *t = &j->trade;
    enum trade_verdict v = TRADE_ON;

    if (j->spec->trade) {
        t->place = j->sources[d->member].source.name;
        v = trade_take(t, d, wanted);
        wanted = t->wanted;
    } else if (wanted) {
        (void)write_out(j, d);
    }
    if (v == TRADE_ASIDE)
        job_set_aside(j, d);
    else if (v == TRADE_ON && !wanted)
        j->out->n_filtered++;
}

/* What the rules have skipped, behind what the map has. */
static void add_skips(struct job *j)
{
    struct job_result *o = j->out;
    struct job_skip *all = arena_alloc(
        &o->arena, (o->n_skips + j->trade.n_skips + 1) * sizeof(*all));

    if (o->n_skips)
        memcpy(all, o->skips, o->n_skips * sizeof(*all));
    for (size_t i = 0; i < j->trade.n_skips; i++) {
        const struct trade_skip *s = &j->trade.skips[i];

        all[o->n_skips++] =
            (struct job_skip){ arena_cstr(&o->arena, str_of(s->reason)), s->n };
        o->n_filtered += s->n;
        o->n_by_rules += s->n;
    }
    o->skips = all;
}

/* The summary tells people how many were read. In the balance those count,
 * too, that rules have made. */
void job_balance(struct job *j)
{
    j->out->n_read += j->out->n_made;
}

/* Rules that wait for the last document. */
void job_end_trade(struct job *j)
{
    if (!j->spec->trade || j->failed || job_io_failed(j))
        return;
    j->trade.n_aside = j->out->n_aside + j->n_faulty;
    trade_end(&j->trade);
    add_skips(j);
    j->out->n_made = j->trade.n_made;
}
