/* conf_inside.h - what the parsers of the configuration share. */
#ifndef SPOOL_CONF_INSIDE_H
#define SPOOL_CONF_INSIDE_H

#include "converters/lang/outline.h"
#include "spool/conf.h"

enum { MAX_FILES = 256 };

/*
 * Routes may stand before the partners that they name, and in other files: so
 * the first pass reads everything else, the second one the routes of all
 * files.
 */
struct conf_parser {
    const struct oline *files[MAX_FILES]; /* their outermost lines */
    size_t n_files;
    struct conf *conf;
    struct diags *diags;
    struct route *route;      /* the block that is being read */
    struct partner *partner;  /* likewise */
    bool address_wrong;       /* his `sftp` line was complained of */
    struct conf_write *group; /* route: the first write of the open group */
    struct conf_to *last_to;  /* its newest `to` */
    bool group_closed;        /* a `to` stood: the next write opens another */
    bool spool_given;
    int depth; /* of includes */
};

/* A word of a block: "folder", "on error". */
struct conf_word {
    const char *name;
    /* rest: what stands behind the word. */
    void (*parse)(struct conf_parser *p, const struct oline *l,
                  struct str rest);
    bool not_built; /* a word of the design that does nothing yet */
    bool has_block; /* lines may stand below it */
    /* Of partners: */
    unsigned ways; /* to reach him, that it goes with; conf_partner.c */
    bool may_repeat;
};

/* Does the line begin with the word (which may be two: "on error")? */
bool conf_begins(struct str text, const char *name, struct str *rest);
/* Finds the line's word in the table (ends with name == NULL) and parses. */
void conf_line(struct conf_parser *p, const struct oline *l,
               const struct conf_word *words);
void conf_block(struct conf_parser *p, const struct oline *first,
                const struct conf_word *words);

/* The next word, which must be there: else CONF_VALUE "WHAT: NEEDED". */
bool conf_need(struct conf_parser *p, const struct oline *l, struct str *rest,
               const char *what, const char *needed, struct str *word);
/* Nothing may follow. */
void conf_end(struct conf_parser *p, const struct oline *l, struct str rest);
/* CONF_VALUE at a part of the line. */
void conf_value(struct conf_parser *p, const struct oline *l, struct str at,
                const char *what, const char *wrong);
/* An absolute path, without slashes at its end. */
const char *conf_path(struct conf_parser *p, struct str s);
/* The ending behind "trigger", or false: reported. */
bool conf_ending(struct conf_parser *p, const struct oline *l, struct str rest,
                 struct str *ending);
/* The partner of that name; reports an unknown one and returns NULL. */
const struct partner *conf_need_partner(struct conf_parser *p,
                                        const struct oline *l, struct str name);
/* "every 15 minutes", "every 2 hours"; rest begins behind "every". */
bool conf_interval(struct conf_parser *p, const struct oline *l,
                   const char *what, struct str *rest, uint32_t *minutes);

/* "keep 7 days and 10 files"; rest begins behind "keep". */
void conf_keep(struct conf_parser *p, const struct oline *l, struct str rest,
               struct keep *keep);

/* A time zone by name, or NULL: reported. */
const struct zone *conf_zone(struct conf_parser *p, const struct oline *l,
                             struct str name);
/* The path behind "on trouble", or NULL: reported. */
const char *conf_program(struct conf_parser *p, const struct oline *l,
                         struct str rest);

void conf_parse_partner(struct conf_parser *p, const struct oline *l,
                        struct str rest);
/* Hands the limits to those partners who need them. */
void conf_set_limits(struct conf *c);

void conf_parse_route(struct conf_parser *p, const struct oline *l,
                      struct str rest);
/* After the whole file: what only then can be known. */
void conf_check_route(struct conf_parser *p, struct route *r);

#endif
