#include "tests/crash/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- helpers ------------------------------------------------------------- */

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("crash: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(2);
}

void *must(void *p)
{
    if (!p)
        die("no memory");
    return p;
}

void *grow(void *list, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    *cap = *cap ? 2 * *cap : 64;
    return must(realloc(list, *cap * size));
}

uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *s = p;
    uint64_t word;

    h ^= n * UINT64_C(0x9e3779b97f4a7c15);
    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, s, n);
    return mix64(h ^ word);
}

struct bytes file_bytes(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct bytes b = { NULL, 0 };
    struct stat st;

    if (fd == -1 || fstat(fd, &st) == -1)
        die("cannot read %s: %s", path, strerror(errno));
    b.p = must(malloc((size_t)st.st_size + 1));
    while (b.len < (size_t)st.st_size) {
        ssize_t n = read(fd, b.p + b.len, (size_t)st.st_size - b.len);

        if (n <= 0)
            break;
        b.len += (size_t)n;
    }
    close(fd);
    return b;
}

/* ---- nodes and names ----------------------------------------------------- */

static uint32_t name_of(struct disk *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_names; i++)
        if (strcmp(d->names[i], name) == 0)
            return i;
    d->names = grow(d->names, d->n_names, &d->cap_names, sizeof(*d->names));
    d->names[d->n_names] = must(strdup(name));
    return d->n_names++;
}

static uint32_t node_of(struct disk *d, uint64_t ino)
{
    for (uint32_t i = d->n_nodes; i-- > 0;)
        if (d->nodes[i].ino == ino)
            return i;
    d->nodes = grow(d->nodes, d->n_nodes, &d->cap_nodes, sizeof(*d->nodes));
    d->nodes[d->n_nodes] = (struct node){ .ino = ino };
    return d->n_nodes++;
}

static uint64_t shown(const struct page *p, uint64_t real)
{
    for (uint32_t i = 0; i < p->n_inodes; i++)
        if (p->inodes[i].real == real)
            return p->inodes[i].shown;
    return real;
}

static uint32_t scan_node(struct disk *d, const char *path,
                          const struct page *p)
{
    struct stat st;
    struct node *n;
    uint32_t i;

    if (lstat(path, &st) == -1)
        die("cannot look at %s: %s", path, strerror(errno));
    i = node_of(d, shown(p, st.st_ino));
    n = &d->nodes[i];
    n->is_dir = S_ISDIR(st.st_mode);
    n->mode = st.st_mode & 07777;
    n->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (!n->is_dir)
        n->data = file_bytes(path);
    return i;
}

static void scan_folder(struct disk *d, uint32_t dir, const char *path,
                        const struct page *p)
{
    DIR *list = must(opendir(path));
    char below[PATH_SIZE + NAME_SIZE];
    struct dirent *e;
    uint32_t node;

    while ((e = readdir(list))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
        node = scan_node(d, below, p);
        d->entries = grow(d->entries, d->n_entries, &d->cap_entries,
                          sizeof(*d->entries));
        d->entries[d->n_entries++] =
            (struct entry){ dir, name_of(d, e->d_name), node };
        if (d->nodes[node].is_dir)
            scan_folder(d, node, below, p);
    }
    closedir(list);
}

void disk_scan(struct disk *d, const char *root, const struct page *p)
{
    *d = (struct disk){ 0 };
    scan_folder(d, scan_node(d, root, p), root, p);
}

void disk_cut(struct disk *to, const struct disk *d, uint64_t call)
{
    *to = (struct disk){ .n_calls = call };
    for (uint32_t i = 0; i < d->n_nodes; i++) {
        struct bytes copy = { must(malloc(d->nodes[i].data.len + 1)),
                              d->nodes[i].data.len };

        if (copy.len)
            memcpy(copy.p, d->nodes[i].data.p, copy.len);
        node_of(to, d->nodes[i].ino);
        to->nodes[i] = d->nodes[i];
        to->nodes[i].data = copy;
    }
    for (uint32_t i = 0; i < d->n_names; i++)
        name_of(to, d->names[i]);
    for (uint32_t i = 0; i < d->n_entries; i++) {
        to->entries = grow(to->entries, to->n_entries, &to->cap_entries,
                           sizeof(*to->entries));
        to->entries[to->n_entries++] = d->entries[i];
    }
    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++) {
        to->steps =
            grow(to->steps, to->n_steps, &to->cap_steps, sizeof(*to->steps));
        to->steps[to->n_steps] = d->steps[i];
        to->steps[to->n_steps++].before = true;
    }
}

void disk_free(struct disk *d)
{
    for (uint32_t i = 0; i < d->n_nodes; i++)
        free(d->nodes[i].data.p);
    for (uint32_t i = 0; i < d->n_names; i++)
        free(d->names[i]);
    free(d->nodes);
    free(d->names);
    free(d->entries);
    free(d->steps);
    free(d->log);
    *d = (struct disk){ 0 };
}

/* ---- the log ------------------------------------------------------------- */

static bool is_data(const struct step *s)
{
    return s->op == OP_WRITE || s->op == OP_SIZE || s->op == OP_MODE;
}

/* Does `sync` make s, which is before it, durable? */
static bool covers(const struct step *sync, const struct step *s)
{
    if (sync->op == OP_SYNC_ALL)
        return true;
    if (sync->op == OP_TAKE) /* a receiver who is sure of what he has */
        return !is_data(s) &&
               (s->op == OP_RENAME || s->op == OP_LINK ? s->dir2 : s->dir) ==
                   sync->dir;
    if (sync->op != OP_SYNC)
        return false;
    if (is_data(s))
        return s->node == sync->node;
    return (s->op == OP_RENAME || s->op == OP_LINK ? s->dir2 : s->dir) ==
           sync->node;
}

static void find_durable(struct disk *d)
{
    for (uint32_t i = 0; i < d->n_steps; i++) {
        struct step *s = &d->steps[i];
        uint32_t j = i + 1;

        s->durable = UINT64_MAX;
        while (j < d->n_steps && !covers(&d->steps[j], s))
            j++;
        if (j < d->n_steps)
            s->durable = d->steps[j].call;
        /* See RESULTS.md: a folder that a killed run made. */
        if (s->op == OP_TAKE || s->op == OP_DROP ||
            (s->op == OP_MKDIR && s->before))
            s->durable = s->call;
    }
}

void disk_log(struct disk *d, const struct page *p)
{
    uint64_t before = d->n_calls;

    d->log = must(malloc(p->log_used + 1));
    memcpy(d->log, p->log, p->log_used);
    d->n_calls += p->calls;
    for (uint64_t at = 0; at < p->log_used;) {
        const struct record *r = (const void *)(d->log + at);
        struct step *s;

        if (r->op == OP_OTHER)
            die("the model does not know: %s", r->name);
        d->steps = grow(d->steps, d->n_steps, &d->cap_steps, sizeof(*d->steps));
        s = &d->steps[d->n_steps++];
        *s = (struct step){ .call = before + r->call,
                            .op = r->op,
                            .mode = r->mode & 07777,
                            .off = r->off,
                            .len = r->len,
                            .data = (const void *)(r + 1) };
        s->name = name_of(d, r->name);
        s->name2 = name_of(d, r->name2);
        s->node = node_of(d, r->ino);
        s->dir = r->dir ? node_of(d, r->dir) : UINT32_MAX;
        s->dir2 = r->dir2 ? node_of(d, r->dir2) : UINT32_MAX;
        if (r->op == OP_MKDIR)
            d->nodes[s->node].is_dir = true;
        if (r->op == OP_MKDIR || r->op == OP_CREATE)
            d->nodes[s->node].mode = s->mode;
        at += sizeof(*r);
        if (r->op == OP_WRITE)
            at += (r->len + 7) & ~(uint64_t)7;
    }
    find_durable(d);
}

/* ---- which of what is not owed is there? --------------------------------- */

enum fate { LOST, KEPT, HALF, ZEROS };

struct chance {
    uint64_t seed, n;
};

static uint64_t draw(struct chance *c, uint64_t below)
{
    return mix64(c->seed + c->n++) % below;
}

static enum fate data_fate(struct chance *c)
{
    static const enum fate fates[] = { LOST, LOST, LOST, KEPT,
                                       KEPT, KEPT, HALF, ZEROS };

    return fates[draw(c, 8)];
}

/*
 * Two kinds of disks: a journal, which keeps the order of all names; and one
 * that keeps it within a folder only. Data comes as it likes on both.
 */
static void choose(const struct disk *d, uint64_t call, int64_t choice,
                   enum fate *fates)
{
    struct chance c = { mix64((uint64_t)choice) ^ mix64(call * 31 + 7), 0 };
    bool journal = choice % 2;
    uint64_t cut = draw(&c, 8) == 0 ? call : draw(&c, call + 1), owed = 0;
    bool data_too = draw(&c, 4) != 0, lose_data = draw(&c, 6) == 0;

    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++)
        if (!is_data(&d->steps[i]) && d->steps[i].durable <= call)
            owed = d->steps[i].call;
    /* Cuts that are near leave more to lose. */
    if (draw(&c, 2) && call > 8)
        cut = call - draw(&c, 8);
    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++) {
        const struct step *s = &d->steps[i];
        uint64_t own;

        if (s->durable <= call || choice == EVERYTHING) {
            fates[i] = KEPT;
        } else if (choice == 0) {
            fates[i] = LOST;
        } else if (is_data(s)) {
            fates[i] = lose_data ? LOST : data_too ? data_fate(&c) : KEPT;
            if (s->op != OP_WRITE && fates[i] > KEPT)
                fates[i] = LOST;
        } else if (journal) {
            fates[i] = s->call <= cut || s->call <= owed ? KEPT : LOST;
        } else {
            own = mix64(c.seed ^ (s->dir2 != UINT32_MAX ? s->dir2 : s->dir)) %
                  (call + 1);
            fates[i] = s->call <= own ? KEPT : LOST;
        }
    }
}

/* ---- building a state ---------------------------------------------------- */

static struct entry *entry_at(struct state *s, uint32_t dir, uint32_t name)
{
    for (uint32_t i = 0; i < s->n_entries; i++)
        if (s->entries[i].dir == dir && s->entries[i].name == name)
            return &s->entries[i];
    return NULL;
}

static void drop_entry(struct state *s, uint32_t dir, uint32_t name,
                       uint32_t node)
{
    struct entry *e = entry_at(s, dir, name);

    if (e && e->node == node)
        *e = s->entries[--s->n_entries];
}

static void set_entry(struct state *s, uint32_t dir, uint32_t name,
                      uint32_t node)
{
    struct entry *e = entry_at(s, dir, name);

    if (e) {
        e->node = node;
        return;
    }
    s->entries =
        grow(s->entries, s->n_entries, &s->cap_entries, sizeof(*s->entries));
    s->entries[s->n_entries++] = (struct entry){ dir, name, node };
}

static void apply_name(struct state *s, const struct step *t)
{
    switch (t->op) {
    case OP_CREATE:
    case OP_MKDIR:
        set_entry(s, t->dir, t->name, t->node);
        break;
    case OP_LINK:
        set_entry(s, t->dir2, t->name2, t->node);
        break;
    case OP_RENAME:
    case OP_DROP:
        /* By whatever name it is there: a rename makes no second one. */
        for (uint32_t i = s->n_entries; i-- > 0;)
            if (s->entries[i].node == t->node)
                s->entries[i] = s->entries[--s->n_entries];
        set_entry(s, t->dir2, t->name2, t->node);
        break;
    case OP_UNLINK:
    case OP_RMDIR:
    case OP_TAKE:
        drop_entry(s, t->dir, t->name, t->node);
        break;
    default:
        break;
    }
}

static void reach(const struct disk *d, struct state *s)
{
    bool more = true;

    s->reached = must(calloc(d->n_nodes, sizeof(bool)));
    s->reached[0] = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < s->n_entries; i++)
            if (s->reached[s->entries[i].dir] &&
                !s->reached[s->entries[i].node]) {
                s->reached[s->entries[i].node] = true;
                more = true;
            }
    }
}

static void set_size(struct bytes *b, size_t len)
{
    if (len > b->len) {
        b->p = must(realloc(b->p, len + 1));
        memset(b->p + b->len, 0, len - b->len);
    }
    b->len = len;
}

static void apply_data(struct bytes *b, const struct step *t, enum fate fate)
{
    size_t len = fate == HALF ? t->len / 2 : t->len;

    if (t->op == OP_SIZE) {
        set_size(b, t->len);
    } else {
        if (t->off + len > b->len)
            set_size(b, t->off + len);
        if (fate == ZEROS)
            memset(b->p + t->off, 0, len);
        else
            memcpy(b->p + t->off, t->data, len);
    }
}

static void apply(struct state *s, const struct step *t, enum fate fate)
{
    if (t->op == OP_MODE)
        s->modes[t->node] = t->mode;
    else
        apply_data(&s->data[t->node], t, fate);
}

struct bytes disk_content(const struct disk *d, uint32_t node, uint64_t call)
{
    struct bytes b = { NULL, 0 };

    set_size(&b, d->nodes[node].data.len);
    if (b.len)
        memcpy(b.p, d->nodes[node].data.p, b.len);
    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++)
        if (d->steps[i].node == node && is_data(&d->steps[i]) &&
            d->steps[i].op != OP_MODE)
            apply_data(&b, &d->steps[i], KEPT);
    return b;
}

/* Names in any order give the same hash. */
static uint64_t hash_of(const struct disk *d, const struct state *s)
{
    uint64_t h = 0, one;

    for (uint32_t i = 0; i < s->n_entries; i++)
        if (s->reached[s->entries[i].dir])
            h += mix64(hash_bytes(1, &s->entries[i], sizeof(struct entry)));
    for (uint32_t i = 0; i < d->n_nodes; i++)
        if (s->reached[i] && !d->nodes[i].is_dir) {
            one = hash_bytes(i, s->data[i].p ? (char *)s->data[i].p : "",
                             s->data[i].len);
            h += mix64(one ^ s->modes[i]);
        }
    return h;
}

void state_make(const struct disk *d, uint64_t call, int64_t choice,
                struct state *s)
{
    enum fate *fates = must(calloc(d->n_steps + 1, sizeof(*fates)));

    *s = (struct state){ 0 };
    s->data = must(calloc(d->n_nodes, sizeof(*s->data)));
    s->modes = must(calloc(d->n_nodes, sizeof(*s->modes)));
    for (uint32_t i = 0; i < d->n_entries; i++)
        set_entry(s, d->entries[i].dir, d->entries[i].name, d->entries[i].node);
    choose(d, call, choice, fates);
    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++)
        if (fates[i] == KEPT && !is_data(&d->steps[i]))
            apply_name(s, &d->steps[i]);
    reach(d, s);
    for (uint32_t i = 0; i < d->n_nodes; i++) {
        s->modes[i] = d->nodes[i].mode;
        if (!s->reached[i] || d->nodes[i].is_dir)
            continue;
        set_size(&s->data[i], d->nodes[i].data.len);
        if (s->data[i].len)
            memcpy(s->data[i].p, d->nodes[i].data.p, s->data[i].len);
    }
    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++)
        if (fates[i] != LOST && is_data(&d->steps[i]) &&
            s->reached[d->steps[i].node])
            apply(s, &d->steps[i], fates[i]);
    free(fates);
    s->hash = hash_of(d, s);
}

void state_free(const struct disk *d, struct state *s)
{
    for (uint32_t i = 0; s->data && i < d->n_nodes; i++)
        free(s->data[i].p);
    free(s->data);
    free(s->modes);
    free(s->reached);
    free(s->entries);
    *s = (struct state){ 0 };
}

/* ---- the real tree ------------------------------------------------------- */

static void learn(struct page *p, int fd, uint64_t ino)
{
    struct stat st;

    if (p->n_inodes == MAX_INODES)
        die("too many files");
    fstat(fd, &st);
    p->inodes[p->n_inodes].real = st.st_ino;
    p->inodes[p->n_inodes++].shown = ino;
}

static int write_node(const struct disk *d, const struct state *s,
                      uint32_t node, int at, const char *name)
{
    const struct timespec t[2] = {
        { .tv_nsec = UTIME_OMIT },
        { .tv_sec = d->nodes[node].mtime_ns / 1000000000,
          .tv_nsec = d->nodes[node].mtime_ns % 1000000000 }
    };
    int fd;

    if (d->nodes[node].is_dir) {
        mkdirat(at, name, 0700);
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd != -1 && s->modes[node] != 0700)
            fchmod(fd, s->modes[node]);
        return fd;
    }
    fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || write(fd, s->data[node].p, s->data[node].len) !=
                        (ssize_t)s->data[node].len)
        die("cannot write %s: %s", name, strerror(errno));
    if (s->modes[node] != 0600)
        fchmod(fd, s->modes[node]);
    if (d->nodes[node].mtime_ns)
        futimens(fd, t);
    return fd;
}

static void write_folder(const struct disk *d, const struct state *s,
                         uint32_t dir, int at, struct page *p, int *open_fds)
{
    char link[40];

    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct entry *e = &s->entries[i];
        int fd;

        if (e->dir != dir)
            continue;
        if (open_fds[e->node]) { /* a second name */
            snprintf(link, sizeof(link), "/proc/self/fd/%d", open_fds[e->node]);
            if (linkat(AT_FDCWD, link, at, d->names[e->name],
                       AT_SYMLINK_FOLLOW) == -1)
                die("cannot link %s", d->names[e->name]);
            continue;
        }
        fd = write_node(d, s, e->node, at, d->names[e->name]);
        if (fd == -1)
            die("cannot make %s", d->names[e->name]);
        open_fds[e->node] = fd;
        learn(p, fd, d->nodes[e->node].ino);
        if (d->nodes[e->node].is_dir)
            write_folder(d, s, e->node, fd, p, open_fds);
    }
}

void state_write(const struct disk *d, const struct state *s, const char *root,
                 struct page *p)
{
    int *open_fds = must(calloc(d->n_nodes, sizeof(*open_fds)));
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd == -1)
        die("cannot open %s", root);
    p->n_inodes = 0;
    learn(p, fd, d->nodes[0].ino);
    write_folder(d, s, 0, fd, p, open_fds);
    close(fd);
    for (uint32_t i = 0; i < d->n_nodes; i++)
        if (open_fds[i])
            close(open_fds[i]);
    free(open_fds);
}

int64_t state_find(const struct disk *d, const struct state *s,
                   const char *path)
{
    uint32_t node = 0;

    while (*path) {
        size_t len = strcspn(path, "/");
        uint32_t i = 0;

        while (i < s->n_entries &&
               (s->entries[i].dir != node ||
                strlen(d->names[s->entries[i].name]) != len ||
                memcmp(d->names[s->entries[i].name], path, len) != 0))
            i++;
        if (i == s->n_entries)
            return -1;
        node = s->entries[i].node;
        path += len + (path[len] == '/');
    }
    return node;
}
