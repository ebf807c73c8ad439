/*
 * adopt.c - `kervan adopt`: a ledger that was lost or is old is matched with
 * the archive. It asks nothing, and says line by line what it did.
 */
#include <stdio.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/adopt.h"

extern const struct cmd cmd_adopt;

static void print_people(struct arena *a, const struct adopted *x)
{
    struct text_table t = { .arena = a, .n_columns = 2, .right = { true } };

    if (x->was_fine) {
        puts("the ledger is that of the spool; there is nothing to do");
        return;
    }
    for (const struct adopt_line *l = x->lines; l; l = l->next)
        TABLE_ROW(&t, l->job ? number_text(a, l->job) : STR("-"), l->text);
    table_print(&t);
    printf("\n%llu jobs are as the archive has them, %llu are held, %llu go "
           "on.%s\n",
           (unsigned long long)x->n_archived, (unsigned long long)x->n_held,
           (unsigned long long)x->n_others,
           x->n_held ? " Look at those that are held: kervan status" : "");
}

static void print_json(const struct adopted *x)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '{');
    json_bool(&j, "was_fine", x->was_fine);
    json_num(&j, "archived", x->n_archived);
    json_num(&j, "held", x->n_held);
    json_num(&j, "others", x->n_others);
    json_open(&j, "lines", '[');
    for (const struct adopt_line *l = x->lines; l; l = l->next) {
        json_open(&j, NULL, '{');
        json_num(&j, "job", l->job);
        json_str(&j, "what", l->text);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int match(struct view *v, struct keeper *k)
{
    struct adopted x;
    struct err e;

    if (keeper_reserve(k, &e) == -1)
        return view_failed(&e);
    if (k->is_busy) {
        fputs("kervan: another kervan is at work on this spool, so its ledger "
              "is in order\n",
              stderr);
        return EXIT_ASIDE;
    }
    if (adopt(k, &x, &e) == -1)
        return view_failed(&e);
    if (cmd_globals.json)
        print_json(&x);
    else
        print_people(&v->arena, &x);
    return x.n_held ? EXIT_ASIDE : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    struct keeper k = { .conf = &v.conf, .spool_fd = -1, .lock_fd = -1 };
    int rc;

    if (argc > 1)
        return cmd_usage(&cmd_adopt, "unknown argument %s", argv[1]);
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = match(&v, &k);
    keeper_close(&k);
    view_close(&v);
    return rc;
}

const struct cmd cmd_adopt = {
    .name = "adopt",
    .args = "",
    .help = "match a lost or old ledger with the archive",
    .more =
        "When the ledger is gone, or older than the spool, nothing is started: "
        "it would\nsend orders again. This makes it whole again from what the "
        "jobs left in the\narchive. A job of which nobody can know whether it "
        "was delivered is HELD, and\nits deliveries are UNCONFIRMED: look at "
        "the receiver, then `kervan settle`.\n\nAfter a backup was brought "
        "back, as well. Exit status 1: some jobs are held.\n",
    .run = run,
};
