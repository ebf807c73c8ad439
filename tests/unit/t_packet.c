/* t_packet.c - courier/packet.c: what is built, and what is read, and refused.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "courier/packet.h"

#define S(lit)                 \
    {                          \
        (lit), sizeof(lit) - 1 \
    }
#define ID "\0\0\0\7"

/* ---- answers ------------------------------------------------------------- */

static const struct row {
    const char *name;
    struct str body;
    const char *wrong; /* NULL: nothing */
} rows[] = {
    { "a status", S("\x65" ID "\0\0\0\0\0\0\0\2ok\0\0\0\2en"), NULL },
    { "a status without words", S("\x65" ID "\0\0\0\0"), NULL },
    { "a status without a language", S("\x65" ID "\0\0\0\0\0\0\0\2ok"), NULL },
    { "a status without a code", S("\x65" ID "\0\0\0"), "is cut" },
    { "a status whose words are cut", S("\x65" ID "\0\0\0\0\0\0\0\3ok"),
      "is cut" },
    { "bytes behind a status", S("\x65" ID "\0\0\0\0\0\0\0\0\0\0\0\0x"),
      "is too long" },
    { "nothing", S(""), "is of a type that no answer has" },
    { "a type alone", S("\x65"), "is cut" },
    { "a question", S("\x03" ID "\0\0\0\0"),
      "is of a type that no answer has" },
    { "a handle", S("\x66" ID "\0\0\0\1h"), NULL },
    { "a handle of 4 GB", S("\x66" ID "\xff\xff\xff\xffh"), "is cut" },
    { "an empty handle", S("\x66" ID "\0\0\0\0"),
      "has an empty handle, or one of more than 256 bytes" },
    { "data", S("\x67" ID "\0\0\0\3abc"), NULL },
    { "data and an end that is told", S("\x67" ID "\0\0\0\3abc\1"),
      "is too long" },
    { "no attributes", S("\x69" ID "\0\0\0\0"), NULL },
    { "all attributes",
      S("\x69" ID "\0\0\0\x0f\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\x81\xa4"
        "\0\0\0\1\0\0\0\2"),
      NULL },
    { "attributes that are cut", S("\x69" ID "\0\0\0\1\0\0\0\0\0\0\0"),
      "is cut" },
    { "a pair of attributes",
      S("\x69" ID "\x80\0\0\0\0\0\0\1\0\0\0\1a\0\0\0\1b"), NULL },
    { "pairs that are fewer",
      S("\x69" ID "\x80\0\0\0\0\0\0\2\0\0\0\1a\0\0\0\1b"), "is cut" },
    { "no names", S("\x68" ID "\0\0\0\0"), NULL },
    { "a name", S("\x68" ID "\0\0\0\1\0\0\0\1a\0\0\0\1l\0\0\0\0"), NULL },
    { "names that are fewer", S("\x68" ID "\0\0\0\2\0\0\0\1a\0\0\0\1l\0\0\0\0"),
      "is cut" },
    { "names that are more", S("\x68" ID "\0\0\0\0\0\0\0\1a\0\0\0\1l\0\0\0\0"),
      "is too long" },
    { "four thousand million names", S("\x68" ID "\xff\xff\xff\xff"),
      "is cut" },
    { "any numbers", S("\xc9" ID "12345"), NULL },
};

static void read_row(void **state)
{
    const struct row *r = *state;
    struct reply reply;
    const char *wrong = NULL;
    int got = reply_read(r->body, &reply, &wrong);

    assert_int_equal(got, r->wrong ? -1 : 0);
    if (r->wrong)
        assert_string_equal(wrong, r->wrong);
    else
        assert_int_equal(reply.id, 7);
}

/* Each beginning of a right answer is a wrong one, and nothing is read past
 * it: the sanitizers see that, for it lies at the end of its memory. */
static void every_cut_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].wrong || rows[i].body.len <= 5 ||
            (unsigned char)rows[i].body.p[0] == FXP_EXTENDED_REPLY)
            continue;
        for (size_t len = 0; len < rows[i].body.len; len++) {
            char *copy = test_malloc(len ? len : 1);
            struct reply reply;
            const char *wrong = NULL;
            bool legal =
                rows[i].body.p[0] == FXP_STATUS && (len == 9 || len == 15);

            memcpy(copy, rows[i].body.p, len);
            assert_int_equal(
                reply_read((struct str){ copy, len }, &reply, &wrong),
                legal ? 0 : -1);
            test_free(copy);
        }
    }
}

static void attributes_are_told(void **state)
{
    struct reply r;
    const char *wrong;

    (void)state;
    assert_int_equal(
        reply_read(
            (struct str)S("\x69" ID "\0\0\0\x0f\0\0\0\1\0\0\0\2"
                          "\0\0\0\3\0\0\0\4\0\0\x81\xa4\0\0\0\5\0\0\0\6"),
            &r, &wrong),
        0);
    assert_true(r.attrs.size == 0x100000002);
    assert_int_equal(r.attrs.uid, 3);
    assert_int_equal(r.attrs.gid, 4);
    assert_int_equal(r.attrs.mode, S_IFREG | 0644);
    assert_int_equal(r.attrs.atime, 5);
    assert_int_equal(r.attrs.mtime, 6);
    assert_true(attrs_is_file(&r.attrs));
    assert_false(attrs_is_folder(&r.attrs));
    r.attrs.has &= ~(uint32_t)ATTR_MODE;
    assert_false(attrs_is_file(&r.attrs));
}

static void names_come_one_by_one(void **state)
{
    struct reply r;
    struct entry e;
    const char *wrong;

    (void)state;
    assert_int_equal(
        reply_read((struct str)S("\x68" ID "\0\0\0\2"
                                 "\0\0\0\1a\0\0\0\0\x80\0\0\0\0\0\0\1"
                                 "\0\0\0\1t\0\0\0\0"
                                 "\0\0\0\2bc\0\0\0\1l\0\0\0\0"),
                   &r, &wrong),
        0);
    assert_true(reply_name(&r, &e));
    assert_true(str_is(e.name, "a"));
    assert_int_equal(e.attrs.has, 0);
    assert_true(reply_name(&r, &e));
    assert_true(str_is(e.name, "bc"));
    assert_true(str_is(e.longname, "l"));
    assert_false(reply_name(&r, &e));
}

static void numbers_have_to_be_there(void **state)
{
    struct reply r = { .text = S("\0\0\0\0\0\0\0\5\0\0\0\1\0\0\0\0") };
    uint64_t numbers[3];

    (void)state;
    assert_true(reply_numbers(&r, numbers, 2));
    assert_true(numbers[0] == 5 && numbers[1] == 0x100000000);
    assert_false(reply_numbers(&r, numbers, 3));
}

/* ---- VERSION ------------------------------------------------------------- */

static const struct version_row {
    const char *name;
    struct str body;
    const char *wrong;
    uint32_t number;
    const char *extensions;
} versions[] = {
    { "version 3 alone", S("\2\0\0\0\3"), NULL, 3, "" },
    { "version 6", S("\2\0\0\0\6"), NULL, 6, "" },
    { "posix-rename",
      S("\2\0\0\0\3\0\0\0\x18posix-rename@openssh.com\0\0\0\1"
        "1"),
      NULL, 3, "posix-rename" },
    { "posix-rename of a version to come",
      S("\2\0\0\0\3\0\0\0\x18posix-rename@openssh.com\0\0\0\1"
        "2"),
      NULL, 3, "" },
    { "an unknown extension before a known one",
      S("\2\0\0\0\3\0\0\0\4x@yz\0\0\0\3\0\1\2\0\0\0\x11"
        "fsync@openssh.com\0\0\0\1"
        "1"),
      NULL, 3, "fsync" },
    { "an extension without data", S("\2\0\0\0\3\0\0\0\1x"), "is cut", 0, "" },
    { "an extension that is cut", S("\2\0\0\0\3\0\0\1\0x"), "is cut", 0, "" },
    { "no number", S("\2\0\0\0"), "is cut", 0, "" },
    { "something else", S("\x65\0\0\0\3"),
      "is not the VERSION that SFTP begins with", 0, "" },
    { "nothing", S(""), "is not the VERSION that SFTP begins with", 0, "" },
};

static void version_row(void **state)
{
    const struct version_row *r = *state;
    struct version v;
    const char *wrong = NULL;
    char names[100];

    assert_int_equal(version_read(r->body, &v, &wrong), r->wrong ? -1 : 0);
    if (r->wrong) {
        assert_string_equal(wrong, r->wrong);
        return;
    }
    assert_int_equal(v.number, r->number);
    assert_int_equal(version_text(&v, names, sizeof(names)),
                     strlen(r->extensions));
    assert_string_equal(names, r->extensions);
}

static void names_of_extensions_keep_to_their_room(void **state)
{
    const struct version v = { 3, EXT_POSIX_RENAME | EXT_FSYNC | EXT_LIMITS };
    char to[100];

    (void)state;
    for (size_t cap = 1; cap < sizeof(to); cap++) {
        memset(to, '#', sizeof(to));
        assert_true(version_text(&v, to, cap) < cap);
        assert_int_equal(strlen(to), version_text(&v, to, cap));
        assert_int_equal(to[cap], '#');
    }
    assert_string_equal(to, "posix-rename fsync limits");
}

/* ---- build --------------------------------------------------------------- */

static void a_packet_is_built(void **state)
{
    static const char want[] = "\0\0\0\x1a\3\0\0\0\7\0\0\0\1a\0\0\0\0\0\0\0\1"
                               "\0\0\0\4data";
    unsigned char room[64];
    struct packet k;

    (void)state;
    packet_begin(&k, room, sizeof(room), FXP_OPEN);
    packet_u32(&k, 7);
    packet_str(&k, STR("a"));
    packet_u64(&k, 1);
    memcpy(packet_room(&k, 4), "data", 4);
    assert_int_equal(packet_end(&k), sizeof(want) - 1);
    assert_memory_equal(room, want, sizeof(want) - 1);
}

static void a_packet_without_room_is_none(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 30; cap++) {
        unsigned char room[32];
        struct packet k;

        memset(room, '#', sizeof(room));
        packet_begin(&k, room, cap, FXP_OPEN);
        packet_u32(&k, 7);
        packet_str(&k, STR("name"));
        packet_u64(&k, 1);
        assert_int_equal(packet_end(&k), cap < 25 ? 0 : 25);
        assert_int_equal(room[cap], '#');
    }
}

static void numbers_have_names(void **state)
{
    (void)state;
    assert_string_equal(fxp_name(FXP_LSTAT), "LSTAT");
    assert_string_equal(fxp_name(77), "");
    assert_string_equal(fx_name(FX_FAILURE), "FAILURE");
    assert_string_equal(fx_name(4711), "");
}

int main(void)
{
    static const struct CMUnitTest alone[] = {
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(attributes_are_told),
        cmocka_unit_test(names_come_one_by_one),
        cmocka_unit_test(numbers_have_to_be_there),
        cmocka_unit_test(names_of_extensions_keep_to_their_room),
        cmocka_unit_test(a_packet_is_built),
        cmocka_unit_test(a_packet_without_room_is_none),
        cmocka_unit_test(numbers_have_names),
    };
    static struct CMUnitTest
        tests[COUNT(rows) + COUNT(versions) + COUNT(alone)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] =
            (struct CMUnitTest)ROW(read_row, (struct row *)(uintptr_t)&rows[i]);
    for (size_t i = 0; i < COUNT(versions); i++)
        tests[n++] = (struct CMUnitTest)ROW(
            version_row, (struct version_row *)(uintptr_t)&versions[i]);
    for (size_t i = 0; i < COUNT(alone); i++)
        tests[n++] = alone[i];
    return _cmocka_run_group_tests("packet", tests, n, NULL, NULL);
}
