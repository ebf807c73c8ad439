/*
 * fuzz.h - what a fuzz target gives, and what it gets.
 *
 * A target is a file f_NAME.c with fuzz_one(): one execution over bytes from
 * anywhere. It must end soon, leave no memory or file behind and depend on
 * nothing but its input. Wrong results end the process: FUZZ_CHECK().
 *
 *   MODE=fuzz       libFuzzer (common.c) makes up the bytes
 *   other modes     replay.c gives it the files of corpus/NAME/, and what
 *                   hostile.c makes up
 *
 * A target with several texts in one input splits it at lines "%%" with
 * fuzz_part(); mutate.c then changes one part at a time.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "converters/base/limits.h"
#include "converters/base/mem.h"

void fuzz_one(struct str data);

/* common.c */

/* Low, so that small inputs hit them; those of the program when `hostile`
 * inputs of 64 KB are timed. */
extern struct limits fuzz_limits;
void fuzz_begin(void); /* once, before the first fuzz_one() */
void fuzz_use_real_limits(void);

/* Takes the text up to the next line "%%", or all of it. */
struct str fuzz_part(struct str *rest);
/* Takes the first byte; 0 when there is none. */
uint8_t fuzz_byte(struct str *rest);

/* Bytes that come in pieces, as from a pipe: for input_init(). `seed` decides
 * how long each piece is; 0: as much as is asked for. */
struct fuzz_pull {
    struct str rest;
    uint32_t seed;
};
ptrdiff_t fuzz_pull(void *ctx, char *buf, size_t n);

/* A file in memory that holds the text, at its start. Emptied and filled again
 * by the next call for the same number (0..FUZZ_FILES-1). */
enum { FUZZ_FILES = 4 };
int fuzz_file(int number, struct str text);
const char *fuzz_path(int number); /* its path, to open it by */
/* A folder in memory, emptied: for what a job writes. */
const char *fuzz_folder(void);

void fuzz_failed(const char *file, int line, const char *what)
    __attribute__((noreturn));
#define FUZZ_CHECK(holds) \
    ((holds) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #holds))

/* What came out of the whole input and of its pieces; shows both if they
 * differ. */
void fuzz_same(struct str whole, struct str pieces);

/* hostile.c */

/* Calls run(ctx, name, bytes) for each input that it makes up for a target. */
void hostile_inputs(const char *target,
                    void (*run)(void *ctx, const char *name, struct str bytes),
                    void *ctx);

#endif
