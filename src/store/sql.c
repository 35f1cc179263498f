/*
 * Statements and transactions on SQLite, and its result codes as errors that a person can act on. Every error names the
 * ledger's file. What comes out of a row is copied with its length; a column of another type than expected gives an
 * empty text or 0, never a read past its end.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int errno_of(struct book *b, int result)
{
        int system = b->db ? sqlite3_system_errno(b->db) : 0;
        switch (result & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EBADMSG;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_TOOBIG:
                return -EFBIG;
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return -EACCES;
        case SQLITE_IOERR:
                /* EFBIG: a limit on the size of files is a full disk to whoever has it */
                return system == ENOSPC || system == EDQUOT || system == EFBIG ? -ENOSPC : system ? -system : -EIO;
        case SQLITE_CANTOPEN:
                return system ? -system : -ENOENT;
        default:
                return -EIO;
        }
}

int sql_fail(struct book *b, int result, struct error *err)
{
        int r = errno_of(b, result);
        const char *words = b->db ? sqlite3_errmsg(b->db) : sqlite3_errstr(result);
        switch (r) {
        case -EBUSY:
                return error_set(err, r,
                                 "ledger %s: another process has been writing to it for more than %d s; nothing was "
                                 "recorded, try again",
                                 b->path, BOOK_BUSY_MS / 1000);
        case -ENOSPC:
                return error_set(err, r, "ledger %s: there is no room left on its disk; nothing was recorded", b->path);
        case -EBADMSG:
                return sql_damaged(b, err, "%s", words);
        case -EROFS:
                if (b->is_read_only)
                        return error_set(err, r,
                                         "ledger %s cannot be read here: readers make a file beside it; read it as its "
                                         "owner, or copy it to a directory of yours",
                                         b->path);
                return error_set(err, r, "ledger %s cannot be written: %s", b->path, words);
        default:
                return error_set(err, r, "ledger %s: %s", b->path, words);
        }
}

int sql_damaged(struct book *b, struct error *err, const char *fmt, ...)
{
        char words[ERROR_TEXT_MAX / 2];
        va_list args;
        va_start(args, fmt);
        vsnprintf(words, sizeof(words), fmt, args);
        va_end(args);
        return error_set(err, -EBADMSG,
                         "ledger %s is damaged: %s. It was left as it is; sekisho ledger verify tells more; keep the "
                         "file and put a backup in its place",
                         b->path, words);
}

static sqlite3_stmt *prepared(struct book *b, const char *text, int *ret)
{
        for (size_t i = 0; i < b->n_statements; i++)
                if (b->statements[i].text == text)
                        return b->statements[i].st;
        sqlite3_stmt *st = NULL;
        if (b->n_statements == STATEMENTS_MAX) {
                *ret = SQLITE_MISUSE; /* dropping one now could drop one in use */
                return NULL;
        }
        *ret = sqlite3_prepare_v3(b->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
        if (*ret == SQLITE_OK)
                b->statements[b->n_statements++] = (struct statement){ text, st };
        return st;
}

struct query query_of(struct book *b, const char *text)
{
        struct query q = { .b = b, .result = SQLITE_OK };
        q.st = prepared(b, text, &q.result);
        return q;
}

static void bound(struct query *q, int result)
{
        if (q->result == SQLITE_OK)
                q->result = result;
}

void query_text(struct query *q, struct str s)
{
        if (q->result == SQLITE_OK)
                bound(q, sqlite3_bind_text64(q->st, ++q->at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bytes(struct query *q, struct str s)
{
        if (q->result == SQLITE_OK)
                bound(q, sqlite3_bind_blob64(q->st, ++q->at, s.n ? s.p : "", s.n, SQLITE_STATIC));
}

void query_number(struct query *q, int64_t v)
{
        if (q->result == SQLITE_OK)
                bound(q, sqlite3_bind_int64(q->st, ++q->at, v));
}

void query_null(struct query *q)
{
        if (q->result == SQLITE_OK)
                bound(q, sqlite3_bind_null(q->st, ++q->at));
}

int query_next(struct query *q, struct error *err)
{
        int result = q->result == SQLITE_OK ? sqlite3_step(q->st) : q->result;
        q->at = 0;
        if (result == SQLITE_ROW)
                return 1;
        if (result == SQLITE_DONE)
                return 0;
        return sql_fail(q->b, result, err);
}

int query_run(struct query *q, struct error *err)
{
        int r = query_next(q, err);
        while (r > 0)
                r = query_next(q, err);
        query_end(q);
        return r;
}

void query_end(struct query *q)
{
        if (!q->st)
                return;
        sqlite3_reset(q->st);
        sqlite3_clear_bindings(q->st);
        q->st = NULL;
}

struct str column_bytes(struct query *q, struct arena *arena)
{
        int i = q->at++;
        const void *p = sqlite3_column_blob(q->st, i);
        struct str s = str_span(p, p ? (size_t)sqlite3_column_bytes(q->st, i) : 0);
        return arena ? arena_str(arena, s) : s;
}

struct str column_text(struct query *q, struct arena *arena)
{
        int i = q->at++;
        const void *p = sqlite3_column_text(q->st, i);
        struct str s = str_span(p, p ? (size_t)sqlite3_column_bytes(q->st, i) : 0);
        return arena ? arena_str(arena, s) : s;
}

int64_t column_number(struct query *q) { return sqlite3_column_int64(q->st, q->at++); }

bool column_hash(struct query *q, uint8_t ret[static BOOK_HASH_BYTES])
{
        bool is_blob = sqlite3_column_type(q->st, q->at) == SQLITE_BLOB;
        struct str s = column_bytes(q, NULL);
        memset(ret, 0, BOOK_HASH_BYTES);
        if (!is_blob || s.n != BOOK_HASH_BYTES)
                return false;
        memcpy(ret, s.p, BOOK_HASH_BYTES);
        return true;
}

int sql_run(struct book *b, const char *text, struct error *err)
{
        int result = sqlite3_exec(b->db, text, NULL, NULL, NULL);
        return result == SQLITE_OK ? 0 : sql_fail(b, result, err);
}

int sql_number(struct book *b, const char *text, int64_t *ret, struct error *err)
{
        sqlite3_stmt *st = NULL;
        int result = sqlite3_prepare_v2(b->db, text, -1, &st, NULL);
        if (result == SQLITE_OK)
                result = sqlite3_step(st);
        if (result == SQLITE_ROW)
                *ret = sqlite3_column_int64(st, 0);
        int r = result == SQLITE_ROW ? 0 : sql_fail(b, result == SQLITE_DONE ? SQLITE_CORRUPT : result, err);
        sqlite3_finalize(st);
        return r;
}

void sql_forget(struct book *b)
{
        for (size_t i = 0; i < b->n_statements; i++)
                sqlite3_finalize(b->statements[i].st);
        b->n_statements = 0;
}

int write_begin(struct book *b, struct error *err)
{
        if (b->is_read_only)
                return error_set(err, -EROFS, "ledger %s was opened to be read only", b->path);
        return sql_run(b, "BEGIN IMMEDIATE", err);
}

int write_end(struct book *b, int r, struct error *err)
{
        int e = r >= 0 ? sql_run(b, "COMMIT", err) : r;
        /* A failed commit, or a full disk, may have ended the transaction already: then there is nothing to undo. */
        if (e < 0 && !sqlite3_get_autocommit(b->db))
                (void)sql_run(b, "ROLLBACK", NULL);
        return e < 0 ? e : r;
}

int snapshot_begin(struct book *b, struct error *err) { return sql_run(b, "BEGIN", err); }

int snapshot_end(struct book *b, int r)
{
        if (!sqlite3_get_autocommit(b->db))
                (void)sql_run(b, "ROLLBACK", NULL);
        return r;
}
