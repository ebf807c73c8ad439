#include "tests/crash/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    if (at->level == 0)
        return 0;
    return type == FTW_DP ? rmdir(path) : unlink(path);
}

void tree_clear(const char *root)
{
    if (nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        die("cannot clear %s: %s", root, strerror(errno));
}

void make_folders(const char *root, const char *path)
{
    char below[2 * PATH_SIZE];

    for (size_t i = 1; i <= strlen(path); i++)
        if (path[i] == '/' || path[i] == '\0') {
            snprintf(below, sizeof(below), "%s/%.*s", root, (int)i, path);
            if (mkdir(below, 0700) == -1 && errno != EEXIST)
                die("cannot make %s: %s", below, strerror(errno));
        }
}

/* ---- the program --------------------------------------------------------- */

static void become_server(const struct worker *w, const char *page, int order,
                          int answer)
{
    char frozen[16], maps[PATH_SIZE + 16];

    snprintf(frozen, sizeof(frozen), "%d", FROZEN);
    snprintf(maps, sizeof(maps), "%s/mappings", w->repo);
    if (dup2(order, ORDER_FD) == -1 || dup2(answer, ANSWER_FD) == -1 ||
        clearenv() != 0 || setenv("LC_ALL", "C", 1) == -1 ||
        setenv("TZ", "UTC", 1) == -1 || setenv("HOME", "/none", 1) == -1 ||
        setenv("KERVAN_FROZEN", frozen, 1) == -1 ||
        setenv("KERVAN_MAPPINGS", maps, 1) == -1 ||
        setenv(PAGE_ENV, page, 1) == -1 ||
        setenv("LD_PRELOAD", w->shim, 1) == -1)
        _exit(126);
    execl(w->program, "kervan", (char *)NULL);
    _exit(127);
}

void worker_start(struct worker *w, const char *place)
{
    char page[2 * PATH_SIZE];
    int order[2], answer[2], fd;

    snprintf(w->place, sizeof(w->place), "%s", place);
    snprintf(w->root, sizeof(w->root), "%.480s/root", place);
    snprintf(w->taken, sizeof(w->taken), "%.480s/taken", place);
    snprintf(w->output, sizeof(w->output), "%.480s/output", place);
    snprintf(page, sizeof(page), "%s/page", place);
    if (mkdir(w->place, 0700) == -1 || mkdir(w->root, 0700) == -1 ||
        mkdir(w->taken, 0700) == -1)
        die("cannot make %s: %s", place, strerror(errno));
    fd = open(page, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || ftruncate(fd, sizeof(struct page)) == -1)
        die("cannot make %s", page);
    w->page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
    close(fd);
    if (w->page == MAP_FAILED || pipe2(order, O_CLOEXEC) == -1 ||
        pipe2(answer, O_CLOEXEC) == -1)
        die("no memory");
    w->server = fork();
    if (w->server == 0)
        become_server(w, page, order[0], answer[1]);
    close(order[0]);
    close(answer[1]);
    w->order_fd = order[1];
    w->answer_fd = answer[0];
}

void worker_end(struct worker *w)
{
    close(w->order_fd);
    close(w->answer_fd);
    waitpid(w->server, NULL, 0);
    munmap(w->page, sizeof(struct page));
    if (w->keep)
        return;
    tree_clear(w->place);
    rmdir(w->place);
}

void worker_ready(struct worker *w, enum receiver r, uint64_t seed)
{
    struct page *p = w->page;
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    memset(&p->lock, 0, sizeof(p->lock));
    pthread_mutex_init(&p->lock, &attr);
    p->act = ACT_NONE;
    p->moment = AFTER;
    p->whom = WHOM_ALL;
    p->error = 0;
    p->forever = p->record = false;
    p->at = 0;
    p->seed = seed;
    p->take = r == AT_ONCE;
    p->stays = w->stays;
    snprintf(p->taken, sizeof(p->taken), "%s", w->taken);
    p->keeper = 0;
    p->calls = p->log_used = p->n_random = 0;
    p->happened = p->dead = p->keeper_dead = false;
}

struct answer worker_run(struct worker *w)
{
    struct pollfd wait = { .fd = w->answer_fd, .events = POLLIN };
    struct order o = { 0 };
    struct answer a;
    char command[256], *arg, *rest = command;

    snprintf(o.folder, sizeof(o.folder), "%s", w->root);
    snprintf(o.output, sizeof(o.output), "%s", w->output);
    snprintf(command, sizeof(command), "%s", w->command);
    while ((arg = strsep(&rest, " ")) && o.argc < MAX_ARGS)
        snprintf(o.argv[o.argc++], sizeof(o.argv[0]), "%s", arg);
    if (write(w->order_fd, &o, sizeof(o)) != sizeof(o))
        die("the program does not start: %s", w->program);
    if (poll(&wait, 1, PATIENCE_MS) == 0) {
        a = (struct answer){ .status = SIGALRM };
        if (w->page->keeper)
            kill(-w->page->keeper, SIGKILL);
        if (read(w->answer_fd, &a, sizeof(a)) == sizeof(a))
            a.status = SIGALRM;
        return a;
    }
    if (read(w->answer_fd, &a, sizeof(a)) != sizeof(a))
        die("%s does not run with %s", w->program, w->shim);
    return a;
}

/* ---- the tree ------------------------------------------------------------ */

static void set_outboxes(struct page *p, const struct flow *f,
                         const struct disk *d, const struct state *s)
{
    p->n_outboxes = f->n_outboxes;
    for (uint32_t i = 0; i < f->n_outboxes; i++) {
        const char *slash = strrchr(f->outboxes[i], '/');
        char parent[64];
        int64_t at;

        snprintf(parent, sizeof(parent), "%.*s",
                 slash ? (int)(slash - f->outboxes[i]) : 0, f->outboxes[i]);
        snprintf(p->outboxes[i].name, sizeof(p->outboxes[i].name), "%s",
                 slash ? slash + 1 : f->outboxes[i]);
        at = state_find(d, s, parent);
        p->outboxes[i].parent = at >= 0 ? d->nodes[at].ino : 0;
        at = state_find(d, s, f->outboxes[i]);
        p->outboxes[i].ino = at >= 0 ? d->nodes[at].ino : 0;
    }
}

void worker_lay(struct worker *w, const struct flow *f, const struct disk *d,
                const struct state *s)
{
    tree_clear(w->root);
    tree_clear(w->taken);
    state_write(d, s, w->root, w->page);
    set_outboxes(w->page, f, d, s);
    w->page->n_taken = 0;
    w->page->n_late = f->n_late;
    for (uint32_t i = 0; i < f->n_late; i++) {
        struct late *l = &w->page->late[i];

        snprintf(l->from, sizeof(l->from), "%.400s/late/%u", w->root, i);
        snprintf(l->to, sizeof(l->to), "%.250s/%.250s", w->root, f->late[i].to);
    }
}

void worker_drop_file(const struct worker *w, const char *from, const char *to,
                      int64_t age)
{
    const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
                                   { .tv_sec = FROZEN - age } };
    struct bytes b = file_bytes(from);
    char path[2 * PATH_SIZE];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", w->root, to);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || write(fd, b.p, b.len) != (ssize_t)b.len)
        die("cannot drop %s", path);
    futimens(fd, t);
    close(fd);
    free(b.p);
}

void worker_drop(struct worker *w, const struct flow *f)
{
    for (uint32_t i = 0; i < f->n_drops; i++)
        worker_drop_file(w, f->drops[i].from, f->drops[i].to,
                         3600 - (int64_t)i);
}

void worker_drop_late(struct worker *w)
{
    for (uint32_t i = 0; i < w->page->n_late; i++)
        rename(w->page->late[i].from, w->page->late[i].to);
}

struct worker worker_with(const struct worker *w, const char *command)
{
    struct worker out = *w;

    out.command = command;
    out.stays = false;
    return out;
}
