/*
 * Streams: reads the stored bytes, tells the codec by the magic, and takes care of all that codecs have in common:
 * several members, padding, trailing garbage, truncation, and showing every stored byte to on_stored.
 *
 * Input: hostile bytes. Invariant: s->in[s->at .. s->n) was read and shown, but not decoded yet.
 */
#include "read/stream.h"

#include "base/arena.h"
#include "read/stream-codec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_BYTES (256u << 10)
#define MAGIC_BYTES 8

struct stream {
        struct stream_source from;
        uint64_t taken; /* stored bytes read so far */
        bool input_ended;

        uint8_t *buffer; /* INPUT_BYTES, owned */
        size_t at, n;

        bool is_sniffed, in_member, is_done;
        enum compression compression;
        const struct codec *codec;
        void *state;
        int failed; /* the final error, once there was one */
        struct error why;
};

static const struct {
        const char *name;
        const struct codec *codec;
} compressions[] = {
        [COMPRESSION_NONE] = { "none", NULL },           [COMPRESSION_GZIP] = { "gzip", &codec_gzip },
        [COMPRESSION_ZSTD] = { "zstd", &codec_zstd },    [COMPRESSION_XZ] = { "xz", &codec_xz },
        [COMPRESSION_BZIP2] = { "bzip2", &codec_bzip2 },
};

const char *compression_name(enum compression c)
{
        return (size_t)c < ARRAY_SIZE(compressions) ? compressions[c].name : "?";
}

enum compression compression_sniff(struct str s)
{
        if (str_starts(s, STR("\x1f\x8b\x08")))
                return COMPRESSION_GZIP;
        if (str_starts(s, STR("\x28\xb5\x2f\xfd")))
                return COMPRESSION_ZSTD;
        if (s.n >= 4 && (s.p[0] & 0xf0) == 0x50 && str_starts(str_from(s, 1), STR("\x2a\x4d\x18")))
                return COMPRESSION_ZSTD; /* a skippable frame */
        if (str_starts(s, STR("\xfd"
                              "7zXZ\0")))
                return COMPRESSION_XZ;
        /* "BZh", the block size, and the magic of a block or of the end. */
        if (s.n >= 8 && str_starts(s, STR("BZh")) && s.p[3] >= '1' && s.p[3] <= '9' &&
            (str_starts(str_from(s, 4), STR("\x31\x41\x59\x26")) ||
             str_starts(str_from(s, 4), STR("\x17\x72\x45\x38"))))
                return COMPRESSION_BZIP2;
        return COMPRESSION_NONE;
}

struct stream *stream_new(const struct stream_source *from)
{
        struct stream *s = xcalloc(1, sizeof(*s));
        s->from = *from;
        s->buffer = xmalloc(INPUT_BYTES);
        return s;
}

void stream_free(struct stream *s)
{
        if (!s)
                return;
        if (s->state)
                s->codec->free(s->state);
        free(s->buffer);
        free(s);
}

void stream_freep(struct stream **s) { stream_free(*s); }

enum compression stream_compression(const struct stream *s) { return s->compression; }

uint64_t stream_stored_bytes(const struct stream *s) { return s->taken; }

static ssize_t read_descriptor(struct stream *s, void *p, size_t n)
{
        for (;;) {
                ssize_t r = s->from.is_seekable ? pread(s->from.fd, p, n, (off_t)(s->from.offset + s->taken))
                                                : read(s->from.fd, p, n);
                if (r >= 0)
                        return r;
                if (errno != EINTR)
                        return -errno;
        }
}

/* Copies out of `ahead`, which then holds the rest. Also serves pieces that were pulled. */
static ssize_t read_ahead(struct stream *s, void *p, size_t n)
{
        n = MIN(n, s->from.ahead.n);
        memcpy(p, s->from.ahead.p, n);
        s->from.ahead = str_from(s->from.ahead, n);
        return (ssize_t)n;
}

/* Takes up to n stored bytes. > 0: that many, shown; 0: the end of the input; < 0: an error. */
static ssize_t take(struct stream *s, void *p, size_t n, struct error *err)
{
        n = (size_t)MIN((uint64_t)n, s->from.size - s->taken);
        if (n == 0)
                s->input_ended = true;
        if (s->input_ended)
                return 0;

        ssize_t r = 0;
        if (s->from.ahead.n == 0 && s->from.pull) {
                const void *piece = NULL;
                r = s->from.pull(s->from.pull_arg, &piece);
                if (r > 0)
                        s->from.ahead = str_span(piece, (size_t)r);
        }
        if (s->from.ahead.n > 0)
                r = read_ahead(s, p, n);
        else if (!s->from.pull)
                r = read_descriptor(s, p, n);
        if (r < 0)
                return error_errno(err, (int)r, "cannot read");
        if (r == 0) {
                s->input_ended = true;
                if (s->from.size != UINT64_MAX)
                        return error_set(err, -EBADMSG, "truncated: %llu bytes instead of %llu",
                                         (unsigned long long)s->taken, (unsigned long long)s->from.size);
                return 0;
        }
        s->taken += (uint64_t)r;
        if (s->from.on_stored)
                s->from.on_stored(s->from.arg, p, (size_t)r);
        return r;
}

/* Reads on until `want` bytes lie ready, or the input ends. */
static int fill(struct stream *s, size_t want, struct error *err)
{
        if (s->n - s->at >= want || s->input_ended)
                return 0;
        memmove(s->buffer, s->buffer + s->at, s->n - s->at);
        s->n -= s->at;
        s->at = 0;
        while (s->n < want && !s->input_ended) {
                ssize_t r = take(s, s->buffer + s->n, INPUT_BYTES - s->n, err);
                if (r < 0)
                        return (int)r;
                s->n += (size_t)r;
        }
        return 0;
}

static struct str ready(const struct stream *s) { return str_span(s->buffer + s->at, s->n - s->at); }

static int sniff(struct stream *s, struct error *err)
{
        int r = s->from.is_raw ? 0 : fill(s, MAGIC_BYTES, err);
        if (r < 0)
                return r;
        s->is_sniffed = true;
        s->compression = compression_sniff(ready(s));
        s->codec = compressions[s->compression].codec;
        if (s->codec) {
                s->state = s->codec->new ();
                s->codec->begin(s->state);
                s->in_member = true;
        }
        return 0;
}

/* Between members: another one follows (0), or the end does (1), or garbage (-EBADMSG). */
static int after_member(struct stream *s, struct error *err)
{
        uint64_t zeros = 0;
        if (s->from.is_one_member)
                return 1;
        for (;;) {
                int r = fill(s, MAGIC_BYTES, err);
                if (r < 0)
                        return r;
                struct str rest = ready(s);
                if (rest.n == 0)
                        return 1;
                bool may_follow = zeros == 0 || (s->codec->padding > 1 && zeros % s->codec->padding == 0);
                if (may_follow && compression_sniff(rest) == s->compression) {
                        s->codec->begin(s->state);
                        s->in_member = true;
                        return 0;
                }
                size_t n = 0;
                while (n < rest.n && rest.p[n] == 0)
                        n++;
                if (n == 0)
                        return error_set(err, -EBADMSG, "trailing garbage after the %s data, at byte %llu",
                                         compression_name(s->compression), (unsigned long long)(s->taken - rest.n));
                s->at += n;
                zeros += n;
        }
}

/* One step of the codec. 0: go on; 1: the end of the content. */
static int decode(struct stream *s, struct codec_io *io, struct error *err)
{
        if (!s->in_member) {
                int r = after_member(s, err);
                if (r != 0)
                        return r;
        }
        int r = fill(s, 1, err);
        if (r < 0)
                return r;
        io->in = s->buffer + s->at;
        io->in_n = s->n - s->at;
        size_t in_before = io->in_n, out_before = io->out_n;
        r = s->codec->step(s->state, io, err);
        s->at = s->n - io->in_n;
        if (r < 0)
                return r;
        if (r == CODEC_MEMBER_END) {
                s->in_member = false;
                return 0;
        }
        if (io->in_n == in_before && io->out_n == out_before) {
                if (s->input_ended)
                        return error_set(err, -EBADMSG, "truncated: the %s data ends after %llu bytes",
                                         compression_name(s->compression), (unsigned long long)s->taken);
                if (in_before > 0)
                        return error_set(err, -EBADMSG, "%s: corrupt data", compression_name(s->compression));
        }
        return 0;
}

static ssize_t read_plain(struct stream *s, void *p, size_t n, struct error *err)
{
        struct str rest = ready(s);
        if (rest.n == 0)
                return take(s, p, n, err);
        n = MIN(n, rest.n);
        memcpy(p, rest.p, n);
        s->at += n;
        return (ssize_t)n;
}

/* Shows the rest of the input to on_stored. Nothing that goes wrong here matters any more. */
static void drain(struct stream *s)
{
        while (take(s, s->buffer, INPUT_BYTES, NULL) > 0)
                ;
}

bool stream_is_whole(const struct stream *s) { return s->failed && s->codec && !s->in_member; }

ssize_t stream_rest(void *stream, const void **ret_p)
{
        struct stream *s = stream;
        struct str rest = ready(s);
        if (!rest.n) {
                ssize_t r = take(s, s->buffer, INPUT_BYTES, NULL);
                if (r <= 0)
                        return r;
                rest = str_span(s->buffer, (size_t)r);
        }
        s->at = s->n = 0;
        *ret_p = rest.p;
        return (ssize_t)rest.n;
}

/* At least one byte of content, or 0 at the end, or an error. */
static ssize_t read_some(struct stream *s, void *p, size_t n, struct error *err)
{
        if (!s->is_sniffed) {
                int r = sniff(s, err);
                if (r < 0)
                        return r;
        }
        if (!s->codec)
                return read_plain(s, p, n, err);
        struct codec_io io = { .out = p, .out_n = n };
        while (io.out_n == n) {
                int r = decode(s, &io, err);
                if (io.out_n == n && r != 0)
                        return r < 0 ? r : 0;
                if (r < 0) { /* good content came before it: the error is told by the next read */
                        s->failed = r;
                        if (err)
                                s->why = *err;
                }
        }
        return (ssize_t)(n - io.out_n);
}

ssize_t stream_read(struct stream *s, void *p, size_t n, struct error *err)
{
        struct error why = ERROR_NONE;
        size_t done = 0;
        while (done < n && !s->failed && !s->is_done) {
                ssize_t r = read_some(s, (uint8_t *)p + done, n - done, &why);
                if (r > 0) {
                        done += (size_t)r;
                } else if (r == 0) {
                        s->is_done = true;
                } else {
                        s->failed = (int)r;
                        s->why = why;
                }
                if (s->failed == -EBADMSG && s->from.on_stored)
                        drain(s);
        }
        if (done > 0 || !s->failed)
                return (ssize_t)done;
        return error_set(err, s->failed, "%s", s->why.text);
}
