/*
 * jail.h - the walls around the reader, the one process that parses what a
 * partner wrote.
 *
 * Whoever takes the reader over with a prepared file finds: the inputs to read
 * (of one file, or of small ones of the same partner that come in one job), a
 * pipe into the job, which believes nothing of it, and a temporary file. No
 * other descriptor, no environment, no path, socket, program or process. The
 * walls, each of which stands alone if another one has a hole:
 *
 *   descriptors      all but those of struct jail are closed
 *   inheritance      no environment, no signal handler
 *   no_new_privs     nothing that could be started would gain rights
 *   not dumpable     no core dump, and no process of ours looks into it
 *   RLIMIT_NOFILE 0, RLIMIT_NPROC 0    no descriptors, no processes
 *   landlock         nothing of the file system, no TCP, no signals outside;
 *                    as much of it as the kernel has, which may be nothing
 *   seccomp          the system calls listed in jail.c, and no other one
 *
 * They stand in this order: a wall would forbid to put up those before it, and
 * landlock and seccomp want no_new_privs (landlock(7), seccomp(2)). Limits of
 * memory and processor time are the reader's own business (reader.c), wall
 * time is the job's.
 *
 * A call that is not listed is not carried out and ends the process: `broken`
 * is told its number (from a signal handler: one write() is all that it may
 * do), then the exit status is JAIL_BROKEN. A process in which even that goes
 * wrong, and one that calls the kernel through another architecture's door, is
 * killed by SIGSYS.
 *
 * The courier, which speaks to a partner's server, lives behind the same walls
 * with a longer list of calls: struct jail_more.
 *
 * Under the address sanitizer, which opens files and maps memory as it likes,
 * jail_enter() does nothing (JAIL_IS_OPEN).
 */
#ifndef SPOOL_JAIL_H
#define SPOOL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define JAIL_IS_OPEN 1
#elif defined(__has_feature)
#define JAIL_IS_OPEN __has_feature(address_sanitizer)
#else
#define JAIL_IS_OPEN 0
#endif

enum { JAIL_BROKEN = 87 }; /* exit status */

/* Allowed when (argument & mask) == value; its upper half does not matter. */
struct jail_narrow {
    unsigned call, arg;
    uint32_t mask, value;
};

/* What another process than a reader has to do in there (courier/walls.c). */
struct jail_more {
    const unsigned *allowed; /* calls */
    size_t n_allowed;
    const struct jail_narrow *narrow; /* calls, with one argument each */
    size_t n_narrow;
    const unsigned *refused; /* fail with EPERM, and nobody is told */
    size_t n_refused;
    unsigned n_files; /* RLIMIT_NOFILE: descriptors that others may send */
    bool keeps_alarm; /* the handler of SIGALRM stays */
};

struct jail {
    const int *inputs; /* read */
    size_t n_inputs;
    int spill_fd; /* read, written, emptied; -1: none */
    int pipe_fd;  /* written */
    void (*broken)(int pipe_fd, uint32_t call);
    const struct jail_more *more; /* NULL: a reader */
};

/*
 * Locks this process in, for good; to be called when all is open and loaded
 * and nothing is parsed yet. -1: the process must not go on. errno is ENOMEM,
 * or tells why the kernel has no seccomp for us. Where it has no landlock, the
 * rest has to do; `kervan check` says so.
 */
int jail_enter(const struct jail *j);

/* The version of landlock that this kernel has; 0: none. (landlock(7)) */
int jail_landlock(void);
/* "openat", or "4711" of an unknown one; `to` holds it. */
enum { JAIL_CALL_NAME = 32 };
const char *jail_call_name(uint32_t call, char to[JAIL_CALL_NAME]);

#endif
