/*
 * archive_walk.h - every file that the archive should have, by the ledger.
 */
#ifndef SPOOL_ARCHIVE_WALK_H
#define SPOOL_ARCHIVE_WALK_H

#include "spool/ledger.h"

struct archived {
    const struct claim *claim;
    uint64_t job;
    struct str path; /* below archive/ */
    uint64_t bytes;
    const char *sha256;
    bool is_result; /* else it is the original */
};

struct walk_counts {
    uint64_t n_originals, n_results;
    uint64_t n_removed; /* originals whose whole day is gone */
};

/*
 * Calls `look` for each, job by job; -1 from it ends the walk. Files taken
 * before `since` are left out (0: none). The ledger may change meanwhile:
 * archive_is_there() asks again.
 */
int archive_walk(struct ledger *l, int spool_fd, int64_t since,
                 int (*look)(void *ctx, const struct archived *x,
                             struct err *e),
                 void *ctx, struct walk_counts *n, struct err *e);
/* Is the claim still archived, and kept? */
int archive_still(struct ledger *l, const struct claim *c, bool *yes,
                  struct err *e);

#endif
