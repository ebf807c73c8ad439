/*
 * ledger_schema.h - the ledger's tables, as a list of steps.
 *
 * A ledger of version N is brought up to date by steps N, N+1, ... each in
 * its own transaction; table `migration` tells when. A step is never edited
 * once a release has it; a change is a new step at the end.
 *
 * States are words, times are UTC texts, so that a person with nothing but a
 * database shell can read it.
 */
#ifndef SPOOL_LEDGER_SCHEMA_H
#define SPOOL_LEDGER_SCHEMA_H

struct ledger_step {
    const char *what, *sql;
};

extern const struct ledger_step ledger_steps[]; /* ends with what == NULL */

#endif
