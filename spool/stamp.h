/*
 * stamp.h - instants as the ledger and people see them: UTC, with a Z.
 * t is in Unix seconds.
 */
#ifndef SPOOL_STAMP_H
#define SPOOL_STAMP_H

#include <stdint.h>

enum { STAMP_LEN = 20 };

/* "2026-01-31T08:15:00Z"; 0 is "never" and gives an empty text. */
void stamp_of(int64_t t, char out[STAMP_LEN + 1]);
/* The same for people: "2026-01-31 08:15:00Z". */
void stamp_for_people(int64_t t, char out[STAMP_LEN + 1]);
/* Back; 0 for an empty or broken text. */
int64_t stamp_read(const char *text);
/* "2026/01/31": the folder of a day in the archive. */
void stamp_folder(int64_t t, char out[11]);

#endif
