#include "spool/report.h"

#include <stdio.h>

#include "spool/stamp.h"

/* ---- names -------------------------------------------------------------- */

struct str report_original_name(struct arena *a, const struct receipt *r)
{
    return arena_fmt(a, "%llu-%.*s", (unsigned long long)r->job,
                     STR_ARGS(r->name));
}

struct str report_name(struct arena *a, const struct receipt *r)
{
    return arena_fmt(a, "%llu-%.*s.report.txt", (unsigned long long)r->job,
                     STR_ARGS(r->name));
}

struct str report_faulty_name(struct arena *a, const struct receipt *r,
                              size_t i)
{
    size_t dot = r->name.len;
    char more[24] = "";

    while (dot > 0 && r->name.p[dot - 1] != '.')
        dot--;
    dot = dot > 1 ? dot - 1 : r->name.len; /* a name without ending */
    if (i)
        snprintf(more, sizeof(more), "-%zu", i + 1);
    return arena_fmt(
        a, "%.*s.faulty-%llu%s%.*s", STR_ARGS(str_first(r->name, dot)),
        (unsigned long long)r->job, more, STR_ARGS(str_from(r->name, dot)));
}

/* ---- the head ----------------------------------------------------------- */

static void line(struct buf *b, const char *title, struct str value)
{
    buf_addf(b, "%-9s ", title);
    show_text(b, value);
    buf_addc(b, '\n');
}

static const char *result_line(const struct result *r)
{
    if (r->verdict == JOB_REJECTED)
        return "rejected: nothing of this file was delivered";
    if (r->n.n_aside == 1)
        return "1 record was set aside, the others were converted";
    if (r->n.n_aside)
        return "some records were set aside, the others were converted";
    return r->n.n_warnings ? "converted, with the remarks below" : "converted";
}

void report_head(struct buf *b, const struct report_facts *f)
{
    const struct receipt *r = f->receipt;
    char when[STAMP_LEN + 1];

    stamp_for_people(r->taken_at, when);
    buf_addz(b, "Kervan report\n\n");
    buf_addf(b, "%-9s ", "File");
    show_text(b, r->name);
    buf_addf(b, " (%llu bytes)\n", (unsigned long long)r->size);
    line(b, "From", r->partner);
    line(b, "Route", r->route);
    buf_addf(b, "%-9s %llu\n", "Job", (unsigned long long)r->job);
    line(b, "Taken", str_of(when));
    line(b, "Result", str_of(result_line(f->result)));
}

/* ---- the messages ------------------------------------------------------- */

/* It did not get to the end, for a reason that is not in its messages. */
static bool is_stopped(const struct job_result *res)
{
    return res->verdict != JOB_DONE && res->err.text[0];
}

void report_body(struct buf *b, const struct job_result *res)
{
    uint64_t n = res->diags.n_errors + res->diags.n_warnings;

    buf_addc(b, '\n');
    if (res->summary.len) {
        buf_add(b, res->summary);
        buf_addc(b, '\n');
    }
    if (res->diags.first)
        buf_addz(b, "\nMessages (file:line:character):\n\n");
    diags_print(&res->diags, false, b);
    if (is_stopped(res))
        buf_addf(b, "\nerror: %s\n", res->err.text);
    if (n > res->diags.n_listed)
        buf_addf(b,
                 "\n%llu messages in all; the first %llu are listed (limit "
                 "errors of %llu).\n",
                 (unsigned long long)n, (unsigned long long)res->diags.n_listed,
                 (unsigned long long)res->diags.max);
}

/* ---- the advice --------------------------------------------------------- */

/* The folder that the file came from, as the route has it. */
static struct str inbox_of(const struct report_facts *f)
{
    const struct receipt *r = f->receipt;

    for (const struct conf_from *x = f->route->from; x; x = x->next)
        if (str_eq(x->partner->name, r->partner) &&
            route_takes(f->route, r->partner, x->folder, r->name))
            return x->folder;
    return STR("");
}

/* "move it to inbox", and under which name the route takes it. */
static void say_move(struct buf *b, const struct report_facts *f,
                     struct str name)
{
    const struct receipt *r = f->receipt;
    struct str inbox = inbox_of(f);

    buf_addz(b, "move it to ");
    show_text(b, inbox.len ? inbox : STR("the folder that it came from"));
    if (!route_takes(f->route, r->partner, inbox, name)) {
        buf_addz(b, " under its old name, ");
        show_text(b, r->name);
    }
    buf_addz(b, ".\n");
}

static void say_file(struct buf *b, struct str name)
{
    buf_addz(b, "\n    rejected/");
    show_text(b, name);
    buf_addz(b, "\n\n");
}

static bool is_state(const struct route *r)
{
    for (const struct conf_read *x = r->reads; x; x = x->next)
        if (conf_is_state(x))
            return true;
    return false;
}

static void advise_faulty(struct buf *b, const struct report_facts *f,
                          struct arena *a)
{
    const struct result *res = f->result;

    buf_addz(b, "What was set aside stands alone, as it was sent, in\n");
    for (size_t i = 0; i < res->n_faulty; i++)
        say_file(b, report_faulty_name(a, f->receipt, i));
    if (is_state(f->route)) {
        buf_addz(b, "Correct it where it comes from and send all of it anew: "
                    "alone, these\nrecords would take the place of the "
                    "others.\n");
        return;
    }
    buf_addz(b, "Correct it there, then ");
    say_move(b, f, report_faulty_name(a, f->receipt, 0));
    if (f->n_mixed)
        buf_addf(b,
                 "But delete first what was delivered: %llu of its records "
                 "%s that, too.\n",
                 (unsigned long long)f->n_mixed,
                 f->n_mixed == 1 ? "holds" : "hold");
    else
        buf_addz(b, "What was delivered is not in it, and will not be sent "
                    "again.\n");
}

static void advise_whole(struct buf *b, const struct report_facts *f,
                         struct arena *a)
{
    struct str name = report_original_name(a, f->receipt);

    buf_addz(b, "What was set aside could not be copied out of the file, so "
                "all of it lies in\n");
    say_file(b, name);
    buf_addz(b, "Delete from it what was delivered, or it will be sent again, "
                "correct\nthe rest, then ");
    say_move(b, f, name);
}

static void advise_rejected(struct buf *b, const struct report_facts *f,
                            struct arena *a)
{
    struct str name = report_original_name(a, f->receipt);

    if (f->result->by_rule)
        buf_addz(b, "One wrong record rejects a whole file on this route "
                    "(\"on error\").\n");
    buf_addz(b, "The file lies, as it was sent, in\n");
    say_file(b, name);
    buf_addz(b, "Correct it there, then ");
    say_move(b, f, name);
    buf_addz(b, "Or let the program that made it make a new one.\n");
}

/* Nothing comes back. Of a remark only a person can tell whether it matters: an
 * order that has changed and was not sent again, for example. */
static void advise_nothing(struct buf *b, const struct result *res)
{
    if (res->n.n_aside)
        buf_addz(b, "Of this file one document alone was asked for. What else "
                    "was set aside\ncame back when the file was taken.\n");
    else if (res->n.n_warnings)
        buf_addz(b, "Nothing has to be sent again. The remarks above are for a "
                    "person to look at.\n");
    else
        buf_addz(b, "Nothing needs to be done.\n");
}

void report_advice(struct buf *b, const struct report_facts *f)
{
    const struct result *res = f->result;
    struct arena a = { 0 };

    if (f->route->test) /* nothing of it goes back */
        return;
    buf_addz(b, "\nWhat to do\n\n");
    if (res->verdict == JOB_REJECTED)
        advise_rejected(b, f, &a);
    else if (res->returns_file)
        advise_whole(b, f, &a);
    else if (res->n_faulty)
        advise_faulty(b, f, &a);
    else
        advise_nothing(b, res);
    if (res->verdict == JOB_REJECTED || res->n.n_aside)
        buf_addz(b, "If the file is right, the mapping that reads or writes "
                    "it has to be\nchanged first: ask whoever keeps it.\n");
    arena_release(&a);
}

struct str report_first(struct arena *a, const struct job_result *res)
{
    const struct diag *d = res->diags.first;
    struct str out = STR("");
    struct buf b;

    while (d && diag_table[d->id].level != DIAG_ERROR)
        d = d->next;
    if (!d)
        return is_stopped(res) ? arena_str(a, str_of(res->err.text)) : out;
    buf_init(&b, 2000);
    if (d->at.line)
        buf_addf(&b, "%u:%u: ", d->at.line, d->at.col);
    diag_text(d->id, d->args, &b);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}
