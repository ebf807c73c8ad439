/*
 * trade.h - the rules between a read map and the write maps.
 *
 *   read, derived document --> rule --> rule --> ... --> write maps
 *                               |        |
 *                               '--------'--> skipped, with a reason;
 *                                             set aside, with a message;
 *                                             held until the last one has come
 *
 * A rule is one file of this folder and one line in trade_rules[] (rules.c),
 * whose order is the order in which a document meets them. Its lines of a
 * route are in its table of words; what they say lies in conf->of[rule].
 *
 *   struct trade_conf   what the lines of a route say
 *   struct trade_site   the same for one read map: which rules serve it
 *   struct trade        at work, for one file
 *
 * Rules change the document in place, ask facts.h of the past, and learn. What
 * they learn about a document counts when it was written (facts_keep()).
 */
#ifndef TRADE_TRADE_H
#define TRADE_TRADE_H

#include "converters/lang/map.h"
#include "converters/trade/facts.h"

enum { MAX_RULES = 32, MAX_CARDS = 16 };

struct trade_rule;
extern const struct trade_rule *const trade_rules[]; /* ends with NULL */

/* ---- configuration ------------------------------------------------------- */

/* A map of a `create` line; loaded with the route's maps. */
struct trade_card {
    enum card_kind kind;
    struct str map_name;
    struct place at;
    struct map *map; /* a write map of customers or products; or NULL */
    bool shared;     /* that of an earlier one: both write into one file */
    const struct str *settings;
    struct trade_card *next;
};

struct trade_conf {
    struct arena *arena;        /* the configuration's */
    const struct map *tables;   /* holds those of kervan.conf, and no more */
    void *of[MAX_RULES];        /* what a rule's lines say; NULL: no line */
    struct trade_card *creates; /* in their order */
    const struct oline *lines[MAX_RULES]; /* the first one of each; or NULL */
    const struct trade_word *seen[2 * MAX_RULES]; /* words that have stood */
    size_t n_seen;
};

/* At a rule's line: what its parser works with. */
struct trade_parser {
    struct trade_conf *conf;
    void **own; /* conf->of[] of this rule */
    struct diags *diags;
};

/* A line of a route's block that belongs to a rule. */
struct trade_word {
    const char *name; /* "start at order" */
    void (*parse)(struct trade_parser *p, const struct oline *l,
                  struct str rest);
    bool has_block;
    bool may_repeat;
};

/* Helpers of the parsers; mistakes become CONF_VALUE "WHAT: ...". */
bool trade_need(struct trade_parser *p, const struct oline *l, struct str *rest,
                const char *what, const char *needed, struct str *word);
/* The next word, which must be one of these: its index; -1: reported. */
int trade_choice(struct trade_parser *p, const struct oline *l,
                 struct str *rest, const char *what, const char *const *words,
                 size_t n, const char *needed);
void trade_end_of_line(struct trade_parser *p, const struct oline *l,
                       struct str rest);
void trade_wrong(struct trade_parser *p, const struct oline *l, struct str at,
                 const char *what, const char *wrong);
/* The rule's own struct, made at its first line; `twice` reports a second. */
void *trade_own(struct trade_parser *p, size_t size);

/* What the lines of a rule say, for another rule; NULL: there are none. */
const void *trade_lines_of(const struct trade_conf *c,
                           const struct trade_rule *rule);

/* Its first line in the configuration; only of a rule that has one. */
struct place trade_place_of(const struct trade_conf *c,
                            const struct trade_rule *rule);

/* What somebody asks about a partner's cards: 1u << CARD_...; and whether
 * products are asked for by more than their sku. */
typedef unsigned card_kinds;
enum { ASKS_EAN = 1u << 8, ASKS_NAME = 1u << 9 };

/* A read map of a route, with all that its rules are to know. */
struct trade_site {
    const struct trade_conf *conf;
    const struct level *document;
    struct shape *shape; /* of its documents; rules find their fields in it */
    struct str route;
    unsigned read;               /* which read map of the route, from 0 */
    struct str receiver, output; /* the first `to`; "": there is none */
    bool test;
    /* Some route sends orders to one who may send it files; and orders of such
     * a one to its receiver. What they say of orders is about those. */
    bool answers_orders, follows_orders;
    const struct str *replies; /* partners of `also reply` lines */
    size_t n_replies;
    /* Other routes that send such documents of one of its senders there. */
    const struct str *siblings;
    size_t n_siblings;
    struct trade_card *cards[MAX_CARDS]; /* of the `create` lines */
    size_t card_write[MAX_CARDS];        /* of each: which of their maps */
    size_t n_cards;
    /* Kinds of cards that any route wants to know: of those who may send it
     * files, of its receiver. */
    card_kinds sender_asked, receiver_asked;
    bool serves[MAX_RULES]; /* by index of trade_rules[] */
    bool any;               /* one of them */
};

/* Decides which rules serve it; what cannot be is reported at its line. */
void trade_site_check(struct trade_site *s, struct diags *diags);
/* After all sites of a route: what its lines have to do with each other, and
 * lines of a rule that serves none of them. */
void trade_conf_check(const struct trade_conf *c, const bool *served,
                      struct diags *diags);
bool trade_serves(const struct trade_site *s, const struct trade_rule *rule);
/* Kinds of cards that these lines want to know of the receiver. */
card_kinds trade_asks(const struct trade_conf *c);
/* Finds the line's word in the tables of the rules; false: it is of none. */
bool trade_line(struct trade_conf *c, const struct oline *l,
                struct diags *diags);
/* All words, for messages about unknown ones. Returns how many. */
size_t trade_word_names(const char **names, size_t max);

/* ---- at work --------------------------------------------------------------
 */

enum trade_verdict {
    TRADE_ON,    /* to the next rule */
    TRADE_SKIP,  /* t->reason says why */
    TRADE_ASIDE, /* a fault was raised */
    TRADE_HELD,  /* the rule keeps what it needs of it, for its end() */
};

enum trade_written {
    WROTE,         /* by at least one write map */
    WROTE_NOWHERE, /* none of the writes wanted it */
    WROTE_ASIDE,   /* it is faulty */
};

struct trade_skip {
    const char *reason; /* a literal */
    uint64_t n;
};

/* What the job lends. d is the document that a message is about. */
struct trade_hooks {
    void *ctx;
    enum trade_written (*write)(void *ctx, struct doc *d);
    /* A card of site->cards[i], in a document of that map's shape: can it be
     * written; and write it. False: it cannot, which was reported. */
    bool (*try_card)(void *ctx, size_t i, struct doc *card);
    bool (*write_card)(void *ctx, size_t i, struct doc *card);
    void (*fault)(void *ctx, enum diag_id id, const struct str *args,
                  size_t n_args, const struct doc *d, int field);
    /* Of a document that was passed on: it goes no further. */
    void (*set_aside)(void *ctx, const struct doc *d);
    void (*filtered)(void *ctx);
    /* An empty file without a name, to be closed; -1: it failed. */
    int (*temporary)(void *ctx);
    /* The machine failed, by errno: the job is tried again. */
    void (*fail)(void *ctx, const char *what);
};

struct trade {
    const struct trade_site *site;
    struct facts *facts;
    struct trade_hooks hooks;
    struct str sender;
    struct str file; /* the input's name */
    struct str only; /* the document of that number, whatever was sent: "" */
    bool full;       /* what the receiver got before does not count */
    const struct limits *limits;
    card_kinds sender_asked; /* of this one, see struct trade_site */

    struct arena own;   /* as long as the run */
    struct arena *docs; /* of the document at hand */
    void *state[MAX_RULES];
    struct trade_skip skips[64];
    size_t n_skips;
    const char *reason;
    /* Of the document at hand: */
    bool wanted;       /* `when` of the route holds */
    struct str number; /* as the sender wrote it; "": it has none */
    struct str output; /* it was sent there before, or will be */
    struct str place;  /* "orders.zip/july.csv" */
    struct str files;  /* when it was written: paths of the outputs that have
                          it, each with a tab before it; "": not known yet */
    int number_field, series_field;
    /* Of all of them: */
    uint64_t n_aside;  /* at the end: so many were set aside */
    uint64_t last_seq; /* the largest number of a document so far */
    uint64_t n_made;   /* documents that rules have made */
};

struct trade_rule {
    const char *name;
    const char *help;               /* for kervan.conf(5): one line */
    const struct trade_word *words; /* ends with name NULL; may be NULL */
    const char *fits; /* "orders": told at its line when a route has none */
    /* Is it at work there? Mistakes go to diags. */
    bool (*serves)(const struct trade_site *s, const void *own,
                   struct diags *diags);
    /* Once for a route that has such lines: do they fit together? */
    void (*check)(const struct trade_conf *c, const void *own,
                  struct diags *diags);
    card_kinds (*asks)(const struct trade_conf *c, const void *own);
    size_t state; /* bytes, zeroed; begin() may set them up */
    void (*begin)(struct trade *t, void *state, const void *own);
    enum trade_verdict (*take)(struct trade *t, void *state, const void *own,
                               struct doc *d);
    /* Also asked for documents that `when` does not let pass. */
    bool takes_unwanted;
    /* After the document was written or set aside; NULL: nothing to do. */
    void (*wrote)(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how);
    bool wrote_last; /* when those of all other rules have learnt of it */
    /* All have come: trade_pass_on() what was held. */
    void (*end)(struct trade *t, void *state, const void *own);
    /* And all were written, or set aside then: facts_was_set_aside(). */
    void (*done)(struct trade *t, void *state, const void *own);
    void (*release)(void *state); /* what does not live in an arena */
};

void trade_begin(struct trade *t, const struct trade_site *site);
/* The document at hand; it may be written now, later, or never. */
enum trade_verdict trade_take(struct trade *t, struct doc *d, bool wanted);
/* From the rule behind this one on: documents that it held, or made. */
void trade_pass_on(struct trade *t, const struct trade_rule *rule,
                   struct doc *d);
void trade_end(struct trade *t);
/* When the outputs are complete. */
void trade_done(struct trade *t);
/* Groups are scattered: everything begins anew. */
void trade_reset(struct trade *t);
void trade_release(struct trade *t);

/* TRADE_SKIP, counted under a literal. */
enum trade_verdict trade_skip(struct trade *t, const char *reason);
/* The same of a document that was held. */
void trade_skip_held(struct trade *t, const char *reason);
/* A document that was held is faulty, which was told. */
void trade_aside_held(struct trade *t, const struct doc *d);
/* A document that no source has; to be passed on. */
struct doc *trade_make(struct trade *t);
#define TRADE_FAULT(t, d, field, id, ...)                                    \
    (t)->hooks.fault(                                                        \
        (t)->hooks.ctx, DIAG_##id, (const struct str[]){ __VA_ARGS__ },      \
        sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str), d, \
        field)
#define TRADE_FAULT0(t, d, field, id) \
    (t)->hooks.fault((t)->hooks.ctx, DIAG_##id, NULL, 0, d, field)

/* Index of a field, or -1. */
static inline int trade_field(struct shape *s, const char *name)
{
    return shape_field(s, str_of(name), false);
}
/* Its text; "" for none. */
static inline struct str doc_text(const struct doc *d, int field)
{
    return field >= 0 ? d->f[field] : (struct str){ NULL, 0 };
}
bool trade_is(const struct trade_site *s, const char *document);

#endif
