#include "courier/task_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- queues -------------------------------------------------------------- */

static void queue_init(struct task_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_put(struct task_queue *q, struct task *t)
{
    t->next = NULL;
    *q->last = t;
    q->last = &t->next;
}

static struct task *queue_take(struct task_queue *q)
{
    struct task *t = q->first;

    if (t) {
        q->first = t->next;
        if (!q->first)
            q->last = &q->first;
    }
    return t;
}

/* ---- for the states ------------------------------------------------------ */

void task_wake(struct task *t)
{
    if (!t->is_queued)
        queue_put(&t->all->sending, t);
    t->is_queued = true;
    t->all_sent = false;
}

void task_go(struct task *t, const struct task_state *to)
{
    t->state = to;
    t->step = 0;
    task_wake(t);
}

bool task_is_over(const struct task *t)
{
    return t->all_sent && t->n_open == 0;
}

struct asker task_asks(struct task *t, unsigned what)
{
    t->n_open++;
    return (struct asker){ t, what };
}

void task_ask_path(struct task *t, unsigned what, enum fxp type,
                   struct str path)
{
    sftp_ask_path(t->all->sftp, task_asks(t, what), type, path);
}

void task_ask_handle(struct task *t, unsigned what, enum fxp type)
{
    sftp_ask_handle(t->all->sftp, task_asks(t, what), type, t->handle, 0);
}

bool task_failed(const struct task *t)
{
    return t->failure.how != OUTCOME_OK;
}

void task_fail(struct task *t, enum outcome how, const char *fmt, ...)
{
    char text[sizeof(t->failure.text)];
    va_list ap;

    if (task_failed(t))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    failed(&t->failure, how, "%s", text);
}

void task_forgive(struct task *t)
{
    t->failure.how = OUTCOME_OK;
    t->failure.text[0] = '\0';
}

void task_fail_local(struct task *t, const char *what)
{
    task_fail(t, OUTCOME_LOCAL, "%s: %s", what, strerror(errno));
}

void task_fail_status(struct task *t, const char *verb, struct str path,
                      const struct reply *r)
{
    struct str words = str_first(r->text, 150);
    const char *name = fx_name(r->code);

    path = path.len > 150 ? str_from(path, path.len - 150) : path;
    task_fail(t, sftp_outcome(r), "%s %.*s: %.*s (%s%s%u)", verb,
              STR_ARGS(path), STR_ARGS(words), name, *name ? ", " : "",
              r->code);
}

void task_take_handle(struct task *t, const struct reply *r)
{
    str_copy(t->handle_bytes, r->bytes);
    t->handle = (struct str){ t->handle_bytes, r->bytes.len };
}

bool task_is_absent(const struct reply *r)
{
    return r->type == FXP_STATUS && r->code == FX_NO_SUCH_FILE;
}

static void drop(struct task *t)
{
    struct tasks *ts = t->all;

    if (t->fd != -1)
        close(t->fd);
    t->fd = -1;
    t->state = NULL;
    t->next = ts->free;
    ts->free = t;
}

void task_end(struct task *t)
{
    struct tasks *ts = t->all;
    struct wire *w = &ts->wire;

    wire_begin(w, WIRE_DONE, t->tag);
    wire_put(w, t->failure.how);
    wire_put_str(w, str_of(t->failure.text));
    wire_put_str(w, str_of(t->failure.fingerprint));
    wire_put(w, t->number);
    answers_put(ts->answers, w);
    if (t->state)
        ts->n_at_work--;
    drop(t);
}

/* ---- take ---------------------------------------------------------------- */

static const struct {
    const struct task_state *first;
    enum { NO_FD, WITH_FD, ANY_FD } fd;
} kinds[N_WIRE_KINDS] = {
    [WIRE_LIST] = { &task_list_first, NO_FD },
    [WIRE_FETCH] = { &task_fetch_first, WITH_FD },
    [WIRE_WRITE] = { &task_write_first, WITH_FD },
    [WIRE_LOOK] = { &task_look_first, ANY_FD },
    [WIRE_RENAME] = { &task_rename_first, NO_FD },
    [WIRE_REMOVE] = { &task_remove_first, NO_FD },
    [WIRE_MAKE_FOLDER] = { &task_make_folder_first, NO_FD },
};

/* A path that no server should see is the keeper's mistake, or his user's; it
 * costs that task. */
static void take_path(struct task *t, struct str path, char *to,
                      struct str *out)
{
    *out = STR("");
    if (path.len > SFTP_PATH) {
        task_fail(t, OUTCOME_LIMIT, "a path of %zu bytes; %d is the limit",
                  path.len, SFTP_PATH);
    } else if (path.len == 0 || memchr(path.p, '\0', path.len)) {
        task_fail(t, OUTCOME_UNSAFE, "a path that is empty or has a NUL");
    } else {
        str_copy(to, path);
        *out = (struct str){ to, path.len };
    }
}

static void take_words(struct task *t, struct wire *w)
{
    struct str path = wire_get_str(w);

    if (t->kind == WIRE_LIST && path.len == 0)
        path = STR("."); /* where the login leads to */
    take_path(t, path, t->path_bytes, &t->path);
    if (t->kind == WIRE_RENAME)
        take_path(t, wire_get_str(w), t->to_bytes, &t->to);
    if (t->kind == WIRE_FETCH || t->kind == WIRE_WRITE ||
        t->kind == WIRE_LOOK || t->kind == WIRE_RENAME ||
        t->kind == WIRE_REMOVE)
        t->size = wire_get(w);
    /* "It is there" must never be said of what was to be compared. */
    if (t->kind == WIRE_LOOK && t->fd == -1 && t->size != UINT64_MAX)
        task_fail(t, OUTCOME_LOCAL, "the file to compare with did not come");
    if (t->kind == WIRE_FETCH || t->kind == WIRE_REMOVE)
        t->mtime = wire_get(w);
    if (t->kind == WIRE_WRITE || t->kind == WIRE_RENAME)
        t->flags = (unsigned)wire_get(w);
}

int tasks_take(struct tasks *ts, struct wire *w)
{
    struct task *t = ts->free;

    if (!kinds[w->kind].first ||
        (kinds[w->kind].fd != ANY_FD &&
         (kinds[w->kind].fd == WITH_FD) != (w->fd != -1))) {
        if (w->fd != -1)
            close(w->fd);
        return -1;
    }
    ts->free = t->next;
    memset(t, 0, offsetof(struct task, handle_bytes));
    t->all = ts;
    t->kind = w->kind;
    t->tag = w->tag;
    t->fd = w->fd;
    take_words(t, w);
    if (!wire_is_whole(w)) {
        drop(t);
        return -1;
    }
    if (task_failed(t)) {
        task_end(t);
        return 0;
    }
    queue_put(&ts->waiting, t);
    ts->n_waiting++;
    return 0;
}

bool tasks_have_room(const struct tasks *ts)
{
    return ts->n_waiting < TASKS_WAITING && !answers_are_full(ts->answers);
}

/* ---- ask and hear -------------------------------------------------------- */

static void begin_waiting(struct tasks *ts)
{
    size_t most = ts->sftp->n_handles < TASKS_AT_WORK ? ts->sftp->n_handles
                                                      : TASKS_AT_WORK;

    while (ts->n_waiting && ts->n_at_work < most) {
        struct task *t = queue_take(&ts->waiting);

        ts->n_waiting--;
        ts->n_at_work++;
        task_go(t, kinds[t->kind].first);
    }
}

/* Each in its turn sends a few; who has more goes to the end of the queue. The
 * turns end when nobody sent anything. */
bool tasks_ask(struct tasks *ts)
{
    bool any = false;
    size_t idle = 0, n_queued = 0;

    begin_waiting(ts);
    for (struct task *t = ts->sending.first; t; t = t->next)
        n_queued++;
    while (n_queued && idle < n_queued &&
           sftp_has_room(ts->sftp, ROOM_OF_TURN)) {
        struct task *t = queue_take(&ts->sending);
        unsigned before = t->n_open;

        t->is_queued = false;
        t->all_sent = t->state->send(t);
        idle = t->n_open > before ? 0 : idle + 1;
        any = any || t->n_open > before;
        if (!t->all_sent) {
            t->is_queued = true;
            queue_put(&ts->sending, t);
        } else {
            n_queued--;
        }
    }
    return any;
}

void tasks_on_reply(const struct asked *a, struct reply *r)
{
    struct task *t = a->by.owner;

    t->n_open--;
    t->state->reply(t, a, r);
}

void tasks_init(struct tasks *ts, struct sftp *s, struct answers *a)
{
    /* Not the bytes of paths: pages that nobody touches are no memory. */
    memset(ts, 0, offsetof(struct tasks, slots));
    ts->sftp = s;
    ts->answers = a;
    queue_init(&ts->waiting);
    queue_init(&ts->sending);
    for (size_t i = TASKS_ALL; i-- > 0;) {
        memset(&ts->slots[i], 0, offsetof(struct task, handle_bytes));
        ts->slots[i].all = ts;
        ts->slots[i].fd = -1;
        ts->slots[i].next = ts->free;
        ts->free = &ts->slots[i];
    }
}

void tasks_close(struct tasks *ts)
{
    for (size_t i = 0; i < TASKS_ALL; i++) {
        if (ts->slots[i].fd != -1)
            close(ts->slots[i].fd);
        ts->slots[i].fd = -1;
    }
}
