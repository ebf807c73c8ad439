/*
 * t_hostkey.c - which host keys are accepted: fingerprints, and the lines of
 * known_hosts.
 */
#include "tests/unit/tree.h"

#include <errno.h>

#include <openssl/evp.h>

#include "courier/hostkey.h"

/* Three keys, made up. */
#define ED \
    "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define ED_FP "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
#define ED2 \
    "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define ED2_FP "SHA256:mKqU+0K8OhKmA8bBQi9Rz0Q5l7/g160hIP+rJYSTNj4"
#define RSA                                                                    \
    "AAAAB3NzaC1yc2EAAAADAQABAAAAQQCrq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur" \
    "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur"
#define RSA_FP "SHA256:s5CXdjJ6VUkPB7Qr27/BIuYfBwcKxL07wkUyZTHXqUE"

enum verdict { YES, UNKNOWN, CHANGED, OTHER_TYPE, IS_REVOKED };

/* The host is erp.example, and shows the key ED. */
struct row {
    const char *name, *known_hosts;
    uint32_t port; /* 0: 22 */
    enum verdict want;
    const char *pins[2];
};

static struct row rows[] = {
    { .name = "nothing", "", .want = UNKNOWN },
    { .name = "its line", "erp.example ssh-ed25519 " ED "\n" },
    { .name = "its line, without an end", "erp.example ssh-ed25519 " ED },
    { .name = "tabs, blanks, a comment, CR LF",
      "  erp.example\t ssh-ed25519  " ED "  of the partner \r\n" },
    { .name = "somebody else's line",
      "shop.example ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "capital letters", "ERP.Example ssh-ed25519 " ED },
    { .name = "in a list", "a.example,erp.example,b ssh-ed25519 " ED },
    { .name = "in a list with empty names", ",,erp.example,, ssh-ed25519 " ED },
    { .name = "a part of its name", "erp ssh-ed25519 " ED, .want = UNKNOWN },
    { .name = "more than its name",
      "erp.example.com ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "a star", "*.example ssh-ed25519 " ED },
    { .name = "a star for everything", "* ssh-ed25519 " ED },
    { .name = "stars that go back", "e*p*.*xam*le ssh-ed25519 " ED },
    { .name = "question marks", "e?p.exampl? ssh-ed25519 " ED },
    { .name = "a question mark too many",
      "erp.example? ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "not this one",
      "*.example,!erp.example ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "not this one, said first",
      "!e*,*.example ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "not another one", "*.example,!shop.example ssh-ed25519 " ED },
    { .name = "only a not", "!shop.example ssh-ed25519 " ED, .want = UNKNOWN },

    { .name = "a port", "[erp.example]:2222 ssh-ed25519 " ED, 2222 },
    { .name = "another port",
      "[erp.example]:2223 ssh-ed25519 " ED,
      2222,
      UNKNOWN },
    { .name = "a name without the port",
      "erp.example ssh-ed25519 " ED,
      2222,
      UNKNOWN },
    { .name = "port 22, said", "[erp.example]:22 ssh-ed25519 " ED },
    { .name = "a star and a port", "[*.example]:2222 ssh-ed25519 " ED, 2222 },

    { .name = "hashed",
      "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|dX6InlZDrJqubcdHdgWrDd8ghoc= "
      "ssh-ed25519 " ED },
    { .name = "hashed, with its port",
      "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|FBYesh9anozFZ8CNK60yC4HiZtg= "
      "ssh-ed25519 " ED,
      2222 },
    { .name = "hashed, another name",
      "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|FBYesh9anozFZ8CNK60yC4HiZtg= "
      "ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "hashed by another rule",
      "|2|AAECAwQFBgcICQoLDA0ODxAREhM=|dX6InlZDrJqubcdHdgWrDd8ghoc= "
      "ssh-ed25519 " ED,
      .want = UNKNOWN },
    { .name = "hashed, damaged",
      "|1|AAECAwQF|dX6In ssh-ed25519 " ED,
      .want = UNKNOWN },

    { .name = "another key of that type",
      "erp.example ssh-ed25519 " ED2,
      .want = CHANGED },
    { .name = "a key of another type",
      "erp.example ssh-rsa " RSA,
      .want = OTHER_TYPE },
    { .name = "one of several keys",
      "erp.example ssh-rsa " RSA "\nerp.example ssh-ed25519 " ED2
      "\nerp.example ssh-ed25519 " ED },
    { .name = "bad lines beside it",
      "erp.example ssh-ed25519\n\n# note\n@what x y z\n"
      "erp.example ssh-ed25519 !!!!\n"
      "erp.example ssh-rsa " ED "\n"
      "erp.example 1024 35 1234567\n"
      "erp.example ssh-ed25519 " ED },
    { .name = "a type that is not the key's",
      "erp.example ssh-rsa " ED,
      .want = UNKNOWN },
    { .name = "a key cut off",
      "erp.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAB",
      .want = CHANGED },
    { .name = "a comment", "#erp.example ssh-ed25519 " ED, .want = UNKNOWN },

    { .name = "revoked", "@revoked * ssh-ed25519 " ED, .want = IS_REVOKED },
    { .name = "revoked, after it was accepted",
      "erp.example ssh-ed25519 " ED "\n@revoked erp.example ssh-ed25519 " ED,
      .want = IS_REVOKED },
    { .name = "another one is revoked",
      "@revoked * ssh-ed25519 " ED2 "\nerp.example ssh-ed25519 " ED },
    { .name = "only another one is revoked",
      "@revoked * ssh-ed25519 " ED2,
      .want = UNKNOWN },
    { .name = "an authority",
      "@cert-authority * ssh-ed25519 " ED,
      .want = UNKNOWN },

    { .name = "what `trust` writes", "[erp.example]:22 ssh-ed25519 " ED_FP },
    { .name = "what `trust` wrote of another key",
      "[erp.example]:22 ssh-ed25519 " ED2_FP,
      .want = CHANGED },
    { .name = "a revoked fingerprint",
      "@revoked * ssh-ed25519 " ED_FP,
      .want = IS_REVOKED },

    { .name = "a fingerprint of the configuration", "", .pins = { ED_FP } },
    { .name = "with its type", "", .pins = { "ssh-ed25519 " ED_FP } },
    { .name = "padded", "", .pins = { ED_FP "=" } },
    { .name = "the second one", "", .pins = { ED2_FP, ED_FP } },
    { .name = "another one", "", .pins = { ED2_FP }, .want = CHANGED },
    { .name = "another one of another type",
      "",
      .pins = { "ssh-rsa " RSA_FP },
      .want = OTHER_TYPE },
    { .name = "both sources",
      "erp.example ssh-ed25519 " ED,
      .pins = { ED2_FP } },
    { .name = "revoked beats the configuration",
      "@revoked * ssh-ed25519 " ED,
      .pins = { ED_FP },
      .want = IS_REVOKED },
};

static struct str blob_of(const char *base64)
{
    static unsigned char raw[200];
    int n = EVP_DecodeBlock(raw, (const unsigned char *)base64,
                            (int)strlen(base64));

    assert_true(n > 0);
    return (struct str){ (char *)raw, (size_t)n };
}

static int load(struct hostkeys *k, struct login *l, const struct row *r,
                struct failure *f)
{
    *l = (struct login){ .host = "erp.example",
                         .port = r->port ? r->port : 22,
                         .known_hosts = at("known_hosts") };
    put("known_hosts", r->known_hosts);
    for (size_t i = 0; i < COUNT(r->pins) && r->pins[i]; i++)
        l->pins[l->n_pins++] = r->pins[i];
    return hostkeys_load(k, l, f);
}

static void test_row(void **state)
{
    static const char *const says[] = { "", "is unknown: ssh-ed25519 SHA256:",
                                        "has CHANGED: expected SHA256:",
                                        "one of another type is known: "
                                        "expected ssh-rsa SHA256:s5CXd",
                                        "is REVOKED" };
    const struct row *r = *state;
    struct hostkeys k;
    struct login l;
    struct line line = { 0 };
    struct failure f = { 0 };
    int rc;

    tree_make();
    assert_int_equal(load(&k, &l, r, &f), 0);
    rc = hostkeys_check(&k, &l, blob_of(ED), &line, &f);
    tree_drop();
    assert_string_equal(line.host_key, "ssh-ed25519 " ED_FP);
    assert_int_equal(rc, r->want == YES ? 0 : -1);
    if (rc == 0)
        return;
    assert_int_equal(f.how, OUTCOME_HOST_KEY);
    assert_string_equal(f.fingerprint, "ssh-ed25519 " ED_FP);
    if (!strstr(f.text, says[r->want]))
        fail_msg("%s", f.text);
}

static void test_no_file(void **state)
{
    struct login l = { .host = "h", .port = 22, .known_hosts = "/nowhere/x" };
    struct hostkeys k;
    struct failure f;

    (void)state;
    assert_int_equal(hostkeys_load(&k, &l, &f), 0);
    assert_int_equal(k.n, 0);
    l.known_hosts = "/proc/self/mem";
    assert_int_equal(hostkeys_load(&k, &l, &f), -1);
    assert_int_equal(f.how, OUTCOME_SETUP);
}

static void test_bad_pin(void **state)
{
    static const char *const bad[] = {
        "",
        "SHA256:",
        "SHA256:abc",
        "MD5:00:11",
        "SHA256:" ED,
        ED_FP "A",
        "SHA256:!kAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA",
    };
    struct failure f;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct login l = { .pins = { bad[i] }, .n_pins = 1 };
        struct hostkeys k;

        if (hostkeys_load(&k, &l, &f) != -1)
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(f.how, OUTCOME_SETUP);
    }
}

static void test_too_many(void **state)
{
    char text[64 * 1024] = "";
    size_t len = 0;
    struct hostkeys k = { .n = 0 };

    (void)state;
    for (int i = 0; i <= MAX_HOSTKEYS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "erp.example ssh-ed25519 " ED "\n");
    assert_int_equal(hostkeys_parse(&k, str_of(text), "erp.example", 22), -1);
    assert_int_equal(k.n, MAX_HOSTKEYS);
    k.n = 0;
    assert_int_equal(hostkeys_parse(&k, str_of(text), "shop.example", 22), 0);
}

static void test_prefer(void **state)
{
    static const char methods[] = "ssh-ed25519,ecdsa-sha2-nistp256,"
                                  "rsa-sha2-512,rsa-sha2-256";
    struct hostkeys k = { .n = 0 };
    char list[200];

    (void)state;
    hostkeys_prefer(&k, methods, list, sizeof(list));
    assert_string_equal(list, methods);
    assert_false(hostkeys_are_rsa(&k));
    assert_int_equal(
        hostkeys_parse(&k, STR("h ssh-rsa " RSA "\n@revoked h ssh-ed25519 " ED),
                       "h", 22),
        0);
    assert_int_equal(k.n, 2);
    hostkeys_prefer(&k, methods, list, sizeof(list));
    assert_string_equal(list, "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"
                              "ecdsa-sha2-nistp256");
    assert_true(hostkeys_are_rsa(&k));
    hostkeys_prefer(&k, methods, list, 20);
    assert_string_equal(list, "rsa-sha2-512");
    assert_int_equal(hostkeys_parse(&k, STR("h ssh-ed25519 " ED2), "h", 22), 0);
    assert_false(hostkeys_are_rsa(&k));
}

/* What a server shows instead of a key. */
static void test_no_key(void **state)
{
    static const struct str bad[] = {
        { "", 0 },
        { "\0\0", 2 },
        { "\0\0\0\0", 4 },
        { "\0\0\0\013ssh-ed", 10 },
        { "\0\0\0\003a\nb", 7 },
        { "\377\377\377\377x", 5 },
        { "\0\0\0\060123456789012345678901234567890123456789012345678", 52 },
    };
    struct hostkeys k = { .n = 0 };
    struct login l = { .host = "h" };
    struct line line;
    struct failure f;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(hostkeys_check(&k, &l, bad[i], &line, &f), -1);
        assert_int_equal(f.how, OUTCOME_REFUSED);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_no_file),  cmocka_unit_test(test_bad_pin),
        cmocka_unit_test(test_too_many), cmocka_unit_test(test_prefer),
        cmocka_unit_test(test_no_key),
    };
    static struct CMUnitTest tests[COUNT(others) + COUNT(rows)];

    memcpy(tests, others, sizeof(others));
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[COUNT(others) + i] = (struct CMUnitTest)ROW(test_row, &rows[i]);
    return cmocka_run_group_tests_name("hostkey", tests, NULL, NULL);
}
