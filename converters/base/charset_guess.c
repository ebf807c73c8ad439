/*
 * charset_guess.c - which 8-bit charset is this likely?
 *
 * General detectors fail for our countries (they swap windows-1250 and
 * ISO-8859-2). So: read the bytes in each charset that a country's files come
 * in, and count the letters of its alphabet. The answer is advice in messages;
 * nothing is decoded by it.
 */
#include "converters/base/charset.h"

static const struct country {
    const char *code, *alphabet;
    const char *charsets[7]; /* the first of equals is taken */
} countries[] = {
    { "cz",
      "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ",
      { "windows-1250", "CP852", "KEYBCS2", "ISO-8859-2" } },
    { "sk",
      "áäčďéíĺľňóôŕšťúýžÁÄČĎÉÍĹĽŇÓÔŔŠŤÚÝŽ",
      { "windows-1250", "CP852", "KEYBCS2", "ISO-8859-2" } },
    { "hu",
      "áéíóöőúüűÁÉÍÓÖŐÚÜŰ",
      { "windows-1250", "CP852", "CWI-2", "ISO-8859-2" } },
    { "ro",
      "ăâîşţșțĂÂÎŞŢȘȚ",
      { "windows-1250", "CP852", "ISO-8859-2", "ISO-8859-16" } },
    { "tr", "çğıöşüâîûÇĞİÖŞÜÂÎÛ", { "windows-1254", "CP857", "ISO-8859-9" } },
};

/* Signs that the windows charsets have, and the DOS ones have not. */
static const char signs[] = "€„“”‘’–—…™";

enum { LETTER = 2, SIGN = 2, ODD_CASE = -1, ABSENT = -1 };

static bool is_ascii_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Capitals stand in the second half of an alphabet. */
static bool is_capital(struct str alphabet, ptrdiff_t at)
{
    return (size_t)at >= alphabet.len / 2;
}

static long score(const struct charset *cs, struct str alphabet, struct str s)
{
    long sum = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        struct str letter = { cs->to_utf8[c], cs->utf8_len[c] };
        ptrdiff_t at;

        if (c < 0x80)
            continue;
        if (letter.len == 0) {
            sum += ABSENT;
            continue;
        }
        at = str_find(alphabet, letter);
        if (at < 0) {
            sum += str_find(STR(signs), letter) < 0 ? 0 : SIGN;
            continue;
        }
        sum += LETTER;
        if (i && is_ascii_lower(s.p[i - 1]) && is_capital(alphabet, at))
            sum += ODD_CASE;
    }
    return sum;
}

const struct charset *charset_guess(struct str sample, struct str country)
{
    const struct charset *best = NULL;
    long best_score = 0;
    bool has_any = false;

    for (size_t i = 0; i < sample.len; i++)
        has_any = has_any || (unsigned char)sample.p[i] >= 0x80;
    if (!has_any)
        return NULL;
    for (size_t i = 0; i < COUNT(countries); i++) {
        const struct country *c = &countries[i];

        if (country.len && !str_is(country, c->code))
            continue;
        for (size_t k = 0; c->charsets[k]; k++) {
            const struct charset *cs = charset_find(str_of(c->charsets[k]));
            long sum = score(cs, str_of(c->alphabet), sample);

            if (best && sum <= best_score)
                continue;
            best = cs;
            best_score = sum;
        }
    }
    return best;
}
