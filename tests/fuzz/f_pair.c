/*
 * f_pair.c - a whole conversion: read map, write map and file in one input.
 *
 * Input: the three, with lines "%%" between them.
 */
#include "tests/fuzz/convert.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct str data)
{
    struct str read_text = fuzz_part(&data), write_text = fuzz_part(&data);
    struct fuzz_map read, write;

    fuzz_map_load(&read, read_text, 0);
    fuzz_map_load(&write, write_text, 1);
    if (read.m && !read.m->is_write && write.m && write.m->is_write &&
        read.m->document == write.m->document && maps_join(read.m, write.m))
        fuzz_convert(&read, &write, fuzz_file(0, data));
    fuzz_print(&read.diags);
    fuzz_print(&write.diags);
    fuzz_map_free(&read);
    fuzz_map_free(&write);
}
