/* status_docs.c - what `kervan status` says of documents that their receivers
 * have refused: a person must act. */
#include <stdio.h>

#include "converters/cmd/docs.h"
#include "converters/cmd/status.h"

enum { SHOWN = 50 };

int status_collect_docs(struct status *s, struct err *e)
{
    const struct doc_search q = { .refused = true, .last = SHOWN };

    if (ledger_docs(s->v.ledger, &q, &s->v.arena, &s->refused, &s->n_refused,
                    e) == -1)
        return -1;
    s->n_all_refused = s->n_refused;
    if (s->n_refused < SHOWN)
        return 0;
    return ledger_count_refused(s->v.ledger, &s->n_all_refused, e);
}

struct str status_doc_text(struct arena *a, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    return arena_fmt(a, "%.*s %.*s was refused by %.*s%s%.*s",
                     STR_ARGS(k->key.document), STR_ARGS(k->key.number),
                     STR_ARGS(d->unit), k->answer.len ? ": " : "",
                     STR_ARGS(k->answer));
}

void status_print_docs(struct status *s)
{
    struct arena *a = &s->v.arena;
    struct text_table t = { .arena = a, .n_columns = 5 };

    if (!s->n_refused)
        return;
    puts("\nRefused by their receivers (kervan send or settle order N)");
    TABLE_ROW(&t, STR("DOCUMENT"), STR("NUMBER"), STR("FROM"), STR("TO"),
              STR("WHY"));
    for (size_t i = 0; i < s->n_refused; i++) {
        const struct found_doc *d = &s->refused[i];

        TABLE_ROW(&t, d->is.key.document, d->is.key.number,
                  d->is.key.output.len ? d->is.key.sender : STR("nobody"),
                  d->unit, d->is.answer);
    }
    table_print(&t);
    if (s->n_all_refused > s->n_refused)
        printf("and %llu more\n",
               (unsigned long long)(s->n_all_refused - s->n_refused));
}

void status_json_docs(struct json *j, const struct status *s)
{
    struct arena a = { 0 };

    json_num(j, "refused", s->n_all_refused);
    json_open(j, "refused_documents", '[');
    for (size_t i = 0; i < s->n_refused; i++) {
        json_open(j, NULL, '{');
        json_doc(j, &a, &s->refused[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
    arena_release(&a);
}
