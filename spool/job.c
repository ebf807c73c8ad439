#include "spool/job_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/hash.h"
#include "converters/base/utf8.h"
#include "converters/document/frame.h"
#include "converters/lang/write_run.h"
#include "converters/trade/rules.h"
#include "spool/docfile.h"
#include "spool/facts.h"
#include "spool/job_result.h"
#include "spool/job_zip.h"

/* ---- faults ------------------------------------------------------------- */

const struct source *job_source_at(const struct job *j, uint32_t member)
{
    return member < j->n_sources ? &j->sources[member].source : NULL;
}

static void count_level(struct job *j, enum diag_id id)
{
    if (diag_table[id].level == DIAG_WARNING)
        j->out->n_warnings++;
}

static const struct doc *document_of(const struct doc *d)
{
    while (d && d->parent)
        d = d->parent;
    return d;
}

/* By the number that its sender gave it, without the prefix of the route. Of
 * one that has waited on disk that is not known any more. */
static struct str document_name(const struct job *j, const struct doc *d)
{
    const struct trade *t = &j->trade;
    struct str prefix, number;

    if (d != j->current || !t->number.len)
        return doc_label(&j->out->arena, d);
    prefix = prefix_of(t->site->conf);
    number = doc_text(d, t->number_field);
    if (!prefix.len || number.len != prefix.len + t->number.len ||
        !str_starts(number, prefix) || !str_ends(number, t->number))
        return doc_label(&j->out->arena, d);
    return arena_fmt(&j->out->arena, "%s %.*s", d->shape->level->name,
                     STR_ARGS(t->number));
}

/* "order 100482, line 3" */
static struct str record_name(const struct job *j, const struct doc *d)
{
    struct str name = document_name(j, document_of(d));
    struct arena *a = &j->out->arena;
    uint32_t n = 1;

    if (!d->parent)
        return name;
    for (int i = 0; i < d->parent->shape->n_lists; i++) {
        n = 1;
        for (const struct doc *m = d->parent->lists[i].first; m; m = m->next) {
            if (m == d)
                return arena_fmt(a, "%.*s, %s %u", STR_ARGS(name),
                                 d->shape->level->name, n);
            n++;
        }
    }
    return name;
}

/* A fault that a write map, the filter or a computed value raised. */
void job_add_fault(struct job *j, enum diag_id id, struct place map,
                   const struct str *args, size_t n_args, const struct doc *d,
                   int field)
{
    struct place at = { 0 };
    struct diag *g;

    count_level(j, id);
    if (diag_is_enough(&j->out->diags, id, map))
        return;
    if (d) {
        at.src = job_source_at(j, document_of(d)->member);
        at.line = d->line;
    }
    g = diag_add(&j->out->diags, id, at, args, n_args);
    if (!g)
        return;
    g->map = map;
    if (d) {
        g->record = record_name(j, d);
        locate_add(&j->places, d, field, g);
    }
}

void job_write_fault(void *ctx, const struct fault *f)
{
    struct job *j = ctx;

    job_add_fault(j, f->id, f->map, f->args, DIAG_ARGS,
                  f->doc ? f->doc : j->current, f->field);
}

static void on_filter_fault(void *ctx, const struct fault *f)
{
    struct job *j = ctx;

    job_add_fault(j, f->id, f->map, f->args, DIAG_ARGS, j->current, -1);
}

static int document_field(const struct doc *d, const char *name)
{
    const struct field_spec *f = d->shape->level->fields;

    for (int i = 0; f[i].name; i++)
        if (strcmp(f[i].name, name) == 0)
            return i;
    return -1;
}

static void on_differ(void *ctx, const struct doc *d, const char *name,
                      struct str given, struct str computed)
{
    struct job *j = ctx;

    job_add_fault(j, DIAG_TOTALS_DIFFER, (struct place){ 0 },
                  (const struct str[]){ str_of(name), given, computed }, 3, d,
                  document_field(d, name));
}

/* ---- frames ------------------------------------------------------------- */

/* A ZIP has so many members at most; one more is a fault of the ZIP. */
static uint64_t max_sources(const struct job *j)
{
    return j->spec->n_inputs * (j->spec->limits->v[LIMIT_ZIP_ENTRIES] + 1);
}

/* u32 length of the member's name, which ends the whole name */
static bool on_member(struct job *j, struct str payload)
{
    struct job_source *s;
    struct str name;
    uint32_t len;

    if (payload.len < sizeof(len) || payload.len > MAX_SOURCE_NAME ||
        j->n_sources >= max_sources(j))
        return false;
    memcpy(&len, payload.p, sizeof(len));
    name = arena_str(&j->out->arena, str_from(payload, sizeof(len)));
    if (len > name.len)
        return false;
    if (j->n_sources == j->cap_sources) {
        struct job_source *wider;

        /* Places point into the old array: it stays. */
        j->cap_sources = j->cap_sources ? 2 * j->cap_sources : 64;
        wider = arena_alloc(&j->out->arena, j->cap_sources * sizeof(*wider));
        for (uint32_t i = 0; i < j->n_sources; i++)
            wider[i] = j->sources[i];
        j->sources = wider;
    }
    s = &j->sources[j->n_sources++];
    s->source.name = name;
    s->member = str_from(name, name.len - len);
    s->file = str_first(name, len ? name.len - len - 1 : name.len);
    return true;
}

/* A reader that lies only moves a limit below the one that always holds. */
static bool on_size(struct job *j, struct str payload)
{
    uint64_t size;

    if (payload.len != sizeof(size))
        return false;
    memcpy(&size, payload.p, sizeof(size));
    if (size > j->spec->limits->v[LIMIT_ZIP_ENTRY])
        return false;
    j->total.input += size;
    return true;
}

static bool take_text(struct str *rest, uint32_t len, struct str *out)
{
    if (len > rest->len)
        return false;
    *out = str_first(*rest, len);
    *rest = str_from(*rest, len);
    return true;
}

/* The file ends where it should go on: somebody may still be sending it. */
static bool is_truncation(const struct fault_frame *f)
{
    return f->fatal &&
           (f->id == DIAG_FILE_TRUNCATED || f->id == DIAG_CSV_OPEN_QUOTE ||
            f->id == DIAG_CHARSET_CUT);
}

/* Everything in a fault frame is the reader's word: checked before use. */
static bool on_fault(struct job *j, struct str payload)
{
    const struct map *m = j->spec->read;
    struct str args[DIAG_ARGS], record;
    struct place map = { 0 };
    struct fault_frame f;
    struct diag *g;

    if (payload.len < sizeof(f))
        return false;
    memcpy(&f, payload.p, sizeof(f));
    payload = str_from(payload, sizeof(f));
    if (f.id >= N_DIAGS || f.source > m->n_sources)
        return false;
    for (int i = 0; i < DIAG_ARGS; i++)
        if (!take_text(&payload, f.args[i], &args[i]))
            return false;
    if (!take_text(&payload, f.record, &record))
        return false;
    j->failed = j->failed || f.fatal;
    j->out->truncated = j->out->truncated || is_truncation(&f);
    count_level(j, (enum diag_id)f.id);
    if (f.source)
        map = (struct place){ m->sources[f.source - 1], f.map_line, f.map_col,
                              f.map_len };
    if (diag_is_enough(&j->out->diags, (enum diag_id)f.id, map))
        return true;
    g = diag_add(&j->out->diags, (enum diag_id)f.id,
                 (struct place){ .src = job_source_at(j, f.member),
                                 .line = f.line,
                                 .col = f.col },
                 args, DIAG_ARGS);
    if (!g)
        return true;
    g->map = map;
    if (record.len)
        g->record = arena_str(&j->out->arena, record);
    return true;
}

static bool on_end(struct job *j, struct str payload)
{
    const struct map *m = j->spec->read;
    struct end_frame e;
    size_t n = (size_t)m->n_reasons;

    if (payload.len != sizeof(e) + n * sizeof(uint64_t))
        return false;
    memcpy(&e, payload.p, sizeof(e));
    if (e.n_documents != j->out->n_read || (j->attached.receiving && !e.failed))
        return false;
    j->ended = true;
    j->failed = j->failed || e.failed;
    j->n_faulty = e.n_faulty;
    j->out->n_skipped = e.n_skipped;
    j->out->skips =
        arena_alloc(&j->out->arena, (n + 1) * sizeof(struct job_skip));
    for (size_t i = 0; i < n; i++) {
        struct job_skip *s = &j->out->skips[j->out->n_skips];

        memcpy(&s->n, payload.p + sizeof(e) + i * sizeof(uint64_t),
               sizeof(s->n));
        s->reason = arena_cstr(&j->out->arena, m->reasons[i]);
        j->out->n_skips += s->n > 0;
    }
    return true;
}

/* The reader's last word, from the wall of its jail. */
static bool on_forbidden(struct job *j, struct str payload)
{
    if (payload.len != sizeof(j->forbidden))
        return false;
    memcpy(&j->forbidden, payload.p, sizeof(j->forbidden));
    return true;
}

/* counter("name") of a write map. */
static int64_t next_count(void *ctx, struct str name)
{
    struct job *j = ctx;

    return job_counts_next(&j->counts, &j->out->arena, name);
}

void job_reset_counts(struct job *j)
{
    job_counts_reset(&j->counts, &j->out->arena, j->spec->counters,
                     j->spec->n_counters);
}

/* ---- documents ---------------------------------------------------------- */

static bool for_write(struct job *j, const struct expr *when, struct doc *d,
                      bool *holds)
{
    *holds = true;
    if (!when)
        return true;
    j->filter.scope[0] = d;
    return eval_cond(&j->filter, when, holds);
}

void job_name_file(struct job *j, const struct doc *d)
{
    const struct job_source *from = &j->sources[d->member];

    for (size_t w = 0; w <= job_maps(j); w++)
        run_info_file(&j->infos[w], from->file, from->member);
}

/* Tries all writes; all keep the document or none does. */
bool job_write_document(struct job *j, struct doc *d)
{
    size_t n = j->spec->n_writes, done;
    bool ok = true;

    job_counts_mark(&j->counts);
    for (done = 0; ok && done < n; done++) {
        bool holds;

        ok = for_write(j, j->spec->writes[done].when, d, &holds);
        j->writes[done].target = NULL;
        if (ok && holds)
            ok = write_try(&j->writes[done], d);
    }
    if (!ok) {
        while (done-- > 0)
            write_undo(&j->writes[done]);
        job_counts_back(&j->counts);
        return false;
    }
    ok = false;
    for (size_t w = 0; w < n; w++) {
        ok = ok || j->writes[w].target;
        if (!write_keep(&j->writes[w]))
            return true; /* the disk: seen after the frame */
    }
    if (ok)
        j->out->n_written++;
    else
        j->out->n_filtered++; /* no write map wanted it */
    return true;
}

bool job_conditions_hold_up(struct job *j, struct doc *d, bool *wanted)
{
    bool holds, ok = true;

    *wanted = false;
    for (size_t w = 0; w < j->spec->n_writes; w++) {
        ok = for_write(j, j->spec->writes[w].when, d, &holds) && ok;
        *wanted = *wanted || holds;
    }
    return ok;
}

void job_set_aside(struct job *j, const struct doc *d)
{
    j->out->n_aside++;
    aside_add(&j->aside, d->seq);
}

static bool on_record(struct job *j, struct str payload)
{
    struct doc *d;
    bool holds;

    arena_reset(&j->docs);
    j->trade.number = STR("");
    if (!doc_unpack(&j->docs, j->spec->read->shape, payload,
                    j->spec->limits->v[LIMIT_LINES], &d) ||
        d->member >= j->n_sources)
        return false;
    j->out->n_read++;
    if (job_io_failed(j))
        return true; /* see may_begin_anew() */
    j->current = d;
    doc_derive(&j->docs, d, on_differ, j);
    job_name_file(j, d);
    j->filter.failed = false;
    if (!for_write(j, j->spec->when, d, &holds))
        job_set_aside(j, d);
    else
        job_pass_on(j, d, holds);
    j->current = NULL;
    return true;
}

static void init_total(struct job *j)
{
    struct stat st;

    j->total.outputs = j->spec->n_output_bytes;
    j->total.input = 0;
    for (size_t i = 0; i < j->spec->n_inputs; i++)
        if (fstat(j->spec->inputs[i].fd, &st) == 0)
            j->total.input += (uint64_t)st.st_size;
}

static void on_restart(struct job *j)
{
    struct job_result *o = j->out;

    j->scattered = true;
    j->places.n = 0;
    j->aside.n = 0;
    j->aside.too_many = false;
    o->n_read = o->n_written = o->n_aside = o->n_filtered = o->n_warnings = 0;
    memset(o->n_created, 0, sizeof(o->n_created));
    diags_init(&o->diags, &o->arena, j->spec->limits->v[LIMIT_ERRORS]);
    o->err = (struct err){ 0 };
    j->n_sources = 0;
    j->sources = NULL;
    j->cap_sources = 0;
    docfile_clear(&j->kept);
    job_attach_forget(j);
    job_reset_counts(j);
    facts_reset(j->spec->facts);
    if (j->spec->trade)
        trade_reset(&j->trade);
    for (size_t w = 0; w < job_maps(j); w++)
        (void)write_reset(&j->writes[w]);
    init_total(j);
}

static bool on_frame(struct job *j, enum frame_type type, struct str payload)
{
    switch (type) {
    case FRAME_MEMBER:
        return on_member(j, payload);
    case FRAME_RECORD:
        return on_record(j, payload);
    case FRAME_FAULT:
        return on_fault(j, payload);
    case FRAME_RESTART:
        if (j->scattered)
            return false; /* it begins anew once */
        on_restart(j);
        return true;
    case FRAME_SIZE:
        return on_size(j, payload);
    case FRAME_FORBIDDEN:
        return on_forbidden(j, payload);
    case FRAME_ATTACHMENT:
        return job_attach_begin(j, payload);
    case FRAME_BYTES:
        return job_attach_bytes(j, payload);
    case FRAME_ATTACHED:
        return job_attach_end(j, payload);
    case FRAME_END:
        return on_end(j, payload);
    case FRAME_PLACE:
    case FRAME_CUT:
    case FRAME_CUT_END:
        return false; /* nobody asked yet */
    }
    return false;
}

/* A write cannot go on, because of the disk or a limit: the job as a whole
 * fails. */
bool job_io_failed(struct job *j)
{
    if (j->kept.failed) {
        j->out->err = j->kept.err;
        return true;
    }
    if (facts_failed(j->spec->facts)) {
        j->out->err = *facts_error(j->spec->facts);
        return true;
    }
    for (size_t w = 0; w < job_maps(j); w++)
        if (j->writes[w].io_failed) {
            j->out->err = j->writes[w].err;
            return true;
        }
    return false;
}

/* ---- the reader process ------------------------------------------------- */

/*
 * Was the limit that a write is over perhaps none of the file? Rows of a group
 * that stand far apart make several documents until the reader notices, and all
 * of them are forgotten then.
 */
static bool may_begin_anew(const struct job *j)
{
    return j->spec->read->group && !j->scattered && !j->ended &&
           j->out->err.next == ERR_REJECT;
}

void job_listen(const struct job_spec *spec, struct frame_in *in, int fd)
{
    frame_in_init(in, fd, spec->limits->v[LIMIT_DOCUMENT] + MB(1),
                  (int64_t)spec->limits->v[LIMIT_WALL] * 1000);
}

enum job_pumped job_pump(struct job *j, struct frame_in *in)
{
    enum frame_type type;
    struct str payload;
    int rc;

    while (!j->ended && (rc = frame_next(in, &type, &payload)) != 0) {
        if (rc == -1 && errno == ETIMEDOUT)
            return READER_LATE;
        if (rc == -1 || !on_frame(j, type, payload))
            return READER_BAD_FRAME;
        if (job_io_failed(j) && !may_begin_anew(j))
            return READER_IO;
    }
    return READER_OK;
}

/* ---- the result --------------------------------------------------------- */

/* The path relative to the staging folder. */
static struct str below(const struct job *j, struct str path)
{
    return str_from(path, j->spec->staging ? strlen(j->spec->staging) + 1 : 0);
}

static void collect_attachment(struct job *j, struct attachment *from)
{
    struct job_result *o = j->out;

    if (!j->writes[from->write].n_outputs || j->writes[from->write].map->zip)
        return;
    from->is_kept = true;
    o->outputs[o->n_outputs++] = (struct job_output){
        .path = arena_cstr(&o->arena, below(j, from->path)),
        .name = arena_cstr(&o->arena, from->name),
        .bytes = from->bytes,
        .write = from->write,
    };
}

static void collect_outputs(struct job *j)
{
    struct job_result *o = j->out;
    size_t n = j->attached.n;

    for (size_t w = 0; w < job_maps(j); w++)
        n += j->writes[w].n_outputs;
    o->outputs = arena_alloc(&o->arena, (n + 1) * sizeof(*o->outputs));
    for (size_t i = 0; i < j->attached.n; i++)
        collect_attachment(j, &j->attached.list[i]);
    for (size_t w = 0; w < job_maps(j); w++)
        for (size_t i = 0; i < j->writes[w].n_outputs; i++) {
            const struct output *from = j->writes[w].outputs[i];

            o->outputs[o->n_outputs++] = (struct job_output){
                .path = arena_cstr(&o->arena, below(j, from->path)),
                .name = arena_cstr(&o->arena, from->name),
                .bytes = from->bytes,
                .n_documents = from->n_documents,
                .write = w,
            };
        }
}

/* "â" 3, "â¢" 1 */
static void note_replaced(struct job *j, const struct write_run *w)
{
    struct job_result *o = j->out;

    o->n_replaced += w->n_replaced;
    for (size_t i = 0; i < w->n_distinct; i++) {
        char bytes[4];
        unsigned n = utf8_put(bytes, w->replaced[i].cp);

        o->replaced =
            arena_fmt(&o->arena, "%.*s%s\"%.*s\" %llu", STR_ARGS(o->replaced),
                      i || o->replaced.len ? ", " : "", (int)n, bytes,
                      (unsigned long long)w->replaced[i].n);
    }
}

/* Are its outputs finished by itself? job_write_kept() does that of the others.
 */
static bool is_own(const struct job *j, size_t write)
{
    return !j->keep_all || write >= j->spec->n_writes;
}

static bool pack(struct job *j, size_t w)
{
    struct zip_part *more;
    size_t n = job_attach_parts(j, w, &more);

    return job_pack(&j->writes[w], more, n, &j->out->diags);
}

static bool finish_writes(struct job *j)
{
    if (j->keep_all && !job_write_kept(j))
        return false;
    for (size_t w = 0; w < job_maps(j); w++) {
        if (is_own(j, w) && !write_finish(&j->writes[w]))
            return false;
        if (!job_attach_fits(j, w) || !pack(j, w))
            return false;
        note_replaced(j, &j->writes[w]);
    }
    return true;
}

void job_conclude(struct job *j)
{
    struct job_result *o = j->out;

    job_end_trade(j);
    o->n_read += j->n_faulty;
    o->n_aside += j->n_faulty;
    o->verdict = JOB_DONE;
    if (!j->failed && !finish_writes(j)) {
        if (job_io_failed(j))
            o->verdict = o->err.next == ERR_REJECT ? JOB_REJECTED : JOB_FAILED;
        else
            j->failed = true;
    }
    o->by_rule = !j->failed && o->verdict == JOB_DONE && j->spec->reject_file &&
                 o->n_aside;
    if (j->failed || o->by_rule)
        o->verdict = JOB_REJECTED;
    if (o->verdict == JOB_DONE) {
        if (j->spec->trade)
            trade_done(&j->trade);
        collect_outputs(j);
        job_counts_collect(&j->counts, o);
    } else {
        o->n_written = 0;
        memset(o->n_created, 0, sizeof(o->n_created));
    }
    job_result_conclude(o, j->spec->read->document, j->spec->n_writes == 0);
    job_balance(j);
}

/* ---- life --------------------------------------------------------------- */

static void init_info(struct job *j, size_t i, const struct map *m,
                      const struct str *settings)
{
    j->infos[i] = (struct run_info){
        .limits = j->spec->limits,
        .settings = settings,
        .run_id = j->spec->run_id,
        .run_time = m->zone ? zone_local(m->zone, j->spec->run_time)
                            : date_from_unix(j->spec->run_time),
    };
}

static void init_writes(struct job *j)
{
    const struct job_spec *s = j->spec;

    j->writes = xcalloc(job_maps(j), sizeof(*j->writes));
    j->infos = xcalloc(job_maps(j) + 1, sizeof(*j->infos));
    for (size_t i = 0; i < job_maps(j); i++) {
        struct write_run *w = &j->writes[i];

        init_info(j, i, s->writes[i].map, s->writes[i].settings);
        write_run_init(w, s->writes[i].map, s->limits, &j->infos[i]);
        w->staging = s->staging;
        w->out_fd = s->out_fd;
        w->number = (unsigned)i;
        w->total = &j->total;
        w->country = s->country;
        w->ctx = j;
        w->next_doc = job_next_kept;
        w->counter = next_count;
        j->keep_all = j->keep_all || (i < s->n_writes && write_needs_all(w));
    }
    for (size_t i = 0; i < job_maps(j); i++)
        j->writes[i].fault = i >= s->n_writes ? job_card_fault
                             : is_own(j, i)   ? job_write_fault
                                              : job_kept_fault;
    init_info(j, job_maps(j), s->read, s->read_settings);
    j->filter = (struct run){ .map = s->read,
                              .a = &j->docs,
                              .info = &j->infos[job_maps(j)],
                              .raise = on_filter_fault,
                              .ctx_of = j };
}

void job_begin(struct job *j, const struct job_spec *spec,
               struct job_result *out)
{
    *j = (struct job){ .spec = spec, .out = out, .forbidden = NO_CALL };
    *out = (struct job_result){ 0 };
    diags_init(&out->diags, &out->arena, spec->limits->v[LIMIT_ERRORS]);
    init_total(j);
    init_writes(j);
    docfile_init(&j->kept, spec->read->shape, &j->filter, spec->staging,
                 j->keep_all);
    job_begin_trade(j);
    job_reset_counts(j);
}

void job_end(struct job *j)
{
    docfile_release(&j->kept);
    trade_release(&j->trade);
    for (size_t i = 0; i < job_maps(j); i++) {
        if (j->out->verdict == JOB_DONE)
            j->writes[i].n_outputs = 0; /* they are the caller's now */
        write_run_release(&j->writes[i]);
    }
    job_attach_forget(j);
    locate_release(&j->places);
    aside_release(&j->aside);
    job_counts_release(&j->counts);
    free(j->writes);
    free(j->infos);
    arena_release(&j->docs);
}

static void no_memory(void)
{
    _exit(JOB_NO_MEMORY);
}

/* The reader sets its own, which may be above ours. */
void job_limit_memory(const struct limits *limits)
{
    uint64_t max = limits->v[LIMIT_JOB_MEMORY];
    struct rlimit l;

    mem_on_failure(no_memory);
    /* A sanitizer reserves terabytes of address space. */
    if (MEM_GUARDED || getrlimit(RLIMIT_AS, &l) == -1 || l.rlim_cur <= max)
        return;
    l.rlim_cur = max;
    (void)setrlimit(RLIMIT_AS, &l);
}

int job_run(const struct job_spec *spec, struct job_result *out)
{
    struct job j;

    hash_seed();
    job_begin(&j, spec, out);
    if (job_run_reader(&j) == 0) {
        job_conclude(&j);
        job_ask_again(&j);
    }
    job_end(&j);
    return 0;
}
