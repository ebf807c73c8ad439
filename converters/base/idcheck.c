#include "converters/base/idcheck.h"

#include "converters/base/idcheck_rules.h"

/* ---- article numbers (GS1 General Specifications, 7.9) ------------------ */

/* Weights 3 and 1 from the right; the check digit makes the sum end in 0. */
static bool gs1_ok(struct str s)
{
    unsigned sum = 0;
    bool all_zero = true;

    if (!is_digits(s))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned d = digit(s, s.len - 1 - i);

        sum += i % 2 ? 3 * d : d;
        all_zero = all_zero && d == 0;
    }
    return sum % 10 == 0 && !all_zero;
}

static bool ean_ok(struct str s)
{
    return (s.len == 8 || s.len == 13) && gs1_ok(s);
}

static bool gtin_ok(struct str s)
{
    return (s.len == 8 || (s.len >= 12 && s.len <= 14)) && gs1_ok(s);
}

/* ---- bank accounts: ISO 13616, check digits by ISO 7064 MOD 97-10 ------- */

/* Length of a country's IBAN, as in the SWIFT IBAN Registry. */
static const struct {
    char country[3];
    uint8_t len;
} iban_lengths[] = {
    /* clang-format off */
    { "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 },
    { "BA", 20 }, { "BE", 16 }, { "BG", 22 }, { "BH", 22 }, { "BI", 27 },
    { "BR", 29 }, { "BY", 28 }, { "CH", 21 }, { "CR", 22 }, { "CY", 28 },
    { "CZ", 24 }, { "DE", 22 }, { "DJ", 27 }, { "DK", 18 }, { "DO", 28 },
    { "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 }, { "FK", 18 },
    { "FO", 18 }, { "FR", 27 }, { "GB", 22 }, { "GE", 22 }, { "GI", 23 },
    { "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HR", 21 }, { "HU", 28 },
    { "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 }, { "IT", 27 },
    { "JO", 30 }, { "KW", 30 }, { "KZ", 20 }, { "LB", 28 }, { "LC", 32 },
    { "LI", 21 }, { "LT", 20 }, { "LU", 20 }, { "LV", 21 }, { "LY", 25 },
    { "MC", 27 }, { "MD", 24 }, { "ME", 22 }, { "MK", 19 }, { "MN", 20 },
    { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 }, { "NL", 18 },
    { "NO", 15 }, { "OM", 23 }, { "PK", 24 }, { "PL", 28 }, { "PS", 29 },
    { "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 }, { "RU", 33 },
    { "SA", 24 }, { "SC", 31 }, { "SD", 18 }, { "SE", 24 }, { "SI", 19 },
    { "SK", 24 }, { "SM", 27 }, { "SO", 23 }, { "ST", 25 }, { "SV", 28 },
    { "TL", 23 }, { "TN", 24 }, { "TR", 26 }, { "UA", 29 }, { "VA", 22 },
    { "VG", 24 }, { "XK", 20 }, { "YE", 30 },
    /* clang-format on */
};

static size_t iban_length(struct str country)
{
    for (size_t i = 0; i < COUNT(iban_lengths); i++)
        if (str_is(country, iban_lengths[i].country))
            return iban_lengths[i].len;
    return 0;
}

static bool iban_ok(struct str s)
{
    struct number n;
    unsigned rest = 0;

    if (!number_of(s, " ", &n) || n.s.len < 5 ||
        n.s.len != iban_length(str_first(n.s, 2)) ||
        !is_digits(str_first(str_from(n.s, 2), 2)))
        return false;
    /* The first four characters count last; A is 10, Z is 35. */
    for (size_t i = 0; i < n.s.len; i++) {
        char c = n.s.p[(i + 4) % n.s.len];

        if (c >= '0' && c <= '9')
            rest = (rest * 10 + (unsigned)(c - '0')) % 97;
        else
            rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

/* ---- e-mail: what shops and mail servers really take, a part of RFC 5321 ----
 */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool local_part_ok(struct str s)
{
    if (s.len == 0 || s.len > 64 || s.p[0] == '.' || s.p[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.' && s.p[i - 1] == '.')
            return false;
        if (!is_alnum(s.p[i]) &&
            (!s.p[i] || !strchr(".!#$%&'*+/=?^_`{|}~-", s.p[i])))
            return false;
    }
    return true;
}

/* Bytes above ASCII are letters of an international name. */
static bool label_ok(struct str s)
{
    if (s.len == 0 || s.len > 63 || s.p[0] == '-' || s.p[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && (unsigned char)s.p[i] < 0x80)
            return false;
    return true;
}

static bool email_ok(struct str s)
{
    ptrdiff_t at = str_find_char(s, '@'), dot;
    struct str domain;

    if (at < 0 || s.len > 254 || !local_part_ok(str_first(s, (size_t)at)))
        return false;
    domain = str_from(s, (size_t)at + 1);
    if (str_find_char(domain, '.') < 0)
        return false;
    while ((dot = str_find_char(domain, '.')) >= 0) {
        if (!label_ok(str_first(domain, (size_t)dot)))
            return false;
        domain = str_from(domain, (size_t)dot + 1);
    }
    /* The last label: at least two characters, and not a number. */
    return label_ok(domain) && domain.len >= 2 && !is_digits(domain);
}

/* ---- the table ---------------------------------------------------------- */

const struct idcheck idchecks[] = {
    { "ean", "EAN-13 or EAN-8 with its check digit (GS1)", ean_ok, NULL },
    { "gtin", "GTIN-8, -12, -13 or -14 with its check digit (GS1)", gtin_ok,
      NULL },
    { "ico", "Czech or Slovak IČO: 8 digits, check digit mod 11", ico_ok,
      ico_is_personal },
    { "dic",
      "Czech DIČ with or without CZ: IČO, birth number or a person's own "
      "number; with another country's prefix as vat_id",
      dic_ok, dic_is_personal },
    { "adoszam",
      "Hungarian tax number, 8-1-2, 11 or 8 digits, check digit "
      "9-7-3-1 (NAV)",
      adoszam_ok, adoszam_is_personal },
    { "cui", "Romanian CUI/CIF with or without RO, key 753217532 (ANAF)",
      cui_ok, cui_is_personal },
    { "cnp", "Romanian personal number, key 279146358279", cnp_ok,
      always_personal },
    { "vkn", "Turkish tax number, 10 digits (GİB)", vkn_ok, vkn_is_personal },
    { "tckn", "Turkish identity number, 11 digits (NVİ)", tckn_ok,
      always_personal },
    { "iban", "IBAN: length of its country, check digits mod 97 (ISO 13616)",
      iban_ok, NULL },
    { "vat_id",
      "VAT number with the country's prefix: its form (VIES), and check "
      "digits for CZ HU RO SK TR",
      vat_id_ok, vat_id_is_personal },
    { "email", "one e-mail address", email_ok, NULL },
    { NULL, NULL, NULL, NULL },
};

const struct idcheck *idcheck_find(struct str name)
{
    for (const struct idcheck *c = idchecks; c->name; c++)
        if (str_is(name, c->name))
            return c;
    return NULL;
}

struct str idcheck_shown(const struct idcheck *c, struct arena *a, struct str s)
{
    char *to;

    if (!c->is_personal || !c->is_personal(s))
        return s;
    to = arena_text(a, s.len);
    for (size_t i = 0; i < s.len; i++)
        to[i] = s.p[i] >= '0' && s.p[i] <= '9' ? '*' : s.p[i];
    return (struct str){ to, s.len };
}
