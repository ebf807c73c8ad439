/*
 * options.h - the options that maps of every format have.
 *
 * The format adds its own (formats/format.h). Checker, loader and manual read
 * these tables; an option's name may be several words ("one file per").
 */
#ifndef LANG_OPTIONS_H
#define LANG_OPTIONS_H

#include "converters/lang/resolve.h"

struct parser;

struct loader {
    struct map *map;
    struct diags *diags;
    const struct limits *limits;
    const struct oline *header;
    struct str folder; /* of the map file, for include and tables */
};

struct common_option {
    const char *name;
    const char *value;    /* as the manual shows it */
    const char *fallback; /* likewise; NULL: none */
    const char *help;
    bool late; /* holds expressions: read after settings and tables */
    /* The parser stands behind the name. False: reported. */
    bool (*set)(struct loader *ld, struct parser *p);
};

extern const struct common_option read_options[], write_options[];

/* Reads the option lines below the header; `late` ones in a second call. */
void options_load(struct loader *ld, bool late);
/* Fills in what the map did not say. */
void options_defaults(struct loader *ld);
/* Reports OPTION_VALUE at the value. Returns false. */
bool option_fail(struct loader *ld, struct parser *p, const char *name,
                 struct str why);

#endif
