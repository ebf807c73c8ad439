/*
 * task_read.c - FETCH: a file of the server into ours; LOOK: is it ours?
 *
 *   FETCH --> opening --handle--> reading --all came--> closing --> DONE
 *               ^                  ^ (its size was not known: measuring first)
 *   LOOK --> looking: absent, no file, another size: DONE
 *
 *   reading  FSTAT first, which has to show what was asked for, then READs,
 *            whose data may come in any order and in smaller pieces
 *   closing  FETCH: FSTAT again, which has to show the same; CLOSE
 *
 * What fails, or is not the same, is kept; no more is asked for, and when all
 * answers are there the handle is closed.
 */
#include "courier/task_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct task_state opening, measuring, reading, closing;

enum { BEFORE, DATA, AFTER, CLOSE };

/* ---- looking, opening ---------------------------------------------------- */

static bool send_look(struct task *t)
{
    task_ask_path(t, 0, FXP_LSTAT, t->path);
    return true;
}

static void on_look(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_STATUS) {
        task_fail_status(t, "look at", t->path, r);
    } else if (t->fd == -1) { /* whatever it is, it is there */
        task_end(t);
        return;
    } else if (r->attrs.has & ATTR_MODE && !attrs_is_file(&r->attrs)) {
        task_fail(t, OUTCOME_OTHER, "it is no file");
    } else if (r->attrs.has & ATTR_SIZE && r->attrs.size != t->size) {
        task_fail(t, OUTCOME_OTHER, "it has %llu bytes, ours %llu",
                  (unsigned long long)r->attrs.size,
                  (unsigned long long)t->size);
    }
    if (task_failed(t))
        task_end(t);
    else
        task_go(t, &opening);
}

static bool send_open(struct task *t)
{
    sftp_ask_open(t->all->sftp, task_asks(t, 0), t->path, FXF_READ);
    return true;
}

static void on_open(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_HANDLE) {
        task_take_handle(t, r);
        task_go(t, t->size == UINT64_MAX ? &measuring : &reading);
        return;
    }
    task_fail_status(t, "open", t->path, r);
    task_end(t);
}

/* ---- measuring, reading -------------------------------------------------- */

/* Is it what was listed? An attribute that the server does not tell is zero,
 * here as in the listing. */
static void take_before(struct task *t, const struct reply *r)
{
    enum outcome other = t->kind == WIRE_LOOK ? OUTCOME_OTHER : OUTCOME_CHANGED;

    if (r->type == FXP_STATUS) {
        task_fail_status(t, "look at", t->path, r);
        return;
    }
    t->seen = r->attrs;
    if (r->attrs.has & ATTR_MODE && !attrs_is_file(&r->attrs))
        task_fail(t, other, "it is no file");
    else if (!(r->attrs.has & ATTR_SIZE))
        task_fail(t, OUTCOME_REFUSED, "the server tells no size");
    else if (t->size != UINT64_MAX && r->attrs.size != t->size)
        task_fail(t, other, "it has %llu bytes, and not %llu",
                  (unsigned long long)r->attrs.size,
                  (unsigned long long)t->size);
    else if (r->attrs.size > INT64_MAX)
        task_fail(t, OUTCOME_LIMIT, "a size that no file has");
    else if (t->kind == WIRE_FETCH && t->mtime != UINT64_MAX &&
             r->attrs.mtime != t->mtime)
        task_fail(t, other, "it was changed since it was listed");
}

static bool send_measure(struct task *t)
{
    task_ask_handle(t, BEFORE, FXP_FSTAT);
    return true;
}

static void on_measure(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    take_before(t, r);
    t->size = t->seen.size;
    task_go(t, task_failed(t) || t->size == 0 ? &closing : &reading);
}

/* A file whose size only the server knows was looked at by `measuring`. */
static bool send_reads(struct task *t)
{
    struct sftp *s = t->all->sftp;

    if (!t->seen.has && t->step++ == 0)
        task_ask_handle(t, BEFORE, FXP_FSTAT);
    for (int i = 0; t->offset < t->size && !task_failed(t); i++) {
        uint64_t left = t->size - t->offset;
        uint32_t len = left < s->read_max ? (uint32_t)left : s->read_max;

        if (i == DATA_OF_TURN || !sftp_has_room_to_read(s, len))
            return false;
        sftp_ask_read(s, task_asks(t, DATA), t->handle, t->offset, len);
        t->offset += len;
    }
    return true;
}

static void keep_data(struct task *t, uint64_t offset, struct str data)
{
    while (data.len) {
        ssize_t n = pwrite(t->fd, data.p, data.len, (off_t)offset);

        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            task_fail_local(t, "write our file");
            return;
        }
        data = str_from(data, (size_t)n);
        offset += (size_t)n;
    }
}

static void compare_data(struct task *t, uint64_t offset, struct str data)
{
    static char ours[SFTP_CHUNK_MAX];
    ssize_t n;

    do
        n = pread(t->fd, ours, data.len, (off_t)offset);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        task_fail_local(t, "read our file");
    else if ((size_t)n != data.len)
        task_fail(t, OUTCOME_LOCAL, "our file is shorter than it was");
    else if (memcmp(ours, data.p, data.len) != 0)
        task_fail(t, OUTCOME_OTHER, "it has other bytes than ours");
}

static void take_data(struct task *t, const struct asked *a,
                      const struct reply *r)
{
    if (r->type == FXP_STATUS && r->code == FX_EOF) {
        task_fail(t, t->kind == WIRE_LOOK ? OUTCOME_OTHER : OUTCOME_CHANGED,
                  "it ends before its size");
        return;
    }
    if (r->type == FXP_STATUS) {
        task_fail_status(t, "read", t->path, r);
        return;
    }
    if (task_failed(t))
        return;
    if (t->kind == WIRE_LOOK)
        compare_data(t, a->offset, r->bytes);
    else
        keep_data(t, a->offset, r->bytes);
    if (!task_failed(t) && r->bytes.len < a->len) {
        t->n_open++;
        sftp_ask_rest(t->all->sftp, a, t->handle, (uint32_t)r->bytes.len);
    }
}

static void on_read(struct task *t, const struct asked *a, struct reply *r)
{
    if (a->by.what == BEFORE)
        take_before(t, r);
    else
        take_data(t, a, r);
    /* What failed asks for no more, even if it had not asked for all. */
    if (t->n_open == 0 && (t->all_sent || task_failed(t)))
        task_go(t, &closing);
}

/* ---- closing ------------------------------------------------------------- */

static bool send_close(struct task *t)
{
    if (!task_failed(t) && t->kind == WIRE_FETCH)
        task_ask_handle(t, AFTER, FXP_FSTAT);
    task_ask_handle(t, CLOSE, FXP_CLOSE);
    return true;
}

static void on_close(struct task *t, const struct asked *a, struct reply *r)
{
    if (a->by.what == AFTER) {
        if (r->type == FXP_STATUS)
            task_fail_status(t, "look again at", t->path, r);
        else if (r->attrs.size != t->seen.size ||
                 r->attrs.mtime != t->seen.mtime)
            task_fail(t, OUTCOME_CHANGED, "it was changed while it was read");
    }
    if (!task_is_over(t))
        return;
    t->number = task_failed(t) ? 0 : t->size;
    task_end(t);
}

static const struct task_state opening = { send_open, on_open };
static const struct task_state measuring = { send_measure, on_measure };
static const struct task_state reading = { send_reads, on_read };
static const struct task_state closing = { send_close, on_close };
const struct task_state task_fetch_first = { send_open, on_open };
const struct task_state task_look_first = { send_look, on_look };
