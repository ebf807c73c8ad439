/*
 * f_map.c - loading a map: outline, parser, resolver, compiler, messages.
 *
 * Input: the map; behind a line "%%" a file that it may include, or take a
 * table from, by the name "101".
 */
#include "tests/fuzz/convert.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct str data)
{
    struct str text = fuzz_part(&data);
    struct fuzz_map f;

    (void)fuzz_file(1, data);
    fuzz_map_load(&f, text, 0);
    fuzz_print(&f.diags);
    FUZZ_CHECK(f.loaded || f.diags.n_errors);
    fuzz_map_free(&f);
}
