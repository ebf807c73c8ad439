/* status_docs.c - what `kervan status` says of documents that wait for a
 * person: their receiver has refused them, or they have changed and were not
 * sent. */
#include <stdio.h>

#include "converters/cmd/docs.h"
#include "converters/cmd/status.h"

enum { SHOWN = 50 };

int status_collect_docs(struct status *s, struct err *e)
{
    const struct doc_search q = { .waits = true, .last = SHOWN };

    if (ledger_docs(s->v.ledger, &q, &s->v.arena, &s->docs, &s->n_docs, e) ==
        -1)
        return -1;
    s->n_all_docs = s->n_docs;
    if (s->n_docs < SHOWN)
        return 0;
    return ledger_count_waiting_docs(s->v.ledger, &s->n_all_docs, e);
}

struct str status_doc_text(struct arena *a, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    if (!k->refused)
        return arena_fmt(a,
                         "%.*s %.*s has changed, and %.*s does not know: %.*s",
                         STR_ARGS(k->key.document), STR_ARGS(k->key.number),
                         STR_ARGS(d->unit), STR_ARGS(d->unsent));
    return arena_fmt(a, "%.*s %.*s was refused by %.*s%s%.*s",
                     STR_ARGS(k->key.document), STR_ARGS(k->key.number),
                     STR_ARGS(d->unit), k->answer.len ? ": " : "",
                     STR_ARGS(k->answer));
}

static struct str why(struct arena *a, const struct found_doc *d)
{
    if (!d->is.refused)
        return arena_fmt(a, "changed, not sent: %.*s", STR_ARGS(d->unsent));
    return arena_fmt(a, "refused%s%.*s", d->is.answer.len ? ": " : "",
                     STR_ARGS(d->is.answer));
}

void status_print_docs(struct status *s)
{
    struct arena *a = &s->v.arena;
    struct text_table t = { .arena = a, .n_columns = 5 };

    if (!s->n_docs)
        return;
    puts("\nDocuments that wait for a person (kervan send or settle order N)");
    TABLE_ROW(&t, STR("DOCUMENT"), STR("NUMBER"), STR("FROM"), STR("TO"),
              STR("WHY"));
    for (size_t i = 0; i < s->n_docs; i++) {
        const struct found_doc *d = &s->docs[i];

        TABLE_ROW(&t, d->is.key.document, d->is.key.number,
                  d->is.key.output.len ? d->is.key.sender : STR("nobody"),
                  d->unit, why(a, d));
    }
    table_print(&t);
    if (s->n_all_docs > s->n_docs)
        printf("and %llu more\n",
               (unsigned long long)(s->n_all_docs - s->n_docs));
}

void status_json_docs(struct json *j, const struct status *s)
{
    struct arena a = { 0 };

    json_num(j, "waiting", s->n_all_docs);
    json_open(j, "waiting_documents", '[');
    for (size_t i = 0; i < s->n_docs; i++) {
        json_open(j, NULL, '{');
        json_doc(j, &a, &s->docs[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
    arena_release(&a);
}
