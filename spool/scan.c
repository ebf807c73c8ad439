#include "spool/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "spool/files.h"
#include "spool/partner.h"

enum { STABLE_SECONDS = 10 };

static bool seen_before(const struct inbox *first, const struct conf_from *f)
{
    for (; first; first = first->next)
        if (first->partner == f->partner && str_eq(first->folder, f->folder))
            return true;
    return false;
}

struct inbox *scan_inboxes(const struct conf *c, struct arena *a)
{
    struct inbox *first = NULL, **last = &first;

    for (const struct route *r = c->routes; r; r = r->next)
        for (const struct conf_from *f = r->from; f; f = f->next) {
            if (seen_before(first, f))
                continue;
            *last = arena_alloc(a, sizeof(**last));
            (*last)->partner = f->partner;
            (*last)->folder = f->folder;
            last = &(*last)->next;
        }
    return first;
}

bool scan_is_temporary(struct str name)
{
    static const char *const patterns[] = {
        ".*",        "~$*",          "*.part",       "*.filepart", "*.tmp",
        "*.temp",    "*.crdownload", "*.incomplete", "*.swp",      "*.lock",
        "*.writing", "*.camelLock",  "*.in.*",       "*.edipart",  "*~",
    };

    for (size_t i = 0; i < COUNT(patterns); i++)
        if (glob_match_nocase(str_of(patterns[i]), name))
            return true;
    return false;
}

static bool changed_lately(const struct stat *st)
{
    struct timespec now;

    /* The change time is this machine's; a sender may set the other one. */
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec - st->st_ctim.tv_sec < STABLE_SECONDS &&
           st->st_ctim.tv_sec - now.tv_sec < STABLE_SECONDS;
}

/* Network file systems: statfs(2), linux/magic.h. */
static bool is_network(int fd)
{
    static const uint32_t kinds[] = {
        0x6969,     /* NFS */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x517b,     /* SMB */
        0x65735546, /* FUSE: sshfs and others */
        0x01021997, /* 9P */
        0x5346414f, /* AFS */
        0x00c36400, /* Ceph */
    };
    struct statfs s;

    if (fstatfs(fd, &s) == -1)
        return false;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if ((uint32_t)s.f_type == kinds[i])
            return true;
    return false;
}

bool scan_can_lease(void)
{
    struct __user_cap_header_struct head = { .version =
                                                 _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct caps[2];

    return syscall(SYS_capget, &head, caps) == 0 &&
           (caps[0].effective & CAP_TO_MASK(CAP_LEASE));
}

bool scan_is_written(int fd)
{
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == -1)
        return errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

/* Does anybody have it open for writing? */
static const char *why_open(int dir_fd, const char *name, const struct stat *st,
                            struct found *f)
{
    int fd = openat(dir_fd, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *why = NULL;

    f->stays = fd == -1 && errno != ENOENT;
    if (fd == -1)
        return errno == EACCES ? "we may not read it" : "it cannot be opened";
    if (!f->shared && fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
        fcntl(fd, F_SETLEASE, F_UNLCK);
    else if (!f->shared && errno == EAGAIN)
        why = "it is still being written";
    else if (changed_lately(st))
        why = "it changed a moment ago";
    close(fd);
    f->soon = why != NULL;
    return why;
}

/* "orders.csv.done", or "orders.done". */
bool scan_trigger_name(struct str name, struct str ending, bool instead,
                       char out[SCAN_NAME])
{
    size_t len = name.len;

    while (instead && len > 0 && name.p[len - 1] != '.')
        len--;
    if (instead && len == 0)
        return false;
    len -= instead;
    if (len + ending.len >= SCAN_NAME)
        return false;
    memcpy(out, name.p, len);
    memcpy(out + len, ending.p, ending.len);
    out[len + ending.len] = '\0';
    return true;
}

/* An inbox that is looked into: a folder, or the names on a server. */
struct view {
    const struct conf *c;
    const struct inbox *in;
    int dir_fd; /* -1: */
    const struct listing *listing;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct listed *)a)->name,
                   ((const struct listed *)b)->name);
}

static bool has_file(const struct view *v, const char *name)
{
    struct listed key = { .name = str_of(name) };
    struct stat st;

    if (v->dir_fd != -1)
        return fstatat(v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return v->listing->n &&
           bsearch(&key, v->listing->v, v->listing->n, sizeof(key), by_name);
}

static bool has_trigger(const struct view *v, struct str name,
                        struct str ending)
{
    char other[SCAN_NAME];

    for (int instead = 0; instead <= 1; instead++)
        if (scan_trigger_name(name, ending, instead, other) &&
            has_file(v, other))
            return true;
    return false;
}

/* What a route wants to see beside the file before it is complete. */
static const char *why_trigger(const struct view *v, struct str name)
{
    for (const struct route *r = v->c->routes; r; r = r->next)
        if (r->trigger.len &&
            route_takes(r, v->in->partner->name, v->in->folder, name) &&
            !has_trigger(v, name, r->trigger))
            return "the file that says that it is complete is not there yet";
    return NULL;
}

/* Is it itself such a file? */
static bool is_trigger(const struct conf *c, const struct inbox *in,
                       struct str name)
{
    for (const struct route *r = c->routes; r; r = r->next)
        for (const struct conf_from *f = r->from; r->trigger.len && f;
             f = f->next)
            if (f->partner == in->partner && str_eq(f->folder, in->folder) &&
                str_ends(name, r->trigger))
                return true;
    return false;
}

static bool any_route_takes(const struct conf *c, const struct inbox *in,
                            struct str name)
{
    for (const struct route *r = c->routes; r; r = r->next)
        if (route_takes(r, in->partner->name, in->folder, name))
            return true;
    return false;
}

static const char *over_limit(struct arena *a, const struct conf *c,
                              const char *what, enum limit_id id)
{
    struct str value = limit_text(a, &c->limits, id);

    return arena_fmt(a, "%s than the limit %s of %.*s", what,
                     limit_table[id].name, STR_ARGS(value))
        .p;
}

/* What no time changes. */
static const char *why_never(const struct conf *c, const struct found *f,
                             struct arena *a)
{
    if (f->name.len > c->limits.v[LIMIT_NAME])
        return over_limit(a, c, "its name is longer", LIMIT_NAME);
    if (!f->is_plain)
        return "it is no plain file";
    if (f->size > c->limits.v[LIMIT_INPUT])
        return over_limit(a, c, "it is larger", LIMIT_INPUT);
    return NULL;
}

/* What its name, its kind and its size say. */
static const char *why_waits(const struct view *v, struct found *f,
                             struct arena *a)
{
    const char *why;

    f->is_temporary = scan_is_temporary(f->name);
    if (f->is_temporary)
        return "its name is that of an unfinished file";
    f->no_route = !any_route_takes(v->c, v->in, f->name);
    if (f->no_route && is_trigger(v->c, v->in, f->name)) {
        f->no_route = false;
        f->is_temporary = true;
        return "it says that another file is complete, which is not there";
    }
    if (f->no_route)
        return "no route takes it";
    why = why_never(v->c, f, a);
    f->stays = why != NULL;
    if (why)
        return why;
    if (f->size == 0)
        return "it is empty";
    return why_trigger(v, f->name);
}

static int older(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns < y->mtime_ns ? -1 : 1;
    return str_cmp(x->name, y->name);
}

int scan_older(const void *a, const void *b)
{
    return older(*(struct found *const *)a, *(struct found *const *)b);
}

static struct found *add(struct arena *a, struct found **list, size_t *n,
                         size_t *cap)
{
    if (*n == *cap) {
        struct found *grown;

        *cap = *cap ? *cap * 2 : 16;
        grown = arena_alloc(a, *cap * sizeof(*grown));
        if (*n)
            memcpy(grown, *list, *n * sizeof(*grown));
        *list = grown;
    }
    return &(*list)[(*n)++];
}

int scan_inbox(const struct conf *c, const struct inbox *in, struct arena *a,
               struct found **out, size_t *n, struct err *e)
{
    int fd = partner_open(in->partner, in->folder, e);
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);
    bool shared = fd != -1 && (in->partner->shared || is_network(fd));
    struct view v = { .c = c, .in = in };
    size_t cap = 0;
    struct dirent *d;

    *out = NULL;
    *n = 0;
    if (fd == -1)
        return -1;
    if (!dir) {
        err_sys(e, ERR_RETRY, "folder %s/%.*s", in->partner->folder,
                STR_ARGS(in->folder));
        close(fd);
        return -1;
    }
    v.dir_fd = dirfd(dir);
    while ((d = readdir(dir))) {
        struct found *f;
        struct stat st;

        if (d->d_name[0] == '.' ||
            fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
            S_ISDIR(st.st_mode))
            continue;
        f = add(a, out, n, &cap);
        *f = (struct found){
            .name = arena_str(a, str_of(d->d_name)),
            .size = (uint64_t)st.st_size,
            .is_plain = S_ISREG(st.st_mode),
            .shared = shared,
            .mtime = st.st_mtim.tv_sec,
            .mtime_ns =
                (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        };
        f->why = why_waits(&v, f, a);
        if (!f->why && st.st_nlink != 1) {
            f->why = "it has a second name (hard link)";
            f->stays = true;
        }
        if (!f->why)
            f->why = why_open(v.dir_fd, d->d_name, &st, f);
    }
    closedir(dir);
    if (*n)
        qsort(*out, *n, sizeof(**out), older);
    return 0;
}

void scan_sort(struct listing *l)
{
    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), by_name);
}

void scan_listing(const struct conf *c, const struct inbox *in,
                  const struct listing *l, struct arena *a, struct found **out,
                  size_t *n)
{
    const struct view v = { .c = c, .in = in, .dir_fd = -1, .listing = l };

    *out = arena_alloc(a, (l->n + 1) * sizeof(**out));
    *n = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct listed *x = &l->v[i];
        struct found *f = &(*out)[*n];

        if (x->name.p[0] == '.' || x->is_folder)
            continue;
        *f = (struct found){
            .name = x->name,
            .size = x->size,
            .is_plain = x->is_plain,
            .mtime = (int64_t)x->mtime,
            .mtime_ns = (int64_t)x->mtime,
        };
        f->why = why_waits(&v, f, a);
        (*n)++;
    }
}
