/*
 * task.h - what the keeper asked for (courier/wire.h), many at once.
 *
 *   tasks_take() --> waits --> under way: state by state --> DONE
 *
 * A state sends its questions and gets their answers; it is a row of two
 * functions (task_state.h). When the session has no room, a state is asked
 * again later for what it has not sent yet. All that one of these does to the
 * server stands together:
 *
 *   WRITE        task_write.c    FETCH, LOOK   task_read.c
 *   LIST         task_list.c     RENAME, REMOVE, MAKE_FOLDER   task_name.c
 *
 * Limits: TASKS_WAITING messages wait, TASKS_AT_WORK are under way, or as many
 * as the server opens handles; then no more is taken from the wire. Answers
 * wait in memory for a keeper who is slow; from ANSWERS_FULL bytes on nothing
 * is begun or listed any more. A task has no memory of its own but its slot.
 *
 * A lost session ends them all. They get no answer: the end of the socket is
 * theirs (wire.h).
 */
#ifndef COURIER_TASK_H
#define COURIER_TASK_H

#include "courier/sftp.h"
#include "courier/wire.h"

enum {
    TASKS_WAITING = 128, /* each may hold a descriptor: MAX_FILES of walls.c */
    TASKS_AT_WORK = 64,
    TASKS_ALL = TASKS_WAITING + TASKS_AT_WORK,
    ANSWERS_FULL = 1024 * 1024,
    ANSWERS_MAX = 32 * 1024 * 1024
};

enum {
    LIST_ENTRIES = 100000, /* a folder has no more, or LIST fails: LIMIT */
    LIST_BYTES = 64 * 1024 * 1024,
    LIST_NAME = 255, /* bytes; a longer name is cut, and no plain file */
    LIST_ASKED = 8   /* READDIRs under way */
};

/* Messages for the keeper, in their order. */
struct answers {
    int sock;
    bool is_gone;   /* the keeper is */
    struct buf buf; /* length, bytes, length, bytes ... that the socket has
                       not taken, from `at` on */
    size_t at;
};

void answers_init(struct answers *a, int sock);
void answers_put(struct answers *a, const struct wire *w);
void answers_send(struct answers *a); /* what the socket takes */
bool answers_wait(const struct answers *a);
bool answers_are_full(const struct answers *a);
void answers_release(struct answers *a);

struct task_state;

struct task {
    struct tasks *all;
    struct task *next; /* in the queue that it is in */
    bool is_queued;    /* in the one that has something to send */
    enum wire_kind kind;
    uint64_t tag;
    struct str path, to;
    uint64_t size, mtime; /* as asked */
    unsigned flags;
    int fd;

    const struct task_state *state;
    bool all_sent;   /* of this state's questions */
    unsigned n_open; /* questions without an answer */
    struct failure failure;
    uint64_t number; /* of DONE */
    struct str handle;

    uint64_t offset;   /* data: asked for or sent up to here */
    struct attrs seen; /* file, before */
    uint64_t step;     /* within a state */
    bool is_repeated;
    bool is_plain;               /* RENAME: not posix-rename */
    bool has_from, has_to;       /* RENAME: what is there, */
    struct attrs from_is, to_is; /* and what it is */
    uint64_t n_entries, bytes;   /* LIST */
    uint64_t end_at;             /* LIST: the READDIR that came to the end */

    char handle_bytes[PACKET_HANDLE];
    char path_bytes[SFTP_PATH], to_bytes[SFTP_PATH];
};

struct task_queue {
    struct task *first, **last;
};

struct tasks {
    struct sftp *sftp;
    struct answers *answers;
    struct wire wire; /* the answer at hand */
    size_t n_waiting, n_at_work;
    struct task_queue waiting, sending;
    struct task *free;
    struct task slots[TASKS_ALL];
};

/* tasks_on_reply() is for sftp_begin(). */
void tasks_init(struct tasks *ts, struct sftp *s, struct answers *a);
void tasks_on_reply(const struct asked *a, struct reply *r);
/* May another message be taken from the wire? */
bool tasks_have_room(const struct tasks *ts);
/* Takes a message and its descriptor. -1: it cannot be read. */
int tasks_take(struct tasks *ts, struct wire *w);
/* Sends as many questions as the session has room for. true: some. */
bool tasks_ask(struct tasks *ts);
/* Closes the descriptors of all. */
void tasks_close(struct tasks *ts);

#endif
