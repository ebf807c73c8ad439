/* fetch_inside.h - a haul: what the files that fetch have in common. */
#ifndef SPOOL_FETCH_INSIDE_H
#define SPOOL_FETCH_INSIDE_H

#include "spool/fetch.h"

struct hauled {
    struct claim c;
    struct str
        there; /* its name in the folder now: "orders.csv", or in .claim/ */
    struct errand asked;
    const struct errand *made; /* the folder .claim, on this connection */
    int fd;                    /* tmp/<id> */
    enum {
        ON_ITS_WAY,
        IS_OURS,
        GOES_BACK,
        IS_GONE,
        WAITS,
        STAYS, /* CLAIMED: its route is gone, and somebody was told */
        IS_LOOKED_FOR
    } how;
};

struct haul {
    struct arena arena;
    const struct partner *partner;
    struct conf *conf;
    struct talk talk;
    struct hauled *v;
    size_t n;
    enum { MOVE, FETCH, TAKE, BACK, BEHIND, DISPOSE, DISPOSED } next_step;
    struct haul *next;
};

/* Its path on the server. */
struct str haul_path(struct haul *h, const struct claim *c, struct str name);
/* These ask; x has the answer when the step is over. */
void haul_rename(struct haul *h, struct str from, struct str to,
                 struct errand *x);
void haul_look(struct haul *h, struct str path, struct errand *x);
void haul_remove(struct haul *h, struct str path, uint64_t size, uint64_t mtime,
                 struct errand *x);
/* It does not lie there any more, and is not to be remembered. */
int haul_forget(struct keeper *k, const struct claim *c, struct err *e);
/* It is going to lie there under its name, and is not to be taken again. */
int haul_remember(struct keeper *k, const struct claim *c, struct err *e);

/* fetch_left.c: the steps BEHIND, DISPOSE and DISPOSED. */
void left_look(struct haul *h);
int left_dispose(struct keeper *k, struct haul *h, struct err *e);
int left_disposed(struct keeper *k, struct haul *h, bool *over, struct err *e);

#endif
