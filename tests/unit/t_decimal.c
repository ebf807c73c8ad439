/* t_decimal.c - base/decimal.c and decimal_format.c. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "converters/base/decimal.h"

#define MAX18 "999999999999999999"

/* ---- reading: dec_read() and dec_canon() agree on every row ---- */

static struct read_case {
    int line;
    const char *name, *in;
    char point;
    const char *thousands;
    const char *want; /* canonical text, "SYNTAX" or "OVERFLOW" */
} reads[] = {
    { __LINE__, "a canonical number stays", "399.90", '.', "", "399.90" },
    { __LINE__, "a comma becomes a point", "1499,90", ',', "", "1499.90" },
    { __LINE__, "a whole number stays", "12", ',', "", "12" },
    { __LINE__, "closing zeros stay", "27.0000", '.', "", "27.0000" },
    { __LINE__, "a minus stays", "-0.5", '.', "", "-0.5" },
    { __LINE__, "a plus is dropped", "+5", '.', "", "5" },
    { __LINE__, "a minus may trail", "12-", '.', "", "-12" },
    { __LINE__, "a minus may trail a fraction", "12,50-", ',', "", "-12.50" },
    { __LINE__, "a dash for no pence is no minus", "990,-", ',', "", "SYNTAX" },
    { __LINE__, "a dash for no pence behind groups", "1 990,-", ',', " ",
      "SYNTAX" },
    { __LINE__, "U+2212 is a minus",
      "\xE2\x88\x92"
      "7,5",
      ',', "", "-7.5" },
    { __LINE__, "a point may begin", ",5", ',', "", "0.5" },
    { __LINE__, "a point may begin after a minus", "-.5", '.', "", "-0.5" },
    { __LINE__, "a point may end", "5,", ',', "", "5" },
    { __LINE__, "leading zeros are dropped", "007", '.', "", "7" },
    { __LINE__, "leading zeros before a point", "00.50", '.', "", "0.50" },
    { __LINE__, "many leading zeros count nothing",
      "0000000000000000000000000000001", '.', "", "1" },
    { __LINE__, "zero", "0", '.', "", "0" },
    { __LINE__, "many zeros are one", "000", '.', "", "0" },
    { __LINE__, "minus zero is zero", "-0", '.', "", "0" },
    { __LINE__, "minus zero keeps its scale", "-0,00", ',', "", "0.00" },
    { __LINE__, "blanks around are ignored", " \t12.5\r\n", '.', "", "12.5" },
    { __LINE__, "no-break blanks around too",
      "\xC2\xA0"
      "12.5 \xE2\x80\xAF",
      '.', "", "12.5" },
    { __LINE__, "18 digits fit", MAX18, '.', "", MAX18 },
    { __LINE__, "18 digits with a point fit", "9999999999999999.99", '.', "",
      "9999999999999999.99" },
    { __LINE__, "18 digits behind the point fit", "0.000000000000000001", '.',
      "", "0.000000000000000001" },

    { __LINE__, "groups of a blank", "1 234,56", ',', " ", "1234.56" },
    { __LINE__, "groups of a point", "1.234.567,8", ',', ".", "1234567.8" },
    { __LINE__, "groups of a comma", "-12,345.00", '.', ",", "-12345.00" },
    { __LINE__, "groups of an apostrophe", "1'234'567", '.', "'", "1234567" },
    { __LINE__, "groups of U+2019",
      "1\xE2\x80\x99"
      "234",
      '.', "\xE2\x80\x99", "1234" },
    { __LINE__, "a blank stands for U+00A0",
      "1\xC2\xA0"
      "234,5",
      ',', " ", "1234.5" },
    { __LINE__, "a blank stands for U+202F",
      "1\xE2\x80\xAF"
      "234,5",
      ',', " ", "1234.5" },
    { __LINE__, "a blank stands for U+2009",
      "1\xE2\x80\x89"
      "234,5",
      ',', " ", "1234.5" },
    { __LINE__, "a point does not stand for U+00A0",
      "1\xC2\xA0"
      "234",
      ',', ".", "SYNTAX" },
    { __LINE__, "groups are not required", "1234567,5", ',', " ", "1234567.5" },
    { __LINE__, "a number below 1000 has no group", "999,5", ',', ".",
      "999.5" },
    { __LINE__, "a first group of three", "123 456", ',', " ", "123456" },
    { __LINE__, "six groups", "999 999 999 999 999 999", ',', " ", MAX18 },
    { __LINE__, "a grouped number may have a trailing minus", "1 234,5-", ',',
      " ", "-1234.5" },
    { __LINE__, "a group of zeros", "0 000", ',', " ", "0" },

    { __LINE__, "a letter O is no digit", "12 50O,00", ',', " ", "SYNTAX" },
    { __LINE__, "a group of two", "1 23,4", ',', " ", "SYNTAX" },
    { __LINE__, "a group of four", "1 2345", ',', " ", "SYNTAX" },
    { __LINE__, "a first group of four", "1234 567", ',', " ", "SYNTAX" },
    { __LINE__, "groups in one place only", "1 234567", ',', " ", "SYNTAX" },
    { __LINE__, "two blanks between groups", "1  234", ',', " ", "SYNTAX" },
    { __LINE__, "an empty first group", ".234", ',', ".", "SYNTAX" },
    { __LINE__, "an empty first group and a fraction", ".234,5", ',', ".",
      "SYNTAX" },
    { __LINE__, "a group behind the point", "1,234.567", ',', ".", "SYNTAX" },
    { __LINE__, "a separator before the point", "1 234 ,5", ',', " ",
      "SYNTAX" },
    { __LINE__, "a separator at the end", "1.234.", ',', ".", "SYNTAX" },
    { __LINE__, "groups where none are allowed", "1 234", ',', "", "SYNTAX" },
    { __LINE__, "the other point", "1.5", ',', "", "SYNTAX" },
    { __LINE__, "two points", "1.2.3", '.', "", "SYNTAX" },
    { __LINE__, "two signs", "--1", '.', "", "SYNTAX" },
    { __LINE__, "a sign on both ends", "-1-", '.', "", "SYNTAX" },
    { __LINE__, "a plus and a trailing minus", "+1-", '.', "", "SYNTAX" },
    { __LINE__, "a trailing plus", "1+", '.', "", "SYNTAX" },
    { __LINE__, "a blank behind the sign", "- 1", '.', " ", "SYNTAX" },
    { __LINE__, "a blank before the trailing minus", "1 -", '.', "", "SYNTAX" },
    { __LINE__, "a currency", "12 EUR", '.', " ", "SYNTAX" },
    { __LINE__, "an exponent", "1e5", '.', "", "SYNTAX" },
    { __LINE__, "a hexadecimal number", "0x10", '.', "", "SYNTAX" },
    { __LINE__, "not a number", "nan", '.', "", "SYNTAX" },
    { __LINE__, "digits of another script", "\xD9\xA1", '.', "", "SYNTAX" },
    { __LINE__, "nothing", "", '.', "", "SYNTAX" },
    { __LINE__, "blanks only", " \xC2\xA0 ", '.', "", "SYNTAX" },
    { __LINE__, "a sign only", "-", '.', "", "SYNTAX" },
    { __LINE__, "a point only", ".", '.', "", "SYNTAX" },
    { __LINE__, "a sign and a point only", "-,", ',', "", "SYNTAX" },

    { __LINE__, "19 digits", "1000000000000000000", '.', "", "OVERFLOW" },
    { __LINE__, "closing zeros count", "10000000000.00000000", '.', "",
      "OVERFLOW" },
    { __LINE__, "21 digits that wrap to few", "18446744073709551617", '.', "",
      "OVERFLOW" },
    { __LINE__, "19 digits behind the point", "0.0000000000000000001", '.', "",
      "OVERFLOW" },
    { __LINE__, "19 digits in groups", "1 000 000 000 000 000 000", '.', " ",
      "OVERFLOW" },
    { __LINE__, "wrong syntax goes before too many digits",
      "1000000000000000000x", '.', "", "SYNTAX" },
};

static void check_text(const char *what, int line, struct str got,
                       const char *want)
{
    if (!str_is(got, want))
        fail_msg("%s:%d: %s gives \"%.*s\", not \"%s\"", __FILE__, line, what,
                 STR_ARGS(got), want);
}

static struct str result_text(enum dec_result r, struct str ok)
{
    return r == DEC_OK ? ok : r == DEC_SYNTAX ? STR("SYNTAX") : STR("OVERFLOW");
}

static void test_read(void **state)
{
    const struct read_case *c = *state;
    struct numfmt f = { c->point, str_of(c->thousands) };
    struct arena a = { 0 };
    struct dec d = { 4711, 3 };
    struct str text = STR("");
    enum dec_result r;

    r = dec_read(str_of(c->in), &f, &d);
    check_text("dec_read", c->line,
               result_text(r, r == DEC_OK ? dec_text(&a, d) : STR("")),
               c->want);
    if (r != DEC_OK && (d.units != 4711 || d.scale != 3))
        fail_msg("%s:%d: *out changed", __FILE__, c->line);
    r = dec_canon(&a, str_of(c->in), &f, &text);
    check_text("dec_canon", c->line, result_text(r, text), c->want);
    arena_release(&a);
}

/* ---- what dec_canon() need not copy, and what dec_from_canon() takes ---- */

static struct canon_case {
    int line;
    const char *name, *in;
    bool borrowed; /* dec_canon() returns a part of its argument */
    bool from;     /* dec_from_canon() accepts it */
} canons[] = {
    { __LINE__, "canonical", "399.90", true, true },
    { __LINE__, "canonical and negative", "-12", true, true },
    { __LINE__, "zero with a fraction", "0.00", true, true },
    { __LINE__, "canonical between blanks", " 12.5 ", true, false },
    { __LINE__, "a leading zero", "007", false, true },
    { __LINE__, "minus zero", "-0", false, true },
    { __LINE__, "a plus", "+5", false, false },
    { __LINE__, "a trailing minus", "5-", false, false },
    { __LINE__, "a point first", ".5", false, false },
    { __LINE__, "a point last", "5.", false, false },
    { __LINE__, "a group", "1 000", false, false },
};

static void test_canon(void **state)
{
    static const struct numfmt f = { '.', { " ", 1 } };
    const struct canon_case *c = *state;
    struct str in = str_of(c->in), out = { NULL, 0 };
    struct arena a = { 0 };
    struct dec d;

    assert_int_equal(dec_canon(&a, in, &f, &out), DEC_OK);
    if ((out.p >= in.p && out.p < in.p + in.len) != c->borrowed ||
        (a.used == 0) != c->borrowed)
        fail_msg("%s:%d: borrowed or not is wrong", __FILE__, c->line);
    if (dec_from_canon(in, &d) != c->from)
        fail_msg("%s:%d: dec_from_canon is wrong", __FILE__, c->line);
    arena_release(&a);
}

/* The text may end anywhere: nothing behind its length is looked at. */
static void test_length(void **state)
{
    static const struct numfmt f = { ',', { " ", 1 } };
    static const char text[] = "-1 234,56\xE2\x88\x92";
    struct dec d;

    (void)state;
    for (size_t n = 0; n < sizeof(text); n++) {
        char *copy = malloc(n ? n : 1); /* so that ASan sees a step too far */

        assert_non_null(copy);
        memcpy(copy, text, n);
        dec_read((struct str){ copy, n }, &f, &d);
        free(copy);
    }
    assert_int_equal(dec_read((struct str){ text, 9 }, &f, &d), DEC_OK);
    assert_int_equal(d.units, -123456);
    assert_int_equal(dec_read((struct str){ NULL, 0 }, &f, &d), DEC_SYNTAX);
}

/* ---- arithmetic; most rows were also computed by another program ---- */

enum op {
    ADD,
    ADD_NEAR,
    SUB,
    MUL,
    MUL_NEAR,
    DIV,
    CMP,
    NET,
    GROSS,
    ROUND,
    STRIP,
    NEG,
    ABS
};

static struct op_case {
    int line;
    const char *name;
    enum op op;
    const char *a, *b;
    int n; /* scale of NET, GROSS, ROUND */
    enum dec_round how;
    const char *want; /* or "NONE" */
} ops[] = {
    { __LINE__, "the larger scale of a sum", ADD, "1.5", "2.25", 0, 0, "3.75" },
    { __LINE__, "a sum keeps closing zeros", ADD, "0.50", "0.50", 0, 0,
      "1.00" },
    { __LINE__, "a sum of many cents", ADD, "0.1", "0.2", 0, 0, "0.3" },
    { __LINE__, "opposite numbers", ADD, "5.00", "-5", 0, 0, "0.00" },
    { __LINE__, "a sum of 19 digits", ADD, MAX18, "1", 0, 0, "NONE" },
    { __LINE__, "a long sum drops closing zeros", ADD, "99999999999999999.5",
      "0.5", 0, 0, "100000000000000000" },
    { __LINE__, "a sum that would lose digits", ADD, "999999999999999999",
      "0.1", 0, 0, "NONE" },
    { __LINE__, "far apart scales", ADD, "1", "0.000000000000000001", 0, 0,
      "NONE" },
    { __LINE__, "a sum of far scales that has zeros", ADD, "400000000000000000",
      "0.000000000000000000", 0, 0, "400000000000000000" },
    { __LINE__, "a difference", SUB, "10", "0.01", 0, 0, "9.99" },
    { __LINE__, "a negative difference", SUB, "1", "1.001", 0, 0, "-0.001" },
    { __LINE__, "the least number less one", SUB, "-" MAX18, "1", 0, 0,
      "NONE" },

    { __LINE__, "a product adds scales", MUL, "1.10", "2.50", 0, 0, "2.7500" },
    { __LINE__, "two minus make plus", MUL, "-3", "-0.5", 0, 0, "1.5" },
    { __LINE__, "times zero keeps the scales", MUL, "-1.25", "0.0", 0, 0,
      "0.000" },
    { __LINE__, "the largest product", MUL, "999999999", "999999999", 0, 0,
      "999999998000000001" },
    { __LINE__, "a product of 19 digits", MUL, "1000000000", "1000000000", 0, 0,
      "NONE" },
    { __LINE__, "a long product drops closing zeros", MUL, "50000000000.0000",
      "2.0000", 0, 0, "100000000000.000000" },
    { __LINE__, "a product of too many decimals", MUL, "0.0000000001",
      "0.000000001", 0, 0, "NONE" },
    { __LINE__, "a product of zeros with 36 decimals", MUL,
      "0.000000000000000000", "0.000000000000000000", 0, 0,
      "0.000000000000000000" },

    { __LINE__, "near: what fits is exact", ADD_NEAR, "0.1", "0.25", 0, 0,
      "0.35" },
    { __LINE__, "near: a long sum is rounded behind the 6th digit", ADD_NEAR,
      "-3333333.33333333333", "-17636684.1428571429", 0, 0,
      "-20970017.4761904762" },
    { __LINE__, "near: a sum keeps six digits", ADD_NEAR, "999999999999",
      "0.1234565", 0, 0, "999999999999.123457" },
    { __LINE__, "near: it never keeps fewer", ADD_NEAR, "9999999999999",
      "0.1234565", 0, 0, "NONE" },
    { __LINE__, "near: rounded up to 19 digits", ADD_NEAR,
      "999999999999.999999", "0.0000005", 0, 0, "1000000000000.00000" },
    { __LINE__, "near: what has less than six is exact or nothing", ADD_NEAR,
      "999999999999999999", "0.1", 0, 0, "NONE" },
    { __LINE__, "near: a quotient can be multiplied", MUL_NEAR,
      "176366.841428571429", "119", 0, 0, "20987654.1300000001" },
    { __LINE__, "near: a product of 36 decimals", MUL_NEAR,
      "0.999999999999999999", "-0.999999999999999999", 0, 0,
      "-0.999999999999999998" },
    { __LINE__, "near: a product of 19 digits", MUL_NEAR, "1000000000",
      "1000000000", 0, 0, "NONE" },

    { __LINE__, "an exact quotient", DIV, "10", "4", 0, 0, "2.5" },
    { __LINE__, "a quotient has no closing zeros", DIV, "10.00", "4.00", 0, 0,
      "2.5" },
    { __LINE__, "a whole quotient", DIV, "600", "0.3", 0, 0, "2000" },
    { __LINE__, "a third is rounded to 12", DIV, "1", "3", 0, 0,
      "0.333333333333" },
    { __LINE__, "two thirds are rounded up", DIV, "-2", "3", 0, 0,
      "-0.666666666667" },
    { __LINE__, "a large third has fewer decimals", DIV, "10000000", "3", 0, 0,
      "3333333.33333333333" },
    { __LINE__, "a third of 18 digits has none", DIV, "999999999999999998", "3",
      0, 0, "333333333333333333" },
    { __LINE__, "an exact one may have 17 decimals", DIV, "1",
      "100000000000000000", 0, 0, "0.00000000000000001" },
    { __LINE__, "an exact one beyond 12 decimals", DIV, "1", "262144", 0, 0,
      "0.000003814697265625" },
    { __LINE__, "an exact one beyond 18 is rounded", DIV, "1", "524288", 0, 0,
      "0.000001907349" },
    { __LINE__, "the scale of the divisor counts", DIV, "1", "0.0000000001", 0,
      0, "10000000000" },
    { __LINE__, "a quotient that is too large", DIV, "1000000000", "0.0000003",
      0, 0, "3333333333333333.33" },
    { __LINE__, "a quotient beyond 18 digits", DIV, MAX18, "0.1", 0, 0,
      "NONE" },
    { __LINE__, "zero divided", DIV, "0.00", "-7", 0, 0, "0" },
    { __LINE__, "a division by zero", DIV, "1", "0.00", 0, 0, "NONE" },
    { __LINE__, "a quotient that rounds to nothing", DIV, "1",
      "3000000000000000", 0, 0, "0" },

    { __LINE__, "1.0 equals 1", CMP, "1.0", "1", 0, 0, "0" },
    { __LINE__, "-1 is below 0.5", CMP, "-1", "0.5", 0, 0, "-1" },
    { __LINE__, "a far scale compares", CMP, MAX18, "0.999999999999999999", 0,
      0, "1" },
    { __LINE__, "minus zero equals zero", CMP, "-0.00", "0", 0, 0, "0" },

    { __LINE__, "half goes away from zero", ROUND, "2.5", "0", 0,
      ROUND_HALF_AWAY, "3" },
    { __LINE__, "negative half goes away from zero", ROUND, "-2.5", "0", 0,
      ROUND_HALF_AWAY, "-3" },
    { __LINE__, "below half goes down", ROUND, "2.4999", "0", 0,
      ROUND_HALF_AWAY, "2" },
    { __LINE__, "two decimals", ROUND, "1.005", "0", 2, ROUND_HALF_AWAY,
      "1.01" },
    { __LINE__, "rounding pads", ROUND, "1.5", "0", 3, ROUND_HALF_AWAY,
      "1.500" },
    { __LINE__, "padding beyond 18 digits", ROUND, "1", "0", 18,
      ROUND_HALF_AWAY, "NONE" },
    { __LINE__, "padding zero to 18", ROUND, "0", "0", 18, ROUND_HALF_AWAY,
      "0.000000000000000000" },
    { __LINE__, "a scale below zero", ROUND, "15", "0", -1, ROUND_HALF_AWAY,
      "NONE" },
    { __LINE__, "a scale above 18", ROUND, "15", "0", 19, ROUND_HALF_AWAY,
      "NONE" },
    { __LINE__, "nines carry", ROUND, "99999999999999999.9", "0", 0,
      ROUND_HALF_AWAY, "100000000000000000" },
    { __LINE__, "all decimals go", ROUND, "0.500000000000000000", "0", 0,
      ROUND_HALF_AWAY, "1" },
    { __LINE__, "what rounds to zero has no minus", ROUND, "-0.004", "0", 2,
      ROUND_HALF_AWAY, "0.00" },
    { __LINE__, "half to even goes down", ROUND, "2.5", "0", 0, ROUND_HALF_EVEN,
      "2" },
    { __LINE__, "half to even goes up", ROUND, "-3.5", "0", 0, ROUND_HALF_EVEN,
      "-4" },
    { __LINE__, "above half to even", ROUND, "2.51", "0", 0, ROUND_HALF_EVEN,
      "3" },
    { __LINE__, "down cuts", ROUND, "-2.99", "0", 1, ROUND_DOWN, "-2.9" },
    { __LINE__, "floor of a negative", ROUND, "-2.01", "0", 0, ROUND_FLOOR,
      "-3" },
    { __LINE__, "floor of a positive", ROUND, "2.99", "0", 0, ROUND_FLOOR,
      "2" },
    { __LINE__, "floor of a whole one", ROUND, "-2.00", "0", 0, ROUND_FLOOR,
      "-2" },
    { __LINE__, "ceil of a positive", ROUND, "2.01", "0", 0, ROUND_CEIL, "3" },
    { __LINE__, "ceil of a negative", ROUND, "-2.99", "0", 0, ROUND_CEIL,
      "-2" },

    { __LINE__, "27.0000 strips to 27", STRIP, "27.0000", "0", 0, 0, "27" },
    { __LINE__, "zeros before the point stay", STRIP, "100.10", "0", 0, 0,
      "100.1" },
    { __LINE__, "zero strips to 0", STRIP, "0.000", "0", 0, 0, "0" },
    { __LINE__, "a negated number", NEG, "1.50", "0", 0, 0, "-1.50" },
    { __LINE__, "negated zero", NEG, "0.0", "0", 0, 0, "0.0" },
    { __LINE__, "an absolute value", ABS, "-" MAX18, "0", 0, 0, MAX18 },

    { __LINE__, "net of 21 %", NET, "121", "21", 2, 0, "100.00" },
    { __LINE__, "net of 27.0 %", NET, "399.90", "27.0", 2, 0, "314.88" },
    { __LINE__, "net of 5.5 %", NET, "100.00", "5.5", 4, 0, "94.7867" },
    { __LINE__, "net of 0 % only rounds", NET, "10.005", "0", 2, 0, "10.01" },
    { __LINE__, "net of a credit", NET, "-121.00", "21", 2, 0, "-100.00" },
    { __LINE__, "net is rounded once", NET, "0.5", "10000", 2, 0, "0.00" },
    { __LINE__, "net of the largest", NET, MAX18, "19", 0, 0,
      "840336134453781512" },
    { __LINE__, "net that is too long", NET, MAX18, "19", 2, 0, "NONE" },
    { __LINE__, "no net of -100 %", NET, "1", "-100", 2, 0, "NONE" },
    { __LINE__, "gross of 21 %", GROSS, "100", "21", 2, 0, "121.00" },
    { __LINE__, "gross of 19 %", GROSS, "8.40", "19", 2, 0, "10.00" },
    { __LINE__, "gross of 12.5 %", GROSS, "1.03", "12.5", 3, 0, "1.159" },
    { __LINE__, "gross rounds half away", GROSS, "-0.50", "21", 2, 0, "-0.61" },
    { __LINE__, "gross that is too large", GROSS, MAX18, "1", 0, 0, "NONE" },
    { __LINE__, "gross of a tiny rate", GROSS, "100000000",
      "0.000000000000000001", 9, 0, "100000000.000000000" },
};

static bool compute(const struct op_case *c, struct dec x, struct dec y,
                    struct dec *out)
{
    switch (c->op) {
    case ADD:
        return dec_add(x, y, out);
    case ADD_NEAR:
        return dec_add_near(x, y, out);
    case SUB:
        return dec_sub(x, y, out);
    case MUL:
        return dec_mul(x, y, out);
    case MUL_NEAR:
        return dec_mul_near(x, y, out);
    case DIV:
        return dec_div(x, y, out);
    case NET:
        return dec_net(x, y, c->n, out);
    case GROSS:
        return dec_gross(x, y, c->n, out);
    case ROUND:
        return dec_round_to(x, c->n, c->how, out);
    case CMP:
        *out = (struct dec){ dec_cmp(x, y), 0 };
        assert_int_equal(dec_cmp(y, x), -out->units);
        return true;
    case STRIP:
        *out = dec_strip(x);
        return true;
    case NEG:
        *out = dec_neg(x);
        return true;
    case ABS:
        *out = dec_abs(x);
        return true;
    }
    return false;
}

static void test_op(void **state)
{
    const struct op_case *c = *state;
    struct arena a = { 0 };
    struct dec x, y, out = { 4711, 3 };
    bool ok;

    assert_true(dec_from_canon(str_of(c->a), &x));
    assert_true(dec_from_canon(str_of(c->b), &y));
    ok = compute(c, x, y, &out);
    check_text("it", c->line, ok ? dec_text(&a, out) : STR("NONE"), c->want);
    if (!ok && (out.units != 4711 || out.scale != 3))
        fail_msg("%s:%d: *out changed", __FILE__, c->line);
    arena_release(&a);
}

/* ---- formats ---- */

static struct format_case {
    int line;
    const char *name, *pattern, *in, *want;
} formats[] = {
    { __LINE__, "two decimals and a comma", "0,00", "1499.9", "1499,90" },
    { __LINE__, "digits beyond are rounded", "0,00", "0.005", "0,01" },
    { __LINE__, "rounding is away from zero", "0,00", "-0.005", "-0,01" },
    { __LINE__, "what rounds to zero has no minus", "0,00", "-0.004", "0,00" },
    { __LINE__, "rounding carries", "0.0", "99.95", "100.0" },
    { __LINE__, "a # is shown if needed", "0.##", "1.5", "1.5" },
    { __LINE__, "a # is not shown for a zero", "0.##", "1.50", "1.5" },
    { __LINE__, "without decimals no point", "0.##", "2.00", "2" },
    { __LINE__, "a # rounds too", "0.##", "2.996", "3" },
    { __LINE__, "0 before # always shows", "0.0##", "2", "2.0" },
    { __LINE__, "0 before # and more", "0.0##", "2.1234", "2.123" },
    { __LINE__, "groups of a blank", "# ##0.00", "1234567.8", "1 234 567.80" },
    { __LINE__, "no group below 1000", "# ##0.00", "999.99", "999.99" },
    { __LINE__, "a group by rounding", "# ##0.0", "-999.96", "-1 000.0" },
    { __LINE__, "groups of a point", "#.##0,00", "-1234.5", "-1.234,50" },
    { __LINE__, "groups of a comma", "#,##0.00", "1234.5", "1,234.50" },
    { __LINE__, "groups of a point alone", "#.##0", "1234567", "1.234.567" },
    { __LINE__, "groups of a comma alone", "#,##0", "1234.5", "1,235" },
    { __LINE__, "groups of an apostrophe", "#'##0.00", "1234", "1'234.00" },
    { __LINE__, "groups of U+00A0", "#\xC2\xA0##0,0", "12345",
      "12\xC2\xA0"
      "345,0" },
    { __LINE__, "groups of U+202F", "#\xE2\x80\xAF##0", "12345",
      "12\xE2\x80\xAF"
      "345" },
    { __LINE__, "several groups in the pattern", "# ### ##0", "1234", "1 234" },
    { __LINE__, "zeros in groups", "00 000", "123", "00 123" },
    { __LINE__, "leading zeros", "000", "7", "007" },
    { __LINE__, "leading zeros and a minus", "000", "-7", "-007" },
    { __LINE__, "longer than its zeros", "000", "12345", "12345" },
    { __LINE__, "# before 0", "##00", "5", "05" },
    { __LINE__, "a whole number", "0", "12.5", "13" },
    { __LINE__, "zero", "0", "0.00", "0" },
    { __LINE__, "0.000 has three decimals", "0.000", "1.5", "1.500" },
    { __LINE__, "a short fraction with #", "0.#", "0.25", "0.3" },
    { __LINE__, "the largest", "# ##0.00", MAX18,
      "999 999 999 999 999 999.00" },
    { __LINE__, "all decimals", "0.000000000000000000", "0.000000000000000001",
      "0.000000000000000001" },
    { __LINE__, "more places than digits", "0.000000000000000000", "12",
      "12.000000000000000000" },
};

static void test_format(void **state)
{
    const struct format_case *c = *state;
    struct arena a = { 0 };
    struct str out;
    struct dec d;

    assert_true(dec_from_canon(str_of(c->in), &d));
    assert_null(dec_pattern_ok(str_of(c->pattern)));
    assert_true(dec_format(&a, d, str_of(c->pattern), &out));
    check_text("dec_format", c->line, out, c->want);
    arena_release(&a);
}

static struct refuse_case {
    int line;
    const char *name, *pattern, *why; /* a part of the reason */
} refusals[] = {
    { __LINE__, "an empty pattern", "", "empty" },
    { __LINE__, "a letter", "0.00 Kc", "only 0" },
    { __LINE__, "a digit", "1.00", "only 0" },
    { __LINE__, "a percent sign", "0%", "only 0" },
    { __LINE__, "a minus", "-0", "only 0" },
    { __LINE__, "only #", "###", "must be 0" },
    { __LINE__, "no 0 before the point", "#.00", "must be 0" },
    { __LINE__, "nothing before the point", ".00", "must be 0" },
    { __LINE__, "a # after a 0", "0#", "# cannot" },
    { __LINE__, "a 0 after a # behind the point", "0.#0", "0 cannot" },
    { __LINE__, "a separator behind the point", "0.00 0", "only 0" },
    { __LINE__, "a point at the end", "0.", "three places" },
    { __LINE__, "a separator at the end", "# ##0 ", "three places" },
    { __LINE__, "a separator first", " ##0", "three places" },
    { __LINE__, "a group of two", "# #0", "three places" },
    { __LINE__, "an inner group of two", "# ## ##0", "three places" },
    { __LINE__, "a group of four", "# ###0.0", "three places" },
    { __LINE__, "a first group of four", "#### ##0", "three places" },
    { __LINE__, "two separators", "# ###.##0", "different" },
    { __LINE__, "point and separator alike", "#.##0.00", "also" },
    { __LINE__, "too many decimals", "0.0000000000000000000", "18 places" },
    { __LINE__, "too many places", "0000000000000000000", "18 places" },
};

static void test_refuse(void **state)
{
    const struct refuse_case *c = *state;
    const char *why = dec_pattern_ok(str_of(c->pattern));
    struct arena a = { 0 };
    struct str out;

    if (!why || !strstr(why, c->why))
        fail_msg("%s:%d: \"%s\": %s", __FILE__, c->line, c->pattern,
                 why ? why : "accepted");
    assert_false(
        dec_format(&a, (struct dec){ 1, 0 }, str_of(c->pattern), &out));
}

static struct CMUnitTest tests[COUNT(reads) + COUNT(canons) + COUNT(ops) +
                               COUNT(formats) + COUNT(refusals) + 1];
static size_t n_tests;

#define ADD_ROWS(fn, rows)                   \
    for (size_t i = 0; i < COUNT(rows); i++) \
    tests[n_tests++] = (struct CMUnitTest)ROW(fn, &(rows)[i])

int main(void)
{
    ADD_ROWS(test_read, reads);
    ADD_ROWS(test_canon, canons);
    ADD_ROWS(test_op, ops);
    ADD_ROWS(test_format, formats);
    ADD_ROWS(test_refuse, refusals);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_length);
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
