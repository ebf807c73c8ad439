#include "formats/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "converters/base/text.h"

/* ---- faults ------------------------------------------------------------- */

int zipin_fail(struct zip_in *z, enum diag_id id, struct str a, struct str b,
               struct str c)
{
    z->fault = (struct zip_fault){ .set = true, .id = id };
    z->fault.args[0] = a;
    z->fault.args[1] = b;
    z->fault.args[2] = c;
    z->fault.n_args = c.len ? 3 : b.len ? 2 : 1;
    return -1;
}

int zipin_limit(struct zip_in *z, enum limit_id id, struct str what)
{
    struct str value =
        arena_fmt(z->arena, "%llu", (unsigned long long)z->limits->v[id]);

    return zipin_fail(z, DIAG_LIMIT, what, value, str_of(limit_table[id].name));
}

static int fail_name(struct zip_in *z, enum diag_id id, struct str name)
{
    return zipin_fail(z, id, name, STR(""), STR(""));
}

/* "broken ZIP: orders.csv: CRC error" */
static int fail_member(struct zip_in *z, const char *why)
{
    return fail_name(
        z, DIAG_ZIP_BROKEN,
        arena_fmt(z->arena, "%.*s: %s", STR_ARGS(z->member->name), why));
}

/* ---- reading ------------------------------------------------------------ */

/* The archive as libzip reads it. */
struct zip_bytes {
    int fd;
    uint64_t size, at;
    zip_error_t error;
};

bool zipin_is(struct str head)
{
    /* The third one is the mark of a ZIP that was meant to be split. */
    return str_starts(head, STR("PK\3\4")) || str_starts(head, STR("PK\5\6")) ||
           str_starts(head, STR("PK\7\10"));
}

/*
 * libzip's own sources ask the kernel about the file, which a jailed process
 * may not. This one only reads.
 */
static zip_int64_t archive_bytes(void *ctx, void *data, zip_uint64_t len,
                                 zip_source_cmd_t cmd)
{
    struct zip_bytes *b = ctx;
    zip_stat_t *st = data;
    zip_int64_t n;

    switch (cmd) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
            ZIP_SOURCE_SUPPORTS, -1);
    case ZIP_SOURCE_OPEN:
        b->at = 0;
        return 0;
    case ZIP_SOURCE_READ:
        n = pread(b->fd, data, len, (off_t)b->at);
        if (n < 0)
            zip_error_set(&b->error, ZIP_ER_READ, errno);
        b->at += n > 0 ? (uint64_t)n : 0;
        return n;
    case ZIP_SOURCE_STAT:
        zip_stat_init(st);
        st->size = b->size;
        st->valid |= ZIP_STAT_SIZE;
        return sizeof(*st);
    case ZIP_SOURCE_SEEK:
        n = zip_source_seek_compute_offset(b->at, b->size, data, len,
                                           &b->error);
        b->at = n >= 0 ? (uint64_t)n : b->at;
        return n >= 0 ? 0 : -1;
    case ZIP_SOURCE_TELL:
        return (zip_int64_t)b->at;
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&b->error, data, len);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
        return 0;
    default:
        zip_error_set(&b->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

static int open_archive(struct zip_in *z, int fd, uint64_t size)
{
    zip_source_t *source;
    zip_error_t error;

    z->bytes = arena_alloc(z->arena, sizeof(*z->bytes));
    z->bytes->fd = fd;
    z->bytes->size = size;
    zip_error_init(&z->bytes->error);
    zip_error_init(&error);
    source = zip_source_function_create(archive_bytes, z->bytes, &error);
    if (source)
        z->archive = zip_open_from_source(source, ZIP_CHECKCONS, &error);
    if (!z->archive) {
        zip_source_free(source);
        fail_name(z, DIAG_ZIP_BROKEN,
                  arena_fmt(z->arena, "%s", zip_error_strerror(&error)));
    }
    zip_error_fini(&error);
    return z->archive ? 0 : -1;
}

static bool differs(const struct zip_entry *e, const zip_stat_t *st)
{
    zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC |
                        ZIP_STAT_COMP_METHOD;

    return (st->valid & need) != need || st->size != e->size ||
           st->comp_size != e->packed || st->crc != e->crc ||
           st->comp_method != e->method;
}

/* libzip must see the same entries as zipdir.c, or one of both is fooled. Of
 * one that is encrypted it knows the plain sizes; nobody gets that far. */
static int compare_entry(struct zip_in *z, size_t i)
{
    struct zip_entry *e = &z->entries[i];
    const char *name = zip_get_name(z->archive, i, ZIP_FL_ENC_GUESS);
    zip_stat_t st;

    if (!name || zip_stat_index(z->archive, i, 0, &st) != 0 ||
        (!(e->flags & 1) && differs(e, &st)))
        return fail_name(z, DIAG_ZIP_BROKEN,
                         STR("its directory reads in two ways"));
    e->name = arena_str(z->arena, str_of(name));
    return 0;
}

int zipin_open(struct zip_in *z, int fd, const struct limits *limits,
               struct arena *a)
{
    off_t size = lseek(fd, 0, SEEK_END);

    *z = (struct zip_in){ .limits = limits, .arena = a };
    if (size < 0)
        return fail_name(z, DIAG_FILE_READ, STR("a ZIP must be a plain file"));
    if ((uint64_t)size > limits->v[LIMIT_INPUT])
        return zipin_limit(z, LIMIT_INPUT, STR("the file"));
    if (zipdir_read(z, fd, (uint64_t)size) != 0 ||
        open_archive(z, fd, (uint64_t)size) != 0)
        return -1;
    if ((uint64_t)zip_get_num_entries(z->archive, 0) != z->n_entries)
        return fail_name(z, DIAG_ZIP_BROKEN,
                         STR("its directory reads in two ways"));
    for (size_t i = 0; i < z->n_entries; i++)
        if (compare_entry(z, i) != 0)
            return -1;
    return 0;
}

static struct str last_part(struct str name)
{
    const char *slash = name.len ? memrchr(name.p, '/', name.len) : NULL;

    return slash ? str_from(name, (size_t)(slash - name.p) + 1) : name;
}

/* Folders are no members, nor is what a Mac puts beside each file. */
static bool is_member(const struct zip_entry *e)
{
    return !str_ends(e->name, STR("/")) &&
           !str_starts(e->name, STR("__MACOSX/"));
}

static bool fits(const struct zip_entry *e, struct str pattern)
{
    if (!is_member(e))
        return false;
    if (!pattern.len || glob_match_nocase(pattern, e->name))
        return true;
    return str_find_char(pattern, '/') < 0 &&
           glob_match_nocase(pattern, last_part(e->name));
}

static int open_member(struct zip_in *z, size_t index)
{
    const struct zip_entry *e = &z->entries[index];
    struct str how;

    z->member = e;
    z->n_read = 0;
    if (e->flags & 1)
        return zipin_fail(z, DIAG_ZIP_METHOD, e->name, STR("encrypted"),
                          STR(""));
    if (e->method != ZIP_CM_STORE && e->method != ZIP_CM_DEFLATE) {
        how = arena_fmt(z->arena, "packed by method %u", e->method);
        return zipin_fail(z, DIAG_ZIP_METHOD, e->name, how, STR(""));
    }
    if (glob_match_nocase(STR("*.zip"), e->name))
        return fail_name(z, DIAG_ZIP_NESTED, e->name);
    z->file = zip_fopen_index(z->archive, index, 0);
    if (!z->file)
        return fail_member(z, zip_strerror(z->archive));
    z->n_members++;
    return 1;
}

static void close_member(struct zip_in *z)
{
    if (z->file)
        zip_fclose(z->file);
    z->file = NULL;
}

/* The files of spreadsheets and word processors, whose XML is not data that
 * anybody means, unless a map names the very member. */
static bool is_office_file(const struct zip_in *z, struct str pattern)
{
    for (size_t i = 0; i < z->n_entries; i++)
        if (str_is(z->entries[i].name, "[Content_Types].xml") ||
            str_is(z->entries[i].name, "mimetype"))
            return str_find_char(pattern, '/') < 0;
    return false;
}

int zipin_next(struct zip_in *z, struct str pattern)
{
    close_member(z);
    if (z->next == 0 && is_office_file(z, pattern))
        return zipin_fail(z, DIAG_FILE_KIND,
                          STR("an Office file (XLSX, DOCX, ODS)"),
                          STR("a ZIP of data"), STR(""));
    while (z->next < z->n_entries) {
        size_t i = z->next++;

        if (fits(&z->entries[i], pattern))
            return open_member(z, i);
    }
    if (z->n_members)
        return 0;
    return fail_name(z, DIAG_ZIP_NO_MEMBER, pattern.len ? pattern : STR("*"));
}

void zipin_rewind(struct zip_in *z)
{
    close_member(z);
    z->next = 0;
}

int zipin_next_other(struct zip_in *z, struct str pattern,
                     bool (*wants)(void *ctx, struct str name), void *ctx)
{
    close_member(z);
    while (z->next < z->n_entries) {
        const struct zip_entry *e = &z->entries[z->next++];

        if (is_member(e) && !fits(e, pattern) && wants(ctx, e->name))
            return open_member(z, (size_t)(e - z->entries));
    }
    return 0;
}

int zipin_again(struct zip_in *z)
{
    close_member(z);
    return open_member(z, (size_t)(z->member - z->entries));
}

/* Is the member a ZIP? Its first bytes may come in several pieces. */
static bool is_nested(struct zip_in *z, const char *buf, size_t n)
{
    for (size_t i = 0; i < n && z->n_read + i < sizeof(z->head); i++)
        z->head[z->n_read + i] = buf[i];
    return z->n_read < sizeof(z->head) && z->n_read + n >= sizeof(z->head) &&
           zipin_is((struct str){ z->head, sizeof(z->head) });
}

/* All declared bytes were read: nothing may follow, and the CRC must fit. */
static ptrdiff_t member_end(struct zip_in *z)
{
    char extra;
    zip_int64_t got = zip_fread(z->file, &extra, 1);

    if (got > 0)
        return fail_name(z, DIAG_ZIP_SIZE, z->member->name);
    return got < 0 ? fail_member(z, zip_file_strerror(z->file)) : 0;
}

static ptrdiff_t pull(struct zip_in *z, char *buf, size_t n)
{
    uint64_t left = z->member->size - z->n_read;
    zip_int64_t got;

    if (left == 0)
        return member_end(z);
    got = zip_fread(z->file, buf, n < left ? n : left);
    if (got < 0)
        return fail_member(z, zip_file_strerror(z->file));
    if (got == 0)
        return fail_name(z, DIAG_ZIP_SIZE, z->member->name);
    if (is_nested(z, buf, (size_t)got))
        return fail_name(z, DIAG_ZIP_NESTED, z->member->name);
    z->n_read += (uint64_t)got;
    return (ptrdiff_t)got;
}

ptrdiff_t zipin_pull(void *ctx, char *buf, size_t n)
{
    struct zip_in *z = ctx;
    ptrdiff_t got = z->fault.set || n == 0 ? -1 : pull(z, buf, n);

    if (got < 0)
        errno = EIO;
    return got;
}

void zipin_close(struct zip_in *z)
{
    close_member(z);
    if (z->archive)
        zip_discard(z->archive);
    z->archive = NULL;
}

/* ---- writing ------------------------------------------------------------ */

enum {
    DOS_TIME = 0,
    DOS_DATE = 1 << 5 | 1, /* 1980-01-01, the first day that ZIP knows */
    DEFLATE_LEVEL = 6,
};

static zip_source_t *part_source(struct zip *archive,
                                 const struct zip_part *part)
{
    zip_source_t *source;
    FILE *f;
    int fd;

    if (part->path)
        return zip_source_file(archive, part->path, 0, -1);
    /* libzip reads on from where the file stands. */
    if (lseek(part->fd, 0, SEEK_SET) != 0)
        return NULL;
    fd = fcntl(part->fd, F_DUPFD_CLOEXEC, 0);
    f = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!f) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    source = zip_source_filep(archive, f, 0, -1);
    if (!source)
        (void)fclose(f);
    return source;
}

static int add_part(struct zip *archive, const struct zip_part *part)
{
    zip_source_t *source = part_source(archive, part);
    zip_int64_t at;
    zip_uint64_t i;

    if (!source)
        return -1;
    at = zip_file_add(archive, part->name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        return -1;
    }
    i = (zip_uint64_t)at;
    if (zip_set_file_compression(archive, i, ZIP_CM_DEFLATE, DEFLATE_LEVEL) !=
            0 ||
        zip_file_set_dostime(archive, i, DOS_TIME, DOS_DATE, 0) != 0)
        return -1;
    return zip_file_set_external_attributes(
        archive, i, 0, ZIP_OPSYS_UNIX, (zip_uint32_t)(S_IFREG | 0644) << 16);
}

static const char *why(struct zip *archive)
{
    return zip_error_code_zip(zip_get_error(archive)) ? zip_strerror(archive)
                                                      : strerror(errno);
}

int zipout_write(const char *path, const struct zip_part *parts, size_t n,
                 struct err *e)
{
    int code = 0;
    struct zip *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);

    if (!archive)
        return err_set(e, ERR_RETRY, "cannot make %s: ZIP error %d", path,
                       code);
    for (size_t i = 0; i < n; i++)
        if (add_part(archive, &parts[i]) != 0) {
            err_set(e, ERR_RETRY, "cannot pack %s: %s", parts[i].name,
                    why(archive));
            zip_discard(archive);
            return -1;
        }
    if (zip_close(archive) == 0)
        return 0;
    err_set(e, ERR_RETRY, "cannot write %s: %s", path, why(archive));
    zip_discard(archive);
    return -1;
}
