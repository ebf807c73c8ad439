/*
 * zipdir.c - our own look at a ZIP's directory, before libzip opens it.
 *
 * The rule behind the checks: every entry has its own bytes in the file, the
 * directory stands right behind them and the end record right behind it.
 * ZIP64 is not read: nothing within our limits needs it.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "formats/zip.h"

enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20, /* before the end record, in a ZIP64 only */
    DIR_SIZE = 46,
    LOCAL_SIZE = 30,
    MAX_COMMENT = 65535,
    MAX_EXTRA = 1024, /* extra fields and comment of an entry, on average */
    SMALL_DIR = 256 * 1024, /* up to here a single one may have all of it */
    IS_UTF8 = 1 << 11,      /* a flag of an entry */
};

static uint16_t get16(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint16_t)(u[0] | u[1] << 8);
}

static uint32_t get32(const char *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static int broken(struct zip_in *z, struct str why)
{
    return zipin_fail(z, DIAG_ZIP_BROKEN, why, STR(""), STR(""));
}

static int broken_entry(struct zip_in *z, const struct zip_entry *e,
                        const char *why)
{
    return broken(z,
                  arena_fmt(z->arena, "%.*s: %s", STR_ARGS(e->raw_name), why));
}

static int read_at(struct zip_in *z, int fd, char *to, size_t n, uint64_t at)
{
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);

        if (got <= 0)
            return broken(z, STR("it cannot be read to its end"));
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

/* ---- the end record ----------------------------------------------------- */

/* Where the one end record stands in the file's tail: -1: fault. */
static ptrdiff_t find_end(struct zip_in *z, struct str tail)
{
    ptrdiff_t found = -1;
    bool has_more = false;

    for (size_t at = 0; at + END_SIZE <= tail.len; at++) {
        size_t end;

        if (memcmp(tail.p + at, "PK\5\6", 4) != 0)
            continue;
        end = at + END_SIZE + get16(tail.p + at + 20);
        has_more = has_more || end < tail.len;
        if (end != tail.len)
            continue;
        if (found >= 0)
            return broken(z, STR("it has two end records"));
        found = (ptrdiff_t)at;
    }
    if (found < 0 && has_more)
        return broken(z, STR("bytes stand behind its end"));
    if (found < 0)
        return zipin_fail(z, DIAG_FILE_TRUNCATED,
                          STR("the ZIP's directory is missing"), STR(""),
                          STR(""));
    return found;
}

struct end_record {
    uint64_t dir_start, dir_size;
    size_t n_entries;
};

static int check_end(struct zip_in *z, const char *p, uint64_t at,
                     struct end_record *end)
{
    *end = (struct end_record){ get32(p + 16), get32(p + 12), get16(p + 10) };
    if (end->dir_start == UINT32_MAX || end->n_entries == UINT16_MAX)
        return broken(z, STR("ZIP64 is not supported"));
    if (end->n_entries > z->limits->v[LIMIT_ZIP_ENTRIES])
        return zipin_limit(z, LIMIT_ZIP_ENTRIES, STR("the number of entries"));
    if (get16(p + 4) || get16(p + 6) || get16(p + 8) != end->n_entries)
        return broken(z, STR("it is a part of several"));
    if (end->dir_start + end->dir_size != at)
        return broken(z, STR("its directory does not end at its end record"));
    if (end->dir_size < end->n_entries * (uint64_t)DIR_SIZE ||
        (end->dir_size > SMALL_DIR &&
         end->dir_size > end->n_entries * (DIR_SIZE + MAX_EXTRA +
                                           z->limits->v[LIMIT_ZIP_NAME])))
        return broken(z, STR("its directory has a wrong size"));
    return 0;
}

static int read_end(struct zip_in *z, int fd, uint64_t file_size,
                    struct end_record *end)
{
    size_t n = file_size < END_SIZE + MAX_COMMENT ? (size_t)file_size
                                                  : END_SIZE + MAX_COMMENT;
    char *tail = xrealloc(NULL, n + 1);
    uint64_t from = file_size - n;
    ptrdiff_t at;
    int rc = read_at(z, fd, tail, n, from);

    if (rc == 0) {
        at = find_end(z, (struct str){ tail, n });
        if (at >= LOCATOR_SIZE &&
            memcmp(tail + at - LOCATOR_SIZE, "PK\6\7", 4) == 0)
            at = broken(z, STR("ZIP64 is not supported"));
        rc = at < 0 ? -1 : check_end(z, tail + at, from + (uint64_t)at, end);
    }
    free(tail);
    return rc;
}

/* ---- one entry ---------------------------------------------------------- */

static bool is_unsafe_part(struct str part)
{
    return str_is(part, "..") || str_is(part, ".");
}

/* Names that would lead out of a folder, or fool who reads them. */
static bool is_unsafe(struct str name)
{
    struct str rest = name;

    if (!name.len || name.p[0] == '/' || (name.len > 1 && name.p[1] == ':'))
        return true;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 127 ||
            name.p[i] == '\\')
            return true;
    while (rest.len) {
        ptrdiff_t slash = str_find_char(rest, '/');
        struct str part = slash < 0 ? rest : str_first(rest, (size_t)slash);

        if (is_unsafe_part(part))
            return true;
        rest = str_from(rest, part.len + 1);
    }
    return false;
}

/* "a/b/c.csv": 3; a slash at the end is that of a folder. */
static uint64_t depth_of(struct str name)
{
    uint64_t n = 1;

    for (size_t i = 0; i + 1 < name.len; i++)
        n += name.p[i] == '/';
    return n;
}

static int check_name(struct zip_in *z, const struct zip_entry *e)
{
    if (e->raw_name.len > z->limits->v[LIMIT_ZIP_NAME])
        return zipin_limit(z, LIMIT_ZIP_NAME, STR("the name of a ZIP entry"));
    if (is_unsafe(e->raw_name) ||
        ((e->flags & IS_UTF8) && utf8_valid_len(e->raw_name) < e->raw_name.len))
        return zipin_fail(z, DIAG_ZIP_NAME, e->raw_name, STR(""), STR(""));
    if (depth_of(e->raw_name) > z->limits->v[LIMIT_ZIP_DEPTH])
        return zipin_limit(z, LIMIT_ZIP_DEPTH,
                           STR("the depth of a name in the ZIP"));
    return 0;
}

static int check_kind(struct zip_in *z, const struct zip_entry *e)
{
    uint32_t kind = e->mode & S_IFMT;

    /* A packer marks what it read from a pipe so. */
    if (kind == 0 || kind == S_IFREG || kind == S_IFDIR || kind == S_IFIFO)
        return 0;
    return zipin_fail(z, DIAG_ZIP_METHOD, e->raw_name,
                      kind == S_IFLNK ? STR("a symbolic link")
                                      : STR("no plain file"),
                      STR(""));
}

static bool is_over_ratio(uint64_t size, uint64_t packed, uint64_t limit)
{
    return size > MB(1) && (packed == 0 || size / packed > limit);
}

static int check_size(struct zip_in *z, const struct zip_entry *e)
{
    struct str what;

    if (e->size == UINT32_MAX || e->packed == UINT32_MAX)
        return broken_entry(z, e, "ZIP64 is not supported");
    if (e->method == 0 && !(e->flags & 1) && e->size != e->packed)
        return broken_entry(z, e, "stored with two sizes");
    if (e->size > z->limits->v[LIMIT_ZIP_ENTRY]) {
        what = arena_fmt(z->arena, "ZIP entry %.*s", STR_ARGS(e->raw_name));
        return zipin_limit(z, LIMIT_ZIP_ENTRY, what);
    }
    if (is_over_ratio(e->size, e->packed, z->limits->v[LIMIT_ZIP_RATIO])) {
        what = arena_fmt(z->arena, "the compression ratio of %.*s",
                         STR_ARGS(e->raw_name));
        return zipin_limit(z, LIMIT_ZIP_RATIO, what);
    }
    return 0;
}

/* Sets e->end from the header in front of the data, which must agree. */
static int check_local(struct zip_in *z, int fd, struct zip_entry *e,
                       uint64_t dir_start)
{
    char head[LOCAL_SIZE + UINT8_MAX + 1], *name = head + LOCAL_SIZE;
    size_t n = e->raw_name.len;

    if (e->start > dir_start || dir_start - e->start < LOCAL_SIZE + n)
        return broken_entry(z, e, "it lies outside of the file");
    if (n > sizeof(head) - LOCAL_SIZE)
        name = arena_text(z->arena, n);
    if (read_at(z, fd, head, LOCAL_SIZE, e->start) != 0 ||
        read_at(z, fd, name, n, e->start + LOCAL_SIZE) != 0)
        return -1;
    if (memcmp(head, "PK\3\4", 4) != 0 || get16(head + 26) != n ||
        memcmp(name, e->raw_name.p, n) != 0 || get16(head + 8) != e->method ||
        ((get16(head + 6) ^ e->flags) & 1))
        return broken_entry(z, e, "its header and the directory differ");
    e->end = e->start + LOCAL_SIZE + n + get16(head + 28) + e->packed;
    if (e->end > dir_start)
        return broken_entry(z, e, "it lies outside of the file");
    return 0;
}

/* The entry at dir.p; *size: what it takes there. */
static int parse_entry(struct zip_in *z, struct str dir, struct zip_entry *e,
                       size_t *size)
{
    const char *p = dir.p;
    size_t n_name;

    if (dir.len < DIR_SIZE || memcmp(p, "PK\1\2", 4) != 0)
        return broken(z, STR("its directory is damaged"));
    n_name = get16(p + 28);
    *size = DIR_SIZE + n_name + get16(p + 30) + get16(p + 32);
    if (dir.len < *size || get16(p + 34) != 0)
        return broken(z, STR("its directory is damaged"));
    e->flags = get16(p + 8);
    e->method = get16(p + 10);
    e->crc = get32(p + 16);
    e->packed = get32(p + 20);
    e->size = get32(p + 24);
    e->mode = get32(p + 38) >> 16;
    e->start = get32(p + 42);
    e->raw_name = arena_str(z->arena, (struct str){ p + DIR_SIZE, n_name });
    return 0;
}

/* ---- all entries together ----------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    const struct zip_entry *x = *(struct zip_entry *const *)a;
    const struct zip_entry *y = *(struct zip_entry *const *)b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static int check_overlap(struct zip_in *z)
{
    struct zip_entry **sorted =
        arena_alloc(z->arena, (z->n_entries + 1) * sizeof(*sorted));

    for (size_t i = 0; i < z->n_entries; i++)
        sorted[i] = &z->entries[i];
    qsort(sorted, z->n_entries, sizeof(*sorted), by_start);
    for (size_t i = 1; i < z->n_entries; i++)
        if (sorted[i]->start < sorted[i - 1]->end)
            return zipin_fail(z, DIAG_ZIP_OVERLAP,
                              arena_fmt(z->arena, "%.*s and %.*s",
                                        STR_ARGS(sorted[i - 1]->raw_name),
                                        STR_ARGS(sorted[i]->raw_name)),
                              STR(""), STR(""));
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Two names that a file system without case would take for one. */
static int check_twice(struct zip_in *z)
{
    struct str *names =
        arena_alloc(z->arena, (z->n_entries + 1) * sizeof(*names));

    for (size_t i = 0; i < z->n_entries; i++)
        names[i] = text_lower(
            z->arena, text_nfc(z->arena, z->entries[i].raw_name), STR(""));
    qsort(names, z->n_entries, sizeof(*names), by_text);
    for (size_t i = 1; i < z->n_entries; i++)
        if (str_eq(names[i - 1], names[i]))
            return zipin_fail(
                z, DIAG_ZIP_NAME,
                arena_fmt(z->arena, "%.*s stands twice", STR_ARGS(names[i])),
                STR(""), STR(""));
    return 0;
}

static int check_total(struct zip_in *z, uint64_t file_size)
{
    uint64_t total = 0;

    for (size_t i = 0; i < z->n_entries; i++)
        total += z->entries[i].size;
    if (total > z->limits->v[LIMIT_ZIP_TOTAL])
        return zipin_limit(z, LIMIT_ZIP_TOTAL, STR("the unpacked ZIP"));
    if (is_over_ratio(total, file_size, z->limits->v[LIMIT_ZIP_RATIO_ALL]))
        return zipin_limit(z, LIMIT_ZIP_RATIO_ALL,
                           STR("the compression ratio of the ZIP"));
    return 0;
}

static int read_entries(struct zip_in *z, int fd, struct str dir,
                        uint64_t dir_start)
{
    for (size_t i = 0; i < z->n_entries; i++) {
        struct zip_entry *e = &z->entries[i];
        size_t n = 0;

        if (parse_entry(z, dir, e, &n) != 0 || check_name(z, e) != 0 ||
            check_kind(z, e) != 0 || check_size(z, e) != 0 ||
            check_local(z, fd, e, dir_start) != 0)
            return -1;
        dir = str_from(dir, n);
    }
    return dir.len ? broken(z, STR("its directory is damaged")) : 0;
}

int zipdir_read(struct zip_in *z, int fd, uint64_t file_size)
{
    struct end_record end;
    char *dir;
    int rc;

    if (read_end(z, fd, file_size, &end) != 0)
        return -1;
    z->n_entries = end.n_entries;
    z->entries =
        arena_alloc(z->arena, (end.n_entries + 1) * sizeof(*z->entries));
    dir = xrealloc(NULL, (size_t)end.dir_size + 1);
    rc = read_at(z, fd, dir, (size_t)end.dir_size, end.dir_start);
    if (rc == 0)
        rc = read_entries(z, fd, (struct str){ dir, (size_t)end.dir_size },
                          end.dir_start);
    free(dir);
    if (rc != 0 || check_overlap(z) != 0 || check_twice(z) != 0)
        return -1;
    return check_total(z, file_size);
}
