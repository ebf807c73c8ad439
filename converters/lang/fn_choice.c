/* fn_choice.c - functions that choose a value or fetch one from elsewhere. */
#include "converters/base/text.h"
#include "converters/lang/fn.h"
#include "converters/lang/table.h"

static bool fn_if(struct run *r, const struct expr *e, struct val *out)
{
    bool yes;

    if (!eval_cond(r, arg(e, 0), &yes))
        return false;
    return arg_val(r, e, yes ? 1 : 2, out);
}

static bool fn_lookup(struct run *r, const struct expr *e, struct val *out)
{
    struct val key;

    if (!arg_val(r, e, 1, &key))
        return false;
    return table_apply(r, e->at, e->table, &key, out);
}

static bool fn_counter(struct run *r, const struct expr *e, struct val *out)
{
    struct str name;

    if (!arg_str(r, e, 0, &name))
        return false;
    *out = val_dec((struct dec){ r->counter(r->ctx_of, name), 0 });
    return true;
}

/*
 * Rows: the column's title as the map may write it, without blanks around it
 * and composed; else the element's or attribute's name.
 */
static bool fn_name(struct run *r, const struct expr *e, struct val *out)
{
    struct str name = STR("");
    struct val v;

    if (!arg_val(r, e, 0, &v))
        return false;
    if (v.item && v.cell < 0)
        name = v.item->name;
    else if (v.item && r->reader && r->reader->titles)
        name = text_nfc(r->a, text_trim(r->reader->titles[v.cell]));
    *out = fn_text_from(&v, name);
    return true;
}

const struct func fn_choice[] = {
    { "if", 2, 3, 0, -1, "condition, then, else",
      "one of two values; without else: empty", fn_if },
    { "lookup", 2, 2, FN_TABLE, -1, "table, key",
      "what the table has for a key", fn_lookup },
    { "counter", 1, 1, FN_WRITE, 0, "\"name\"",
      "the next number of a counter, kept when the conversion is", fn_counter },
    { "name", 1, 1, 0, -1, "path",
      "the name of a column, element or attribute: name(.)", fn_name },
    { 0 },
};
