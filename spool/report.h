/*
 * report.h - what the sender of a file is told when something was wrong.
 *
 *   Kervan report
 *
 *   File      orders_0512.csv (51 200 bytes)
 *   From      eshop
 *   Route     orders
 *   Job       17
 *   Taken     2026-01-31 08:15:00Z
 *   Result    1 order set aside, the rest was delivered
 *
 *   orders_0512.csv:14:9: error: not a number: "12,x" [number-syntax]
 *   ...
 *
 * A text file that an operator reads and a shop's support can be sent. The
 * job writes it, so that no text of a partner passes through the keeper.
 */
#ifndef SPOOL_REPORT_H
#define SPOOL_REPORT_H

#include "converters/base/diag.h"
#include "spool/job.h"
#include "spool/ledger.h"

#define REPORT_FILE "report.txt"

void report_head(struct buf *b, const struct receipt *r, const char *result);
/* The messages of one run, and how many there were. */
void report_body(struct buf *b, const struct job_result *res);
/* One line about the first error, for the ledger: "14:9: not a number: x".
 * A job that no message explains was stopped: by a limit, by the disk. */
struct str report_first(struct arena *a, const struct job_result *res);

#endif
