/*
 * reader.h - the process that touches hostile bytes.
 *
 * It inherits open descriptors and compiled maps, locks itself in (jail.h) and
 * sends frames; it opens nothing. If it dies, the job sees a pipe that ends
 * without END and rejects the file, or, if it had several, has them read again.
 */
#ifndef SPOOL_READER_H
#define SPOOL_READER_H

#include "formats/zip.h"
#include "spool/faulty.h"
#include "spool/job.h"
#include "spool/locate.h"

/* What a second reading is for. */
struct questions {
    const struct locate_list *places; /* where these fields stand */
    const struct aside *aside; /* copies of these, and of what is faulty; or
                                  NULL */
};

/*
 * Reads all inputs of n specs, one spec after the other, and sends frames to
 * pipe_fd: behind END of a spec come those of the next. Runs in the forked
 * child; returns its exit status. spill_fd: an empty file for scattered
 * groups. With `ask` (and one spec) it answers those questions and sends
 * nothing else; `scattered` tells that the first reading had to begin again.
 */
enum { READER_NO_MEMORY = 86, READER_NO_JAIL = 88 }; /* exit status */

int reader_main(const struct job_spec *specs, size_t n, int pipe_fd,
                int spill_fd, const struct questions *ask, bool scattered);

/* ---- for faulty.c, which reads the same files once more ------------------ */

/* A plain file, or a member of a ZIP; ctx is &fd or the ZIP. */
struct source_bytes {
    ptrdiff_t (*pull)(void *ctx, char *buf, size_t n);
    void *ctx;
    struct zip_in *zip; /* NULL: a plain file */
};

bool reader_is_zip(int fd);
/* The pattern of the members that are read. */
struct str reader_members(const struct map *m, struct arena *a);

#endif
