/*
 * task_list.c - LIST: all names of a folder, or an error.
 *
 *   opening --handle--> listing --end--> closing --> DONE
 *
 * Several READDIRs are under way, more as the folder proves to be large. The
 * end is the first EOF. An error before it voids the listing; those that were
 * asked after it may say what they like.
 *
 * A name that cannot be one in that folder is told as it is, in so far as it
 * fits, and as WIRE_ODD whatever the server calls it: one that is empty, has a
 * slash or a NUL, or more than LIST_NAME bytes. Whether one that is possible
 * can be used is the keeper's business. "." and ".." are left out.
 */
#include "courier/task_state.h"

static const struct task_state listing, closing;

static bool send_open(struct task *t)
{
    task_ask_path(t, 0, FXP_OPENDIR, t->path);
    return true;
}

static void on_open(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_HANDLE) {
        task_take_handle(t, r);
        t->end_at = UINT64_MAX;
        t->offset = 2; /* READDIRs that may be under way */
        task_go(t, &listing);
        return;
    }
    task_fail_status(t, "list", t->path, r);
    task_end(t);
}

/* ---- listing ------------------------------------------------------------- */

static bool has_ended(const struct task *t)
{
    return t->end_at != UINT64_MAX || task_failed(t);
}

static bool send_list(struct task *t)
{
    while (!has_ended(t) && t->n_open < t->offset) {
        if (answers_are_full(t->all->answers) ||
            !sftp_has_room(t->all->sftp, 1))
            return false;
        sftp_ask_handle(t->all->sftp, task_asks(t, 0), FXP_READDIR, t->handle,
                        t->step++);
    }
    return true;
}

static bool can_be(struct str name)
{
    return name.len > 0 && name.len <= LIST_NAME &&
           !memchr(name.p, '/', name.len) && !memchr(name.p, '\0', name.len);
}

/* Servers that tell no mode tell it in the long name, like ls -l. */
static unsigned kind_of(const struct entry *e)
{
    bool has_mode = e->attrs.has & ATTR_MODE;

    if (!can_be(e->name))
        return WIRE_ODD;
    if (has_mode ? attrs_is_folder(&e->attrs)
                 : str_starts(e->longname, STR("d")))
        return WIRE_FOLDER;
    return e->attrs.has & ATTR_SIZE &&
                   (has_mode ? attrs_is_file(&e->attrs)
                             : str_starts(e->longname, STR("-")))
               ? WIRE_PLAIN
               : WIRE_ODD;
}

/* NAMES begins with how many there are, which is known at its end. */
static void send_names(struct task *t, uint64_t n)
{
    struct wire *w = &t->all->wire;
    size_t len = w->len;

    if (n == 0)
        return;
    wire_begin(w, WIRE_NAMES, t->tag);
    wire_put(w, n);
    w->len = len;
    answers_put(t->all->answers, w);
}

static void begin_names(struct task *t)
{
    wire_begin(&t->all->wire, WIRE_NAMES, t->tag);
    wire_put(&t->all->wire, 0);
}

static void take_names(struct task *t, struct reply *r)
{
    enum { NUMBERS = 4 * 8 };
    struct wire *w = &t->all->wire;
    struct entry e;
    uint64_t n = 0;

    begin_names(t);
    while (reply_name(r, &e)) {
        struct str name = str_first(e.name, LIST_NAME);

        if (str_is(e.name, ".") || str_is(e.name, ".."))
            continue;
        if (!wire_has_room(w, name.len + NUMBERS)) {
            send_names(t, n);
            begin_names(t);
            n = 0;
        }
        wire_put_str(w, name);
        wire_put(w, e.attrs.size);
        wire_put(w, e.attrs.mtime);
        wire_put(w, kind_of(&e));
        n++;
        t->n_entries++;
    }
    send_names(t, n);
}

static void on_names(struct task *t, struct reply *r)
{
    struct str folder = str_first(t->path, 150);

    t->bytes += r->names.len;
    if (r->n_names == 0)
        task_fail(t, OUTCOME_REFUSED, "the server lists, and gives no name");
    else if (t->bytes > LIST_BYTES)
        task_fail(t, OUTCOME_LIMIT, "more than %d MiB of names in %.*s",
                  LIST_BYTES / 1024 / 1024, STR_ARGS(folder));
    if (task_failed(t))
        return;
    take_names(t, r);
    if (t->n_entries > LIST_ENTRIES)
        task_fail(t, OUTCOME_LIMIT, "more than %d names in %.*s", LIST_ENTRIES,
                  STR_ARGS(folder));
    t->offset = t->offset * 2 < LIST_ASKED ? t->offset * 2 : LIST_ASKED;
}

static void on_list(struct task *t, const struct asked *a, struct reply *r)
{
    if (r->type == FXP_NAME) {
        if (!task_failed(t))
            on_names(t, r);
    } else if (r->code == FX_EOF) {
        if (a->offset < t->end_at)
            t->end_at = a->offset;
    } else if (a->offset < t->end_at) {
        task_fail_status(t, "list", t->path, r);
    }
    if (!has_ended(t))
        task_wake(t);
    else if (t->n_open == 0)
        task_go(t, &closing);
}

/* ---- closing ------------------------------------------------------------- */

static bool send_close(struct task *t)
{
    task_ask_handle(t, 0, FXP_CLOSE);
    return true;
}

static void on_close(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    (void)r; /* nothing was written */
    t->number = task_failed(t) ? 0 : t->n_entries;
    task_end(t);
}

static const struct task_state listing = { send_list, on_list };
static const struct task_state closing = { send_close, on_close };
const struct task_state task_list_first = { send_open, on_open };
