#include "tests/crash/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/look.h"

/* ---- reading ------------------------------------------------------------- */

/* Beside the flow, or in the repository's samples. */
static void set_drop(struct flow *f, struct drop *d, const char *from,
                     const char *to)
{
    if (strncmp(from, "samples/", 8) == 0)
        snprintf(d->from, sizeof(d->from), "%s", from);
    else
        snprintf(d->from, sizeof(d->from), "%.240s/%s", f->folder, from);
    snprintf(d->to, sizeof(d->to), "%s", to);
}

static bool read_line(struct flow *f, const char *word, const char *a,
                      const char *b)
{
    if (f->n_folders == MAX_LINES || f->n_outboxes == MAX_OUTBOXES ||
        f->n_before == MAX_LINES || f->n_drops == MAX_LINES ||
        f->n_expects == MAX_LINES || f->n_uses == MAX_LINES)
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
    } else if (strcmp(word, "any-order") == 0) {
        f->any_order = true;
    } else if (strcmp(word, "pairs") == 0) {
        f->pairs = true;
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
        if (word[0] && word[0] != '#' && !read_line(f, word, a, b))
            die("%s: cannot use: %s", path, line);
    }
    fclose(in);
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

static void run_quietly(struct worker *w, const struct flow *f, uint64_t seed)
{
    struct answer a;

    worker_ready(w, LATER, seed);
    a = worker_run(w);
    if (!WIFEXITED(a.status) || WEXITSTATUS(a.status) > 1)
        die("flow %s: the program ends with status %x before any trouble; "
            "see %s",
            f->name, (unsigned)a.status, w->output);
}

static void lay_out(const struct flow *f, struct worker *w)
{
    char to[2 * PATH_SIZE];

    tree_clear(w->root);
    tree_clear(w->taken);
    w->page->n_inodes = 0;
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
    if (!f->fresh)
        run_quietly(w, f, 1);
    worker_drop(w, f);
}

/* ---- the undisturbed run ------------------------------------------------- */

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
}

static void find_run_prefix(struct flow *f, const struct worker *w)
{
    char *text, *at;

    f->run_prefix[0] = '\0';
    text = ledger_text(f, w->root);
    at = strstr(text, "\nrun_id|");
    if (!at || sscanf(at, "\nrun_id|%6s", f->run_prefix) != 1)
        die("flow %s: no job was taken: %s", f->name, text);
    free(text);
}

static void check_expected(const struct flow *f, enum receiver r)
{
    for (uint32_t i = 0; i < f->n_expects; i++) {
        const char *what = f->expects[i].what, *p = f->ledger[r];
        unsigned n = 0;
        char find[80];

        if (f->expects[i].is_files) {
            const struct listing *l = &f->tree[r], *t = &f->taken[r];

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
                what, f->expects[i].n, f->ledger[r]);
    }
    for (uint32_t i = 0; i < f->n_drops; i++) {
        struct bytes b = file_bytes(f->drops[i].from);
        bool found = false;

        for (uint32_t j = 0; j < f->tree[r].n; j++)
            found |=
                strncmp(f->tree[r].files[j].path, "spool/archive/", 14) == 0 &&
                f->tree[r].files[j].data.len == b.len &&
                memcmp(f->tree[r].files[j].data.p, b.p, b.len) == 0;
        if (!found)
            die("flow %s: undisturbed, %s is not in the archive", f->name,
                f->drops[i].to);
        free(b.p);
    }
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
    look_at_end(f, r, w, false, &v);
    if (v.wrong)
        die("flow %s: the recorded calls do not make what is there: %s",
            f->name, v.text);
}

void flow_record(struct flow *f, enum receiver r, struct worker *w)
{
    struct disk *d = &f->disk[r];
    struct state s;
    struct answer a;

    lay_out(f, w);
    disk_scan(d, w->root, w->page);
    state_make(d, 0, EVERYTHING, &s);
    worker_lay(w, f, d, &s);
    state_free(d, &s);
    f->run_prefix[0] = '\0';
    worker_ready(w, r, 2);
    w->page->record = true;
    a = worker_run(w);
    if (!WIFEXITED(a.status) || WEXITSTATUS(a.status) > 1)
        die("flow %s: undisturbed, the program ends with status %x; see %s",
            f->name, (unsigned)a.status, w->output);
    disk_log(d, w->page);
    f->op_of_call[r] = must(calloc(d->n_calls + 2, 1));
    for (uint32_t i = 0; i < d->n_steps; i++)
        f->op_of_call[r][d->steps[i].call] = (uint8_t)(d->steps[i].op + 1);
    for (uint32_t i = 0; i < f->n_outboxes; i++) {
        f->outbox_nodes[r][i] = UINT32_MAX;
        for (uint32_t j = 0; j < d->n_nodes; j++)
            if (w->page->outboxes[i].ino == d->nodes[j].ino)
                f->outbox_nodes[r][i] = j;
    }
    find_run_prefix(f, w);
    list_tree(&f->tree[r], f, w->root);
    list_taken(&f->taken[r], f, w->taken);
    f->ledger[r] = ledger_text(f, w->root);
    check_expected(f, r);
    check_log(f, r, w);
    state_make(d, 0, EVERYTHING, &s);
    worker_lay(w, f, d, &s);
    state_free(d, &s);
    find_finals(f, r, w);
}
