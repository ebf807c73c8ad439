/*
 * view.h - what once, status, log and show have in common: the configuration,
 * the ledger read-only, and output as columns or JSON.
 */
#ifndef CMD_VIEW_H
#define CMD_VIEW_H

#include "spool/conf.h"
#include "spool/ledger.h"

struct view {
    struct arena arena;
    struct conf conf;
    struct diags diags;
    struct ledger *ledger; /* NULL: nothing was ever taken */
};

/* Which configuration to read; NULL: there is none, and that was said. */
const char *view_conf_path(void);
/* Reads the configuration, and the maps of its routes if asked; prints what
 * is wrong. Returns an exit status; not EXIT_DONE: leave. */
int view_conf(struct view *v, bool with_maps);
/* The same for a configuration of its own. */
int conf_print(struct conf *c, bool with_maps);
/* Opens the ledger for reading. Returns an exit status. */
int view_ledger(struct view *v);
/* The same, also of one that is not the spool's. */
int view_any_ledger(struct view *v);
/* -1: it is not the spool's, or gone; e says so. */
int view_check_ledger(struct view *v, struct err *e);
/*
 * For commands that look at the spool itself: configuration, the spool's lock
 * (or k->is_busy: another process is the keeper) and the ledger for reading.
 * Without a spool or a ledger v->ledger stays NULL, and that is said.
 */
struct keeper;
int view_keeper(struct view *v, struct keeper *k);
void view_keeper_close(struct view *v, struct keeper *k);
void view_close(struct view *v);
/* "kervan: TEXT" on stderr, and EXIT_MACHINE. */
int view_failed(const struct err *e);

/* ---- columns ------------------------------------------------------------ */

enum { TABLE_COLUMNS = 12 };

struct text_table {
    struct arena *arena;
    struct str (*rows)[TABLE_COLUMNS];
    size_t n, cap;
    int n_columns;
    bool right[TABLE_COLUMNS]; /* numbers stand at the right */
};

/* A row of texts; control characters of foreign names become visible. */
void table_row(struct text_table *t, const struct str *cells);
#define TABLE_ROW(t, ...) table_row(t, (const struct str[]){ __VA_ARGS__ })
void table_print(const struct text_table *t);

struct str number_text(struct arena *a, uint64_t n);
struct str time_text(struct arena *a, int64_t t); /* "-" for never */

/* "pohoda xml/in/x.xml" */
struct str place_text(struct arena *a, const struct delivery *d);
/* Where the outputs of a job are: "pohoda xml/in/x.xml", "1 of 2 delivered",
 * or why they are not. */
struct str arrival_text(struct view *v, const struct receipt *r, struct err *e);

/* ---- JSON --------------------------------------------------------------- */

struct json {
    struct buf out;
    bool comma; /* something stands before in this object or list */
};

void json_init(struct json *j);
/* name NULL: in a list, or outermost. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
void json_str(struct json *j, const char *name, struct str s);
void json_num(struct json *j, const char *name, uint64_t value);
void json_bool(struct json *j, const char *name, bool yes);
void json_time(struct json *j, const char *name, int64_t t); /* 0: null */
void json_end(struct json *j); /* prints, with a line end, and releases */

/* The members of a receipt, into an open object. */
void json_receipt(struct json *j, const struct receipt *r);
void json_delivery(struct json *j, const struct delivery *d);

/* "File       orders.csv", unless there is no value. */
void title_line(const char *title, struct str value);
/* A sentence in which foreign text stands, as a terminal may show it. */
struct str shown_text(struct arena *a, struct str s);

#endif
