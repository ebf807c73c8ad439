#include "tests/crash/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/crash/look.h"

/* ---- reading ------------------------------------------------------------- */

/* Beside the flow, or in the repository's samples. */
static void set_from(const struct flow *f, char out[PATH_SIZE],
                     const char *from)
{
    if (strncmp(from, "samples/", 8) == 0)
        snprintf(out, PATH_SIZE, "%s", from);
    else
        snprintf(out, PATH_SIZE, "%.240s/%.255s", f->folder, from);
}

static void set_drop(struct flow *f, struct drop *d, const char *from,
                     const char *to)
{
    set_from(f, d->from, from);
    snprintf(d->to, sizeof(d->to), "%s", to);
}

/* The line behind its first word. */
static const char *rest_of(const char *line)
{
    line += strspn(line, " ");
    line += strcspn(line, " ");
    return line + strspn(line, " ");
}

/* What people do. */
static bool read_action(struct flow *f, const char *word, const char *line)
{
    static const char *const words[] = { "run", "ask", "put", "lose", "move" };
    struct action *x = &f->actions[f->n_actions];
    char a[256] = "", b[64] = "", c[64] = "";
    int what = 0;

    if (strcmp(word, "command") == 0) {
        f->by_hand = true;
        f->n_prepare = f->n_actions;
        snprintf(f->command, sizeof(f->command), "%.63s", rest_of(line));
        f->command[strcspn(f->command, "\n")] = '\0';
        return true;
    }
    while (what <= MOVE && strcmp(words[what], word) != 0)
        what++;
    if (what > MOVE || f->n_actions == MAX_LINES)
        return false;
    sscanf(rest_of(line), "%255s %63s %63s", a, b, c);
    x->what = what;
    if (what == RUN)
        snprintf(a, sizeof(a), "%.255s", rest_of(line));
    a[strcspn(a, "\n")] = '\0';
    if (what == PUT)
        set_from(f, x->a, a);
    else
        snprintf(x->a, sizeof(x->a), "%s", a);
    memcpy(x->b, b, sizeof(b));
    memcpy(x->c, c, sizeof(c));
    f->n_actions++;
    return true;
}

static bool read_line(struct flow *f, const char *word, const char *a,
                      const char *b)
{
    if (f->n_folders == MAX_LINES || f->n_outboxes == MAX_OUTBOXES ||
        f->n_before == MAX_LINES || f->n_drops == MAX_LINES ||
        f->n_expects == MAX_LINES || f->n_uses == MAX_LINES ||
        f->n_late == MAX_LATE)
        return false;
    if (strcmp(word, "folder") == 0) {
        snprintf(f->folders[f->n_folders++], 64, "%s", a);
    } else if (strcmp(word, "outbox") == 0) {
        f->outbox_new[f->n_outboxes] = strcmp(b, "new") == 0;
        snprintf(f->outboxes[f->n_outboxes++], 64, "%s", a);
    } else if (strcmp(word, "before") == 0) {
        set_drop(f, &f->before[f->n_before++], a, b);
    } else if (strcmp(word, "use") == 0) {
        snprintf(f->uses[f->n_uses++], 64, "%s", a);
    } else if (strcmp(word, "drop") == 0) {
        set_drop(f, &f->drops[f->n_drops++], a, b);
    } else if (strcmp(word, "expect") == 0 || strcmp(word, "result") == 0) {
        f->expects[f->n_expects].is_files = word[0] == 'r';
        snprintf(f->expects[f->n_expects].what, 64, "%s", a);
        f->expects[f->n_expects++].n = (unsigned)strtoul(b, NULL, 10);
    } else if (strcmp(word, "fresh") == 0) {
        f->fresh = true;
    } else if (strcmp(word, "again") == 0) {
        f->again = true;
    } else if (strcmp(word, "late") == 0) {
        set_drop(f, &f->late[f->n_late++], a, b);
    } else if (strcmp(word, "backup") == 0) {
        snprintf(f->backup, sizeof(f->backup), "%.63s", a);
    } else if (strcmp(word, "pairs") == 0) {
        f->pairs = true;
    } else if (strcmp(word, "unchanged") == 0) {
        f->unchanged = true;
    } else if (strcmp(word, "stays") == 0) {
        f->only_daemon = true;
    } else if (strcmp(word, "ends") == 0) {
        f->only_once = true;
    } else {
        return false;
    }
    return true;
}

void flow_load(struct flow *f, const char *folder)
{
    char path[2 * PATH_SIZE], line[1024], word[64], a[256], b[256];
    const char *slash = strrchr(folder, '/');
    FILE *in;

    *f = (struct flow){ 0 };
    snprintf(f->folder, sizeof(f->folder), "%s", folder);
    snprintf(f->name, sizeof(f->name), "%s", slash ? slash + 1 : folder);
    snprintf(path, sizeof(path), "%s/flow", folder);
    in = fopen(path, "r");
    if (!in)
        die("cannot read %s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), in)) {
        word[0] = a[0] = b[0] = '\0';
        sscanf(line, "%63s %255s %255s", word, a, b);
        if (word[0] && word[0] != '#' && !read_line(f, word, a, b) &&
            !read_action(f, word, line))
            die("%s: cannot use: %s", path, line);
    }
    fclose(in);
    if (!f->by_hand) {
        f->n_prepare = f->n_actions;
        snprintf(f->command, sizeof(f->command), "once");
    }
    f->n_ends = f->by_hand ? MAX_ENDS : 1;
    if (f->only_daemon)
        flow_by_daemon(f);
}

void flow_by_daemon(struct flow *f)
{
    char name[64];

    snprintf(name, sizeof(name), "run.%.59s", f->name);
    memcpy(f->name, name, sizeof(name));
    snprintf(f->command, sizeof(f->command), "run");
    f->stays = true;
}

/* ---- laying it out ------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
                                   { .tv_sec = FROZEN - 7200 } };
    struct bytes b = file_bytes(from);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd == -1 || write(fd, b.p, b.len) != (ssize_t)b.len)
        die("cannot write %s: %s", to, strerror(errno));
    futimens(fd, t);
    close(fd);
    free(b.p);
}

static void copy_configuration(const struct flow *f, const struct worker *w)
{
    char from[2 * PATH_SIZE], to[2 * PATH_SIZE];

    for (uint32_t i = 0; i <= f->n_uses; i++) {
        const char *name = i ? f->uses[i - 1] : "kervan.conf";
        const char *slash = strrchr(name, '/');

        snprintf(from, sizeof(from), "%s/%s", f->folder, name);
        snprintf(to, sizeof(to), "%s/%s", w->root, slash ? slash + 1 : name);
        copy_file(from, to);
    }
}

static bool is_well(const struct answer *a)
{
    return WIFEXITED(a->status) && WEXITSTATUS(a->status) <= 1;
}

/* As a command does that found a keeper at work, and had no patience. */
static void ask(const struct action *x, const struct worker *w)
{
    char path[2 * PATH_SIZE];
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;

    snprintf(path, sizeof(path), "%s/spool/state/ledger.db", w->root);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
                           "INSERT INTO request(at,what,job,arg) SELECT "
                           "taken_at,?,?,? FROM receipt LIMIT 1",
                           -1, &s, NULL) != SQLITE_OK)
        die("cannot ask: %s", sqlite3_errmsg(db));
    sqlite3_bind_text(s, 1, x->a, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, strtoll(x->b, NULL, 10));
    sqlite3_bind_text(s, 3, strcmp(x->c, "-") == 0 ? "" : x->c, -1,
                      SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_DONE || sqlite3_changes(db) != 1)
        die("cannot ask: %s", sqlite3_errmsg(db));
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* false: the command failed. */
static bool act(const struct action *x, enum receiver r, struct worker *w,
                uint64_t seed, struct answer *a)
{
    char path[2 * PATH_SIZE], to[2 * PATH_SIZE];
    struct worker other = worker_with(w, x->a);

    snprintf(path, sizeof(path), "%s/%s", w->root, x->a);
    snprintf(to, sizeof(to), "%s/%s", w->root, x->b);
    switch (x->what) {
    case RUN:
        worker_ready(&other, r, seed);
        *a = worker_run(&other);
        return is_well(a);
    case ASK:
        ask(x, w);
        break;
    case PUT:
        worker_drop_file(w, x->a, x->b, 5400);
        break;
    case LOSE:
        if (unlink(path) == -1) {
            tree_clear(path);
            if (rmdir(path) == -1)
                die("cannot remove %s: %s", path, strerror(errno));
        }
        break;
    case MOVE:
        if (rename(path, to) == -1)
            die("cannot move %s: %s", path, strerror(errno));
        break;
    }
    return true;
}

bool flow_go_on(const struct flow *f, enum receiver r, struct worker *w,
                uint64_t seed, struct answer *a)
{
    for (uint32_t i = f->n_prepare; i < f->n_actions; i++)
        if (!act(&f->actions[i], r, w, seed + i, a))
            return false;
    return true;
}

static void prepare(const struct flow *f, struct worker *w)
{
    struct worker once = worker_with(w, "once");
    struct answer a = { 0 };

    if (!f->fresh) {
        worker_ready(&once, LATER, 1);
        a = worker_run(&once);
    }
    for (uint32_t i = 0; is_well(&a) && i < f->n_prepare; i++)
        act(&f->actions[i], LATER, w, 100 + i, &a);
    if (!is_well(&a))
        die("flow %s: the program ends with status %x before any trouble; "
            "see %s",
            f->name, (unsigned)a.status, w->output);
}

static void lay_out(const struct flow *f, struct worker *w)
{
    char to[2 * PATH_SIZE];

    tree_clear(w->root);
    tree_clear(w->taken);
    w->page->n_inodes = w->page->n_outboxes = 0;
    for (uint32_t i = 0; i < f->n_folders; i++)
        make_folders(w->root, f->folders[i]);
    for (uint32_t i = 0; i < f->n_outboxes; i++)
        if (!f->outbox_new[i])
            make_folders(w->root, f->outboxes[i]);
    copy_configuration(f, w);
    for (uint32_t i = 0; i < f->n_before; i++) {
        snprintf(to, sizeof(to), "%s/%s", w->root, f->before[i].to);
        copy_file(f->before[i].from, to);
    }
    prepare(f, w);
    worker_drop(w, f);
    if (f->n_late)
        make_folders(w->root, "late");
    for (uint32_t i = 0; i < f->n_late; i++) {
        snprintf(to, sizeof(to), "late/%u", i);
        worker_drop_file(w, f->late[i].from, to, 1800 - (int64_t)i);
    }
}

/* ---- the undisturbed run ------------------------------------------------- */

/* What arrived when the command was repeated. */
static void add_finals(struct flow *f, enum receiver r, const struct end *e)
{
    char path[PATH_SIZE];

    for (uint32_t i = 0; i < e->tree.n; i++)
        listing_add(&f->finals[r], e->tree.files[i].path, 0,
                    e->tree.files[i].data);
    for (uint32_t i = 0; i < e->taken.n; i++) {
        const struct file *t = &e->taken.files[i];

        snprintf(path, sizeof(path), "%s/%.400s", f->outboxes[t->path[0] - '0'],
                 t->path + 2);
        listing_add(&f->finals[r], path, 0, t->data);
    }
}

/* Every file that has a final name at any moment, and those that lay there. */
static void find_finals(struct flow *f, enum receiver r, struct worker *w)
{
    const struct disk *d = &f->disk[r];
    struct listing before;

    list_tree(&before, f, w->root);
    f->finals[r] = before; /* more than is asked for */
    f->n_old[r] = before.n;
    for (uint32_t i = 0; i < d->n_steps; i++) {
        const struct step *s = &d->steps[i];
        char path[PATH_SIZE];

        if (s->op != OP_RENAME && s->op != OP_LINK)
            continue;
        for (uint32_t j = 0; j < f->n_outboxes; j++) {
            struct bytes data;

            if (s->dir2 != f->outbox_nodes[r][j])
                continue;
            data = disk_content(d, s->node, s->call);
            snprintf(path, sizeof(path), "%s/%s", f->outboxes[j],
                     d->names[s->name2]);
            make_equal(f, data.p, data.len);
            make_equal(f, (unsigned char *)path, strlen(path));
            listing_add(&f->finals[r], path, 0, data);
        }
    }
    for (uint32_t i = 0; i < f->n_ends; i++)
        add_finals(f, r, &f->ends[r][i]);
}

static void find_run_prefix(struct flow *f, const struct worker *w)
{
    char *text, *at;

    f->run_prefix[0] = '\0';
    text = ledger_text(f, w->root, "spool");
    at = strstr(text, "\nrun_id|");
    if (!at || sscanf(at, "\nrun_id|%6s", f->run_prefix) != 1)
        die("flow %s: no job was taken: %s", f->name, text);
    free(text);
}

static void check_archived(const struct flow *f, const struct listing *tree,
                           const struct drop *d)
{
    struct bytes b = file_bytes(d->from);
    bool found = false;

    for (uint32_t j = 0; j < tree->n; j++)
        found |= strncmp(tree->files[j].path, "spool/archive/", 14) == 0 &&
                 tree->files[j].data.len == b.len &&
                 memcmp(tree->files[j].data.p, b.p, b.len) == 0;
    if (!found)
        die("flow %s: undisturbed, %s is not in the archive", f->name, d->to);
    free(b.p);
}

static void check_expected(const struct flow *f, enum receiver r)
{
    for (uint32_t i = 0; i < f->n_expects; i++) {
        const char *what = f->expects[i].what, *p = f->ends[r][0].ledger;
        unsigned n = 0;
        char find[80];

        if (f->expects[i].is_files) {
            const struct listing *l = &f->ends[r][0].tree,
                                 *t = &f->ends[r][0].taken;

            for (uint32_t j = 0; j < l->n; j++)
                n += strncmp(l->files[j].path, what, strlen(what)) == 0 &&
                     l->files[j].path[strlen(what)] == '/' &&
                     l->files[j].path[strlen(what) + 1] != '\0';
            for (uint32_t j = 0; j < t->n; j++)
                n += strcmp(f->outboxes[t->files[j].path[0] - '0'], what) == 0;
        } else {
            snprintf(find, sizeof(find), "|%s|", what);
            while ((p = strstr(p, "\nreceipt|"))) {
                const char *end = strchr(++p, '\n'), *at = strstr(p, find);

                n += at && at < end;
            }
        }
        if (n != f->expects[i].n)
            die("flow %s: undisturbed, %u %s, expected %u:\n%s", f->name, n,
                what, f->expects[i].n, f->ends[r][0].ledger);
    }
    for (uint32_t i = 0; i < f->n_drops; i++)
        check_archived(f, &f->ends[r][0].tree, &f->drops[i]);
    for (uint32_t i = 0; i < f->n_late; i++)
        check_archived(f, &f->ends[r][0].tree, &f->late[i]);
}

/* Played back, the log must make the tree that the program made: else there
 * are calls that we do not see. */
static void check_log(const struct flow *f, enum receiver r, struct worker *w)
{
    const struct disk *d = &f->disk[r];
    struct verdict v = { 0 };
    struct state s;

    state_make(d, d->n_calls, EVERYTHING, &s);
    tree_clear(w->root);
    state_write(d, &s, w->root, w->page);
    state_free(d, &s);
    look_after(f, r, w, &v);
    if (v.wrong)
        die("flow %s: the recorded calls do not make what is there: %s",
            f->name, v.text);
}

/* The receiver has what he had before, and the disk is as it was. */
static void lay_again(const struct flow *f, enum receiver r, struct worker *w)
{
    struct state s;

    state_make(&f->disk[r], 0, EVERYTHING, &s);
    worker_lay(w, f, &f->disk[r], &s);
    state_free(&f->disk[r], &s);
}

static void run_command(const struct flow *f, enum receiver r, struct worker *w,
                        uint64_t seed, bool record)
{
    struct answer a;

    worker_ready(w, r, seed);
    w->page->record = record;
    a = worker_run(w);
    if (!is_well(&a))
        die("flow %s: undisturbed, the program ends with status %x; see %s",
            f->name, (unsigned)a.status, w->output);
}

/* All ends that a person may come to who repeats the command. */
static void find_ends(struct flow *f, enum receiver r, struct worker *w)
{
    struct answer a;

    if (!f->by_hand)
        f->ends[r][0] = f->after[r];
    for (uint32_t n = 1; f->by_hand && n <= f->n_ends; n++) {
        lay_again(f, r, w);
        for (uint32_t i = 0; i < n; i++)
            run_command(f, r, w, 2 + 1000 * i, false);
        if (!flow_go_on(f, r, w, 500, &a))
            die("flow %s: undisturbed, a command ends with status %x; see %s",
                f->name, (unsigned)a.status, w->output);
        f->ends[r][n - 1] = end_now(f, w);
    }
}

/* A command that looks leaves what it found. */
static void check_unchanged(struct flow *f, enum receiver r, struct worker *w)
{
    struct verdict v = { 0 };

    if (!f->unchanged)
        return;
    lay_again(f, r, w);
    look_after(f, r, w, &v);
    if (v.wrong)
        die("flow %s: it was to change nothing: %s", f->name, v.text);
}

static void find_outboxes(struct flow *f, enum receiver r,
                          const struct worker *w)
{
    const struct disk *d = &f->disk[r];

    for (uint32_t i = 0; i < f->n_outboxes; i++) {
        f->outbox_nodes[r][i] = UINT32_MAX;
        for (uint32_t j = 0; j < d->n_nodes; j++)
            if (w->page->outboxes[i].ino == d->nodes[j].ino)
                f->outbox_nodes[r][i] = j;
    }
}

void flow_record(struct flow *f, enum receiver r, struct worker *w)
{
    struct disk *d = &f->disk[r];

    w->command = f->command;
    w->stays = f->stays;
    lay_out(f, w);
    disk_scan(d, w->root, w->page);
    lay_again(f, r, w);
    f->run_prefix[0] = '\0';
    run_command(f, r, w, 2, true);
    disk_log(d, w->page);
    f->op_of_call[r] = must(calloc(d->n_calls + 2, 1));
    for (uint32_t i = 0; i < d->n_steps; i++)
        f->op_of_call[r][d->steps[i].call] = (uint8_t)(d->steps[i].op + 1);
    find_outboxes(f, r, w);
    find_run_prefix(f, w);
    f->after[r] = end_now(f, w);
    find_whole(&f->wholes[r][1], f, w);
    check_unchanged(f, r, w);
    check_log(f, r, w);
    find_ends(f, r, w);
    check_expected(f, r);
    lay_again(f, r, w);
    find_whole(&f->wholes[r][0], f, w);
    find_finals(f, r, w);
}
