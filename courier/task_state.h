/* task_state.h - what the states of tasks are made of; see task.h. */
#ifndef COURIER_TASK_STATE_H
#define COURIER_TASK_STATE_H

#include "courier/task.h"

struct task_state {
    /* Asks what there is to ask and room for; true: that was all of it. Only
     * called with room for ROOM_OF_TURN questions without data. */
    bool (*send)(struct task *t);
    /* An answer. When it is the last one, goes to another state or ends the
     * task: task_is_over() tells. */
    void (*reply)(struct task *t, const struct asked *a, struct reply *r);
};

/* Questions that a state may send in a turn without asking for room; pieces of
 * data that one task may send before the next one's turn. */
enum { ROOM_OF_TURN = 3, DATA_OF_TURN = 8 };

extern const struct task_state task_write_first, task_fetch_first,
    task_look_first, task_list_first, task_rename_first, task_remove_first,
    task_make_folder_first;

void task_go(struct task *t, const struct task_state *to);
/* Has something to send again. */
void task_wake(struct task *t);
/* All questions of the state are sent and answered. */
bool task_is_over(const struct task *t);
/* The end of it: the keeper gets t->failure and t->number. */
void task_end(struct task *t);

/* Who asks; counts the question. */
struct asker task_asks(struct task *t, unsigned what);
void task_ask_path(struct task *t, unsigned what, enum fxp type,
                   struct str path);
void task_ask_handle(struct task *t, unsigned what, enum fxp type);

/* The first thing that goes wrong is what the keeper is told. */
bool task_failed(const struct task *t);
void task_fail(struct task *t, enum outcome how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* It went well after all, or another reason says more. */
void task_forgive(struct task *t);
/* errno's */
void task_fail_local(struct task *t, const char *what);
/* A STATUS that is not OK, to `verb` of `path`. */
void task_fail_status(struct task *t, const char *verb, struct str path,
                      const struct reply *r);
/* Keeps the handle of an answer. */
void task_take_handle(struct task *t, const struct reply *r);
bool task_is_absent(const struct reply *r);

#endif
