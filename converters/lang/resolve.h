/*
 * resolve.h - gives every name of an expression its meaning, once, at load.
 *
 * The same walk serves read maps (names are columns and paths: struct want)
 * and write maps (names are fields of the documents in scope); they differ in
 * the `path` hook. Mistakes are reported; the walk goes on, so that all are
 * seen at once.
 */
#ifndef LANG_RESOLVE_H
#define LANG_RESOLVE_H

#include "converters/lang/map.h"

struct name {
    struct str name;
    int slot;
    struct name *outer;
    const struct field_spec *key; /* write: what it holds is this key */
};

struct scope {
    struct shape *shape;
    struct str prefix;  /* `use address with billing`; empty: none */
    int list;           /* which list of the scope above; -1: the document */
    struct expr *where; /* of its each */
};

struct resolver {
    struct map *map;
    struct diags *diags;
    struct name *names; /* $names in force, innermost first */

    /* read maps */
    struct want *ctx; /* where relative paths begin */
    struct want *own; /* in a `where`: the chosen value; else NULL */
    bool in_cell;     /* the block of an each over cells */

    /* write maps */
    struct scope scopes[MAX_SCOPES];
    int n_scopes;
    struct str prefix; /* of the innermost `use` */
    bool has_prefix;
    bool one_document; /* a route's `when`: there are no others */
};

void resolver_init(struct resolver *r, struct map *m, struct diags *diags);
bool resolve_expr(struct resolver *r, struct expr *e); /* and e->next...: no */
bool resolve_rule(struct resolver *r, struct rule *rule);
bool resolve_pieces(struct resolver *r, struct piece *p);

/* Declares $name; reports one that is taken. Returns its slot or -1. */
int resolve_declare(struct resolver *r, struct str name, struct place at);

/* The hooks: E_PATH becomes E_SOURCE (resolve_read.c) or E_FIELD and friends
 * (resolve_write.c). */
bool resolve_source(struct resolver *r, struct expr *e);
/* Is it a field of a document or list in scope? */
bool names_field(const struct resolver *r, struct str name);
bool resolve_field(struct resolver *r, struct expr *e);
/* Aggregates: which members a call walks. Called before its arguments. */
bool resolve_read_call(struct resolver *r, struct expr *call);
bool resolve_write_call(struct resolver *r, struct expr *call);

/* read: finds or makes the child of `parent` that a step names. */
struct want *want_child(struct resolver *r, struct want *parent,
                        const struct step *s);
struct want *want_new(struct map *m, enum want_kind kind);

/* A bare word that is a choice of the field on the other side. */
bool resolve_choice(struct resolver *r, const struct expr *field,
                    struct expr *word);

#endif
