/* inbox.h - an inbox and its folder of claimed files, open. */
#ifndef SPOOL_INBOX_H
#define SPOOL_INBOX_H

#include "spool/conf.h"

struct open_inbox {
    int fd, claim_fd; /* -1: not open */
};

/* Makes the folder of claimed files if it is not there. */
int inbox_open(const struct partner *p, struct str folder, struct open_inbox *o,
               struct err *e);
void inbox_close(struct open_inbox *o);
/* Is the file still as it was seen? It may have been taken away, or written
 * to, since. */
bool inbox_has(int dir_fd, const char *name, uint64_t size, int64_t mtime_ns);

#endif
