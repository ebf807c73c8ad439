/*
 * report.h - what the sender of a file is told when something was wrong.
 *
 *   Kervan report
 *
 *   File      orders_0512.csv (51200 bytes)
 *   From      eshop
 *   Route     orders
 *   Job       17
 *   Taken     2026-01-31 08:15:00Z
 *   Result    1 record was set aside, the others were converted
 *
 *   212 orders read, 211 written, 1 set aside
 *
 *   Messages (file:line:character):
 *
 *   orders_0512.csv:14:9: error: not a number: "12,x" [number-syntax]
 *   ...
 *
 *   What to do
 *
 *   What was set aside stands in rejected/orders_0512.faulty-17.csv ...
 *
 * A text file that an operator reads and a shop's support can be sent. The
 * job writes it, so that no text of a partner passes through the keeper.
 */
#ifndef SPOOL_REPORT_H
#define SPOOL_REPORT_H

#include "converters/base/diag.h"
#include "spool/conf.h"
#include "spool/job.h"
#include "spool/ledger.h"
#include "spool/result.h"

#define REPORT_FILE "report.txt"

/*
 * Names of what goes back. "17-orders.csv" and "17-orders.csv.report.txt" are
 * unique for ever and told apart by people; a file that is to be dropped again
 * keeps its beginning and its ending, by which routes know it:
 * "orders.faulty-17.csv", and of a second read map "orders.faulty-17-2.csv".
 */
struct str report_name(struct arena *a, const struct receipt *r);
struct str report_original_name(struct arena *a, const struct receipt *r);
struct str report_faulty_name(struct arena *a, const struct receipt *r,
                              size_t i);

/* What the end of a report speaks of. */
struct report_facts {
    const struct receipt *receipt;
    const struct route *route;
    const struct result *result;
    uint64_t n_mixed; /* records set aside that hold good documents, too */
};

void report_head(struct buf *b, const struct report_facts *f);
/* The messages of one run, and how many there were. */
void report_body(struct buf *b, const struct job_result *res);
/* What the reader is to do now, and where the records are. */
void report_advice(struct buf *b, const struct report_facts *f);
/* One line about the first error, for the ledger: "14:9: not a number: x".
 * A job that no message explains was stopped: by a limit, by the disk. */
struct str report_first(struct arena *a, const struct job_result *res);

#endif
