/* job_inside.h - what the job*.c files share; everybody else uses job.h. */
#ifndef SPOOL_JOB_INSIDE_H
#define SPOOL_JOB_INSIDE_H

#include <sys/types.h>

#include "converters/document/frame.h"
#include "converters/lang/write_run.h"
#include "spool/docfile.h"
#include "spool/job.h"
#include "spool/job_attach.h"
#include "spool/job_counts.h"
#include "spool/reader.h"

/* A file, or a member of a ZIP, that documents come from. */
struct job_source {
    struct source source; /* "orders.zip/july.csv" */
    struct str file, member;
};

struct job {
    const struct job_spec *spec;
    struct job_result *out;
    struct arena docs; /* the document at hand */
    struct write_run *writes;
    struct output_total total;
    struct run_info *infos;     /* [n_writes + 1]: the last is the filter's */
    struct run filter;          /* evaluates spec->when and writes[].when */
    struct job_source *sources; /* files and ZIP members, by number */
    uint32_t n_sources, cap_sources;
    struct trade trade;  /* spec->trade at work */
    struct docfile kept; /* two passes: all documents */
    bool keep_all;
    bool ended, failed; /* END was seen; a fatal fault was */
    uint64_t n_faulty;
    const struct doc *current;
    struct job_counts counts;
    struct attachments attached;
    struct locate_list places; /* asked of a second reader */
    struct aside aside;        /* likewise */
    bool scattered;
    uint32_t forbidden; /* system call that the reader tried, or NO_CALL */
};

#define NO_CALL UINT32_MAX

/* Of a file or member, as the reader says it. */
enum { MAX_SOURCE_NAME = 64 * 1024 };

/*
 * The steps of job_run(). Between them it starts readers, in processes of
 * their own; the fuzz targets call a reader, or play one.
 */
void job_begin(struct job *j, const struct job_spec *spec,
               struct job_result *out);
/* A reader's frames come from fd; it may be waited for so long in all. */
void job_listen(const struct job_spec *spec, struct frame_in *in, int fd);
/* Takes the frames of the first reader up to END: whatever it sends. */
enum job_pumped { READER_OK, READER_BAD_FRAME, READER_IO, READER_LATE };
enum job_pumped job_pump(struct job *j, struct frame_in *in);
void job_conclude(struct job *j);
/* Takes those of the second one, the answers to what it was asked. */
void job_take_answers(struct job *j, int fd);
void job_end(struct job *j);

/* A file or member by its number; NULL: the reader made it up. */
const struct source *job_source_at(const struct job *j, uint32_t member);
/* A fault that a write map raised; ctx is the job. */
void job_write_fault(void *ctx, const struct fault *f);
/* file.name and friends are those of d's file from now on. */
void job_name_file(struct job *j, const struct doc *d);
void job_reset_counts(struct job *j);
/* Its write maps, and those of cards. */
static inline size_t job_maps(const struct job *j)
{
    return j->spec->n_writes + j->spec->n_cards;
}
/* A fault of d (or NULL), raised at `map`; `field` or -1. */
void job_add_fault(struct job *j, enum diag_id id, struct place map,
                   const struct str *args, size_t n_args, const struct doc *d,
                   int field);
void job_set_aside(struct job *j, const struct doc *d);
/* Do the conditions of all writes hold up, without a fault? Then they will not
 * fault when the document comes back from disk. *wanted: one of them holds. */
bool job_conditions_hold_up(struct job *j, struct doc *d, bool *wanted);
/* Tries all writes; all keep the document or none does: false. */
bool job_write_document(struct job *j, struct doc *d);
/* A write cannot go on, because of the disk or a limit: result->err tells. */
bool job_io_failed(struct job *j);

/* ---- job_trade.c: the rules ---------------------------------------------- */

void job_begin_trade(struct job *j);
/* A fault that the map of a card raised; ctx is the job. */
void job_card_fault(void *ctx, const struct fault *f);
/* wanted: `when` of the route lets it pass. */
void job_pass_on(struct job *j, struct doc *d, bool wanted);
/* All documents have come. */
void job_end_trade(struct job *j);
/* After the summary was made. */
void job_balance(struct job *j);

/* ---- job_reader.c: the reader process ------------------------------------ */

/* Reads all; -1: the result says why it cannot go on. */
int job_run_reader(struct job *j);
/* An empty file for a reader's rows. -1: the machine failed. */
int job_spill(struct job *j);
/* The result is JOB_FAILED, by errno. Returns -1. */
int job_machine_failed(struct job *j, const char *what);
/* Starts a reader of n specs; its frames come from *fd. -1: the machine
 * failed. */
int job_start_reader(struct job *j, const struct job_spec *specs, size_t n,
                     int spill_fd, const struct questions *ask, pid_t *pid,
                     int *fd);
int job_wait_for(pid_t pid);

/* ---- job_again.c: what a second reader is asked -------------------------- */

void job_ask_again(struct job *j);

/* ---- job_kept.c: maps that look over all documents ---------------------- */

struct doc *job_next_kept(void *ctx, bool rewind);
void job_kept_fault(void *ctx, const struct fault *f);
bool job_write_kept(struct job *j);

#endif
