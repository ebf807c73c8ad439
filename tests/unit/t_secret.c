/*
 * t_secret.c - which files a secret is taken from, and what kind a key is of.
 */
#include "tests/unit/tree.h"

#include <errno.h>

#include "courier/secret.h"

static void put_mode(const char *name, const char *text, mode_t mode)
{
    (void)unlink(at(name));
    put(name, text);
    assert_int_equal(chmod(at(name), mode), 0);
}

static int set_up(void **state)
{
    (void)state;
    tree_make();
    put_mode("good", "open sesame\n", 0600);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", tree_root, 1), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_drop();
    return 0;
}

static const char *read_it(const char *file, struct failure *f)
{
    static char text[100];
    struct secret s;

    if (secret_read(&s, file, "password", f) == -1) {
        assert_null(s.p);
        assert_int_equal(f->how, OUTCOME_SETUP);
        assert_null(strstr(f->text, "sesame"));
        return NULL;
    }
    assert_int_equal(strlen(s.p), s.len);
    snprintf(text, sizeof(text), "%s", s.p);
    secret_release(&s);
    assert_null(s.p);
    return text;
}

static void test_good(void **state)
{
    struct failure f;

    (void)state;
    assert_string_equal(read_it(at("good"), &f), "open sesame");
    assert_string_equal(read_it("credential:good", &f), "open sesame");
    put_mode("crlf", "open\nsesame\r\n", 0400);
    assert_string_equal(read_it(at("crlf"), &f), "open\nsesame");
    put_mode("two", "x\n\n", 0400);
    assert_string_equal(read_it(at("two"), &f), "x\n");
    assert_int_equal(symlink(at("good"), at("link")), 0);
    assert_string_equal(read_it(at("link"), &f), "open sesame");
}

static void refuse(const char *file, const char *says)
{
    struct failure f;

    if (read_it(file, &f))
        fail_msg("%s was taken", file);
    if (!strstr(f.text, says))
        fail_msg("%s: %s", file, f.text);
}

static void test_open_to_others(void **state)
{
    static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0644, 0610, 0660 };
    struct failure f;

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        put_mode("open", "open sesame", modes[i]);
        refuse(at("open"), "chmod 600");
    }
    /* What systemd makes of an access list. */
    put_mode("cred", "open sesame", 0440);
    assert_string_equal(read_it("credential:cred", &f), "open sesame");
    put_mode("cred", "open sesame", 0444);
    refuse("credential:cred", "chmod 600");
}

static void test_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    put_mode("theirs", "open sesame", 0600);
    assert_int_equal(chown(at("theirs"), 65534, 65534), 0);
    refuse(at("theirs"), "belongs to somebody else");
    assert_int_equal(symlink(at("good"), at("bad-link")), 0);
    assert_int_equal(lchown(at("bad-link"), 65534, 65534), 0);
    refuse(at("bad-link"), "a link of somebody else's");
}

static void test_no_secret(void **state)
{
    static char large[SECRET_MAX + 10];

    (void)state;
    refuse(at("nothing"), "nothing: No such file");
    refuse(tree_root, "not a plain file");
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    refuse(at("fifo"), "not a plain file");
    put_mode("empty", "\n", 0600);
    refuse(at("empty"), "empty");
    memset(large, 'x', SECRET_MAX + 1);
    put_mode("large", large, 0600);
    refuse(at("large"), "longer than 65536 bytes");
    refuse("credential:../good", "no name of a credential");
    refuse("credential:", "no name of a credential");
    refuse("credential:..", "no name of a credential");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    refuse("credential:good", "LoadCredential=");
}

static void test_largest(void **state)
{
    static char large[SECRET_MAX + 1];
    struct failure f;
    struct secret s;

    (void)state;
    memset(large, 'x', SECRET_MAX);
    put_mode("largest", large, 0600);
    assert_int_equal(secret_read(&s, at("largest"), "key", &f), 0);
    assert_int_equal(s.len, SECRET_MAX);
    secret_release(&s);
    secret_release(&s);
}

/* ---- kinds --------------------------------------------------------------- */

/* Beginnings of real keys, with bytes of zero for what is secret. */
#define OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define PLAIN   "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB"
#define LOCKED                                                               \
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAAAAAAAA" \
    "\nAAAAAAAAAAAAAAAAAAEAAAAAEAAAAqAAAAB3NzaC1yc2EAAAADAQABAAAAFAAAAAAA"   \
    "AAAA\nAAAAAAAAAAAAAAAA"
static struct kind_case {
    const char *name, *text;
    enum key_kind want;
} kind_cases[] = {
    { "ed25519",
      OPENSSH PLAIN "AAAAMwAAAAtzc2gtZWQyNTUxOQAA\nACAAAAAA\n-----END",
      KEY_ED25519 },
    { "ECDSA", OPENSSH PLAIN "AAAAaAAAABNlY2RzYS1zaGEyLW5pc3RwMjU2AAAA\n",
      KEY_ECDSA },
    { "RSA", OPENSSH PLAIN "AAABFwAAAAdzc2gtcnNhAAAA\n-----END", KEY_RSA },
    { "RSA behind a passphrase", OPENSSH LOCKED "\n-----END", KEY_RSA },
    { "text before it",
      "a note\n" OPENSSH PLAIN "AAABFwAAAAdzc2gtcnNhAAAA\n-----END", KEY_RSA },
    { "a security key",
      OPENSSH PLAIN "AAAASgAAABpzay1zc2gtZWQyNTUxOUBvcGVuc3NoLmNvbQAA\n",
      KEY_ED25519 },
    { "RSA as PEM", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", KEY_RSA },
    { "EC as PEM", "-----BEGIN EC PRIVATE KEY-----\nMHcC", KEY_ECDSA },
    { "PKCS #8", "-----BEGIN PRIVATE KEY-----\nMIIE", KEY_UNTOLD },
    { "PKCS #8 behind a passphrase",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE", KEY_UNTOLD },
    { "the head alone", OPENSSH, KEY_UNTOLD },
    { "no base64", OPENSSH "!!!!!!!!", KEY_UNTOLD },
    { "nothing", "", KEY_UNTOLD },
};

static void test_kind(void **state)
{
    const struct kind_case *c = *state;

    assert_int_equal(key_kind(str_of(c->text)), c->want);
}

int main(void)
{
    static const struct CMUnitTest files[] = {
        cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_to_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_secret, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_largest, set_up, tear_down),
    };
    static struct CMUnitTest tests[COUNT(files) + COUNT(kind_cases)];

    memcpy(tests, files, sizeof(files));
    for (size_t i = 0; i < COUNT(kind_cases); i++)
        tests[COUNT(files) + i] =
            (struct CMUnitTest)ROW(test_kind, &kind_cases[i]);
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
