/* mutate.c - for libFuzzer: changes one part of an input at a time. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

/* libFuzzer's own mutators. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max,
                               unsigned seed);

static size_t n_parts(struct str s)
{
    size_t n = 1;
    ptrdiff_t at;

    while ((at = str_find(s, STR("\n%%\n"))) >= 0) {
        s = str_from(s, (size_t)at + 4);
        n++;
    }
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max,
                               unsigned seed)
{
    struct str all = { (const char *)bytes, n }, rest = all, part = all;
    size_t parts = n_parts(all), chosen = seed % (parts + 1);
    size_t before, after, changed;
    uint8_t *copy;

    /* Now and then the whole: parts come and go. */
    if (parts == 1 || chosen == parts)
        return LLVMFuzzerMutate(bytes, n, max);
    for (size_t i = 0; i <= chosen; i++)
        part = fuzz_part(&rest);
    if (!part.p || part.p < all.p || part.p + part.len > all.p + n ||
        n - part.len >= max)
        return LLVMFuzzerMutate(bytes, n, max);
    before = (size_t)(part.p - all.p);
    after = n - before - part.len;
    copy = malloc(max + 1);
    if (!copy)
        abort();
    str_copy((char *)copy, part);
    changed = LLVMFuzzerMutate(copy, part.len, max - before - after);
    memmove(bytes + before + changed, part.p + part.len, after);
    memcpy(bytes + before, copy, changed);
    free(copy);
    return before + changed + after;
}
