/*
 * f_conf.c - the configuration, and the maps that it names ("100" to "102").
 *
 * Input: the configuration, a read map, a write map; "%%" between them.
 */
#include "spool/conf.h"
#include "tests/fuzz/convert.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct str data)
{
    struct arena a = { 0 };
    struct conf conf = { 0 };
    struct diags diags;
    struct err e;

    (void)fuzz_file(0, fuzz_part(&data));
    (void)fuzz_file(1, fuzz_part(&data));
    (void)fuzz_file(2, data);
    diags_init(&diags, &a, fuzz_limits.v[LIMIT_ERRORS]);
    if (conf_load(&conf, fuzz_path(0), &diags, &e) == 0) {
        conf_load_maps(&conf, &diags);
        for (const struct route *r = conf.routes; r; r = r->next)
            for (const struct conf_from *f = r->from; f; f = f->next)
                (void)route_takes(r, f->partner->name, f->folder,
                                  STR("Orders-2026.csv"));
    }
    fuzz_print(&diags);
    conf_free(&conf);
    arena_release(&a);
}
