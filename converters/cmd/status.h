/* status.h - what `kervan status` collects, for the list and for --check. */
#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include "converters/cmd/view.h"
#include "spool/docs.h"

/* A file in an inbox, with what stands in its way. */
struct lying {
    struct str place; /* "eshop inbox/x.csv" */
    int64_t since;    /* 0: it is a folder, and cannot be read */
    struct str why;
    bool no_route;
    bool has_time; /* all of its routes run at their own times, or by hand */
    struct lying *next;
};

struct route_line {
    const struct route *route;
    struct route_counts counts;
    uint64_t n_files; /* in inboxes */
    int64_t next_at;  /* of a route with times of its own; 0: none is known */
    bool is_late;
};

struct status {
    struct view v;
    struct route_line *routes;
    size_t n_routes;
    struct lying *files, **last_file;
    struct receipt *open;
    size_t n_open;
    int spool_fd;             /* -1: there is no spool yet */
    struct delivery *reports; /* to senders, of jobs that have ended */
    size_t n_reports;
    struct line_state *lines; /* of partners by SFTP that are not reached */
    size_t n_lines;
    struct found_doc *docs; /* that wait for a person: the newest */
    size_t n_docs;
    uint64_t n_all_docs;
};

/* Documents that wait for a person (status_docs.c). */
int status_collect_docs(struct status *s, struct err *e);
void status_print_docs(struct status *s);
void status_json_docs(struct json *j, const struct status *s);
/* "order 2026041001 was refused by pohoda: ..." */
struct str status_doc_text(struct arena *a, const struct found_doc *d);

/* One line that says what is wrong first, and exit status 1; or nothing. */
int status_check(struct status *s);

#endif
