/*
 * ledger_sqlite.c - ledger_db.h over SQLite; the only file that knows it.
 *
 * WAL with synchronous=FULL: a commit that returned is on the disk. One that
 * was killed in the middle may have been written and not synced: whoever reads
 * it takes it for a commit, and acts on it. So who writes begins with a
 * checkpoint, which syncs the WAL first. The database lies on a local file
 * system (WAL does not work on a network one) and never crosses a fork.
 */
#include "spool/ledger_db.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

#include "spool/stamp.h"

enum { MAX_STMTS = 224, BUSY_MS = 5000 };

struct db {
    sqlite3 *sqlite;
    char *path;
    bool write;
    int depth; /* of open transactions */
    struct {
        const char *sql; /* a literal: its address is its name */
        sqlite3_stmt *stmt;
    } kept[MAX_STMTS];
    int n_kept;
};

static int fail(struct db *db, struct err *e, const char *doing)
{
    int code = db->sqlite ? sqlite3_errcode(db->sqlite) : SQLITE_NOMEM;
    enum err_next next =
        code == SQLITE_BUSY || code == SQLITE_LOCKED ? ERR_RETRY : ERR_STOP;

    return err_set(e, next, "ledger: %s: %s", doing,
                   db->sqlite ? sqlite3_errmsg(db->sqlite) : "no memory");
}

int db_script(struct db *db, const char *sql, struct err *e)
{
    if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, e, "set up");
    return 0;
}

static int open_it(struct db *db, struct err *e)
{
    int flags = db->write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                          : SQLITE_OPEN_READONLY;

    if (sqlite3_open_v2(db->path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return err_set(e, ERR_STOP, "cannot open the ledger %s: %s", db->path,
                       sqlite3_errmsg(db->sqlite));
    sqlite3_extended_result_codes(db->sqlite, 0);
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    return db_script(db,
                     db->write
                         ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                           "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF"
                         : "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF",
                     e);
}

/* SQLite takes 64 KB for a statement that changes rows, and gives them back:
 * the kernel should not have to clear them each time. */
static void keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
    (void)mallopt(M_TOP_PAD, 1 << 20);
}

int db_open(struct db **out, const char *path, bool write, struct err *e)
{
    struct db *db = xcalloc(1, sizeof(*db));

    *out = NULL;
    db->path = strdup(path);
    db->write = write;
    if (write)
        keep_memory();
    if (!db->path)
        db->path = xcalloc(1, 1); /* which cannot be opened */
    if (open_it(db, e) == -1 ||
        (write && db_script(db, "PRAGMA wal_checkpoint(PASSIVE)", e) == -1)) {
        db_close(db);
        return -1;
    }
    *out = db;
    return 0;
}

static void close_it(struct db *db)
{
    for (int i = 0; i < db->n_kept; i++)
        sqlite3_finalize(db->kept[i].stmt);
    db->n_kept = 0;
    sqlite3_close(db->sqlite);
    db->sqlite = NULL;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    close_it(db);
    free(db->path);
    free(db);
}

void db_pause(struct db *db)
{
    /* The WAL stays as it is: what is in it is synced. */
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    close_it(db);
}

int db_resume(struct db *db, struct err *e)
{
    return open_it(db, e);
}

/* The prepared statement of a literal, or NULL. */
static sqlite3_stmt *prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    for (int i = 0; i < db->n_kept; i++)
        if (db->kept[i].sql == sql)
            return db->kept[i].stmt;
    if (db->n_kept == MAX_STMTS ||
        sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &stmt, NULL) != SQLITE_OK)
        return NULL;
    db->kept[db->n_kept].sql = sql;
    db->kept[db->n_kept++].stmt = stmt;
    return stmt;
}

static int bind_text(sqlite3_stmt *stmt, int i, struct str s)
{
    return sqlite3_bind_text64(stmt, i, s.p ? s.p : "", s.len, SQLITE_TRANSIENT,
                               SQLITE_UTF8);
}

static int bind_one(sqlite3_stmt *stmt, int i, char type, va_list *ap)
{
    char stamp[STAMP_LEN + 1];
    struct str s;
    int64_t t;

    switch (type) {
    case 's':
        return bind_text(stmt, i, va_arg(*ap, struct str));
    case 'z':
        return bind_text(stmt, i, str_of(va_arg(*ap, const char *)));
    case 'b':
        s = va_arg(*ap, struct str);
        return sqlite3_bind_blob64(stmt, i, s.p ? s.p : "", s.len,
                                   SQLITE_TRANSIENT);
    case 'u':
        return sqlite3_bind_int64(stmt, i,
                                  (sqlite3_int64)va_arg(*ap, uint64_t));
    case 'i':
        return sqlite3_bind_int64(stmt, i, va_arg(*ap, int64_t));
    case 't':
        t = va_arg(*ap, int64_t);
        stamp_of(t, stamp);
        return t ? bind_text(stmt, i, str_of(stamp))
                 : sqlite3_bind_null(stmt, i);
    default:
        return SQLITE_MISUSE;
    }
}

static sqlite3_stmt *bind_all(struct db *db, const char *sql, const char *types,
                              va_list *ap)
{
    sqlite3_stmt *stmt = prepare(db, sql);

    if (!stmt)
        return NULL;
    sqlite3_reset(stmt);
    for (int i = 0; types[i]; i++)
        if (bind_one(stmt, i + 1, types[i], ap) != SQLITE_OK)
            return NULL;
    return stmt;
}

int db_change(struct db *db, struct err *e, int rows, const char *sql,
              const char *types, ...)
{
    sqlite3_stmt *stmt;
    va_list ap;
    int rc;

    va_start(ap, types);
    stmt = bind_all(db, sql, types, &ap);
    va_end(ap);
    if (!stmt)
        return fail(db, e, "prepare");
    rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        return fail(db, e, "write");
    if (rows != ANY_ROWS && sqlite3_changes(db->sqlite) != rows)
        return err_set(
            e, ERR_STOP,
            "ledger: a row is not in the state that it was in: %.90s", sql);
    return 0;
}

int db_copy(struct db *db, const char *path, struct err *e)
{
    if (db_change(db, e, ANY_ROWS, "VACUUM INTO ?", "z", path) == 0)
        return 0;
    e->next = ERR_RETRY;
    return -1;
}

int db_begin(struct db *db, struct err *e)
{
    if (db->depth == 0 &&
        db_change(db, e, ANY_ROWS, "BEGIN IMMEDIATE", "") == -1)
        return -1;
    db->depth++;
    return 0;
}

int db_commit(struct db *db, struct err *e)
{
    if (db->depth == 0)
        return err_set(e, ERR_STOP, "ledger: nothing to commit");
    if (db->depth > 1) {
        db->depth--;
        return 0;
    }
    if (db_change(db, e, ANY_ROWS, "COMMIT", "") == -1) {
        db_rollback(db);
        return -1;
    }
    db->depth = 0;
    return 0;
}

void db_rollback(struct db *db)
{
    struct err ignored;

    if (db->depth > 0 && !sqlite3_get_autocommit(db->sqlite))
        db_change(db, &ignored, ANY_ROWS, "ROLLBACK", "");
    db->depth = 0;
}

int db_ask(struct db *db, struct err *e, struct rows *r, const char *sql,
           const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    *r = (struct rows){ .db = db, .stmt = bind_all(db, sql, types, &ap) };
    va_end(ap);
    return r->stmt ? 0 : fail(db, e, "ask");
}

int db_next(struct rows *r, struct err *e)
{
    int rc = sqlite3_step(r->stmt);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return fail(r->db, e, "read");
}

void db_end(struct rows *r)
{
    sqlite3_reset(r->stmt);
    r->stmt = NULL;
}

uint64_t db_u(const struct rows *r, int col)
{
    return (uint64_t)sqlite3_column_int64(r->stmt, col);
}

int64_t db_i(const struct rows *r, int col)
{
    return sqlite3_column_int64(r->stmt, col);
}

int64_t db_time(const struct rows *r, int col)
{
    char z[STAMP_LEN + 1];

    db_z(r, col, z, sizeof(z));
    return stamp_read(z);
}

struct str db_str(const struct rows *r, int col, struct arena *a)
{
    const char *p = sqlite3_column_blob(r->stmt, col);

    return arena_str(
        a, (struct str){ p, (size_t)sqlite3_column_bytes(r->stmt, col) });
}

void db_z(const struct rows *r, int col, char *out, size_t size)
{
    const char *p = sqlite3_column_blob(r->stmt, col);
    size_t n = (size_t)sqlite3_column_bytes(r->stmt, col);

    if (n > size - 1)
        n = size - 1;
    str_copy(out, (struct str){ p, n });
    out[n] = '\0';
}
