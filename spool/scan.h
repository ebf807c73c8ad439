/*
 * scan.h - what lies in the inboxes, and why a file is not taken yet.
 *
 * Looking changes nothing; `status` and the keeper see the same. A file is
 * complete when nobody has it open for writing (F_SETLEASE says so for the
 * owner of the file or with CAP_LEASE), else when it has not changed for ten
 * seconds; a route may want a trigger file beside it in any case. Senders that
 * rename into place are exact; that is why names that look temporary are left
 * alone.
 */
#ifndef SPOOL_SCAN_H
#define SPOOL_SCAN_H

#include "spool/conf.h"

struct inbox {
    const struct partner *partner;
    struct str folder;
    struct inbox *next;
};

/* The folders that any route takes files from, each once. */
struct inbox *scan_inboxes(const struct conf *c, struct arena *a);

struct found {
    struct str name; /* its bytes */
    uint64_t size;
    bool is_plain;    /* no link, no device */
    int64_t mtime;    /* Unix seconds */
    int64_t mtime_ns; /* on a server: its seconds; only compared with itself */
    const char *why;  /* it is not taken; NULL: it is complete */
    bool shared;   /* its folder is: only looks tell whether it is complete */
    bool soon;     /* for a reason that passes by itself: look again */
    bool stays;    /* for a reason that somebody has to do away with */
    bool no_route; /* no route takes such a name */
    bool is_temporary;
    uint64_t seq; /* its place in the order of claims; claim.c gives it */
};

/* The files of an inbox, oldest first. -1: the folder cannot be read. */
int scan_inbox(const struct conf *c, const struct inbox *in, struct arena *a,
               struct found **out, size_t *n, struct err *e);

/* A folder of a partner's server, as it was listed. */
struct listed {
    struct str name; /* never empty */
    uint64_t size, mtime;
    bool is_plain, is_folder;
};

struct listing {
    struct listed *v; /* in the order of their names' bytes: scan_sort() */
    size_t n;
};

void scan_sort(struct listing *l);
/* The same of it, in the order of names; whether a file has rested for long
 * enough is the caller's business. Names are those of the listing. */
void scan_listing(const struct conf *c, const struct inbox *in,
                  const struct listing *l, struct arena *a, struct found **out,
                  size_t *n);

/* For qsort(): an array of struct found *. */
int scan_older(const void *a, const void *b);

bool scan_is_temporary(struct str name);
/* The name of the file that says that `name` is complete: with the ending
 * behind it, or instead of its own. False: there is none. */
enum { SCAN_NAME = 256 };
bool scan_trigger_name(struct str name, struct str ending, bool instead,
                       char out[SCAN_NAME]);
/* May we ask of files of other users whether somebody writes to them? Else
 * they have to rest for ten seconds. */
bool scan_can_lease(void);
/* Somebody has the open file open for writing; false when nobody can say. */
bool scan_is_written(int fd);

#endif
