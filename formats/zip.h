/*
 * zip.h - ZIP archives: reading what a partner sent, packing what we made.
 *
 * libzip unpacks; it does not notice entries that share their data, sizes
 * that are a lie, or names that lead elsewhere. So the directory is read and
 * checked by us first (zipdir.c), then by libzip (ZIP_CHECKCONS), and bytes
 * are counted while they come out. Nothing is ever unpacked into files, and
 * names are labels for messages and patterns, never paths.
 *
 *   zipin_open(&z, fd, limits, arena);
 *   while ((more = zipin_next(&z, pattern)) == 1)
 *       input_init(&in, zipin_pull, &z, ...);
 *   zipin_close(&z);
 *
 * After a -1, also one of zipin_pull() that input_next() reports as
 * FILE_READ, z.fault says why.
 */
#ifndef FORMATS_ZIP_H
#define FORMATS_ZIP_H

#include "converters/base/diag.h"
#include "converters/base/err.h"
#include "converters/base/limits.h"

struct zip;
struct zip_bytes;
struct zip_file;

struct zip_fault {
    bool set;
    enum diag_id id;
    struct str args[DIAG_ARGS];
    size_t n_args;
};

/* An entry as the directory has it. */
struct zip_entry {
    struct str name;       /* UTF-8 */
    struct str raw_name;   /* the bytes in the file */
    uint64_t size, packed; /* size: as declared, and held to it */
    uint64_t start, end;   /* of header, name and data in the file */
    uint32_t crc, mode;    /* mode: of Unix, or 0 */
    uint16_t method, flags;
};

struct zip_in {
    const struct limits *limits;
    struct arena *arena; /* names and messages; lives as long as z */
    struct zip *archive;
    struct zip_bytes *bytes;   /* its source */
    struct zip_entry *entries; /* in the order of the directory */
    size_t n_entries;
    struct zip_fault fault;

    /* The member at hand. */
    const struct zip_entry *member;
    struct zip_file *file;
    uint64_t n_read;
    char head[4]; /* its first bytes: is it a ZIP itself? */
    size_t next;  /* entry to look at next */
    size_t n_members;
};

bool zipin_is(struct str head);
/* fd: a file that can be read anywhere; left open, wherever it stands. */
int zipin_open(struct zip_in *z, int fd, const struct limits *limits,
               struct arena *a);
/*
 * Opens the next member that fits: 1, or 0 after the last one. The pattern is
 * held against the whole name, or, when it has no '/', the name's last part;
 * an empty one fits all. None at all is ZIP_NO_MEMBER. Only members that fit
 * must be plain files that we can unpack.
 */
int zipin_next(struct zip_in *z, struct str pattern);
/*
 * The same over all members that `pattern` leaves out and `wants` takes, of
 * which there may be none. Begins anew behind zipin_rewind().
 */
int zipin_next_other(struct zip_in *z, struct str pattern,
                     bool (*wants)(void *ctx, struct str name), void *ctx);
void zipin_rewind(struct zip_in *z);
/* Back to the start of the member at hand: 1. */
int zipin_again(struct zip_in *z);
/* For input_init(). The end is reported only when size and CRC are right. */
ptrdiff_t zipin_pull(void *ctx, char *buf, size_t n);
void zipin_close(struct zip_in *z);

/* zipdir.c: fills z->entries; file_size is fd's. */
int zipdir_read(struct zip_in *z, int fd, uint64_t file_size);
/* Notes the fault and returns -1. */
int zipin_fail(struct zip_in *z, enum diag_id id, struct str a, struct str b,
               struct str c);
int zipin_limit(struct zip_in *z, enum limit_id id, struct str what);

/* A finished file to pack. */
struct zip_part {
    const char *name; /* in the archive, UTF-8 */
    const char *path; /* NULL: fd */
    int fd;           /* read from its start; left open */
};

/* Packs n files, n > 0, into a new archive that replaces `path` when it is
 * complete. The same files give the same bytes, whatever the clock says. */
int zipout_write(const char *path, const struct zip_part *parts, size_t n,
                 struct err *e);

#endif
