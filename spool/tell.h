/*
 * tell.h - what happened, to the log and to a person.
 *
 * The ledger's history is the only source: every event that a pass of the
 * daemon added becomes a line of its log, and those that somebody has to know
 * of run the program of `on trouble run`, one after the other:
 *
 *   PROGRAM WHAT JOB ROUTE TEXT      e.g.  held 17 orders "no such folder"
 *
 * The ledger keeps the last event that was told, so none is lost over a
 * restart; if we die while the program runs, it runs again.
 */
#ifndef SPOOL_TELL_H
#define SPOOL_TELL_H

#include "spool/keeper.h"

enum { TELL_REMEMBERED = 64 };

struct tell {
    uint64_t logged;  /* the last event that is in the log */
    uint64_t done;    /* the last that needs no telling any more */
    uint64_t telling; /* the one whose program runs */
    pid_t pid;        /* of it; 0: none runs */
    int pidfd;
    int64_t end; /* by clock_up(): then it is killed */
    /* Troubles that were logged lately: the same one is not repeated. */
    struct {
        uint64_t hash;
        int64_t at;
    } troubles[TELL_REMEMBERED];
    size_t next_trouble;
};

/* From here on; earlier events are not logged again. */
int tell_begin(struct tell *t, struct keeper *k, struct err *e);
/* Logs what is new, ends and starts programs. */
int tell_pass(struct tell *t, struct keeper *k, struct err *e);
/* Kills a program that still runs. */
void tell_end(struct tell *t);
/* A line of the log: "kervan: TEXT". */
void tell_line(struct str text);

#endif
