/*
 * See feed-download.h. RFC 9110: ETag and Last-Modified with If-None-Match and If-Modified-Since for what is whole,
 * with Range and If-Range for what broke off. What the server sends is only stored here; whether it is a feed is for
 * others.
 */
#include "flow/feed-download.h"

#include "base/fs.h"
#include "read/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES          4
#define META_MAX_BYTES 65536

bool feed_path(const struct feed_place *place, const char *suffix, struct buf *ret)
{
        buf_clear(ret);
        buf_printf(ret, "%s/%s.%s", place->directory, place->feed->name, suffix);
        return !buf_is_full(ret);
}

/* --- what is known of a file --- */

static void copy_member(const json_t *j, const char *name, char *to, size_t size)
{
        const char *value = json_string_value(json_object_get(j, name));
        snprintf(to, size, "%s", value ? value : "");
}

bool feed_file_read(const struct feed_place *place, const char *suffix, struct feed_file *ret)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096), text = BUF_INIT(META_MAX_BYTES);
        if (!feed_path(place, suffix, &path) || read_file(path.p, &text, NULL) < 0)
                return false;
        json_t *j = json_loadb(text.n ? text.p : "", text.n, 0, NULL);
        bool ok = json_is_object(j);
        *ret = (struct feed_file){ 0 };
        copy_member(j, "url", ret->url, sizeof(ret->url));
        copy_member(j, "etag", ret->etag, sizeof(ret->etag));
        copy_member(j, "last_modified", ret->last_modified, sizeof(ret->last_modified));
        copy_member(j, "sha256", ret->sha256, sizeof(ret->sha256));
        ret->size = (uint64_t)MAX(json_integer_value(json_object_get(j, "size")), 0);
        ret->fetched = MAX(json_integer_value(json_object_get(j, "fetched")), 0);
        json_decref(j);
        return ok && strcmp(ret->url, place->feed->url) == 0; /* of another URL: of no use */
}

static int feed_file_write(const struct feed_place *place, const char *suffix, const struct feed_file *f,
                           struct error *err)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        struct output o;
        (void)feed_path(place, suffix, &path);
        int r = output_open(&o, path.p, err);
        if (r < 0)
                return r;
        json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "url", f->url, "etag", f->etag, "last_modified",
                              f->last_modified, "sha256", f->sha256, "size", (json_int_t)f->size, "fetched",
                              (json_int_t)f->fetched);
        bool ok = j && json_dumpf(j, o.stream, JSON_INDENT(2)) == 0 && fputc('\n', o.stream) != EOF;
        json_decref(j);
        if (!ok) {
                output_abort(&o);
                return error_set(err, -EIO, "cannot write %s", path.p);
        }
        return output_commit(&o, err);
}

static void remove_file(const struct feed_place *place, const char *suffix)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        if (feed_path(place, suffix, &path))
                (void)unlink(path.p);
}

static int rename_file(const struct feed_place *place, const char *from, const char *to, struct error *err)
{
        _cleanup_(buf_done) struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
        (void)feed_path(place, from, &a);
        (void)feed_path(place, to, &b);
        return rename(a.p, b.p) < 0 ? error_errno(err, -errno, "cannot rename %s", a.p) : 0;
}

/* --- a transfer --- */

struct transfer {
        const struct feed_place *place;
        struct feed_file file;     /* of what the part holds */
        int fd;                    /* of the part */
        uint64_t have, asked_from; /* bytes in it; where this request goes on */
        bool begun;                /* this request has brought something */
        void (*got)(void *arg, const struct feed_config *feed, uint64_t bytes, uint64_t total);
        void *arg;
};

/* The first bytes of an answer: goes on with the part, or starts it over. */
static int begin(struct transfer *t, const struct http_response *r, struct error *err)
{
        t->begun = true;
        if (r->status == 206) {
                if (!r->has_range || r->range_start != t->asked_from)
                        return error_set(err, -EPROTO, "the server sent another part than it was asked for");
                return 0;
        }
        snprintf(t->file.etag, sizeof(t->file.etag), "%s", r->etag);
        snprintf(t->file.last_modified, sizeof(t->file.last_modified), "%s", r->last_modified);
        t->have = 0;
        if (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0)
                return error_errno(err, -errno, "cannot write into %s", t->place->directory);
        return feed_file_write(t->place, "part.meta", &t->file, err);
}

static int on_body(void *arg, const struct http_response *r, const void *p, size_t n, struct error *err)
{
        struct transfer *t = arg;
        int e = t->begun ? 0 : begin(t, r, err);
        if (e < 0)
                return e;
        if (t->have + n > t->place->feed->max_bytes)
                return error_set(err, -EFBIG, "more than the %llu MiB allowed for it (max-mib= in the list of feeds)",
                                 (unsigned long long)(t->place->feed->max_bytes >> 20));
        e = write_all(t->fd, p, n);
        if (e < 0)
                return error_errno(err, e, "cannot write into %s", t->place->directory);
        t->have += n;
        uint64_t total = r->status == 206 ? r->range_total : r->content_length;
        if (t->got)
                t->got(t->arg, t->place->feed, t->have, total == UINT64_MAX ? 0 : total);
        return 0;
}

/* Whether the part can be gone on with: only what has a validator that If-Range may carry. */
static const char *validator_of(const struct feed_file *f)
{
        if (f->etag[0] && strncmp(f->etag, "W/", 2) != 0)
                return f->etag;
        return f->last_modified[0] ? f->last_modified : NULL;
}

static int open_part(struct transfer *t, struct error *err)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        struct stat st;
        if (!feed_path(t->place, "part", &path))
                return error_set(err, -ENAMETOOLONG, "%s is too long a path", t->place->directory);
        t->fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (t->fd < 0 || fstat(t->fd, &st) < 0)
                return error_errno(err, -errno, "cannot write %s", path.p);
        bool is_usable = feed_file_read(t->place, "part.meta", &t->file) && validator_of(&t->file);
        if (!is_usable)
                t->file = (struct feed_file){ 0 };
        snprintf(t->file.url, sizeof(t->file.url), "%s", t->place->feed->url);
        t->have = is_usable ? (uint64_t)st.st_size : 0;
        return lseek(t->fd, 0, SEEK_END) < 0 ? error_errno(err, -errno, "cannot write %s", path.p) : 0;
}

static int digest_part(struct transfer *t, struct error *err)
{
        static char chunk[256 << 10];
        struct digest digest;
        uint8_t bytes[DIGEST_MAX];
        int r = 0;
        digest_init(&digest, DIGEST_SHA256);
        for (uint64_t at = 0; r == 0 && at < t->have;) {
                ssize_t n = pread(t->fd, chunk, sizeof(chunk), (off_t)at);
                if (n > 0) {
                        digest_add(&digest, chunk, (size_t)n);
                        at += (uint64_t)n;
                } else if (n == 0 || errno != EINTR) {
                        r = error_errno(err, n < 0 ? -errno : -EIO, "cannot read back what was downloaded");
                }
        }
        digest_end(&digest, bytes);
        digest_done(&digest);
        for (size_t i = 0; i < digest_size(DIGEST_SHA256); i++)
                snprintf(t->file.sha256 + 2 * i, 3, "%02x", bytes[i]);
        return r;
}

/* The part is whole: it becomes NAME.new, or nothing if it is what NAME.data holds already. */
static int complete(struct transfer *t, int64_t now, struct error *err)
{
        struct feed_file old;
        int r = digest_part(t, err);
        if (r < 0)
                return r;
        t->file.size = t->have;
        t->file.fetched = now;
        if (feed_file_read(t->place, "meta", &old) && strcmp(old.sha256, t->file.sha256) == 0) {
                feed_reject(t->place);
                remove_file(t->place, "part");
                remove_file(t->place, "part.meta");
                r = feed_file_write(t->place, "meta", &t->file, err);
                return r < 0 ? r : FEED_UNCHANGED;
        }
        if (fsync(t->fd) < 0 && errno != EINVAL && errno != EROFS)
                return error_errno(err, -errno, "cannot write into %s", t->place->directory);
        r = feed_file_write(t->place, "new.meta", &t->file, err);
        if (r == 0)
                r = rename_file(t->place, "part", "new", err);
        remove_file(t->place, "part.meta");
        return r;
}

static int request(struct http *http, struct transfer *t, const struct feed_file *good, struct http_response *response,
                   struct error *err)
{
        char conditions[2][512];
        const char *headers[3] = { 0 };
        size_t n = 0;
        if (t->have) {
                snprintf(conditions[0], sizeof(conditions[0]), "If-Range: %s", validator_of(&t->file));
                headers[n++] = conditions[0];
        } else {
                if (good && good->etag[0]) {
                        snprintf(conditions[n], sizeof(conditions[n]), "If-None-Match: %s", good->etag);
                        headers[n] = conditions[n];
                        n++;
                }
                if (good && good->last_modified[0]) {
                        snprintf(conditions[n], sizeof(conditions[n]), "If-Modified-Since: %s", good->last_modified);
                        headers[n] = conditions[n];
                        n++;
                }
        }
        struct http_request q = {
                .url = t->place->feed->url,
                .headers = headers,
                .offset = t->have,
                .max_bytes = t->place->feed->max_bytes,
                .on_body = on_body,
                .arg = t,
        };
        t->asked_from = t->have;
        t->begun = false;
        return http_get(http, &q, response, err);
}

/* Starts the part over. */
static void forget_part(struct transfer *t)
{
        (void)!ftruncate(t->fd, 0);
        (void)lseek(t->fd, 0, SEEK_SET);
        t->have = 0;
}

/* The newest whole file that we have: NAME.new of a run that did not come to its end, or NAME.data. NULL: none. */
static const char *whole_file(const struct feed_place *place, struct feed_file *ret)
{
        static const char *const kinds[][2] = { { "new", "new.meta" }, { "data", "meta" } };
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (feed_path(place, kinds[i][0], &path) && access(path.p, R_OK) == 0 &&
                    feed_file_read(place, kinds[i][1], ret))
                        return kinds[i][1];
        return NULL;
}

static int transfer(struct http *http, struct transfer *t, int64_t now, struct error *err)
{
        struct feed_file good;
        struct http_response response;
        const char *have = whole_file(t->place, &good);
        int r = 0;
        for (unsigned tries = 0; tries < TRIES; tries++) {
                r = request(http, t, have ? &good : NULL, &response, err);
                if (r == HTTP_BROKEN) {
                        if (!validator_of(&t->file))
                                forget_part(t);
                        continue;
                }
                if (r < 0)
                        return r;
                if (response.status == 304 && have && t->asked_from == 0) {
                        good.fetched = now;
                        r = feed_file_write(t->place, have, &good, err);
                        return r < 0 || strcmp(have, "meta") != 0 ? r : FEED_UNCHANGED;
                }
                if (response.status == 200 || response.status == 206) {
                        if (!t->begun) /* an empty answer */
                                forget_part(t);
                        if (response.status == 206 && response.range_total != UINT64_MAX &&
                            t->have != response.range_total)
                                return error_set(err, -EPROTO, "the server sent less than it said");
                        return complete(t, now, err);
                }
                if (response.status != 416 || !t->asked_from)
                        return error_set(err, -EIO, "the server answered with status %ld", response.status);
                forget_part(t); /* it has become shorter than what we have */
        }
        return r == HTTP_BROKEN ? error_prefix(err, -EIO, "broke off %d times", TRIES)
                                : error_set(err, -EIO, "the server refuses every part of it");
}

int feed_download(struct http *http, const struct feed_place *place, int64_t now,
                  void (*got)(void *arg, const struct feed_config *feed, uint64_t bytes, uint64_t total), void *arg,
                  struct error *err)
{
        struct transfer *t = xcalloc(1, sizeof(*t));
        *t = (struct transfer){ .place = place, .fd = -1, .got = got, .arg = arg };
        int r = open_part(t, err);
        if (r == 0)
                r = transfer(http, t, now, err);
        if (r == -EFBIG) /* to go on with it would be no better */
                forget_part(t);
        (void)close_fd(t->fd);
        if (t->have == 0)
                remove_file(place, "part");
        free(t);
        return r;
}

int feed_accept(const struct feed_place *place, struct error *err)
{
        int r = rename_file(place, "new", "data", err);
        return r < 0 ? r : rename_file(place, "new.meta", "meta", err);
}

void feed_reject(const struct feed_place *place)
{
        remove_file(place, "new");
        remove_file(place, "new.meta");
}
