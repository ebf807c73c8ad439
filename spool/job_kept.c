/*
 * job_kept.c - write maps that look over all documents before they write the
 * first: the documents wait on disk (docfile.h).
 */
#include "spool/facts.h"
#include "spool/job_inside.h"

struct doc *job_next_kept(void *ctx, bool rewind)
{
    struct job *j = ctx;

    j->current = docfile_next(&j->kept, rewind);
    j->trade.number = STR(""); /* it was that of another document */
    if (j->current)
        job_name_file(j, j->current);
    return docfile_current(&j->kept);
}

/* Questions of warnings that will be asked again are dropped. */
static void keep_places_of_errors(struct job *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->places.n; i++)
        if (diag_table[j->places.v[i].diag->id].level == DIAG_ERROR)
            j->places.v[n++] = j->places.v[i];
    j->places.n = n;
}

/*
 * Every document that cannot be written is left out, and all outputs are
 * made again without it, so that sums and counts are true. Each round leaves
 * out at least one, and the second nearly always succeeds.
 */
bool job_write_kept(struct job *j)
{
    bool ok = false;

    while (!ok && !job_io_failed(j)) {
        uint64_t before = j->kept.n_excluded, n_warnings = j->out->n_warnings;
        struct diags_mark mark = diags_mark(&j->out->diags);

        job_reset_counts(j);
        ok = true;
        for (size_t w = 0; ok && w < j->spec->n_writes; w++) {
            j->kept.when = j->spec->writes[w].when;
            ok = write_all(&j->writes[w]);
        }
        if (ok)
            break;
        if (j->kept.n_excluded == before)
            return false; /* not a document's fault */
        diags_keep_errors(&j->out->diags, &mark);
        j->out->n_warnings = n_warnings;
        keep_places_of_errors(j);
        for (size_t w = 0; w < j->spec->n_writes; w++)
            if (!write_reset(&j->writes[w]))
                return false;
    }
    j->out->n_aside += j->kept.n_excluded;
    j->out->n_written = j->kept.n - j->kept.n_excluded;
    return ok;
}

/* In the second pass a fault leaves its document out of the next round. */
void job_kept_fault(void *ctx, const struct fault *f)
{
    struct job *j = ctx;

    job_write_fault(j, f);
    if (diag_table[f->id].level == DIAG_ERROR && j->current &&
        docfile_exclude(&j->kept, j->current->seq)) {
        aside_add(&j->aside, j->current->seq);
        facts_set_aside(j->spec->facts, j->current->seq);
    }
}
