/* fn_text.c - functions over texts. Characters are code points, from 1. */
#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/lang/fn.h"

/* ---- one text in, one out ----------------------------------------------- */

static bool apply(struct run *r, const struct expr *e, struct val *out,
                  struct str (*f)(struct arena *a, struct str s))
{
    struct val v;

    if (!arg_val(r, e, 0, &v))
        return false;
    *out = fn_text_from(&v, f(r->a, val_str(r, &v)));
    return true;
}

static struct str trimmed(struct arena *a, struct str s)
{
    (void)a;
    return text_trim(s);
}

#define TEXT_FN(name, f)                                                   \
    static bool name(struct run *r, const struct expr *e, struct val *out) \
    {                                                                      \
        return apply(r, e, out, f);                                        \
    }

TEXT_FN(fn_trim, trimmed)
TEXT_FN(fn_squeeze, text_squeeze)
TEXT_FN(fn_digits, text_digits)
TEXT_FN(fn_strip_html, text_strip_html)
TEXT_FN(fn_one_line, text_one_line)
TEXT_FN(fn_ascii, text_ascii)
TEXT_FN(fn_nfc, text_nfc)

static bool apply_case(struct run *r, const struct expr *e, struct val *out,
                       struct str (*f)(struct arena *a, struct str s,
                                       struct str lang))
{
    struct val v;
    struct str lang;

    if (!arg_val(r, e, 0, &v) || !arg_str(r, e, 1, &lang))
        return false;
    *out = fn_text_from(&v, f(r->a, val_str(r, &v), lang));
    return true;
}

static bool fn_upper(struct run *r, const struct expr *e, struct val *out)
{
    return apply_case(r, e, out, text_upper);
}

static bool fn_lower(struct run *r, const struct expr *e, struct val *out)
{
    return apply_case(r, e, out, text_lower);
}

static bool fn_title(struct run *r, const struct expr *e, struct val *out)
{
    return apply_case(r, e, out, text_title);
}

/* ---- parts of a text ---------------------------------------------------- */

/* Argument 0 as a value and as text. */
static bool text_arg(struct run *r, const struct expr *e, struct val *v,
                     struct str *s)
{
    if (!arg_val(r, e, 0, v))
        return false;
    *s = val_str(r, v);
    return true;
}

static bool count_arg(struct run *r, const struct expr *e, int i, uint32_t *n)
{
    struct val v;

    return arg_val(r, e, i, &v) && val_to_count(r, arg(e, i), &v, n);
}

static bool fn_left(struct run *r, const struct expr *e, struct val *out)
{
    struct val v;
    struct str s;
    uint32_t n;

    if (!text_arg(r, e, &v, &s) || !count_arg(r, e, 1, &n))
        return false;
    *out = fn_text_from(&v, str_first(s, utf8_offset(s, n)));
    return true;
}

static bool fn_right(struct run *r, const struct expr *e, struct val *out)
{
    struct val v;
    struct str s;
    uint32_t n;
    size_t all;

    if (!text_arg(r, e, &v, &s) || !count_arg(r, e, 1, &n))
        return false;
    all = utf8_count(s);
    if (n < all)
        s = str_from(s, utf8_offset(s, all - n));
    *out = fn_text_from(&v, s);
    return true;
}

static bool fn_mid(struct run *r, const struct expr *e, struct val *out)
{
    struct val v, at;
    struct str s;
    uint32_t n;
    int32_t start;

    if (!text_arg(r, e, &v, &s) || !arg_val(r, e, 1, &at) ||
        !val_to_int(r, arg(e, 1), &at, 1, 1000000, &start) ||
        !count_arg(r, e, 2, &n))
        return false;
    s = str_from(s, utf8_offset(s, (size_t)start - 1));
    *out = fn_text_from(&v, str_first(s, utf8_offset(s, n)));
    return true;
}

static bool fn_length(struct run *r, const struct expr *e, struct val *out)
{
    struct str s;

    if (!arg_str(r, e, 0, &s))
        return false;
    *out = val_dec((struct dec){ (int64_t)utf8_count(s), 0 });
    return true;
}

static bool fn_replace(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, what, with;
    struct val v;

    if (!text_arg(r, e, &v, &s) || !arg_str(r, e, 1, &what) ||
        !arg_str(r, e, 2, &with))
        return false;
    if (s.len)
        s = text_replace(r->a, s, what, with);
    if (!s.p)
        return fn_too_long(r, e);
    *out = fn_text_from(&v, s);
    return true;
}

/* The text and the offset of a separator in it; *at is -1 without one. */
static bool split_at(struct run *r, const struct expr *e, struct val *v,
                     struct str *s, struct str *sep, ptrdiff_t *at)
{
    if (!text_arg(r, e, v, s) || !arg_str(r, e, 1, sep))
        return false;
    *at = str_find(*s, *sep);
    return true;
}

static bool fn_before(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, sep;
    struct val v;
    ptrdiff_t at;

    if (!split_at(r, e, &v, &s, &sep, &at))
        return false;
    *out = fn_text_from(&v, at < 0 ? s : str_first(s, (size_t)at));
    return true;
}

static bool fn_after(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, sep;
    struct val v;
    ptrdiff_t at;

    if (!split_at(r, e, &v, &s, &sep, &at))
        return false;
    *out = fn_text_from(&v, str_from(s, at < 0 ? s.len : (size_t)at + sep.len));
    return true;
}

/* Takes the text before the next sep off *s; false: *s was the last piece. */
static bool next_piece(struct str *s, struct str sep, struct str *piece)
{
    ptrdiff_t at = sep.len ? str_find(*s, sep) : -1;

    *piece = at < 0 ? *s : str_first(*s, (size_t)at);
    *s = str_from(*s, at < 0 ? s->len : (size_t)at + sep.len);
    return at >= 0;
}

static int32_t count_pieces(struct str s, struct str sep)
{
    struct str piece;
    int32_t n = 1;

    while (next_piece(&s, sep, &piece))
        n++;
    return n;
}

static bool fn_piece(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, sep, piece;
    struct val v, which;
    int32_t n, all;

    if (!text_arg(r, e, &v, &s) || !arg_str(r, e, 1, &sep) ||
        !arg_val(r, e, 2, &which) ||
        !val_to_int(r, arg(e, 2), &which, -1000000, 1000000, &n))
        return false;
    all = count_pieces(s, sep);
    if (n < 0)
        n += all + 1;
    piece = STR("");
    if (n >= 1 && n <= all)
        while (n--)
            (void)next_piece(&s, sep, &piece);
    *out = fn_text_from(&v, piece);
    return true;
}

/* ---- tests -------------------------------------------------------------- */

static bool two_texts(struct run *r, const struct expr *e, struct str *s,
                      struct str *what)
{
    return arg_str(r, e, 0, s) && arg_str(r, e, 1, what);
}

static bool fn_contains(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, what;

    if (!two_texts(r, e, &s, &what))
        return false;
    *out = val_bool(str_find(s, what) >= 0);
    return true;
}

static bool fn_starts(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, what;

    if (!two_texts(r, e, &s, &what))
        return false;
    *out = val_bool(str_starts(s, what));
    return true;
}

static bool fn_ends(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, what;

    if (!two_texts(r, e, &s, &what))
        return false;
    *out = val_bool(str_ends(s, what));
    return true;
}

/* text(x, FORMAT): of a number or a date, as the `as` clause does. */
static bool fn_as_text(struct run *r, const struct expr *e, struct val *out)
{
    struct str format, s = STR("");
    struct val v;

    if (!arg_val(r, e, 0, &v) || !arg_str(r, e, 1, &format))
        return false;
    if (!val_is_empty(&v) && !val_format(r, e, &v, format, &s))
        return false;
    *out = fn_text_from(&v, s);
    return true;
}

const struct func fn_text[] = {
    { "trim", 1, 1, 0, -1, "x", "without white space at both ends", fn_trim },
    { "squeeze", 1, 1, 0, -1, "x", "trimmed, inner white space is one blank",
      fn_squeeze },
    { "upper", 1, 2, 0, 1, "x, \"language\"",
      "capitals; by a language's rules: tr cs hu ro", fn_upper },
    { "lower", 1, 2, 0, 1, "x, \"language\"", "small letters", fn_lower },
    { "title", 1, 2, 0, 1, "x, \"language\"", "a capital begins each word",
      fn_title },
    { "left", 2, 2, 0, -1, "x, n", "the first n characters", fn_left },
    { "right", 2, 2, 0, -1, "x, n", "the last n characters", fn_right },
    { "mid", 3, 3, 0, -1, "x, start, n", "n characters from start on, from 1",
      fn_mid },
    { "length", 1, 1, 0, -1, "x", "how many characters", fn_length },
    { "replace", 3, 3, 0, -1, "x, old, new", "each old text becomes new",
      fn_replace },
    { "before", 2, 2, 0, -1, "x, separator",
      "what stands before the first separator; all if there is none",
      fn_before },
    { "after", 2, 2, 0, -1, "x, separator",
      "what stands behind the first separator; empty if there is none",
      fn_after },
    { "piece", 3, 3, 0, -1, "x, separator, n",
      "part n between separators, from 1; -1 is the last", fn_piece },
    { "contains", 2, 2, 0, -1, "x, text", "yes if the text is in x",
      fn_contains },
    { "starts", 2, 2, 0, -1, "x, text", "yes if x starts with the text",
      fn_starts },
    { "ends", 2, 2, 0, -1, "x, text", "yes if x ends with the text", fn_ends },
    { "digits", 1, 1, 0, -1, "x", "only the digits 0 to 9", fn_digits },
    { "strip_html", 1, 1, 0, -1, "x", "HTML as plain text", fn_strip_html },
    { "one_line", 1, 1, 0, -1, "x", "line breaks and tabs become blanks",
      fn_one_line },
    { "ascii", 1, 1, 0, -1, "x", "without diacritics and typographic signs",
      fn_ascii },
    { "nfc", 1, 1, 0, -1, "x", "letters and their accents composed", fn_nfc },
    { "text", 2, 2, FN_FORMAT, 1, "x, \"format\"",
      "a number or date in a format, as the clause `as` writes it",
      fn_as_text },
    { 0 },
};
