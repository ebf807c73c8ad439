/* t_names.c - base/text_street.c, text_names.c, text_countries.c. */
#include "tests/unit/unit.h"

#include "converters/base/text.h"

#define TEN(x) x x x x x x x x x x
#define LONG   TEN(TEN("abc ")) /* 400 bytes */

static struct street_case {
    int line;
    const char *name, *country, *in, *street, *number; /* NULL: stays whole */
} streets[] = {
    { __LINE__, "CZ: both numbers and a letter", "cz",
      "P\xC5\x99\xC3\xAD\xC4\x8Dn\xC3\xA1 12/3a",
      "P\xC5\x99\xC3\xAD\xC4\x8Dn\xC3\xA1", "12/3a" },
    { __LINE__, "CZ: a street of three words", "cz",
      "U \xC5\xBD"
      "elezn\xC3\xA9 l\xC3\xA1vky 568/10",
      "U \xC5\xBD"
      "elezn\xC3\xA9 l\xC3\xA1vky",
      "568/10" },
    { __LINE__, "CZ: a remark behind the number", "cz",
      "\xC4\x8Cs. arm\xC3\xA1"
      "dy 7; zadn\xC3\xAD vchod",
      NULL, NULL },
    { __LINE__, "CZ: a date is the street's name", "cz",
      "n\xC3\xA1m. 28. \xC5\x99\xC3\xADjna 5",
      "n\xC3\xA1m. 28. \xC5\x99\xC3\xADjna", "5" },
    { __LINE__, "CZ: a name that begins with a number", "cz",
      "17. listopadu 1790", "17. listopadu", "1790" },
    { __LINE__, "CZ: no number", "cz", "28. \xC5\x99\xC3\xADjna", NULL, NULL },
    { __LINE__, "CZ: the letter stands apart", "cz", " Dlouh\xC3\xA1 12 a ",
      "Dlouh\xC3\xA1", "12 a" },
    { __LINE__, "CZ: blanks around the slash", "cz", "Nov\xC3\xA1 12 / 3",
      "Nov\xC3\xA1", "12 / 3" },
    { __LINE__, "CZ: the word for number goes", "cz", "Lhota \xC4\x8D.p. 12",
      "Lhota", "12" },
    { __LINE__, "CZ: a flat behind a comma", "cz",
      "N\xC3\xA1"
      "dra\xC5\xBEn\xC3\xAD 12, byt 5",
      NULL, NULL },
    { __LINE__, "CZ: two numbers, which is which", "cz",
      "N\xC3\xA1m\xC4\x9Bst\xC3\xAD 5, Praha 2", NULL, NULL },
    { __LINE__, "CZ: a village before the street", "cz",
      "Doln\xC3\xAD Lhota, Hlavn\xC3\xAD 5",
      "Doln\xC3\xAD Lhota, Hlavn\xC3\xAD", "5" },
    { __LINE__, "CZ: a word that begins as a marker", "cz",
      "Nov\xC3\xA9 Nro 12", "Nov\xC3\xA9 Nro", "12" },
    { __LINE__, "HU: stairs and floor belong to the number", "hu",
      "Kossuth Lajos u. 12. 3/4", "Kossuth Lajos u.", "12. 3/4" },
    { __LINE__, "HU: a long tail", "hu", "B\xC3\xA9ke t\xC3\xA9r 3. II. em. 5.",
      "B\xC3\xA9ke t\xC3\xA9r", "3. II. em. 5." },
    { __LINE__, "HU: a range", "hu",
      "V\xC3\xA1"
      "ci \xC3\x9AT 1-3.",
      "V\xC3\xA1"
      "ci \xC3\x9AT",
      "1-3." },
    { __LINE__, "HU: a name with a number", "hu", "48-as utca 5/B",
      "48-as utca", "5/B" },
    { __LINE__, "HU: no kind of street", "hu", "Sz\xC3\xA9p ilona 5",
      "Sz\xC3\xA9p ilona", "5" },
    { __LINE__, "RO: nr. and block", "ro",
      "Str. Lalelelor nr. 12, bl. A3, sc. 1", "Str. Lalelelor",
      "12, bl. A3, sc. 1" },
    { __LINE__, "RO: a comma before nr", "ro", "Str. 1 Mai, Nr 3A",
      "Str. 1 Mai", "3A" },
    { __LINE__, "RO: no nr but a block", "ro", "Bd. Unirii 12, bl. A3, ap. 4",
      "Bd. Unirii", "12, bl. A3, ap. 4" },
    { __LINE__, "RO: the long word", "ro",
      "Calea Mo\xC8\x99ilor num\xC4\x83rul 5", "Calea Mo\xC8\x99ilor", "5" },
    { __LINE__, "TR: No: and flat", "tr", "Atat\xC3\xBCrk Cad. No:12 D:3",
      "Atat\xC3\xBCrk Cad.", "12 D:3" },
    { __LINE__, "TR: no blank before No", "tr", "Atat\xC3\xBCrk Cad.NO: 12/3",
      "Atat\xC3\xBCrk Cad.", "12/3" },
    { __LINE__, "TR: a numbered street", "tr",
      "Yeni Mah. 1453. Sok. No:5 Kat:2", "Yeni Mah. 1453. Sok.", "5 Kat:2" },
    { __LINE__, "TR: no No", "tr", "\xC4\xB0n\xC3\xB6n\xC3\xBC Cad. 12 D:3",
      "\xC4\xB0n\xC3\xB6n\xC3\xBC Cad.", "12 D:3" },
    { __LINE__, "GB: the number is first", "GB", "12a High Street",
      "High Street", "12a" },
    { __LINE__, "US: an ordinal is no number", "us", "5th Avenue", NULL, NULL },
    { __LINE__, "FR: a comma", "fr", "12, rue Royale", "rue Royale", "12" },
    { __LINE__, "no country: the number is last", "",
      "Hauptstra\xC3\x9F"
      "e 5b",
      "Hauptstra\xC3\x9F"
      "e",
      "5b" },
    { __LINE__, "a post office box is no number", "cz", "P. O. BOX 12", NULL,
      NULL },
    { __LINE__, "a range with a dash", "de", "Am Ring 1 \xE2\x80\x93 3",
      "Am Ring", "1 \xE2\x80\x93 3" },
    { __LINE__, "only a number", "cz", "12", NULL, NULL },
    { __LINE__, "two numbers and no word", "cz", "12 34", NULL, NULL },
    { __LINE__, "a slash without end", "cz", "Nov\xC3\xA1 12/", NULL, NULL },
    { __LINE__, "a text that is too long for a street", "cz", LONG "x 1", NULL,
      NULL },
    { __LINE__, "empty", "cz", "", NULL, NULL },
};

static void expect_parts(int line, bool ok, struct str a, struct str b,
                         const char *in, const char *want_a, const char *want_b)
{
    const char *whole = want_a ? want_a : in, *second = want_a ? want_b : "";

    if (ok != (want_a != NULL) || !str_eq(a, text_trim(str_of(whole))) ||
        !str_is(b, second))
        fail_msg("%s:%d: got %d \"%.*s\" and \"%.*s\"", __FILE__, line, ok,
                 STR_ARGS(a), STR_ARGS(b));
}

static void test_street(void **state)
{
    const struct street_case *c = *state;
    struct str street, number;
    bool ok = split_street(str_of(c->in), str_of(c->country), &street, &number);

    expect_parts(c->line, ok, street, number, c->in, c->street, c->number);
}

static struct name_case {
    int line;
    const char *name, *in, *first, *last; /* NULL: stays whole */
} names[] = {
    { __LINE__, "two words", "Jan Nov\xC3\xA1k", "Jan", "Nov\xC3\xA1k" },
    { __LINE__, "two given names", " Jan Petr  Nov\xC3\xA1k ", "Jan Petr",
      "Nov\xC3\xA1k" },
    { __LINE__, "titles in front stay in front", "Ing. Mgr. et Mgr. Jan Dub",
      "Ing. Mgr. et Mgr. Jan", "Dub" },
    { __LINE__, "titles behind stay behind", "Jan Dub, Ph.D., MBA", "Jan",
      "Dub, Ph.D., MBA" },
    { __LINE__, "junior", "Jan Dub ml.", "Jan", "Dub ml." },
    { __LINE__, "family name and comma", "Nov\xC3\xA1k, Ing. Jan", "Ing. Jan",
      "Nov\xC3\xA1k" },
    { __LINE__, "an initial is a name", "J. R. Dub", "J. R.", "Dub" },
    { __LINE__, "a title is none", "Dr. Dub", NULL, NULL },
    { __LINE__, "particles belong to the family", "Ludwig van der Beck",
      "Ludwig", "van der Beck" },
    { __LINE__, "a particle in front is a name", "de Beck", "de", "Beck" },
    { __LINE__, "Turkish letters",
      "Ay\xC5\x9F"
      "e G\xC3\xBCl \xC3\x96z",
      "Ay\xC5\x9F"
      "e G\xC3\xBCl",
      "\xC3\x96z" },
    { __LINE__, "one word", "Nov\xC3\xA1k", NULL, NULL },
    { __LINE__, "a Czech company", "Alfa Beta s.r.o.", NULL, NULL },
    { __LINE__, "a company with spol.", "Alfa spol. s r. o.", NULL, NULL },
    { __LINE__, "a Hungarian company", "Alfa B\xC3\xA9ta Kft.", NULL, NULL },
    { __LINE__, "a Turkish company", "Alfa Beta A.\xC5\x9E.", NULL, NULL },
    { __LINE__, "a Romanian company", "Alfa Beta SRL", NULL, NULL },
    { __LINE__, "a number", "Jan Dub 2", NULL, NULL },
    { __LINE__, "two people", "Jan & Eva Dub", NULL, NULL },
    { __LINE__, "three parts by commas", "Dub, Jan, Praha", NULL, NULL },
    { __LINE__, "nothing before the comma", ", Jan", NULL, NULL },
    { __LINE__, "no name at all", "", NULL, NULL },
};

static void test_name(void **state)
{
    const struct name_case *c = *state;
    struct str first, last;
    bool ok = split_name(str_of(c->in), &first, &last);

    expect_parts(c->line, ok, first, last, c->in, c->first, c->last);
}

static struct country_case {
    int line;
    const char *name, *in, *want; /* NULL: unknown */
} countries[] = {
    { __LINE__, "Czech",
      "\xC4\x8C"
      "esk\xC3\xA1 republika",
      "CZ" },
    { __LINE__, "without diacritics, loud", "CESKA REPUBLIKA ", "CZ" },
    { __LINE__, "alpha-2, small", "sk", "SK" },
    { __LINE__, "alpha-3", "Hun", "HU" },
    { __LINE__, "a code wins over a name made short", "CR", "CR" },
    { __LINE__, "a name made short", "\xC4\x8CR", "CZ" },
    { __LINE__, "Turkish", "T\xC3\xBCrkiye", "TR" },
    { __LINE__, "dotted capital I", "\xC4\xB0SVE\xC3\x87", "SE" },
    { __LINE__, "dotless i", "M\xC4\xB1s\xC4\xB1r", "EG" },
    { __LINE__, "Hungarian", "N\xC3\xA9metorsz\xC3\xA1g", "DE" },
    { __LINE__, "Romanian, comma letters", "Rom\xC3\xA2nia", "RO" },
    { __LINE__, "Romanian for Hungary", "Ungaria", "HU" },
    { __LINE__, "German", "\xC3\x96sterreich", "AT" },
    { __LINE__, "no-break space",
      "Velk\xC3\xA1"
      "\xC2\xA0"
      "Brit\xC3\xA1nie",
      "GB" },
    { __LINE__, "UK is no code, but everybody writes it", "uk", "GB" },
    { __LINE__, "points", "U.S.A.", "US" },
    { __LINE__, "a hyphen", "Bosna-Hersek", "BA" },
    { __LINE__, "the first entry", "Andorra", "AD" },
    { __LINE__, "the last entry", "zimbabwe", "ZW" },
    { __LINE__, "the other Czech name", "Nizozemí", "NL" },
    { __LINE__, "no country", "Morava", NULL },
    { __LINE__, "part of a name", "Republika", NULL },
    { __LINE__, "two names", "andorra|", "AD" },
    { __LINE__, "longer than any name",
      "Slovensko Slovensko Slovensko Slovensko Slovensko Slovensko Slovensko",
      NULL },
    { __LINE__, "nothing", " ", NULL },
};

static void test_country(void **state)
{
    const struct country_case *c = *state;
    struct str code;
    bool ok = country_code(str_of(c->in), &code);

    if (ok != (c->want != NULL) ||
        !str_eq(code, text_trim(str_of(ok ? c->want : c->in))))
        fail_msg("%s:%d: got \"%.*s\"", __FILE__, c->line, STR_ARGS(code));
}

static struct phone_case {
    int line;
    const char *name, *country, *in, *want; /* NULL: stays as it is */
} phones[] = {
    { __LINE__, "CZ: national", "cz", "777 000 111", "+420777000111" },
    { __LINE__, "CZ: 00", "cz", "00420 777-000-111", "+420777000111" },
    { __LINE__, "CZ: code without plus", "CZ", "420777000111",
      "+420777000111" },
    { __LINE__, "CZ: a digit too few", "cz", "777 000 11", NULL },
    { __LINE__, "CZ: a digit too many behind the plus", "cz",
      "+420 777 000 1112", NULL },
    { __LINE__, "SK: trunk 0", "sk", "0905/123 456", "+421905123456" },
    { __LINE__, "HU: trunk 06", "hu", "06-30/123-4567", "+36301234567" },
    { __LINE__, "HU: no trunk", "hu", "20 123 4567", "+36201234567" },
    { __LINE__, "HU: Budapest", "hu", "(06 1) 234 5678", "+3612345678" },
    { __LINE__, "HU: code without plus", "hu", "36301234567", "+36301234567" },
    { __LINE__, "HU: trunk behind the code", "", "+36 (06) 30 123 4567",
      "+36301234567" },
    { __LINE__, "RO: trunk 0", "ro", "0721.123.456", "+40721123456" },
    { __LINE__, "RO: trunk behind the code", "cz", "+40 0721 123 456",
      "+40721123456" },
    { __LINE__, "TR: trunk 0", "tr", "0 (532) 123 45 67", "+905321234567" },
    { __LINE__, "TR: neither", "tr", "532 123 45 67", "+905321234567" },
    { __LINE__, "TR: code without plus", "tr", "905321234567",
      "+905321234567" },
    { __LINE__, "DE: (0)", "", "+49 (0)30 1234567", "+49301234567" },
    { __LINE__, "DE: without trunk nobody knows", "de", "4930123456", NULL },
    { __LINE__, "IT: a zero that belongs to the number", "it", "06 1234567",
      "+39061234567" },
    { __LINE__, "US: trunk 1", "us", "1-800-555-0100", "+18005550100" },
    { __LINE__, "a code that is not in the table", "cz", "+81 3 1234 5678",
      "+81312345678" },
    { __LINE__, "invisible characters of address books", "cz",
      "\xE2\x80\xAA+420\xC2\xA0"
      "777 000 111\xE2\x80\xAC",
      "+420777000111" },
    { __LINE__, "two numbers", "cz", "777000111, 777000222", NULL },
    { __LINE__, "an extension", "cz", "222 000 111 kl. 5", NULL },
    { __LINE__, "no country", "", "777 000 111", NULL },
    { __LINE__, "an unknown country", "xx", "777 000 111", NULL },
    { __LINE__, "only a plus", "cz", "+", NULL },
    { __LINE__, "three zeros", "cz", "000 777 000 111", NULL },
    { __LINE__, "a plus inside", "cz", "420+777000111", NULL },
    { __LINE__, "longer than any number", "cz",
      "+123456789012345678901234567890", NULL },
    { __LINE__, "empty", "cz", "", NULL },
};

static void test_phone(void **state)
{
    const struct phone_case *c = *state;
    struct arena a = { 0 };
    struct str got;
    bool ok = phone_normal(&a, str_of(c->in), str_of(c->country), &got);

    if (ok != (c->want != NULL) || !str_is(got, ok ? c->want : c->in))
        fail_msg("%s:%d: got \"%.*s\"", __FILE__, c->line, STR_ARGS(got));
    arena_release(&a);
}

#define ADD(fn, rows)                        \
    for (size_t i = 0; i < COUNT(rows); i++) \
    tests[n++] = (struct CMUnitTest)ROW(fn, &(rows)[i])

int main(void)
{
    struct CMUnitTest
        tests[COUNT(streets) + COUNT(names) + COUNT(countries) + COUNT(phones)];
    size_t n = 0;

    ADD(test_street, streets);
    ADD(test_name, names);
    ADD(test_country, countries);
    ADD(test_phone, phones);
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
