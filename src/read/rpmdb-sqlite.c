/*
 * rpm's database in SQLite (rpmdb.sqlite, rpm 4.16 and later): the table Packages(hnum INTEGER PRIMARY KEY, blob BLOB).
 *
 * SQLite reads the bytes in memory through a file system of ours that has one file and opens nothing: sandboxed workers
 * may not. Two things differ from the bytes as they are. A database in WAL mode says that it is not, for its log is not
 * here (a database at rest has an empty one). A database that was cut seems to have its lost pages, as zeros, so that
 * SQLite gives out what comes before them.
 *
 * Hostile databases: no schema of theirs is trusted, only reading that table is authorised, rows must come in rising
 * order, and the steps of SQLite's machine are counted.
 */
#include "base/cursor.h"
#include "read/rpmdb-internal.h"

#include <sqlite3.h>

enum { HEADER_BYTES = 100, WRITE_VERSION_AT = 18, READ_VERSION_AT = 19 };
enum { STEPS_AT_ONCE = 100000, STEPS_MAX = 2000 /* times STEPS_AT_ONCE */ };

struct memory_file {
        sqlite3_file base;
        struct str bytes;
        sqlite3_int64 size; /* as the database's header has it, if that is more */
};

struct source {
        sqlite3_vfs vfs;
        struct str bytes;
        sqlite3_int64 size;
};

static int file_close(sqlite3_file *file) { return SQLITE_OK; }

static int file_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset)
{
        struct memory_file *f = (struct memory_file *)file;
        memset(to, 0, (size_t)amount);
        if (offset >= f->size)
                return SQLITE_IOERR_SHORT_READ;
        struct str from = str_upto(str_from(f->bytes, (size_t)offset), (size_t)amount);
        if (from.n)
                memcpy(to, from.p, from.n);
        for (sqlite3_int64 at = WRITE_VERSION_AT; at <= READ_VERSION_AT; at++)
                if (at >= offset && at < offset + amount)
                        ((char *)to)[at - offset] = 1; /* not WAL */
        return offset + amount <= f->size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset)
{
        return SQLITE_READONLY;
}
static int file_truncate(sqlite3_file *file, sqlite3_int64 size) { return SQLITE_READONLY; }
static int file_sync(sqlite3_file *file, int flags) { return SQLITE_OK; }

static int file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
        *ret = ((struct memory_file *)file)->size;
        return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level) { return SQLITE_OK; }

static int file_check_reserved(sqlite3_file *file, int *ret)
{
        *ret = 0;
        return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg) { return SQLITE_NOTFOUND; }
static int file_sector_size(sqlite3_file *file) { return 512; }
static int file_characteristics(sqlite3_file *file) { return SQLITE_IOCAP_IMMUTABLE; }

static const sqlite3_io_methods file_methods = {
        .iVersion = 1,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_lock,
        .xCheckReservedLock = file_check_reserved,
        .xFileControl = file_control,
        .xSectorSize = file_sector_size,
        .xDeviceCharacteristics = file_characteristics,
};

static int source_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
        struct source *s = vfs->pAppData;
        struct memory_file *f = (struct memory_file *)file;
        *f = (struct memory_file){ 0 };
        if (!(flags & SQLITE_OPEN_MAIN_DB))
                return SQLITE_CANTOPEN;
        *f = (struct memory_file){ .base.pMethods = &file_methods, .bytes = s->bytes, .size = s->size };
        if (ret_flags)
                *ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
        return SQLITE_OK;
}

static int source_delete(sqlite3_vfs *vfs, const char *name, int sync) { return SQLITE_READONLY; }

static int source_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
        *ret = 0;
        return SQLITE_OK;
}

static int source_full_path(sqlite3_vfs *vfs, const char *name, int n, char *ret)
{
        sqlite3_snprintf(n, ret, "%s", name);
        return SQLITE_OK;
}

static int source_randomness(sqlite3_vfs *vfs, int n, char *ret)
{
        memset(ret, 0, (size_t)n); /* wanted for journals only, and there are none */
        return n;
}

static int source_sleep(sqlite3_vfs *vfs, int microseconds) { return 0; }

static int source_time(sqlite3_vfs *vfs, double *ret)
{
        *ret = 0;
        return SQLITE_OK;
}

/* The size of pages times the number of pages that the header tells, but no less than what is there. */
static sqlite3_int64 size_by_header(struct str bytes)
{
        struct cursor c = cursor_from(bytes);
        cursor_seek(&c, 16);
        uint64_t page_size = cursor_be16(&c);
        cursor_seek(&c, 28);
        uint64_t pages = cursor_be32(&c);
        if (page_size == 1)
                page_size = 65536;
        return cursor_ok(&c) ? (sqlite3_int64)MAX(page_size * pages, (uint64_t)bytes.n) : (sqlite3_int64)bytes.n;
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *database, const char *trigger)
{
        if (action == SQLITE_SELECT)
                return SQLITE_OK;
        if (action == SQLITE_READ && (sqlite3_stricmp(a, "Packages") == 0 || sqlite3_stricmp(a, "sqlite_master") == 0))
                return SQLITE_OK;
        return SQLITE_DENY;
}

static int count_steps(void *arg)
{
        unsigned *left = arg;
        return *left == 0 || --*left == 0;
}

static void read_rows(struct rpmdb_walk *w, sqlite3 *db)
{
        sqlite3_stmt *rows = NULL;
        sqlite3_int64 last = INT64_MIN;
        int r = sqlite3_prepare_v2(db, "SELECT hnum, blob FROM main.Packages NOT INDEXED", -1, &rows, NULL);
        while (r == SQLITE_OK && (r = sqlite3_step(rows)) == SQLITE_ROW) {
                sqlite3_int64 number = sqlite3_column_int64(rows, 0);
                const void *blob = sqlite3_column_blob(rows, 1);
                struct str header = str_span(blob, blob ? (size_t)sqlite3_column_bytes(rows, 1) : 0);
                r = SQLITE_OK;
                if (number <= last) {
                        rpmdb_defect(w, "corrupt", "the rows of the table Packages are not in order", (uint64_t)number);
                        break;
                }
                last = number;
                if (!rpmdb_give(w, header, (uint64_t)number))
                        break;
        }
        if (r != SQLITE_OK && r != SQLITE_DONE)
                rpmdb_defect(w, r == SQLITE_INTERRUPT ? "limit" : "corrupt",
                             r == SQLITE_ERROR ? "there is no table Packages(hnum, blob)" : sqlite3_errmsg(db), 0);
        sqlite3_finalize(rows);
}

static void set_up(sqlite3 *db, unsigned *steps)
{
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, (int)RPMDB_HEADER_MAX);
        sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 10000);
        sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 16);
        sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 10);
        sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
        sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        sqlite3_exec(db,
                     "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cache_size=-2000",
                     NULL, NULL, NULL);
        sqlite3_progress_handler(db, STEPS_AT_ONCE, count_steps, steps);
        sqlite3_set_authorizer(db, authorize, NULL);
}

size_t rpmdb_read_sqlite(struct str bytes, struct rpmdb_visitor *v)
{
        struct rpmdb_walk w = rpmdb_walk_from(bytes, v);
        if (bytes.n < HEADER_BYTES) {
                rpmdb_defect(&w, "truncated", "the file ends inside its header", bytes.n);
                return 0;
        }
        struct source source = { .bytes = bytes, .size = size_by_header(bytes) };
        if (source.size > (sqlite3_int64)bytes.n)
                rpmdb_defect(&w, "truncated", "the file ends before the last page that its header tells", bytes.n);
        char name[32]; /* of its own for each call: other threads may be reading too */
        sqlite3_snprintf(sizeof(name), name, "rpmdb-%p", (void *)&source);
        source.vfs = (sqlite3_vfs){
                .iVersion = 1,
                .szOsFile = sizeof(struct memory_file),
                .mxPathname = 64,
                .zName = name,
                .pAppData = &source,
                .xOpen = source_open,
                .xDelete = source_delete,
                .xAccess = source_access,
                .xFullPathname = source_full_path,
                .xRandomness = source_randomness,
                .xSleep = source_sleep,
                .xCurrentTime = source_time,
        };
        unsigned steps = STEPS_MAX;
        sqlite3 *db = NULL;
        int r = sqlite3_vfs_register(&source.vfs, 0);
        if (r == SQLITE_OK) {
                r = sqlite3_open_v2("rpmdb", &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                                    name);
                if (r == SQLITE_OK) {
                        set_up(db, &steps);
                        read_rows(&w, db);
                } else {
                        rpmdb_defect(&w, "corrupt", sqlite3_errstr(r), 0);
                }
                sqlite3_close(db);
                sqlite3_vfs_unregister(&source.vfs);
        } else {
                rpmdb_defect(&w, "unsupported", sqlite3_errstr(r), 0);
        }
        return w.given;
}
