/*
 * f_match.c - globs, against a plain and slow matcher; the nearest name.
 *
 * Input: the pattern, the text; "%%" between them.
 */
#include "converters/base/text.h"
#include "tests/fuzz/fuzz.h"

/* can[j]: the pattern so far fits the first j bytes. */
static bool matches(struct str pattern, struct str s)
{
    static bool can[KB(64) + 1];

    for (size_t j = 0; j <= s.len; j++)
        can[j] = j == 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.p[i] == '*') {
            for (size_t j = 1; j <= s.len; j++)
                can[j] = can[j] || can[j - 1];
        } else {
            for (size_t j = s.len; j > 0; j--)
                can[j] = can[j - 1] && s.p[j - 1] == pattern.p[i];
            can[0] = false;
        }
    }
    return can[s.len];
}

static struct str in_lower_case(struct arena *a, struct str s)
{
    char *p = arena_text(a, s.len);

    for (size_t i = 0; i < s.len; i++)
        p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    return (struct str){ p, s.len };
}

static void find_nearest(struct arena *a, struct str names)
{
    const char *list[8];
    struct str typed = str_first(names, names.len / 3);
    const char *found;
    size_t n = 0;

    while (names.len && n < COUNT(list)) {
        struct str name = str_first(names, 1 + names.len / 4);

        list[n++] = arena_cstr(a, name);
        names = str_from(names, name.len);
    }
    found = nearest(typed, list, n);
    FUZZ_CHECK(!found || n > 0);
}

void fuzz_one(struct str data)
{
    struct arena a = { 0 };
    struct str pattern = fuzz_part(&data), s = data;
    bool found = glob_match(pattern, s);

    /* The slow one is for small texts only. */
    if (s.len * pattern.len <= KB(4)) {
        FUZZ_CHECK(found == matches(pattern, s));
        FUZZ_CHECK(glob_match_nocase(pattern, s) ==
                   matches(in_lower_case(&a, pattern), in_lower_case(&a, s)));
    }
    find_nearest(&a, str_first(s, 400));
    arena_release(&a);
}
