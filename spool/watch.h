/*
 * watch.h - the doorbell: something happened in a folder.
 *
 * inotify says when to look, never what to take: names and counts of events
 * are thrown away, for events get lost (an overflow, a network folder, a
 * folder that was replaced). A full look is the truth, and comes every half
 * minute anyway.
 */
#ifndef SPOOL_WATCH_H
#define SPOOL_WATCH_H

#include "spool/conf.h"

struct keeper;

struct watch {
    int fd;   /* readable: it rang; -1: no doorbell, only the regular looks */
    int wake; /* the watch of the file that commands touch */
};

/* The file in the spool that a command touches to be heard. */
#define WAKE_FILE "wake"

/* Never fails: without a doorbell the program is slower, not wrong. */
void watch_open(struct watch *w, struct keeper *k);
/* Watches all inboxes; those that it knows are no work. */
void watch_inboxes(struct watch *w, const struct conf *c, struct arena *a);
/* Takes what came. *inbox: look into the inboxes; *wake: a command is there. */
void watch_drain(struct watch *w, bool *inbox, bool *wake);
void watch_close(struct watch *w);

#endif
