/*
 * See unpack.h: recognises what a file is, runs its format with a feeder, looks for what is appended to other files,
 * and keeps the budget.
 */
#include "analyze/unpack-private.h"

#include "base/cursor.h"

#include <archive.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CARVES_OPEN_MAX 2   /* at one time, of one file */
#define CARVED          12u /* of looked_for: magic numbers */

/* --- what there is --- */

static bool is_zip(struct str s)
{
        struct cursor c = cursor_from(str_from(s, 4));
        uint16_t version = cursor_le16(&c), flags = cursor_le16(&c), method = cursor_le16(&c);
        cursor_skip(&c, 16);
        uint16_t name_bytes = cursor_le16(&c);
        return cursor_ok(&c) && (version & 0xff) <= 63 && method <= 99 && name_bytes && name_bytes <= 4096 &&
               (flags & 0xc000) == 0;
}

static bool is_gzip(struct str s) /* flags, and who made it (RFC 1952) */
{
        if (s.n < 18)
                return false;
        uint8_t flags = (uint8_t)s.p[3], extra = (uint8_t)s.p[8], maker = (uint8_t)s.p[9];
        return !(flags & 0xe0) && (extra == 0 || extra == 2 || extra == 4) && (maker <= 13 || maker == 255);
}

static bool is_bzip2(struct str s)
{
        return s.n >= 14 && s.p[3] >= '1' && s.p[3] <= '9' &&
               (memcmp(s.p + 4, "1AY&SY", 6) == 0 || memcmp(s.p + 4, "\x17rE8P\x90", 6) == 0);
}

static bool is_lzma(struct str s) /* no magic number: usual properties, a usual dictionary, a size that can be */
{
        struct cursor c = cursor_from(s);
        cursor_skip(&c, 1);
        uint32_t dictionary = cursor_le32(&c);
        uint64_t size = cursor_le64(&c);
        bool is_power = dictionary >= 4096 && (dictionary & (dictionary - 1)) == 0;
        return cursor_ok(&c) && is_power && (size == UINT64_MAX || size < UINT64_C(1) << 40);
}

static bool is_zlib(struct str s)
{
        return s.n > 8 && ((uint8_t)s.p[0] * 256u + (uint8_t)s.p[1]) % 31 == 0 && !(s.p[1] & 0x20);
}

static bool is_lha(struct str s) { return s.n > 21 && s.p[6] == '-' && (s.p[4] == 'l' || s.p[4] == 'p'); }

static bool is_tar_at_start(struct str s) { return s.n >= 512; }

static bool is_compressed_erofs(struct str s) /* feature_incompat: it has compressed files */
{
        struct cursor c = cursor_from(s);
        cursor_seek(&c, 1024 + 80);
        return cursor_le32(&c) & 1 && cursor_ok(&c);
}

/* The first that fits counts. Where a row names no reader, its run needs none. */
const struct unpack_format unpack_formats[] = {
        { .name = "zip", .magic = { "PK\3\4", 4 }, .is = is_zip, .may_be_appended = true, .run = unpack_zip },
        { .name = "gzip",
          .magic = { "\x1f\x8b\x08", 3 },
          .is = is_gzip,
          .may_be_appended = true,
          .run = unpack_compressed },
        { .name = "xz",
          .magic = { "\xfd"
                     "7zXZ\0",
                     6 },
          .may_be_appended = true,
          .run = unpack_compressed },
        { .name = "bzip2", .magic = { "BZh", 3 }, .is = is_bzip2, .may_be_appended = true, .run = unpack_compressed },
        { .name = "zstd", .magic = { "\x28\xb5\x2f\xfd", 4 }, .may_be_appended = true, .run = unpack_compressed },
        { .name = "tar",
          .magic = { "ustar", 5 },
          .magic_at = 257,
          .is = is_tar_at_start,
          .may_be_appended = true,
          .run = unpack_tar },
        { .name = "7z", .magic = { "7z\xbc\xaf\x27\x1c", 6 }, .may_be_appended = true, .run = unpack_7zip },
        { .name = "rar",
          .magic = { "Rar!\x1a\x07\x00", 7 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_rar },
        { .name = "rar 5",
          .magic = { "Rar!\x1a\x07\x01\x00", 8 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_rar5 },
        { .name = "cab",
          .magic = { "MSCF\0\0\0\0", 8 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cab },
        { .name = "ar", .magic = { "!<arch>\n", 8 }, .run = unpack_archive, .reader = archive_read_support_format_ar },
        { .name = "cpio",
          .magic = { "07070", 5 },
          .has_tail = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cpio },
        { .name = "cpio",
          .magic = { "\xc7\x71", 2 },
          .is_shy = true,
          .has_tail = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cpio },
        { .name = "rpm", .magic = { "\xed\xab\xee\xdb", 4 }, .run = unpack_rpm },
        { .name = "lha",
          .magic = { "-l", 2 },
          .magic_at = 2,
          .is = is_lha,
          .is_shy = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_lha },
        { .name = "xar", .magic = { "xar!", 4 }, .run = unpack_archive, .reader = archive_read_support_format_xar },
        { .name = "ISO 9660",
          .magic = { "CD001", 5 },
          .magic_at = 32769,
          .run = unpack_archive,
          .reader = archive_read_support_format_iso9660 },
        { .name = "lz4",
          .magic = { "\x04\x22\x4d\x18", 4 },
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lz4 },
        { .name = "lzip", .magic = { "LZIP", 4 }, .run = unpack_filtered, .reader = archive_read_support_filter_lzip },
        { .name = "compress",
          .magic = { "\x1f\x9d", 2 },
          .is_shy = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_compress },
        { .name = "lzma",
          .magic = { "\x5d\x00\x00", 3 },
          .is = is_lzma,
          .is_shy = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lzma },
        { .name = "squashfs", .magic = { "hsqs", 4 }, .may_be_appended = true, .run = unpack_squashfs },
        { .name = "qcow2", .magic = { "QFI\xfb", 4 }, .run = unpack_qcow2 },
        { .name = "compound file",
          .magic = { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 },
          .has_tail = true,
          .run = unpack_cfb },
        { .name = "PDF", .magic = { "%PDF-", 5 }, .has_tail = true, .run = unpack_pdf },
        { .name = "zlib", .magic = { "\x78", 1 }, .is = is_zlib, .is_shy = true, .run = unpack_zlib },
        { .name = "brotli", .name_end = ".br", .run = unpack_brotli },
        { .name = "an EROFS file system whose compressed files are not read",
          .magic = { "\xe2\xe1\xf5\xe0", 4 },
          .magic_at = 1024,
          .is = is_compressed_erofs,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an ARJ archive, which is not read",
          .magic = { "\x60\xea", 2 },
          .name_end = ".arj",
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an installer of NSIS, which is not read",
          .magic = { "\xef\xbe\xad\xde"
                     "NullsoftInst",
                     16 },
          .may_be_appended = true,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a volume encrypted with LUKS",
          .magic = { "LUKS\xba\xbe", 6 },
          .run = unpack_refused,
          .why = "encrypted" },
        { .name = NULL },
};

static bool fits(const struct unpack_format *f, struct str first, struct str name)
{
        struct str at = str_from(first, f->magic_at);
        return str_starts(at, f->magic) && (!f->name_end || str_ends(name, str_of(f->name_end))) &&
               (!f->is || f->is(first));
}

const struct unpack_format *unpack_format_of(struct str first, struct str name)
{
        for (const struct unpack_format *f = unpack_formats; f->name; f++)
                if (fits(f, first, name))
                        return f;
        return NULL;
}

/* What the content pass looks for: the magic numbers of what may be appended, then words of scripts that reverse. */
static const struct literal looked_for[] = {
        { { "PK\3\4", 4 }, false },
        { { "\x1f\x8b\x08", 3 }, false },
        { { "\xfd"
            "7zXZ\0",
            6 },
          false },
        { { "BZh", 3 }, false },
        { { "\x28\xb5\x2f\xfd", 4 }, false },
        { { "ustar", 5 }, false },
        { { "7z\xbc\xaf\x27\x1c", 6 }, false },
        { { "Rar!\x1a\x07\x00", 7 }, false },
        { { "Rar!\x1a\x07\x01\x00", 8 }, false },
        { { "MSCF\0\0\0\0", 8 }, false },
        { { "hsqs", 4 }, false },
        { { "\xef\xbe\xad\xde"
            "NullsoftInst",
            16 },
          false },
        { { "[::-1]", 6 }, false },
        { { "strrev", 6 }, false },
        { { "reverse", 7 }, true },
        { { "| rev", 5 }, false },
        { { "|rev", 4 }, false },
};

static const struct unpack_format *carved_format(struct str magic)
{
        const struct unpack_format *f = unpack_formats;
        while (f->name && !(f->may_be_appended && str_eq(f->magic, magic)))
                f++;
        return f->name ? f : NULL;
}

/* --- members and the budget --- */

static void say_over(struct unpacking *u, const char *what)
{
        if (!u->worker->is_over)
                content_incomplete(u->open, "budget", "it unpacks to too much: more than the %s that are looked at",
                                   what);
        u->worker->is_over = true;
}

bool member_begin(struct unpacking *u, struct str name, uint64_t size, uint32_t mode)
{
        if (u->worker->is_over || !u->worker->members) {
                say_over(u, "members");
                return false;
        }
        u->worker->members--;
        u->n_members++;
        buf_clear(&u->names);
        if (u->file->members.n) {
                buf_add_str(&u->names, u->file->members);
                buf_putc(&u->names, '!');
        }
        buf_add_str(&u->names, str_upto(name, CONTENT_NAME_MAX / 2));
        u->member_file = (struct content_file){ .path = u->file->path,
                                                .members = buf_str(&u->names),
                                                .size = size,
                                                .mode = mode,
                                                .uid = u->file->uid,
                                                .gid = u->file->gid };
        u->member = content_begin(u->content, u->open, &u->member_file);
        return u->member != NULL;
}

bool member_add(struct unpacking *u, struct str bytes)
{
        if (u->worker->is_over)
                return false;
        if (bytes.n > u->worker->bytes) {
                say_over(u, "bytes");
                return false;
        }
        u->worker->bytes -= bytes.n;
        content_add(u->member, bytes.p, bytes.n);
        return true;
}

/* Of a guess nobody knows how long it is, so what came is all of it. */
void member_end(struct unpacking *u, bool is_whole) { content_end(u->member, NULL, is_whole || u->is_guess); }

void member_whole(struct unpacking *u, struct str name, struct str bytes)
{
        if (!member_begin(u, name, bytes.n, 0))
                return;
        bool is_whole = member_add(u, bytes);
        member_end(u, is_whole);
}

void unpack_incomplete(struct unpacking *u, const struct feeder *from, const char *code, const char *fmt, ...)
{
        char words[512];
        va_list ap;
        /* Of a guess nobody knows where it ends: that it cannot be read on says nothing. */
        bool is_expected = u->is_guess && (!u->n_members || strcmp(code, "corrupt") == 0);
        if (u->worker->is_over || u->is_silent || feeder_is_cut(from) || is_expected)
                return;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);
        content_incomplete(u->open, code, "%s", words);
}

void unpack_refused(struct unpacking *u, struct feeder *from)
{
        content_incomplete(u->open, u->format->why, "it is %s", u->format->name);
}

bool whole_gather(struct unpacking *u, struct feeder *from, struct whole *ret)
{
        const void *p;
        ssize_t n = feeder_pull(from, &p);
        *ret = (struct whole){ .bytes = str_span(p, (size_t)n) };
        if (feeder_is_last(from))
                return true;
        ret->copy = BUF_INIT(UNPACK_WHOLE_MAX);
        bool fits_in = true;
        while (n > 0) {
                buf_add(&ret->copy, p, (size_t)n);
                ret->charged += (size_t)n;
                u->worker->whole_bytes += (size_t)n;
                fits_in = u->worker->whole_bytes + CONTENT_WINDOW_MAX <= UNPACK_WHOLE_MAX;
                if (!fits_in)
                        break;
                n = feeder_pull(from, &p);
        }
        ret->bytes = buf_str(&ret->copy);
        return fits_in;
}

void whole_release(struct unpacking *u, struct whole *w)
{
        u->worker->whole_bytes -= w->charged;
        buf_done(&w->copy);
}

/* --- the engine --- */

struct job { /* a format that is fed over several windows */
        struct unpacking u;
        struct feeder *feeder;
};

struct state { /* of an open file */
        bool is_begun;
        struct job main;
        struct job carves[CARVES_OPEN_MAX];
        size_t n_carves;
        struct decoders decoders;
        struct unpacking text; /* as which the decoders give members */
};

static void *engine_open(const struct content_engine *e)
{
        struct unpack_worker *w = xcalloc(1, sizeof(*w));
        w->xored = decode_xored();
        return w;
}

static void engine_close(void *worker)
{
        struct unpack_worker *w = worker;
        literals_free(w->xored);
        buf_done(&w->small);
        free(w);
}

static void engine_begin(const struct content_call *c)
{
        struct unpack_worker *w = c->worker;
        if (c->file->depth)
                return;
        uint64_t more;
        w->is_over = false;
        w->members = UNPACK_MEMBERS_MAX;
        if (__builtin_mul_overflow(c->file->size, UNPACK_RATIO_MAX, &more) ||
            __builtin_add_overflow(more, UNPACK_BYTES_FREE, &w->bytes))
                w->bytes = UINT64_MAX;
}

static struct unpacking unpacking_of(const struct content_call *c, const struct unpack_format *f, bool is_guess)
{
        return (struct unpacking){ .content = c->content,
                                   .worker = c->worker,
                                   .open = c->open,
                                   .file = c->file,
                                   .format = f,
                                   .is_guess = is_guess,
                                   .names = BUF_INIT(CONTENT_NAME_MAX) };
}

static void run_format(void *arg, struct feeder *from)
{
        struct unpacking *u = arg;
        u->format->run(u, from);
}

/* Gives the first bytes; at once, if there are no others. */
static void job_start(struct job *j, const struct content_call *c, const struct unpack_format *f, bool is_guess,
                      struct str bytes, bool is_last)
{
        j->u = unpacking_of(c, f, is_guess);
        if (is_last) {
                feeder_over(bytes, run_format, &j->u);
                buf_done(&j->u.names);
                return;
        }
        j->feeder = feeder_new(run_format, &j->u);
        if (j->feeder)
                feeder_give(j->feeder, bytes);
        else
                content_incomplete(c->open, "budget", "no thread could be started to unpack it");
}

static void job_give(struct job *j, uint64_t hole, struct str bytes)
{
        static const char zeros[CONTENT_WINDOW_MAX];
        for (; j->feeder && hole && !feeder_is_done(j->feeder); hole -= MIN(hole, (uint64_t)sizeof(zeros)))
                feeder_give(j->feeder, str_span(zeros, (size_t)MIN(hole, (uint64_t)sizeof(zeros))));
        if (j->feeder)
                feeder_give(j->feeder, bytes);
}

static void job_end(struct job *j, bool is_whole)
{
        if (!j->feeder)
                return;
        feeder_end(j->feeder, is_whole);
        j->feeder = NULL;
        buf_done(&j->u.names);
}

static struct job *free_carve(struct state *s)
{
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++) {
                struct job *j = &s->carves[i];
                if (j->feeder && feeder_is_done(j->feeder))
                        job_end(j, true);
                if (!j->feeder)
                        return j;
        }
        return NULL;
}

/* A magic number inside: what begins there is fed from here on to its end, or until its reader has had enough. */
static void carve(const struct content_call *c, struct state *s, const struct content_window *w,
                  const struct content_hit *hit)
{
        const struct unpack_format *f = carved_format(looked_for[hit->literal].bytes);
        if (!f || hit->start < f->magic_at || w->offset + hit->start == f->magic_at)
                return;
        struct str rest = str_from(w->bytes, hit->start - f->magic_at);
        if (!fits(f, rest, STR_NONE))
                return;
        struct job *j = free_carve(s);
        if (!j || s->n_carves == UNPACK_CARVES_MAX) {
                if (s->n_carves++ == UNPACK_CARVES_MAX)
                        content_incomplete(c->open, "budget", "more than %u things seem to be appended to it",
                                           UNPACK_CARVES_MAX);
                return;
        }
        s->n_carves++;
        job_start(j, c, f, true, rest, w->is_last);
}

static void engine_window(const struct content_call *c, const struct content_window *w)
{
        struct state *s = c->state;
        struct str fresh = str_from(w->bytes, w->fresh);
        const struct unpack_format *f = s->main.u.format;
        if (!s->is_begun) {
                struct str name = c->file->members.n ? c->file->members : c->file->path;
                s->is_begun = true;
                f = w->bytes.n ? unpack_format_of(w->bytes, name) : NULL;
                if (f)
                        job_start(&s->main, c, f, f->is_shy, w->bytes, w->is_last);
        } else {
                job_give(&s->main, w->hole, fresh);
        }
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++)
                job_give(&s->carves[i], w->hole, fresh);
        bool reverses = false;
        for (size_t i = 0; i < w->n_hits && (!f || f->has_tail || f->is_shy); i++)
                if (w->hits[i].literal < CARVED)
                        carve(c, s, w, &w->hits[i]);
                else
                        reverses = true;
        if (!f || f->is_shy) {
                s->text = unpacking_of(c, NULL, false);
                decode_window(&s->text, &s->decoders, w, reverses);
                buf_done(&s->text.names);
        }
}

static void engine_end(const struct content_call *c, const struct content_digests *d, bool is_whole)
{
        struct state *s = c->state;
        job_end(&s->main, is_whole);
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++)
                job_end(&s->carves[i], is_whole);
        s->text = unpacking_of(c, NULL, false);
        decode_end(&s->text, &s->decoders);
        buf_done(&s->text.names);
}

const struct content_engine unpack_engine = {
        .name = "unpack",
        .literals = looked_for,
        .n_literals = ARRAY_SIZE(looked_for),
        .file_bytes = sizeof(struct state),
        .every_window = true,
        .open = engine_open,
        .close = engine_close,
        .begin = engine_begin,
        .window = engine_window,
        .end = engine_end,
};
