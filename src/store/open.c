/*
 * Where the ledger is, opening it, making it, bringing an older one up to date.
 *
 * A new ledger is made whole under another name and then linked into place, so that a file that exists is a ledger or
 * is damaged: there is no instant at which an empty one stands there. Therefore an existing file is never made anew.
 */
#include "store/internal.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_PLACE "/var/lib/sekisho/ledger.db"
/* What other processes may want to do meanwhile is in the write-ahead log; what is acknowledged is on the disk. */
#define SETTINGS                                                                                                       \
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"       \
        "PRAGMA recursive_triggers=ON"

bool book_default_path(struct buf *ret)
{
        const char *named = env_or("SEKISHO_LEDGER", NULL), *state = env_or("XDG_STATE_HOME", NULL),
                   *home = env_or("HOME", NULL);
        buf_clear(ret);
        if (named)
                buf_puts(ret, named);
        else if (geteuid() == 0)
                buf_puts(ret, SYSTEM_PLACE);
        else if (state || home)
                buf_printf(ret, "%s%s/sekisho/ledger.db", state ? state : home, state ? "" : "/.local/state");
        else
                return false;
        return !buf_is_full(ret);
}

/* The connection and its settings; nothing of the file is believed yet. */
static int connect_to(struct book *b, int flags, struct error *err)
{
        int result = sqlite3_open_v2(b->path, &b->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        if (result != SQLITE_OK)
                return sql_fail(b, result, err);
        sqlite3_busy_timeout(b->db, BOOK_BUSY_MS);
        sqlite3_db_config(b->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_limit(b->db, SQLITE_LIMIT_LENGTH, (int)BOOK_BODY_MAX);
        sqlite3_limit(b->db, SQLITE_LIMIT_ATTACHED, 0);
        return sql_run(b, SETTINGS, err);
}

static int disconnect(struct book *b, int r, struct error *err)
{
        sql_forget(b);
        int result = sqlite3_close(b->db);
        b->db = NULL;
        return r == 0 && result != SQLITE_OK ? sql_fail(b, result, err) : r;
}

/* --- making --- */

static int make_in(struct book *b, unsigned schema, struct error *err)
{
        char mark[64];
        snprintf(mark, sizeof(mark), "PRAGMA application_id=%d", APPLICATION_ID);
        int r = connect_to(b, SQLITE_OPEN_READWRITE, err);
        if (r == 0)
                r = write_begin(b, err);
        if (r == 0) {
                r = sql_run(b, mark, err);
                if (r == 0)
                        r = schema_migrate(b, 0, schema, err);
                r = write_end(b, r, err);
        }
        if (r == 0)
                r = sql_run(b, "PRAGMA journal_mode=WAL", err);
        return disconnect(b, r, err);
}

static int sync_directory(const char *of)
{
        const char *slash = strrchr(of, '/');
        _cleanup_(freep) char *name = slash ? str_dup(str_span(of, slash == of ? 1 : (size_t)(slash - of))) : NULL;
        _cleanup_(closep) int fd = open(slash ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Whoever links first has made the ledger; the other one's is thrown away. */
static int make(const char *path, unsigned schema, struct error *err)
{
        char temporary[PATH_MAX];
        if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new-XXXXXX", path) >= sizeof(temporary))
                return error_set(err, -ENAMETOOLONG, "ledger %s: the name is too long", path);
        _cleanup_(closep) int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
        if (fd < 0)
                return error_errno(err, -errno, "cannot make the ledger %s", path);
        struct book b = { .path = temporary };
        int r = make_in(&b, schema, err);
        if (r < 0)
                (void)error_prefix(err, r, "cannot make the ledger %s", path);
        else if (fsync(fd) < 0 || (link(temporary, path) < 0 && errno != EEXIST))
                r = error_errno(err, -errno, "cannot make the ledger %s", path);
        else
                r = sync_directory(path);
        if (r < 0 && err && !*err->text)
                (void)error_errno(err, r, "cannot make the ledger %s", path);
        (void)unlink(temporary);
        return r;
}

static int make_directory_of(const char *path, struct error *err)
{
        const char *slash = strrchr(path, '/');
        if (!slash || slash == path)
                return 0;
        _cleanup_(freep) char *name = str_dup(str_span(path, (size_t)(slash - path)));
        if (!name || access(name, F_OK) == 0)
                return 0;
        int r = make_dirs(name, 0700);
        return r < 0 ? error_errno(err, r, "cannot make the directory %s for the ledger", name) : 0;
}

/* --- opening --- */

static int check_mark(struct book *b, struct error *err)
{
        int64_t mark = 0;
        int r = sql_number(b, "PRAGMA application_id", &mark, err);
        if (r == 0 && mark != APPLICATION_ID)
                return error_set(err, -EBADMSG,
                                 "%s is no ledger of sekisho, or its first page is damaged; it was left as it is: name "
                                 "another file, or put a backup in its place",
                                 b->path);
        return r;
}

/* The cheap part of the checks: the log ends where its head says. The rest is for book_verify. */
static int check_head(struct book *b, struct error *err)
{
        int64_t fits = 0;
        int r = sql_number(b,
                           "SELECT count(*) FROM head WHERE length(id) = 32 AND length(hash) = 32 AND sequence = "
                           "(SELECT coalesce(max(sequence), 0) FROM record) AND hash = "
                           "coalesce((SELECT hash FROM record ORDER BY sequence DESC LIMIT 1), id)",
                           &fits, err);
        if (r == 0 && fits != 1)
                return sql_damaged(b, err, "its last record is not the one that was written last");
        return r;
}

static int bring_up_to_date(struct book *b, unsigned to, struct error *err)
{
        int64_t schema = 0;
        int r = sql_number(b, "PRAGMA user_version", &schema, err);
        if (r < 0 || schema == to)
                return r;
        if (schema > SCHEMA_NOW)
                return error_set(err, -EPROTONOSUPPORT,
                                 "ledger %s was made by a newer sekisho (schema %lld, this one knows %u): update "
                                 "sekisho",
                                 b->path, (long long)schema, SCHEMA_NOW);
        if (schema < 1)
                return sql_damaged(b, err, "its schema number is %lld", (long long)schema);
        if (b->is_read_only)
                return error_set(err, -EROFS,
                                 "ledger %s has an older schema (%lld, now %u) and cannot be written here: run sekisho "
                                 "ledger status once as its owner",
                                 b->path, (long long)schema, SCHEMA_NOW);
        r = write_begin(b, err);
        if (r < 0)
                return r;
        r = sql_number(b, "PRAGMA user_version", &schema, err); /* another process may have done it */
        if (r == 0 && schema < to)
                r = schema_migrate(b, (unsigned)schema, to, err);
        r = write_end(b, r, err);
        return r < 0 ? error_prefix(err, r, "bringing it from schema %lld to %u", (long long)schema, to) : r;
}

static int check_file(struct book *b, enum book_mode mode, struct error *err)
{
        struct stat st;
        if (stat(b->path, &st) < 0) {
                if (errno == ENOENT || errno == ENOTDIR)
                        return error_set(err, -ENOENT, "there is no ledger at %s yet: sekisho scan --record begins one",
                                         b->path);
                return error_errno(err, -errno, "ledger %s", b->path);
        }
        if (!S_ISREG(st.st_mode))
                return error_set(err, -EINVAL, "ledger %s is not a regular file", b->path);
        if (st.st_size == 0)
                return sql_damaged(b, err, "it is empty");
        b->is_read_only = (mode == BOOK_READ || mode == BOOK_CHECK) && access(b->path, W_OK) < 0;
        return 0;
}

static int open_existing(struct book *b, enum book_mode mode, unsigned schema, struct error *err)
{
        int r = check_file(b, mode, err);
        if (r == 0)
                r = connect_to(b, b->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);
        if (r == 0)
                r = check_mark(b, err);
        if (r == 0 && schema == SCHEMA_NOW)
                r = bring_up_to_date(b, schema, err);
        if (r == 0 && !b->is_read_only)
                r = sql_run(b, "PRAGMA journal_mode=WAL", err); /* in case somebody else's tool changed it */
        if (r == 0 && mode != BOOK_CHECK)
                r = check_head(b, err);
        if (r == 0 && (mode == BOOK_READ || mode == BOOK_CHECK))
                b->is_read_only = true;
        return r;
}

int book_open_as(const char *path, enum book_mode mode, unsigned schema, struct book **ret, struct error *err)
{
        _cleanup_(buf_done) struct buf usual = BUF_INIT(PATH_MAX);
        _cleanup_(book_closep) struct book *b = xcalloc(1, sizeof(*b));
        if (!path && !book_default_path(&usual))
                return error_set(err, -ENOENT,
                                 "no place for a ledger: neither HOME nor XDG_STATE_HOME is set; name a file");
        b->path = xstrdup(path ? path : usual.p);
        int r = 0;
        if (mode == BOOK_CREATE && access(b->path, F_OK) < 0 && errno == ENOENT) {
                r = make_directory_of(b->path, err);
                if (r == 0)
                        r = make(b->path, schema, err);
        }
        if (r == 0)
                r = open_existing(b, mode, schema, err);
        if (r == 0)
                *ret = TAKE_PTR(b);
        return r;
}

int book_open(const char *path, enum book_mode mode, struct book **ret, struct error *err)
{
        return book_open_as(path, mode, SCHEMA_NOW, ret, err);
}

void book_close(struct book *b)
{
        if (!b)
                return;
        (void)disconnect(b, 0, NULL);
        free(b->path);
        free(b);
}

void book_closep(struct book **b) { book_close(*b); }

const char *book_path(const struct book *b) { return b->path; }
