/*
 * See feeds.h. A directory is packed into a tar by a producer, so that the worker gets one descriptor whatever the
 * input is. One worker at a time: the facts of a feed belong together, and the same inputs must give the same database.
 */
#include "flow/feeds.h"

#include "base/fs.h"
#include "proc/worker.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKER_MEMORY_BYTES (UINT64_C(1) << 30)
#define FACTS_PER_SIGN      4096

struct reading {
        struct feed_input *input;
        struct db_builder *builder;
        const struct feeds_watch *watch;
        uint64_t facts;
};

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

/* Copies exactly `size` bytes: what a file that shrinks meanwhile lacks becomes NULs, which no importer takes for a
 * record. */
static int pack_content(struct archive *to, const char *path, int64_t size, struct error *err)
{
        static char chunk[64 << 10];
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        while (size > 0) {
                ssize_t n = read(fd, chunk, (size_t)MIN(size, (int64_t)sizeof(chunk)));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_errno(err, -errno, "cannot read %s", path);
                if (n == 0) {
                        n = (ssize_t)MIN(size, (int64_t)sizeof(chunk));
                        memset(chunk, 0, (size_t)n);
                }
                if (archive_write_data(to, chunk, (size_t)n) < 0)
                        return error_set(err, -EPIPE, "the worker stopped reading");
                size -= n;
        }
        return 0;
}

static int pack_file(struct archive *to, const FTSENT *file, struct error *err)
{
        struct archive_entry *entry = archive_entry_new();
        if (!entry)
                return error_set(err, -ENOMEM, "out of memory");
        archive_entry_set_pathname(entry, file->fts_path);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, file->fts_statp->st_size);
        int r = archive_write_header(to, entry) == ARCHIVE_OK ? 0
                                                              : error_set(err, -EPIPE, "the worker stopped reading");
        archive_entry_free(entry);
        return r < 0 ? r : pack_content(to, file->fts_accpath, file->fts_statp->st_size, err);
}

static int pack_tree(struct archive *to, FTS *tree, struct error *err)
{
        const FTSENT *file;
        int r = 0;
        while (r >= 0 && (errno = 0, file = fts_read(tree)) != NULL) {
                if (file->fts_info == FTS_DNR || file->fts_info == FTS_ERR || file->fts_info == FTS_NS)
                        r = error_errno(err, -file->fts_errno, "cannot read %s", file->fts_path);
                else if (file->fts_info == FTS_F && import_is_feed_file(str_of(file->fts_name)))
                        r = pack_file(to, file, err);
        }
        return r;
}

/* Producer: the feed files below a directory as a tar, links not followed. */
static int pack_directory(void *arg, int out_fd, struct error *err)
{
        const struct feed_input *in = arg;
        char *paths[] = { (char *)in->path, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
        struct archive *to = archive_write_new();
        int r = 0;
        if (!tree || !to || archive_write_set_format_pax_restricted(to) != ARCHIVE_OK ||
            archive_write_open_fd(to, out_fd) != ARCHIVE_OK)
                r = error_set(err, -ENOMEM, "cannot read %s", in->path);
        if (r == 0)
                r = pack_tree(to, tree, err);
        if (r == 0 && archive_write_close(to) != ARCHIVE_OK)
                r = error_set(err, -EPIPE, "the worker stopped reading");
        archive_write_free(to);
        if (tree)
                fts_close(tree);
        return r;
}

static int on_open(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        struct reading *r = arg;
        const char *path = r->input->path;
        struct stat st;
        db_builder_feed(r->builder, &r->input->feed);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        if (S_ISDIR(st.st_mode))
                return producer_start(pack_directory, r->input, ret_fd, ret_producer, err);
        if (!S_ISREG(st.st_mode))
                return error_set(err, -EINVAL, "%s is neither a file nor a directory", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        struct reading *r = arg;
        char name[256];
        snprintf(name, sizeof(name), "%.*s", STR_FMT(r->input->feed.name));
        return import_run(r->input->importer, fd, name, out, err);
}

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct reading *r = arg;
        if (kind == FACT_unread && r->watch->malformed) {
                const struct fact_unread *u = fact;
                r->watch->malformed(r->watch->arg, r->input, u->path, u->detail);
        }
        if (kind == FACT_feed) {
                const struct fact_feed *f = fact;
                r->input->records = f->records;
                r->input->skipped = f->skipped;
        }
        if (++r->facts % FACTS_PER_SIGN == 0 && r->watch->reading)
                r->watch->reading(r->watch->arg, r->input, r->facts);
        sink_put(db_builder_sink(r->builder), kind, fact);
}

static void on_end(void *arg, int result, const char *why)
{
        struct reading *r = arg;
        r->input->result = result;
        snprintf(r->input->why, sizeof(r->input->why), "%s", why);
        if (result == -ENOMSG)
                db_builder_drop_feed(r->builder);
}

int feeds_import(struct feed_input *inputs, size_t n, struct db_builder *b, const struct feeds_watch *watch,
                 struct error *err)
{
        for (size_t i = 0; i < n; i++) {
                struct reading r = { .input = &inputs[i], .builder = b, .watch = watch };
                struct job job = { .name = inputs[i].path,
                                   .open = on_open,
                                   .run = run,
                                   .on_fact = on_fact,
                                   .on_end = on_end,
                                   .arg = &r,
                                   .memory_max = WORKER_MEMORY_BYTES };
                int e = workers_run(&job, 1, 1, err);
                if (e < 0)
                        return e;
        }
        return 0;
}

struct str feed_name_of(const char *path)
{
        static const char *const endings[] = { ".xz",  ".gz",   ".zst",    ".bz2", ".zip", ".tar",
                                               ".tgz", ".json", ".ndjson", ".csv", ".tsv", ".jsonl" };
        struct str name = str_of(path);
        while (name.n > 1 && str_ends(name, STR("/")))
                name = str_upto(name, name.n - 1);
        name = str_from(name, (size_t)(str_rfind_char(name, '/') + 1));
        for (size_t i = 0; i < ARRAY_SIZE(endings);) {
                bool ends = name.n > strlen(endings[i]) && str_ends(name, str_of(endings[i]));
                name = ends ? str_upto(name, name.n - strlen(endings[i])) : name;
                i = ends ? 0 : i + 1;
        }
        return name;
}

static bool is_packed(struct str name)
{
        static const char *const endings[] = { ".xz", ".gz", ".zst", ".bz2", ".zip", ".tar", ".tgz" };
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (str_ends(name, str_of(endings[i])))
                        return true;
        return false;
}

static int is_feed_entry(const struct dirent *e)
{
        struct str name = str_of(e->d_name);
        return is_packed(name) || import_is_feed_file(name);
}

int feeds_in_directory(const char *directory, struct arena *arena, struct str_list *ret, struct error *err)
{
        struct dirent **entries = NULL;
        bool any_packed = false;
        int n = scandir(directory, &entries, is_feed_entry, alphasort);
        if (n < 0)
                return error_errno(err, -errno, "cannot read %s", directory);
        struct str *paths = arena_array(arena, (size_t)n, sizeof(*paths));
        for (int i = 0; i < n; i++) {
                any_packed = any_packed || is_packed(str_of(entries[i]->d_name));
                paths[i] = arena_printf(arena, "%s/%s", directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        *ret = (struct str_list){ paths, any_packed ? (size_t)n : 0 };
        return 0;
}
