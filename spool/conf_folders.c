/*
 * conf_folders.c - the folders and secrets that the configuration names: do
 * they exist, and does a file go where it should?
 *
 * Nobody is called: of partners by SFTP only the names are looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "spool/conf.h"
#include "spool/files.h"

struct look {
    struct conf *c;
    struct diags *diags;
};

static struct str path_below(struct look *l, const struct partner *p,
                             struct str below)
{
    struct str root = p->folder   ? str_of(p->folder)
                      : p->remote ? p->remote->address
                                  : STR("");

    return arena_fmt(&l->c->arena, "%.*s%s%.*s", STR_ARGS(root),
                     below.len ? "/" : "", STR_ARGS(below));
}

static void warn(struct look *l, struct place at, struct str path,
                 const char *what)
{
    DIAG(l->diags, CONF_FOLDER, at, path, str_of(what));
}

static void check(struct look *l, struct place at, const struct partner *p,
                  struct str below)
{
    int fd = dir_open(p->folder, below);
    const char *wrong = NULL;

    if (fd == -1)
        wrong = errno == ENOENT ? "does not exist" : strerror(errno);
    else if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) == -1)
        wrong = "we may not read and write in it";
    if (wrong)
        warn(l, at, path_below(l, p, below), wrong);
    if (fd != -1)
        close(fd);
}

/* ---- the spool ---------------------------------------------------------- */

/* The path without links; of one that is to be made, that of its parent and
 * its name. NULL: there is not even a parent. */
static char *real_path(struct look *l, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *real = realpath(path, NULL), *out = NULL;
    struct str parent, name;

    if (real) {
        out = arena_cstr(&l->c->arena, str_of(real));
    } else if (slash && slash > path) {
        parent = (struct str){ path, (size_t)(slash - path) };
        name = str_of(slash);
        real = realpath(arena_cstr(&l->c->arena, parent), NULL);
        if (real)
            out = arena_cstr(&l->c->arena, arena_fmt(&l->c->arena, "%s%.*s",
                                                     real, STR_ARGS(name)));
    }
    free(real);
    return out;
}

static bool is_inside(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/');
}

static void check_spool(struct look *l)
{
    const char *spool = l->c->spool;
    char *real = real_path(l, spool), *inbox;
    struct stat st;

    if (!real) {
        warn(l, l->c->spool_at, str_of(spool),
             "the folder above it does not exist; only its last part is made");
        return;
    }
    if (stat(spool, &st) == 0 && !S_ISDIR(st.st_mode))
        warn(l, l->c->spool_at, str_of(spool), "is no folder");
    for (const struct route *r = l->c->routes; r; r = r->next)
        for (const struct conf_from *f = r->from; f; f = f->next) {
            if (!f->partner->folder)
                continue;
            inbox = real_path(l, path_below(l, f->partner, f->folder).p);
            if (!inbox || !is_inside(real, inbox))
                continue;
            warn(l, l->c->spool_at, str_of(spool),
                 "the spool lies in an inbox, where a partner can write");
            return;
        }
}

/* ---- routes ------------------------------------------------------------- */

/* "inbox" where "inbox" followed by a pattern was meant. */
static void check_pattern(struct look *l, const struct conf_from *f)
{
    struct str path = path_below(l, f->partner, f->folder);
    struct stat st;

    path = arena_fmt(&l->c->arena, "%.*s/%.*s", STR_ARGS(path),
                     STR_ARGS(f->pattern));
    if (!glob_is(f->pattern) && stat(path.p, &st) == 0 && S_ISDIR(st.st_mode))
        warn(l, f->at, path,
             "a file is named here; for the files in a folder add a pattern "
             "such as /*.csv");
}

static bool same_folder(const struct conf_from *f, const struct conf_to *to)
{
    int a, b;
    struct stat x, y;
    bool same;

    if (f->partner == to->partner && str_eq(f->folder, to->folder))
        return true;
    if (!f->partner->folder || !to->partner->folder)
        return false;
    a = dir_open(f->partner->folder, f->folder);
    b = dir_open(to->partner->folder, to->folder);
    same = a != -1 && b != -1 && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    if (a != -1)
        close(a);
    if (b != -1)
        close(b);
    return same;
}

/* Can what the map writes have a name that the pattern fits? Its ending says
 * so, where both have one. */
static bool may_fit(struct str pattern, const struct map *m)
{
    size_t dot = pattern.len;

    while (dot > 0 && pattern.p[dot - 1] != '.')
        dot--;
    if (dot == 0 || m->zip || glob_is(str_from(pattern, dot)))
        return true;
    for (const char *const *s = m->format->suffixes; s && *s; s++)
        if (str_eq_nocase(str_from(pattern, dot), str_of(*s)))
            return true;
    return false;
}

static void check_loop(struct look *l, const struct route *r,
                       const struct conf_to *to, const struct map *m)
{
    for (const struct conf_from *f = r->from; m && f; f = f->next)
        if (same_folder(f, to) && may_fit(f->pattern, m)) {
            warn(l, to->at, path_below(l, to->partner, to->folder),
                 "the route takes files from there: what it delivers may come "
                 "in again");
            return;
        }
}

/* The writes of a group share their list of destinations. */
static void check_to(struct look *l, const struct route *r)
{
    const struct conf_to *seen = NULL;

    for (const struct conf_write *w = r->writes; w; w = w->next) {
        if (w->to == seen)
            continue;
        seen = w->to;
        for (const struct conf_to *to = w->to; to; to = to->next)
            if (to->partner->folder)
                check(l, to->at, to->partner, to->folder);
    }
    for (const struct conf_read *x = r->reads; x; x = x->next)
        for (size_t i = 0; i < x->n_writes; i++)
            for (const struct conf_to *to = x->write_confs[i]->to; to;
                 to = to->next)
                check_loop(l, r, to, x->writes[i].map);
}

/* ---- secrets ------------------------------------------------------------ */

/* The courier refuses what others may read. */
static void check_secret(struct look *l, struct place at, const char *path)
{
    const char *wrong = NULL;
    struct stat st;

    if (!path || path[0] != '/') /* systemd hands over credential:NAME */
        return;
    if (stat(path, &st) == -1)
        wrong = errno == ENOENT ? "does not exist" : strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = "is no plain file";
    else if (st.st_mode & 077)
        wrong = "others than its owner may read it; it wants mode 0600";
    if (wrong)
        DIAG(l->diags, CONF_FILE, at, str_of(path), str_of(wrong));
}

static void check_secrets(struct look *l)
{
    for (const struct partner *p = l->c->partners; p; p = p->next) {
        const struct remote *r = p->remote;

        if (!r || r->login.through[0])
            continue;
        check_secret(l, r->key_at, r->login.key);
        check_secret(l, r->passphrase_at, r->login.passphrase);
        check_secret(l, r->password_at, r->login.password);
    }
}

void conf_check_folders(struct conf *c, struct diags *diags)
{
    struct look l = { c, diags };

    check_spool(&l);
    check_secrets(&l);
    for (const struct route *r = c->routes; r; r = r->next) {
        for (const struct conf_from *f = r->from; f; f = f->next)
            if (f->partner->folder) {
                check(&l, f->at, f->partner, f->folder);
                check_pattern(&l, f);
            }
        check_to(&l, r);
    }
}
