/* text_names.c - given name and family name; phone numbers. */
#include "converters/base/text.h"
#include "converters/base/utf8.h"

/* ---- names of people ---------------------------------------------------- */

enum { WORDS_MAX = 10, WORD_MAX = 24 };

struct words {
    struct str all;
    struct str w[WORDS_MAX];
    size_t n;
};

static bool is_one_of(struct str word, const char *const *words)
{
    char folded[WORD_MAX];
    struct str f = { folded, text_fold(word, folded, sizeof(folded)) };

    for (; f.len && *words; words++)
        if (str_is(f, *words))
            return true;
    return false;
}

/* False: too many words for a name, or signs that names do not have. */
static bool words_of(struct str s, struct words *to)
{
    *to = (struct words){ .all = s };
    for (size_t pos = 0, from = 0; pos <= s.len;) {
        size_t here = pos;
        int32_t cp = pos < s.len ? utf8_next(s, &pos) : ' ';

        if (cp < 0 || (cp >= '0' && cp <= '9') || cp == '&' || cp == '/' ||
            cp == '@' || cp == '(' || cp == ')')
            return false;
        if (here == s.len)
            pos++;
        if (!text_is_space((uint32_t)cp))
            continue;
        if (here > from) {
            if (to->n == WORDS_MAX)
                return false;
            to->w[to->n++] = (struct str){ s.p + from, here - from };
        }
        from = pos;
    }
    return true;
}

/* "s.r.o." is folded to "s r o". */
static bool is_company(const struct words *all)
{
    static const char *const forms[] = {
        "s r o", "sro", "a s", "as",      "v o s", "k s",   "r o",  "o p s",
        "z s",   "kft", "zrt", "nyrt",    "bt",    "rt",    "kkt",  "srl",
        "s r l", "s a", "pfa", "sti",     "ltd",   "llc",   "inc",  "gmbh",
        "ag",    "kg",  "ohg", "s p a",   "spol",  "sp",    "corp", "company",
        "b v",   "bv",  "n v", "holding", "group", "firma", NULL
    };

    for (size_t i = 1; i < all->n; i++)
        if (is_one_of(all->w[i], forms))
            return true;
    return false;
}

/* "Ing.", "Ph.D.", "ml."; not "J.", which is a name made short. */
static bool is_title(struct str word)
{
    static const char *const plain[] = { "ing",  "mgr",  "bc",  "mudr", "judr",
                                         "phdr", "rndr", "csc", "drsc", "phd",
                                         "mba",  "dis",  "llm", "msc",  "prof",
                                         "doc",  "dr",   "et",  "ifj",  "ozv",
                                         "jr",   "sr",   "ml",  "st",   NULL };
    size_t letters = 0;

    if (is_one_of(word, plain))
        return true;
    for (size_t i = 0; i < word.len; i++) {
        if (word.p[i] == '.' && letters >= 2)
            return true;
        letters = word.p[i] == '.' ? 0 : letters + 1;
        /* The second byte of a character is no second letter. */
        if (((unsigned char)word.p[i] & 0xC0) == 0x80)
            letters--;
    }
    return false;
}

static bool is_particle(struct str word)
{
    static const char *const particles[] = {
        "van", "von", "de", "der", "den", "da", "di",  "del", "della", "dos",
        "du",  "la",  "le", "zu",  "al",  "el", "ter", "ten", "z",     NULL
    };

    for (const char *const *p = particles; *p; p++)
        if (str_is(word, *p))
            return true;
    return false;
}

static bool all_titles(struct str s)
{
    struct words w;

    if (!words_of(s, &w))
        return false;
    for (size_t i = 0; i < w.n; i++)
        if (!is_title(w.w[i]))
            return false;
    return true;
}

/* "Ing. Jan van Beek, Ph.D.": titles stay where they stand. */
static bool split_words(const struct words *all, struct str *first,
                        struct str *last)
{
    const struct str *w = all->w;
    size_t begin = 0, end = all->n, cut;
    const char *all_end = all->all.p + all->all.len;

    while (end > 0 && is_title(w[end - 1]))
        end--;
    while (begin < end && is_title(w[begin]))
        begin++;
    if (end < begin + 2)
        return false;
    cut = end - 1;
    while (cut > begin + 1 && is_particle(w[cut - 1]))
        cut--;
    *first = (struct str){ w[0].p,
                           (size_t)(w[cut - 1].p - w[0].p) + w[cut - 1].len };
    *last = (struct str){ w[cut].p, (size_t)(all_end - w[cut].p) };
    return true;
}

bool split_name(struct str s, struct str *first, struct str *last)
{
    ptrdiff_t comma;
    struct words all;

    s = text_trim(s);
    *first = s;
    *last = (struct str){ "", 0 };
    if (!words_of(s, &all) || is_company(&all))
        return false;
    comma = str_find_char(s, ',');
    if (comma >= 0) {
        struct str before = text_trim(str_first(s, (size_t)comma));
        struct str after = text_trim(str_from(s, (size_t)comma + 1));

        if (!all_titles(after)) {
            if (!before.len || str_find_char(after, ',') >= 0)
                return false;
            *first = after;
            *last = before;
            return true;
        }
    }
    return split_words(&all, first, last);
}

/* ---- phones ------------------------------------------------------------- */

/*
 * A national number has min..max digits without the trunk prefix, which is
 * dialled inside the country only.
 */
static const struct dial {
    char country[3];
    const char *code, *trunk;
    uint8_t min, max;
} dials[] = {
    { "cz", "420", "", 9, 9 },   { "sk", "421", "0", 9, 9 },
    { "hu", "36", "06", 8, 9 },  { "ro", "40", "0", 9, 9 },
    { "tr", "90", "0", 10, 10 }, { "pl", "48", "", 9, 9 },
    { "de", "49", "0", 6, 11 },  { "at", "43", "0", 7, 13 },
    { "ch", "41", "0", 9, 9 },   { "gb", "44", "0", 9, 10 },
    { "ie", "353", "0", 7, 9 },  { "fr", "33", "0", 9, 9 },
    { "it", "39", "", 6, 11 },   { "es", "34", "", 9, 9 },
    { "pt", "351", "", 9, 9 },   { "nl", "31", "0", 9, 9 },
    { "be", "32", "0", 8, 9 },   { "lu", "352", "", 6, 9 },
    { "dk", "45", "", 8, 8 },    { "se", "46", "0", 7, 10 },
    { "no", "47", "", 8, 8 },    { "fi", "358", "0", 6, 10 },
    { "bg", "359", "0", 7, 9 },  { "hr", "385", "0", 8, 9 },
    { "si", "386", "0", 8, 8 },  { "rs", "381", "0", 8, 9 },
    { "ba", "387", "0", 8, 8 },  { "me", "382", "0", 8, 8 },
    { "mk", "389", "0", 8, 8 },  { "al", "355", "0", 8, 9 },
    { "gr", "30", "", 10, 10 },  { "cy", "357", "", 8, 8 },
    { "mt", "356", "", 8, 8 },   { "ua", "380", "0", 9, 9 },
    { "md", "373", "0", 8, 8 },  { "lt", "370", "0", 8, 8 },
    { "lv", "371", "", 8, 8 },   { "ee", "372", "", 7, 8 },
    { "ru", "7", "8", 10, 10 },  { "us", "1", "1", 10, 10 },
    { "ca", "1", "1", 10, 10 },  { "il", "972", "0", 8, 9 },
};

/* What E.164 allows for a whole number, and what somebody may type. */
enum { INTL_MIN = 7, INTL_MAX = 15, TYPED_MAX = 24 };

static bool is_separator(uint32_t cp)
{
    return text_is_space(cp) || cp == '-' || cp == '.' || cp == '/' ||
           cp == '(' || cp == ')' || (cp >= 0x2010 && cp <= 0x2015) ||
           /* Invisible, but copied along from address books. */
           (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF;
}

/* The digits of s; false for anything that is more than one number. */
static bool read_digits(struct str s, char to[TYPED_MAX], size_t *n, bool *plus)
{
    *n = 0;
    *plus = false;
    for (size_t pos = 0; pos < s.len;) {
        struct str rest = str_from(s, pos);
        int32_t cp = utf8_next(s, &pos);

        if (cp < 0)
            return false;
        if (cp >= '0' && cp <= '9') {
            if (*n == TYPED_MAX)
                return false;
            to[(*n)++] = (char)cp;
        } else if (cp == '+' && *n == 0 && !*plus) {
            *plus = true;
        } else if (*n && str_starts(rest, STR("(0)"))) {
            pos += 2;
        } else if (!is_separator((uint32_t)cp)) {
            return false;
        }
    }
    return *n > 0;
}

static bool fits(const struct dial *d, struct str national)
{
    return national.len >= d->min && national.len <= d->max;
}

/*
 * No number begins with a trunk prefix of 0 or 06, so it goes. Where it is
 * another digit, it only goes when the number is too long.
 */
static struct str drop_trunk(const struct dial *d, struct str national)
{
    struct str trunk = str_of(d->trunk);

    if (trunk.len && str_starts(national, trunk) &&
        (trunk.p[0] == '0' || !fits(d, national)))
        return str_from(national, trunk.len);
    return national;
}

/* Takes the country's code off; false: another country's. */
static bool drop_code(const struct dial *d, struct str *digits)
{
    if (!str_starts(*digits, str_of(d->code)))
        return false;
    *digits = drop_trunk(d, str_from(*digits, strlen(d->code)));
    return true;
}

/*
 * Without trunk prefix and plus, a number may be meant with its code or
 * without. Where both can be, nothing is guessed.
 */
static bool national(const struct dial *d, struct str *digits)
{
    struct str rest = drop_trunk(d, *digits), coded = *digits;
    bool has_trunk = rest.len < digits->len;
    bool is_national = fits(d, rest);
    bool is_coded = !has_trunk && drop_code(d, &coded) && fits(d, coded);

    *digits = is_coded ? coded : rest;
    return is_national != is_coded;
}

bool phone_normal(struct arena *a, struct str s, struct str country,
                  struct str *out)
{
    char typed[TYPED_MAX];
    struct str digits = { typed, 0 };
    bool plus;

    *out = s;
    if (!read_digits(s, typed, &digits.len, &plus))
        return false;
    if (!plus && str_starts(digits, STR("00"))) {
        digits = str_from(digits, 2);
        plus = true;
    }
    for (size_t i = 0; i < COUNT(dials); i++) {
        const struct dial *d = &dials[i];

        if (plus ? !drop_code(d, &digits)
                 : !str_eq_nocase(country, str_of(d->country)))
            continue;
        if (plus ? !fits(d, digits) : !national(d, &digits))
            return false;
        *out = arena_fmt(a, "+%s%.*s", d->code, STR_ARGS(digits));
        return true;
    }
    if (!plus || digits.len < INTL_MIN || digits.len > INTL_MAX ||
        digits.p[0] == '0')
        return false;
    *out = arena_fmt(a, "+%.*s", STR_ARGS(digits));
    return true;
}
