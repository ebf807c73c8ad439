#include "converters/lang/func.h"

#include "converters/base/text.h"
#include "converters/lang/fn.h"

const struct func *const func_tables[] = {
    fn_choice, fn_text, fn_number, fn_several, fn_date, fn_vat, fn_names, NULL,
};

const struct func *func_find(struct str name)
{
    for (size_t i = 0; func_tables[i]; i++)
        for (const struct func *f = func_tables[i]; f->name; f++)
            if (str_is(name, f->name))
                return f;
    return NULL;
}

size_t func_names(const char **names, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; func_tables[i]; i++)
        for (const struct func *f = func_tables[i]; f->name && n < max; f++)
            names[n++] = f->name;
    return n;
}

bool fn_too_long(struct run *r, const struct expr *call)
{
    return RUN_FAULT(
        r, LIMIT, call->at, NULL,
        arena_fmt(r->a, "the text that %s makes", call->func->name),
        arena_fmt(r->a, "%d", TEXT_MAX), STR("document"));
}

bool fn_dec(struct run *r, const struct expr *call, int i, struct dec *out,
            bool *has)
{
    struct val v;

    if (!arg_val(r, call, i, &v))
        return false;
    *has = !val_is_empty(&v);
    return !*has || val_to_dec(r, arg(call, i), &v, out);
}

bool fn_overflow(struct run *r, const struct expr *call)
{
    return RUN_FAULT(r, NUMBER_OVERFLOW, call->at, NULL,
                     arena_fmt(r->a, "what %s gives", call->func->name),
                     STR(""));
}
