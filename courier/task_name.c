/*
 * task_name.c - RENAME, REMOVE, MAKE_FOLDER: what is done to names.
 *
 *   RENAME            looking --`to` is absent--> renaming --> checking -->
 * DONE with WIRE_REPLACE renaming --> checking --> DONE
 *
 *   looking    a name that is there: TAKEN
 *   renaming   posix-rename@openssh.com where offered: one rename(2), which is
 *              done or not, and over what is there. Else RENAME, which servers
 *              refuse when the name is there, and OpenSSH does in two steps, a
 *              link and an unlink. After an error:
 *   settling   both names are looked at. Ours under `to` alone: it is done.
 *              Under both, the same in all that the server tells: half of it is
 *              done, `finishing` removes the first name. Without our size
 *              nobody can know: TAKEN.
 *   replacing  WIRE_REPLACE, without posix-rename, and `to` is there: it is
 *              removed, then RENAME again. Not one step: who looks in between
 *              finds no file, and a line lost there leaves none.
 *   checking   the file has our size under its new name, or the receiver has
 *              taken it already
 *
 * Between looking and renaming somebody else may make the name: posix-rename
 * takes its place then. SFTP has no rename that asks.
 */
#include "courier/task_state.h"

static const struct task_state renaming, settling, finishing, replacing,
    checking;

enum { FROM, TO };

static bool size_is(const struct task *t, const struct attrs *a)
{
    return t->size != UINT64_MAX && a->has & ATTR_SIZE && a->size == t->size;
}

/* ---- looking, renaming --------------------------------------------------- */

static bool send_look(struct task *t)
{
    task_ask_path(t, TO, FXP_LSTAT, t->to);
    return true;
}

static void on_look(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (task_is_absent(r)) {
        task_go(t, &renaming);
        return;
    }
    if (r->type == FXP_STATUS)
        task_fail_status(t, "look at", t->to, r);
    else
        task_fail(t, OUTCOME_TAKEN, "there is a file of that name");
    task_end(t);
}

static bool send_rename(struct task *t)
{
    bool posix =
        !t->is_plain && t->all->sftp->version.extensions & EXT_POSIX_RENAME;

    t->is_plain = !posix;
    sftp_ask_rename(t->all->sftp, task_asks(t, 0), t->path, t->to, posix);
    return true;
}

static void on_rename(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->code == FX_OK && t->size == UINT64_MAX) {
        task_end(t);
    } else if (r->code == FX_OK) {
        task_go(t, &checking);
    } else if (!t->is_plain && r->code == FX_OP_UNSUPPORTED) {
        t->is_plain = true; /* it offered what it cannot do */
        task_go(t, &renaming);
    } else {
        task_fail_status(t, "rename", t->path, r);
        if (t->is_plain)
            task_go(t, &settling);
        else
            task_end(t);
    }
}

/* ---- settling ------------------------------------------------------------ */

static bool send_settle(struct task *t)
{
    task_ask_path(t, FROM, FXP_LSTAT, t->path);
    task_ask_path(t, TO, FXP_LSTAT, t->to);
    return true;
}

/* Two names of one file have all of this in common. */
static bool are_one(const struct attrs *a, const struct attrs *b)
{
    return a->has == b->has && a->size == b->size && a->mtime == b->mtime &&
           a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static void settle(struct task *t)
{
    bool ours = t->has_to && size_is(t, &t->to_is);

    if (!t->has_from && ours) {
        task_forgive(t);
        task_end(t);
    } else if (!t->has_from) {
        task_forgive(t);
        task_fail(t, t->has_to ? OUTCOME_OTHER : OUTCOME_ABSENT, "%s",
                  t->has_to ? "the file is gone, and another one has "
                              "its new name"
                            : "the file is gone");
        task_end(t);
    } else if (!t->has_to) {
        task_end(t); /* nothing was done: the server's words say why */
    } else if (!(t->flags & WIRE_REPLACE) && ours &&
               are_one(&t->from_is, &t->to_is)) {
        task_go(t, &finishing);
    } else if (t->flags & WIRE_REPLACE && !t->is_repeated) {
        task_go(t, &replacing);
    } else {
        task_forgive(t);
        task_fail(t, OUTCOME_TAKEN, "there is a file of that name");
        task_end(t);
    }
}

static void on_settle(struct task *t, const struct asked *a, struct reply *r)
{
    bool is_there = r->type == FXP_ATTRS;

    if (!is_there && !task_is_absent(r))
        t->step++; /* nobody knows: the server's first words stand */
    if (a->by.what == FROM) {
        t->has_from = is_there;
        t->from_is = r->attrs;
    } else {
        t->has_to = is_there;
        t->to_is = r->attrs;
    }
    if (!task_is_over(t))
        return;
    if (t->step)
        task_end(t);
    else
        settle(t);
}

/* ---- finishing, replacing, checking -------------------------------------- */

static bool send_remove_from(struct task *t)
{
    task_ask_path(t, FROM, FXP_REMOVE, t->path);
    return true;
}

static void on_finish(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->code == FX_OK || task_is_absent(r))
        task_forgive(t);
    task_end(t);
}

static bool send_remove_to(struct task *t)
{
    task_ask_path(t, TO, FXP_REMOVE, t->to);
    return true;
}

static void on_replace(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    task_forgive(t);
    if (r->code == FX_OK || task_is_absent(r)) {
        t->is_repeated = true;
        task_go(t, &renaming);
        return;
    }
    task_fail_status(t, "replace", t->to, r);
    task_end(t);
}

static void on_check(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->type == FXP_STATUS) {
        if (!task_is_absent(r)) /* absent: the receiver was quick */
            task_fail_status(t, "look at", t->to, r);
    } else if (!size_is(t, &r->attrs)) {
        task_fail(t, OUTCOME_OTHER,
                  "renamed, and then it has %llu bytes, and not %llu",
                  (unsigned long long)r->attrs.size,
                  (unsigned long long)t->size);
    }
    task_end(t);
}

/* ---- REMOVE, MAKE_FOLDER ------------------------------------------------- */

/* Only that very file: it is looked at first. */
static bool send_look_first(struct task *t)
{
    task_ask_path(t, 0, FXP_LSTAT, t->path);
    return true;
}

static const struct task_state removing;

static void on_look_first(struct task *t, const struct asked *a,
                          struct reply *r)
{
    (void)a;
    if (r->type == FXP_STATUS)
        task_fail_status(t, "look at", t->path, r);
    else if (r->attrs.size != t->size || r->attrs.mtime != t->mtime)
        task_fail(t, OUTCOME_CHANGED, "it is another file by now");
    if (task_failed(t))
        task_end(t);
    else
        task_go(t, &removing);
}

static bool send_remove(struct task *t)
{
    task_ask_path(t, 0, FXP_REMOVE, t->path);
    return true;
}

static void on_remove(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->code != FX_OK)
        task_fail_status(t, "remove", t->path, r);
    task_end(t);
}

static bool send_remove_first(struct task *t)
{
    return t->size == UINT64_MAX ? send_remove(t) : send_look_first(t);
}

static void on_remove_first(struct task *t, const struct asked *a,
                            struct reply *r)
{
    if (t->size == UINT64_MAX)
        on_remove(t, a, r);
    else
        on_look_first(t, a, r);
}

enum { MAKE, LOOK };

static bool send_make(struct task *t)
{
    task_ask_path(t, MAKE, FXP_MKDIR, t->path);
    return true;
}

static bool send_look_folder(struct task *t)
{
    task_ask_path(t, LOOK, FXP_STAT, t->path);
    return true;
}

/* Servers refuse to make what is there, each in other words. */
static void on_look_folder(struct task *t, const struct asked *a,
                           struct reply *r)
{
    (void)a;
    if (r->type == FXP_ATTRS && attrs_is_folder(&r->attrs))
        task_forgive(t);
    task_end(t);
}

static const struct task_state looking_folder = { send_look_folder,
                                                  on_look_folder };

static void on_make(struct task *t, const struct asked *a, struct reply *r)
{
    (void)a;
    if (r->code == FX_OK) {
        task_end(t);
        return;
    }
    task_fail_status(t, "make", t->path, r);
    task_go(t, &looking_folder);
}

static bool send_first(struct task *t)
{
    return t->flags & WIRE_REPLACE ? send_rename(t) : send_look(t);
}

static void on_first(struct task *t, const struct asked *a, struct reply *r)
{
    if (t->flags & WIRE_REPLACE)
        on_rename(t, a, r);
    else
        on_look(t, a, r);
}

static const struct task_state renaming = { send_rename, on_rename };
static const struct task_state settling = { send_settle, on_settle };
static const struct task_state finishing = { send_remove_from, on_finish };
static const struct task_state replacing = { send_remove_to, on_replace };
static const struct task_state checking = { send_look, on_check };
const struct task_state task_rename_first = { send_first, on_first };
static const struct task_state removing = { send_remove, on_remove };
const struct task_state task_remove_first = { send_remove_first,
                                              on_remove_first };
const struct task_state task_make_folder_first = { send_make, on_make };
