#include "tests/fuzz/convert.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/utf8.h"
#include "spool/docfile.h"
#include "spool/files.h"
#include "spool/jail.h"
#include "spool/job_inside.h"
#include "spool/reader.h"
#include "tests/fuzz/fuzz.h"

/* ---- maps --------------------------------------------------------------- */

void fuzz_map_load(struct fuzz_map *f, struct str text, int number)
{
    *f = (struct fuzz_map){ 0 };
    diags_init(&f->diags, &f->arena, fuzz_limits.v[LIMIT_ERRORS]);
    (void)fuzz_file(number, text);
    f->loaded =
        map_load(fuzz_path(number), STR("fuzz"), &fuzz_limits, &f->diags);
    if (!f->diags.n_errors)
        f->m = f->loaded;
}

void fuzz_map_free(struct fuzz_map *f)
{
    map_free(f->loaded);
    arena_release(&f->arena);
}

struct str *fuzz_settings(struct fuzz_map *f)
{
    size_t n = (size_t)f->m->n_settings;
    struct str *values = arena_alloc(&f->arena, (n + 1) * sizeof(*values));

    for (size_t i = 0; i < n; i++)
        values[i] = STR("12345678");
    return values;
}

void fuzz_print(const struct diags *diags)
{
    struct buf b;

    buf_init(&b, MB(64));
    diags_print(diags, true, &b);
    if (getenv("FUZZ_SHOW")) /* for who writes an input by hand */
        fprintf(stderr, "%.*s", STR_ARGS(buf_str(&b)));
    buf_clear(&b);
    diags_print_json(diags, &b);
    FUZZ_CHECK(utf8_valid_len(buf_str(&b)) == b.len);
    buf_release(&b);
}

/* ---- what a job leaves behind ------------------------------------------- */

static void check_xml(const struct str text)
{
    xmlDocPtr doc = xmlReadMemory(text.p, (int)text.len, "out.xml", NULL,
                                  XML_PARSE_NONET | XML_PARSE_HUGE |
                                      XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    const xmlError *e = xmlGetLastError();

    /* Whether two attributes below two conditions come together only the
     * data can tell. */
    if (!doc && e && e->code == XML_ERR_ATTRIBUTE_REDEFINED)
        return;
    if (!doc)
        fprintf(stderr, "%.*s\n", STR_ARGS(text));
    FUZZ_CHECK(doc != NULL);
    xmlFreeDoc(doc);
}

static void check_output(const struct map *write, int fd)
{
    static char text[KB(64)];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    struct str s = { text, n > 0 ? (size_t)n : 0 };
    const struct charset *cs = write->charset;

    if (n == (ssize_t)sizeof(text) || (cs && cs->kind != CS_UTF8) || write->zip)
        return;
    FUZZ_CHECK(utf8_valid_len(s) == s.len);
    if (str_is(str_of(write->format->name), "xml") && s.len)
        check_xml(s);
}

static void check_result(const struct job_spec *spec,
                         const struct job_result *r)
{
    const struct map *write = spec->writes[0].map;

    fuzz_print(&r->diags);
    if (r->verdict != JOB_DONE)
        return;
    /* A document came out, was set aside or was not wanted: none is lost. */
    FUZZ_CHECK(r->n_read == r->n_written + r->n_aside + r->n_filtered);
    if (!spec->staging)
        check_output(write, spec->out_fd);
    for (size_t i = 0; spec->staging && i < r->n_outputs; i++) {
        char path[128];
        int fd;

        FUZZ_CHECK(r->outputs[i].name[0] && !strchr(r->outputs[i].name, '/'));
        snprintf(path, sizeof(path), "%s/%s", spec->staging,
                 r->outputs[i].path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        FUZZ_CHECK(fd != -1);
        if (r->outputs[i].n_documents) /* else it is an attachment */
            check_output(write, fd);
        close(fd);
    }
}

/* ---- jobs --------------------------------------------------------------- */

enum { OUT_FILE = 2, FRAMES_FILE = 3 };

struct work {
    struct job_write write;
    struct job_input input;
    struct job_spec spec;
    struct job_result result;
    struct job job;
};

static void begin(struct work *w, struct fuzz_map *read, struct fuzz_map *write,
                  int fd)
{
    const struct map *m = write->m;
    bool has_names = m->file || m->zip || m->per || m->per_n;

    w->write =
        (struct job_write){ .map = write->m, .settings = fuzz_settings(write) };
    w->input = (struct job_input){ .fd = fd, .name = STR("in.dat") };
    w->spec = (struct job_spec){
        .read = read->m,
        .read_settings = fuzz_settings(read),
        .writes = &w->write,
        .n_writes = 1,
        .inputs = &w->input,
        .n_inputs = 1,
        .country = STR("cz"),
        .run_id = STR("abcdefghij"),
        .run_time = 1800000000,
        .limits = &fuzz_limits,
        .staging = has_names ? fuzz_folder() : NULL,
        .out_fd = fuzz_file(OUT_FILE, STR("")),
    };
    job_begin(&w->job, &w->spec, &w->result);
}

static void end(struct work *w)
{
    job_conclude(&w->job);
    /* Before job_end(): outputs of a job that is not done go there. */
    check_result(&w->spec, &w->result);
}

static void release(struct work *w)
{
    job_end(&w->job);
    job_result_release(&w->result);
}

/*
 * Without sanitizers a reader locks itself in for good, so it is a child, as
 * it is in earnest. With them it has no jail, and libFuzzer has to see it.
 */
static int read_frames(const struct work *w, int frames, int spill,
                       const struct questions *ask, bool scattered)
{
    int status = -1;
    pid_t pid;

    if (JAIL_IS_OPEN)
        return reader_main(&w->spec, 1, frames, spill, ask, scattered);
    pid = fork();
    if (pid == 0)
        _exit(reader_main(&w->spec, 1, frames, spill, ask, scattered));
    FUZZ_CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

static enum job_pumped pump(struct work *w, int frames)
{
    struct frame_in in;
    enum job_pumped how;

    job_listen(&w->spec, &in, frames);
    how = job_pump(&w->job, &in);
    frame_in_release(&in);
    return how;
}

void fuzz_convert(struct fuzz_map *read, struct fuzz_map *write, int fd)
{
    struct work w;
    int spill = docfile_temporary("/dev/shm");
    int frames = fuzz_file(FRAMES_FILE, STR(""));

    begin(&w, read, write, fd);
    FUZZ_CHECK(read_frames(&w, frames, spill, NULL, false) == 0);
    FUZZ_CHECK(lseek(frames, 0, SEEK_SET) == 0);
    FUZZ_CHECK(pump(&w, frames) != READER_BAD_FRAME);
    end(&w);
    locate_sort(&w.job.places);
    if (w.job.places.n) {
        FUZZ_CHECK(ftruncate(spill, 0) == 0 && lseek(spill, 0, SEEK_SET) == 0);
        (void)fuzz_file(FRAMES_FILE, STR(""));
        (void)read_frames(&w, frames, spill,
                          &(struct questions){ .places = &w.job.places },
                          w.job.scattered);
        FUZZ_CHECK(lseek(frames, 0, SEEK_SET) == 0);
        job_take_answers(&w.job, frames);
        fuzz_print(&w.result.diags);
    }
    release(&w);
    close(spill);
}

void fuzz_take_frames(struct fuzz_map *read, struct fuzz_map *write,
                      struct str bytes)
{
    int frames = fuzz_file(FRAMES_FILE, bytes);
    struct work w;

    begin(&w, read, write, -1);
    if (pump(&w, frames) != READER_OK || !w.job.ended)
        w.job.failed = true;
    FUZZ_CHECK(w.job.n_sources <= fuzz_limits.v[LIMIT_ZIP_ENTRIES] + 1);
    end(&w);
    release(&w);
}
