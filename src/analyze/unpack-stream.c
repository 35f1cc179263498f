/*
 * Unpacking of what is read from front to end by our own readers: compressed files, tar, the frame of rpm packages. See
 * unpack-private.h. A compressed file has one member, named by what is left of its name.
 */
#include "analyze/unpack-private.h"

#include "base/cursor.h"
#include "read/inflate-block.h"
#include "read/stream.h"
#include "read/tar.h"

#include <brotli/decode.h>
#include <isa-l.h>
#include <stdlib.h>

#define PIECE_BYTES      (256u << 10)
#define SMALL_BYTES_MAX  (1u << 20) /* of a small gzip file when inflated: without a stream, which costs more */
#define GZIP_TRAILER     8u
#define RPM_LEAD_BYTES   96u
#define RPM_HEADER_MAX   (256u << 20)
#define RPM_HEADER_MAGIC 0x8eade801u

/* "data.tar.gz" -> "data.tar"; what has no such end is "content". */
static struct str inner_name(const struct unpacking *u)
{
        static const char *const ends[] = { ".gz", ".bz2", ".xz", ".zst", ".br", ".lzma", ".Z", ".lz4", ".lz" };
        struct str name = u->file->members.n ? u->file->members : u->file->path;
        name = str_from(name, (size_t)(str_rfind_char(name, '!') + 1));
        name = str_from(name, (size_t)(str_rfind_char(name, '/') + 1));
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (str_ends(name, str_of(ends[i])) && name.n > strlen(ends[i]))
                        return str_upto(name, name.n - strlen(ends[i]));
        if (str_ends(name, STR(".tgz")) && name.n > 4)
                return STR("content.tar");
        return STR("content");
}

/* A small gzip file of one member whose trailer says what it inflates to. False: it is not, or does not. */
static bool unpack_small(struct unpacking *u, struct str all)
{
        struct unpack_worker *w = u->worker;
        if (all.n < GZIP_TRAILER + 10 || w->small_is_used)
                return false;
        struct cursor trailer = cursor_from(str_from(all, all.n - 4));
        uint32_t size = cursor_le32(&trailer);
        if (!size || size > SMALL_BYTES_MAX)
                return false;
        if (!w->small.p) {
                w->small = BUF_INIT(SMALL_BYTES_MAX + 1);
                w->small.p = xmalloc(SMALL_BYTES_MAX + 1);
                w->small.size = SMALL_BYTES_MAX + 1;
        }
        struct inflate_state s;
        isal_inflate_init(&s);
        s.next_in = (uint8_t *)all.p;
        s.avail_in = (uint32_t)all.n;
        s.crc_flag = ISAL_GZIP; /* reads the header and checks the trailer */
        s.next_out = (uint8_t *)w->small.p;
        s.avail_out = SMALL_BYTES_MAX + 1;
        if (isal_inflate(&s) != ISAL_DECOMP_OK || s.block_state != ISAL_BLOCK_FINISH || s.avail_in)
                return false;
        w->small_is_used = true;
        member_whole(u, inner_name(u), str_span(w->small.p, SMALL_BYTES_MAX + 1 - s.avail_out));
        w->small_is_used = false;
        return true;
}

void unpack_compressed(struct unpacking *u, struct feeder *from)
{
        struct error err = ERROR_NONE;
        const void *p;
        ssize_t n = feeder_pull(from, &p);
        struct pieces all = { .piece = str_span(p, (size_t)n), .from = from };
        if (feeder_is_last(from) && unpack_small(u, all.piece))
                return;
        /* What is inside another file may stand before others of its kind, each of which is found for itself. */
        struct stream_source source = {
                .fd = -1, .is_one_member = u->is_guess, .size = UINT64_MAX, .pull = pieces_pull, .pull_arg = &all
        };
        struct stream *s = stream_new(&source);
        char *piece = xmalloc(PIECE_BYTES);
        bool is_open = false, wants_more = true;
        while (wants_more && (n = stream_read(s, piece, PIECE_BYTES, &err)) > 0) {
                if (!is_open && !(is_open = member_begin(u, inner_name(u), UINT64_MAX, 0)))
                        break;
                wants_more = member_add(u, str_span(piece, (size_t)n));
        }
        if (is_open)
                member_end(u, wants_more && (n == 0 || stream_is_whole(s)));
        if (n < 0 && stream_is_whole(s))
                unpack_behind(u, stream_rest, s);
        else if (n < 0)
                unpack_incomplete(u, from, "corrupt", "%s: %s", u->format->name, err.text);
        stream_free(s);
        free(piece);
}

/* zlib's own frame (RFC 1950), as Git, PNG and PDF have it. */
static void inflate(struct unpacking *u, struct feeder *from, uint32_t frame)
{
        char *piece = xmalloc(PIECE_BYTES);
        struct inflate_state *s = xcalloc(1, sizeof(*s));
        bool is_open = false, wants_more = true;
        int r = ISAL_DECOMP_OK;
        isal_inflate_init(s);
        s->crc_flag = frame;
        while (wants_more && r == ISAL_DECOMP_OK && s->block_state != ISAL_BLOCK_FINISH) {
                if (!s->avail_in) {
                        const void *p;
                        ssize_t n = feeder_pull(from, &p);
                        if (n <= 0)
                                break;
                        s->next_in = (uint8_t *)p;
                        s->avail_in = (uint32_t)n;
                }
                s->next_out = (uint8_t *)piece;
                s->avail_out = PIECE_BYTES;
                r = isal_inflate(s);
                size_t made = PIECE_BYTES - s->avail_out;
                if (made && !is_open && !(is_open = member_begin(u, inner_name(u), UINT64_MAX, 0)))
                        break;
                if (made)
                        wants_more = member_add(u, str_span(piece, made));
        }
        bool is_whole = s->block_state == ISAL_BLOCK_FINISH;
        if (is_open)
                member_end(u, is_whole);
        if (!is_whole && wants_more)
                unpack_incomplete(u, from, "corrupt", "%s: damaged or cut off", u->format->name);
        free(s);
        free(piece);
}

void unpack_zlib(struct unpacking *u, struct feeder *from) { inflate(u, from, ISAL_ZLIB); }
void unpack_deflate(struct unpacking *u, struct feeder *from) { inflate(u, from, ISAL_DEFLATE); }

void unpack_brotli(struct unpacking *u, struct feeder *from)
{
        BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        uint8_t *piece = xmalloc(PIECE_BYTES);
        BrotliDecoderResult r = s ? BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT : BROTLI_DECODER_RESULT_ERROR;
        const uint8_t *in = NULL;
        size_t n_in = 0;
        bool is_open = false, wants_more = true;
        while (wants_more &&
               (r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT || r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)) {
                if (!n_in && r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
                        const void *p;
                        ssize_t n = feeder_pull(from, &p);
                        if (n <= 0)
                                break;
                        in = p;
                        n_in = (size_t)n;
                }
                uint8_t *out = piece;
                size_t n_out = PIECE_BYTES;
                r = BrotliDecoderDecompressStream(s, &n_in, &in, &n_out, &out, NULL);
                size_t made = PIECE_BYTES - n_out;
                if (made && !is_open && !(is_open = member_begin(u, inner_name(u), UINT64_MAX, 0)))
                        break;
                if (made)
                        wants_more = member_add(u, str_span(piece, made));
        }
        if (is_open)
                member_end(u, r == BROTLI_DECODER_RESULT_SUCCESS);
        if (r != BROTLI_DECODER_RESULT_SUCCESS && wants_more)
                unpack_incomplete(u, from, "corrupt", "%s: damaged or cut off", u->format->name);
        BrotliDecoderDestroyInstance(s);
        free(piece);
}

static ssize_t rest_of_tar(void *tar, const void **ret_p) { return tar_rest(tar, ret_p); }

void unpack_tar(struct unpacking *u, struct feeder *from)
{
        struct tar *t = tar_new_pieces(feeder_pull, from);
        struct tar_entry e;
        int r;
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                if (e.type != TAR_REGULAR || !e.size)
                        continue;
                if (!member_begin(u, e.name, e.size, e.mode)) {
                        if (u->worker->is_over)
                                break;
                        continue;
                }
                const void *p;
                ssize_t n = 0;
                bool wants_more = true;
                while (wants_more && (n = tar_peek(t, &p)) > 0)
                        wants_more = member_add(u, str_span(p, (size_t)n));
                member_end(u, wants_more && n == 0);
                if (!wants_more)
                        break;
        }
        if (r == TAR_MALFORMED || r < 0)
                unpack_incomplete(u, from, "corrupt", "tar: %s", tar_where(t));
        u->used = tar_offset(t);
        if (r == TAR_END)
                unpack_behind(u, rest_of_tar, t);
        tar_free(t);
}

/* --- rpm: a lead, two headers, and a compressed archive, which is one member --- */

static bool skip_rpm_header(struct pieces *s, bool is_padded)
{
        char intro[16];
        if (!pieces_take(s, intro, sizeof(intro)))
                return false;
        struct cursor c = cursor_from(str_span(intro, sizeof(intro)));
        uint32_t magic = cursor_be32(&c);
        (void)cursor_be32(&c);
        uint64_t size = (uint64_t)cursor_be32(&c) * 16;
        size += cursor_be32(&c);
        if (is_padded)
                size = (size + 7) & ~UINT64_C(7);
        return magic == RPM_HEADER_MAGIC && size <= RPM_HEADER_MAX && pieces_take(s, NULL, (size_t)size);
}

void unpack_rpm(struct unpacking *u, struct feeder *from)
{
        struct pieces s = { .from = from };
        if (!pieces_take(&s, NULL, RPM_LEAD_BYTES) || !skip_rpm_header(&s, true) || !skip_rpm_header(&s, false)) {
                unpack_incomplete(u, from, "corrupt", "rpm: its headers are damaged or cut off");
                return;
        }
        if (!member_begin(u, STR("payload"), UINT64_MAX, 0))
                return;
        bool wants_more = true;
        const void *p;
        ssize_t n;
        while (wants_more && (n = pieces_pull(&s, &p)) > 0)
                wants_more = member_add(u, str_span(p, (size_t)n));
        member_end(u, wants_more && !feeder_is_cut(from));
}
