/*
 * result.h - what a job tells the keeper: a small file in its staging folder.
 *
 * One word and its tab-separated values a line, closed by "end": a file
 * without it is a job that died. The keeper believes none of it: names,
 * sizes and hashes of the outputs are looked at again.
 */
#ifndef SPOOL_RESULT_H
#define SPOOL_RESULT_H

#include "spool/job.h"
#include "spool/ledger.h"

struct result_output {
    struct str path; /* below the staging folder: "0/orders.xml" */
    struct str name;
    uint64_t bytes, n_documents;
    uint64_t read, write; /* which read of the route, which write of it */
};

/* Records that were set aside. */
struct result_faulty {
    struct str path; /* below the staging folder */
    uint64_t n_documents;
};

struct result {
    enum job_verdict verdict;
    struct err err; /* JOB_FAILED, or a limit that the job hit */
    struct counters n;
    uint64_t n_errors;
    struct str summary;
    struct str first_error; /* one line: why the file was rejected */
    bool has_report;
    bool by_rule;      /* JOB_REJECTED by `on error`; only in the job */
    bool returns_file; /* set-aside records could not be told apart */
    bool truncated;    /* JOB_REJECTED: wait for the rest */
    struct result_output *outputs;
    size_t n_outputs;
    struct result_faulty *faulty;
    size_t n_faulty;
    struct job_counter *counters; /* of the maps, as they are to stand now */
    size_t n_counters;
};

/* Writes `result` into the folder, behind what the job has learnt
 * (facts_file.h); not synced. -1 with errno. */
int result_write(int dir_fd, const struct result *r);
/* text: the file behind its facts (facts_map()). false: it is not complete, or
 * it names more outputs. */
bool result_read(struct str text, uint64_t max_outputs, struct arena *a,
                 struct result *out);

#endif
