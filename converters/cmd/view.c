#include "converters/cmd/view.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "converters/base/utf8.h"
#include "converters/cmd/cmd.h"
#include "spool/files.h"
#include "spool/generation.h"
#include "spool/keeper.h"
#include "spool/stamp.h"

/* ---- opening ------------------------------------------------------------ */

int view_failed(const struct err *e)
{
    fprintf(stderr, "kervan: %s\n", e->text);
    return EXIT_MACHINE;
}

static void print_diags(const struct diags *d)
{
    struct buf b;

    buf_init(&b, MB(64));
    if (cmd_globals.json)
        diags_print_json(d, &b);
    else
        diags_print(d, isatty(STDERR_FILENO), &b);
    if (b.len)
        fwrite(b.p, 1, b.len, stderr);
    buf_release(&b);
}

const char *view_conf_path(void)
{
    const char *path = conf_find(cmd_globals.conf);

    if (cmd_globals.conf || access(path, F_OK) == 0)
        return path;
    (void)cmd_usage(NULL,
                    "no configuration: there is neither ./kervan.conf nor %s; "
                    "-c FILE names another one",
                    path);
    return NULL;
}

/* Warnings are for `kervan check`: cron would mail them every minute. */
static int load_conf(struct conf *c, struct diags *diags, bool with_maps)
{
    const char *path = view_conf_path();
    struct err e;

    if (!path)
        return EXIT_USAGE;
    diags_init(diags, &c->arena, 0);
    if (conf_load(c, path, diags, &e) == -1) {
        fprintf(stderr, "kervan: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (with_maps && diags->n_errors == 0)
        conf_load_maps(c, diags);
    if (diags->n_errors)
        print_diags(diags);
    return diags->n_errors ? EXIT_USAGE : EXIT_DONE;
}

int view_conf(struct view *v, bool with_maps)
{
    return load_conf(&v->conf, &v->diags, with_maps);
}

int conf_print(struct conf *c, bool with_maps)
{
    struct diags diags;

    return load_conf(c, &diags, with_maps);
}

int view_any_ledger(struct view *v)
{
    struct err e;

    if (ledger_open(&v->ledger, keeper_ledger_path(&v->arena, &v->conf),
                    LEDGER_READ, &e) == -1)
        return view_failed(&e);
    return EXIT_DONE;
}

/* No ledger is no news, unless the spool has had one. */
int view_check_ledger(struct view *v, struct err *e)
{
    int fd = dir_open(v->conf.spool, STR("")), rc = 0;
    struct generation g;

    if (fd == -1)
        return 0; /* nothing was taken yet */
    if (v->ledger)
        rc = generation_check(fd, v->ledger, e);
    else if (generation_read(fd, &g, e) == 0 && g.is_there)
        rc = err_set(e, ERR_STOP, GENERATION_GONE);
    close(fd);
    return rc;
}

int view_ledger(struct view *v)
{
    int rc = view_any_ledger(v);
    struct err e;

    if (rc == EXIT_DONE && view_check_ledger(v, &e) == -1)
        rc = view_failed(&e);
    return rc;
}

static int open_keeper(struct view *v, struct keeper *k)
{
    struct err e;

    if (access(v->conf.spool, F_OK) == -1 && errno == ENOENT)
        return EXIT_DONE;
    if (keeper_reserve(k, &e) == -1)
        return view_failed(&e);
    return view_any_ledger(v);
}

int view_keeper(struct view *v, struct keeper *k)
{
    int rc = view_conf(v, false);
    struct err e;

    *k = (struct keeper){ .conf = &v->conf, .spool_fd = -1, .lock_fd = -1 };
    if (rc == EXIT_DONE)
        rc = open_keeper(v, k);
    if (rc == EXIT_DONE && !v->ledger && view_check_ledger(v, &e) == -1)
        rc = view_failed(&e);
    if (rc == EXIT_DONE && !v->ledger && !cmd_globals.json)
        puts("nothing was taken yet");
    return rc;
}

void view_keeper_close(struct view *v, struct keeper *k)
{
    if (k->conf)
        keeper_close(k);
    view_close(v);
}

void view_close(struct view *v)
{
    ledger_close(v->ledger);
    conf_free(&v->conf);
    arena_release(&v->arena);
}

/* ---- columns ------------------------------------------------------------ */

void table_row(struct text_table *t, const struct str *cells)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 32;
        struct str(*grown)[TABLE_COLUMNS] =
            arena_alloc(t->arena, cap * sizeof(*grown));

        if (t->n)
            memcpy(grown, t->rows, t->n * sizeof(*grown));
        t->rows = grown;
        t->cap = cap;
    }
    for (int i = 0; i < t->n_columns; i++) {
        struct buf b;

        buf_init(&b, 4096);
        show_text_max(&b, cells[i], SHOW_SENTENCE);
        t->rows[t->n][i] = arena_str(t->arena, buf_str(&b));
        buf_release(&b);
    }
    t->n++;
}

static void add_cell(struct buf *line, struct str s, size_t width, bool right)
{
    size_t have = utf8_count(s);
    size_t pad = have < width ? width - have : 0;

    if (line->len)
        buf_addz(line, "  ");
    for (size_t i = 0; right && i < pad; i++)
        buf_addc(line, ' ');
    buf_add(line, s);
    for (size_t i = 0; !right && i < pad; i++)
        buf_addc(line, ' ');
}

void table_print(const struct text_table *t)
{
    size_t width[TABLE_COLUMNS] = { 0 };
    struct buf line;

    buf_init(&line, MB(1));
    for (size_t r = 0; r < t->n; r++)
        for (int i = 0; i < t->n_columns; i++)
            if (utf8_count(t->rows[r][i]) > width[i])
                width[i] = utf8_count(t->rows[r][i]);
    for (size_t r = 0; r < t->n; r++) {
        buf_clear(&line);
        for (int i = 0; i < t->n_columns; i++)
            add_cell(&line, t->rows[r][i], width[i], t->right[i]);
        while (line.len && line.p[line.len - 1] == ' ')
            line.len--;
        printf("%.*s\n", STR_ARGS(buf_str(&line)));
    }
    buf_release(&line);
}

struct str number_text(struct arena *a, uint64_t n)
{
    return arena_fmt(a, "%llu", (unsigned long long)n);
}

struct str time_text(struct arena *a, int64_t t)
{
    char stamp[STAMP_LEN + 1];

    stamp_for_people(t, stamp);
    return t ? arena_str(a, str_of(stamp)) : STR("-");
}

struct str place_text(struct arena *a, const struct delivery *d)
{
    return arena_fmt(a, "%.*s%s%.*s%s%.*s", STR_ARGS(d->partner),
                     d->partner.len ? " " : "", STR_ARGS(d->folder),
                     d->folder.len ? "/" : "", STR_ARGS(d->name));
}

struct str arrival_text(struct view *v, const struct receipt *r, struct err *e)
{
    struct arena *a = &v->arena;
    const struct delivery *last = NULL, *waits = NULL;
    struct delivery *d;
    size_t n, n_files = 0, n_there = 0;

    /* These say by themselves what is wrong; no output waits for it. */
    if (r->state == RECEIPT_REJECTED || r->state == RECEIPT_SUPPRESSED)
        return r->why;
    if (ledger_deliveries(v->ledger, r->id, 0, a, &d, &n, e) == -1)
        return str_of(e->text);
    for (size_t i = 0; i < n; i++) {
        /* What others wait for says more than those who wait. */
        if (d[i].state != DELIVERY_DELIVERED && d[i].why.len &&
            (!waits || d[i].stage < waits->stage))
            waits = &d[i];
        if (d[i].kind != OUT_FILE)
            continue;
        if (last && str_eq(place_text(a, last), place_text(a, &d[i]))) {
            n_files--; /* it was sent once more */
            n_there -= last->state == DELIVERY_DELIVERED;
        }
        n_files++;
        n_there += d[i].state == DELIVERY_DELIVERED;
        last = &d[i];
    }
    if (waits)
        return arena_fmt(a, "%.*s: %.*s", STR_ARGS(place_text(a, waits)),
                         STR_ARGS(waits->why));
    if (r->why.len)
        return r->why;
    if (n_files == 0)
        return r->summary;
    if (n_files == 1 && n_there)
        return place_text(a, last);
    return arena_fmt(a, "%zu of %zu files delivered", n_there, n_files);
}

/* ---- JSON --------------------------------------------------------------- */

void json_init(struct json *j)
{
    buf_init(&j->out, MB(256));
    j->comma = false;
}

static void name(struct json *j, const char *name)
{
    if (j->comma)
        buf_addc(&j->out, ',');
    j->comma = true;
    if (name) {
        json_string(&j->out, str_of(name));
        buf_addc(&j->out, ':');
    }
}

void json_open(struct json *j, const char *n, char bracket)
{
    name(j, n);
    buf_addc(&j->out, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_addc(&j->out, bracket);
    j->comma = true;
}

void json_str(struct json *j, const char *n, struct str s)
{
    name(j, n);
    json_string(&j->out, s);
}

void json_num(struct json *j, const char *n, uint64_t value)
{
    name(j, n);
    buf_addf(&j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, const char *n, bool yes)
{
    name(j, n);
    buf_addz(&j->out, yes ? "true" : "false");
}

void json_time(struct json *j, const char *n, int64_t t)
{
    char stamp[STAMP_LEN + 1];

    stamp_of(t, stamp);
    name(j, n);
    if (t)
        json_string(&j->out, str_of(stamp));
    else
        buf_addz(&j->out, "null");
}

void json_end(struct json *j)
{
    buf_addc(&j->out, '\n');
    fwrite(j->out.p, 1, j->out.len, stdout);
    buf_release(&j->out);
    j->comma = false;
}

void json_receipt(struct json *j, const struct receipt *r)
{
    json_num(j, "job", r->job);
    json_str(j, "id", str_of(r->id));
    json_str(j, "route", r->route);
    json_str(j, "from", r->partner);
    json_str(j, "file", r->name);
    json_num(j, "bytes", r->size);
    json_str(j, "sha256", str_of(r->sha256));
    json_str(j, "state", str_of(receipt_state_names[r->state]));
    json_str(j, "why", r->why);
    json_str(j, "summary", r->summary);
    json_time(j, "taken", r->taken_at);
    json_time(j, "converted", r->converted_at);
    json_time(j, "ended", r->ended_at);
    json_time(j, "next_try", r->state == RECEIPT_TAKEN ? r->retry_at : 0);
    json_num(j, "read", r->n.n_read);
    json_num(j, "written", r->n.n_written);
    json_num(j, "set_aside", r->n.n_aside);
    json_num(j, "skipped", r->n.n_skipped);
    json_num(j, "filtered", r->n.n_filtered);
    json_num(j, "warnings", r->n.n_warnings);
    json_bool(j, "test", r->test);
    json_bool(j, "full", r->full);
    if (r->only.len)
        json_str(j, "only", r->only);
    if (r->same_as)
        json_num(j, "same_as", r->same_as);
}

void json_delivery(struct json *j, const struct delivery *d)
{
    static const char *const kinds[N_OUT_KINDS] = { "file", "report",
                                                    "original", "faulty" };

    json_open(j, NULL, '{');
    json_num(j, "job", d->job);
    json_str(j, "kind", str_of(kinds[d->kind]));
    json_str(j, "to", d->partner);
    json_str(j, "folder", d->folder);
    json_str(j, "name", d->name);
    json_str(j, "state", str_of(delivery_state_names[d->state]));
    json_str(j, "why", d->why);
    json_num(j, "bytes", d->bytes);
    json_num(j, "documents", d->n_documents);
    json_str(j, "sha256", str_of(d->sha256));
    json_time(j, "delivered", d->delivered_at);
    json_bool(j, "by_absence", d->by_absence);
    json_close(j, '}');
}

void title_line(const char *title, struct str value)
{
    if (value.len)
        printf("%-10s %.*s\n", title, STR_ARGS(value));
}

struct str shown_text(struct arena *a, struct str s)
{
    struct buf b;
    struct str out;

    buf_init(&b, 4096);
    show_text_max(&b, s, SHOW_SENTENCE);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}
