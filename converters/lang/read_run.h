/*
 * read_run.h - a read map at work: records become documents.
 *
 *   format --item--> group_record() --rows of one key--> read_group() --doc-->
 *     emit(): packed and sent down the pipe (spool/reader.c)
 *
 * This is where a CSV field becomes a document's field: set_field() in
 * read_run.c.
 *
 * Grouping. Without `group` every record is a document. With it, rows of the
 * same key are collected while they stand together. Keys that are closed are
 * remembered as hashes; when one returns, the file's groups are scattered:
 * read_file() returns READ_SCATTERED, the caller tells the job to forget all
 * and reads the input again with `scattered` set. Then all records go to a
 * spill file first and are read back group by group, in the order in which
 * the groups first appeared. Memory: the rows of one group, and 16 bytes per
 * row in scattered mode.
 */
#ifndef LANG_READ_RUN_H
#define LANG_READ_RUN_H

#include "converters/lang/run.h"

enum { READ_OK = 0, READ_FAILED = -1, READ_SCATTERED = 2, READ_STOPPED = 3 };

struct read_run {
    struct run run;
    const struct map *map;
    const struct limits *limits;
    struct reader *reader;
    struct arena docs; /* one document at a time */

    /* A document is complete. False: stop. */
    bool (*emit)(void *ctx, struct doc *d);
    /* A fault of the record that has just been read; `record` is its name. */
    void (*fault)(void *ctx, const struct fault *f, uint32_t line, uint32_t col,
                  struct str record);
    /* A value is put into a field; NULL: nobody asks. */
    void (*watch)(void *ctx, const struct doc *d, int field,
                  const struct val *v);
    /* A document of rr->rows is faulty and set aside; NULL: nobody asks. */
    void (*aside)(void *ctx);
    void *ctx;

    int spill_fd;   /* an empty file of our own, for keys and rows */
    bool scattered; /* rows of a group may stand anywhere */

    uint64_t n_documents, n_skipped, n_faulty;
    uint64_t *skips;          /* by map->reasons */
    struct item *const *rows; /* the records at hand, all of them */
    uint32_t n_rows;

    /* private */
    struct doc **decided; /* by stmt->decided: for which doc it is */
    struct pending *pending, **pending_tail; /* faults of this record */
    struct arena faults;
    struct doc *doc, *member;
    uint32_t member_index;
    uint64_t n_members; /* of the document at hand, all lists together */
    bool header_failed; /* above each DOCUMENT: none of them is good */
    struct group *group;
    bool stop;
};

/* What the map's run needs that must not be opened later; before the jail. */
void read_run_init(struct read_run *rr, const struct map *map,
                   const struct limits *limits, const struct run_info *info);
/* Reads one file through reader->format. READ_*; the reader is set up. */
int read_file(struct read_run *rr, struct reader *reader);
void read_run_release(struct read_run *rr);

/* One document out of records with the same key (group.c calls it). */
void read_group(struct read_run *rr, struct item *const *rows, uint32_t n);
/* The key of a row is faulty: the row is set aside. */
void read_faulty_row(struct read_run *rr, struct item *row);

#endif
