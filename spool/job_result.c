/* job_result.c - what is said of a job when it is over. */
#include "spool/job_result.h"

/* "order 100482 set aside; 211 other orders continue" */
static void set_outcomes(struct job_result *o, const struct level *level)
{
    uint64_t others = o->n_written;

    for (struct diag *g = o->diags.first; g; g = g->next) {
        ptrdiff_t comma = str_find_char(g->record, ',');
        struct str name =
            str_first(g->record, comma < 0 ? g->record.len : (size_t)comma);

        if (!g->record.len || diag_table[g->id].level != DIAG_ERROR)
            continue;
        if (o->verdict == JOB_REJECTED) {
            g->outcome = arena_fmt(&o->arena,
                                   "%.*s set aside; nothing of the file is "
                                   "delivered",
                                   STR_ARGS(name));
            continue;
        }
        g->outcome = arena_fmt(&o->arena, "%.*s set aside; %llu other %s %s",
                               STR_ARGS(name), (unsigned long long)others,
                               others == 1 ? level->noun : level->plural,
                               others == 1 ? "continues" : "continue");
    }
}

static const char *counted(const struct level *l, uint64_t n)
{
    return n == 1 ? l->noun : l->plural;
}

/* ", 1 customer and 2 products created" */
static void add_created(struct buf *b, const struct job_result *o)
{
    static const char *const plurals[N_CARD_KINDS] = {
        [CARD_CUSTOMER] = "customers",
        [CARD_PRODUCT] = "products",
        [CARD_PAYMENT] = "payment methods",
        [CARD_SHIPPING] = "shipping methods",
    };
    bool any = false;

    for (int i = 0; i < N_CARD_KINDS; i++) {
        uint64_t n = o->n_created[i];
        int len = (int)strlen(plurals[i]) - (n == 1);

        if (n)
            (void)buf_addf(b, "%s%llu %.*s", any ? " and " : ", ",
                           (unsigned long long)n, len, plurals[i]);
        any = any || n;
    }
    if (any)
        (void)buf_addz(b, " created");
}

static void summarize(struct job_result *o, const struct level *l,
                      bool only_learns)
{
    struct buf b;

    buf_init(&b, KB(4));
    (void)buf_addf(&b, "%llu %s read", (unsigned long long)o->n_read,
                   counted(l, o->n_read));
    if (only_learns)
        (void)buf_addz(&b, " to learn from");
    else
        (void)buf_addf(&b, ", %llu written", (unsigned long long)o->n_written);
    add_created(&b, o);
    if (o->n_aside)
        (void)buf_addf(&b, ", %llu set aside", (unsigned long long)o->n_aside);
    if (o->n_made)
        (void)buf_addf(&b, ", %llu of them made (no longer in the source)",
                       (unsigned long long)o->n_made);
    if (o->n_filtered > o->n_by_rules && !only_learns)
        (void)buf_addf(&b, ", %llu not for this route",
                       (unsigned long long)(o->n_filtered - o->n_by_rules));
    for (size_t i = 0; i < o->n_skips; i++)
        (void)buf_addf(&b, ", %llu skipped (%s)",
                       (unsigned long long)o->skips[i].n, o->skips[i].reason);
    if (o->n_replaced)
        (void)buf_addf(&b, ", %llu character%s replaced (%.*s)",
                       (unsigned long long)o->n_replaced,
                       o->n_replaced == 1 ? "" : "s",
                       STR_ARGS(str_first(o->replaced, 400)));
    if (o->n_warnings)
        (void)buf_addf(&b, ", %llu warning%s",
                       (unsigned long long)o->n_warnings,
                       o->n_warnings == 1 ? "" : "s");
    o->summary = arena_str(&o->arena, buf_str(&b));
    buf_release(&b);
}

void job_result_conclude(struct job_result *o, const struct level *level,
                         bool only_learns)
{
    set_outcomes(o, level);
    summarize(o, level, only_learns);
}

void job_result_release(struct job_result *r)
{
    arena_release(&r->arena);
}
