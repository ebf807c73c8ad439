/*
 * f_expr.c - expressions with their clauses, on both sides of a conversion.
 *
 * Input: option lines of the read map, a rule of it, a rule of the write map,
 * a CSV file with columns a, b and c; "%%" between them. Only the first line
 * of a rule counts.
 */
#include "tests/fuzz/convert.h"
#include "tests/fuzz/fuzz.h"

static struct str first_line(struct str s)
{
    ptrdiff_t nl = str_find_char(s, '\n');

    return str_first(s, nl < 0 ? s.len : (size_t)nl);
}

static void put_rule(struct buf *b, const char *before, struct str rule)
{
    buf_addz(b, before);
    buf_add(b, first_line(rule));
    buf_addc(b, '\n');
}

void fuzz_one(struct str data)
{
    struct str options = fuzz_part(&data), in = fuzz_part(&data),
               out = fuzz_part(&data);
    struct fuzz_map read, write;
    struct buf text;

    buf_init(&text, MB(1));
    buf_addz(&text, "read order from csv\n");
    buf_add(&text, options);
    put_rule(&text, "\nnumber = a\nx.b = b\nx.c = c\nnote = ", in);
    fuzz_map_load(&read, buf_str(&text), 0);
    buf_clear(&text);
    put_rule(&text,
             "write order to csv\n"
             "row\n"
             "  number = number\n"
             "  note = note\n"
             "  out = ",
             out);
    fuzz_map_load(&write, buf_str(&text), 1);
    buf_release(&text);
    if (read.m && write.m && maps_join(read.m, write.m))
        fuzz_convert(&read, &write, fuzz_file(0, data));
    fuzz_print(&read.diags);
    fuzz_print(&write.diags);
    fuzz_map_free(&read);
    fuzz_map_free(&write);
}
