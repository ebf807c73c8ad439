/*
 * partner_test.c - `kervan partner test`: does with a partner's server what
 * the routes will do, a line for each step, with its time.
 *
 * What it writes there has a name of its own, takes no other file's place and
 * is removed again, also when a step fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/mem.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/partner.h"
#include "courier/wire.h"
#include "spool/couriers.h"
#include "spool/files.h"
#include "spool/request.h"

static const char content[] = "kervan partner test\n";

struct test {
    struct view *v;
    const struct partner *p;
    struct courier *courier;
    struct line line;
    struct failure f;
    struct wire wire; /* the question at hand */
    int n_failed;
    /* Of the folder that is listed: */
    struct str folder;
    uint64_t n_names, n_taken;
};

/* ---- lines -------------------------------------------------------------- */

static void say(const char *step, const char *how, int64_t ms, struct str text)
{
    char time[32] = "";
    struct buf b;

    if (ms >= 0)
        snprintf(time, sizeof(time), "%lld ms", (long long)ms);
    buf_init(&b, KB(8));
    show_text_max(&b, text, KB(1));
    printf("  %-10s %-7s %8s   %.*s\n", step, how, time, STR_ARGS(buf_str(&b)));
    (void)fflush(stdout);
    buf_release(&b);
}

/* The courier's text names what it was about. */
static void fail(struct test *t, const char *step)
{
    t->n_failed++;
    say(step, "FAILED", -1,
        str_of(t->f.text[0] ? t->f.text : "the line was lost"));
}

/* ---- the line ----------------------------------------------------------- */

/* What a login of ours has to offer. */
static struct str methods(const struct login *l, struct arena *a)
{
    const char *names[] = { l->key ? "key" : NULL, l->agent ? "agent" : NULL,
                            l->password ? "password" : NULL };
    struct str out = STR("");

    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i])
            out = arena_fmt(a, "%.*s%s%s", STR_ARGS(out), out.len ? " or " : "",
                            names[i]);
    return out;
}

static void say_line(const struct test *t)
{
    const struct login *l = &t->p->remote->login;
    const struct line *x = &t->line;
    struct arena *a = &t->v->arena;
    bool has_why = x->why[0] && !l->through[0]; /* he said so himself */

    if (l->through[0]) {
        say("program", "ok", x->connect_ms, t->p->remote->address);
    } else {
        say("connect", "ok", x->connect_ms, str_of(x->address));
        say("host key", "ok", x->handshake_ms, str_of(x->host_key));
        say("login", "ok", x->login_ms,
            arena_fmt(a, "%s, by %.*s", l->user, STR_ARGS(methods(l, a))));
    }
    say("transport", "ok", x->open_ms,
        arena_fmt(a, "%s%s%s%s%s", x->transport, has_why ? ": " : "",
                  has_why ? x->why : "", x->server[0] ? "; to " : "",
                  x->server));
}

/* Which step was it? Those before it went well. */
static void say_no_line(struct test *t)
{
    static const char *const steps[] = { "connect", "host key", "login",
                                         "transport" };
    size_t at = 3;

    if (t->p->remote->login.through[0] || t->f.how == OUTCOME_SETUP) {
        fail(t, t->f.how == OUTCOME_SETUP ? "set-up" : "program");
        return;
    }
    if (t->f.how == OUTCOME_NO_ANSWER)
        at = 0;
    else if (t->f.how == OUTCOME_HOST_KEY)
        at = 1;
    else if (t->f.how == OUTCOME_LOGIN)
        at = 2;
    for (size_t i = 0; i < at; i++)
        say(steps[i], "ok", -1, STR(""));
    fail(t, steps[at]);
    if (t->f.how == OUTCOME_HOST_KEY)
        printf("\n  kervan partner trust %.*s    shows and accepts it\n",
               STR_ARGS(t->p->name));
}

/* ---- questions ---------------------------------------------------------- */

static struct str path_of(const struct test *t, struct str folder,
                          struct str name)
{
    struct arena *a = &t->v->arena;
    struct str path = t->p->remote->base;

    if (folder.len)
        path = arena_fmt(a, "%.*s%s%.*s", STR_ARGS(path),
                         path.len && !str_ends(path, STR("/")) ? "/" : "",
                         STR_ARGS(folder));
    if (name.len)
        path = arena_fmt(a, "%.*s%s%.*s", STR_ARGS(path),
                         path.len && !str_ends(path, STR("/")) ? "/" : "",
                         STR_ARGS(name));
    return path.len ? path : STR(".");
}

static int ask(struct test *t, struct failure *f)
{
    return courier_ask(t->courier, &t->wire, NULL, NULL, f);
}

static void on_name(void *ctx, struct str name, uint64_t size, uint64_t mtime,
                    unsigned kind)
{
    struct test *t = ctx;

    (void)size;
    (void)mtime;
    t->n_names++;
    if (kind != WIRE_PLAIN)
        return;
    for (const struct route *r = t->v->conf.routes; r; r = r->next)
        if (route_takes(r, t->p->name, t->folder, name)) {
            t->n_taken++;
            return;
        }
}

static void list(struct test *t, struct str folder)
{
    int64_t since = clock_ms();
    struct str shown = path_of(t, folder, STR(""));

    t->folder = folder;
    t->n_names = t->n_taken = 0;
    courier_begin(t->courier, &t->wire, WIRE_LIST);
    wire_put_str(&t->wire, shown);
    if (courier_ask(t->courier, &t->wire, on_name, t, &t->f) == -1) {
        fail(t, "list");
        return;
    }
    say("list", "ok", clock_ms() - since,
        arena_fmt(&t->v->arena, "%.*s: %llu name%s, %llu that a route takes",
                  STR_ARGS(shown), (unsigned long long)t->n_names,
                  t->n_names == 1 ? "" : "s", (unsigned long long)t->n_taken));
}

static int ask_write(struct test *t, struct str path)
{
    int fd = memfd_create("kervan-test", MFD_CLOEXEC), rc;

    if (fd == -1 || file_put(fd, str_of(content)) == -1) {
        if (fd != -1)
            close(fd);
        return failed_sys(&t->f, OUTCOME_LOCAL, "a file in memory");
    }
    courier_begin(t->courier, &t->wire, WIRE_WRITE);
    wire_put_str(&t->wire, path);
    wire_put(&t->wire, sizeof(content) - 1);
    wire_put(&t->wire, 0);
    t->wire.fd = fd;
    rc = ask(t, &t->f);
    close(fd);
    return rc;
}

static int ask_rename(struct test *t, struct str from, struct str to)
{
    courier_begin(t->courier, &t->wire, WIRE_RENAME);
    wire_put_str(&t->wire, from);
    wire_put_str(&t->wire, to);
    wire_put(&t->wire, sizeof(content) - 1);
    wire_put(&t->wire, 0);
    return ask(t, &t->f);
}

static int ask_remove(struct test *t, struct str path, struct failure *f)
{
    courier_begin(t->courier, &t->wire, WIRE_REMOVE);
    wire_put_str(&t->wire, path);
    wire_put(&t->wire, UINT64_MAX); /* whatever it looks like: */
    wire_put(&t->wire, UINT64_MAX); /* nobody else has that name */
    return ask(t, f);
}

/* A name that nobody has. */
static struct str fresh_name(struct arena *a)
{
    unsigned long long n = 0;

    if (getrandom(&n, sizeof(n), 0) != sizeof(n))
        n = (unsigned long long)getpid();
    return arena_fmt(a, ".kervan-test-%016llx", n);
}

static bool is_lost(const struct test *t)
{
    return t->f.how == OUTCOME_LOST;
}

static bool is_removed(struct test *t, struct str path)
{
    struct failure f;

    return ask_remove(t, path, &f) == 0 || f.how == OUTCOME_ABSENT;
}

/* After a step that failed; after a lost line, with another one. */
static void clean(struct test *t, struct str from, struct str to)
{
    struct failure ignored;
    struct line line;
    bool gone;

    if (is_lost(t)) {
        courier_close(t->courier);
        (void)courier_open(&t->courier, t->p, &line, &ignored);
    }
    gone = t->courier && is_removed(t, from);
    gone = t->courier && is_removed(t, to) && gone;
    if (!gone)
        say("", "", -1,
            arena_fmt(&t->v->arena, "%.*s or %.*s may be left there",
                      STR_ARGS(from), STR_ARGS(to)));
}

/* As a delivery does it: a temporary name, then the final one. */
static void deliver(struct test *t, struct str folder)
{
    struct arena *a = &t->v->arena;
    struct str temp = t->p->remote->temp.len ? t->p->remote->temp : folder;
    struct str name = fresh_name(a), to = path_of(t, folder, name);
    struct str from =
        path_of(t, temp, arena_fmt(a, "%.*s.part", STR_ARGS(name)));
    int64_t since = clock_ms();
    const char *step = "write";
    int rc = ask_write(t, from);

    if (rc == 0) {
        step = "rename";
        rc = ask_rename(t, from, to);
    }
    if (rc == 0) {
        step = "delete";
        rc = ask_remove(t, to, &t->f);
    }
    if (rc == -1) {
        fail(t, step);
        clean(t, from, to);
        return;
    }
    say("deliver", "ok", clock_ms() - since,
        arena_fmt(a, "%.*s: write, rename, delete",
                  STR_ARGS(path_of(t, folder, STR("")))));
}

/* ---- all folders -------------------------------------------------------- */

struct folders {
    struct str *names;
    size_t n, cap;
};

static void add_folder(struct folders *x, struct str name, struct arena *a)
{
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(x->names[i], name))
            return;
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 16;
        struct str *grown = arena_alloc(a, cap * sizeof(*grown));

        if (x->n)
            memcpy(grown, x->names, x->n * sizeof(*grown));
        x->names = grown;
        x->cap = cap;
    }
    x->names[x->n++] = name;
}

static void find_folders(const struct test *t, struct folders *from,
                         struct folders *to)
{
    struct arena *a = &t->v->arena;

    for (const struct route *r = t->v->conf.routes; r; r = r->next) {
        for (const struct conf_from *f = r->from; f; f = f->next)
            if (f->partner == t->p)
                add_folder(from, f->folder, a);
        for (const struct conf_write *w = r->writes; w; w = w->next)
            for (const struct conf_to *x = w->to; x; x = x->next)
                if (x->partner == t->p && !r->test)
                    add_folder(to, x->folder, a);
    }
    if (from->n && t->p->remote->after == AFTER_MOVE)
        add_folder(to, t->p->remote->moved_to, a);
}

static void test_folders(struct test *t)
{
    struct folders from = { 0 }, to = { 0 };

    find_folders(t, &from, &to);
    for (size_t i = 0; i < from.n && !is_lost(t); i++)
        list(t, from.names[i]);
    for (size_t i = 0; i < to.n && !is_lost(t); i++)
        deliver(t, to.names[i]);
    if (!from.n && !to.n)
        list(t, STR(""));
}

int partner_test(struct view *v, const struct partner *p)
{
    struct test *t = xcalloc(1, sizeof(*t));
    int n_failed;
    struct err e;

    t->v = v;
    t->p = p;
    printf("%.*s: %.*s\n", STR_ARGS(p->name), STR_ARGS(p->remote->address));
    (void)fflush(stdout);
    if (courier_open(&t->courier, p, &t->line, &t->f) == -1) {
        say_no_line(t);
    } else {
        say_line(t);
        test_folders(t);
        if (t->courier)
            courier_close(t->courier);
    }
    n_failed = t->n_failed;
    free(t);
    if (!n_failed && request_reach(&v->conf, p->name, &v->arena, &e) == -1)
        return view_failed(&e);
    return n_failed ? EXIT_ASIDE : EXIT_DONE;
}
