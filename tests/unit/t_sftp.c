/*
 * t_sftp.c - the courier and OpenSSH's sftp-server, on a socket pair: all that
 * a keeper can ask, and what comes of it in the server's folder.
 */
#include "tests/unit/courier_run.h"

static struct courier c;

/* ---- servers ------------------------------------------------------------- */

enum server {
    USUAL,
    PLAIN,     /* no posix-rename, fsync, limits */
    READ_ONLY, /* refuses every change */
    FEW_BYTES, /* no file is larger than 100,000 bytes */
    FULL,      /* its folder holds 100 KiB */
    N_SERVERS
};

static void start(enum server which)
{
    static char few_bytes[256], full[256];
    const char *program = sftp_server();
    const char *const words[N_SERVERS][8] = {
        [USUAL] = { program, "-d", tree_root },
        [PLAIN] = { program, "-d", tree_root, "-P",
                    "posix-rename,fsync,limits" },
        [READ_ONLY] = { program, "-d", tree_root, "-R" },
        [FEW_BYTES] = { "/bin/sh", "-c", few_bytes },
        [FULL] = { "unshare", "-rm", "/bin/sh", "-c", full },
    };

    assert_non_null(program);
    snprintf(full, sizeof(full),
             "mount -t tmpfs -o size=100k none %s/in && exec %s -d %s",
             tree_root, program, tree_root);
    snprintf(few_bytes, sizeof(few_bytes),
             "trap '' XFSZ; exec prlimit --fsize=100000 %s -d %s", program,
             tree_root);
    c = (struct courier){ 0 };
    courier_start(&c, words[which]);
    assert_int_equal(c.in.kind, WIRE_READY);
}

static int begin(void **state)
{
    (void)state;
    umask(022);
    tree_make();
    assert_int_equal(mkdir(at("in"), 0755), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tree_drop();
    return 0;
}

static void stop(void)
{
    assert_int_equal(courier_end(&c), 0);
}

static const char *write_text(const char *path, const char *text)
{
    int fd = memory_file(str_of(text));

    ask_write(&c, 2, path, fd, strlen(text));
    close(fd);
    return outcome(&c);
}

static const char *look_text(const char *path, const char *text)
{
    int fd = memory_file(str_of(text));

    ask_look(&c, 2, path, fd, strlen(text));
    close(fd);
    return outcome(&c);
}

static const char *rename_file(const char *from, const char *to, uint64_t size,
                               unsigned flags)
{
    ask_rename(&c, 3, from, to, size, flags);
    return outcome(&c);
}

static const char *remove_file(const char *path)
{
    ask_remove(&c, 4, path, UINT64_MAX, UINT64_MAX);
    return outcome(&c);
}

static const char *make_folder(const char *path)
{
    ask_path(&c, WIRE_MAKE_FOLDER, 5, path);
    return outcome(&c);
}

static int big_file(size_t size)
{
    int fd = memfd_create("big", MFD_CLOEXEC);
    uint32_t word = 1;

    assert_true(fd != -1);
    for (size_t at_ = 0; at_ < size;) {
        uint32_t block[16384];
        size_t n = size - at_ < sizeof(block) ? size - at_ : sizeof(block);

        for (size_t i = 0; i < COUNT(block); i++)
            block[i] = word = word * 1664525 + 1013904223;
        assert_int_equal(write(fd, block, n), n);
        at_ += n;
    }
    return fd;
}

static bool same_bytes(int a, int b)
{
    char x[65536], y[65536];
    off_t at_ = 0;
    ssize_t n;

    while ((n = pread(a, x, sizeof(x), at_)) > 0) {
        if (pread(b, y, sizeof(y), at_) != n || memcmp(x, y, (size_t)n) != 0)
            return false;
        at_ += n;
    }
    return pread(b, y, 1, at_) == 0;
}

struct seen {
    size_t n, plain, folders, bytes;
    unsigned last_kind;
    char last[300];
};

/* Reads NAMES up to DONE. */
static const char *list(const char *folder, struct seen *seen)
{
    *seen = (struct seen){ 0 };
    ask_path(&c, WIRE_LIST, 7, folder);
    while (courier_answers(&c)) {
        uint64_t n;

        assert_int_equal(c.tag, 7);
        if (c.in.kind == WIRE_DONE)
            return outcome_names[c.how];
        assert_int_equal(c.in.kind, WIRE_NAMES);
        n = wire_get(&c.in);
        seen->n += n;
        while (n--) {
            struct str name = wire_get_str(&c.in);

            snprintf(seen->last, sizeof(seen->last), "%.*s", STR_ARGS(name));
            seen->bytes += wire_get(&c.in);
            (void)wire_get(&c.in);
            seen->last_kind = (unsigned)wire_get(&c.in);
            seen->plain += seen->last_kind == WIRE_PLAIN;
            seen->folders += seen->last_kind == WIRE_FOLDER;
        }
        assert_true(wire_is_whole(&c.in));
    }
    return "ended";
}

#define IS(what, outcome_) assert_string_equal(what, outcome_)

/* ---- HELLO --------------------------------------------------------------- */

static void ready_tells_of_the_line(void **state)
{
    struct str word;

    (void)state;
    start(USUAL);
    word = wire_get_str(&c.in);
    assert_true(str_is(word, "program"));
    for (int i = 0; i < 5; i++)
        (void)wire_get_str(&c.in);
    word = wire_get_str(&c.in);
    assert_true(str_is(word, "posix-rename fsync hardlink statvfs limits"));
    for (int i = 0; i < 4; i++)
        (void)wire_get(&c.in);
    assert_true(wire_is_whole(&c.in));
    stop();
}

static const struct bad_start {
    const char *name, *words[4], *outcome, *text;
} bad_starts[] = {
    { "a program that is not there",
      { "/nowhere/sftp-server" },
      "SETUP",
      "/nowhere/sftp-server does not start: No such file" },
    { "a program that ends at once",
      { "/bin/true" },
      "NO_ANSWER",
      "closed the line" },
    { "a program that says something else",
      { "/bin/echo", "Welcome to the server" },
      "NO_ANSWER",
      "with the text: Welcome to the server" },
};

static void a_line_that_cannot_be(void **state)
{
    const struct bad_start *b = *state;

    c = (struct courier){ 0 };
    courier_start(&c, b->words);
    assert_int_equal(c.in.kind, WIRE_DONE);
    IS(outcome_names[c.how], b->outcome);
    if (!strstr(c.text, b->text))
        fail_msg("\"%s\" does not say \"%s\"", c.text, b->text);
    assert_false(courier_answers(&c));
    stop();
}

/* ---- WRITE, LOOK --------------------------------------------------------- */

static void write_makes_a_whole_file(void **state)
{
    (void)state;
    start(USUAL);
    IS(write_text("in/a", "some text"), "OK");
    IS(text_of("in/a"), "some text");
    IS(write_text("in/empty", ""), "OK");
    IS(text_of("in/empty"), "");
    stop();
}

static void a_leftover_is_replaced(void **state)
{
    (void)state;
    start(USUAL);
    put("in/a", "the beginning of something that is much longer");
    assert_int_equal(symlink("/dev/null", at("in/b")), 0);
    IS(write_text("in/a", "new"), "OK");
    IS(text_of("in/a"), "new");
    IS(write_text("in/b", "no link"), "OK");
    IS(text_of("in/b"), "no link");
    stop();
}

static void write_says_what_is_wrong(void **state)
{
    (void)state;
    start(USUAL);
    IS(write_text("nowhere/a", "x"), "ABSENT");
    assert_non_null(strstr(c.text, "create nowhere/a: No such file"));
    assert_int_equal(mkdir(at("in/folder"), 0755), 0);
    IS(write_text("in/folder", "x"), "REFUSED");
    IS(write_text("", "x"), "UNSAFE");
    stop();
}

static void a_file_of_ours_that_is_short(void **state)
{
    int fd = memory_file(STR("12345"));

    (void)state;
    start(USUAL);
    ask_write(&c, 2, "in/a", fd, 100000);
    IS(outcome(&c), "LOCAL");
    assert_false(is_there("in/a"));
    close(fd);
    stop();
}

static void a_large_file_there_and_back(void **state)
{
    enum { SIZE = 9 * 1024 * 1024 + 77 };
    int fd = big_file(SIZE), back = memfd_create("back", MFD_CLOEXEC), there;

    (void)state;
    for (enum server s = USUAL; s <= PLAIN; s++) {
        start(s);
        ask_write(&c, 2, "in/big", fd, SIZE);
        IS(outcome(&c), "OK");
        there = open(at("in/big"), O_RDONLY);
        assert_true(same_bytes(fd, there));
        close(there);
        ask_look(&c, 3, "in/big", fd, SIZE);
        IS(outcome(&c), "OK");
        assert_int_equal(ftruncate(back, 0), 0);
        ask_fetch(&c, 4, "in/big", back, SIZE, UINT64_MAX);
        IS(outcome(&c), "OK");
        assert_int_equal(c.number, SIZE);
        assert_true(same_bytes(fd, back));
        stop();
    }
    close(fd);
    close(back);
}

static void look_compares_all_bytes(void **state)
{
    (void)state;
    start(USUAL);
    put("in/a", "some text");
    IS(look_text("in/a", "some text"), "OK");
    IS(look_text("in/a", "some texT"), "OTHER");
    IS(look_text("in/a", "some"), "OTHER");
    IS(look_text("in/b", "some text"), "ABSENT");
    IS(look_text("in", "some text"), "OTHER");
    assert_int_equal(symlink("a", at("in/link")), 0);
    IS(look_text("in/link", "some text"), "OTHER");
    ask_look(&c, 2, "in/link", -1, UINT64_MAX); /* is it there? */
    IS(outcome(&c), "OK");
    ask_look(&c, 2, "in/nothing", -1, UINT64_MAX);
    IS(outcome(&c), "ABSENT");
    /* Ours got lost on the way to the courier: nothing was compared. */
    ask_look(&c, 2, "in/link", -1, 5);
    IS(outcome(&c), "LOCAL");
    put("in/empty", "");
    IS(look_text("in/empty", ""), "OK");
    stop();
}

static void a_server_that_does_not_say_why(void **state)
{
    int fd = big_file(300000);

    (void)state;
    start(FEW_BYTES);
    ask_write(&c, 2, "in/big", fd, 300000);
    IS(outcome(&c), "REFUSED");
    assert_int_equal(n_names("in"), 0);
    IS(write_text("in/small", "still works"), "OK");
    close(fd);
    stop();
}

/* A container may forbid to mount anything. */
static bool can_mount(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        execlp("unshare", "unshare", "-rm", "mount", "-t", "tmpfs", "none",
               tree_root, NULL);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void a_full_server_keeps_no_piece(void **state)
{
    int fd = big_file(300000);
    struct seen seen;

    (void)state;
    if (!can_mount())
        skip();
    start(FULL);
    ask_write(&c, 2, "in/big", fd, 300000);
    IS(outcome(&c), "FULL");
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 0);
    IS(write_text("in/small", "still works"), "OK");
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 1);
    close(fd);
    stop();
}

static void a_read_only_server_denies(void **state)
{
    (void)state;
    start(READ_ONLY);
    put("in/a", "x");
    IS(write_text("in/b", "x"), "DENIED");
    IS(rename_file("in/a", "in/c", 1, 0), "DENIED");
    IS(rename_file("in/a", "in/c", 1, WIRE_REPLACE), "DENIED");
    IS(remove_file("in/a"), "DENIED");
    IS(make_folder("in/d"), "DENIED");
    IS(text_of("in/a"), "x");
    assert_int_equal(n_names("in"), 1);
    stop();
}

/* ---- FETCH --------------------------------------------------------------- */

static const struct fetch {
    const char *name, *path;
    uint64_t size;
    int64_t mtime;
    const char *outcome;
} fetches[] = {
    { "the file that was listed", "in/a", 9, 1000000000, "OK" },
    { "whatever it is", "in/a", UINT64_MAX, -1, "OK" },
    { "of another size", "in/a", 8, 1000000000, "CHANGED" },
    { "of another time", "in/a", 9, 1000000001, "CHANGED" },
    { "an empty file", "in/empty", 0, -1, "OK" },
    { "an empty file, whatever it is", "in/empty", UINT64_MAX, -1, "OK" },
    { "no file", "in/b", 9, -1, "ABSENT" },
    { "a folder", "in", 4096, -1, "CHANGED" },
};

static void fetch_row(void **state)
{
    const struct fetch *f = *state;
    const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
    int fd = memory_file(STR(""));
    char got[32] = "";

    start(USUAL);
    put("in/a", "some text");
    put("in/empty", "");
    assert_int_equal(utimensat(AT_FDCWD, at("in/a"), times, 0), 0);
    ask_fetch(&c, 2, f->path, fd, f->size, (uint64_t)f->mtime);
    IS(outcome(&c), f->outcome);
    if (c.how == OUTCOME_OK) {
        assert_true(pread(fd, got, sizeof(got) - 1, 0) >= 0);
        IS(got, text_of(f->path));
        assert_int_equal(c.number, strlen(got));
    }
    close(fd);
    stop();
}

static void fetch_into_what_cannot_be_written(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    start(USUAL);
    put("in/a", "some text");
    ask_fetch(&c, 2, "in/a", fd, 9, UINT64_MAX);
    IS(outcome(&c), "LOCAL");
    close(fd);
    IS(remove_file("in/a"), "OK");
    stop();
}

/* ---- RENAME, REMOVE, MAKE_FOLDER ----------------------------------------- */

static const struct move {
    const char *name, *from, *to; /* what is there before; NULL: nothing */
    uint64_t size;
    unsigned flags;
    const char *outcome, *from_then, *to_then;
} moves[] = {
    { "to a name that is free", "ours", NULL, 4, 0, "OK", NULL, "ours" },
    { "without a size", "ours", NULL, UINT64_MAX, 0, "OK", NULL, "ours" },
    { "of another size", "ours", NULL, 5, 0, "OTHER", NULL, "ours" },
    { "to a name that is taken", "ours", "other", 4, 0, "TAKEN", "ours",
      "other" },
    { "to the name of the same bytes", "ours", "ours", 4, 0, "TAKEN", "ours",
      "ours" },
    { "of a file that is gone", NULL, NULL, 4, 0, "ABSENT", NULL, NULL },
    { "over another file", "ours", "other", 4, WIRE_REPLACE, "OK", NULL,
      "ours" },
    { "over nothing", "ours", NULL, 4, WIRE_REPLACE, "OK", NULL, "ours" },
};

static const char *text_or_null(const char *path)
{
    return is_there(path) ? text_of(path) : NULL;
}

static void assert_text(const char *path, const char *text)
{
    const char *found = text_or_null(path);

    if (!text)
        assert_null(found);
    else
        IS(found ? found : "(none)", text);
}

static void move_row(void **state)
{
    const struct move *m = *state;

    for (enum server s = USUAL; s <= PLAIN; s++) {
        start(s);
        unlink(at("in/from"));
        unlink(at("in/to"));
        if (m->from)
            put("in/from", m->from);
        if (m->to)
            put("in/to", m->to);
        IS(rename_file("in/from", "in/to", m->size, m->flags), m->outcome);
        assert_text("in/from", m->from_then);
        assert_text("in/to", m->to_then);
        stop();
    }
}

/* A repeated RENAME, whose first answer was lost, must not remove the file. */
static void replace_that_was_done(void **state)
{
    (void)state;
    start(PLAIN);
    put("in/to", "ours");
    IS(rename_file("in/from", "in/to", 4, WIRE_REPLACE), "OK");
    IS(text_of("in/to"), "ours");
    IS(rename_file("in/from", "in/to", 5, WIRE_REPLACE), "OTHER");
    IS(text_of("in/to"), "ours");
    stop();
}

/* Only the file that was listed is removed. */
static void remove_that_very_file(void **state)
{
    const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    (void)state;
    start(USUAL);
    put("in/a", "some text");
    assert_int_equal(utimensat(AT_FDCWD, at("in/a"), times, 0), 0);
    ask_remove(&c, 4, "in/a", 9, 999999999);
    IS(outcome(&c), "CHANGED");
    ask_remove(&c, 4, "in/a", 8, 1000000000);
    IS(outcome(&c), "CHANGED");
    IS(text_of("in/a"), "some text");
    ask_remove(&c, 4, "in/a", 9, 1000000000);
    IS(outcome(&c), "OK");
    assert_false(is_there("in/a"));
    ask_remove(&c, 4, "in/a", 9, 1000000000);
    IS(outcome(&c), "ABSENT");
    stop();
}

static void names_that_go_and_come(void **state)
{
    (void)state;
    start(USUAL);
    put("in/a", "x");
    IS(remove_file("in/a"), "OK");
    IS(remove_file("in/a"), "ABSENT");
    IS(make_folder("in/d"), "OK");
    IS(make_folder("in/d"), "OK");
    IS(make_folder("in/x/y"), "ABSENT");
    put("in/a", "x");
    IS(make_folder("in/a"), "REFUSED");
    assert_int_equal(n_names("in"), 2);
    stop();
}

/* ---- LIST ---------------------------------------------------------------- */

static void list_tells_what_is_a_file(void **state)
{
    struct seen seen;

    (void)state;
    start(USUAL);
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 0);
    put("in/a", "12345");
    put("in/b", "123");
    assert_int_equal(mkdir(at("in/folder"), 0755), 0);
    assert_int_equal(symlink("a", at("in/link")), 0);
    assert_int_equal(mkfifo(at("in/pipe"), 0644), 0);
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 5);
    assert_int_equal(seen.plain, 2);
    assert_int_equal(seen.folders, 1);
    assert_int_equal(c.number, 5);
    IS(list("", &seen), "OK"); /* the folder of the login */
    IS(seen.last, "in");
    assert_int_equal(seen.last_kind, WIRE_FOLDER);
    IS(list("nowhere", &seen), "ABSENT");
    IS(list("in/a", &seen), "ABSENT"); /* OpenSSH's word for no folder */
    stop();
}

static void list_of_20000_names(void **state)
{
    struct seen seen;
    char name[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "in/order-%05d.csv", i);
        put(name, "12");
    }
    start(USUAL);
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 20000);
    assert_int_equal(seen.plain, 20000);
    assert_int_equal(seen.bytes, 40000);
    stop();
}

/* ---- many ---------------------------------------------------------------- */

/* More than may wait: the courier stops taking, nothing is lost. */
static void a_thousand_at_once(void **state)
{
    enum { N = 1000 };
    static bool done[N];
    static int files[N];
    int fd = memory_file(STR("the same text in all of them"));
    char name[64];
    size_t n_done = 0;

    (void)state;
    start(USUAL);
    (void)files;
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "in/%u", i);
        begin_message(&c, WIRE_WRITE, 100 + i, name);
        wire_put(&c.out, 28);
        wire_put(&c.out, 0);
        c.out.fd = fd;
        while (wire_send(c.sock, &c.out) == 0) {
            assert_true(courier_answers(&c));
            IS(outcome_names[c.how], "OK");
            done[c.tag - 100] = true;
            n_done++;
        }
    }
    for (; n_done < N; n_done++) {
        assert_true(courier_answers(&c));
        IS(outcome_names[c.how], "OK");
        assert_false(done[c.tag - 100]);
        done[c.tag - 100] = true;
    }
    assert_int_equal(n_names("in"), N);
    close(fd);
    stop();
}

/* A keeper who does not read his answers stops only himself. */
static void a_keeper_who_is_slow(void **state)
{
    char name[64];
    struct seen seen;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "in/order-%05d.csv", i);
        put(name, "12");
    }
    start(USUAL);
    for (unsigned i = 0; i < 40; i++)
        ask_path(&c, WIRE_LIST, 8, "in");
    usleep(300000);
    for (unsigned i = 0; i < 40; i++) {
        IS(outcome(&c), "OK");
        assert_int_equal(c.number, 3000);
    }
    IS(list("in", &seen), "OK");
    assert_int_equal(seen.n, 3000);
    stop();
}

/* ---- ends ---------------------------------------------------------------- */

static pid_t child_of(pid_t parent)
{
    char path[64], text[32] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    fd = open(path, O_RDONLY);
    if (fd == -1)
        return 0;
    (void)!read(fd, text, sizeof(text) - 1);
    close(fd);
    return (pid_t)strtol(text, NULL, 10);
}

static void a_server_that_dies_loses_the_line(void **state)
{
    pid_t server;

    (void)state;
    start(USUAL);
    server = child_of(c.pid);
    if (!server)
        skip();
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_true(courier_answers(&c));
    assert_int_equal(c.tag, 0);
    IS(outcome_names[c.how], "LOST");
    IS(c.text, "the server closed the line");
    assert_false(courier_answers(&c));
    stop();
}

static void a_keeper_that_dies_ends_all(void **state)
{
    pid_t server;

    (void)state;
    start(USUAL);
    server = child_of(c.pid);
    stop();
    for (int i = 0; server && i < 100 && kill(server, 0) == 0; i++)
        usleep(20000);
    assert_true(!server || kill(server, 0) == -1);
}

static const struct bad_message {
    const char *name;
    uint64_t words[6];
    size_t n;
    bool has_fd;
} bad_messages[] = {
    { "no kind", { 0 }, 1, false },
    { "a kind that is none", { 99, 1, 0 }, 3, false },
    { "an answer", { WIRE_DONE, 1, 0 }, 3, false },
    { "a second HELLO", { WIRE_HELLO, 1, 0 }, 3, false },
    { "a path that is cut", { WIRE_REMOVE, 1, 1000 }, 3, false },
    { "a path of any length", { WIRE_REMOVE, 1, UINT64_MAX }, 3, false },
    { "WRITE without a file", { WIRE_WRITE, 1, 1, 'a', 1, 0 }, 6, false },
    { "MAKE_FOLDER with a file", { WIRE_MAKE_FOLDER, 1, 8, 'a' }, 4, true },
    { "too many words", { WIRE_MAKE_FOLDER, 1, 8, 'a', 1 }, 5, false },
};

static void a_message_that_is_none_ends_it(void **state)
{
    const struct bad_message *b = *state;

    start(USUAL);
    c.out.fd = b->has_fd ? STDERR_FILENO : -1;
    c.out.bad = false;
    c.out.len = b->n * sizeof(b->words[0]);
    memcpy(c.out.bytes, b->words, c.out.len);
    courier_send(&c);
    assert_false(courier_answers(&c));
    stop();
}

/* ---- all ----------------------------------------------------------------- */

enum { MAX_TESTS = 100 };

int main(void)
{
    static const struct CMUnitTest alone[] = {
        COURIER_TEST(ready_tells_of_the_line),
        COURIER_TEST(write_makes_a_whole_file),
        COURIER_TEST(a_leftover_is_replaced),
        COURIER_TEST(write_says_what_is_wrong),
        COURIER_TEST(a_file_of_ours_that_is_short),
        COURIER_TEST(a_large_file_there_and_back),
        COURIER_TEST(look_compares_all_bytes),
        COURIER_TEST(a_server_that_does_not_say_why),
        COURIER_TEST(a_full_server_keeps_no_piece),
        COURIER_TEST(a_read_only_server_denies),
        COURIER_TEST(fetch_into_what_cannot_be_written),
        COURIER_TEST(replace_that_was_done),
        COURIER_TEST(remove_that_very_file),
        COURIER_TEST(names_that_go_and_come),
        COURIER_TEST(list_tells_what_is_a_file),
        COURIER_TEST(list_of_20000_names),
        COURIER_TEST(a_thousand_at_once),
        COURIER_TEST(a_keeper_who_is_slow),
        COURIER_TEST(a_server_that_dies_loses_the_line),
        COURIER_TEST(a_keeper_that_dies_ends_all),
    };
    static struct CMUnitTest tests[MAX_TESTS];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(alone); i++)
        tests[n++] = alone[i];
#define ROWS(table, f)                        \
    for (size_t i = 0; i < COUNT(table); i++) \
    tests[n++] = COURIER_ROW(f, &(table)[i])
    ROWS(bad_starts, a_line_that_cannot_be);
    ROWS(fetches, fetch_row);
    ROWS(moves, move_row);
    ROWS(bad_messages, a_message_that_is_none_ends_it);
    return _cmocka_run_group_tests("sftp", tests, n, NULL, NULL);
}
