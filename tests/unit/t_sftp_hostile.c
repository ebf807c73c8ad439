/*
 * t_sftp_hostile.c - the courier and servers that lie (tests/sftp/hostile.c):
 * what the keeper is told, in bounded memory, and with nothing written anywhere
 * but into the file that he gave.
 */
#include "tests/unit/courier_run.h"

#include "spool/jail.h" /* JAIL_IS_OPEN: the sanitizer's address space */

static struct courier c;

enum { MEMORY = 192 * 1024 * 1024, NAME_CUT = 255 };

static int begin(void **state)
{
    (void)state;
    tree_make();
    assert_int_equal(chdir(tree_root), 0);
    c = (struct courier){ .memory = JAIL_IS_OPEN ? 0 : MEMORY };
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(n_names("."), 0);
    assert_int_equal(chdir("/"), 0);
    tree_drop();
    return 0;
}

static void start(const char *script)
{
    static char program[PATH_MAX];
    const char *words[] = { program, script, NULL };

    snprintf(program, sizeof(program), "%s", built("tests/sftp/hostile"));
    courier_start(&c, words);
}

/* ---- one question each --------------------------------------------------- */

#define TEXT "0123456789"

/* LOST: the session ended, and why is in the DONE with tag 0. */
static const struct row {
    const char *name, *script;
    enum wire_kind ask;
    const char *outcome, *text;
} rows[] = {
#define X(kind) WIRE_##kind
    { "truth: write", "honest", X(WRITE), "OK", "" },
    { "truth: fetch", "honest", X(FETCH), "OK", "" },
    { "truth: look", "honest", X(LOOK), "OK", "" },
    { "truth: list", "honest", X(LIST), "OK", "" },
    { "truth: a name that is there", "honest", X(RENAME), "TAKEN", "" },

    { "an answer that nobody asked for", "unasked", X(LOOK), "LOST",
      "sent ATTRS that nobody asked for" },
    { "an answer to a question of long ago", "old", X(LOOK), "LOST",
      "sent ATTRS that nobody asked for" },
    { "two answers", "twice", X(REMOVE), "OK", "" },
    { "OK, and no handle", "ok-to-open", X(FETCH), "LOST",
      "answered OPEN with STATUS OK" },
    { "OK, and no attributes", "ok-to-stat", X(LOOK), "LOST",
      "answered LSTAT with STATUS OK" },
    { "OK, and no data", "ok-to-read", X(FETCH), "LOST",
      "answered READ with STATUS OK" },
    { "OK, and no names", "ok-to-readdir", X(LIST), "LOST",
      "answered READDIR with STATUS OK" },
    { "names for data", "name-to-read", X(FETCH), "LOST",
      "answered READ with NAME" },
    { "data for a handle", "data-to-open", X(FETCH), "LOST",
      "answered OPEN with DATA" },
    { "data for a status", "data-to-remove", X(REMOVE), "LOST",
      "answered REMOVE with DATA" },
    { "a question for an answer", "open-to-remove", X(REMOVE), "LOST",
      "is of a type that no answer has (OPEN" },

    { "a packet of no bytes", "length-0", X(REMOVE), "LOST",
      "a packet of 0 bytes" },
    { "a packet of one byte", "length-1", X(REMOVE), "LOST",
      "is of a type that no answer has" },
    { "a packet that is too large", "length-300000", X(REMOVE), "LOST",
      "a packet of 300000 bytes; 262144 is the limit" },
    { "a packet of 4 GB", "length-4g", X(REMOVE), "LOST",
      "a packet of 4294967295 bytes" },
    { "an end within a packet", "cut-and-gone", X(REMOVE), "LOST",
      "closed the line within a packet" },
    { "an end while it is written", "gone", X(WRITE), "LOST",
      "closed the line" },
    { "a field that is cut", "cut-field", X(FETCH), "LOST", "is cut (HANDLE" },
    { "bytes behind an answer", "trailing", X(REMOVE), "LOST",
      "is too long (STATUS" },
    { "an empty handle", "handle-0", X(FETCH), "LOST", "an empty handle" },
    { "a handle that is too long", "handle-257", X(LIST), "LOST",
      "or one of more than 256 bytes" },
    { "more data than was asked for", "data-more", X(FETCH), "LOST",
      "answered READ of 10 bytes with 11" },
    { "data of no bytes", "data-none", X(FETCH), "LOST",
      "answered READ of 10 bytes with 0" },
    { "a count of pairs that lies", "pairs-lie", X(FETCH), "LOST",
      "is cut (ATTRS" },

    { "a byte at a time", "data-byte", X(FETCH), "OK", "" },
    { "a byte at a time, compared", "data-byte", X(LOOK), "OK", "" },
    { "an early end", "data-eof", X(FETCH), "CHANGED",
      "it ends before its size" },
    { "an early end, compared", "data-eof", X(LOOK), "OTHER", "" },
    { "a file that grows", "size-grows", X(FETCH), "CHANGED",
      "changed while it was read" },
    { "a size that no file has", "size-huge", X(FETCH), "CHANGED", "" },
    { "no size", "no-attrs", X(FETCH), "REFUSED", "tells no size" },
    { "no size after a write", "no-attrs", X(WRITE), "OK", "" },
    { "another size after a write", "size-huge", X(WRITE), "REFUSED",
      "10 bytes were written, and the server has 18446744073709551614" },
    { "pairs that nobody knows", "pairs", X(LOOK), "OK", "" },

    { "no space, seen at the end", "quota-at-close", X(WRITE), "FULL",
      "Disk Quota exceeded" },
    { "what failed at its end is removed", "quota-then-dies", X(WRITE), "LOST",
      "closed the line" },
    { "a sync that fails", "fsync-fails", X(WRITE), "REFUSED", "sync file" },
    { "a sync that it cannot", "fsync-unsupported", X(WRITE), "OK", "" },
    { "a write that is denied", "write-denied", X(WRITE), "DENIED",
      "write file: Permission denied (PERMISSION_DENIED, 3)" },
    { "a name that nobody may look at", "stat-denied", X(RENAME), "DENIED",
      "" },
    { "a file that was taken at once", "stat-absent", X(RENAME), "OK", "" },
    { "a name that can never be made", "open-fails", X(WRITE), "REFUSED",
      "create file" },
    { "a status without words", "code-alone", X(REMOVE), "OK", "" },

    { "RENAME fails, and was done", "rename:aay", X(RENAME), "OK", "" },
    { "RENAME fails, half done", "rename:ayy", X(RENAME), "OK", "" },
    { "RENAME fails, nothing done", "rename:aya", X(RENAME), "REFUSED",
      "rename file: Failure (FAILURE, 4)" },
    { "RENAME fails, another file was quicker", "rename:ayn", X(RENAME),
      "TAKEN", "" },
    { "RENAME fails, a larger file was quicker", "rename:ays", X(RENAME),
      "TAKEN", "" },
    { "RENAME fails, ours is gone", "rename:aas", X(RENAME), "OTHER", "" },
    { "RENAME fails, both are gone", "rename:aaa", X(RENAME), "ABSENT", "" },
    { "RENAME fails, and nobody may look", "rename:add", X(RENAME), "REFUSED",
      "rename file: Failure" },

    { "names without end", "names-endless", X(LIST), "LIMIT",
      "more than 100000 names" },
    { "as many names as may be", "names-exactly:100002", X(LIST), "OK", "" },
    { "one name more", "names-exactly:100003", X(LIST), "LIMIT",
      "more than 100000 names" },
    { "long names without end", "names-long", X(LIST), "LIMIT",
      "more than 64 MiB of names" },
    { "lists of no names", "names-none", X(LIST), "REFUSED", "" },
    { "a count of names that lies", "names-lie", X(LIST), "LOST",
      "is cut (NAME" },
    { "names, and then an error", "names-then-error", X(LIST), "REFUSED",
      "list file: I/O error" },
    { "an error after the end", "names-end-error", X(LIST), "OK", "" },

    { "a second VERSION", "version-again", X(REMOVE), "LOST",
      "is of a type that no answer has (VERSION" },
    { "small limits", "limits-small", X(WRITE), "OK", "" },
    { "limits without limit", "limits-large", X(FETCH), "OK", "" },
    { "answers backwards", "backwards", X(WRITE), "OK", "" },
    { "a byte in each packet", "slowly", X(FETCH), "OK", "" },
#undef X
};

static int fd; /* the file of the question */

static void ask(enum wire_kind kind)
{
    switch (kind) {
    case WIRE_WRITE:
        ask_write(&c, 2, "file", fd, strlen(TEXT));
        break;
    case WIRE_LOOK:
        ask_look(&c, 2, "file", fd, strlen(TEXT));
        break;
    case WIRE_FETCH:
        assert_int_equal(ftruncate(fd, 0), 0);
        ask_fetch(&c, 2, "file", fd, strlen(TEXT), 1000000000);
        break;
    case WIRE_RENAME:
        ask_rename(&c, 2, "file", "to", strlen(TEXT), 0);
        break;
    case WIRE_REMOVE:
        ask_remove(&c, 2, "file", UINT64_MAX, UINT64_MAX);
        break;
    default:
        ask_path(&c, kind, 2, "file");
    }
}

static void one_question(void **state)
{
    const struct row *r = *state;
    char got[32] = "";

    start(r->script);
    assert_int_equal(c.in.kind, WIRE_READY);
    fd = memory_file(STR(TEXT));
    ask(r->ask);
    assert_string_equal(outcome(&c), r->outcome);
    assert_int_equal(c.tag, c.how == OUTCOME_LOST ? 0 : 2);
    if (!strstr(c.text, r->text))
        fail_msg("\"%s\" does not say \"%s\"", c.text, r->text);
    for (const char *p = c.text; *p; p++)
        assert_true((unsigned char)*p >= ' ' && *p != 127);
    if (c.how == OUTCOME_OK && r->ask == WIRE_FETCH) {
        assert_int_equal(pread(fd, got, sizeof(got), 0), strlen(TEXT));
        assert_string_equal(got, TEXT);
    }
    close(fd);
    assert_int_equal(courier_end(&c), 0);
}

/* ---- more ---------------------------------------------------------------- */

static const struct bad_start {
    const char *name, *script, *text;
} bad_starts[] = {
    { "an old version", "version-2", "speaks version 2 of SFTP only" },
    { "a VERSION that is cut", "version-cut", "first packet is cut" },
    { "no VERSION", "version-none", "is not the VERSION" },
    { "no word at all", "version-mute", "took 1 s and did not begin" },
};

static void a_start_that_fails(void **state)
{
    const struct bad_start *b = *state;

    c.handshake_s = 1;
    start(b->script);
    assert_int_equal(c.in.kind, WIRE_DONE);
    assert_string_equal(outcome_names[c.how], "NO_ANSWER");
    if (!strstr(c.text, b->text))
        fail_msg("\"%s\" does not say \"%s\"", c.text, b->text);
    assert_int_equal(courier_end(&c), 0);
}

static const struct listed {
    struct str name;
    unsigned kind;
} bad_names[] = {
    { { "", 0 }, WIRE_ODD },
    { { "../x", 4 }, WIRE_ODD },
    { { "/etc/passwd", 11 }, WIRE_ODD },
    { { "a\0b", 3 }, WIRE_ODD },
    { { "a\033[2J\n", 6 }, WIRE_PLAIN },
    { { "\xff\xfe", 2 }, WIRE_PLAIN },
    { { "b.csv", 5 }, WIRE_PLAIN },
    { { "link", 4 }, WIRE_ODD },
    { { "folder", 6 }, WIRE_FOLDER },
    { { "../folder", 9 }, WIRE_ODD },
};

static void assert_listed(struct str name, unsigned kind)
{
    struct str found = wire_get_str(&c.in);

    if (!str_eq(found, name))
        fail_msg("\"%.*s\" and not \"%.*s\"", STR_ARGS(found), STR_ARGS(name));
    (void)wire_get(&c.in);
    (void)wire_get(&c.in);
    assert_int_equal(wire_get(&c.in), kind);
}

static void names_that_cannot_be(void **state)
{
    static char large[NAME_CUT];

    (void)state;
    start("names-bad");
    memset(large, 'n', sizeof(large));
    ask_path(&c, WIRE_LIST, 2, "file");
    assert_true(courier_answers(&c));
    assert_int_equal(c.in.kind, WIRE_NAMES);
    assert_int_equal(wire_get(&c.in), COUNT(bad_names) + 2);
    for (size_t i = 0; i < COUNT(bad_names); i++)
        assert_listed(bad_names[i].name, bad_names[i].kind);
    assert_listed((struct str){ large, sizeof(large) }, WIRE_ODD);
    assert_listed((struct str){ large, sizeof(large) }, WIRE_PLAIN);
    assert_true(wire_is_whole(&c.in));
    assert_string_equal(outcome(&c), "OK");
    assert_int_equal(courier_end(&c), 0);
}

static void a_server_that_tells_no_mode(void **state)
{
    (void)state;
    start("names-by-longname");
    ask_path(&c, WIRE_LIST, 2, "file");
    assert_true(courier_answers(&c));
    assert_int_equal(wire_get(&c.in), 2);
    assert_listed(STR("folder"), WIRE_FOLDER);
    assert_listed(STR("file"), WIRE_PLAIN);
    assert_string_equal(outcome(&c), "OK");
    assert_int_equal(courier_end(&c), 0);
}

/* Sixty-four folders without end at once, and a keeper who does not listen. */
static void many_lists_without_end(void **state)
{
    (void)state;
    start("names-endless");
    for (unsigned i = 0; i < 64; i++)
        ask_path(&c, WIRE_LIST, 2, "file");
    usleep(500000);
    for (unsigned i = 0; i < 64; i++)
        if (strcmp(outcome(&c), "LIMIT") != 0)
            fail_msg("%s: %s", outcome_names[c.how], c.text);
    assert_int_equal(courier_end(&c), 0);
}

int main(void)
{
    static const struct CMUnitTest alone[] = {
        COURIER_TEST(names_that_cannot_be),
        COURIER_TEST(a_server_that_tells_no_mode),
        COURIER_TEST(many_lists_without_end),
    };
    static struct CMUnitTest
        tests[COUNT(rows) + COUNT(bad_starts) + COUNT(alone)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] = COURIER_ROW(one_question, &rows[i]);
    for (size_t i = 0; i < COUNT(bad_starts); i++)
        tests[n++] = COURIER_ROW(a_start_that_fails, &bad_starts[i]);
    for (size_t i = 0; i < COUNT(alone); i++)
        tests[n++] = alone[i];
    return _cmocka_run_group_tests("sftp_hostile", tests, n, NULL, NULL);
}
