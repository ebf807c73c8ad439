#include "spool/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/hash.h"
#include "converters/document/frame.h"
#include "converters/lang/attach.h"
#include "converters/lang/read_run.h"
#include "formats/input.h"
#include "formats/zip.h"
#include "spool/jail.h"

struct reading {
    const struct job_spec *spec;
    struct frame_out out;
    struct run_info info;
    struct read_run run;
    struct arena file;         /* names and messages of one file */
    struct locate_run *places; /* a second reading: NULL at the first */
    struct faulty_run faulty;  /* of a second reading */
    uint32_t n_members;        /* files and ZIP members begun */
    const struct zip_in *zip;  /* whose member is read, or NULL */
    bool failed;
};

/* ---- frames ------------------------------------------------------------- */

static void put_text(struct frame_out *o, struct str s)
{
    (void)buf_add(&o->buf, s);
}

static void send_member(struct reading *rd, struct str name, struct str member)
{
    uint32_t len = (uint32_t)member.len;
    size_t at;

    rd->n_members++;
    if (rd->places)
        return;
    at = frame_begin(&rd->out, FRAME_MEMBER);
    put_text(&rd->out, (struct str){ (const char *)&len, sizeof(len) });
    put_text(&rd->out, name);
    frame_end(&rd->out, at);
    frame_flush(&rd->out); /* should we die, the job knows in which file */
}

static void send_size(struct reading *rd, uint64_t size)
{
    size_t at;

    if (rd->places)
        return;
    at = frame_begin(&rd->out, FRAME_SIZE);
    put_text(&rd->out, (struct str){ (const char *)&size, sizeof(size) });
    frame_end(&rd->out, at);
}

static bool send_document(void *ctx, struct doc *d)
{
    struct reading *rd = ctx;
    size_t at, before = rd->out.buf.max;
    int rc;

    if (rd->places) {
        faulty_document(&rd->faulty, &rd->run, d, rd->n_members - 1);
        return locate_document(rd->places, d) || rd->faulty.aside;
    }
    at = frame_begin(&rd->out, FRAME_RECORD);
    d->member = rd->n_members - 1;
    rd->out.buf.max = rd->out.buf.len + rd->spec->limits->v[LIMIT_DOCUMENT];
    rc = doc_pack(d, &rd->out.buf);
    rd->out.buf.max = before;
    if (rc == -1) {
        rd->out.buf.len = at;
        rd->run.n_documents--; /* the job counts what it gets */
        rd->run.n_faulty++;
        (void)reader_limit(rd->run.reader, LIMIT_DOCUMENT, "one document",
                           d->line, 0);
        return false;
    }
    frame_end(&rd->out, at);
    return !rd->out.broken;
}

static uint8_t source_number(const struct map *m, const struct source *src)
{
    for (int i = 0; i < m->n_sources; i++)
        if (m->sources[i] == src)
            return (uint8_t)(i + 1);
    return 0;
}

static void send_fault(struct reading *rd, enum diag_id id, bool fatal,
                       uint32_t line, uint32_t col, struct place map,
                       const struct str *args, size_t n_args, struct str record)
{
    struct fault_frame f = { .id = (uint16_t)id,
                             .fatal = fatal,
                             .member = rd->n_members ? rd->n_members - 1 : 0,
                             .line = line,
                             .col = col,
                             .source = source_number(rd->spec->read, map.src),
                             .map_line = map.line,
                             .map_col = map.col,
                             .map_len = map.len,
                             .record = (uint32_t)record.len };
    size_t at;

    if (rd->places)
        return;
    at = frame_begin(&rd->out, FRAME_FAULT);
    for (size_t i = 0; i < n_args; i++)
        f.args[i] = (uint32_t)args[i].len;
    put_text(&rd->out, (struct str){ (const char *)&f, sizeof(f) });
    for (size_t i = 0; i < n_args; i++)
        put_text(&rd->out, args[i]);
    put_text(&rd->out, record);
    frame_end(&rd->out, at);
}

/* A fault that the map found in a record. */
static void on_record_fault(void *ctx, const struct fault *f, uint32_t line,
                            uint32_t col, struct str record)
{
    send_fault(ctx, f->id, false, line, col, f->map, f->args, DIAG_ARGS,
               record);
}

/* A fault that the format found in the file. ctx is the reader's: the run. */
static void on_file_fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                          uint32_t col, const struct str *args, size_t n_args)
{
    struct read_run *rr = ctx;
    struct reading *rd = rr->ctx;
    const struct want *want = rr->reader ? rr->reader->fault_want : NULL;

    /* The format only saw that no more bytes came; the ZIP knows why. */
    if (id == DIAG_FILE_READ && rd->zip && rd->zip->fault.set) {
        id = rd->zip->fault.id;
        args = rd->zip->fault.args;
        n_args = rd->zip->fault.n_args;
        line = col = 0;
    }
    rd->failed = rd->failed || fatal;
    send_fault(rd, id, fatal, line, col, want ? want->at : (struct place){ 0 },
               args, n_args, (struct str){ 0 });
}

static void send_end(struct reading *rd, uint64_t n_records)
{
    struct end_frame e = { .n_records = n_records,
                           .n_documents = rd->run.n_documents,
                           .n_skipped = rd->run.n_skipped,
                           .n_faulty = rd->run.n_faulty,
                           .failed = rd->failed };
    size_t at = frame_begin(&rd->out, FRAME_END);

    put_text(&rd->out, (struct str){ (const char *)&e, sizeof(e) });
    for (int i = 0; i < rd->spec->read->n_reasons; i++)
        put_text(&rd->out, (struct str){ (const char *)&rd->run.skips[i],
                                         sizeof(uint64_t) });
    frame_end(&rd->out, at);
}

/* ---- one file, or one member of a ZIP ----------------------------------- */

static void input_fault(struct reading *rd, const struct input *in)
{
    on_file_fault(&rd->run, in->fault, true, in->fault_line, in->fault_col,
                  in->fault_args, in->n_fault_args);
}

/* "//lStk:stock", as it stands in the map: the file may be another one. */
static void no_records(struct reading *rd, const struct reader *r)
{
    struct str path = r->plan->anywhere ? STR("/") : STR("");
    const struct want *w = r->plan->path;

    do
        path = arena_fmt(&rd->file, "%.*s/%.*s", STR_ARGS(path),
                         STR_ARGS(w->name));
    while ((w = w->child));
    send_fault(rd, DIAG_NO_RECORDS, false, 0, 0, r->plan->path->at, &path, 1,
               (struct str){ 0 });
}

static int read_source(struct reading *rd, struct str file,
                       const struct source_bytes *from, uint64_t *n_records)
{
    const struct map *m = rd->spec->read;
    struct input *in = xcalloc(1, sizeof(*in));
    struct reader r = { .format = m->format,
                        .opts = m->opts,
                        .plan = &rd->spec->read->plan,
                        .in = in,
                        .limits = rd->spec->limits,
                        .names = &rd->file,
                        .fault = on_file_fault,
                        .ctx = &rd->run };
    struct str name = file, member = STR("");
    int rc;

    rd->zip = from->zip;
    if (from->zip) {
        member = from->zip->member->name;
        name =
            arena_fmt(&rd->file, "%.*s/%.*s", STR_ARGS(file), STR_ARGS(member));
    }
    run_info_file(&rd->info, file, member);
    send_member(rd, name, member);
    if (from->zip)
        send_size(rd, from->zip->member->size);
    input_init(in, from->pull, from->ctx, m->charset,
               rd->spec->limits->v[LIMIT_INPUT], m->format->name);
    rc = read_file(&rd->run, &r);
    if (rc == READ_FAILED && !rd->failed)
        input_fault(rd, in);
    if (rc == READ_OK && !r.n_records && m->plan.path)
        no_records(rd, &r);
    *n_records += r.n_records;
    arena_release(&r.arena);
    input_release(in);
    free(in);
    return rc;
}

/* ---- ZIP ---------------------------------------------------------------- */

static void zip_fault(struct reading *rd, const struct zip_in *z)
{
    on_file_fault(&rd->run, z->fault.id, true, 0, 0, z->fault.args,
                  z->fault.n_args);
}

/* By default the members with the format's own suffix are read. */
struct str reader_members(const struct map *m, struct arena *a)
{
    if (m->members.len)
        return m->members;
    return arena_fmt(a, "*.%s", m->format->suffixes[0]);
}

static bool goes_along(void *ctx, struct str name)
{
    const struct reading *rd = ctx;

    for (size_t i = 0; i < rd->spec->n_writes; i++)
        if (map_attaches(rd->spec->writes[i].map, name))
            return true;
    return false;
}

static void send_piece(struct reading *rd, enum frame_type type,
                       struct str bytes, struct str more)
{
    size_t at = frame_begin(&rd->out, type);

    put_text(&rd->out, bytes);
    put_text(&rd->out, more);
    frame_end(&rd->out, at);
}

static bool send_attachment(struct reading *rd, struct zip_in *z)
{
    uint64_t size = z->member->size;
    char piece[INPUT_CHUNK];
    ptrdiff_t n;

    send_piece(rd, FRAME_ATTACHMENT,
               (struct str){ (const char *)&size, sizeof(size) },
               z->member->name);
    while ((n = zipin_pull(z, piece, sizeof(piece))) > 0 && !rd->out.broken)
        send_piece(rd, FRAME_BYTES, (struct str){ piece, (size_t)n }, STR(""));
    if (n == 0)
        send_piece(rd, FRAME_ATTACHED, STR(""), STR(""));
    return n == 0;
}

/* Pictures and the like pass as they are, when all data was read. */
static int send_attachments(struct reading *rd, struct str file,
                            struct zip_in *z, struct str pattern)
{
    int more;

    zipin_rewind(z);
    while ((more = zipin_next_other(z, pattern, goes_along, rd)) == 1)
        if (!send_attachment(rd, z)) {
            more = -1;
            break;
        }
    if (more == 0)
        return READ_OK;
    send_member(rd, file, STR(""));
    if (z->fault.set)
        zip_fault(rd, z);
    return READ_FAILED;
}

static int read_zip(struct reading *rd, const struct job_input *in,
                    uint64_t *n_records)
{
    struct zip_in z;
    struct source_bytes from = { zipin_pull, &z, &z };
    struct str pattern = reader_members(rd->spec->read, &rd->file);
    int rc = READ_OK, more;

    send_member(rd, in->name, STR(""));
    if (zipin_open(&z, in->fd, rd->spec->limits, &rd->file) == -1) {
        zip_fault(rd, &z);
        zipin_close(&z);
        return READ_FAILED;
    }
    while (rc == READ_OK && (more = zipin_next(&z, pattern)) != 0) {
        if (more == -1) {
            send_member(rd, in->name, STR(""));
            zip_fault(rd, &z);
            rc = READ_FAILED;
            break;
        }
        rc = read_source(rd, in->name, &from, n_records);
    }
    rd->zip = NULL;
    if (rc == READ_OK && !rd->places)
        rc = send_attachments(rd, in->name, &z, pattern);
    zipin_close(&z);
    return rc;
}

/* ---- all inputs --------------------------------------------------------- */

bool reader_is_zip(int fd)
{
    char head[4];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    return n > 0 && zipin_is((struct str){ head, (size_t)n });
}

static int read_input(struct reading *rd, const struct job_input *in,
                      uint64_t *n_records)
{
    struct source_bytes from = { .pull = input_pull_fd };
    int fd = in->fd;

    arena_reset(&rd->file);
    if (reader_is_zip(fd))
        return read_zip(rd, in, n_records);
    if (lseek(fd, 0, SEEK_SET) == -1)
        return READ_FAILED;
    from.ctx = &fd;
    return read_source(rd, in->name, &from, n_records);
}

static int read_all(struct reading *rd, uint64_t *n_records)
{
    int rc = READ_OK;

    *n_records = 0;
    for (size_t i = 0; rc == READ_OK && i < rd->spec->n_inputs; i++)
        rc = read_input(rd, &rd->spec->inputs[i], n_records);
    return rc;
}

static void on_watch(void *ctx, const struct doc *d, int field,
                     const struct val *v)
{
    struct reading *rd = ctx;

    locate_watch(rd->places, &rd->run, d, field, v);
}

static void on_aside(void *ctx)
{
    struct reading *rd = ctx;

    faulty_add(&rd->faulty, &rd->run, rd->n_members - 1);
}

static void send_place(void *ctx, size_t query, uint32_t line, uint32_t col)
{
    struct reading *rd = ctx;
    struct place_frame p = { (uint32_t)query, line, col };
    size_t at = frame_begin(&rd->out, FRAME_PLACE);

    put_text(&rd->out, (struct str){ (const char *)&p, sizeof(p) });
    frame_end(&rd->out, at);
}

static void begin_run(struct reading *rd, int spill_fd, bool scattered)
{
    read_run_init(&rd->run, rd->spec->read, rd->spec->limits, &rd->info);
    rd->run.emit = send_document;
    rd->run.fault = on_record_fault;
    rd->run.watch = rd->places ? on_watch : NULL;
    rd->run.aside = rd->places ? on_aside : NULL;
    rd->run.ctx = rd;
    rd->run.spill_fd = spill_fd;
    rd->run.scattered = scattered;
}

static void no_memory(void)
{
    _exit(READER_NO_MEMORY);
}

static void set_limit(int resource, uint64_t value)
{
    struct rlimit l = { .rlim_cur = value, .rlim_max = value + 1 };

    /* A lower limit of the system stays; it protects as well. */
    (void)setrlimit(resource, &l);
}

/* Memory and time have an end here; wall time is the job's to watch. */
static void limit_process(const struct limits *l)
{
    mem_on_failure(no_memory);
    set_limit(RLIMIT_CPU, l->v[LIMIT_CPU]);
    if (!MEM_GUARDED) /* that reserves terabytes of address space */
        set_limit(RLIMIT_AS, l->v[LIMIT_MEMORY]);
}

/* From here on, no call but those of jail.c. */
static void enter_jail(const struct job_spec *specs, size_t n, int pipe_fd,
                       int spill_fd)
{
    size_t n_inputs = 0;
    int *inputs = NULL;

    for (size_t i = 0; i < n; i++) {
        inputs =
            xrealloc(inputs, (n_inputs + specs[i].n_inputs) * sizeof(*inputs));
        for (size_t at = 0; at < specs[i].n_inputs; at++)
            inputs[n_inputs++] = specs[i].inputs[at].fd;
    }
    if (jail_enter(&(struct jail){ .inputs = inputs,
                                   .n_inputs = n_inputs,
                                   .spill_fd = spill_fd,
                                   .pipe_fd = pipe_fd,
                                   .broken = frame_forbidden }) == -1)
        _exit(errno == ENOMEM ? READER_NO_MEMORY : READER_NO_JAIL);
    free(inputs);
}

static void begin_spec(struct reading *rd, const struct job_spec *spec,
                       int spill_fd, bool scattered)
{
    rd->spec = spec;
    rd->n_members = 0;
    rd->failed = false;
    rd->info = (struct run_info){ .limits = spec->limits,
                                  .settings = spec->read_settings,
                                  .run_id = spec->run_id };
    rd->info.run_time = date_from_unix(spec->run_time);
    if (spec->read->zone)
        rd->info.run_time = zone_local(spec->read->zone, spec->run_time);
    begin_run(rd, spill_fd, scattered);
}

static void read_spec(struct reading *rd, int spill_fd,
                      const struct questions *ask)
{
    uint64_t n_records;
    int rc = read_all(rd, &n_records);

    if (rc == READ_SCATTERED && !ask) {
        frame_end(&rd->out, frame_begin(&rd->out, FRAME_RESTART));
        read_run_release(&rd->run);
        rd->n_members = 0;
        begin_run(rd, spill_fd, true);
        rc = read_all(rd, &n_records);
    }
    if (rc == READ_FAILED)
        rd->failed = true;
    if (!ask)
        send_end(rd, n_records);
    else if (ask->aside && rc == READ_OK)
        faulty_send(&rd->faulty, rd->spec, &rd->out);
    frame_flush(&rd->out);
    read_run_release(&rd->run);
    arena_release(&rd->file);
}

int reader_main(const struct job_spec *specs, size_t n, int pipe_fd,
                int spill_fd, const struct questions *ask, bool scattered)
{
    struct reading rd = { .spec = specs };
    struct locate_run finder = { .queries = ask ? ask->places : NULL,
                                 .answer = send_place,
                                 .ctx = &rd };

    limit_process(specs->limits);
    hash_seed();
    frame_out_init(&rd.out, pipe_fd);
    rd.places = ask ? &finder : NULL;
    rd.faulty.aside = ask ? ask->aside : NULL;
    begin_spec(&rd, specs, spill_fd, scattered);
    enter_jail(specs, n, pipe_fd, spill_fd);
    read_spec(&rd, spill_fd, ask);
    for (size_t i = 1; i < n && !rd.out.broken; i++) {
        begin_spec(&rd, &specs[i], spill_fd, false);
        read_spec(&rd, spill_fd, NULL);
    }
    arena_release(&finder.arena);
    faulty_release(&rd.faulty);
    buf_release(&rd.out.buf);
    return rd.out.broken;
}
