/* The file of accepted host keys: what is read, and what is replaced. */
#include "tests/unit/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/known_hosts.h"

#define HASH_A "SHA256:0123456789012345678901234567890123456789123"
#define HASH_B "SHA256:abcdefghij012345678901234567890123456789123"

static struct put_case {
    int line;
    const char *name, *before, *after;
    size_t left;
} cases[] = {
    { __LINE__, "there was no file", NULL, "[erp]:22 ssh-ed25519 " HASH_A "\n",
      0 },
    { __LINE__, "another server's stays",
      "[erp]:2222 ssh-ed25519 " HASH_B "\nshop ssh-ed25519 AAAA\n",
      "[erp]:2222 ssh-ed25519 " HASH_B "\nshop ssh-ed25519 AAAA\n"
      "[erp]:22 ssh-ed25519 " HASH_A "\n",
      0 },
    { __LINE__, "another type stays", "[erp]:22 ssh-rsa " HASH_B "\n",
      "[erp]:22 ssh-rsa " HASH_B "\n[erp]:22 ssh-ed25519 " HASH_A "\n", 0 },
    { __LINE__, "the same type is replaced, under every name",
      "# ours\n[ERP]:22 ssh-ed25519 " HASH_B "\nerp ssh-ed25519 AAAA me\n",
      "# ours\n[erp]:22 ssh-ed25519 " HASH_A "\n", 0 },
    { __LINE__, "a line of several servers stays, and is told of",
      "erp,shop ssh-ed25519 AAAA\n",
      "erp,shop ssh-ed25519 AAAA\n[erp]:22 ssh-ed25519 " HASH_A "\n", 1 },
    { __LINE__, "what is revoked stays", "@revoked erp ssh-ed25519 AAAA\n",
      "@revoked erp ssh-ed25519 AAAA\n[erp]:22 ssh-ed25519 " HASH_A "\n", 0 },
    { __LINE__, "a last line without its end", "shop ssh-rsa AAAA",
      "shop ssh-rsa AAAA\n[erp]:22 ssh-ed25519 " HASH_A "\n", 0 },
    { __LINE__, "empty and broken lines stay", "\n\nerp\nerp ssh-ed25519\n",
      "\n\nerp\nerp ssh-ed25519\n[erp]:22 ssh-ed25519 " HASH_A "\n", 0 },
};

static struct login login_of(const char *path)
{
    return (struct login){ .host = "erp", .port = 22, .known_hosts = path };
}

static void test_case(void **state)
{
    const struct put_case *c = *state;
    struct arena a = { 0 };
    struct login l;
    struct err e;
    size_t left = 99;

    tree_make();
    if (c->before)
        put("known_hosts", c->before);
    l = login_of(at("known_hosts"));
    if (known_hosts_put(&l, STR("ssh-ed25519 " HASH_A), &a, &left, &e) == -1)
        fail_msg("%s", e.text);
    assert_string_equal(text_of("known_hosts"), c->after);
    assert_int_equal(left, c->left);
    arena_release(&a);
    tree_drop();
}

static void lines_of_the_server(void **state)
{
    struct known_hosts k;
    struct arena a = { 0 };
    struct login l;
    struct err e;

    (void)state;
    tree_make();
    put("known_hosts", "|1|c2FsdA==|aGFzaA== ssh-rsa AAAA\n"
                       "[erp]:22 ssh-ed25519 " HASH_A "\r\n"
                       "shop,erp\tssh-rsa  AAAA a remark\n");
    l = login_of(at("known_hosts"));
    assert_int_equal(known_hosts_read(&l, &a, &k, &e), 0);
    assert_true(k.has_hashed);
    assert_int_equal(k.n, 2);
    assert_true(str_is(k.keys[0].key, HASH_A));
    assert_int_equal(k.keys[0].line, 2);
    assert_true(k.keys[0].is_alone);
    assert_true(str_is(k.keys[1].type, "ssh-rsa"));
    assert_true(str_is(k.keys[1].key, "AAAA"));
    assert_false(k.keys[1].is_alone);
    arena_release(&a);
    tree_drop();
}

/* The daemon may be another user than the one who accepts. */
static void everybody_may_read_it(void **state)
{
    mode_t mask = umask(077);
    struct arena a = { 0 };
    struct stat st;
    struct login l;
    struct err e;
    size_t left;

    (void)state;
    tree_make();
    put(".kervan-known_hosts.new", "of one that was killed");
    l = login_of(at("known_hosts"));
    assert_int_equal(
        known_hosts_put(&l, STR("ssh-ed25519 " HASH_A), &a, &left, &e), 0);
    assert_int_equal(stat(at("known_hosts"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(stat(at(".kervan-known_hosts.new"), &st), -1);
    umask(mask);
    arena_release(&a);
    tree_drop();
}

static void a_link_stays_one(void **state)
{
    struct arena a = { 0 };
    struct stat st;
    struct login l;
    struct err e;
    size_t left;

    (void)state;
    tree_make();
    put("real", "");
    assert_int_equal(symlink("real", at("known_hosts")), 0);
    l = login_of(at("known_hosts"));
    assert_int_equal(
        known_hosts_put(&l, STR("ssh-ed25519 " HASH_A), &a, &left, &e), 0);
    assert_int_equal(lstat(at("known_hosts"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(at("real"), &st), 0);
    assert_true(st.st_size > 0);
    arena_release(&a);
    tree_drop();
}

static void a_folder_that_is_not_there(void **state)
{
    struct arena a = { 0 };
    struct login l = login_of("/nowhere/known_hosts");
    struct err e;
    size_t left;

    (void)state;
    assert_int_equal(
        known_hosts_put(&l, STR("ssh-ed25519 " HASH_A), &a, &left, &e), -1);
    assert_string_equal(e.text, "cannot open the folder of "
                                "/nowhere/known_hosts: No such file or "
                                "directory");
    arena_release(&a);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(lines_of_the_server),
        cmocka_unit_test(everybody_may_read_it),
        cmocka_unit_test(a_link_stays_one),
        cmocka_unit_test(a_folder_that_is_not_there),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(facts)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(facts); i++)
        tests[n++] = facts[i];
    return cmocka_run_group_tests_name("known_hosts", tests, NULL, NULL);
}
