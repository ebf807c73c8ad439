/*
 * locate.h - where in the input does a field stand that a write map refused?
 *
 * Documents travel without places: only the line of each document and member
 * does, because a fault is rare and places are not cheap. When a write map or
 * a rule faults, the job notes a query; at the end one more reader goes over
 * the input, runs the read map again, and answers all queries with line and
 * column.
 */
#ifndef SPOOL_LOCATE_H
#define SPOOL_LOCATE_H

#include "converters/lang/read_run.h"

enum { LOCATE_DEPTH = 3, LOCATE_MAX = 1000 };

/* Field `field` of a document, or of a member below it. */
struct locate_query {
    uint64_t seq; /* the document's */
    int depth;    /* members to go down */
    struct {
        int list;
        uint32_t index; /* from 0 */
    } path[LOCATE_DEPTH];
    int field;
    struct diag *diag; /* the job's: gets the answer */
};

struct locate_list {
    struct locate_query *v;
    size_t n, cap;
};

/* Notes where d's field stands; d is a document or a member. */
void locate_add(struct locate_list *l, const struct doc *d, int field,
                struct diag *diag);
/* Into the order of documents, before a reader is asked. */
void locate_sort(struct locate_list *l);
void locate_release(struct locate_list *l);

/* ---- in the reader ------------------------------------------------------ */

/* What the watched document's fields were read from. */
struct locate_run {
    const struct locate_list *queries;
    size_t next; /* queries are in the order of documents */
    struct arena arena;
    struct seen *seen;
    /* An answer: query number, line, column. */
    void (*answer)(void *ctx, size_t query, uint32_t line, uint32_t col);
    void *ctx;
};

/* A value was put into a field: remembers its place, if anybody asks. */
void locate_watch(struct locate_run *l, struct read_run *rr,
                  const struct doc *d, int field, const struct val *v);
/* The document is complete: answers its queries. False: none are left. */
bool locate_document(struct locate_run *l, const struct doc *d);

#endif
