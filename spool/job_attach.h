/*
 * job_attach.h - files of a ZIP that go along with what its data becomes.
 *
 * A shop wants the pictures of its products with them. A write map says which
 * members it wants (option `attachments`); the reader sends them behind the
 * documents, as they are. Here each is staged under a name of ours, once for
 * every write that wants it, and becomes an output without documents, which is
 * delivered before those that have some: whoever imports a product finds its
 * pictures. A write that made nothing gets none.
 */
#ifndef SPOOL_JOB_ATTACH_H
#define SPOOL_JOB_ATTACH_H

#include "converters/base/textmap.h"
#include "converters/lang/write_run.h"
#include "formats/zip.h"

struct job;

struct attachment {
    struct str name; /* final, safe as a file name */
    struct str path; /* staged */
    uint64_t bytes;
    size_t write;
    int fd;       /* while its bytes come; else -1 */
    bool is_kept; /* the result has it */
};

struct attachments {
    struct attachment *list;
    size_t n, cap;
    size_t open_from;     /* those from here on get the bytes that come */
    bool receiving;       /* between ATTACHMENT and ATTACHED */
    uint64_t left;        /* bytes that have to come */
    uint64_t n_bytes;     /* of the job's outputs, ours */
    struct textmap names; /* "WRITE/name": two of a name would be one */
};

/* The frames; false: not what a reader sends. */
bool job_attach_begin(struct job *j, struct str payload);
bool job_attach_bytes(struct job *j, struct str payload);
bool job_attach_end(struct job *j, struct str payload);

/* Has an output of the write the name of an attachment? Then it is reported. */
bool job_attach_fits(struct job *j, size_t write);
/* Those of a write as parts of a ZIP, in the job's arena. */
size_t job_attach_parts(struct job *j, size_t write, struct zip_part **out);
/* Removes those that the result does not have. */
void job_attach_forget(struct job *j);

#endif
