/*
 * jobs.h - the children that convert: how they start, run and end.
 *
 *   jobs_start() --> running --> jobs_ended() --> the keeper settles it
 *
 * A job has one file, or several small ones of one partner, which its child
 * converts one after the other, each into a staging folder of its own. A route
 * has one job at a time, in the order in which its files were taken; different
 * routes run beside each other, up to the limit `jobs`: a large file holds up
 * its own route and no other. Only lists to learn from are waited for by routes
 * that ask what is in them. A job that takes too long is killed. Children die
 * with the keeper, and leave nothing but files below tmp/, which every start
 * sweeps.
 */
#ifndef SPOOL_JOBS_H
#define SPOOL_JOBS_H

#include <poll.h>
#include <sys/types.h>

#include "spool/ledger.h"

struct conf;
struct keeper;
struct route;

enum { MAX_JOBS = 64 };

/* What may share a job: so many files, none above, all together. */
enum { JOB_FILES = 64, JOB_FILE_SIZE = 256 << 10, JOB_SIZE = 4 << 20 };

struct job_file {
    struct receipt receipt;
    char staging[64]; /* below tmp/ */
    bool moved;       /* to out/ */
};

struct running {
    pid_t pid;
    int pidfd; /* readable when it has ended */
    struct conf *conf;
    struct route *route;
    struct job_file *files; /* in the order in which they were taken */
    size_t n;
    uint64_t seconds;   /* that it may take */
    int64_t end_ms;     /* when they are over; of the monotonic clock */
    bool late;          /* it was killed for that */
    struct arena arena; /* its files, and what their results are read into */
};

struct jobs {
    struct running *v[MAX_JOBS];
    size_t n;
};

/* May a job of this route start now? */
bool jobs_room(const struct keeper *k, const struct route *route);
/* Starts one for r[n], whose texts are copied. -1: e says what to do. */
int jobs_start(struct keeper *k, struct route *route, const struct receipt *r,
               size_t n, struct err *e);
/* The i-th file that is being converted, of all jobs; NULL: there are less. */
const struct job_file *jobs_file(const struct jobs *jobs, size_t i);
/*
 * One that has ended, taken off the list; NULL: none has. *rc 0: it left a
 * result of every file; -1: e says how it died. The caller ends with
 * jobs_forget(), which removes what was not moved.
 */
struct running *jobs_ended(struct keeper *k, int *rc, struct err *e);
void jobs_forget(struct keeper *k, struct running *x);
/* Their pidfds, for poll(); fds has room for MAX_JOBS. Returns how many. */
size_t jobs_watch(const struct keeper *k, struct pollfd *fds);
/* Milliseconds until the first is late; -1: none is running. */
int jobs_timeout(const struct keeper *k);
/* Until one ends or is late. */
void jobs_wait(const struct keeper *k);
/* Kills all; their files are taken up again at the next start. */
void jobs_kill(struct keeper *k);

#endif
