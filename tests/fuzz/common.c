/* common.c - what all targets share: limits, files in memory, libFuzzer. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/files.h"

struct limits fuzz_limits;

void fuzz_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

void fuzz_same(struct str whole, struct str pieces)
{
    if (str_eq(whole, pieces))
        return;
    fprintf(stderr, "---- whole:\n%.*s\n---- in pieces:\n%.*s\n----\n",
            STR_ARGS(whole), STR_ARGS(pieces));
    fuzz_failed(__FILE__, __LINE__, "pieces make no difference");
}

/* ---- limits ------------------------------------------------------------- */

static const struct {
    enum limit_id id;
    uint64_t value;
} low[] = {
    { LIMIT_OUTPUT, KB(512) },    { LIMIT_RECORDS, 2000 },
    { LIMIT_ERRORS, 20 },         { LIMIT_DOCUMENT, KB(32) },
    { LIMIT_LINES, 200 },         { LIMIT_GROUP_KEYS, 64 },
    { LIMIT_CSV_COLUMNS, 64 },    { LIMIT_CSV_FIELD, 1000 },
    { LIMIT_CSV_RECORD, 2000 },   { LIMIT_CSV_BREAKS, 10 },
    { LIMIT_XML_DEPTH, 16 },      { LIMIT_XML_TAG, 1000 },
    { LIMIT_XML_ATTRIBUTES, 16 }, { LIMIT_XML_NAMESPACES, 4 },
    { LIMIT_XML_NAMES, 100 },     { LIMIT_XML_NAME, 64 },
    { LIMIT_XML_TEXT, 1000 },     { LIMIT_XML_COMMENT, 500 },
    { LIMIT_XML_PI, 200 },        { LIMIT_ZIP_ENTRIES, 16 },
    { LIMIT_ZIP_ENTRY, KB(64) },  { LIMIT_ZIP_TOTAL, KB(128) },
    { LIMIT_MAP_SIZE, KB(16) },   { LIMIT_OUTPUTS, 20 },
    { LIMIT_OPEN_FILES, 2 },
};

/* The reader lowers its process's own; this process runs for hours. */
static void lift_process_limits(void)
{
    fuzz_limits.v[LIMIT_MEMORY] = (uint64_t)1 << 50;
    fuzz_limits.v[LIMIT_CPU] = (uint64_t)1 << 40;
}

void fuzz_use_real_limits(void)
{
    limits_default(&fuzz_limits);
    lift_process_limits();
}

void fuzz_begin(void)
{
    limits_default(&fuzz_limits);
    for (size_t i = 0; i < COUNT(low); i++)
        fuzz_limits.v[low[i].id] = low[i].value;
    lift_process_limits();
    clock_freeze(1800000000);
    setenv("TMPDIR", "/dev/shm", 1);
    unsetenv("KERVAN_MAPPINGS");
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- inputs ------------------------------------------------------------- */

struct str fuzz_part(struct str *rest)
{
    ptrdiff_t at =
        str_starts(*rest, STR("%%\n")) ? 0 : str_find(*rest, STR("\n%%\n"));
    struct str part = str_first(*rest, at < 0 ? rest->len : (size_t)at);

    if (at < 0)
        *rest = str_from(*rest, rest->len);
    else
        *rest = str_from(*rest, (size_t)at + (rest->p[at] == '%' ? 3 : 4));
    return part;
}

uint8_t fuzz_byte(struct str *rest)
{
    uint8_t byte = rest->len ? (uint8_t)rest->p[0] : 0;

    *rest = str_from(*rest, 1);
    return byte;
}

ptrdiff_t fuzz_pull(void *ctx, char *buf, size_t n)
{
    struct fuzz_pull *from = ctx;

    if (from->seed) {
        size_t most = 1 + (from->seed >> 16) % 40;

        from->seed = from->seed * 1103515245 + 12345;
        n = n < most ? n : most;
    }
    n = n < from->rest.len ? n : from->rest.len;
    str_copy(buf, str_first(from->rest, n));
    from->rest = str_from(from->rest, n);
    return (ptrdiff_t)n;
}

/* ---- files -------------------------------------------------------------- */

/* High numbers: a map that includes "100" gets file 0, and finds no other. */
enum { FILE_FD = 100 };

int fuzz_file(int number, struct str text)
{
    int fd = FILE_FD + number;

    if (fcntl(fd, F_GETFD) == -1) {
        int made = memfd_create("fuzz", 0);

        FUZZ_CHECK(made != -1 && dup2(made, fd) == fd);
        close(made);
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    FUZZ_CHECK(file_put(fd, text) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

const char *fuzz_path(int number)
{
    static char paths[FUZZ_FILES][32];

    snprintf(paths[number], sizeof(paths[0]), "/proc/self/fd/%d",
             FILE_FD + number);
    return paths[number];
}

static char folder[] = "/dev/shm/kervan-fuzz-XXXXXX";

static void drop_folder(void)
{
    (void)tree_remove(AT_FDCWD, folder);
}

const char *fuzz_folder(void)
{
    static bool is_made;

    if (!is_made) {
        FUZZ_CHECK(mkdtemp(folder) != NULL);
        is_made = true;
        atexit(drop_folder);
        return folder;
    }
    drop_folder();
    FUZZ_CHECK(mkdir(folder, 0700) == 0);
    return folder;
}

/* ---- libFuzzer ---------------------------------------------------------- */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_one((struct str){ (const char *)bytes, n });
    return 0;
}
