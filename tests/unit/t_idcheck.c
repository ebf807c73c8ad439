/* t_idcheck.c - base/idcheck.c and idcheck_tax.c. All numbers are made up. */
#include "tests/unit/unit.h"

#include "converters/base/idcheck.h"

static struct check_case {
    int line;
    const char *name, *check, *in;
    bool want;
} cases[] = {
    { __LINE__, "ean: 13 digits", "ean", "8591234000017", true },
    { __LINE__, "ean: 8 digits", "ean", "12345670", true },
    { __LINE__, "ean: a book", "ean", "9788025100004", true },
    { __LINE__, "ean: the check digit", "ean", "8591234000018", false },
    { __LINE__, "ean: two digits swapped", "ean", "8951234000017", false },
    { __LINE__, "ean: 12 digits are a GTIN", "ean", "036000291452", false },
    { __LINE__, "ean: a blank", "ean", "8591234000017 ", false },
    { __LINE__, "ean: damage by a spreadsheet", "ean", "8,59E+12", false },
    { __LINE__, "ean: zeros", "ean", "0000000000000", false },
    { __LINE__, "ean: empty", "ean", "", false },
    { __LINE__, "gtin: 12 digits", "gtin", "036000291452", true },
    { __LINE__, "gtin: 14 digits", "gtin", "18591234000014", true },
    { __LINE__, "gtin: 13 digits", "gtin", "4000000000006", true },
    { __LINE__, "gtin: 11 digits", "gtin", "36000291452", false },

    { __LINE__, "ico: plain", "ico", "76543218", true },
    { __LINE__, "ico: leading zeros", "ico", "00012343", true },
    { __LINE__, "ico: remainder 0, check digit 1", "ico", "20000031", true },
    { __LINE__, "ico: remainder 0, once more", "ico", "20000201", true },
    { __LINE__, "ico: remainder 1, check digit 0", "ico", "20000090", true },
    { __LINE__, "ico: blanks inside", "ico", " 765 43 218", true },
    { __LINE__, "ico: the check digit", "ico", "76543217", false },
    { __LINE__, "ico: lost zeros", "ico", "12343", false },
    { __LINE__, "ico: zeros", "ico", "00000000", false },
    { __LINE__, "ico: a letter", "ico", "7654321A", false },

    { __LINE__, "dic: a company", "dic", "CZ76543218", true },
    { __LINE__, "dic: no prefix", "dic", "76543218", true },
    { __LINE__, "dic: small letters and blanks", "dic", "cz 765 43 218", true },
    { __LINE__, "dic: a company never begins with 9", "dic", "CZ91234565",
      false },
    { __LINE__, "dic: a birth number", "dic", "CZ8001010006", true },
    { __LINE__, "dic: not divisible by 11", "dic", "CZ8001010007", false },
    { __LINE__, "dic: the 30th of January", "dic", "CZ8001300010", true },
    { __LINE__, "dic: the 32nd of January", "dic", "CZ8001320019", false },
    { __LINE__, "dic: month 13", "dic", "CZ8013010005", false },
    { __LINE__, "dic: a woman's", "dic", "CZ8051020010", true },
    { __LINE__, "dic: month and 20 since 2004", "dic", "CZ0422030015", true },
    { __LINE__, "dic: month and 70 since 2004", "dic", "CZ0472030020", true },
    { __LINE__, "dic: month and 20 before 2004", "dic", "CZ8022010018", false },
    { __LINE__, "dic: remainder 10 as 0 until 1985", "dic", "CZ6001010060",
      true },
    { __LINE__, "dic: remainder 10 as 0 later", "dic", "CZ9001010030", false },
    { __LINE__, "dic: nine digits until 1953", "dic", "CZ510101123", true },
    { __LINE__, "dic: nine digits later", "dic", "CZ550101123", false },
    { __LINE__, "dic: a person's own number", "dic", "CZ612345670", true },
    { __LINE__, "dic: its check digit", "dic", "CZ612345671", false },
    { __LINE__, "dic: remainder 10 less 0", "dic", "CZ610000078", true },
    { __LINE__, "dic: a group", "dic", "CZ699000001", true },
    { __LINE__, "dic: the form before 2004", "dic", "330-11111", false },
    { __LINE__, "dic: another country's", "dic", "SK2021234501", true },
    { __LINE__, "dic: only the prefix", "dic", "CZ", false },

    { __LINE__, "adoszam: 8-1-2", "adoszam", "11223346-2-42", true },
    { __LINE__, "adoszam: 11 digits", "adoszam", "11223346242", true },
    { __LINE__, "adoszam: 8 digits", "adoszam", "24681353", true },
    { __LINE__, "adoszam: HU", "adoszam", "HU11223346", true },
    { __LINE__, "adoszam: the check digit", "adoszam", "11223345-2-42", false },
    { __LINE__, "adoszam: VAT code 6", "adoszam", "11223346-6-42", false },
    { __LINE__, "adoszam: county 21", "adoszam", "11223346-2-21", false },
    { __LINE__, "adoszam: county 51", "adoszam", "11223346-2-51", true },
    { __LINE__, "adoszam: a hyphen at the wrong place", "adoszam",
      "1122334-62-42", false },
    { __LINE__, "adoszam: HU and eleven digits", "adoszam", "HU11223346242",
      false },

    { __LINE__, "cui: nine digits and the key", "cui", "1234567897", true },
    { __LINE__, "cui: short ones align right", "cui", "12340", true },
    { __LINE__, "cui: two digits", "cui", "19", true },
    { __LINE__, "cui: remainder 10 is 0", "cui", "1000050", true },
    { __LINE__, "cui: RO", "cui", "RO 9876544", true },
    { __LINE__, "cui: the old R", "cui", "R9876544", true },
    { __LINE__, "cui: the check digit", "cui", "9876545", false },
    { __LINE__, "cui: eleven digits", "cui", "12345678970", false },
    { __LINE__, "cui: one digit", "cui", "9", false },
    { __LINE__, "cui: RO alone", "cui", "RO", false },

    { __LINE__, "cnp: plain", "cnp", "1800101123450", true },
    { __LINE__, "cnp: remainder 10 is 1", "cnp", "1800101120051", true },
    { __LINE__, "cnp: the check digit", "cnp", "1800101123451", false },
    { __LINE__, "cnp: the 29th of February", "cnp", "2600229123456", true },
    { __LINE__, "cnp: month 13", "cnp", "5101331123458", false },
    { __LINE__, "cnp: zeros for nobody", "cnp", "0000000000000", false },
    { __LINE__, "cnp: twelve digits", "cnp", "180010112345", false },

    { __LINE__, "vkn: plain", "vkn", "9876543217", true },
    { __LINE__, "vkn: another", "vkn", "1112223339", true },
    { __LINE__, "vkn: leading zeros", "vkn", "0000000019", true },
    { __LINE__, "vkn: the check digit", "vkn", "9876543218", false },
    { __LINE__, "vkn: nine digits", "vkn", "987654321", false },
    { __LINE__, "tckn: plain", "tckn", "12312312320", true },
    { __LINE__, "tckn: another", "tckn", "19090909018", true },
    { __LINE__, "tckn: the tenth digit", "tckn", "12312312330", false },
    { __LINE__, "tckn: the last digit", "tckn", "12312312321", false },
    { __LINE__, "tckn: the placeholder", "tckn", "11111111111", false },
    { __LINE__, "tckn: a zero in front", "tckn", "01231231230", false },

    { __LINE__, "iban: CZ", "iban", "CZ0708000000001234567890", true },
    { __LINE__, "iban: grouped", "iban", "TR65 0000 1000 0000 0000 0123 45",
      true },
    { __LINE__, "iban: HU", "iban", "HU08117000000000001234567897", true },
    { __LINE__, "iban: letters", "iban", "RO49AAAA1B31007593840000", true },
    { __LINE__, "iban: small letters", "iban", "ro49aaaa1b31007593840000",
      true },
    { __LINE__, "iban: the shortest", "iban", "NO9386011117947", true },
    { __LINE__, "iban: a long one", "iban", "LC55HEMM000100010012001200023015",
      true },
    { __LINE__, "iban: a wrong digit", "iban", "CZ0708000000001234567891",
      false },
    { __LINE__, "iban: two digits swapped", "iban", "CZ0780000000001234567890",
      false },
    { __LINE__, "iban: a digit too few", "iban", "DE8937040044053201300",
      false },
    { __LINE__, "iban: another country's length", "iban",
      "SK3112000000198742637541"
      "0",
      false },
    { __LINE__, "iban: no such country", "iban", "ZZ0708000000001234567890",
      false },
    { __LINE__, "iban: no check digits", "iban", "CZAA08000000001234567890",
      false },
    { __LINE__, "iban: a hyphen", "iban", "CZ07-08000000001234567890", false },
    { __LINE__, "iban: longer than any number", "iban",
      "CZ070800000000123456789000000000000000000000000", false },

    { __LINE__, "vat_id: CZ by its digits", "vat_id", "CZ76543218", true },
    { __LINE__, "vat_id: CZ, wrong", "vat_id", "CZ76543217", false },
    { __LINE__, "vat_id: HU by its digits", "vat_id", "HU11223346", true },
    { __LINE__, "vat_id: HU, wrong", "vat_id", "HU11223345", false },
    { __LINE__, "vat_id: RO by its digits", "vat_id", "RO9876544", true },
    { __LINE__, "vat_id: RO, wrong", "vat_id", "RO9876545", false },
    { __LINE__, "vat_id: RO, a person", "vat_id", "RO1800101123450", true },
    { __LINE__, "vat_id: SK by its digits", "vat_id", "SK2021234501", true },
    { __LINE__, "vat_id: SK, wrong", "vat_id", "SK2021234502", false },
    { __LINE__, "vat_id: SK, the third digit", "vat_id", "SK2051234515",
      false },
    { __LINE__, "vat_id: TR", "vat_id", "TR9876543217", true },
    { __LINE__, "vat_id: AT", "vat_id", "ATU12345678", true },
    { __LINE__, "vat_id: AT without U", "vat_id", "AT123456789", false },
    { __LINE__, "vat_id: BE with points", "vat_id", "BE 0123.456.789", true },
    { __LINE__, "vat_id: DE, too short", "vat_id", "DE12345678", false },
    { __LINE__, "vat_id: NL", "vat_id", "NL123456789B01", true },
    { __LINE__, "vat_id: Greece as EL", "vat_id", "EL123456789", true },
    { __LINE__, "vat_id: the second form of BG", "vat_id", "BG1234567890",
      true },
    { __LINE__, "vat_id: CH with its word", "vat_id", "CHE-123.456.789 MWST",
      true },
    { __LINE__, "vat_id: a letter where a digit is", "vat_id", "PL123456789A",
      false },
    { __LINE__, "vat_id: a digit where a letter is", "vat_id", "CY123456789",
      false },
    { __LINE__, "vat_id: no prefix", "vat_id", "76543218", false },
    { __LINE__, "vat_id: an unknown prefix", "vat_id", "XX123456789", false },
    { __LINE__, "vat_id: one letter", "vat_id", "C", false },

    { __LINE__, "email: plain", "email", "jan.dub+shop@mail.example.com",
      true },
    { __LINE__, "email: an international domain", "email",
      "jan@h\xC3\xA1\xC4\x8Dky.cz", true },
    { __LINE__, "email: diacritics before the @", "email",
      "nov\xC3\xA1k@example.com", false },
    { __LINE__, "email: two", "email", "a@example.com, b@example.com", false },
    { __LINE__, "email: a blank", "email", "a@example.com ", false },
    { __LINE__, "email: no @", "email", "example.com", false },
    { __LINE__, "email: two @", "email", "a@b@example.com", false },
    { __LINE__, "email: nobody", "email", "@example.com", false },
    { __LINE__, "email: no point in the domain", "email", "a@localhost",
      false },
    { __LINE__, "email: a point at the end", "email", "a@example.com.", false },
    { __LINE__, "email: two points", "email", "a..b@example.com", false },
    { __LINE__, "email: a comma for a point", "email", "a@example,com", false },
    { __LINE__, "email: a hyphen begins a label", "email", "a@-example.com",
      false },
    { __LINE__, "email: an address of numbers", "email", "a@10.0.0.1", false },
    { __LINE__, "email: a name in brackets", "email", "Jan <a@example.com>",
      false },
};

static void test_case(void **state)
{
    const struct check_case *c = *state;
    const struct idcheck *check = idcheck_find(str_of(c->check));

    assert_non_null(check);
    if (check->ok(str_of(c->in)) != c->want)
        fail_msg("%s:%d: %s should be %s", __FILE__, c->line, c->in,
                 c->want ? "right" : "wrong");
}

static struct shown_case {
    int line;
    const char *name, *check, *in, *want;
} shown[] = {
    { __LINE__, "shown: a company's number", "dic", "CZ76543218",
      "CZ76543218" },
    { __LINE__, "shown: a birth number never", "dic", "CZ8001010007",
      "CZ**********" },
    { __LINE__, "shown: a birth number as it is written", "dic", "800101/0006",
      "******/****" },
    { __LINE__, "shown: behind a mistyped prefix", "dic", "C 8001010006",
      "C **********" },
    { __LINE__, "shown: another country's company", "dic", "DE123456789",
      "DE123456789" },
    { __LINE__, "shown: in the field of a company", "ico", "8001010006",
      "**********" },
    { __LINE__, "shown: a wrong company number", "ico", "76543217",
      "76543217" },
    { __LINE__, "shown: a CNP as CUI", "cui", "1800101123450",
      "*************" },
    { __LINE__, "shown: a CUI", "cui", "RO9876545", "RO9876545" },
    { __LINE__, "shown: a CNP with a digit too few", "cnp", "180010112345",
      "************" },
    { __LINE__, "shown: a TCKN as VKN", "vkn", "12312312321", "***********" },
    { __LINE__, "shown: a VKN", "vkn", "9876543218", "9876543218" },
    { __LINE__, "shown: a person's number as adoszam", "adoszam", "8123456789",
      "**********" },
    { __LINE__, "shown: an adoszam", "adoszam", "11223345-2-42",
      "11223345-2-42" },
    { __LINE__, "shown: a person's vat_id", "vat_id", "RO1800101123451",
      "RO*************" },
    { __LINE__, "shown: a birth number without prefix", "vat_id", "8001010006",
      "**********" },
    { __LINE__, "shown: an EAN", "ean", "8591234000018", "8591234000018" },
};

static void test_shown(void **state)
{
    const struct shown_case *c = *state;
    const struct idcheck *check = idcheck_find(str_of(c->check));
    struct arena a = { 0 };
    struct str got = idcheck_shown(check, &a, str_of(c->in));

    if (!str_is(got, c->want))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line, STR_ARGS(got));
    arena_release(&a);
}

/* The manual of the mapping language names these twelve. */
static void test_table(void **state)
{
    static const char *const names[] = { "ean",     "gtin", "ico",    "dic",
                                         "adoszam", "cui",  "cnp",    "vkn",
                                         "tckn",    "iban", "vat_id", "email" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_ptr_equal(idcheck_find(str_of(names[i])), &idchecks[i]);
    assert_null(idchecks[COUNT(names)].name);
    assert_null(idcheck_find(STR("EAN")));
    assert_null(idcheck_find(STR("")));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(shown) + 1];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(shown); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_shown, &shown[i]);
    tests[n++] = (struct CMUnitTest){ .name = "the table is complete",
                                      .test_func = test_table };
    return cmocka_run_group_tests_name("idcheck", tests, NULL, NULL);
}
