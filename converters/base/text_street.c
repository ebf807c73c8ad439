/*
 * text_street.c - street and house number, for programs that keep them apart.
 *
 * Rules from sure to vague; the first that fits wins:
 *   a word for "number"       Str. Lalelelor nr. 12, bl. A3; Cad. No:12 D:3
 *   Hungary: a street's kind  Kossuth Lajos u. 12. 3/4
 *   number first (GB, FR...)  12 High Street
 *   a number and its unit     Bd. Unirii 12, ap. 4 (RO, TR)
 *   a number at the end       Příčná 12/3a
 */
#include "converters/base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of other than ASCII characters count as letters here. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static bool is_gap(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';';
}

static char at(struct str s, size_t i)
{
    return i < s.len ? s.p[i] : 0;
}

static struct str trim_gaps(struct str s)
{
    while (s.len && is_gap(s.p[0]))
        s = str_from(s, 1);
    while (s.len && is_gap(s.p[s.len - 1]))
        s.len--;
    return s;
}

static bool is_one_of(struct str word, const char *const *words)
{
    char folded[16];
    struct str f = { folded, text_fold(word, folded, sizeof(folded)) };

    for (; f.len && *words; words++)
        if (str_is(f, *words))
            return true;
    return false;
}

static size_t skip_blanks(struct str s, size_t i)
{
    while (at(s, i) == ' ')
        i++;
    return i;
}

/* The a of 12a and "12 a", not the D of "12 D:3" or "12 Dub". */
static size_t skip_single_letter(struct str s, size_t i)
{
    char c = at(s, i), after = at(s, i + 1);
    bool is_ascii = (unsigned char)c < 0x80;
    bool ends = i + 1 >= s.len || is_gap(after) || after == '/' ||
                after == '-' || (after == '.' && i + 2 == s.len);

    return is_letter(c) && is_ascii && ends ? i + 1 : i;
}

static size_t skip_digits(struct str s, size_t i)
{
    while (is_digit(at(s, i)))
        i++;
    return i;
}

/* "12a", "12 a", "568/10", "12/A", "1-3", "12." at i, which is a digit. */
static size_t number_end(struct str s, size_t i)
{
    size_t next;

    i = skip_digits(s, i);
    next = skip_blanks(s, i);
    if (skip_single_letter(s, next) > next)
        i = next + 1;
    for (;;) {
        size_t part = skip_blanks(s, i);

        if (str_starts(str_from(s, part), STR("\xE2\x80\x93")))
            part += 3;
        else if (at(s, part) == '/' || at(s, part) == '-')
            part++;
        else
            break;
        part = skip_blanks(s, part);
        next = skip_single_letter(s, skip_digits(s, part));
        if (next == part)
            break;
        i = next;
    }
    return at(s, i) == '.' ? i + 1 : i;
}

/* A longer text is no street; it also bounds the time, which is quadratic. */
enum { STREET_MAX = 400 };

struct cut {
    size_t street_end, number; /* offsets */
};

static bool is_token(struct str s, size_t i)
{
    return i > 0 && is_gap(s.p[i - 1]);
}

/* Longer ones first: the first that fits counts. */
static const char *const markers[] = {
    "num\xC4\x83rul",
    "numarul",
    "numara",
    "num\xC4\x83r",
    "no",
    "nr",
    "nu",
    "\xC4\x8D.p",
    "\xC4\x8C.p",
    "\xC4\x8Dp",
    "\xC4\x8Cp",
    "\xC4\x8D",
    "\xC4\x8C",
};

/* Where the number begins after a marker at i; 0: no marker there. */
static size_t after_marker(struct str s, size_t i)
{
    for (size_t m = 0; m < COUNT(markers); m++) {
        struct str word = str_of(markers[m]), rest = str_from(s, i);
        size_t k = i + word.len;

        if (!str_eq_nocase(str_first(rest, word.len), word))
            continue;
        while (at(s, k) == '.' || at(s, k) == ':' || at(s, k) == ' ')
            k++;
        if (is_digit(at(s, k)))
            return k;
    }
    return 0;
}

static bool cut_at_marker(struct str s, struct cut *cut)
{
    for (size_t i = 1; i < s.len; i++) {
        /* "Cad.No:12" is common; "Nový Bor" must not be read as "no". */
        if (!is_gap(s.p[i - 1]) && s.p[i - 1] != '.')
            continue;
        cut->street_end = i;
        cut->number = after_marker(s, i);
        if (cut->number)
            return true;
    }
    return false;
}

static struct str token_at(struct str s, size_t i)
{
    size_t n = i;

    while (n < s.len && !is_gap(s.p[n]))
        n++;
    return str_first(str_from(s, i), n - i);
}

static bool cut_hungarian(struct str s, struct cut *cut)
{
    static const char *const kinds[] = {
        "u",      "ut",        "utca",    "utja",    "ter",    "tere",
        "krt",    "korut",     "korutja", "koz",     "koze",   "sor",
        "setany", "stny",      "fasor",   "dulo",    "dulout", "ltp",
        "telep",  "lakotelep", "rkp",     "rakpart", "liget",  "park",
        "major",  "lejto",     "lepcso",  "uti",     "sgt",    "sugarut",
        "udvar",  "tanya",     "zug",     "part",    "mellek", NULL
    };

    for (size_t i = 1; i < s.len; i++) {
        size_t next;
        struct str word;

        if (!is_token(s, i))
            continue;
        word = token_at(s, i);
        next = i + word.len;
        while (is_gap(at(s, next)))
            next++;
        if (!is_digit(at(s, next)) || !is_one_of(word, kinds))
            continue;
        *cut = (struct cut){ next, next };
        return true;
    }
    return false;
}

static bool cut_number_and_unit(struct str s, struct cut *cut)
{
    static const char *const units[] = { "bl",   "bloc",  "sc",   "scara", "et",
                                         "etaj", "ap",    "apt",  "kat",   "k",
                                         "d",    "daire", "blok", NULL };

    for (size_t i = 1; i < s.len; i++) {
        size_t next, word;

        if (!is_token(s, i) || !is_digit(s.p[i]))
            continue;
        next = word = number_end(s, i);
        while (is_gap(at(s, next)))
            next++;
        if (next == word)
            continue;
        word = next;
        while (is_letter(at(s, next)))
            next++;
        *cut = (struct cut){ i, i };
        if (is_one_of(str_first(str_from(s, word), next - word), units))
            return true;
    }
    return false;
}

static bool has_letter(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_letter(s.p[i]))
            return true;
    return false;
}

/* "Náměstí 5, Praha 2": which of the numbers? "PO Box 12": none. */
static bool is_doubtful(struct str street)
{
    ptrdiff_t comma = str_find_char(street, ',');

    for (ptrdiff_t i = 0; i < comma; i++)
        if (is_digit(street.p[i]))
            return true;
    return !has_letter(street) ||
           (street.len >= 3 &&
            str_eq_nocase(str_from(street, street.len - 3), STR("box")));
}

static bool cut_at_end(struct str s, struct cut *cut)
{
    for (size_t i = 1; i < s.len; i++) {
        if (!is_token(s, i) || !is_digit(s.p[i]) || number_end(s, i) != s.len)
            continue;
        *cut = (struct cut){ i, i };
        return !is_doubtful(trim_gaps(str_first(s, i)));
    }
    return false;
}

/* "12 High Street", "12, rue Royale"; not "5th Avenue". */
static bool split_number_first(struct str s, struct str *street,
                               struct str *number)
{
    size_t end;

    if (!is_digit(at(s, 0)))
        return false;
    end = number_end(s, 0);
    if (!is_gap(at(s, end)) || !has_letter(str_from(s, end)))
        return false;
    *number = str_first(s, end);
    *street = trim_gaps(str_from(s, end));
    return true;
}

bool split_street(struct str s, struct str country, struct str *street,
                  struct str *number)
{
    static const char *const number_first[] = { "gb", "ie", "us", "ca", "au",
                                                "nz", "fr", "lu", NULL };
    static const char *const unit_after[] = { "ro", "tr", "md", NULL };
    static const char *const hungarian[] = { "hu", NULL };
    struct cut cut;
    struct str all = text_trim(s);

    s = trim_gaps(all);
    if (s.len > STREET_MAX)
        goto whole;
    if (is_one_of(country, number_first) &&
        split_number_first(s, street, number))
        return true;
    if (cut_at_marker(s, &cut) ||
        (is_one_of(country, hungarian) && cut_hungarian(s, &cut)) ||
        (is_one_of(country, unit_after) && cut_number_and_unit(s, &cut)) ||
        cut_at_end(s, &cut)) {
        *street = trim_gaps(str_first(s, cut.street_end));
        *number = str_from(s, cut.number);
        if (has_letter(*street))
            return true;
    }
whole:
    *street = all;
    *number = (struct str){ "", 0 };
    return false;
}
