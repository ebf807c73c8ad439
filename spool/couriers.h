/*
 * couriers.h - the processes that speak to partners' servers.
 *
 *   DOWN --courier_up()--> STARTING --READY--> UP --idle, end--> DOWN
 *
 * A courier is one program (kervan-courier) with one connection. The keeper
 * asks it for things (courier/wire.h), goes on with its work, and finds the
 * answers when it looks again: nothing that happens on a network can hold the
 * keeper up. A courier that ends, however it ends, answers all that is open
 * with OUTCOME_LOST, and its partner rests for a while: 5 seconds, doubled up
 * to 15 minutes; after a refused login at least a minute, and 15 from the
 * third on, for accounts are locked by those who try too often; the same from
 * the second time on that a server hangs up at the login. A host key that
 * nobody has accepted is looked at again each minute: nothing is told to such a
 * server.
 *
 * Couriers die with the keeper. They get no environment but SSH_AUTH_SOCK and
 * CREDENTIALS_DIRECTORY, and no descriptor but their socket.
 */
#ifndef SPOOL_COURIERS_H
#define SPOOL_COURIERS_H

#include <poll.h>

#include "courier/wire.h"
#include "spool/conf.h"

enum { MAX_COURIERS = 64 };

struct courier;
struct keeper;

struct couriers {
    struct courier *v[MAX_COURIERS];
    size_t n;
};

/* A thing that was asked. It stays where it is until is_done. */
struct errand {
    /* Of a LIST; called while the answer comes in. */
    void (*named)(void *ctx, struct str name, uint64_t size, uint64_t mtime,
                  unsigned kind);
    void *ctx;
    size_t *n_open; /* counted down when it is done; NULL: nobody counts */
    /* The answer. */
    bool is_done;
    struct failure f; /* f.how OUTCOME_OK: it was done */
    uint64_t number;
    /* couriers.c's own. */
    uint64_t tag;
    int64_t end_ms;
    struct errand *next;
};

/* ---- for the keeper ------------------------------------------------------ */

/* The partner's courier, if it is UP, and reaches him as the configuration
 * says; of several the one that has the least to do. Else it is started, unless
 * the partner rests: NULL, and *why says what there is to wait for, or NULL. */
struct courier *courier_up(struct keeper *k, const struct partner *p,
                           const char **why);
/*
 * Sends w, with its descriptor, which stays the caller's. `bytes` that the
 * errand moves: it may take the longer. Whatever happens, x is done one day.
 */
void courier_send(struct courier *c, struct wire *w, struct errand *x,
                  uint64_t bytes);
/*
 * Errands of a step, all over one connection. When that is another one by now,
 * or none, they are LOST at once: what was done before was done at the end of
 * the old one, which may be another server's.
 */
struct talk {
    struct courier *courier;
    uint64_t line;
    size_t n_open; /* errands that are not done */
};

/* With a courier that is UP; he is not sent away before its end, also when the
 * configuration says otherwise meanwhile. */
struct talk talk_with(struct courier *c);
void talk_end(struct talk *t);
/* The next message; it is sent before another begins. */
struct wire *talk_begin(struct talk *t, enum wire_kind kind);
/* As courier_send(); whatever x was before, it is a new one. */
void talk_send(struct talk *t, struct wire *w, struct errand *x,
               uint64_t bytes);
/* A tag for the next message; begins w with it. */
void courier_begin(struct courier *c, struct wire *w, enum wire_kind kind);
/* A person says that this server can be reached, or that all can. */
void courier_wake(struct keeper *k, struct str partner);
void couriers_wake(struct keeper *k);

/* Their sockets and how long poll() may wait; MAX_COURIERS of them. */
size_t couriers_watch(const struct keeper *k, struct pollfd *fds);
/* Milliseconds until a courier has something to do: an errand that is late, a
 * partner who has rested enough. -1: nothing. */
int64_t couriers_timeout(const struct keeper *k);
/* Reads what they say; ends those that are late, idle, or of a partner who is
 * another one by now. True: an errand was done, the last of those that are
 * counted together, or a line is up or down. */
bool couriers_read(struct keeper *k);
/* Tells the ledger which lines are up or down since the last time. */
int couriers_note(struct keeper *k, struct err *e);
/* Anything asked and not answered, or a line that is being opened. */
bool couriers_busy(const struct keeper *k);
/* Whatever is asked is LOST; then, when nobody talks any more, they go. */
void couriers_end(struct keeper *k);
void couriers_free(struct keeper *k);

/* ---- for commands: one thing at a time, waiting for it ------------------- */

/*
 * Starts the courier of a partner and waits for its first answer; the other
 * transport is tried when the first cannot speak to the server. -1: f says why.
 */
int courier_open(struct courier **out, const struct partner *p,
                 struct line *line, struct failure *f);
/* 0: OUTCOME_OK; else -1, f says. w was begun with courier_begin(); named as
 * in struct errand. */
int courier_ask(struct courier *c, struct wire *w,
                void (*named)(void *ctx, struct str name, uint64_t size,
                              uint64_t mtime, unsigned kind),
                void *ctx, struct failure *f);
/* Waits for something that it says, and hears it. -1: the line is gone. */
int courier_turn(struct courier *c);
void courier_close(struct courier *c);

#endif
