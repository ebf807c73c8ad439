#include "tests/crash/look.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

enum { RUN_ID = 10, RUN_PREFIX = 6, ID = 32 };

static void blame(struct verdict *v, enum wrong wrong, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first thing that is wrong is told. */
static void blame(struct verdict *v, enum wrong wrong, const char *fmt, ...)
{
    va_list ap;

    if (v->wrong)
        return;
    v->wrong = wrong;
    va_start(ap, fmt);
    vsnprintf(v->text, sizeof(v->text), fmt, ap);
    va_end(ap);
}

static sqlite3 *open_ledger(const char *root, const char *spool)
{
    char path[2 * PATH_SIZE];
    sqlite3 *db = NULL;

    snprintf(path, sizeof(path), "file:%s/%s/state/ledger.db?mode=ro%s", root,
             spool, "&immutable=1");
    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    return db;
}

/* ---- listings ------------------------------------------------------------ */

static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static size_t hex_run(const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < n &&
           ((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
        i++;
    return i;
}

void make_equal(const struct flow *f, unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t hex = hex_run(p + i, n - i);

        if (hex == ID)
            memset(p + i, 'H', ID);
        if (hex > RUN_ID) {
            i += hex - 1;
            continue;
        }
        if (n - i >= RUN_ID && f->run_prefix[0] &&
            memcmp(p + i, f->run_prefix, RUN_PREFIX) == 0 &&
            is_word(p[i + RUN_PREFIX]) && is_word(p[i + RUN_ID - 1])) {
            memset(p + i, 'R', RUN_ID);
            i += RUN_ID - 1;
        }
    }
}

void listing_add(struct listing *l, const char *path, uint32_t mode,
                 struct bytes data)
{
    l->files = grow(l->files, l->n, &l->cap, sizeof(*l->files));
    snprintf(l->files[l->n].path, PATH_SIZE, "%s", path);
    l->files[l->n].mode = mode;
    l->files[l->n++].data = data;
}

void listing_free(struct listing *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        free(l->files[i].data.p);
    free(l->files);
    *l = (struct listing){ 0 };
}

static int compare_files(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/*
 * Two files that arrive together may change their numbers after trouble; so
 * a job is named by its route and file.
 */
enum { MAX_JOBS = 32 };
static char jobs[MAX_JOBS][128];

static void read_jobs(const char *root)
{
    sqlite3_stmt *s = NULL;
    sqlite3 *db = open_ledger(root, "spool");
    int job;

    memset(jobs, 0, sizeof(jobs));
    if (sqlite3_prepare_v2(db, "SELECT job,route||'.'||name FROM receipt", -1,
                           &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            job = sqlite3_column_int(s, 0);
            if (job > 0 && job < MAX_JOBS)
                snprintf(jobs[job], sizeof(jobs[job]), "%s",
                         (const char *)sqlite3_column_text(s, 1));
        }
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* spool/archive/2026/01/31/17-x.csv or .../17/0/0.0 */
static void name_job(char at[PATH_SIZE])
{
    enum { BEFORE_JOB = sizeof("spool/archive/2026/01/31/") - 1 };
    char rest[PATH_SIZE], *end;
    unsigned long job;

    if (strncmp(at, "spool/archive/", 14) != 0 || strlen(at) <= BEFORE_JOB)
        return;
    job = strtoul(at + BEFORE_JOB, &end, 10);
    if (job == 0 || job >= MAX_JOBS || !jobs[job][0])
        return;
    snprintf(rest, sizeof(rest), "%s%s", jobs[job], end);
    snprintf(at + BEFORE_JOB, PATH_SIZE - BEFORE_JOB, "%.400s", rest);
}

/* Files beside a ledger that come and go with whoever reads it. */
static bool is_sqlites(const char *name)
{
    return strcmp(name, "ledger.db-wal") == 0 ||
           strcmp(name, "ledger.db-shm") == 0;
}

/* deep: all below it; else only files, and only those with final names. */
static void list_folder(struct listing *l, const struct flow *f,
                        const char *root, const char *below, bool deep)
{
    char path[2 * PATH_SIZE], at[PATH_SIZE];
    struct dirent *e;
    struct stat st;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s", root, below);
    dir = opendir(path);
    if (!dir && !deep && errno == ENOENT)
        return;
    if (!dir)
        die("cannot list %s: %s", path, strerror(errno));
    while ((e = readdir(dir))) {
        struct bytes data = { NULL, 0 };

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (!deep && e->d_name[0] == '.') || is_sqlites(e->d_name))
            continue;
        snprintf(at, sizeof(at), "%.250s%s%s", below, *below ? "/" : "",
                 e->d_name);
        snprintf(path, sizeof(path), "%s/%s", root, at);
        if (lstat(path, &st) == -1)
            die("cannot look at %s", path);
        if (S_ISDIR(st.st_mode)) {
            if (!deep)
                continue;
            list_folder(l, f, root, at, true);
            snprintf(at + strlen(at), sizeof(at) - strlen(at), "/");
        } else if (!strstr(at, "/state/")) {
            data = file_bytes(path);
            make_equal(f, data.p, data.len);
        }
        make_equal(f, (unsigned char *)at, strlen(at));
        name_job(at);
        listing_add(l, at, st.st_mode & 07777, data);
    }
    closedir(dir);
}

void list_tree(struct listing *l, const struct flow *f, const char *root)
{
    *l = (struct listing){ 0 };
    read_jobs(root);
    list_folder(l, f, root, "", true);
    qsort(l->files, l->n, sizeof(*l->files), compare_files);
}

/* By folder and name; of one name, in the order in which they came. */
static int compare_taken(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    int c = strcmp(x->path + 7, y->path + 7);

    return c ? c : strcmp(x->path, y->path);
}

void list_taken(struct listing *l, const struct flow *f, const char *taken)
{
    *l = (struct listing){ 0 };
    list_folder(l, f, taken, "", true);
    qsort(l->files, l->n, sizeof(*l->files), compare_taken);
    for (uint32_t i = 0; i < l->n; i++)
        memmove(l->files[i].path, l->files[i].path + 7,
                strlen(l->files[i].path + 7) + 1);
}

/* ---- the ledger ---------------------------------------------------------- */

static const char *const questions[] = {
    "PRAGMA quick_check",
    "SELECT 'claim',partner,folder,CAST(name AS TEXT),state,size,sha256,"
    "length(archive) FROM claim ORDER BY sha256,length(archive)",
    "SELECT 'receipt',route,name,state,size,sha256,n_read,n_written,"
    "n_aside,n_skipped,n_filtered,summary,coalesce(same_as,''),"
    "ended_at IS NOT NULL FROM receipt ORDER BY route,name,job",
    /* Of two snapshots, the older may be superseded or delivered first. */
    "SELECT 'delivery',r.route,r.name,kind,path,d.partner,d.folder,d.name,"
    "replace,CASE WHEN replace AND d.state='SUPERSEDED' THEN 'DELIVERED'"
    " ELSE d.state END,bytes,n_documents,d.sha256"
    " FROM delivery d JOIN receipt r USING(job)"
    " ORDER BY r.route,r.name,r.job,kind,path,d.partner,d.folder",
    "SELECT 'counter',name,value FROM counter WHERE name='job'"
    " OR name LIKE 'map/%' ORDER BY name",
    "SELECT 'run_id',min(run_id) FROM receipt",
    /* What was learnt, neither forgotten nor twice. */
    "SELECT 'doc',output,sender,document,number,unit,route,customer,state,"
    "as_number,action,content,refused,answer,receiver_number,status,series,"
    "invoice,reported<>'' FROM doc ORDER BY output,sender,document,number",
    "SELECT 'story',d.sender,d.document,d.number,s.what,s.text FROM story s"
    " JOIN doc d ON d.n=s.doc ORDER BY d.output,d.sender,d.document,d.number,"
    "s.n",
    "SELECT 'reserved',d.number,r.unit,sku,warehouse,quantity,counts FROM"
    " reserved r JOIN doc d ON d.n=r.doc ORDER BY 2,3,4,5,6",
    "SELECT 'card',unit,kind,key,code,name,hidden,by_job<>0 FROM card"
    " ORDER BY 2,3,4",
    "SELECT 'got',output,document,job=0,length(content) FROM got ORDER BY"
    " 2,3,4,5",
    "SELECT 'awaits',count(*) FROM awaits",
};

static void add_rows(sqlite3 *db, const char *sql, char **text, size_t *n)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const char *z = (const char *)sqlite3_column_text(s, i);
            size_t len = z ? strlen(z) : 0;

            *text = must(realloc(*text, *n + len + 2));
            memcpy(*text + *n, z ? z : "", len);
            *n += len;
            (*text)[(*n)++] = i + 1 < sqlite3_column_count(s) ? '|' : '\n';
            (*text)[*n] = '\0';
        }
    if (rc != SQLITE_OK) {
        *text = must(realloc(*text, *n + 500));
        *n += (size_t)snprintf(*text + *n, 500, "cannot ask: %s\n",
                               sqlite3_errmsg(db));
    }
    sqlite3_finalize(s);
}

char *ledger_text(const struct flow *f, const char *root, const char *spool)
{
    char *text = must(calloc(1, 1));
    sqlite3 *db = open_ledger(root, spool);
    size_t n = 0;

    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
        add_rows(db, questions[i], &text, &n);
    sqlite3_close(db);
    make_equal(f, (unsigned char *)text, n);
    return text;
}

/* ---- comparing ----------------------------------------------------------- */

static bool same_bytes(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (!a->len || memcmp(a->p, b->p, a->len) == 0);
}

static int outbox_of(const struct flow *f, const char *path)
{
    const char *slash = strrchr(path, '/');

    for (uint32_t i = 0;
         slash && slash[1] && slash[1] != '.' && i < f->n_outboxes; i++)
        if (strlen(f->outboxes[i]) == (size_t)(slash - path) &&
            memcmp(f->outboxes[i], path, (size_t)(slash - path)) == 0)
            return (int)i;
    return -1;
}

enum which { ALL, RESULTS, OTHERS };

/* It tells inodes, times and tries, which no two runs have in common. */
static bool is_manifest(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && strcmp(name, "/manifest") == 0;
}

static bool is_whole(const struct bytes *b)
{
    static const char end[] = "\nend\n";

    return b->len > strlen(end) &&
           memcmp(b->p + b->len - strlen(end), end, strlen(end)) == 0;
}

/* "HHHH 2 14 ...": the ledger, its last job, and its last event; a trouble
 * that was told is one more. */
static bool same_generation(const struct bytes *a, const struct bytes *b)
{
    const unsigned char *id = memchr(a->p, ' ', a->len), *job;
    size_t n;

    if (!id)
        return same_bytes(a, b);
    job = memchr(id + 1, ' ', a->len - (size_t)(id + 1 - a->p));
    n = job ? (size_t)(job - a->p) : a->len;
    return b->len > n && memcmp(a->p, b->p, n) == 0 && b->p[n] == ' ';
}

static bool is_generation(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && strcmp(name, "/generation") == 0;
}

/* What a job learnt, which the questions above compare, stands before its text.
 */
static struct bytes text_of_result(const struct bytes *b)
{
    unsigned char *text =
        b->len ? memmem(b->p, b->len, "verdict\t", strlen("verdict\t")) : NULL;
    size_t before = text ? (size_t)(text - b->p) : 0;

    return (struct bytes){ .p = b->p + before, .len = b->len - before };
}

static bool is_result(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && strcmp(name, "/result") == 0;
}

static bool same_content(const char *path, const struct bytes *want,
                         const struct bytes *got)
{
    if (is_manifest(path))
        return is_whole(got);
    if (is_generation(path))
        return same_generation(want, got);
    if (is_result(path)) {
        struct bytes a = text_of_result(want), b = text_of_result(got);

        return same_bytes(&a, &b);
    }
    return same_bytes(want, got);
}

/*
 * Two sorted lists. What lies in outboxes is looked at before the rest, for
 * that a file is lost says more than that the archive lacks one.
 */
static void compare(const struct listing *want, const struct listing *got,
                    const struct flow *f, enum which which, struct verdict *v)
{
    uint32_t i = 0, j = 0;

    while (i < want->n || j < got->n) {
        const struct file *w = i < want->n ? &want->files[i] : NULL;
        const struct file *g = j < got->n ? &got->files[j] : NULL;
        int c = !w ? 1 : !g ? -1 : strcmp(w->path, g->path);
        bool result =
            which == ALL || outbox_of(f, c <= 0 ? w->path : g->path) >= 0;

        i += c <= 0;
        j += c >= 0;
        if (which != ALL && result != (which == RESULTS))
            continue;
        if (c < 0)
            blame(v, result ? LOST_FILE : OTHERWISE, "missing: %s", w->path);
        else if (c > 0)
            blame(v, result ? DOUBLED : OTHERWISE, "too much: %s", g->path);
        else if (!same_content(w->path, &w->data, &g->data))
            blame(v, result ? HALF_WRITTEN : OTHERWISE,
                  "%s: other content (%zu bytes, expected %zu)", w->path,
                  g->data.len, w->data.len);
        else if (w->mode != g->mode)
            blame(v, OTHERWISE, "%s: mode %o, expected %o", w->path, g->mode,
                  w->mode);
    }
}

static void compare_text(const char *want, const char *got, struct verdict *v)
{
    while (*want || *got) {
        size_t n = strcspn(want, "\n"), m = strcspn(got, "\n");

        if (n != m || memcmp(want, got, n) != 0) {
            blame(v, OTHERWISE, "ledger: %.*s\n    expected %.*s", (int)m, got,
                  (int)n, want);
            return;
        }
        want += n + (want[n] == '\n');
        got += m + (got[m] == '\n');
    }
}

static bool is_final(const struct listing *finals, const char *path,
                     const struct bytes *data)
{
    for (uint32_t i = 0; i < finals->n; i++)
        if (strcmp(finals->files[i].path, path) == 0 &&
            same_bytes(&finals->files[i].data, data))
            return true;
    return false;
}

/* A name that may be replaced is never missing meanwhile. */
static void look_for_old(const struct flow *f, enum receiver r,
                         const struct listing *tree, struct verdict *v)
{
    for (uint32_t i = 0; r == LATER && i < f->n_old[r]; i++) {
        const struct file *old = &f->finals[r].files[i];
        uint32_t j = 0;

        if (outbox_of(f, old->path) < 0)
            continue;
        while (j < tree->n && strcmp(tree->files[j].path, old->path) != 0)
            j++;
        if (j == tree->n)
            blame(v, LOST_FILE, "before recovery: %s is not there", old->path);
    }
}

/* ---- backups ------------------------------------------------------------- */

void find_whole(struct end *e, const struct flow *f, const struct worker *w)
{
    char path[2 * PATH_SIZE];

    *e = (struct end){ 0 };
    snprintf(path, sizeof(path), "%s/%s/complete", w->root, f->backup);
    if (!f->backup[0] || access(path, F_OK) == -1)
        return;
    read_jobs(w->root);
    list_folder(&e->tree, f, w->root, f->backup, true);
    qsort(e->tree.files, e->tree.n, sizeof(*e->tree.files), compare_files);
    e->ledger = ledger_text(f, w->root, f->backup);
}

/* What is prepared, and what a newer one has in its archive, is no part. */
static bool is_beside(const char *path, const char *backup)
{
    path += strlen(backup) + 1;
    return strncmp(path, "new/", 4) == 0 || strncmp(path, "archive/", 8) == 0 ||
           strcmp(path, "lock") == 0 || strcmp(path, "complete.new") == 0;
}

/* Is it the one that we know? */
static void compare_wholes(const struct flow *f, const struct end *want,
                           const struct end *got, struct verdict *v)
{
    uint32_t j = 0;

    compare_text(want->ledger, got->ledger, v);
    for (uint32_t i = 0; i < want->tree.n; i++) {
        const struct file *x = &want->tree.files[i];

        for (; j < got->tree.n && strcmp(got->tree.files[j].path, x->path) < 0;
             j++)
            if (!is_beside(got->tree.files[j].path, f->backup))
                blame(v, OTHERWISE, "the backup has %s",
                      got->tree.files[j].path);
        if (j == got->tree.n || strcmp(got->tree.files[j].path, x->path) != 0)
            blame(v, HALF_WRITTEN, "the backup lacks %s", x->path);
        else if (!same_content(x->path, &x->data, &got->tree.files[j++].data))
            blame(v, HALF_WRITTEN, "the backup's %s has other content",
                  x->path);
    }
}

/* Whoever finds `complete` takes it for whole. */
static void look_at_backup(const struct flow *f, enum receiver r,
                           const struct worker *w, struct verdict *v)
{
    struct verdict old = { 0 }, new = { 0 };
    struct end e;

    find_whole(&e, f, w);
    if (!e.ledger)
        return;
    if (f->wholes[r][0].ledger)
        compare_wholes(f, &f->wholes[r][0], &e, &old);
    else
        old.wrong = OTHERWISE;
    if (old.wrong)
        compare_wholes(f, &f->wholes[r][1], &e, &new);
    if (new.wrong)
        blame(v, new.wrong, "there is `complete`, but %.900s; %.900s", old.text,
              new.text);
    listing_free(&e.tree);
    free(e.ledger);
}

/* ---- looking ------------------------------------------------------------- */

void look_now(const struct flow *f, enum receiver r, const struct worker *w,
              struct verdict *v)
{
    struct listing tree = { 0 }, taken;

    for (uint32_t i = 0; i < f->n_outboxes; i++)
        list_folder(&tree, f, w->root, f->outboxes[i], false);
    list_taken(&taken, f, w->taken);
    look_for_old(f, r, &tree, v);
    look_at_backup(f, r, w, v);
    for (uint32_t i = 0; i < tree.n; i++) {
        const struct file *g = &tree.files[i];

        if (outbox_of(f, g->path) >= 0 &&
            !is_final(&f->finals[r], g->path, &g->data) &&
            !is_final(&f->ends[r][0].tree, g->path, &g->data))
            blame(v, HALF_WRITTEN,
                  "before recovery: %s is not whole (%zu bytes)", g->path,
                  g->data.len);
    }
    for (uint32_t i = 0; i < taken.n; i++) {
        const struct file *g = &taken.files[i];
        char path[2 * PATH_SIZE];
        int outbox = g->path[0] - '0';

        snprintf(path, sizeof(path), "%s/%s", f->outboxes[outbox], g->path + 2);
        if (!is_final(&f->finals[r], path, &g->data))
            blame(v, HALF_WRITTEN,
                  "the receiver took %s, which is not whole (%zu bytes)", path,
                  g->data.len);
    }
    listing_free(&tree);
    listing_free(&taken);
}

static void compare_ends(const struct flow *f, const struct end *want,
                         const struct end *got, struct verdict *v)
{
    compare(&want->taken, &got->taken, f, ALL, v);
    compare(&want->tree, &got->tree, f, RESULTS, v);
    compare(&want->tree, &got->tree, f, OTHERS, v);
    compare_text(want->ledger, got->ledger, v);
}

struct end end_now(const struct flow *f, const struct worker *w)
{
    struct end e;

    list_tree(&e.tree, f, w->root);
    list_taken(&e.taken, f, w->taken);
    e.ledger = ledger_text(f, w->root, "spool");
    return e;
}

static void end_free(struct end *e)
{
    listing_free(&e->tree);
    listing_free(&e->taken);
    free(e->ledger);
}

void look_after(const struct flow *f, enum receiver r, const struct worker *w,
                struct verdict *v)
{
    struct end now = end_now(f, w);

    compare_ends(f, &f->after[r], &now, v);
    end_free(&now);
}

/* One of the ends will do; what the first would want is told. */
void look_at_end(const struct flow *f, enum receiver r, const struct worker *w,
                 struct verdict *v)
{
    struct end now = end_now(f, w);
    struct verdict first = { 0 };

    for (uint32_t i = 0; i < f->n_ends; i++) {
        struct verdict next = { 0 };

        compare_ends(f, &f->ends[r][i], &now, &next);
        if (i == 0)
            first = next;
        if (!next.wrong) {
            first = next;
            break;
        }
    }
    if (!v->wrong)
        *v = first;
    look_at_backup(f, r, w, v);
    end_free(&now);
}

/* Only what lies in the outboxes. */
static void keep_outboxes(struct listing *l, const struct flow *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->n; i++)
        if (outbox_of(f, l->files[i].path) >= 0)
            l->files[n++] = l->files[i];
        else
            free(l->files[i].data.p);
    l->n = n;
}

void look_again(const struct flow *f, enum receiver r, const struct worker *w,
                struct verdict *v)
{
    const struct listing *end = &f->ends[r][0].tree;
    struct listing tree, taken, want = { 0 };

    list_tree(&tree, f, w->root);
    list_taken(&taken, f, w->taken);
    compare(&f->ends[r][0].taken, &taken, f, ALL, v);
    keep_outboxes(&tree, f);
    for (uint32_t i = 0; i < end->n; i++)
        if (outbox_of(f, end->files[i].path) >= 0)
            listing_add(&want, end->files[i].path, end->files[i].mode,
                        end->files[i].data);
    compare(&want, &tree, f, RESULTS, v);
    if (v->wrong)
        return;
    free(want.files);
    listing_free(&tree);
    listing_free(&taken);
}
