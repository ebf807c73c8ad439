/*
 * task_write.c - WRITE: a file of ours, new and complete.
 *
 *   opening --handle--> writing --all well--> DONE
 *      |  ^                |  \--size unclear--> checking --> DONE
 *      v  |                v                       |
 *    removing   (asking) clearing <----------------+
 *
 *   opening   EXCL: nobody else's file is written into
 *   removing  a leftover of ours has the name; once
 *   writing   data, fsync, FSTAT and CLOSE without waiting: the server does
 *             what is asked of one file in its order (draft, part 4.1)
 *   checking  a server that does not keep to that gave another size before all
 *             was written; after CLOSE it has to be right
 *   asking    a server that does not say why it refuses is asked how much space
 *             there is: OpenSSH calls a full disk FAILURE, like all else
 *   clearing  something failed: what is there takes nobody's space. Only here
 *             and in `removing` something is removed, and only what was made
 *             with EXCL, or has a name that is ours.
 */
#include "courier/task_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct task_state opening, removing, writing, checking, asking,
    clearing;

/* ---- opening, removing --------------------------------------------------- */

static bool send_open(struct task *t)
{
    sftp_ask_open(t->all->sftp, task_asks(t, 0), t->path,
                  FXF_WRITE | FXF_CREAT | FXF_EXCL);
    return true;
}

static void on_open(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_HANDLE) {
        task_take_handle(t, r);
        task_go(t, &writing);
        return;
    }
    task_fail_status(t, "create", t->path, r);
    /* There are servers that call a name that is there "not allowed". */
    if (!t->is_repeated && !task_is_absent(r))
        task_go(t, &removing);
    else
        task_end(t);
}

static bool send_remove(struct task *t)
{
    task_ask_path(t, 0, FXP_REMOVE, t->path);
    return true;
}

/* If there was nothing to remove, creating failed of something else. If there
 * is, and it cannot be removed, that says more than a plain refusal. */
static void on_remove(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    t->is_repeated = true;
    if (r->code == FX_OK) {
        task_forgive(t);
        task_go(t, &opening);
        return;
    }
    if (!task_is_absent(r) && t->failure.how == OUTCOME_REFUSED) {
        task_forgive(t);
        task_fail_status(t, "remove a leftover", t->path, r);
    }
    task_end(t);
}

/* ---- writing ------------------------------------------------------------- */

enum { DATA, SYNC, SIZE, CLOSE };

/* A piece of the file goes from the disk into the session's own buffer. */
static bool send_piece(struct task *t)
{
    struct sftp *s = t->all->sftp;
    uint64_t left = t->size - t->offset;
    uint32_t len = left < s->write_max ? (uint32_t)left : s->write_max;
    unsigned char *data;
    ssize_t n;

    if (!sftp_has_room_to_write(s, len))
        return false;
    data = sftp_write_begin(s, t->handle, t->offset, len);
    do
        n = pread(t->fd, data, len, (off_t)t->offset);
    while (n == -1 && errno == EINTR);
    if (n != (ssize_t)len) {
        sftp_write_drop(s);
        if (n == -1)
            task_fail_local(t, "read our file");
        else
            task_fail(t, OUTCOME_LOCAL, "our file is shorter than it was");
        return true;
    }
    sftp_write_end(s, task_asks(t, DATA), t->offset, len);
    t->offset += len;
    return true;
}

static bool send_data(struct task *t)
{
    for (int i = 0; t->offset < t->size && !task_failed(t); i++)
        if (i == DATA_OF_TURN || !send_piece(t))
            return false;
    if (!sftp_has_room(t->all->sftp, ROOM_OF_TURN))
        return false;
    if (!task_failed(t)) {
        if (t->all->sftp->version.extensions & EXT_FSYNC)
            sftp_ask_fsync(t->all->sftp, task_asks(t, SYNC), t->handle);
        task_ask_handle(t, SIZE, FXP_FSTAT);
    }
    task_ask_handle(t, CLOSE, FXP_CLOSE);
    return true;
}

static void take_size(struct task *t, const struct reply *r)
{
    if (r->type == FXP_ATTRS && r->attrs.has & ATTR_SIZE &&
        r->attrs.size == t->size)
        t->seen = r->attrs;
}

static bool can_ask_for_space(const struct task *t)
{
    return t->failure.how == OUTCOME_REFUSED &&
           t->all->sftp->version.extensions & EXT_STATVFS;
}

static void on_data(struct task *t, const struct asked *a, struct reply *r)
{
    static const char *const verbs[] = {
        [DATA] = "write", [SYNC] = "sync", [CLOSE] = "close"
    };

    if (a->by.what == SIZE)
        take_size(t, r); /* an error: looked at again by name */
    else if (r->code != FX_OK &&
             (a->by.what != SYNC || r->code != FX_OP_UNSUPPORTED))
        task_fail_status(t, verbs[a->by.what], t->path, r);
    if (!task_is_over(t))
        return;
    if (task_failed(t))
        task_go(t, can_ask_for_space(t) ? &asking : &clearing);
    else if (!(t->seen.has & ATTR_SIZE))
        task_go(t, &checking);
    else
        task_end(t);
}

/* ---- checking, asking, clearing
 * -------------------------------------------------- */

static bool send_look(struct task *t)
{
    task_ask_path(t, 0, FXP_LSTAT, t->path);
    return true;
}

static void on_look(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_STATUS)
        task_fail_status(t, "look at", t->path, r);
    else if (!(r->attrs.has & ATTR_SIZE))
        task_fail(t, OUTCOME_REFUSED, "the server tells no size");
    else if (r->attrs.size != t->size)
        task_fail(t, OUTCOME_REFUSED,
                  "%llu bytes were written, and the server has %llu",
                  (unsigned long long)t->size,
                  (unsigned long long)r->attrs.size);
    if (task_failed(t))
        task_go(t, &clearing);
    else
        task_end(t);
}

static bool send_ask(struct task *t)
{
    sftp_ask_space(t->all->sftp, task_asks(t, 0), t->path);
    return true;
}

/* Less is free than the file needs, beside what of it is there already: that
 * is reason enough. */
static void on_ask(struct task *t, const struct asked *a, struct reply *r)
{
    enum { BLOCK = 1, FREE = 4, N = 11 };
    uint64_t numbers[N], bytes;

    (void)a;
    if (r->type == FXP_EXTENDED_REPLY && reply_numbers(r, numbers, N) &&
        !__builtin_mul_overflow(numbers[BLOCK], numbers[FREE], &bytes) &&
        bytes < t->size) {
        char words[sizeof(t->failure.text)];

        memcpy(words, t->failure.text, sizeof(words));
        task_forgive(t);
        task_fail(t, OUTCOME_FULL, "%llu bytes are free: %.300s",
                  (unsigned long long)bytes, words);
    }
    task_go(t, &clearing);
}

static void on_clear(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    (void)r; /* the next WRITE removes it, too */
    task_end(t);
}

static const struct task_state opening = { send_open, on_open };
static const struct task_state removing = { send_remove, on_remove };
static const struct task_state writing = { send_data, on_data };
static const struct task_state checking = { send_look, on_look };
static const struct task_state asking = { send_ask, on_ask };
static const struct task_state clearing = { send_remove, on_clear };
const struct task_state task_write_first = { send_open, on_open };
