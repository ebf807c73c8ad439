#include "converters/cmd/docs.h"

#include <string.h>

bool is_document_word(const char *word)
{
    static const char *const words[] = { "order", "invoice", "shipment" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

struct str doc_state_text(struct arena *a, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    if (k->refused)
        return STR("refused");
    if (!k->key.output.len)
        return STR("answered, and never sent");
    if (k->invoice.len)
        return arena_fmt(a, "invoiced %.*s%s%.*s", STR_ARGS(k->series),
                         k->series.len ? " " : "", STR_ARGS(k->invoice));
    if (k->state == DOC_CAME)
        return STR("not sent");
    if (k->state == DOC_CANCELLED)
        return STR("cancelled");
    if (d->status.len)
        return d->status;
    return k->receiver_number.len || k->receiver_id.len ? STR("accepted")
                                                        : STR("sent");
}

void json_doc(struct json *j, struct arena *a, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    json_str(j, "document", k->key.document);
    json_str(j, "number", k->key.number);
    json_str(j, "state", doc_state_text(a, d));
    json_bool(j, "refused", k->refused);
    json_str(j, "unsent", d->unsent);
    json_str(j, "answer", k->answer);
    json_str(j, "sender", k->key.sender);
    json_str(j, "receiver", d->unit);
    json_str(j, "output", k->key.output);
    json_str(j, "route", d->route);
    json_str(j, "date", d->date);
    json_str(j, "customer", d->customer);
    json_str(j, "email", d->email);
    json_str(j, "sent_as", k->as_number);
    json_str(j, "action", k->action);
    json_num(j, "sent_job", k->sent_job);
    json_str(j, "receiver_number", k->receiver_number);
    json_str(j, "receiver_id", k->receiver_id);
    json_str(j, "invoice_series", k->series);
    json_str(j, "invoice", k->invoice);
    json_str(j, "status", d->status);
    json_str(j, "carrier", d->carrier);
    json_str(j, "tracking", d->tracking);
    json_num(j, "first_job", d->first_job);
    json_num(j, "last_job", d->last_job);
    json_time(j, "last_at", k->last_at);
    json_str(j, "file", d->member);
    json_num(j, "line", d->line);
}
