/* docs.h - documents that happen once, as commands show them. */
#ifndef CMD_DOCS_H
#define CMD_DOCS_H

#include "converters/cmd/view.h"
#include "spool/docs.h"

/* "sent", "not sent", "refused", "invoiced FCT 123" */
struct str doc_state_text(struct arena *a, const struct found_doc *d);
/* The members of a document, into an open object. */
void json_doc(struct json *j, struct arena *a, const struct found_doc *d);
/* Is it a kind of document that happens once: "order"? */
bool is_document_word(const char *word);
/* `kervan show order N`; an exit status. */
int show_document(int argc, char **argv);

#endif
