/* hostile.c - inputs of 64 KB that are to cost more than they should. */
#include "tests/fuzz/fuzz.h"

void hostile_inputs(void (*run)(void *ctx, const char *name, struct str bytes),
                    void *ctx)
{
    run(ctx, "nothing", STR(""));
}
