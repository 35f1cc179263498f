/*
 * See job.h. The bytes of a layer pass once: the pump inflates them on a thread of its own and digests what was stored,
 * this thread digests the tar and walks it. A layer in a stream archive is the same thing once more, fed by the outer
 * archive instead of a descriptor.
 */
#include "flow/job.h"

#include "analyze/walk.h"
#include "read/digest.h"
#include "read/pump.h"
#include "read/tandem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#define PROGRESS_BYTES (4u << 20)
#define DIGEST_TEXT    (7 + 2 * 32 + 1)

/* A stream on its way through the pump, digested on both sides of the inflating. */
struct reading {
        struct stream *stream;
        struct pump *pump;
        struct tandem stored_digest;  /* of the bytes as stored, in the pump's thread */
        struct tandem digest;         /* of the content, in ours; with those of the large files in it */
        const uint8_t *piece;         /* of the content, as the pump gave it last */
        size_t piece_bytes, digested; /* of the piece so far */
        _Atomic uint64_t stored;      /* bytes, counted in the pump's thread */
        uint64_t bytes;               /* of content */
        bool is_plain;                /* stored as it is: both digests are the same */
        bool is_archive;              /* an archive of layers: nobody asks for its digests */
        struct sink *progress;        /* NULL: an inner stream, whose outer one tells */
        uint64_t told;
};

static void on_stored(void *arg, const void *p, size_t n)
{
        struct reading *r = arg;
        if (!r->is_archive)
                tandem_add(&r->stored_digest, p, n);
        atomic_fetch_add_explicit(&r->stored, n, memory_order_relaxed);
}

static void reading_start(struct reading *r, struct stream_source *from, bool is_archive, struct sink *progress)
{
        *r = (struct reading){ .progress = progress, .is_archive = is_archive };
        tandem_init(&r->stored_digest);
        tandem_init(&r->digest);
        from->on_stored = on_stored;
        from->arg = r;
        r->stream = stream_new(from);
        r->pump = pump_start(r->stream);
}

/* Digests the piece up to here: the digest lags behind, so that a file's content can be digested together with it. */
static void digest_up_to(struct reading *r, size_t end)
{
        if (!r->is_plain && !r->is_archive)
                tandem_add(&r->digest, r->piece + r->digested, end - r->digested);
        r->digested = end;
}

/* Digests of a file's content, and of the stream in the same step where the content lies in the piece at hand. */
static void add_to_file(void *arg, unsigned digests, const void *p, size_t n)
{
        struct reading *r = arg;
        size_t offset = (size_t)((uintptr_t)p - (uintptr_t)r->piece); /* huge where p lies elsewhere: a hole's zeros */
        if (r->is_plain || offset < r->digested || offset > r->piece_bytes || n > r->piece_bytes - offset) {
                tandem_add_alone(&r->digest, digests, p, n);
                return;
        }
        digest_up_to(r, offset);
        tandem_add_part(&r->digest, digests, p, n);
        r->digested += n;
}

static void end_file(void *arg, unsigned digests, uint8_t *ret_md5, uint8_t *ret_sha256)
{
        struct reading *r = arg;
        tandem_end_part(&r->digest, digests, ret_md5, ret_sha256);
}

/* A piece_pull. A stream that breaks is an end here; pump_error tells. */
static ssize_t reading_pull(void *arg, const void **ret_p)
{
        struct reading *r = arg;
        digest_up_to(r, r->piece_bytes);
        ssize_t n = pump_pull(r->pump, ret_p);
        r->piece = n > 0 ? *ret_p : NULL;
        r->piece_bytes = n > 0 ? (size_t)n : 0;
        r->digested = 0;
        if (n <= 0)
                return 0;
        if (!r->bytes)
                r->is_plain = stream_compression(r->stream) == COMPRESSION_NONE;
        r->bytes += (uint64_t)n;
        uint64_t stored = atomic_load_explicit(&r->stored, memory_order_relaxed);
        if (r->progress && stored - r->told >= PROGRESS_BYTES) {
                struct fact_progress f = { .stored = stored - r->told };
                r->told = stored;
                sink_put(r->progress, FACT_progress, &f);
        }
        return n;
}

/* Pulls what follows the archive's end: it belongs to the digests. Returns how many bytes of it are not zero. */
static uint64_t reading_drain(struct reading *r)
{
        const void *p;
        ssize_t n;
        uint64_t odd = 0;
        while ((n = reading_pull(r, &p)) > 0)
                for (ssize_t i = 0; i < n; i++)
                        odd += ((const char *)p)[i] != 0;
        return odd;
}

static struct str digest_text(const uint8_t sha256[static 32], char text[static DIGEST_TEXT])
{
        int at = snprintf(text, DIGEST_TEXT, "sha256:");
        for (size_t i = 0; i < 32; i++)
                at += snprintf(text + at, DIGEST_TEXT - (size_t)at, "%02x", sha256[i]);
        return str_of(text);
}

/* Ends the thread and what it held. The digests stay until reading_done. */
static void reading_stop(struct reading *r)
{
        pump_stop(r->pump);
        stream_free(r->stream);
}

static void reading_done(struct reading *r)
{
        tandem_done(&r->stored_digest);
        tandem_done(&r->digest);
}

/* Walks the tar that the reading gives, to its end, and emits the `layer` fact. */
static int read_layer(struct reading *r, const struct walk_options *o, struct sink *out, struct error *err)
{
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(reading_pull, r);
        struct walk_digester digester = { .add = add_to_file, .end = end_file, .arg = r };
        struct walk_options with_digester = *o;
        struct walk_totals totals;
        struct error why = ERROR_NONE;
        with_digester.digester = &digester;
        int e = walk_layer(t, &with_digester, out, &totals, err);
        if (e == 0) {
                uint64_t odd = reading_drain(r);
                if (odd && totals.complete)
                        sink_unread(out, STR("(layer)"), "trailing",
                                    "%llu bytes that are not zero follow the end of the archive",
                                    (unsigned long long)odd);
        }
        int broken = pump_error(r->pump, &why);
        if (broken < 0) {
                totals.complete = false;
                sink_unread(out, STR("(layer)"), broken == -EBADMSG ? "corrupt" : "denied", "%s", why.text);
        }
        reading_stop(r);
        char digest[DIGEST_TEXT], diff_id[DIGEST_TEXT];
        struct fact_progress last = { .stored = r->stored - r->told };
        if (r->progress)
                sink_put(r->progress, FACT_progress, &last);
        uint8_t sha256[DIGEST_MAX];
        tandem_end(&r->stored_digest, sha256);
        struct str stored = digest_text(sha256, digest);
        tandem_end(&r->digest, sha256);
        struct fact_layer f = { .digest = stored,
                                .diff_id = broken < 0    ? STR_NONE
                                           : r->is_plain ? stored
                                                         : digest_text(sha256, diff_id),
                                .stored_size = r->stored,
                                .size = r->bytes,
                                .files = totals.entries,
                                .searched = totals.content.files,
                                .searched_members = totals.content.members,
                                .not_searched = totals.content.incomplete,
                                .complete = totals.complete,
                                .no_end_mark = totals.no_end_mark };
        sink_put(out, FACT_layer, &f);
        return e;
}

int job_layer(const struct layer_input *in, const struct walk_options *o, struct sink *out, struct error *err)
{
        struct reading r;
        struct stream_source from = {
                .fd = in->fd, .is_seekable = in->is_seekable, .offset = in->offset, .size = in->size
        };
        reading_start(&r, &from, false, out);
        int e = read_layer(&r, o, out, err);
        reading_done(&r);
        return e;
}

/* --- a whole archive --- */

/* The content of one member of the outer archive, with its first piece looked at already. */
struct member_pull {
        struct tar *outer;
        const void *first;
        ssize_t n_first;
};

static ssize_t pull_member(void *arg, const void **ret_p)
{
        struct member_pull *m = arg;
        if (!m->n_first)
                return tar_peek(m->outer, ret_p);
        ssize_t n = m->n_first;
        *ret_p = m->first;
        m->n_first = 0;
        return n;
}

static bool looks_like_tar(struct str first)
{
        static const char zeros[512];
        if (first.n >= 262 && memcmp(first.p + 257, "ustar", 5) == 0)
                return true;
        return first.n >= 512 && memcmp(first.p, zeros, 512) == 0; /* an empty archive */
}

static bool is_layer(const struct tar_entry *e, struct str first)
{
        return compression_sniff(first) != COMPRESSION_NONE || looks_like_tar(first) ||
               str_ends(e->name, STR("layer.tar"));
}

static bool is_document(const struct tar_entry *e, struct str first)
{
        struct str text = str_trim(first);
        return e->size <= ARCHIVE_DOCUMENT_MAX && text.n && (text.p[0] == '{' || text.p[0] == '[');
}

static int read_member_layer(struct member_pull *m, const struct content_plan *content, struct sink *out,
                             struct error *err)
{
        struct reading r;
        struct stream_source from = { .fd = -1, .size = UINT64_MAX, .pull = pull_member, .pull_arg = m };
        reading_start(&r, &from, false, NULL);
        struct walk_options o = { .content = content };
        int e = read_layer(&r, &o, out, err);
        reading_done(&r);
        return e;
}

static int read_member(struct tar *outer, const struct tar_entry *e, const struct content_plan *content,
                       struct sink *out, struct error *err)
{
        char name_copy[4096];
        struct fact_member f = { .name = e->name, .link = e->link, .offset = e->offset, .size = e->size };
        struct member_pull m = { .outer = outer };
        if (e->name.n > sizeof(name_copy))
                return 0;                        /* no image names its parts like that */
        memcpy(name_copy, e->name.p, e->name.n); /* the entry's text ends with the next call */
        f.name.p = name_copy;
        if (e->type != TAR_REGULAR || !e->size) {
                sink_put(out, FACT_member, &f);
                return 0;
        }
        m.n_first = tar_peek(outer, &m.first);
        if (m.n_first <= 0)
                return 0; /* tar_next will say why */
        struct str first = str_span(m.first, (size_t)m.n_first);
        if (is_layer(e, first)) {
                f.is_layer = true;
                sink_put(out, FACT_member, &f);
                return read_member_layer(&m, content, out, err);
        }
        if (!is_document(e, first)) {
                sink_put(out, FACT_member, &f);
                return 0;
        }
        _cleanup_(buf_done) struct buf text = BUF_INIT(ARCHIVE_DOCUMENT_MAX);
        const void *p;
        ssize_t n;
        while ((n = pull_member(&m, &p)) > 0)
                buf_add(&text, p, (size_t)n);
        f.content = buf_str(&text);
        if (n == 0)
                sink_put(out, FACT_member, &f);
        return 0;
}

static int read_members(struct tar *outer, const struct content_plan *content, struct sink *out, struct error *err)
{
        for (;;) {
                struct tar_entry e;
                int r = tar_next(outer, &e);
                if (r == TAR_END && tar_ended_cleanly(outer))
                        return 0;
                if (r == TAR_END)
                        return error_set(err, -EBADMSG, "the archive is cut off at byte %llu",
                                         (unsigned long long)tar_offset(outer));
                if (r == TAR_MALFORMED)
                        return error_set(err, -EBADMSG, "the archive is corrupt: %s", tar_where(outer));
                if (r > 0 && !e.is_unsafe)
                        r = read_member(outer, &e, content, out, err);
                if (r < 0)
                        return r;
        }
}

int job_archive(const struct layer_input *in, const struct content_plan *content, struct sink *out, struct error *err)
{
        struct reading r;
        struct error why = ERROR_NONE;
        struct stream_source from = {
                .fd = in->fd, .is_seekable = in->is_seekable, .offset = in->offset, .size = in->size
        };
        reading_start(&r, &from, true, out);
        struct tar *outer = tar_new_pieces(reading_pull, &r);
        int e = read_members(outer, content, out, err);
        if (e == 0)
                (void)reading_drain(&r);
        int broken = pump_error(r.pump, &why);
        if (broken < 0) /* the cause of whatever the tar reader saw */
                e = error_set(err, broken, "%s", why.text);
        tar_free(outer);
        reading_stop(&r);
        reading_done(&r);
        return e;
}
