/*
 * t_zip.c - formats/zip.c, zipdir.c: honest archives, and those that lie.
 *
 * The archives are put together byte by byte here, since no packer makes
 * most of them.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/zip.h"

static const char *const fault_names[] = {
#define X(id, name, level, text) name,
    DIAGS(X)
#undef X
};

/* ---- making archives ----------------------------------------------------- */

enum { STORED = 0, DEFLATED = 8, BZIP2 = 12, ENCRYPTED = 1 };

struct entry {
    const char *name, *data;
    uint16_t method, flags;
    uint32_t mode;          /* of Unix */
    int32_t size_lie;       /* added to the declared size */
    uint32_t packed_lie;    /* added to the packed size */
    uint32_t crc_lie;       /* flips bits of the CRC */
    const char *local_name; /* NULL: the same */
};

enum tweak {
    HONEST,
    OVERLAP,  /* the first entry's data is the second one with its header */
    SAME,     /* both entries of the directory name the first one's data */
    CUT,      /* the last 10 bytes are missing */
    CUT_MORE, /* the file ends in the first entry */
    JUNK_END,
    JUNK_START,
    COUNT_LIE,   /* the end record tells of one entry more */
    TWO_ENDS,    /* an end record in the comment of the end record */
    CUT_COMMENT, /* the end record's comment is shorter than it says */
    ZIP64,       /* the end record is that of a ZIP64 */
    FAR,         /* the first entry is said to begin past the end */
};

static void put16(struct buf *b, uint32_t v)
{
    buf_addc(b, (char)(v & 0xff));
    buf_addc(b, (char)(v >> 8 & 0xff));
}

static void put32(struct buf *b, uint32_t v)
{
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

static uint32_t crc_of(struct str s)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* The fields that both headers have. */
static void put_common(struct buf *b, const struct entry *e, struct str data,
                       const char *name)
{
    uint32_t extra = e->method == DEFLATED ? 5 : 0;

    put16(b, 20);
    put16(b, e->flags);
    put16(b, e->method);
    put32(b, 0x21 << 16);
    put32(b, crc_of(data) ^ e->crc_lie);
    put32(b, (uint32_t)data.len + extra + e->packed_lie);
    put32(b, (uint32_t)((int64_t)data.len + e->size_lie));
    put16(b, (uint32_t)strlen(name));
    put16(b, 0);
}

/* Deflated data is one stored block. */
static void put_local(struct buf *b, const struct entry *e, struct str data)
{
    const char *name = e->local_name ? e->local_name : e->name;

    buf_add(b, STR("PK\3\4"));
    put_common(b, e, data, name);
    buf_addz(b, name);
    if (e->method == DEFLATED) {
        buf_addc(b, 1);
        put16(b, (uint32_t)data.len);
        put16(b, ~(uint32_t)data.len & 0xffff);
    }
    buf_add(b, data);
}

static void put_central(struct buf *b, const struct entry *e, struct str data,
                        size_t offset)
{
    buf_add(b, STR("PK\1\2"));
    put16(b, 3 << 8 | 20);
    put_common(b, e, data, e->name);
    put16(b, 0);
    put16(b, 0);
    put16(b, 0);
    put32(b, e->mode << 16);
    put32(b, (uint32_t)offset);
    buf_addz(b, e->name);
}

static void put_end(struct buf *b, size_t n, size_t start, enum tweak tweak)
{
    size_t size = b->len - start;

    if (tweak == ZIP64)
        buf_add(b, STR("PK\6\7\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"));
    buf_add(b, STR("PK\5\6\0\0\0\0"));
    put16(b, (uint32_t)n + (tweak == COUNT_LIE));
    put16(b, (uint32_t)n + (tweak == COUNT_LIE));
    put32(b, (uint32_t)size);
    put32(b, (uint32_t)(tweak == JUNK_START ? start - 4 : start));
    put16(b, tweak == TWO_ENDS || tweak == CUT_COMMENT ? 22 : 0);
    if (tweak == TWO_ENDS)
        put_end(b, n, start, HONEST);
}

static void make_zip(struct buf *b, const struct entry *e, size_t n,
                     enum tweak tweak)
{
    struct buf inner;
    struct str data[4];
    size_t offset[4], start;

    buf_init(&inner, 4096);
    for (size_t i = 0; i < n; i++)
        data[i] = str_of(e[i].data);
    if (tweak == OVERLAP) {
        put_local(&inner, &e[1], data[1]);
        data[0] = buf_str(&inner);
    }
    if (tweak == JUNK_START)
        buf_addz(b, "junk");
    for (size_t i = 0; i < n; i++) {
        offset[i] = b->len;
        put_local(b, &e[i], data[i]);
        if (tweak == OVERLAP) {
            offset[1] = b->len - inner.len;
            break;
        }
    }
    if (tweak == SAME)
        offset[1] = offset[0];
    if (tweak == FAR)
        offset[0] = 1 << 20;
    start = b->len;
    for (size_t i = 0; i < n; i++)
        put_central(b, &e[i], data[i], offset[i]);
    put_end(b, n, start, tweak);
    if (tweak == JUNK_END)
        buf_addz(b, "junk");
    b->len = tweak == CUT ? b->len - 10 : tweak == CUT_MORE ? 35 : b->len;
    buf_release(&inner);
}

static int file_of(struct str s)
{
    int fd = memfd_create("t_zip", 0);

    assert_int_equal(write(fd, s.p, s.len), s.len);
    return fd;
}

/* ---- reading them -------------------------------------------------------- */

static void put_fault(struct buf *out, const struct zip_fault *f)
{
    buf_addf(out, "!%s(", fault_names[f->id]);
    for (size_t i = 0; i < f->n_args; i++) {
        buf_addz(out, i ? "," : "");
        buf_add(out, f->args[i]);
    }
    buf_addc(out, ')');
}

static int read_member(struct zip_in *z, struct buf *out)
{
    ptrdiff_t n;
    char piece[3];

    buf_add(out, z->member->name);
    buf_addc(out, '=');
    while ((n = zipin_pull(z, piece, sizeof(piece))) > 0)
        if (buf_add(out, (struct str){ piece, (size_t)n }) != 0)
            break;
    buf_addc(out, '/');
    return n < 0 ? -1 : 0;
}

static void read_zip(int fd, const struct limits *limits, struct str pattern,
                     struct buf *out)
{
    struct arena a = { 0 };
    struct zip_in z;
    int rc = zipin_open(&z, fd, limits, &a), more = 1;

    while (rc == 0 && (more = zipin_next(&z, pattern)) > 0)
        rc = read_member(&z, out);
    if (rc != 0 || more < 0) {
        assert_true(z.fault.set);
        put_fault(out, &z.fault);
    }
    zipin_close(&z);
    arena_release(&a);
}

#define NAME_10 "1234567890"
#define NAME_100                                                            \
    NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 \
        NAME_10

static struct zip_case {
    int line; /* in this file */
    const char *name, *want;
    struct entry entries[3];
    enum tweak tweak;
    const char *pattern;
} cases[] = {
/* The designator lets the fields at the end be left out. */
#define AT .line = __LINE__
    { AT,
      "stored and deflated members",
      "a.csv=1;2/b.csv=3;4/",
      { { .name = "a.csv", "1;2" }, { .name = "b.csv", "3;4", DEFLATED } } },
    { AT, "an empty member", "a=/", { { .name = "a", "" } } },
    { AT,
      "a pattern chooses",
      "b.csv=2/",
      { { .name = "a.jpg", "1" }, { .name = "b.csv", "2" } },
      HONEST,
      "*.CSV" },
    { AT,
      "a pattern fits a name in a folder",
      "x/b.csv=2/",
      { { .name = "x/", "" }, { .name = "x/b.csv", "2" } },
      HONEST,
      "b.csv" },
    { AT,
      "folders and a Mac's extras are no members",
      "x/a=1/",
      { { .name = "x/", "", .mode = S_IFDIR | 0755 },
        { .name = "x/a", "1", .mode = S_IFREG | 0644 },
        { .name = "__MACOSX/x/._a", "2" } } },
    { AT,
      "nothing fits",
      "!zip-no-member(*.xml)",
      { { .name = "a.csv", "1" } },
      HONEST,
      "*.xml" },
    { AT, "an empty archive", "!zip-no-member(*)", { { .name = NULL } } },
    { AT,
      "a name in UTF-8",
      "žluť.csv=1/",
      { { .name = "žluť.csv", "1", .flags = 1 << 11 } } },
    { AT, "a name in CP437", "Köln=1/", { { .name = "K\x94ln", "1" } } },

    { AT,
      "two entries share their data",
      "!zip-overlap(a.csv and b.csv)",
      { { .name = "a.csv", "" }, { .name = "b.csv", "12345" } },
      OVERLAP },
    { AT,
      "two entries are the same place",
      "!zip-overlap(a and a)",
      { { .name = "a", "1" }, { .name = "a", "1" } },
      SAME },
    { AT,
      "stored with a wrong size",
      "!zip-broken(a: stored with two sizes)",
      { { .name = "a", "12345", .size_lie = -1 } } },
    { AT,
      "unpacks to more than it says",
      "a=1234/!zip-size(a)",
      { { .name = "a", "12345", DEFLATED, .size_lie = -1 } } },
    { AT,
      "unpacks to less than it says",
      "a=12345/!zip-size(a)",
      { { .name = "a", "12345", DEFLATED, .size_lie = 1 } } },
    { AT,
      "a wrong CRC",
      "a=12345/!zip-broken(a: CRC error)",
      { { .name = "a", "12345", DEFLATED, .crc_lie = 1 } } },
    { AT,
      "a wrong CRC of stored data",
      "a=12345/!zip-broken(a: CRC error)",
      { { .name = "a", "12345", .crc_lie = 1 } } },
    { AT,
      "two names for one entry",
      "!zip-broken(a: its header and the directory differ)",
      { { .name = "a", "1", .local_name = "b" } } },
    { AT,
      "an entry past the end",
      "!zip-broken(a: it lies outside of the file)",
      { { .name = "a", "1" } },
      FAR },

    { AT,
      "an entry that reaches into the directory",
      "!zip-broken(a: it lies outside of the file)",
      { { .name = "a", "1", DEFLATED, .packed_lie = 1 } } },
    { AT,
      "what came through a pipe",
      "a=1/",
      { { .name = "a", "1", .mode = S_IFIFO | 0600 } } },

    { AT,
      "a name that climbs",
      "!zip-name(../a)",
      { { .name = "../a", "1" } } },
    { AT,
      "a name that climbs later",
      "!zip-name(x/../../a)",
      { { .name = "x/../../a", "1" } } },
    { AT, "an absolute name", "!zip-name(/a)", { { .name = "/a", "1" } } },
    { AT, "a name with a drive", "!zip-name(C:a)", { { .name = "C:a", "1" } } },
    { AT,
      "a name with a backslash",
      "!zip-name(x\\a)",
      { { .name = "x\\a", "1" } } },
    { AT,
      "a name with a line break",
      "!zip-name(a\nb)",
      { { .name = "a\nb", "1" } } },
    { AT, "an empty name", "!zip-name()", { { .name = "", "1" } } },
    { AT,
      "a dot before a name is harmless",
      ".a..=1/",
      { { .name = ".a..", "1" } } },
    { AT,
      "names that differ in case only",
      "!zip-name(ä.csv stands twice)",
      { { .name = "Ä.csv", "1" }, { .name = "ä.csv", "2" } } },
    { AT,
      "a name of 300 bytes",
      "!limit(the name of a ZIP entry,255,zip-name)",
      { { .name = NAME_100 NAME_100 NAME_100, "1" } } },

    { AT,
      "a symbolic link",
      "!zip-method(a,a symbolic link)",
      { { .name = "a", "/etc/passwd", .mode = S_IFLNK | 0777 } } },
    { AT,
      "a device",
      "!zip-method(a,no plain file)",
      { { .name = "a", "", .mode = S_IFCHR | 0666 } } },
    { AT,
      "encrypted",
      "!zip-method(a,encrypted)",
      { { .name = "a", "1234567890123", STORED, ENCRYPTED } } },
    { AT,
      "another method",
      "!zip-method(a,packed by method 12)",
      { { .name = "a", "1", BZIP2 } } },
    { AT,
      "another method where nobody asks",
      "b=2/",
      { { .name = "a", "1", BZIP2 }, { .name = "b", "2" } },
      HONEST,
      "b" },
    { AT,
      "a ZIP in a ZIP by its name",
      "!zip-nested(a.ZIP)",
      { { .name = "a.ZIP", "1" } } },
    { AT,
      "a ZIP in a ZIP by its bytes",
      "a.csv=PK\3/!zip-nested(a.csv)",
      { { .name = "a.csv", "PK\3\4..." } } },

    { AT,
      "cut at the end",
      "!file-truncated(the ZIP's directory is missing)",
      { { .name = "a", "1" } },
      CUT_MORE },
    { AT,
      "cut in the end record",
      "!file-truncated(the ZIP's directory is missing)",
      { { .name = "a", "1" } },
      CUT },
    { AT,
      "cut in the comment",
      "!file-truncated(the ZIP's directory is missing)",
      { { .name = "a", "1" } },
      CUT_COMMENT },
    { AT,
      "ZIP64, as zip writes what comes through a pipe",
      "!zip-broken(ZIP64 is not supported)",
      { { .name = "a", "1" } },
      ZIP64 },
    { AT,
      "bytes behind the end",
      "!zip-broken(bytes stand behind its end)",
      { { .name = "a", "1" } },
      JUNK_END },
    { AT,
      "bytes before the start",
      "!zip-broken(its directory does not end at its end record)",
      { { .name = "a", "1" } },
      JUNK_START },
    { AT,
      "one entry too few",
      "!zip-broken(its directory has a wrong size)",
      { { .name = "a", "1" } },
      COUNT_LIE },
    { AT,
      "two end records",
      "!zip-broken(it has two end records)",
      { { .name = "a", "1" } },
      TWO_ENDS },
#undef AT
};

static void test_case(void **state)
{
    const struct zip_case *c = *state;
    struct limits limits;
    struct buf zip, got;
    size_t n = 0;
    int fd;

    limits_default(&limits);
    buf_init(&zip, 1 << 16);
    buf_init(&got, 4096);
    while (n < COUNT(c->entries) && c->entries[n].name)
        n++;
    make_zip(&zip, c->entries, n, c->tweak);
    fd = file_of(buf_str(&zip));
    read_zip(fd, &limits, str_of(c->pattern), &got);
    if (!str_is(buf_str(&got), c->want))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line, STR_ARGS(buf_str(&got)));
    close(fd);
    buf_release(&zip);
    buf_release(&got);
}

/* ---- limits -------------------------------------------------------------- */

static struct limit_case {
    int line;
    const char *name, *want;
    enum limit_id limit;
    uint64_t value;
} limit_cases[] = {
    { __LINE__, "too many entries",
      "!limit(the number of entries,1,zip-entries)", LIMIT_ZIP_ENTRIES, 1 },
    { __LINE__, "an entry too large", "!limit(ZIP entry b,9,zip-entry)",
      LIMIT_ZIP_ENTRY, 9 },
    { __LINE__, "entries too large together",
      "!limit(the unpacked ZIP,14,zip-total)", LIMIT_ZIP_TOTAL, 14 },
    { __LINE__, "a file too large", "!limit(the file,99,input)", LIMIT_INPUT,
      99 },
};

static void test_limit(void **state)
{
    static const struct entry entries[] = {
        { .name = "a", .data = "12345" }, { .name = "b", .data = "1234567890" }
    };
    const struct limit_case *c = *state;
    struct limits limits;
    struct buf zip, got;
    int fd;

    limits_default(&limits);
    limits.v[c->limit] = c->value;
    buf_init(&zip, 1 << 16);
    buf_init(&got, 4096);
    make_zip(&zip, entries, 2, HONEST);
    fd = file_of(buf_str(&zip));
    read_zip(fd, &limits, STR(""), &got);
    if (!str_is(buf_str(&got), c->want))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line, STR_ARGS(buf_str(&got)));
    close(fd);
    buf_release(&zip);
    buf_release(&got);
}

/* ---- archives of our own ------------------------------------------------- */

static char folder[] = "/tmp/t_zip.XXXXXX";

static struct str slurp(const char *path, struct buf *b)
{
    char piece[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n;

    buf_init(b, 1 << 20);
    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(b, (struct str){ piece, (size_t)n });
    close(fd);
    return buf_str(b);
}

static void pack(const char *path, const struct zip_part *parts, size_t n)
{
    struct err e;

    if (zipout_write(path, parts, n, &e) != 0)
        fail_msg("%s", e.text);
}

static void read_path(const char *path, struct buf *out)
{
    struct limits limits;
    int fd = open(path, O_RDONLY);

    limits_default(&limits);
    read_zip(fd, &limits, STR(""), out);
    close(fd);
}

static void test_pack(void **state)
{
    char path[64], twin[64];
    struct buf got, one, two;
    struct zip_part parts[] = { { "a.csv", NULL, -1 },
                                { "žlutý.xml", NULL, -1 } };

    (void)state;
    snprintf(path, sizeof(path), "%s/pack.zip", folder);
    snprintf(twin, sizeof(twin), "%s/twin.zip", folder);
    parts[0].fd = file_of(STR("1;2\n"));
    parts[1].fd = file_of(STR("<a/>"));
    pack(path, parts, 2);
    usleep(10000);
    pack(twin, parts, 2);
    buf_init(&got, 4096);
    read_path(path, &got);
    if (!str_is(buf_str(&got), "a.csv=1;2\n/žlutý.xml=<a/>/"))
        fail_msg("got %.*s", STR_ARGS(buf_str(&got)));
    assert_true(str_eq(slurp(path, &one), slurp(twin, &two)));
    close(parts[0].fd);
    close(parts[1].fd);
    unlink(twin);
    buf_release(&got);
    buf_release(&one);
    buf_release(&two);

    /* A packed file by its path, and a ZIP that replaces another. */
    parts[0] = (struct zip_part){ "x", path, -1 };
    snprintf(twin, sizeof(twin), "%s/outer", folder);
    pack(twin, parts, 1);
    buf_init(&got, 4096);
    read_path(twin, &got);
    assert_true(str_is(buf_str(&got), "x=PK\3/!zip-nested(x)"));
    buf_release(&got);
    unlink(path);
    unlink(twin);
}

static void test_pack_fails(void **state)
{
    struct zip_part part = { "a", "/nonexistent/file", -1 };
    struct err e = { 0 };
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "%s/never.zip", folder);
    assert_int_equal(zipout_write(path, &part, 1, &e), -1);
    assert_true(e.text[0] != '\0');
    assert_int_equal(access(path, F_OK), -1);
}

/* 4 MB of zeros: a ratio of about 1000. */
static void test_ratio(void **state)
{
    struct zip_part part = { "zeros", NULL, memfd_create("zeros", 0) };
    struct buf got;
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "%s/zeros.zip", folder);
    assert_int_equal(ftruncate(part.fd, MB(4)), 0);
    pack(path, &part, 1);
    buf_init(&got, 4096);
    read_path(path, &got);
    assert_true(str_is(buf_str(&got),
                       "!limit(the compression ratio of zeros,200,zip-ratio)"));
    close(part.fd);
    unlink(path);
    buf_release(&got);
}

/* Any single wrong byte: told, or harmless; never a crash or an overrun. */
static void test_flipped_bytes(void **state)
{
    static const struct entry entries[] = {
        { .name = "a", .data = "12345", .method = DEFLATED },
        { .name = "b", .data = "1234567890" }
    };
    struct limits limits;
    struct buf zip, got;

    (void)state;
    limits_default(&limits);
    buf_init(&zip, 1 << 16);
    buf_init(&got, 4096);
    make_zip(&zip, entries, 2, HONEST);
    for (size_t i = 0; i < zip.len; i++)
        for (int flip = 1; flip < 256; flip *= 2) {
            int fd;

            zip.p[i] = (char)(zip.p[i] ^ flip);
            fd = file_of(buf_str(&zip));
            buf_clear(&got);
            read_zip(fd, &limits, STR(""), &got);
            assert_true(str_find_char(buf_str(&got), '!') >= 0 ||
                        str_is(buf_str(&got), "a=12345/b=1234567890/"));
            close(fd);
            zip.p[i] = (char)(zip.p[i] ^ flip);
        }
    buf_release(&zip);
    buf_release(&got);
}

static void test_is(void **state)
{
    (void)state;
    assert_true(zipin_is(STR("PK\3\4abc")));
    assert_true(zipin_is(STR("PK\5\6")));
    assert_false(zipin_is(STR("PK")));
    assert_false(zipin_is(STR("a;b")));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const struct CMUnitTest facts[] = {
    cmocka_unit_test(test_pack),  cmocka_unit_test(test_pack_fails),
    cmocka_unit_test(test_ratio), cmocka_unit_test(test_flipped_bytes),
    cmocka_unit_test(test_is),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(limit_cases) + COUNT(facts)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(limit_cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_limit, &limit_cases[i]);
    for (size_t i = 0; i < COUNT(facts); i++)
        tests[n++] = facts[i];
    return cmocka_run_group_tests_name("zip", tests, make_folder, drop_folder);
}
