/*
 * daemon.h - `kervan run`: the keeper that stays.
 *
 *   wait ----> pass ----> wait ...
 *     |          requests of commands, slots of schedules, a look into the
 *     |          inboxes, a batch of claims; jobs started and settled,
 *     |          deliveries, archive; what happened is told
 *     '- until: the doorbell (inotify), a job ends, a signal, a slot, a failed
 *        try is due, the regular look (every 30 s)
 *
 * A pass does with every row what its state asks for, with the steps of
 * `kervan once`: a daemon that was killed leaves nothing that those do not
 * take up. Nothing is remembered from pass to pass that has to survive.
 *
 * SIGTERM, SIGINT: no new jobs; those that run get a few seconds, then they
 * are killed and taken up at the next start. SIGHUP: the configuration and
 * its maps are read anew; with a mistake in them, the old ones stay.
 */
#ifndef SPOOL_DAEMON_H
#define SPOOL_DAEMON_H

#include "spool/keeper.h"
#include "spool/tell.h"
#include "spool/watch.h"

struct daemon {
    /* Given by the caller. */
    struct keeper k; /* conf, run */
    /* A configuration without mistakes, maps loaded; NULL: it has some, and
     * they were printed. It is to be freed by release(). */
    struct conf *(*load)(void *ctx);
    void (*release)(struct conf *c);
    void *ctx;

    struct watch bell;
    struct tell tell;
    int signal_fd;
    struct conf *old[8]; /* replaced, while jobs still use them */
    size_t n_old;
    bool stopping, reload; /* signals came */
    bool rung;             /* look as soon as it may be */
    bool more;             /* this pass left work for the next one */
    int64_t looked_ms;     /* of the monotonic clock: when we looked */
    int64_t look_took_ms;  /* and how long that took */
    int64_t marked_ms;     /* when the spool was told how far its ledger is */
    int64_t watchdog_ms;   /* between two signs of life; 0: none are wanted */
    int64_t checked_ms;    /* when silence was looked for */
    int64_t retire_ms;     /* the next step of what was kept long enough */
};

/* Until a signal ends it: 0, also when another keeper is at work (is_busy).
 * -1: it had to stop, e says why. */
int daemon_run(struct daemon *d, struct err *e);

#endif
