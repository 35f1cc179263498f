/* See db-update.h. */
#include "flow/db-update.h"

#include "base/date.h"
#include "base/fs.h"
#include "proc/worker.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

struct update {
        const struct update_options *o;
        struct feed_report *reports;
        size_t n;
        struct db *old; /* NULL: there is none that can be read */
        struct arena arena;
        bool *is_new; /* of each feed: NAME.new is to be used */
};

static struct feed_place place_of(const struct update *u, size_t i)
{
        return (struct feed_place){ u->o->directory, &u->o->list->feeds.v[i] };
}

static bool has_data(const struct update *u, size_t i)
{
        struct feed_place place = place_of(u, i);
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        return feed_path(&place, "data", &path) && access(path.p, R_OK) == 0;
}

static void fail_feed(struct update *u, size_t i, const char *why)
{
        struct feed_report *r = &u->reports[i];
        r->outcome = has_data(u, i) ? FEED_OUT_KEPT : FEED_OUT_FAILED;
        snprintf(r->why, sizeof(r->why), "%s", why);
}

/* --- downloads --- */

static int download(struct update *u, size_t i)
{
        struct feed_place place = place_of(u, i);
        struct feed_report *report = &u->reports[i];
        struct http_options options = { .ca_file = u->o->ca_file, .plain_http = place.feed->plain_http };
        struct error err = ERROR_NONE;
        _cleanup_(http_freep) struct http *http = NULL;
        int r = http_new(&options, &http, &err);
        if (r == 0)
                r = feed_download(http, &place, u->o->now, u->o->watch.downloading, u->o->watch.arg, &err);
        if (workers_interrupted())
                return -EINTR;
        report->outcome = r == FEED_UNCHANGED ? FEED_OUT_UNCHANGED : FEED_OUT_NEW;
        u->is_new[i] = r == 0;
        struct feed_file file;
        if (r < 0)
                fail_feed(u, i, err.text);
        else if (feed_file_read(&place, r == 0 ? "new.meta" : "meta", &file))
                report->size = file.size;
        if (u->o->watch.downloaded)
                u->o->watch.downloaded(u->o->watch.arg, report);
        return 0;
}

/* Whether the database that is there was made of these very files. */
static bool is_needed(const struct update *u)
{
        if (u->o->force || !u->old || db_feeds(u->old) != u->n)
                return true;
        for (size_t i = 0; i < u->n; i++) {
                struct db_feed f;
                if (u->is_new[i] || !db_feed(u->old, i, &f) || !str_is(f.name, u->o->list->feeds.v[i].name))
                        return true;
        }
        return false;
}

/* --- building --- */

/* The feeds that have a file, as inputs; ret_index says which feed each is. */
static size_t make_inputs(struct update *u, struct feed_input *inputs, size_t *ret_index)
{
        size_t n = 0;
        for (size_t i = 0; i < u->n; i++) {
                struct feed_place place = place_of(u, i);
                struct feed_file *file = arena_new(&u->arena, struct feed_file);
                _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
                if (!feed_path(&place, u->is_new[i] ? "new" : "data", &path) ||
                    (!u->is_new[i] && u->reports[i].outcome == FEED_OUT_FAILED))
                        continue;
                (void)feed_file_read(&place, u->is_new[i] ? "new.meta" : "meta", file);
                u->reports[i].fetched = file->fetched;
                time_t modified = file->last_modified[0] ? curl_getdate(file->last_modified, NULL) : -1;
                ret_index[n] = i;
                inputs[n++] = (struct feed_input){
                        .feed = { .name = str_of(place.feed->name),
                                  .source = str_of(place.feed->url),
                                  .date = modified > 0 ? modified : 0,
                                  .fetched = file->fetched },
                        .path = arena_cstr(&u->arena, buf_str(&path)),
                        .importer = place.feed->importer,
                };
        }
        return n;
}

/* Records that the feed brought to the old database; 0: none, or not known. */
static uint64_t old_records(const struct update *u, struct str name)
{
        struct db_feed f;
        for (size_t i = 0; u->old && i < db_feeds(u->old); i++)
                if (db_feed(u->old, i, &f) && str_eq(f.name, name))
                        return f.records;
        return 0;
}

/* True, with words, if a feed that was read is not to be used. */
static bool is_doubtful(const struct update *u, const struct feed_input *in, bool is_new,
                        char why[static ERROR_TEXT_MAX])
{
        uint64_t before = is_new && !u->o->force ? old_records(u, in->feed.name) : 0;
        if (in->result < 0)
                snprintf(why, ERROR_TEXT_MAX, "%s", in->why);
        else if (in->records == 0)
                snprintf(why, ERROR_TEXT_MAX, "not one usable record in what was downloaded (%llu skipped)",
                         (unsigned long long)in->skipped);
        else if (in->records < before / 2)
                snprintf(why, ERROR_TEXT_MAX, "only %llu records, before it had %llu (--force takes it)",
                         (unsigned long long)in->records, (unsigned long long)before);
        else
                return false;
        return true;
}

/*
 * Reads all feeds into a builder. 0: all good; 1: some were not, they are marked and the builder is spoilt; < 0: fatal.
 */
static int try_build(struct update *u, struct db_builder *b, struct error *err)
{
        _cleanup_(freep) struct feed_input *inputs = xcalloc(u->n + 1, sizeof(*inputs));
        _cleanup_(freep) size_t *index = xcalloc(u->n + 1, sizeof(*index));
        size_t n = make_inputs(u, inputs, index);
        if (n == 0)
                return error_set(err, -ENODATA, "not one feed could be had");
        int r = feeds_import(inputs, n, b, &u->o->watch.feeds, err);
        for (size_t k = 0; r >= 0 && k < n; k++) {
                size_t i = index[k];
                char why[ERROR_TEXT_MAX];
                u->reports[i].records = inputs[k].records;
                u->reports[i].skipped = inputs[k].skipped;
                if (!is_doubtful(u, &inputs[k], u->is_new[i], why))
                        continue;
                struct feed_place place = place_of(u, i);
                bool was_new = u->is_new[i];
                if (was_new)
                        feed_reject(&place);
                fail_feed(u, i, why);
                if (!was_new)
                        u->reports[i].outcome = FEED_OUT_FAILED;
                u->is_new[i] = false;
                r = 1;
        }
        return r;
}

/* Each round takes out at least one file, so there are at most two for each feed. */
static int build(struct update *u, struct db_builder **ret, struct error *err)
{
        for (;;) {
                struct db_builder *b = db_builder_new(u->o->keep_summaries);
                int r = try_build(u, b, err);
                if (r == 0) {
                        *ret = b;
                        return 0;
                }
                db_builder_free(b);
                if (r < 0)
                        return r;
        }
}

static int check_size(const struct db *now, const char *path, struct error *err)
{
        _cleanup_(db_closep) struct db *old = NULL;
        if (db_open(path, &old, NULL) < 0 || db_advisories(now) >= db_advisories(old) / 2)
                return 0;
        return error_set(
                err, -ESTALE,
                "the new database has %llu advisories, the one in %s has %llu: kept the old one (--force replaces it)",
                (unsigned long long)db_advisories(now), path, (unsigned long long)db_advisories(old));
}

int database_replace(struct db_builder *b, const char *path, bool force, struct error *err)
{
        _cleanup_(db_closep) struct db *now = NULL;
        struct output o;
        int r = output_open(&o, path, err);
        if (r < 0)
                return r;
        r = db_builder_write(b, o.stream, err);
        if (r == 0 && o.temporary) { /* else it is a pipe or a device */
                r = db_open(o.temporary, &now, err);
                if (r == 0)
                        r = db_verify(now, err);
                if (r == 0 && !force)
                        r = check_size(now, path, err);
        }
        if (r == 0 && workers_interrupted())
                r = error_set(err, -EINTR, "interrupted");
        if (r < 0) {
                output_abort(&o);
                return r == -ESTALE ? r : error_prefix(err, r, "%s", path);
        }
        return output_commit(&o, err);
}

/* --- all of it --- */

static int accept_new(struct update *u, struct error *err)
{
        for (size_t i = 0; i < u->n; i++) {
                struct feed_place place = place_of(u, i);
                int r = u->is_new[i] ? feed_accept(&place, err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int update_locked(struct update *u, struct error *err)
{
        _cleanup_(db_builder_freep) struct db_builder *b = NULL;
        for (size_t i = 0; i < u->n; i++) {
                int r = download(u, i);
                if (r < 0)
                        return error_set(err, r, "interrupted");
        }
        if (!is_needed(u))
                return UPDATE_NOT_NEEDED;
        int r = build(u, &b, err);
        if (r == 0 && !is_needed(u)) /* what was new has been rejected */
                return UPDATE_NOT_NEEDED;
        if (r == 0)
                r = database_replace(b, u->o->database, u->o->force, err);
        return r < 0 ? r : accept_new(u, err);
}

/* Only one update at a time: they would write into each other's files. */
static int lock_directory(const char *directory, int *ret_fd, struct error *err)
{
        int r = make_dirs(directory, 0755);
        if (r < 0)
                return error_errno(err, r, "cannot make %s", directory);
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "cannot open %s", directory);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = -errno;
                (void)close_fd(fd);
                return r == -EWOULDBLOCK ? error_set(err, r, "another update is at work in %s", directory)
                                         : error_errno(err, r, "cannot lock %s", directory);
        }
        *ret_fd = fd;
        return 0;
}

int db_update(const struct update_options *o, struct feed_report *reports, struct error *err)
{
        struct update u = { .o = o, .reports = reports, .n = o->list->feeds.n };
        _cleanup_(closep) int lock = -1;
        int r = lock_directory(o->directory, &lock, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < u.n; i++)
                reports[i] = (struct feed_report){ .feed = &o->list->feeds.v[i] };
        (void)db_open(o->database, &u.old, NULL);
        u.is_new = xcalloc(u.n + 1, sizeof(*u.is_new));
        r = update_locked(&u, err);
        free(u.is_new);
        db_close(u.old);
        arena_done(&u.arena);
        return r;
}
