/*
 * shim.h - the parts of shim.so: shim.c and shim_data.c stand between the
 * program and the disk, server.c runs the program again and again.
 */
#ifndef TESTS_CRASH_SHIM_H
#define TESTS_CRASH_SHIM_H

#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "tests/crash/page.h"

struct stat;

/* Nothing but the calls themselves is seen from outside. */
#pragma GCC visibility push(hidden)

/* NULL: nothing is counted. */
extern struct page *page;

/* Descriptors that we saw opened for writing: only those can be files. */
enum { MAX_FDS = 4096 };
enum { FD_NO, FD_YES, FD_SYNCED };
extern unsigned char writable[MAX_FDS];

/* Counts a call. false: it must not be made, errno is set. Else end(). */
bool begin(bool needs_room);
void end(void);
/* Is this the call that it is to happen to? */
bool is_now(enum act act);
/* Kills whom the page says. It returns when that is not us. */
void strike(void);

int raw_stat(int dir, const char *path, struct stat *st, int flags);
/* The number that the program sees. */
uint64_t shown(uint64_t real);
uint64_t ino_of_fd(int fd);

/* What is recorded, if the page says so. */
void note(const struct record *r, const void *data);
void note_fd(enum op op, int fd, uint64_t len, uint32_t mode);
void note_other(const char *what);

#pragma GCC visibility pop

#endif
