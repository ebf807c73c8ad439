#include "spool/generation.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/stamp.h"

/* The next word of a line of words, or "". */
static struct str word(struct str *line)
{
    ptrdiff_t blank = str_find_char(*line, ' ');
    struct str w = str_first(*line, blank < 0 ? line->len : (size_t)blank);

    *line = str_from(*line, w.len + 1);
    return w;
}

static void parse(struct str line, struct generation *out)
{
    char stamp[STAMP_LEN + 1] = "";
    struct str w = word(&line);

    out->is_there = true;
    w = str_first(w, ID_HEX);
    str_copy(out->id, w);
    out->id[w.len] = '\0';
    /* A number that is not there counts as 0, which every ledger reaches. */
    if (!str_to_uint(word(&line), INT64_MAX, &out->job))
        out->job = 0;
    if (!str_to_uint(word(&line), INT64_MAX, &out->event))
        out->event = 0;
    if (!str_is(word(&line), "backup"))
        return;
    w = str_first(word(&line), STAMP_LEN);
    str_copy(stamp, w);
    out->backup_at = stamp_read(stamp);
    if (!out->backup_at)
        out->backup_at = 1; /* a copy, of a time that nobody knows */
}

int generation_read(int spool_fd, struct generation *out, struct err *e)
{
    struct buf b;
    int rc = 0;

    *out = (struct generation){ 0 };
    buf_init(&b, 8192);
    if (file_read(spool_fd, GENERATION_FILE, &b) == 0)
        parse(str_trim(buf_str(&b)), out);
    else if (errno != ENOENT)
        rc = err_sys(e, ERR_HOLD, "cannot read %s of the spool",
                     GENERATION_FILE);
    buf_release(&b);
    return rc;
}

int generation_of(struct ledger *l, struct generation *out, struct err *e)
{
    const struct ledger_find newest = { .last = 1 };
    struct arena a = { 0 };
    struct receipt *r;
    struct event *ev;
    size_t n_r, n_ev;
    int rc = ledger_receipts(l, &newest, &a, &r, &n_r, e);

    if (rc == 0)
        rc = ledger_events(l, 0, 1, &a, &ev, &n_ev, e);
    if (rc == 0) {
        *out = (struct generation){ .is_there = true };
        memcpy(out->id, ledger_generation(l), sizeof(out->id));
        out->job = n_r ? r[0].job : 0;
        out->event = n_ev ? ev[0].n : 0;
    }
    arena_release(&a);
    return rc;
}

int generation_write(int dir_fd, const struct generation *g, struct err *e)
{
    char text[160], stamp[STAMP_LEN + 1];

    stamp_of(g->backup_at, stamp);
    snprintf(text, sizeof(text), "%s %llu %llu%s%s\n", g->id,
             (unsigned long long)g->job, (unsigned long long)g->event,
             g->backup_at ? " backup " : "", stamp);
    unlinkat(dir_fd, GENERATION_FILE ".new", 0);
    if (file_write(dir_fd, GENERATION_FILE ".new", str_of(text), 0600) == -1 ||
        renameat(dir_fd, GENERATION_FILE ".new", dir_fd, GENERATION_FILE) ==
            -1 ||
        dir_sync(dir_fd) == -1)
        return err_sys(e, ERR_RETRY, "cannot write %s of the spool",
                       GENERATION_FILE);
    return 0;
}

static bool has_archive(int spool_fd)
{
    int fd = dir_open_at(spool_fd, STR("archive"));
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *d;
    bool any = false;

    if (!dir)
        return false;
    while (!any && (d = readdir(dir)))
        any = d->d_name[0] != '.';
    closedir(dir);
    return any;
}

int generation_check(int spool_fd, struct ledger *l, struct err *e)
{
    struct generation was, is;
    char stamp[STAMP_LEN + 1];

    if (generation_read(spool_fd, &was, e) == -1 ||
        generation_of(l, &is, e) == -1)
        return -1;
    if (was.backup_at) {
        stamp_for_people(was.backup_at, stamp);
        return err_set(e, ERR_STOP,
                       "this spool is a backup of %s; what happened since is "
                       "not in it: `kervan adopt` finds out what may have been "
                       "delivered",
                       stamp);
    }
    if (!was.is_there && is.job == 0 && has_archive(spool_fd))
        return err_set(e, ERR_STOP,
                       "the ledger is empty and the archive is not: bring back "
                       "state/ledger.db, or make a new one from the archive: "
                       "`kervan adopt`");
    if (!was.is_there || (strcmp(was.id, is.id) == 0 && was.job <= is.job &&
                          was.event <= is.event))
        return 0;
    return err_set(e, ERR_STOP,
                   "the ledger is older than the spool, or another one (the "
                   "spool had job %llu, the ledger has %llu): bring back the "
                   "right state/ledger.db, or match it with the archive: "
                   "`kervan adopt`",
                   (unsigned long long)was.job, (unsigned long long)is.job);
}
