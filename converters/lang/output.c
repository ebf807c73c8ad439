#include "converters/lang/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"

static bool fail(struct write_run *w, const char *what, struct str path)
{
    w->io_failed = true;
    err_sys(&w->err, ERR_RETRY, "%s %.*s", what, STR_ARGS(path));
    return false;
}

/* ---- names -------------------------------------------------------------- */

static bool is_forbidden(int32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || utf8_is_invisible(cp) ||
           (cp < 0x7f && strchr("/\\:*?\"<>|", cp));
}

/* Names that Windows keeps for its devices, with any suffix. */
static bool is_device(struct str s)
{
    static const char *const devices[] = { "CON", "PRN",    "AUX",
                                           "NUL", "CONIN$", "CONOUT$" };
    ptrdiff_t dot = str_find_char(s, '.');
    struct str base = str_trim(dot < 0 ? s : str_first(s, (size_t)dot));

    for (size_t i = 0; i < COUNT(devices); i++)
        if (str_eq_nocase(base, str_of(devices[i])))
            return true;
    return base.len == 4 && base.p[3] >= '0' && base.p[3] <= '9' &&
           (str_eq_nocase(str_first(base, 3), STR("COM")) ||
            str_eq_nocase(str_first(base, 3), STR("LPT")));
}

/*
 * A name that every file system and SFTP server takes: no separators, no
 * control characters, no leading dot, no closing dot or blank, no device; and
 * one that looks like no other. Characters of values are replaced, never
 * followed as a path.
 */
struct str output_safe_name(struct arena *a, struct str s)
{
    char *text, *p;
    size_t n = 0, pos = 0, from = 0;

    s = text_nfc(a, s);
    text = arena_text(a, s.len + 1);
    text[0] = '_'; /* used for devices only */
    p = text + 1;
    while (pos < s.len) {
        int32_t cp = utf8_next(s, &pos);

        pos += cp < 0; /* a byte of a file name may be anything */
        if (is_forbidden(cp))
            p[n++] = '_';
        else
            while (from < pos)
                p[n++] = s.p[from++];
        from = pos;
    }
    while (n && (p[n - 1] == '.' || p[n - 1] == ' '))
        n--;
    if (n && (p[0] == '.' || p[0] == '-' || p[0] == '~' || p[0] == ' '))
        p[0] = '_';
    return is_device((struct str){ p, n }) ? (struct str){ text, n + 1 }
                                           : (struct str){ p, n };
}

static struct place pieces_place(const struct map *m, const struct piece *p)
{
    for (; p; p = p->next)
        if (p->rule)
            return p->rule->at;
    return (struct place){ .src = m->src, .line = 1, .col = 1 };
}

static struct place file_place(const struct map *m)
{
    return pieces_place(m, m->file);
}

/* Every file of a run has its own. */
static struct str default_name(struct write_run *w)
{
    const struct map *m = w->map;
    struct str time =
        date_format(&w->values, w->run.info->run_time, STR("YYYYMMDD-hhmmss"));
    struct str number = STR("");

    if (m->per || m->per_n)
        number = arena_fmt(&w->values, "-%zu", w->n_outputs + 1);
    return arena_fmt(&w->values, "%s-%.*s-%.*s%.*s.%s", m->document->name,
                     STR_ARGS(time), STR_ARGS(w->run.info->run_id),
                     STR_ARGS(number),
                     m->format->suffixes ? m->format->suffixes[0] : "txt");
}

bool output_name(struct write_run *w, const char *option,
                 const struct piece *pieces, struct str *out)
{
    uint64_t max = w->limits->v[LIMIT_NAME];
    struct place at = pieces_place(w->map, pieces);
    struct str raw;

    if (!pieces)
        raw = default_name(w);
    else if (!eval_pieces(&w->run, pieces, &raw))
        return false;
    *out = output_safe_name(&w->own, raw);
    if (out->len > max)
        return RUN_FAULT(
            &w->run, LIMIT, at, NULL,
            arena_fmt(&w->values, "the file name \"%.*s\"", STR_ARGS(*out)),
            arena_fmt(&w->values, "%llu bytes", (unsigned long long)max),
            STR("name"));
    if (!out->len)
        return RUN_FAULT(&w->run, FILE_NAME, at, NULL,
                         arena_fmt(&w->values, "option %s", option), raw);
    return true;
}

/* orders.xml, orders-2.xml, ...: several files of N documents each. */
static struct str numbered(struct write_run *w, struct str name)
{
    size_t dot = name.len;

    if (w->map->per_n < 2)
        return name;
    while (dot > 0 && name.p[dot - 1] != '.')
        dot--;
    dot = dot ? dot - 1 : name.len;
    return arena_fmt(&w->own, "%.*s-%zu%.*s", (int)dot, name.p,
                     w->n_outputs + 1, (int)(name.len - dot), name.p + dot);
}

/* Windows does not tell A from a, nor Č from č. */
static struct str folded(struct write_run *w, struct str name)
{
    return text_lower(&w->own, name, STR(""));
}

static bool make_name(struct write_run *w, struct str *out)
{
    if (!output_name(w, "file", w->map->file, out))
        return false;
    if (textmap_find(&w->names, folded(w, *out)))
        *out = numbered(w, *out);
    if (textmap_find(&w->names, folded(w, *out)))
        return RUN_FAULT(&w->run, FILE_NAME_TWICE, file_place(w->map), NULL,
                         *out);
    return true;
}

/* ---- limits ------------------------------------------------------------- */

/* Whichever record it was, it is not wrong. */
bool output_over_limit(struct write_run *w, enum limit_id id, struct str what)
{
    const struct fault f = { .id = DIAG_LIMIT,
                             .map = file_place(w->map),
                             .cell = -1,
                             .field = -1,
                             .args = { what, limit_text(&w->own, w->limits, id),
                                       str_of(limit_table[id].name) } };

    w->io_failed = true;
    err_set(&w->err, ERR_REJECT, "%s", ""); /* the fault says it */
    w->fault(w->ctx, &f);
    return false;
}

/* May n more bytes be written? */
static bool has_room(struct write_run *w, uint64_t n)
{
    const uint64_t *max = w->limits->v;
    uint64_t all = w->total->outputs + n, base = max[LIMIT_OUTPUT_BASE];
    uint64_t ratio = max[LIMIT_OUTPUT_RATIO], input = w->total->input;

    if (all > max[LIMIT_OUTPUT])
        return output_over_limit(w, LIMIT_OUTPUT,
                                 STR("the size of all outputs"));
    if (all <= base || (input && ratio > UINT64_MAX / input) ||
        all - base <= ratio * input)
        return true;
    return output_over_limit(
        w, LIMIT_OUTPUT_RATIO,
        arena_fmt(&w->own,
                  "the size of all outputs, above the limit output-base of "
                  "%llu bytes, by the size of the input (%llu bytes),",
                  (unsigned long long)base, (unsigned long long)input));
}

bool output_room(struct write_run *w, uint64_t n)
{
    if (!has_room(w, n))
        return false;
    w->total->outputs += n;
    return true;
}

/* ---- finding and making outputs ----------------------------------------- */

static struct output *new_output(struct write_run *w, struct str key)
{
    struct output *o = arena_alloc(&w->own, sizeof(*o));

    if (!w->staging && w->n_outputs) {
        w->io_failed = true;
        err_set(&w->err, ERR_REJECT, "one file was expected");
        (void)run_fault(&w->run, DIAG_SEVERAL_FILES, file_place(w->map), NULL,
                        NULL, 0);
        return NULL;
    }
    if (w->n_outputs >= w->limits->v[LIMIT_OUTPUTS]) {
        (void)output_over_limit(w, LIMIT_OUTPUTS,
                                STR("the number of output files"));
        return NULL;
    }
    if (!make_name(w, &o->name))
        return NULL;
    if (w->staging)
        o->path = arena_fmt(&w->own, "%s/%u.%zu", w->staging, w->number,
                            w->n_outputs);
    o->key = arena_str(&w->own, key);
    if (w->n_outputs == w->cap_outputs) {
        w->cap_outputs = w->cap_outputs ? 2 * w->cap_outputs : 16;
        w->outputs =
            xrealloc(w->outputs, w->cap_outputs * sizeof(struct output *));
    }
    textmap_add(&w->names, folded(w, o->name), (uint32_t)w->n_outputs);
    if (w->map->per)
        textmap_add(&w->keys, o->key, (uint32_t)w->n_outputs);
    w->outputs[w->n_outputs++] = o;
    return o;
}

static bool output_key(struct write_run *w, struct str *key)
{
    struct val v;

    *key = STR("");
    if (!w->map->per)
        return true;
    if (!eval(&w->run, w->map->per, &v))
        return false;
    *key = val_str(&w->run, &v);
    return true;
}

struct output *output_for(struct write_run *w, bool *is_new)
{
    const struct map *m = w->map;
    struct output *last = w->n_outputs ? w->outputs[w->n_outputs - 1] : NULL;
    const uint32_t *known;
    struct str key;

    *is_new = true;
    if (m->per_n) {
        *is_new = !last || last->n_documents >= m->per_n;
        return *is_new ? new_output(w, STR("")) : last;
    }
    if (!m->per) {
        *is_new = !last;
        return last ? last : new_output(w, STR(""));
    }
    if (!output_key(w, &key))
        return NULL;
    known = textmap_find(&w->keys, key);
    *is_new = !known;
    return known ? w->outputs[*known] : new_output(w, key);
}

/* ---- buffers and descriptors -------------------------------------------- */

static bool write_out(struct write_run *w, struct output *o)
{
    struct slot *s = o->slot;
    size_t done = 0;

    if (!has_room(w, s->sink.out.len))
        return false;
    while (done < s->sink.out.len) {
        ssize_t n = write(s->fd, s->sink.out.p + done, s->sink.out.len - done);

        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return fail(w, "cannot write",
                        o->path.len ? o->path : STR("the output"));
    }
    o->bytes += done;
    w->n_bytes += done;
    w->total->outputs += done;
    s->sink.out.len = 0;
    return true;
}

static bool slot_open(struct write_run *w, struct slot *s, struct output *o)
{
    s->fd = w->out_fd;
    if (!o->path.len)
        return true;
    s->fd = open(o->path.p,
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    return s->fd != -1 || fail(w, "cannot open", o->path);
}

static bool slot_give_up(struct write_run *w, struct slot *s)
{
    struct output *o = s->owner;
    bool ok = true;

    if (!o)
        return true;
    ok = write_out(w, o);
    o->state = s->sink.state;
    if (o->path.len && close(s->fd) == -1 && ok)
        ok = fail(w, "cannot close", o->path);
    s->owner = NULL;
    o->slot = NULL;
    return ok;
}

/* A free slot, or the one that was used longest ago. */
static struct slot *find_slot(struct write_run *w)
{
    struct slot *oldest = &w->slots[0];

    for (size_t i = 0; i < w->n_slots; i++) {
        if (!w->slots[i].owner)
            return &w->slots[i];
        if (w->slots[i].used_at < oldest->used_at)
            oldest = &w->slots[i];
    }
    return oldest;
}

struct sink *output_sink(struct write_run *w, struct output *o)
{
    struct slot *s = o->slot;

    if (!s) {
        s = find_slot(w);
        if (!slot_give_up(w, s) || !slot_open(w, s, o))
            return NULL;
        s->owner = o;
        s->sink.state = o->state;
        o->slot = s;
    }
    s->used_at = ++w->clock;
    return &s->sink;
}

bool output_flush(struct write_run *w, struct output *o)
{
    return !o->slot || write_out(w, o);
}

void output_drop_last(struct write_run *w)
{
    struct output *o = w->outputs[--w->n_outputs];

    if (o->slot) {
        if (o->path.len) {
            close(o->slot->fd);
            (void)unlink(o->path.p);
        }
        o->slot->sink.out.len = 0;
        o->slot->owner = NULL;
    }
    textmap_drop_last(&w->names);
    if (w->map->per)
        textmap_drop_last(&w->keys);
}

bool outputs_close(struct write_run *w)
{
    bool ok = true;

    for (size_t i = 0; i < w->n_slots; i++)
        ok = slot_give_up(w, &w->slots[i]) && ok;
    return ok;
}

void outputs_forget(struct write_run *w)
{
    for (size_t i = 0; i < w->n_slots; i++) {
        struct slot *s = &w->slots[i];

        if (s->owner && s->owner->path.len)
            close(s->fd);
        s->owner = NULL;
        s->sink.out.len = 0;
    }
    for (size_t i = 0; i < w->n_outputs; i++)
        if (w->outputs[i]->path.len)
            (void)unlink(w->outputs[i]->path.p);
    w->n_outputs = 0;
    w->total->outputs -= w->n_bytes;
    w->n_bytes = 0;
    textmap_release(&w->names);
    textmap_release(&w->keys);
}
