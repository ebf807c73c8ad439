/*
 * write_run.h - a write map at work: documents become files.
 *
 *   doc --write_try()--> bytes in a sink --write_keep()--> file below staging
 *
 * A document is tried first, in memory; if it cannot be written (here or by
 * another write map of the same run) write_undo() takes it back, so that a
 * faulty record leaves no trace in any output.
 *
 * The body around `each order` runs once per file: before the first document
 * and after the last. A map that looks over all documents, count(order), or
 * that goes over them twice, needs them all first: map->two_passes; the caller
 * keeps them on disk and calls write_all() (spool/job.c).
 *
 * At most limit open-files outputs hold a buffer and a descriptor; others are
 * closed and reopened to append.
 */
#ifndef LANG_WRITE_RUN_H
#define LANG_WRITE_RUN_H

#include "converters/base/textmap.h"
#include "converters/lang/run.h"
#include "formats/sink.h"

struct output {
    struct str name; /* final name, safe as a file name */
    struct str path; /* below staging; empty: the one descriptor */
    struct str key;  /* one file per KEY */
    uint64_t n_documents, bytes;
    struct slot *slot; /* its buffer while it has one */
    struct sink_state state;
    size_t step; /* where its body goes on */
    bool is_done;
};

/* Characters that were replaced, for the report. */
struct replaced {
    uint32_t cp;
    uint64_t n;
};

enum { MAX_REPLACED = 64 };

/* What one input became; all its write maps share it. */
struct output_total {
    uint64_t input;   /* bytes, unpacked, as far as they are known */
    uint64_t outputs; /* bytes that were written */
};

struct write_run {
    struct run run;
    const struct map *map;
    const struct write_ops *ops; /* of the map's format */
    const struct limits *limits;
    struct arena values; /* emptied for each document */
    struct arena own;    /* outputs; lives as long as the run */

    const char *staging; /* a folder, or NULL: out_fd */
    int out_fd;
    unsigned number; /* of this write in the run: names the staged files */
    struct str country;

    /* A fault; f->doc and f->field tell what it concerns, as far as known. */
    void (*fault)(void *ctx, const struct fault *f);
    void *ctx;
    /* The next value of a counter. */
    int64_t (*counter)(void *ctx, struct str name);
    /* The next document that waits on disk (two passes); NULL: no more. */
    struct doc *(*next_doc)(void *ctx, bool rewind);

    struct output **outputs;
    size_t n_outputs, cap_outputs;
    uint64_t n_written;
    uint64_t n_replaced;
    struct replaced replaced[MAX_REPLACED];
    size_t n_distinct;
    uint8_t tried[256]; /* of the document at hand: indexes of replaced[] */
    size_t n_tried;
    struct output_total *total;
    struct err err; /* after JOB-level failures: the disk, a limit */
    bool io_failed;

    /* private */
    struct step_list *steps;
    struct slot *slots;
    size_t n_slots;
    uint64_t clock;
    struct output *target; /* of the document that is being tried */
    struct sink_mark before;
    bool target_is_new;
    bool skipped; /* the document was not for this map */
    uint32_t index_before;
    uint64_t replaced_before;
    struct textmap names, keys; /* of the outputs */
    uint64_t n_bytes;           /* of total->outputs, ours */
    const struct doc *innermost;
    const struct node *node; /* whose value is being made */
};

void write_run_init(struct write_run *w, const struct map *map,
                    const struct limits *limits, const struct run_info *info);
/* Writes d into its output's buffer. False: a fault was raised, undone. */
bool write_try(struct write_run *w, struct doc *d);
/* Must the caller keep all documents and call write_all()? */
bool write_needs_all(const struct write_run *w);
void write_undo(struct write_run *w); /* the last successful try */
/* The last try counts. False: w->err (disk). */
bool write_keep(struct write_run *w);
/* Closes all outputs. False: w->err, or a fault was raised. */
bool write_finish(struct write_run *w);

/*
 * Two passes: writes every document that next_doc() gives. False: faults were
 * raised (those documents must be left out: write_reset() and again) or err.
 */
bool write_all(struct write_run *w);
/* Forgets all outputs, and a limit that they were over: scattered groups, or
 * another try at two passes. */
bool write_reset(struct write_run *w);
void write_run_release(struct write_run *w);

#endif
