/*
 * schedule.h - when does a route run?
 *
 * A slot is an instant at which it has to. Slots that were missed, because the
 * program or the machine did not run, are made up for by one run.
 *
 * `at 02:30` is meant as the clock on the wall shows it, with the rules of
 * cron (cron(8) of Debian, "Daylight Saving Time and other time changes"): a
 * time that the summer's beginning skips runs right behind the gap, one that
 * the summer's end repeats runs the first time only. A clock that is set back
 * by up to three hours repeats nothing; by more, it was wrong before, and the
 * new time counts.
 *
 * `every 15 minutes` is counted by a clock that nobody sets.
 */
#ifndef SPOOL_SCHEDULE_H
#define SPOOL_SCHEDULE_H

#include "converters/base/date.h"

enum schedule_kind {
    SCHEDULE_FILE, /* as soon as a file is complete */
    SCHEDULE_EVERY,
    SCHEDULE_AT,
    SCHEDULE_AFTER, /* another route; its end is the keeper's to see */
    SCHEDULE_HAND,
};

enum { MAX_TIMES = 48 };

struct schedule {
    enum schedule_kind kind;
    uint32_t minutes;       /* EVERY */
    uint16_t at[MAX_TIMES]; /* AT: minutes after midnight */
    int n_at;
    const struct zone *zone; /* AT; NULL: UTC */
    struct str after;        /* AFTER */
};

/* Where a schedule stands. last is kept over restarts, last_up is not. */
struct schedule_state {
    int64_t last;    /* the slot that ran last, Unix seconds; 0: none did */
    int64_t last_up; /* the same by the clock that nobody sets, in seconds */
};

/* now: Unix seconds; up: CLOCK_BOOTTIME in seconds. A schedule that never ran
 * begins now: AT waits for its next time, EVERY is due at once. */
void schedule_begin(const struct schedule *s, struct schedule_state *st,
                    int64_t now, int64_t up);
/* EVERY, AT: is there a slot that has not run? Others: false. */
bool schedule_due(const struct schedule *s, struct schedule_state *st,
                  int64_t now, int64_t up);
/* It runs now. */
void schedule_ran(struct schedule_state *st, int64_t now, int64_t up);
/* Seconds until the next slot, 0 if it is due; -1: none can be told. */
int64_t schedule_wait(const struct schedule *s, const struct schedule_state *st,
                      int64_t now, int64_t up);
/* "90 minutes", "1 hour", "7 days": as a person would write it. */
struct str interval_text(struct arena *a, uint32_t minutes);

#endif
