/*
 * ledger_db.h - the few things that the ledger wants of a database.
 *
 * Statements are literals, prepared once and kept; values are only ever
 * bound, never pasted into a statement. `types` has a letter for each `?`:
 *
 *   s  struct str, text         z  const char *, text
 *   b  struct str, bytes        u  uint64_t
 *   i  int64_t                  t  int64_t, an instant; 0 is NULL
 *
 * A failure of the database means ERR_STOP: what it says can no longer be
 * trusted. Only "busy" is ERR_RETRY.
 */
#ifndef SPOOL_LEDGER_DB_H
#define SPOOL_LEDGER_DB_H

#include "converters/base/err.h"
#include "converters/base/mem.h"

struct db;

/* write: creates it. Reading needs an existing one. */
int db_open(struct db **out, const char *path, bool write, struct err *e);
void db_close(struct db *db);
/*
 * Closed for a moment, without a checkpoint, and open again. A process that
 * forks must have no connection open if its child is to open one: SQLite's
 * locks are the process's, and its own notes of them would be inherited.
 */
void db_pause(struct db *db);
int db_resume(struct db *db, struct err *e);
/* Several statements without values. */
int db_script(struct db *db, const char *sql, struct err *e);

/* The committed state into a new file. A failure is no verdict on this one:
 * ERR_RETRY. */
int db_copy(struct db *db, const char *path, struct err *e);

/* Transactions nest: only the outermost begins, commits, rolls back. */
int db_begin(struct db *db, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

enum { ANY_ROWS = -1 };

/* `rows` must be changed, else the program is wrong: ERR_STOP. */
int db_change(struct db *db, struct err *e, int rows, const char *sql,
              const char *types, ...);

struct rows {
    struct db *db;
    void *stmt;
};

int db_ask(struct db *db, struct err *e, struct rows *r, const char *sql,
           const char *types, ...);
int db_next(struct rows *r, struct err *e); /* 1: a row, 0: no more, -1 */
void db_end(struct rows *r);

/* Columns of the current row, from 0. */
uint64_t db_u(const struct rows *r, int col);
int64_t db_i(const struct rows *r, int col);
int64_t db_time(const struct rows *r, int col);
struct str db_str(const struct rows *r, int col, struct arena *a);
/* A text of at most size-1 bytes. */
void db_z(const struct rows *r, int col, char *out, size_t size);

#endif
