/*
 * plan.h - all points: what happens to which call of which flow.
 *
 * A point is written as it is printed when it fails:
 *
 *   kill:FLOW:RECEIVER:WHOM:MOMENT:CALL     killed, then recovery
 *   error:FLOW:RECEIVER:ERROR:HOW:CALL      a call fails, then recovery
 *   power:FLOW:RECEIVER:CALL:CHOICE         power lost, then recovery
 *   pair:FLOW:RECEIVER:CALL:CALL            killed, and again in the recovery
 *   twice:FLOW:RECEIVER:CALL:CHOICE:CALL    power lost, and again; with the
 *                                           choice -1, killed, then power lost
 *
 * WHOM is all, the keeper, or the keeper is asked to end (SIGTERM).
 */
#ifndef TESTS_CRASH_PLAN_H
#define TESTS_CRASH_PLAN_H

#include "tests/crash/flow.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum kind { KILL, ERROR, POWER, PAIR, TWICE, N_KINDS };

struct task {
    uint8_t kind, flow, receiver, a, b;
    uint32_t call, second;
    int64_t choice;
};

struct plan {
    enum kind only;     /* N_KINDS: all of them */
    int64_t n_choices;  /* random states of the disk at every call */
    unsigned per_mille; /* so many of 1,000 points, always the same ones */
    const struct flow *flows;
    uint32_t n_flows;
    struct task *tasks;
    uint32_t n_tasks, cap_tasks;
};

/* What fails in a task of the kind ERROR; 0: only a half is written. */
extern const struct error {
    const char *name;
    int number;
} errors[4];

/* The flows were recorded. */
void plan_make(struct plan *p);
enum kind kind_read(const char *word);
void point_text(const struct plan *p, const struct task *t, char *out,
                size_t size);
struct task point_read(const struct plan *p, const char *text);

#endif
