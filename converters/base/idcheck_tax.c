/* idcheck_tax.c - numbers of companies and persons, country by country. */
#include "converters/base/idcheck_rules.h"

bool number_of(struct str s, const char *separators, struct number *n)
{
    size_t len = 0;

    s = str_trim(s);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c && strchr(separators, c))
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (len == NUMBER_MAX || ((c < '0' || c > '9') && (c < 'A' || c > 'Z')))
            return false;
        n->buf[len++] = c;
    }
    n->s = (struct str){ n->buf, len };
    return len > 0;
}

bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len > 0;
}

/* Sum of the first n digits of s, each by its weight. */
static unsigned weigh(struct str s, const uint8_t *weights, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += digit(s, i) * weights[i];
    return sum;
}

static unsigned remainder_of(struct str s, unsigned by)
{
    unsigned rest = 0;

    for (size_t i = 0; i < s.len; i++)
        rest = (rest * 10 + digit(s, i)) % by;
    return rest;
}

static size_t n_digits(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] >= '0' && s.p[i] <= '9';
    return n;
}

static bool date_ok(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t days[] = { 31, 29, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };

    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    return month != 2 || day < 29 || year % 4 == 0;
}

/* Two digits of s as a number. */
static unsigned pair(struct str s, size_t i)
{
    return digit(s, i) * 10 + digit(s, i + 1);
}

/* ---- Czech Republic, Slovakia ------------------------------------------- */

static const uint8_t ico_weights[] = { 8, 7, 6, 5, 4, 3, 2 };

static bool ico_digits_ok(struct str s)
{
    return s.len == 8 && is_digits(s) &&
           (11 - weigh(s, ico_weights, 7) % 11) % 10 == digit(s, 7);
}

bool ico_ok(struct str s)
{
    struct number n;

    return number_of(s, " ", &n) && ico_digits_ok(n.s);
}

/*
 * A birth number: women have 50 more in the month, and since 2004 another 20
 * where the numbers of a day had run out. Until 1953 it had nine digits and
 * no check digit; until 1985 a remainder of 10 could be written as 0.
 */
static bool birth_number_ok(struct str s)
{
    unsigned year = pair(s, 0), month = pair(s, 2);

    if (month > 50)
        month -= 50;
    if (s.len == 9)
        return year <= 53 && date_ok(year, month, pair(s, 4));
    if (month > 20 && year >= 4 && year <= 53)
        month -= 20;
    if (!date_ok(year, month, pair(s, 4)))
        return false;
    return remainder_of(s, 11) == 0 ||
           (year >= 54 && year <= 85 && digit(s, 9) == 0 &&
            remainder_of(str_first(s, 9), 11) == 10);
}

/* Persons without a birth number: nine digits that begin with 6. */
static bool own_number_ok(struct str s)
{
    unsigned sum = weigh(str_from(s, 1), ico_weights, 7) % 11;

    return (8 - (10 - (int)sum + 11) % 11 + 10) % 10 == (int)digit(s, 8);
}

/* 699: registered as a group; these numbers follow no known rule. */
static bool cz_ok(struct str s)
{
    if (!is_digits(s))
        return false;
    if (s.len == 8)
        return s.p[0] != '9' && ico_digits_ok(s);
    if (s.len == 9 && s.p[0] == '6')
        return str_starts(s, STR("699")) || own_number_ok(s);
    return (s.len == 9 || s.len == 10) && birth_number_ok(s);
}

static bool sk_ok(struct str s)
{
    return s.len == 10 && is_digits(s) && s.p[0] != '0' &&
           strchr("234789", s.p[2]) && remainder_of(s, 11) == 0;
}

static bool has_prefix(struct str s)
{
    return s.len > 2 && s.p[0] >= 'A' && s.p[1] >= 'A';
}

bool dic_ok(struct str s)
{
    struct number n;

    if (!number_of(s, " ", &n))
        return false;
    if (has_prefix(n.s) && !str_starts(n.s, STR("CZ")))
        return vat_id_ok(n.s);
    return cz_ok(has_prefix(n.s) ? str_from(n.s, 2) : n.s);
}

/* ---- Hungary ------------------------------------------------------------ */

/* Of 8-1-2: the first eight, whose last is the check digit. */
static bool hu_ok(struct str s)
{
    static const uint8_t weights[] = { 9, 7, 3, 1, 9, 7, 3 };

    return s.len == 8 && is_digits(s) && s.p[0] != '0' &&
           (10 - weigh(s, weights, 7) % 10) % 10 == digit(s, 7);
}

/* Numbers of the tax offices. */
static bool county_ok(unsigned n)
{
    return (n >= 2 && n <= 20) || (n >= 22 && n <= 44) || n == 51;
}

bool adoszam_ok(struct str s)
{
    struct str given = str_trim(s);
    struct number n;

    if (str_find_char(given, '-') >= 0 &&
        (given.len != 13 || given.p[8] != '-' || given.p[10] != '-'))
        return false;
    if (!number_of(given, " -", &n))
        return false;
    if (str_starts(n.s, STR("HU")))
        return hu_ok(str_from(n.s, 2));
    if (n.s.len == 8)
        return hu_ok(n.s);
    return n.s.len == 11 && is_digits(n.s) && hu_ok(str_first(n.s, 8)) &&
           digit(n.s, 8) >= 1 && digit(n.s, 8) <= 5 && county_ok(pair(n.s, 9));
}

/* ---- Romania ------------------------------------------------------------ */

/* The key stands below the digits from the right: short codes are valid. */
static bool ro_ok(struct str s)
{
    static const uint8_t key[] = { 7, 5, 3, 2, 1, 7, 5, 3, 2 };
    unsigned sum;

    if (s.len < 2 || s.len > 10 || !is_digits(s) || s.p[0] == '0')
        return false;
    sum = weigh(s, key + (10 - s.len), s.len - 1);
    return sum * 10 % 11 % 10 == digit(s, s.len - 1);
}

bool cui_ok(struct str s)
{
    struct number n;

    if (!number_of(s, " ", &n))
        return false;
    /* R alone was the attribute of VAT payers before 2007. */
    if (str_starts(n.s, STR("RO")))
        n.s = str_from(n.s, 2);
    else if (str_starts(n.s, STR("R")))
        n.s = str_from(n.s, 1);
    return ro_ok(n.s);
}

bool cnp_ok(struct str s)
{
    static const uint8_t key[] = { 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9 };
    struct number n;
    unsigned rest;

    if (!number_of(s, " ", &n) || n.s.len != 13 || !is_digits(n.s) ||
        n.s.p[0] == '0' || !date_ok(pair(n.s, 1), pair(n.s, 3), pair(n.s, 5)))
        return false;
    rest = weigh(n.s, key, 12) % 11;
    return (rest == 10 ? 1 : rest) == digit(n.s, 12);
}

/* ---- Turkey ------------------------------------------------------------- */

static bool vkn_digits_ok(struct str s)
{
    unsigned sum = 0;

    if (s.len != 10 || !is_digits(s))
        return false;
    for (unsigned i = 0; i < 9; i++) {
        unsigned v = (digit(s, i) + 9 - i) % 10;

        sum += v == 9 ? 9 : v * (1u << (9 - i)) % 9;
    }
    return (10 - sum % 10) % 10 == digit(s, 9);
}

static bool tckn_digits_ok(struct str s)
{
    unsigned odd = 0, even = 0;

    if (s.len != 11 || !is_digits(s) || s.p[0] == '0')
        return false;
    for (size_t i = 0; i < 9; i++)
        *(i % 2 ? &even : &odd) += digit(s, i);
    return (odd * 7 + 100 - even) % 10 == digit(s, 9) &&
           (odd + even + digit(s, 9)) % 10 == digit(s, 10);
}

bool vkn_ok(struct str s)
{
    struct number n;

    return number_of(s, " ", &n) && vkn_digits_ok(n.s);
}

bool tckn_ok(struct str s)
{
    struct number n;

    return number_of(s, " ", &n) && tckn_digits_ok(n.s);
}

static bool tr_ok(struct str s)
{
    return s.len == 11 ? tckn_digits_ok(s) : vkn_digits_ok(s);
}

/* A Romanian person's VAT number is the personal number. */
static bool ro_vat_ok(struct str s)
{
    return s.len == 13 ? cnp_ok(s) : ro_ok(s);
}

/* ---- VAT numbers of all countries --------------------------------------- */

/*
 * Form: 0 is a digit, @ a letter, ? either, anything else itself. Forms as in
 * the VIES questions and answers, and of the neighbours of the Union.
 */
static const struct vat_form {
    char prefix[3];
    const char *form;         /* NULL: `ok` knows */
    bool (*ok)(struct str s); /* NULL: the form is all that is checked */
} vat_forms[] = {
    { "AT", "U00000000", NULL },
    { "BE", "0000000000", NULL },
    { "BG", "000000000", NULL },
    { "BG", "0000000000", NULL },
    { "CY", "00000000@", NULL },
    { "CZ", NULL, cz_ok },
    { "DE", "000000000", NULL },
    { "DK", "00000000", NULL },
    { "EE", "000000000", NULL },
    { "EL", "000000000", NULL },
    { "GR", "000000000", NULL },
    { "ES", "?0000000?", NULL },
    { "FI", "00000000", NULL },
    { "FR", "??000000000", NULL },
    { "HR", "00000000000", NULL },
    { "HU", NULL, hu_ok },
    { "IE", "0?00000@", NULL },
    { "IE", "0000000@@", NULL },
    { "IT", "00000000000", NULL },
    { "LT", "000000000", NULL },
    { "LT", "000000000000", NULL },
    { "LU", "00000000", NULL },
    { "LV", "00000000000", NULL },
    { "MT", "00000000", NULL },
    { "NL", "000000000B00", NULL },
    { "PL", "0000000000", NULL },
    { "PT", "000000000", NULL },
    { "RO", NULL, ro_vat_ok },
    { "SE", "000000000000", NULL },
    { "SI", "00000000", NULL },
    { "SK", NULL, sk_ok },
    { "GB", "000000000", NULL },
    { "GB", "000000000000", NULL },
    { "GB", "GD000", NULL },
    { "GB", "HA000", NULL },
    { "XI", "000000000", NULL },
    { "XI", "000000000000", NULL },
    { "XI", "GD000", NULL },
    { "XI", "HA000", NULL },
    { "CH", "E000000000", NULL },
    { "CH", "E000000000MWST", NULL },
    { "CH", "E000000000TVA", NULL },
    { "CH", "E000000000IVA", NULL },
    { "NO", "000000000", NULL },
    { "NO", "000000000MVA", NULL },
    { "RS", "000000000", NULL },
    { "TR", NULL, tr_ok },
};

static bool form_ok(struct str s, const char *form)
{
    if (s.len != strlen(form))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool is_digit = s.p[i] >= '0' && s.p[i] <= '9';
        bool fits = form[i] == '?' || (form[i] == '0' && is_digit) ||
                    (form[i] == '@' && !is_digit) || form[i] == s.p[i];

        if (!fits)
            return false;
    }
    return true;
}

bool vat_id_ok(struct str s)
{
    struct number n;
    struct str rest;

    if (!number_of(s, " .-", &n))
        return false;
    rest = str_from(n.s, 2);
    for (size_t i = 0; i < COUNT(vat_forms); i++) {
        const struct vat_form *f = &vat_forms[i];

        if (str_is(str_first(n.s, 2), f->prefix) &&
            (f->ok ? f->ok(rest) : form_ok(rest, f->form)))
            return true;
    }
    return false;
}

/* ---- numbers that are nobody's business --------------------------------- */

bool always_personal(struct str s)
{
    return n_digits(s) > 0;
}

bool ico_is_personal(struct str s)
{
    return n_digits(s) > 8;
}

/* A person's tax number has 10 digits, a company's has 8 or 11. */
bool adoszam_is_personal(struct str s)
{
    return n_digits(s) == 9 || n_digits(s) == 10 || n_digits(s) > 11;
}

bool cui_is_personal(struct str s)
{
    return n_digits(s) > 10;
}

bool vkn_is_personal(struct str s)
{
    return n_digits(s) > 10;
}

static bool is_known_prefix(struct str prefix)
{
    for (size_t i = 0; i < COUNT(vat_forms); i++)
        if (str_eq_nocase(prefix, str_of(vat_forms[i].prefix)))
            return true;
    return false;
}

bool vat_id_is_personal(struct str s)
{
    /* Where a person's VAT number is the birth or identity number, and how
     * many digits a company's has. */
    static const struct {
        const char *prefix;
        size_t company;
    } persons[] = {
        { "CZ", 8 }, { "RO", 10 }, { "TR", 10 }, { "BG", 9 }, { "LV", 10 },
    };
    struct str prefix = str_first(str_trim(s), 2);

    for (size_t i = 0; i < COUNT(persons); i++)
        if (str_eq_nocase(prefix, str_of(persons[i].prefix)))
            return n_digits(s) > persons[i].company;
    /* Behind no or a mistyped prefix it may be anything. */
    return n_digits(s) > 8 && !is_known_prefix(prefix);
}

bool dic_is_personal(struct str s)
{
    return vat_id_is_personal(s);
}
