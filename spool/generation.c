#include "spool/generation.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/files.h"

int generation_write(int spool_fd, const char *spool, const struct ledger *l,
                     uint64_t last_job, struct err *e)
{
    char text[128];

    snprintf(text, sizeof(text), "%s %llu\n", ledger_generation(l),
             (unsigned long long)last_job);
    unlinkat(spool_fd, "generation.new", 0);
    if (file_write(spool_fd, "generation.new", str_of(text), 0600) == -1 ||
        renameat(spool_fd, "generation.new", spool_fd, "generation") == -1 ||
        dir_sync(spool_fd) == -1)
        return err_sys(e, ERR_RETRY, "cannot write %s/generation", spool);
    return 0;
}

int generation_last_job(struct ledger *l, struct arena *a, uint64_t *job,
                        struct err *e)
{
    const struct ledger_find newest = { .last = 1 };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(l, &newest, a, &r, &n, e) == -1)
        return -1;
    *job = n ? r[0].job : 0;
    return 0;
}

/* Its text in a; 1: there is none. */
static int read_text(int spool_fd, const char *spool, struct arena *a,
                     struct str *text, struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, 8192);
    rc = file_read(spool_fd, "generation", &b);
    if (rc == -1)
        rc = errno == ENOENT
                 ? 1
                 : err_sys(e, ERR_HOLD, "cannot read %s/generation", spool);
    *text = str_trim(arena_str(a, buf_str(&b)));
    buf_release(&b);
    return rc;
}

int generation_check(int spool_fd, const char *spool, struct ledger *l,
                     struct arena *a, struct err *e)
{
    struct str text, id;
    uint64_t known, job;
    ptrdiff_t blank;
    int rc = read_text(spool_fd, spool, a, &text, e);

    if (rc != 0)
        return rc;
    blank = str_find_char(text, ' ');
    id = str_first(text, blank < 0 ? text.len : (size_t)blank);
    if (!str_to_uint(str_from(text, id.len + 1), INT64_MAX, &known))
        known = 0;
    if (!l)
        return err_set(e, ERR_STOP,
                       "the ledger is gone (the spool had job %llu): bring "
                       "back %s/state/ledger.db",
                       (unsigned long long)known, spool);
    if (generation_last_job(l, a, &job, e) == -1)
        return -1;
    if (str_is(id, ledger_generation(l)) && known <= job)
        return 0;
    return err_set(e, ERR_STOP,
                   "the ledger is older than the spool, or another one (the "
                   "spool had job %llu, the ledger has %llu): bring back the "
                   "right state/ledger.db",
                   (unsigned long long)known, (unsigned long long)job);
}
