/*
 * look.h - is everything as it must be?
 */
#ifndef TESTS_CRASH_LOOK_H
#define TESTS_CRASH_LOOK_H

#include "tests/crash/flow.h"

enum wrong { FINE, LOST_FILE, DOUBLED, HALF_WRITTEN, OTHERWISE, N_WRONG };

struct verdict {
    enum wrong wrong;
    char text[2000];
};

/* All files below root but the ledger, with run ids made equal. */
void list_tree(struct listing *l, const struct flow *f, const char *root);
/* What a receiver who takes at once has got: "0.name", in its order. */
void list_taken(struct listing *l, const struct flow *f, const char *taken);
void listing_free(struct listing *l);
void listing_add(struct listing *l, const char *path, uint32_t mode,
                 struct bytes data);
/* The same text for ledgers that say the same. */
char *ledger_text(const struct flow *f, const char *root, const char *spool);

/* Run ids of the flow's second, and ids, become one letter, in place. */
void make_equal(const struct flow *f, unsigned char *p, size_t n);

/* At any moment: is every file under a final name one that is whole? */
void look_now(const struct flow *f, enum receiver r, const struct worker *w,
              struct verdict *v);
/* What is there now. */
struct end end_now(const struct flow *f, const struct worker *w);
/* Is everything as it was right after the undisturbed run? */
void look_after(const struct flow *f, enum receiver r, const struct worker *w,
                struct verdict *v);
/* The flow's backup, if there is a whole one; else no ledger. */
void find_whole(struct end *e, const struct flow *f, const struct worker *w);
/* After recovery: is everything as without the trouble? */
void look_at_end(const struct flow *f, enum receiver r, const struct worker *w,
                 struct verdict *v);
/* After the same files came once more: nothing more must have arrived. */
void look_again(const struct flow *f, enum receiver r, const struct worker *w,
                struct verdict *v);

#endif
