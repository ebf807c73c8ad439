/*
 * faulty.h - the records that were set aside, copied out of the input: a file
 * to be mended and dropped again.
 *
 * The second reader (locate.h) does it when the job asks. While it runs the
 * read map again it notes where the records of every document that was set
 * aside begin: those that are faulty now as they were then, and those that the
 * job names. After that each file or ZIP member with such records is read once
 * more, by its format alone, which tells the ranges of bytes to be kept; then
 * these are copied out, never decoded. So charset, quotes and line ends are
 * the sender's.
 *
 * Memory: 8 bytes per document and 16 per record, both bounded. Whatever does
 * not work out, the sender gets his whole file back instead.
 */
#ifndef SPOOL_FAULTY_H
#define SPOOL_FAULTY_H

#include "converters/document/frame.h"
#include "converters/lang/read_run.h"
#include "spool/job.h"

enum { FAULTY_DOCUMENTS = 100000, FAULTY_RECORDS = 1000000 };

/* Documents that the job set aside, by doc->seq. */
struct aside {
    uint64_t *seqs;
    size_t n, cap;
    bool too_many;
};

void aside_add(struct aside *a, uint64_t seq);
void aside_sort(struct aside *a); /* before a reader is asked */
void aside_release(struct aside *a);

/* ---- in the reader ------------------------------------------------------ */

struct faulty_record {
    uint32_t source; /* which file or ZIP member, from 0 */
    uint64_t offset;
};

struct faulty_run {
    const struct aside *aside; /* NULL: nobody asks for them */
    size_t next;               /* seqs before it were seen */
    struct faulty_record *records;
    size_t n, cap;
    bool too_many;
    uint64_t n_documents, n_mixed;
    /* The last records with a document set aside, with a good one, and with
     * both; by run.record_index. */
    uint64_t aside_in, good_in, mixed_in;
};

/* A document of rr->rows is faulty. */
void faulty_add(struct faulty_run *f, const struct read_run *rr,
                uint32_t source);
/* A document can be read; did the job set it aside? */
void faulty_document(struct faulty_run *f, const struct read_run *rr,
                     const struct doc *d, uint32_t source);
/* All was read: sends the CUT frames. */
void faulty_send(struct faulty_run *f, const struct job_spec *spec,
                 struct frame_out *out);
void faulty_release(struct faulty_run *f);

#endif
