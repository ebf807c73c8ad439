/*
 * job.h - one conversion: input files in, staged output files out.
 *
 *   keeper --fork--> job --fork--> reader (jail)
 *                     |              | frames: begin, record, fault, end
 *                     |  <-----------+
 *                     +--> files below spec->staging, a result
 *
 * A job that has several small files runs one conversion after the other; one
 * reader may then read the files of all (struct job_reader).
 *
 * The reader parses the files and runs the read map; the job derives values,
 * applies the rules and runs the write maps. Neither touches the ledger or
 * publishes anything: outputs become durable in spool/publish.c, and only
 * the keeper (or `kervan convert` with its -o) makes them visible.
 *
 * If we die in here: nothing has happened. The staging folder is swept at the
 * next start and the job runs again from the claimed file.
 */
#ifndef SPOOL_JOB_H
#define SPOOL_JOB_H

#include "converters/base/err.h"
#include "converters/lang/map.h"
#include "converters/trade/trade.h"

struct job_input {
    int fd;          /* open for reading, at its start; the caller's */
    struct str name; /* as people know it: "orders_0512.csv" */
};

/* A write map of the run, with what it is to know. */
struct job_write {
    struct map *map;
    const struct str *settings; /* [map->n_settings], p == NULL: not set */
    struct expr *when;          /* documents for this write; NULL: all */
};

/* counter("name") of the maps: the last value that was used. */
struct job_counter {
    struct str name;
    int64_t value;
};

struct job_reader;

struct job_spec {
    struct map *read;                /* maps_join()ed with every write */
    const struct str *read_settings; /* [read->n_settings] */
    const struct job_write *writes;
    size_t n_writes;
    size_t n_cards;                 /* so many more: maps of trade->cards[] */
    const struct trade_site *trade; /* rules that serve it; NULL: none */
    struct facts *facts;            /* that they ask and teach; NULL: a test */
    struct str sender;              /* the partner whose file it is */
    card_kinds sender_asked;        /* kinds of his cards that are wanted */
    struct str only; /* the document of that number alone; "": all */
    bool full;       /* whatever the receiver has got */
    const struct job_input *inputs; /* one run over all of them, in order */
    size_t n_inputs;
    struct expr *when;  /* the route's filter over the document; NULL: all */
    struct str country; /* of the receiver, for the fallback table; or "" */
    struct str run_id;
    int64_t run_time; /* Unix seconds; fixed when the file was taken */
    const struct limits *limits;
    const struct job_counter *counters; /* as they stand; others begin at 0 */
    size_t n_counters;
    uint64_t n_output_bytes; /* of outputs that other read maps made of it */
    bool reject_file; /* on error: reject the file instead of one record */
    bool keep_faulty; /* copy the records set aside; one input, staging */

    struct job_reader *reader; /* that it shares; NULL: one of its own */

    /* Where outputs go: files named by the map below this folder... */
    const char *staging;
    /* ...or, with staging NULL, the one output to this descriptor. */
    int out_fd;
};

struct job_output {
    char *path; /* relative to staging; "" without it */
    char *name; /* final name, from the map's `file`, safe as a file name */
    uint64_t bytes;
    uint64_t n_documents;
    size_t write; /* index into spec->writes */
};

/* The records that were set aside, as they stood in the input. */
struct job_faulty {
    bool asked; /* there were some, and spec->keep_faulty */
    char *path; /* relative to staging; NULL: they cannot be told apart */
    uint64_t bytes;
    uint64_t n_mixed; /* of them, records that hold good documents, too */
};

struct job_skip {
    char *reason;
    uint64_t n;
};

enum job_verdict {
    JOB_DONE,     /* every record written, skipped or set aside */
    JOB_REJECTED, /* the file as a whole is wrong; no outputs */
    JOB_FAILED,   /* the machine failed; try again: result->err */
};

struct job_result {
    struct arena arena; /* everything below lives here */
    enum job_verdict verdict;
    bool by_rule;   /* JOB_REJECTED: only because spec->reject_file */
    bool truncated; /* JOB_REJECTED: it ends in the middle; more may come */
    struct err err;
    uint64_t n_read, n_written, n_aside, n_skipped, n_filtered;
    uint64_t n_made; /* by rules: documents that are not in the input */
    uint64_t
        n_by_rules; /* of n_filtered: skipped by rules; they are in skips */
    uint64_t n_warnings, n_replaced; /* characters replaced by fallbacks */
    struct str replaced;             /* which: "â" 3, "â¢" 1 */
    struct job_skip *skips;
    size_t n_skips;
    uint64_t n_created[N_CARD_KINDS]; /* cards that documents needed */
    struct job_output *outputs;
    size_t n_outputs;
    struct job_faulty faulty;
    struct job_counter *counters; /* to be kept together with the outputs */
    size_t n_counters;
    struct diags diags; /* faults and warnings, in order */
    struct str summary; /* "211 orders read, 210 written, 1 set aside" */
};

/*
 * Runs a conversion in this process (the job), with a reader below it. 0:
 * *out tells how it went (also for JOB_REJECTED and JOB_FAILED); release it.
 */
int job_run(const struct job_spec *spec, struct job_result *out);

/*
 * One reader for several conversions: the first of these job_run()s starts it,
 * each takes the frames of its own spec. So they must run in the order of
 * `specs`, all of them, and be of one partner: a reader that was taken over by
 * one of the files speaks for those behind it. Its limits are those of one
 * reader. When it dies, breaks a rule or runs into one of them, nobody can say
 * whose fault it was: the result is JOB_FAILED, of this spec and all later
 * ones, and each file has to be run again with a reader of its own.
 */
struct job_reader {
    struct job_spec *specs;
    size_t n;
    struct job_sharing *sharing; /* private; NULL at first */
};
/* Its process ends, if it was started. */
void job_reader_end(struct job_reader *r);
/*
 * Before job_run(), in a process of its own: past the limit job-memory it ends
 * with status JOB_NO_MEMORY.
 */
enum { JOB_NO_MEMORY = 87 };
void job_limit_memory(const struct limits *l);
/* The status of a process that did not fail but was told to end. */
bool job_ended_from_outside(int status);
void job_result_release(struct job_result *r);

/*
 * The settings of a map from "name=value" pairs; reports missing required
 * ones, at `at`, or where the map declares them. Returns an array for job_spec
 * in `a`. Pairs that some map took are marked; job_settings_unused() then
 * reports those that none of `maps` did, whose last is NULL: they are asked for
 * the nearest name.
 */
struct setting_pair {
    struct str name, value;
    struct place at; /* src NULL: from the command line */
    bool used;
};
struct str *job_settings(struct arena *a, const struct map *m, struct place at,
                         struct setting_pair *pairs, size_t n,
                         struct diags *diags);

void job_settings_unused(struct arena *a, const struct map *const *maps,
                         const struct setting_pair *pairs, size_t n,
                         struct diags *diags);

/*
 * Ids of runs: ten letters, sortable by time. Seven say the second, three tell
 * runs of the same second apart: by the job's number where a ledger counts
 * (ledger_taken()), else by chance.
 */
enum { JOB_ID_LEN = 10, JOB_ID_BITS = 15 /* below the seconds */ };
void job_id_text(uint64_t id, char out[JOB_ID_LEN]);
struct str job_new_id(struct arena *a);

#endif
