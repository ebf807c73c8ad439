#include "formats/format.h"

#include "formats/input.h"

extern const struct format format_csv, format_xml;

const struct format *const formats[] = {
    &format_csv,
    &format_xml,
    NULL,
};

const struct format *format_find(struct str name)
{
    for (size_t i = 0; formats[i]; i++)
        if (str_is(name, formats[i]->name))
            return formats[i];
    return NULL;
}

int reader_fail(struct reader *r, enum diag_id id, uint32_t line, uint32_t col,
                const struct str *args, size_t n_args)
{
    r->fault(r->ctx, id, true, line, col, args, n_args);
    return -1;
}

int reader_limit(struct reader *r, enum limit_id id, const char *what,
                 uint32_t line, uint32_t col)
{
    struct str value =
        arena_fmt(r->names, "%llu", (unsigned long long)r->limits->v[id]);

    return READER_FAIL(r, LIMIT, line, col, str_of(what), value,
                       str_of(limit_table[id].name));
}

void reader_compare_charset(struct reader *r)
{
    const struct input *in = r->in;

    if (!in->declared)
        return;
    r->fault(r->ctx, DIAG_CHARSET_DIFFERS, false, 1, 1,
             (const struct str[]){ str_of(in->declared->name),
                                   str_of(in->cs->name) },
             2);
}
