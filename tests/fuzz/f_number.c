/*
 * f_number.c - decimals: reading, arithmetic, number formats.
 *
 * Input: a byte for how the file writes numbers, a number, another one, a
 * format; "%%" between the texts.
 */
#include "converters/base/decimal.h"
#include "tests/fuzz/fuzz.h"

static bool read_number(struct arena *a, struct str s, const struct numfmt *f,
                        struct dec *d)
{
    enum dec_result rc = dec_read(s, f, d);
    struct str canon;
    struct dec again;

    FUZZ_CHECK(dec_canon(a, s, f, &canon) == rc);
    if (rc != DEC_OK)
        return false;
    FUZZ_CHECK(d->scale <= 18);
    FUZZ_CHECK(d->units > -1000000000000000000 &&
               d->units < 1000000000000000000);
    FUZZ_CHECK(dec_from_canon(canon, &again) && dec_cmp(*d, again) == 0);
    FUZZ_CHECK(again.scale == d->scale);
    FUZZ_CHECK(str_eq(dec_text(a, *d), canon) || str_starts(canon, STR("0")) ||
               str_starts(canon, STR("-0")));
    return true;
}

static void calculate(struct dec x, struct dec y)
{
    struct dec r, back;

    if (dec_add(x, y, &r) && dec_sub(r, y, &back))
        FUZZ_CHECK(dec_cmp(back, x) == 0);
    if (dec_mul(x, y, &r)) {
        struct dec other;

        FUZZ_CHECK(dec_mul(y, x, &other) && dec_cmp(r, other) == 0);
        if (!dec_is_zero(y) && dec_div(r, y, &back) && back.scale < 12)
            FUZZ_CHECK(dec_cmp(back, x) == 0);
    }
    FUZZ_CHECK(!dec_is_zero(y) || !dec_div(x, y, &r));
    FUZZ_CHECK(dec_cmp(x, y) == -dec_cmp(y, x));
    for (int scale = 0; scale <= 18; scale++)
        for (int how = ROUND_HALF_AWAY; how <= ROUND_CEIL; how++)
            if (dec_round_to(x, scale, (enum dec_round)how, &r))
                FUZZ_CHECK(r.scale == scale);
    FUZZ_CHECK(dec_cmp(dec_strip(x), x) == 0);
    (void)dec_net(x, y, 2, &r);
    (void)dec_gross(x, y, 4, &r);
}

void fuzz_one(struct str data)
{
    static const struct numfmt formats[] = {
        { '.', { "", 0 } },  { ',', { " ", 1 } }, { ',', { ".", 1 } },
        { '.', { ",", 1 } }, { '.', { "'", 1 } }, { ',', { "\xc2\xa0", 2 } },
    };
    const struct numfmt *f = &formats[fuzz_byte(&data) % COUNT(formats)];
    struct str one = fuzz_part(&data), two = fuzz_part(&data);
    struct arena a = { 0 };
    struct dec x = { 0 }, y = { 0 };
    struct str text;
    bool first = read_number(&a, one, f, &x),
         second = read_number(&a, two, f, &y);

    if (first && second)
        calculate(x, y);
    FUZZ_CHECK(dec_format(&a, x, data, &text) == !dec_pattern_ok(data));
    arena_release(&a);
}
