/* write_inside.h - what write_run.c and write_all.c share. */
#ifndef LANG_WRITE_INSIDE_H
#define LANG_WRITE_INSIDE_H

#include "converters/lang/output.h"

/*
 * The body around `each DOCUMENT`, flattened: what runs once per file has no
 * loop in it and can stop at an EACH to wait for documents.
 */
enum step_kind { ST_OPEN, ST_CLOSE, ST_NODE, ST_WHEN, ST_EACH };

struct wstep {
    enum step_kind kind;
    const struct node *node;
    size_t jump; /* ST_WHEN: where to go on when it does not hold */
};

struct step_list {
    struct wstep *v;
    size_t n, cap;
    size_t n_each;
};

/* Runs the output's body up to the next `each DOCUMENT`, or to its end. */
bool write_steps(struct write_run *w, struct sink *s, struct output *o);
/* The `each DOCUMENT` at which the output stands; NULL: behind the last. */
const struct node *write_each_node(const struct write_run *w,
                                   const struct output *o);
/* The file's head, and its body up to the first `each DOCUMENT`. */
bool write_begin_file(struct write_run *w, struct sink *s, struct output *o);
void write_begin_document(struct write_run *w, struct doc *d);
/* Is the document for this each at all? `each order where ...` */
bool write_lets_through(struct write_run *w, const struct node *each,
                        bool *holds);
bool write_children(struct write_run *w, struct sink *s, const struct node *n,
                    bool *content);
/* An XML file without an outermost element is a fault. */
bool write_has_root(struct write_run *w, const struct sink *s);
/* Raises what the sink refused, at node n. Returns false. */
bool write_sink_fault(struct write_run *w, struct sink *s,
                      const struct node *n);

#endif
