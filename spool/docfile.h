/*
 * docfile.h - documents that wait on disk: a write map wants to look over all
 * of them before it writes the first, as for count(order) in a file's head.
 *
 * The file has no name, so nothing is left behind whatever happens. Documents
 * come back one at a time, in their order, without those that were excluded.
 */
#ifndef SPOOL_DOCFILE_H
#define SPOOL_DOCFILE_H

#include "converters/base/err.h"
#include "converters/lang/run.h"

struct docfile {
    int fd;
    const struct shape *shape;
    struct run *filter; /* evaluates `when` */
    const struct expr *when;
    struct buf out, in;
    uint64_t size, at; /* bytes written; where the next one is read */
    uint64_t n, n_excluded;
    uint64_t *excluded; /* bit per document number */
    size_t n_words;
    struct arena arena; /* the current document */
    struct doc *current;
    bool failed;
    struct err err;
};

/* A file without a name, in `folder` or a folder for temporary files. */
int docfile_temporary(const char *folder);
void docfile_init(struct docfile *f, const struct shape *shape,
                  struct run *filter, const char *folder, bool is_used);
void docfile_add(struct docfile *f, const struct doc *d);
void docfile_clear(struct docfile *f);
/* The first (rewind) or next document that `when` lets pass; NULL: no more. */
const struct doc *docfile_next(struct docfile *f, bool rewind);
struct doc *docfile_current(struct docfile *f);
/* false: it was already. */
bool docfile_exclude(struct docfile *f, uint64_t seq);
void docfile_release(struct docfile *f);

#endif
