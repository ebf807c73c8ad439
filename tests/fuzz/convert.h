/*
 * convert.h - maps from texts, and a whole conversion within this process.
 */
#ifndef TESTS_FUZZ_CONVERT_H
#define TESTS_FUZZ_CONVERT_H

#include "converters/lang/map.h"
#include "spool/job.h"

/*
 * A map and what is said of it; `number`: the memory file to load it from. m is
 * NULL when it has mistakes.
 */
struct fuzz_map {
    struct map *m;
    struct map *loaded; /* m, or the one with mistakes */
    struct arena arena;
    struct diags diags;
};
void fuzz_map_load(struct fuzz_map *f, struct str text, int number);
void fuzz_map_free(struct fuzz_map *f);
/* Every setting that the map has gets the same value. In f->arena. */
struct str *fuzz_settings(struct fuzz_map *f);

/* Runs the messages through both printers; nothing is shown. */
void fuzz_print(const struct diags *diags);

/* A job over file `fd`, its reader in this process; the outputs are looked at
 * and dropped. The maps are joined already. */
void fuzz_convert(struct fuzz_map *read, struct fuzz_map *write, int fd);
/* The same, but these bytes are what the reader sends. */
void fuzz_take_frames(struct fuzz_map *read, struct fuzz_map *write,
                      struct str frames);

#endif
