#include "spool/couriers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/courier_process.h"
#include "spool/keeper.h"

/* What takes longer to move than a year is somebody's lie. */
static const uint64_t MOST_BYTES = (uint64_t)1 << 35;

enum {
    SLOWEST = 1024, /* bytes a second; the courier's own limit is higher */
    ERRAND_MS = 300 * 1000, /* beside that; the courier gives up long before */
    START_MS = 30 * 1000,   /* beside the limits of the login */
    IDLE_MS = 120 * 1000,   /* then the connection is closed */
    LOGIN_TRIES = 3,
    LOGIN_PAUSE = 60,
    LOGIN_LONG_PAUSE = 900,
    HOST_KEY_PAUSE = 60,
    READS = 64, /* messages of one courier, before the others have a turn */
};

/* A message that the socket had no room for. */
struct letter {
    int fd;
    size_t len;
    struct letter *next;
    unsigned char bytes[];
};

struct courier {
    struct wire hello; /* as it was started with; another one: another
                          courier; its len 0: none was, or the next is to be
                          another */
    char *partner;
    uint32_t index; /* of the partner's lines */
    enum { DOWN, STARTING, UP } state;
    pid_t pid;
    int fd;
    uint64_t n_starts;     /* which connection it is */
    const char *transport; /* the server needs it; "": whichever */
    char because[160];     /* and why */
    uint64_t last_tag;
    struct errand *asked;
    size_t n_asked, n_talks;
    struct letter *letters, **last_letter;
    struct line line;
    struct failure why; /* it is DOWN */
    uint64_t n_tries;   /* that failed, one behind the other */
    int64_t until;      /* no try before, by clock_up() */
    int64_t end_ms;     /* STARTING: late then */
    int64_t idle_ms;    /* UP: nothing to do since then */
    bool news;          /* something was done since couriers_read() said so */
    bool changed;       /* up or down, and the ledger does not know it */
};

/* ---- starting ------------------------------------------------------------ */

static int start(struct courier *c, struct failure *f)
{
    if (courier_spawn(c->partner, &c->pid, &c->fd, f) == -1)
        return -1;
    c->n_starts++;
    c->state = STARTING;
    c->why = (struct failure){ .how = OUTCOME_LOST };
    return 0;
}

static void hello_of(struct wire *w, const struct partner *p,
                     const char *transport)
{
    struct login l = p->remote->login;

    if (*transport && !*l.transport)
        l.transport = transport;
    wire_begin(w, WIRE_HELLO, 0);
    wire_put_login(w, &l);
}

static void begin(struct courier *c, const struct partner *p)
{
    const struct login *l = &p->remote->login;

    hello_of(&c->hello, p, c->transport);
    c->end_ms = clock_ms() + START_MS +
                1000 * ((int64_t)l->connect_s + l->handshake_s + l->login_s);
    if (start(c, &c->why) == 0 && wire_send(c->fd, &c->hello) == 1)
        return;
    c->end_ms = 0; /* couriers_read() ends it */
    c->state = STARTING;
}

/* ---- ending -------------------------------------------------------------- */

static void done(struct courier *c, struct errand *x)
{
    for (struct errand **p = &c->asked; *p; p = &(*p)->next)
        if (*p == x) {
            *p = x->next;
            c->n_asked--;
            break;
        }
    x->is_done = true;
    /* As long as others are counted, nobody can go on with this one. */
    if (!x->n_open || --*x->n_open == 0)
        c->news = true;
    c->idle_ms = clock_ms();
}

static void drop_letters(struct courier *c)
{
    while (c->letters) {
        struct letter *x = c->letters;

        c->letters = x->next;
        if (x->fd != -1)
            close(x->fd);
        free(x);
    }
    c->last_letter = &c->letters;
}

/* The process is gone: what it did of its last errands is not known. */
static void stop(struct courier *c)
{
    if (c->fd != -1)
        close(c->fd);
    c->fd = -1;
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
            continue;
    }
    c->pid = 0;
    drop_letters(c);
    while (c->asked) {
        struct errand *x = c->asked;

        x->f = c->why;
        x->f.how = OUTCOME_LOST;
        done(c, x);
    }
    c->state = DOWN;
    c->news = true;
}

static int64_t rest_for(const struct courier *c)
{
    int64_t usual = keeper_back_off(c->n_tries);

    if (c->why.how == OUTCOME_LOGIN ||
        (c->why.how == OUTCOME_LEFT && c->n_tries > 1))
        return c->n_tries >= LOGIN_TRIES ? LOGIN_LONG_PAUSE
               : usual > LOGIN_PAUSE     ? usual
                                         : LOGIN_PAUSE;
    return c->why.how == OUTCOME_HOST_KEY ? HOST_KEY_PAUSE : usual;
}

/* It failed: the partner rests. */
static void rest(struct courier *c)
{
    if (!*c->why.text)
        failed(&c->why, OUTCOME_LOST, "the program for the connection ended");
    stop(c);
    c->n_tries++;
    c->until = clock_up() + rest_for(c);
    c->changed = true;
}

/* Another transport is no failure, if it was not tried yet. */
static void fail_start(struct courier *c)
{
    static const char *const known[] = { "libssh2", "libssh" };

    if (c->why.how == OUTCOME_OTHER_TRANSPORT && !*c->transport)
        for (size_t i = 0; i < COUNT(known); i++)
            if (strcmp(c->why.text, known[i]) == 0) {
                c->transport = known[i];
                snprintf(c->because, sizeof(c->because), "%s",
                         c->why.fingerprint);
                stop(c);
                c->hello.len = 0; /* the next one is another */
                c->until = 0;
                return;
            }
    rest(c);
}

/* ---- messages ------------------------------------------------------------ */

void courier_begin(struct courier *c, struct wire *w, enum wire_kind kind)
{
    wire_begin(w, kind, ++c->last_tag);
}

/* Keeps a message until the socket has room. -1: not without its descriptor,
 * for which there is none left. */
static int keep_letter(struct courier *c, const struct wire *w)
{
    int fd = w->fd == -1 ? -1 : fcntl(w->fd, F_DUPFD_CLOEXEC, 0);
    struct letter *x;

    if (fd == -1 && w->fd != -1)
        return -1;
    x = xcalloc(1, sizeof(*x) + w->len);
    x->fd = fd;
    x->len = w->len;
    memcpy(x->bytes, w->bytes, w->len);
    *c->last_letter = x;
    c->last_letter = &x->next;
    return 0;
}

/* It could not even be asked: mostly because it has ended. */
static void refuse(const struct courier *c, struct failure *f, int error)
{
    errno = error;
    if (error == EMSGSIZE || error == EMFILE)
        failed_sys(f, OUTCOME_LOCAL, "cannot ask");
    else if (*c->why.text)
        failed(f, OUTCOME_LOST, "%s", c->why.text);
    else
        failed(f, OUTCOME_LOST, "the program for the connection ended");
}

void courier_send(struct courier *c, struct wire *w, struct errand *x,
                  uint64_t bytes)
{
    int rc = c->letters ? 0 : wire_send(c->fd, w);

    x->is_done = false;
    x->f = (struct failure){ .how = OUTCOME_LOST };
    x->tag = w->tag;
    x->end_ms =
        clock_ms() + ERRAND_MS +
        (int64_t)((bytes < MOST_BYTES ? bytes : MOST_BYTES) / SLOWEST) * 1000;
    x->next = c->asked;
    c->asked = x;
    c->n_asked++;
    if (rc == 0)
        rc = keep_letter(c, w);
    if (rc == -1) {
        refuse(c, &x->f, errno);
        done(c, x);
    }
}

struct talk talk_with(struct courier *c)
{
    c->n_talks++;
    return (struct talk){ .courier = c, .line = c->n_starts };
}

void talk_end(struct talk *t)
{
    t->courier->n_talks--;
}

struct wire *talk_begin(struct talk *t, enum wire_kind kind)
{
    static struct wire w;

    courier_begin(t->courier, &w, kind);
    return &w;
}

void talk_send(struct talk *t, struct wire *w, struct errand *x, uint64_t bytes)
{
    const struct courier *c = t->courier;

    *x = (struct errand){ .n_open = &t->n_open };
    if (c->state == UP && c->n_starts == t->line) {
        t->n_open++;
        courier_send(t->courier, w, x, bytes);
        return;
    }
    x->is_done = true;
    failed(&x->f, OUTCOME_LOST, "%s",
           *c->why.text ? c->why.text : "the connection is another one now");
}

static void send_letters(struct courier *c)
{
    static struct wire w;

    while (c->letters) {
        struct letter *x = c->letters;

        w = (struct wire){ .fd = x->fd, .len = x->len };
        memcpy(w.bytes, x->bytes, x->len);
        if (wire_send(c->fd, &w) != 1)
            return;
        c->letters = x->next;
        if (!c->letters)
            c->last_letter = &c->letters;
        if (x->fd != -1)
            close(x->fd);
        free(x);
    }
}

static void text_of(struct wire *w, char *out, size_t size)
{
    struct str s = str_first(wire_get_str(w), size - 1);

    memcpy(out, s.p, s.len);
    out[s.len] = '\0';
    for (; *out; out++)
        if ((unsigned char)*out < ' ' || *out == 127)
            *out = ' ';
}

static struct errand *asked(struct courier *c, uint64_t tag)
{
    struct errand *x = c->asked;

    while (x && x->tag != tag)
        x = x->next;
    return x;
}

static void on_done(struct courier *c, struct wire *w)
{
    struct errand *x = asked(c, w->tag);
    struct failure f;
    uint64_t how = wire_get(w), number;

    text_of(w, f.text, sizeof(f.text));
    text_of(w, f.fingerprint, sizeof(f.fingerprint));
    number = wire_get(w);
    if (!wire_is_whole(w) || how >= N_OUTCOMES) {
        w->bad = true;
        return;
    }
    f.how = (enum outcome)how;
    if (x) {
        c->n_tries = 0; /* a line that comes up and breaks is no line */
        x->f = f;
        x->number = number;
        done(c, x);
    } else if (w->tag == 0) {
        c->why = f; /* of HELLO, or why the line is lost */
        if (c->state == STARTING)
            c->end_ms = 0;
    } else {
        w->bad = true;
    }
}

static void on_ready(struct courier *c, struct wire *w)
{
    struct line *l = &c->line;
    char extensions[256];

    text_of(w, l->transport, sizeof(l->transport));
    text_of(w, l->why, sizeof(l->why));
    text_of(w, l->server, sizeof(l->server));
    text_of(w, l->address, sizeof(l->address));
    text_of(w, l->host_key, sizeof(l->host_key));
    text_of(w, l->algorithms, sizeof(l->algorithms));
    text_of(w, extensions, sizeof(extensions));
    l->connect_ms = (uint32_t)wire_get(w);
    l->handshake_ms = (uint32_t)wire_get(w);
    l->login_ms = (uint32_t)wire_get(w);
    l->open_ms = (uint32_t)wire_get(w);
    if (!wire_is_whole(w) || c->state != STARTING)
        w->bad = true;
    if (w->bad)
        return;
    if (*c->because)
        snprintf(l->why, sizeof(l->why), "%s", c->because);
    c->state = UP;
    c->changed = true;
    c->idle_ms = clock_ms();
    c->news = true;
}

static void on_names(struct courier *c, struct wire *w)
{
    struct errand *x = asked(c, w->tag);
    uint64_t n = wire_get(w);

    for (; n && !w->bad; n--) {
        struct str name = wire_get_str(w);
        uint64_t size = wire_get(w), mtime = wire_get(w);
        unsigned kind = (unsigned)wire_get(w);

        if (!w->bad && x && x->named)
            x->named(x->ctx, name, size, mtime, kind);
    }
    if (!x || !wire_is_whole(w))
        w->bad = true;
}

/* False: it is gone, or says what no courier of ours says. */
static bool read_messages(struct courier *c)
{
    static struct wire w;

    for (int n = 0; n < READS; n++) {
        int rc = wire_receive(c->fd, &w);

        if (rc == 0)
            return true;
        if (rc == 1 && w.fd != -1)
            close(w.fd);
        if (rc == 1 && w.kind == WIRE_DONE)
            on_done(c, &w);
        else if (rc == 1 && w.kind == WIRE_READY)
            on_ready(c, &w);
        else if (rc == 1 && w.kind == WIRE_NAMES)
            on_names(c, &w);
        else
            w.bad = true;
        if (w.bad || rc == -1) {
            if (rc == 1)
                failed(&c->why, OUTCOME_LOST,
                       "the program for the connection said what it must not");
            return false;
        }
    }
    return true;
}

/* ---- all of them --------------------------------------------------------- */

/* It is DOWN; whoever talked with it finds that it is not the one of before. */
static void init_courier(struct courier *c, struct str partner, uint32_t index)
{
    free(c->partner);
    *c = (struct courier){ .transport = "",
                           .index = index,
                           .fd = -1,
                           .n_starts = c->n_starts,
                           .partner = xcalloc(1, partner.len + 1) };
    memcpy(c->partner, partner.p, partner.len);
    c->last_letter = &c->letters;
}

static struct courier *new_courier(struct str partner)
{
    struct courier *c = xcalloc(1, sizeof(*c));

    init_courier(c, partner, 0);
    return c;
}

/* Is the partner still reached the way that it was started for? */
static bool is_wanted(const struct keeper *k, const struct courier *c)
{
    static struct wire now;
    const struct partner *p = conf_partner(k->conf, str_of(c->partner));

    if (!p || !p->remote || c->index >= p->remote->n_lines)
        return false;
    hello_of(&now, p, c->transport);
    return now.len == c->hello.len &&
           memcmp(now.bytes, c->hello.bytes, now.len) == 0;
}

/* False: it is of a configuration before, and has something to do yet. Else
 * what was, and for how long he had to rest because of it, is over. */
static bool is_current(const struct keeper *k, struct courier *c)
{
    if (c->hello.len == 0 || is_wanted(k, c))
        return true;
    if (c->asked || c->n_talks)
        return false;
    if (c->state != DOWN)
        stop(c);
    c->transport = "";
    c->hello.len = 0;
    c->n_tries = 0;
    c->until = 0;
    return true;
}

/* Of a partner, or a connection, that is not in the configuration any more. */
static struct courier *unused(const struct keeper *k)
{
    for (size_t i = 0; i < k->couriers.n; i++) {
        struct courier *c = k->couriers.v[i];

        if (c->state == DOWN && !is_wanted(k, c) && is_current(k, c))
            return c;
    }
    return NULL;
}

static struct courier *courier_of(struct keeper *k, struct str partner,
                                  uint32_t index)
{
    struct couriers *all = &k->couriers;

    for (size_t i = 0; i < all->n; i++)
        if (all->v[i]->index == index && str_is(partner, all->v[i]->partner))
            return all->v[i];
    if (all->n == MAX_COURIERS) {
        struct courier *c = unused(k);

        if (c)
            init_courier(c, partner, index);
        return c;
    }
    all->v[all->n] = new_courier(partner);
    all->v[all->n]->index = index;
    return all->v[all->n++];
}

/* One more line, because the others are busy. That it cannot be had is no
 * news: servers allow so many. */
static void open_another(struct keeper *k, const struct partner *p,
                         uint32_t index)
{
    struct courier *c = courier_of(k, p->name, index);

    if (c && is_current(k, c) && c->state == DOWN && clock_up() >= c->until)
        begin(c, p);
}

struct courier *courier_up(struct keeper *k, const struct partner *p,
                           const char **why)
{
    struct courier *c = courier_of(k, p->name, 0), *best;

    *why = "too many partners with servers";
    if (!c)
        return NULL;
    *why = NULL;
    if (!is_current(k, c))
        return NULL;
    if (c->state == DOWN && clock_up() >= c->until)
        begin(c, p);
    if (c->state == DOWN)
        *why = c->why.text;
    if (c->state != UP)
        return NULL;
    best = c;
    for (uint32_t i = 1; i < p->remote->n_lines && best->asked; i++) {
        c = courier_of(k, p->name, i);
        if (c && c->state == UP && is_current(k, c) &&
            c->n_asked < best->n_asked)
            best = c;
        else if (!c || c->state != UP)
            open_another(k, p, i);
    }
    return best;
}

void courier_wake(struct keeper *k, struct str partner)
{
    for (size_t i = 0; i < k->couriers.n; i++)
        if (str_is(partner, k->couriers.v[i]->partner))
            k->couriers.v[i]->until = 0;
}

void couriers_wake(struct keeper *k)
{
    for (size_t i = 0; i < k->couriers.n; i++)
        k->couriers.v[i]->until = 0;
}

size_t couriers_watch(const struct keeper *k, struct pollfd *fds)
{
    const struct couriers *all = &k->couriers;

    for (size_t i = 0; i < all->n; i++)
        fds[i] = (struct pollfd){
            .fd = all->v[i]->fd,
            .events = all->v[i]->letters ? POLLIN | POLLOUT : POLLIN,
        };
    return all->n;
}

/* When this one has to be looked at; INT64_MAX: only when it says something. */
static int64_t due_ms(const struct courier *c)
{
    int64_t at = INT64_MAX;

    if (c->state == STARTING)
        return c->end_ms;
    if (c->state == UP && !c->asked)
        return c->idle_ms + IDLE_MS;
    for (const struct errand *x = c->asked; x; x = x->next)
        if (x->end_ms < at)
            at = x->end_ms;
    return at;
}

int64_t couriers_timeout(const struct keeper *k)
{
    int64_t now = clock_ms(), at = INT64_MAX;

    for (size_t i = 0; i < k->couriers.n; i++) {
        const struct courier *c = k->couriers.v[i];
        int64_t due = due_ms(c);

        if (c->state == DOWN && c->n_tries && c->until > clock_up())
            due = now + (c->until - clock_up()) * 1000;
        if (due < at)
            at = due;
    }
    return at == INT64_MAX ? -1 : at > now ? at - now : 0;
}

/* It did not come up. What is told of it also says what to do. */
static void not_started(struct courier *c)
{
    struct failure f;

    fail_start(c);
    f = c->why;
    if (f.how == OUTCOME_HOST_KEY)
        snprintf(c->why.text, sizeof(c->why.text),
                 "%.300s: kervan partner trust %.60s", f.text, c->partner);
}

static void read_one(struct keeper *k, struct courier *c)
{
    if (c->state == DOWN)
        return;
    if (c->fd != -1) {
        send_letters(c);
        if (!read_messages(c)) {
            if (c->state == STARTING)
                not_started(c);
            else
                rest(c);
            return;
        }
    }
    if (clock_ms() >= due_ms(c)) {
        if (c->state == STARTING) {
            not_started(c);
        } else if (c->asked) {
            failed(&c->why, OUTCOME_LOST, "no answer for too long");
            rest(c);
        } else {
            stop(c);
        }
    } else {
        (void)is_current(k, c);
    }
}

bool couriers_read(struct keeper *k)
{
    bool news = false;

    for (size_t i = 0; i < k->couriers.n; i++) {
        struct courier *c = k->couriers.v[i];

        read_one(k, c);
        news = news || c->news;
        c->news = false;
    }
    return news;
}

static bool wants_person(enum outcome how)
{
    return how == OUTCOME_HOST_KEY || how == OUTCOME_LOGIN ||
           how == OUTCOME_SETUP;
}

int couriers_note(struct keeper *k, struct err *e)
{
    for (size_t i = 0; i < k->couriers.n; i++) {
        struct courier *c = k->couriers.v[i];

        if (!c->changed || c->state == STARTING || c->index)
            continue;
        c->changed = false;
        if (ledger_line(k->ledger, str_of(c->partner), c->state == UP,
                        wants_person(c->why.how), c->why.text, e) == -1)
            return -1;
    }
    return 0;
}

bool couriers_busy(const struct keeper *k)
{
    for (size_t i = 0; i < k->couriers.n; i++)
        if (k->couriers.v[i]->asked || k->couriers.v[i]->state == STARTING)
            return true;
    return false;
}

void courier_close(struct courier *c)
{
    if (!c)
        return;
    stop(c);
    free(c->partner);
    free(c);
}

void couriers_end(struct keeper *k)
{
    for (size_t i = 0; i < k->couriers.n; i++)
        stop(k->couriers.v[i]);
}

void couriers_free(struct keeper *k)
{
    for (size_t i = 0; i < k->couriers.n; i++)
        courier_close(k->couriers.v[i]);
    k->couriers.n = 0;
}

/* ---- for commands -------------------------------------------------------- */

static void wait_for(struct courier *c)
{
    struct pollfd p = { c->fd, c->letters ? POLLIN | POLLOUT : POLLIN, 0 };
    int64_t ms = due_ms(c) - clock_ms();

    (void)poll(&p, 1, ms > 0 ? (int)ms : 0);
    send_letters(c);
}

int courier_open(struct courier **out, const struct partner *p,
                 struct line *line, struct failure *f)
{
    struct courier *c = new_courier(p->name);
    const char *before;

    do {
        before = c->transport;
        begin(c, p);
        while (c->state == STARTING && clock_ms() < c->end_ms) {
            wait_for(c);
            if (!read_messages(c))
                break;
        }
        if (c->state == STARTING)
            fail_start(c);
    } while (c->state == DOWN && c->transport != before);
    *line = c->line;
    if (c->state == UP) {
        *out = c;
        return 0;
    }
    *f = c->why;
    courier_close(c);
    *out = NULL;
    return -1;
}

int courier_turn(struct courier *c)
{
    if (c->state != UP)
        return -1;
    wait_for(c);
    if (read_messages(c))
        return 0;
    stop(c);
    return -1;
}

int courier_ask(struct courier *c, struct wire *w,
                void (*named)(void *ctx, struct str name, uint64_t size,
                              uint64_t mtime, unsigned kind),
                void *ctx, struct failure *f)
{
    struct errand x = { .named = named, .ctx = ctx };

    if (c->state != UP) {
        *f = c->why;
        return -1;
    }
    courier_send(c, w, &x, 0);
    while (!x.is_done && clock_ms() < x.end_ms && courier_turn(c) == 0)
        continue;
    if (!x.is_done)
        stop(c);
    *f = x.f;
    return f->how == OUTCOME_OK ? 0 : -1;
}
