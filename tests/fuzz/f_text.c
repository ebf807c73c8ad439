/*
 * f_text.c - what the language does to texts, names, addresses and numbers
 * that identify. All of it takes UTF-8 and must give UTF-8.
 *
 * Input: a byte for the language and country, the text; up to its first byte
 * that is not UTF-8. Messages take any bytes.
 */
#include "converters/base/diag.h"
#include "converters/base/idcheck.h"
#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "formats/sink.h"
#include "tests/fuzz/fuzz.h"

static void check_at(int line, struct str s)
{
    if (utf8_valid_len(s) != s.len)
        fuzz_failed(__FILE__, line, "it is UTF-8");
}
#define check(...) check_at(__LINE__, __VA_ARGS__)

static void change(struct arena *a, struct str s, struct str lang)
{
    struct str what = str_first(s, utf8_offset(s, 1 + s.len % 3));
    char folded[256];

    check(text_trim(s));
    check(text_squeeze(a, s));
    check(text_upper(a, s, lang));
    check(text_lower(a, s, lang));
    check(text_title(a, s, lang));
    check(text_nfc(a, s));
    check(text_ascii(a, s));
    check(text_one_line(a, s));
    check(text_strip_html(a, s));
    check(text_digits(a, s));
    check(text_replace(a, s, what, STR("<>")));
    check((struct str){ folded, text_fold(s, folded, sizeof(folded)) });
    FUZZ_CHECK(utf8_ascii_len(text_ascii(a, s)) == text_ascii(a, s).len);
}

static void split(struct arena *a, struct str s, struct str country)
{
    struct str one, two;

    (void)split_street(s, country, &one, &two);
    check(one);
    check(two);
    FUZZ_CHECK(one.len + two.len <= s.len);
    (void)split_name(s, &one, &two);
    check(one);
    check(two);
    FUZZ_CHECK(one.len + two.len <= s.len);
    if (country_code(s, &one))
        FUZZ_CHECK(one.len == 2);
    (void)phone_normal(a, s, country, &one);
    check(one);
    (void)html_entity(s);
}

static void identify(struct arena *a, struct str s)
{
    for (const struct idcheck *c = idchecks; c->name; c++) {
        bool ok = c->ok(s);

        if (c->is_personal && c->is_personal(s))
            (void)idcheck_shown(c, a, s);
        FUZZ_CHECK(!ok || s.len);
    }
}

static void show(struct str any)
{
    struct buf b;

    buf_init(&b, MB(16));
    show_text(&b, any);
    buf_clear(&b);
    json_string(&b, any);
    check(buf_str(&b));
    buf_release(&b);
}

static bool fallback(void *ctx, uint32_t cp, struct str *text)
{
    const struct fallback *f = fallback_find(*(const struct str *)ctx, cp);

    *text = f ? str_of(f->text) : STR("");
    return f != NULL;
}

static void replaced(void *ctx, uint32_t cp)
{
    (void)ctx;
    (void)cp;
}

/* Into a charset that lacks much of it. */
static void encode(struct str s, struct str country, uint8_t which)
{
    struct sink sink;
    size_t n = 0;

    while (charsets[n])
        n++;
    sink_init(&sink, charsets[which % n]);
    sink.newline = "\n";
    sink.fallback = fallback;
    sink.replaced = replaced;
    sink.ctx = &country;
    if (sink_text(&sink, s, NULL) == -1)
        FUZZ_CHECK(sink.out.len == 0);
    sink_release(&sink);
}

void fuzz_one(struct str data)
{
    static const struct str countries[] = { { "cz", 2 }, { "sk", 2 },
                                            { "hu", 2 }, { "ro", 2 },
                                            { "tr", 2 }, { "", 0 } };
    static const struct str langs[] = { { "cs", 2 }, { "hu", 2 }, { "ro", 2 },
                                        { "tr", 2 }, { "", 0 },   { "xx", 2 } };
    uint8_t how = fuzz_byte(&data);
    struct str country = countries[how % COUNT(countries)];
    struct arena a = { 0 };
    struct str s;

    show(data);
    s = str_first(data, utf8_valid_len(data));
    s = str_first(s, strnlen(s.p, s.len)); /* no file's text holds a NUL */
    change(&a, s, langs[how % COUNT(langs)]);
    split(&a, s, country);
    identify(&a, s);
    encode(s, country, how);
    arena_release(&a);
}
