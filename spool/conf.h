/*
 * conf.h - kervan.conf: partners and routes.
 *
 *   text --outline--> lines --conf_load()--> struct conf
 *                           --conf_load_maps()--> maps of every route
 *
 * All mistakes are reported at once, with their place. A conf with errors is
 * not to be run (diags->n_errors); status and check still read it.
 *
 * A relative path in it is relative to the folder of the configuration.
 */
#ifndef SPOOL_CONF_H
#define SPOOL_CONF_H

#include <sys/types.h>

#include "converters/base/diag.h"
#include "converters/base/err.h"
#include "converters/base/limits.h"
#include "converters/lang/map.h"
#include "converters/trade/trade.h"
#include "courier/stream.h"
#include "spool/job.h"
#include "spool/schedule.h"

struct oline;

/* What becomes of a file on the partner's server when it is ours. */
enum after_fetch { AFTER_DELETE, AFTER_MOVE, AFTER_KEEP };

/* A partner who is reached by SFTP: struct login, and what is done there. */
struct remote {
    struct login login;
    struct place key_at, passphrase_at, password_at;
    struct str base;    /* "/import"; "": where the login begins */
    struct str address; /* "kervan@erp.example:22/import": who he is, in rows */
    struct str temp; /* folder of temporary names; "": beside the final one */
    enum after_fetch after;
    struct str moved_to; /* AFTER_MOVE: below base */
    uint32_t look_s;     /* seconds between two looks into his folders */
    uint32_t rest_s;     /* a file has looked the same for so long: complete */
    uint32_t n_lines;    /* connections at once */
};

/* A name that is delivered is there already. */
enum exists {
    EXISTS_USUAL,     /* snapshots replace, anything else waits */
    EXISTS_REPLACE,   /* the new file takes the place of the old one */
    EXISTS_KEEP_BOTH, /* the new file gets its job's number into its name */
    EXISTS_FAIL       /* HELD, until the receiver has taken the old one */
};

/* What becomes of a file that nobody can know to have arrived. */
enum unconfirmed {
    UNCONFIRMED_HOLD,   /* a person looks, and settles it */
    UNCONFIRMED_RESEND, /* sent again: it may arrive twice */
    UNCONFIRMED_ACCEPT  /* counts as delivered: it may be missing */
};

struct partner {
    struct str name;
    const char *folder;    /* absolute; NULL: reached another way */
    struct remote *remote; /* NULL: he has a folder */
    enum exists exists;
    enum unconfirmed unconfirmed;
    struct str trigger;  /* ".done": an empty file beside what is delivered,
                            when it is complete; "": none */
    struct str country;  /* "cz", or "" */
    const char *mounted; /* where his disk has to be mounted; NULL: anywhere */
    bool shared;         /* other machines write there, too */
    mode_t mode;         /* of delivered files */
    gid_t group;         /* (gid_t)-1: as it comes */
    struct place at;
    card_kinds asked; /* kinds of his cards that a route wants to know */
    /* Of the keeper that works with it. */
    int64_t held_ms; /* names on his server that were taken: looked at then */
    uint64_t held_after; /* up to this place in the order of claims */
    struct partner *next;
};

/* Files that a route takes: a folder of a partner, and a name pattern. */
struct conf_from {
    const struct partner *partner;
    struct str folder; /* "inbox"; "" is the partner's folder itself */
    struct str pattern;
    struct place at;
    struct conf_from *next;
};

/* An expression, still text: it is compiled with the read map. */
struct conf_when {
    const struct oline *line; /* NULL: none */
    struct str text;
};

struct conf_to {
    const struct partner *partner;
    struct str folder; /* below the partner's */
    struct place at;
    struct conf_to *next;
};

struct conf_write {
    struct str name;
    struct place at;
    struct conf_when when;
    const struct conf_to *to; /* where the outputs go; shared by writes */
    bool to_given;            /* such a line, perhaps with mistakes */
    bool is_reply;            /* of an `also reply` line */
    struct conf_write *next;
};

struct conf_read {
    struct str name;
    struct place at;
    struct conf_read *next;
    /* By conf_load_maps(): the read map, and the writes of its document. */
    struct map *map;
    struct str *settings;
    struct expr *when;
    struct job_write *writes;
    const struct conf_write **write_confs; /* [n_writes] */
    size_t n_writes;
    size_t n_cards; /* writes[] has so many more: of the `create` lines */
    struct trade_site site;
};

/* How long what is settled stays: as long as any of both wants it. */
struct keep {
    bool given;
    bool for_ever;
    uint32_t days;  /* since it was taken */
    uint32_t files; /* the last of the route that are DONE */
    struct place at;
};

enum report_mode { REPORT_FAULTS, REPORT_ALWAYS, REPORT_NEVER };

struct route {
    struct str name;
    struct place at;
    struct conf_from *from;
    struct conf_read *reads;
    struct conf_write *writes;
    bool learns; /* its documents are for the rules alone: there is no write */
    struct place learns_at;
    struct setting_pair *set;
    size_t n_set, cap_set;
    struct conf_when when;
    struct trade_conf trade; /* the lines of the trade rules */
    struct schedule schedule;
    struct place after_at;
    struct str trigger; /* ".done": a file that says that NAME is complete */
    const char *on_trouble;  /* a program that is told; NULL: the general one */
    bool test;               /* mode test */
    bool error_given;        /* there is an `on error` line */
    bool from_given;         /* such a line, perhaps with mistakes */
    bool reject_file;        /* on error reject file */
    bool report_given;       /* there is a `report` line */
    enum report_mode report; /* which jobs the sender gets a report of */
    uint32_t expect_minutes; /* expect every ...; 0: nothing is expected */
    struct keep keep;        /* a `keep` line of its own */
    /* Of the keeper that works with it. */
    bool open;        /* its files may be claimed */
    bool unready;     /* the last look found some that will be complete soon */
    uint64_t started; /* only later jobs may start */
    uint64_t backlog; /* jobs that are TAKEN: taken, and not converted yet */
    bool full;        /* its next job sends everything */
    bool held_back;   /* files were left in the inbox because of them */
    struct str maps;  /* "NAME SHA256" of each, when a job has asked */
    uint64_t upto;    /* and none after this one */
    unsigned n_again; /* its job ran so often, and what it had asked changed */
    struct schedule_state times;
    uint64_t seen;   /* AFTER: the last job of the other route by then */
    int64_t slot_at; /* a slot is open since then, by clock_up(); 0: none */
    uint64_t
        n_asked;    /* slots and starts by hand: servers are listed for each */
    bool told_late; /* somebody knows that a file is overdue */
    struct route *next;
};

/* Kept as long as the configuration: messages point into its text. */
struct conf_spare {
    struct map *map;
    struct conf_spare *next;
};

struct conf {
    struct arena arena;
    const char *path;   /* of the file */
    const char *folder; /* it lies there; absolute */
    const char *beside; /* the same as the user wrote it, for maps;
                           NULL: the current one */
    const char *spool;  /* absolute */
    struct place spool_at;
    struct limits limits;
    struct map tables; /* the tables of the outermost level, and no more */
    const struct zone *zone; /* of times without one of their own */
    const char *on_trouble;  /* a program that is told; NULL: nobody is */
    struct keep keep;        /* of routes without such a line */
    struct partner *partners;
    struct route *routes;
    struct conf_spare *spares; /* maps that no route can use */
    size_t users;              /* running jobs: not to be freed before */
};

/*
 * Reads the configuration. 0: c is filled as far as it could be understood,
 * mistakes are in diags; -1: e says why it cannot be read at all. Texts and
 * places live in c->arena; diags may use that arena too.
 */
int conf_load(struct conf *c, const char *path, struct diags *diags,
              struct err *e);
/* Loads and checks the maps of all routes; mistakes go to diags. */
void conf_load_maps(struct conf *c, struct diags *diags);
/* Warns of folders that are not there, not ours to use, or in each other's
 * way, and of secrets that cannot be used. Maps should be loaded. */
void conf_check_folders(struct conf *c, struct diags *diags);
void conf_free(struct conf *c);

/* The configuration to use: `asked` (-c), ./kervan.conf, /etc/kervan. */
const char *conf_find(const char *asked);

/* Its files say how things are, all of them. */
bool conf_is_state(const struct conf_read *read);
/* And so do its results: the newest counts. What only tells changes does not
 * take the place of what told others. */
bool conf_is_snapshot(const struct conf_read *read);
/* Orders and invoices happen once, and a file of equal content came twice;
 * stock and prices say how things are, and may be the same again. */
bool conf_happens_once(const struct route *r);
/* The same, but for answers: a receiver who refuses two files may say the same
 * of both. */
bool conf_comes_once(const struct route *r);
/* Do rules of the trade serve any of its documents? Its jobs then ask the
 * ledger. */
bool conf_has_rules(const struct route *r);
/* on error: one wrong record rejects the file. */
bool conf_rejects_file(const struct route *r, const struct conf_read *read);

/* "SHA256:" and 43 characters. */
bool conf_is_fingerprint(struct str s);

const struct partner *conf_partner(const struct conf *c, struct str name);
struct route *conf_route(const struct conf *c, struct str name);
/* "no route is called oders; did you mean orders?" */
struct str conf_no_route(const struct conf *c, struct arena *a,
                         struct str name);
/* Does the route take a file of that name from there? */
bool route_takes(const struct route *r, struct str partner, struct str folder,
                 struct str name);

#endif
