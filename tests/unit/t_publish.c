/* t_publish.c - a file under its final name: every state that a crash leaves.
 *
 * Each row sets up what lies in the target folder and which state the ledger
 * has, publishes once, and looks at the folder and the state after it. */
#include "tests/unit/tree.h"

#include "spool/publish.h"

#define OURS  "<order/>"
#define OTHER "<older/>"
#define LONG  "<another-order/>"

static struct publish_case {
    int line;
    const char *name;
    bool renaming;     /* the state before; else READY */
    const char *part;  /* lies there under the temporary name; NULL: none */
    const char *final; /* under the final name */
    bool replace, other_folder;
    enum delivery_state want;
    const char *want_final; /* "(none)": no such file */
    bool want_by_absence;
} cases[] = {
    { __LINE__, "a new file", false, NULL, NULL, false, false,
      DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "a leftover part is written anew", false, "<ord", NULL, false,
      false, DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "another file of that name is kept", false, NULL, OTHER, false,
      false, DELIVERY_HELD, OTHER, false },
    { __LINE__, "another, longer file is kept", false, NULL, LONG, false, false,
      DELIVERY_HELD, LONG, false },
    { __LINE__, "the same bytes are there already", false, NULL, OURS, false,
      false, DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "a snapshot takes the place of the last", false, NULL, OTHER,
      true, false, DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "died before the rename", true, OURS, NULL, false, false,
      DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "died after the rename", true, NULL, OURS, false, false,
      DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "renamed, and taken since", true, NULL, NULL, false, false,
      DELIVERY_DELIVERED, "(none)", true },
    { __LINE__, "renamed, taken, and another came", true, NULL, OTHER, false,
      false, DELIVERY_DELIVERED, OTHER, true },
    { __LINE__, "linked and not unlinked", true, OURS, OURS, false, false,
      DELIVERY_DELIVERED, OURS, false },
    { __LINE__, "another came before the rename", true, OURS, OTHER, false,
      false, DELIVERY_HELD, OTHER, false },
    { __LINE__, "another folder proves nothing", true, NULL, NULL, false, true,
      DELIVERY_UNCONFIRMED, "(none)", false },
};

static struct ledger *l;
static struct arena a;
static struct err e;

static void must(int rc, int line)
{
    if (rc == -1)
        fail_msg("%s:%d: %s", __FILE__, line, e.text);
}

/* A receipt that is CONVERTED with one delivery. */
static struct delivery converted(bool replace, uint64_t seq)
{
    struct claim c = { .partner = STR("eshop"),
                       .folder = STR("inbox"),
                       .name = STR("x.csv"),
                       .seq = seq,
                       .taken_at = 1 };
    struct receipt r = { .route = STR("orders"),
                         .partner = STR("eshop"),
                         .name = STR("x.csv"),
                         .run_id = STR("1"),
                         .run_time = 1,
                         .taken_at = 1 };
    struct delivery d = { .partner = STR("pohoda"),
                          .folder = STR("in"),
                          .path = STR("staged"),
                          .name = STR("x.xml"),
                          .replace = replace,
                          .bytes = sizeof(OURS) - 1 };
    struct delivery *all;
    struct sha256 h;
    size_t n;

    id_new(c.id);
    id_new(r.id);
    id_new(d.id);
    sha256_init(&h);
    sha256_add(&h, STR(OURS));
    sha256_end(&h, d.sha256);
    must(ledger_claim(l, &c, &e), __LINE__);
    must(ledger_taken(l, &c, &r, 1, &e), __LINE__);
    must(ledger_converted(l, &r, &d, 1, &e), __LINE__);
    must(ledger_deliveries(l, r.id, 0, &a, &all, &n, &e), __LINE__);
    return all[0];
}

static struct delivery reload(const struct delivery *d)
{
    struct delivery *all;
    size_t n;

    must(ledger_deliveries(l, d->receipt, 0, &a, &all, &n, &e), __LINE__);
    return all[0];
}

static int publish_one(struct delivery *d, int from, struct place_to *to)
{
    struct publishing p = { .d = d, .from_fd = from, .to = to };

    if (publish(l, &p, 1, &e) == -1)
        return -1;
    e = p.e;
    return p.rc;
}

static void set_up(const struct publish_case *c, struct delivery *d)
{
    char part[PART_NAME], below[PART_NAME + 4], id[48];
    struct stat st;

    publish_part_name(d, part);
    snprintf(below, sizeof(below), "in/%s", part);
    if (c->part)
        put(below, c->part);
    if (c->final)
        put("in/x.xml", c->final);
    if (!c->renaming)
        return;
    assert_int_equal(stat(at(c->other_folder ? "." : "in"), &st), 0);
    snprintf(id, sizeof(id), "%llx:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    must(ledger_renaming(l, d, str_of(id), &e), __LINE__);
    *d = reload(d);
}

static void test_case(void **state)
{
    const struct publish_case *c = *state;
    struct place_to to = { .mode = 0640, .group = (gid_t)-1 };
    struct delivery d;
    int from;

    tree_make();
    assert_int_equal(mkdir(at("in"), 0700), 0);
    put("staged", OURS);
    must(ledger_open(&l, at("ledger.db"), LEDGER_WRITE, &e), __LINE__);
    d = converted(c->replace, 1);
    set_up(c, &d);
    to.dir_fd = open(at("in"), O_RDONLY | O_DIRECTORY);
    from = open(at("staged"), O_RDONLY);
    must(publish_one(&d, from, &to), c->line);
    close(from);
    close(to.dir_fd);
    d = reload(&d);
    if (d.state != c->want || d.by_absence != c->want_by_absence)
        fail_msg("%s:%d: state %s, by absence %d", __FILE__, c->line,
                 delivery_state_names[d.state], d.by_absence);
    assert_string_equal(text_of("in/x.xml"), c->want_final);
    /* Nothing of ours is left under another name. */
    assert_int_equal(n_names("in"), strcmp(c->want_final, "(none)") != 0);
    ledger_close(l);
    arena_release(&a);
    tree_drop();
}

static void a_damaged_staged_file_does_not_travel(void **state)
{
    struct place_to to = { .mode = 0640, .group = (gid_t)-1 };
    struct delivery d;
    int from;

    (void)state;
    tree_make();
    assert_int_equal(mkdir(at("in"), 0700), 0);
    put("staged", "<0rder/>");
    must(ledger_open(&l, at("ledger.db"), LEDGER_WRITE, &e), __LINE__);
    d = converted(false, 1);
    to.dir_fd = open(at("in"), O_RDONLY | O_DIRECTORY);
    from = open(at("staged"), O_RDONLY);
    assert_int_equal(publish_one(&d, from, &to), -1);
    assert_int_equal(e.next, ERR_HOLD);
    assert_int_equal(n_names("in"), 0);
    assert_int_equal(reload(&d).state, DELIVERY_READY);
    close(from);
    close(to.dir_fd);
    ledger_close(l);
    arena_release(&a);
    tree_drop();
}

/* Together, into two folders; the third one is damaged. */
static void one_that_fails_stops_no_other(void **state)
{
    enum { N = 6, BAD = 2 };
    struct place_to to[2] = { { .mode = 0640, .group = (gid_t)-1 },
                              { .mode = 0640, .group = (gid_t)-1 } };
    struct publishing p[N] = { 0 };
    struct delivery d[N];
    char names[N][16];

    (void)state;
    tree_make();
    assert_int_equal(mkdir(at("in"), 0700), 0);
    assert_int_equal(mkdir(at("in2"), 0700), 0);
    put("staged", OURS);
    put("damaged", "<0rder/>");
    must(ledger_open(&l, at("ledger.db"), LEDGER_WRITE, &e), __LINE__);
    to[0].dir_fd = open(at("in"), O_RDONLY | O_DIRECTORY);
    to[1].dir_fd = open(at("in2"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < N; i++) {
        d[i] = converted(false, (uint64_t)i + 1);
        snprintf(names[i], sizeof(names[i]), "%d.xml", i);
        d[i].name = str_of(names[i]);
        p[i].d = &d[i];
        p[i].to = &to[i % 2];
        p[i].from_fd = open(at(i == BAD ? "damaged" : "staged"), O_RDONLY);
    }
    must(publish(l, p, N, &e), __LINE__);
    for (int i = 0; i < N; i++) {
        assert_int_equal(p[i].rc, i == BAD ? -1 : 0);
        assert_int_equal(reload(&d[i]).state,
                         i == BAD ? DELIVERY_READY : DELIVERY_DELIVERED);
        close(p[i].from_fd);
    }
    assert_int_equal(p[BAD].e.next, ERR_HOLD);
    assert_int_equal(n_names("in"), 2);
    assert_int_equal(n_names("in2"), 3);
    close(to[0].dir_fd);
    close(to[1].dir_fd);
    ledger_close(l);
    arena_release(&a);
    tree_drop();
}

/* Taking the older file was put off by an error: its job is the later one. */
static void a_late_snapshot_gives_way(void **state)
{
    for (int renaming = 0; renaming <= 1; renaming++) {
        const struct publish_case late = { .renaming = renaming,
                                           .part = renaming ? OTHER : NULL };
        struct place_to to = { .mode = 0640, .group = (gid_t)-1 };
        struct delivery newer, older;
        int from;

        (void)state;
        tree_make();
        assert_int_equal(mkdir(at("in"), 0700), 0);
        put("staged", OURS);
        must(ledger_open(&l, at("ledger.db"), LEDGER_WRITE, &e), __LINE__);
        newer = converted(true, 2);
        older = converted(true, 1);
        set_up(&late, &older);
        to.dir_fd = open(at("in"), O_RDONLY | O_DIRECTORY);
        from = open(at("staged"), O_RDONLY);
        must(publish_one(&newer, from, &to), __LINE__);
        must(publish_one(&older, from, &to), __LINE__);
        assert_int_equal(newer.state, DELIVERY_DELIVERED);
        assert_int_equal(reload(&older).state, DELIVERY_SUPERSEDED);
        assert_string_equal(text_of("in/x.xml"), OURS);
        assert_int_equal(n_names("in"), 1);
        close(from);
        close(to.dir_fd);
        ledger_close(l);
        arena_release(&a);
        tree_drop();
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + 3];

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    tests[COUNT(cases)] = (struct CMUnitTest)cmocka_unit_test(
        a_damaged_staged_file_does_not_travel);
    tests[COUNT(cases) + 1] =
        (struct CMUnitTest)cmocka_unit_test(a_late_snapshot_gives_way);
    tests[COUNT(cases) + 2] =
        (struct CMUnitTest)cmocka_unit_test(one_that_fails_stops_no_other);
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
