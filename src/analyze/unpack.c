/*
 * See unpack.h: recognises what a file is, runs its format with a feeder, looks for what is appended to other files,
 * and keeps the budget.
 */
#include "analyze/unpack-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CARVES_OPEN_MAX 16u /* at one time, of one file */
#define CARVED          20u /* of looked_for: magic numbers, */
#define UU              3u  /* then what begins uuencoded content */

/*
 * What the content pass looks for: the magic numbers of what may be appended, what begins uuencoded content, words of
 * scripts that reverse text.
 */
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
        { { "\x04\x22\x4d\x18", 4 }, false },
        { { "\x02\x21\x4c\x18", 4 }, false },
        { { "LZIP", 4 }, false },
        { { "\x1f\x9d\x90", 3 }, false },
        { { "\x5d\x00\x00", 3 }, false },
        { { "\x89LZO\0\r\n\x1a\n", 9 }, false },
        { { "koly\0\0\0\4\0\0\2\0", 12 }, false },
        { { "%PDF-", 5 }, false },
        { { "begin 4", 7 }, false },
        { { "begin 6", 7 }, false },
        { { "begin 7", 7 }, false },
        { { "[::-1]", 6 }, false },
        { { "strrev", 6 }, false },
        { { "reverse", 7 }, true },
        { { "| rev", 5 }, false },
        { { "|rev", 4 }, false },
        { { "rev <<", 6 }, false },
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

bool unpack_charge(struct unpacking *u, uint64_t bytes)
{
        if (u->worker->is_over)
                return false;
        if (bytes > u->worker->bytes) {
                say_over(u, "bytes");
                return false;
        }
        u->worker->bytes -= bytes;
        return true;
}

bool member_add(struct unpacking *u, struct str bytes)
{
        if (!unpack_charge(u, bytes.n))
                return false;
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

ssize_t pieces_pull(void *pieces, const void **ret_p)
{
        struct pieces *s = pieces;
        struct str piece = s->piece.n ? s->piece : s->next;
        s->next = s->piece.n ? s->next : STR_NONE;
        s->piece = STR_NONE;
        *ret_p = piece.p;
        return piece.n || !s->from ? (ssize_t)piece.n : feeder_pull(s->from, ret_p);
}

bool pieces_take(struct pieces *s, void *to, size_t n)
{
        char *at = to;
        while (n) {
                const void *p;
                ssize_t got = pieces_pull(s, &p);
                if (got <= 0)
                        return false;
                s->piece = str_span(p, (size_t)got);
                size_t some = MIN(n, s->piece.n);
                if (at) {
                        memcpy(at, s->piece.p, some);
                        at += some;
                }
                s->piece = str_from(s->piece, some);
                n -= some;
        }
        return true;
}

void unpack_behind(struct unpacking *u, piece_pull pull, void *arg)
{
        const void *p;
        ssize_t n = 0;
        bool is_open = false;
        while (!u->is_guess && (n = pull(arg, &p)) > 0) {
                struct str bytes = str_span(p, (size_t)n);
                while (!is_open && bytes.n && !*bytes.p)
                        bytes = str_from(bytes, 1);
                if (!bytes.n)
                        continue;
                if (!is_open && !(is_open = member_begin(u, STR("behind-its-end"), UINT64_MAX, 0)))
                        return;
                if (!member_add(u, bytes))
                        break;
        }
        if (is_open)
                member_end(u, n == 0);
}

void unpack_behind_bytes(struct unpacking *u, struct str rest)
{
        struct pieces s = { .piece = rest };
        unpack_behind(u, pieces_pull, &s);
}

void unpack_incomplete(struct unpacking *u, const struct feeder *from, const char *code, const char *fmt, ...)
{
        char words[512];
        va_list ap;
        /* Of a guess nobody knows where it ends: that it cannot be read on says nothing. */
        bool is_expected =
                u->is_guess && (strcmp(code, "corrupt") == 0 || (!u->n_members && strcmp(code, "unsupported") == 0));
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
        uint64_t at; /* its beginning in the file */
        struct feeder *feeder;
};

struct state { /* of an open file */
        bool is_begun;
        struct job main;
        struct job carves[CARVES_OPEN_MAX];
        size_t n_carves;
        bool is_over;             /* there were more, and that was said */
        uint64_t covered[COVERS]; /* to where the last of that format that ended has been */
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
        if (c->file->size < UNPACK_MEMBERS_MAX / UNPACK_MEMBERS_A_BYTE)
                w->members = MIN(w->members, UNPACK_MEMBERS_FREE + c->file->size * UNPACK_MEMBERS_A_BYTE);
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

static bool is_running(const struct job *j, const struct unpack_format *f)
{
        return j->feeder && j->u.format == f && !feeder_is_done(j->feeder);
}

/* How far it has been, if it is done. */
static void note_covered(struct state *s, const struct job *j)
{
        enum unpack_cover covers = j->u.format->covers;
        uint64_t end;
        if (__builtin_add_overflow(j->at, j->u.used, &end))
                end = UINT64_MAX;
        s->covered[covers] = MAX(s->covered[covers], end);
}

static void end_done(struct state *s)
{
        if (s->main.u.format && (!s->main.feeder || feeder_is_done(s->main.feeder)))
                note_covered(s, &s->main);
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++) {
                struct job *j = &s->carves[i];
                if (!j->feeder || !feeder_is_done(j->feeder))
                        continue;
                note_covered(s, j);
                job_end(j, true);
        }
}

static struct job *free_carve(struct state *s)
{
        end_done(s); /* a short one ends with the bytes that it began with */
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++)
                if (!s->carves[i].feeder)
                        return &s->carves[i];
        return NULL;
}

/* Entries of an archive that is read, or was. */
static bool is_covered(const struct state *s, const struct unpack_format *f, uint64_t at)
{
        if (f->covers == COVERS_NOTHING)
                return false;
        bool is_read = at < s->covered[f->covers] || is_running(&s->main, f);
        for (size_t i = 0; i < CARVES_OPEN_MAX; i++)
                is_read = is_read || is_running(&s->carves[i], f);
        return is_read;
}

/* A magic number inside: what begins there is fed from here on to its end, or until its reader has had enough. */
static void carve(const struct content_call *c, struct state *s, const struct content_window *w,
                  const struct content_hit *hit)
{
        const struct unpack_format *f = carved_format(looked_for[hit->literal].bytes);
        if (!f || hit->start < f->magic_at || w->offset + hit->start == f->magic_at ||
            is_covered(s, f, w->offset + hit->start - f->magic_at))
                return;
        struct str rest = str_from(w->bytes, hit->start - f->magic_at);
        if (!unpack_format_fits(f, rest, STR_NONE) || (f->is_inside && !f->is_inside(rest)))
                return;
        struct job *j = free_carve(s);
        if (j && s->n_carves < UNPACK_CARVES_MAX) {
                s->n_carves++;
                j->at = w->offset + hit->start - f->magic_at;
                job_start(j, c, f, true, rest, w->is_last);
                if (!j->feeder)
                        note_covered(s, j);
                return;
        }
        if (!s->is_over)
                content_incomplete(c->open, "budget", "more than %u things seem to be appended to it%s",
                                   j ? UNPACK_CARVES_MAX : CARVES_OPEN_MAX, j ? "" : ", one within the other");
        s->is_over = true;
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
        end_done(s);
        bool reverses = false;
        s->text = unpacking_of(c, NULL, false);
        /* Of a zip file that is seen whole, its reader finds what no entry holds. */
        bool is_large_zip = f && f->run == unpack_zip && !(w->is_first && w->is_last);
        bool looks_inside = !f || f->has_tail || f->is_shy || is_large_zip;
        for (size_t i = 0; i < w->n_hits && looks_inside; i++) {
                const struct content_hit *hit = &w->hits[i];
                if (hit->literal < CARVED)
                        carve(c, s, w, hit);
                else if (is_large_zip)
                        continue;
                else if (hit->literal >= CARVED + UU)
                        reverses = true;
                else if (hit->start == 0 || w->bytes.p[hit->start - 1] == '\n')
                        decode_uu(&s->text, w, hit->start);
        }
        if (!f || f->is_shy)
                decode_window(&s->text, &s->decoders, w, reverses);
        buf_done(&s->text.names);
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
