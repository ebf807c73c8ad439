#include "spool/report.h"

#include "spool/stamp.h"

static void line(struct buf *b, const char *title, struct str value)
{
    buf_addf(b, "%-9s ", title);
    show_text(b, value);
    buf_addc(b, '\n');
}

void report_head(struct buf *b, const struct receipt *r, const char *result)
{
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
    line(b, "Result", str_of(result));
    buf_addz(b, "\n");
}

/* It did not get to the end, for a reason that is not in its messages. */
static bool is_stopped(const struct job_result *res)
{
    return res->verdict != JOB_DONE && res->err.text[0];
}

void report_body(struct buf *b, const struct job_result *res)
{
    uint64_t n = res->diags.n_errors + res->diags.n_warnings;

    if (res->summary.len) {
        buf_add(b, res->summary);
        buf_addz(b, "\n\n");
    }
    diags_print(&res->diags, false, b);
    if (is_stopped(res))
        buf_addf(b, "error: %s\n", res->err.text);
    if (n > res->diags.n_listed)
        buf_addf(b,
                 "\n%llu messages in all; the first %llu are listed (limit "
                 "errors).\n",
                 (unsigned long long)n,
                 (unsigned long long)res->diags.n_listed);
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
