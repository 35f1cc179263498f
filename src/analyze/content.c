/*
 * See content.h. Content that does not come in one piece is collected in a buffer of one window; when it is full and
 * more comes, the window is shown and its end becomes the beginning of the next. Large pieces that follow are windows.
 * What is remembered of an open file, buffers included, is used again for later ones, so that a layer of millions of
 * small files allocates nothing.
 */
#include "analyze/content.h"

#include "base/buf.h"
#include "base/vec.h"
#include "read/digest.h"
#include "read/sniff.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define STATE_ALIGN  16
#define OVERLAP      (2 * CONTENT_CONTEXT)
#define IN_PLACE_MIN (4 * OVERLAP) /* bytes of a piece that is worth a window of its own */

struct content_plan {
        const struct content_engine *engines[CONTENT_ENGINES_MAX];
        size_t n;
        struct literals *literals;                /* of all engines, one after the other */
        uint32_t first[CONTENT_ENGINES_MAX + 1];  /* of each engine's literals among them */
        size_t state_at[CONTENT_ENGINES_MAX + 1]; /* of each engine's memory in that of an open file */
        struct content_wants wants;               /* of members: what unpackers say of their size may be a lie */
};

struct content_open {
        struct content *content;
        struct content_open *parent; /* while it is not in use: the next one of the free list */
        struct content_file file;
        uint8_t *state;     /* of all engines */
        uint8_t *window;    /* room for one window */
        size_t window_max;  /* allocated; 0: none yet */
        size_t window_size; /* of this file's windows */
        size_t n;           /* bytes in it */
        size_t fresh;       /* of them those that the window before had too */
        uint64_t hole;      /* zeros that were left out since that window */
        uint64_t offset;    /* of the window in the content */
        uint64_t bytes;     /* that came */
        uint8_t kind;
        bool was_shown;     /* a window */
        bool is_over;       /* the last one */
        bool is_incomplete; /* in some part: of files of the layer */
        bool hits_were_cut;
        bool md5, sha1, sha256; /* are computed here */
        struct digest digests[3];
};

struct content {
        const struct content_plan *plan;
        struct sink *out;
        void *workers[CONTENT_ENGINES_MAX];
        struct content_open *free[2]; /* of files; of members, whose windows are smaller */
        size_t n_open;
        struct content_totals totals;
};

/* --- the plan --- */

static size_t state_room(const struct content_engine *e)
{
        return (e->file_bytes + STATE_ALIGN - 1) & ~(size_t)(STATE_ALIGN - 1);
}

static void add_wants(struct content_wants *w, const struct content_engine *e)
{
        w->md5 |= e->wants_md5;
        w->sha1 |= e->wants_sha1;
        w->sha256 |= e->wants_sha256;
}

int content_plan_new(const struct content_engine *const *engines, size_t n, struct content_plan **ret,
                     struct error *err)
{
        if (n > CONTENT_ENGINES_MAX)
                return error_set(err, -E2BIG, "%zu content engines: at most %d are taken", n, CONTENT_ENGINES_MAX);
        struct content_plan *p = xcalloc(1, sizeof(*p));
        VEC(struct literal) all = { 0 };
        p->n = n;
        for (size_t i = 0; i < n; i++) {
                const struct content_engine *e = engines[i];
                p->engines[i] = e;
                p->first[i] = (uint32_t)all.n;
                p->state_at[i + 1] = p->state_at[i] + state_room(e);
                for (size_t k = 0; k < e->n_literals; k++)
                        *vec_push(&all) = e->literals[k];
                add_wants(&p->wants, e);
                p->wants.programs |= e->wants_programs;
        }
        p->first[n] = (uint32_t)all.n;
        int r = literals_new(all.v, all.n, &p->literals, err);
        vec_done(&all);
        if (r < 0) {
                free(p);
                return error_prefix(err, r, "what content is searched for");
        }
        *ret = p;
        return 0;
}

void content_plan_free(struct content_plan *p)
{
        if (!p)
                return;
        literals_free(p->literals);
        free(p);
}

struct content_wants content_plan_wants(const struct content_plan *p, uint64_t size)
{
        struct content_wants wants = { false };
        for (size_t i = 0; p && i < p->n; i++)
                if (size == UINT64_MAX || !p->engines[i]->wants_digests ||
                    p->engines[i]->wants_digests(p->engines[i], size))
                        add_wants(&wants, p->engines[i]);
        wants.programs = p && p->wants.programs;
        return wants;
}

/* --- the worker's side --- */

struct content *content_new(const struct content_plan *p, struct sink *out)
{
        struct content *c = xcalloc(1, sizeof(*c));
        c->plan = p;
        c->out = out;
        for (size_t i = 0; i < p->n; i++)
                if (p->engines[i]->open)
                        c->workers[i] = p->engines[i]->open(p->engines[i]);
        return c;
}

static void open_free(struct content_open *o)
{
        for (size_t i = 0; i < ARRAY_SIZE(o->digests); i++)
                digest_done(&o->digests[i]);
        free(o->state);
        free(o->window);
        free(o);
}

void content_free(struct content *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->plan->n; i++)
                if (c->plan->engines[i]->close)
                        c->plan->engines[i]->close(c->workers[i]);
        for (size_t k = 0; k < ARRAY_SIZE(c->free); k++) {
                while (c->free[k]) {
                        struct content_open *next = c->free[k]->parent;
                        open_free(c->free[k]);
                        c->free[k] = next;
                }
        }
        free(c);
}

void content_skipped(struct content *c) { c->totals.incomplete++; }

struct content_totals content_totals(const struct content *c) { return c->totals; }

struct str content_name(struct arena *a, const struct content_file *f)
{
        return f->members.n ? arena_printf(a, "%.*s!%.*s", STR_FMT(f->path), STR_FMT(f->members)) : f->path;
}

static void say_unread(struct content *c, const struct content_file *f, const char *code, const char *detail)
{
        struct arena arena = ARENA_INIT;
        sink_unread(c->out, content_name(&arena, f), code, "%s", detail);
        arena_done(&arena);
}

static void note_incomplete(struct content_open *o)
{
        while (o->parent)
                o = o->parent;
        o->content->totals.incomplete += !o->is_incomplete;
        o->is_incomplete = true;
}

void content_incomplete(struct content_open *o, const char *code, const char *fmt, ...)
{
        char detail[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
        say_unread(o->content, &o->file, code, detail);
        note_incomplete(o);
}

void content_unseen(struct content_open *o) { note_incomplete(o); }

/* --- one file --- */

static struct content_call call_of(const struct content_open *o, size_t engine)
{
        struct content *c = o->content;
        const struct content_plan *p = c->plan;
        return (struct content_call){ .content = c,
                                      .open = (struct content_open *)o,
                                      .engine = p->engines[engine],
                                      .file = &o->file,
                                      .worker = c->workers[engine],
                                      .state = p->engines[engine]->file_bytes ? o->state + p->state_at[engine] : NULL,
                                      .kind = o->kind,
                                      .bytes = o->bytes,
                                      .out = c->out };
}

static struct content_open *open_take(struct content *c, bool is_member)
{
        struct content_open *o = c->free[is_member];
        if (o) {
                c->free[is_member] = o->parent;
                memset(o->state, 0, c->plan->state_at[c->plan->n]);
                return o;
        }
        static const enum digest_kind kinds[] = { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };
        o = xcalloc(1, sizeof(*o));
        o->content = c;
        o->state = xcalloc(1, c->plan->state_at[c->plan->n] + 1);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                digest_init(&o->digests[i], kinds[i]);
        return o;
}

struct content_open *content_begin(struct content *c, struct content_open *parent, const struct content_file *f)
{
        unsigned depth = parent ? parent->file.depth + 1 : 0;
        if (parent && (depth > CONTENT_DEPTH_MAX || c->n_open >= CONTENT_OPEN_MAX)) {
                bool deep = depth > CONTENT_DEPTH_MAX;
                say_unread(c, f, deep ? "too-deep" : "budget",
                           deep ? "members in members, more than are opened" : "too many members open at once");
                note_incomplete(parent);
                return NULL;
        }
        struct content_open *o = open_take(c, parent != NULL);
        *o = (struct content_open){ .content = c,
                                    .parent = parent,
                                    .file = *f,
                                    .state = o->state,
                                    .window = o->window,
                                    .window_max = o->window_max,
                                    .window_size = parent ? CONTENT_MEMBER_WINDOW : CONTENT_WINDOW_MAX,
                                    .md5 = parent && c->plan->wants.md5,
                                    .sha1 = parent && c->plan->wants.sha1,
                                    .sha256 = parent && c->plan->wants.sha256,
                                    .digests = { o->digests[0], o->digests[1], o->digests[2] } };
        o->file.depth = depth;
        c->n_open++;
        *(parent ? &c->totals.members : &c->totals.files) += 1;
        for (size_t i = 0; i < c->plan->n; i++) {
                struct content_call call = call_of(o, i);
                if (call.engine->begin)
                        call.engine->begin(&call);
        }
        return o;
}

struct found {
        uint32_t start, index;
};

struct finding_all {
        const struct content_plan *plan;
        struct str bytes;
        VEC(struct found) hits;
        bool is_cut;
};

/* Whether the literal is one byte over and over. */
static bool is_run(const struct content_plan *p, uint32_t index)
{
        size_t i = 0;
        while (index >= p->first[i + 1])
                i++;
        struct str s = p->engines[i]->literals[index - p->first[i]].bytes;
        return memcmp(s.p, s.p + 1, s.n - 1) == 0;
}

/* In a run of a byte, a literal of that byte alone is found at each place: only the first tells anything. */
static bool is_found_before(const struct finding_all *all, uint32_t index, size_t start)
{
        const char *p = all->bytes.p + start;
        return start && p[-1] == *p && start + 1 < all->bytes.n && p[1] == *p && is_run(all->plan, index);
}

static void on_found(void *arg, uint32_t index, size_t start)
{
        struct finding_all *all = arg;
        if (is_found_before(all, index, start))
                return;
        if (all->hits.n == CONTENT_HITS_MAX)
                all->is_cut = true;
        else
                *vec_push(&all->hits) = (struct found){ (uint32_t)start, index };
}

static int by_start(const void *a, const void *b)
{
        const struct found *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return (x->index > y->index) - (x->index < y->index);
}

/* Those of an engine out of all, in their order. */
static size_t pick(const struct content_plan *p, size_t engine, const struct finding_all *all, struct content_hit *ret)
{
        size_t n = 0;
        for (size_t i = 0; i < all->hits.n; i++) {
                uint32_t index = all->hits.v[i].index;
                if (index >= p->first[engine] && index < p->first[engine + 1])
                        ret[n++] = (struct content_hit){ .literal = index - p->first[engine],
                                                         .start = all->hits.v[i].start };
        }
        return n;
}

/* Shows a window to all engines. Hits that the windows around it tell of are left out. */
static void show(struct content_open *o, struct str bytes, bool is_last)
{
        const struct content_plan *p = o->content->plan;
        struct finding_all all = { .plan = p, .bytes = bytes };
        size_t from = o->fresh ? CONTENT_CONTEXT : 0, to = is_last ? bytes.n : bytes.n - CONTENT_CONTEXT;
        if (!o->was_shown)
                o->kind = (uint8_t)sniff(bytes);
        literals_scan(p->literals, bytes, from, to, on_found, &all);
        if (all.hits.n > 1)
                qsort(all.hits.v, all.hits.n, sizeof(*all.hits.v), by_start);
        if (all.is_cut && !o->hits_were_cut)
                content_incomplete(o, "budget",
                                   "more than %u hits in %zu bytes from byte %llu on: some were not followed",
                                   CONTENT_HITS_MAX, bytes.n, (unsigned long long)o->offset);
        o->hits_were_cut |= all.is_cut;
        struct content_hit *own = all.hits.n ? xmalloc(all.hits.n * sizeof(*own)) : NULL;
        for (size_t i = 0; i < p->n; i++) {
                struct content_call call = call_of(o, i);
                struct content_window w = { .bytes = bytes,
                                            .offset = o->offset,
                                            .fresh = o->fresh,
                                            .hole = o->hole,
                                            .is_first = !o->was_shown,
                                            .is_last = is_last,
                                            .hits = own,
                                            .n_hits = pick(p, i, &all, own),
                                            .is_cut = all.is_cut };
                if (call.engine->window && (w.n_hits || call.engine->every_window))
                        call.engine->window(&call, &w);
        }
        free(own);
        vec_done(&all.hits);
        o->was_shown = true;
        o->is_over = is_last;
        o->hole = 0;
}

static void show_and_move_on(struct content_open *o)
{
        show(o, str_span(o->window, o->n), false);
        memmove(o->window, o->window + o->n - OVERLAP, OVERLAP);
        o->offset += o->n - OVERLAP;
        o->n = o->fresh = OVERLAP;
}

static void digest_bytes(struct content_open *o, const void *p, size_t n)
{
        if (o->md5)
                digest_add(&o->digests[0], p, n);
        if (o->sha1)
                digest_add(&o->digests[1], p, n);
        if (o->sha256)
                digest_add(&o->digests[2], p, n);
}

static void append(struct content_open *o, const uint8_t *p, size_t n)
{
        memcpy(o->window + o->n, p, n);
        o->n += n;
}

/*
 * A large piece in the midst of a file is a window as it stands, without a copy; the bytes around its beginning are one
 * before it. The first window of a file is always a full one, so that what is told by it does not hang on the pieces.
 */
static void show_piece(struct content_open *o, const uint8_t *p, size_t n)
{
        if (o->window_size - o->n < OVERLAP)
                show_and_move_on(o);
        append(o, p, OVERLAP);
        show(o, str_span(o->window, o->n), false);
        o->offset += o->n - OVERLAP;
        o->fresh = OVERLAP;
        show(o, str_span(p, n), false);
        o->offset += n - OVERLAP;
        memcpy(o->window, p + n - OVERLAP, OVERLAP);
        o->n = OVERLAP;
}

/* An unpacker was told a size that is a lie, and believed it: what follows is shown as windows of their own. */
static void go_on_after_end(struct content_open *o)
{
        content_incomplete(o, "corrupt", "has more bytes than its size of %llu: what follows was searched by itself",
                           (unsigned long long)o->file.size);
        o->is_over = false;
        o->offset = o->bytes;
        o->fresh = 0;
}

void content_add(struct content_open *o, const void *p, size_t n)
{
        const uint8_t *bytes = p;
        if (o->is_over && n)
                go_on_after_end(o);
        digest_bytes(o, p, n);
        o->bytes += n;
        o->content->totals.bytes += n;
        if (!o->n && !o->was_shown && n == o->file.size && n <= o->window_size) {
                show(o, str_span(p, n), true);
                return;
        }
        if (!o->window_max && n) {
                o->window = xmalloc(o->window_size);
                o->window_max = o->window_size;
        }
        for (size_t part; n; bytes += part, n -= part) {
                if (o->n == o->window_size)
                        show_and_move_on(o);
                bool is_amid = o->was_shown && o->n >= OVERLAP && n >= IN_PLACE_MIN;
                part = MIN(n, is_amid ? o->window_size : o->window_size - o->n);
                if (is_amid)
                        show_piece(o, bytes, part);
                else
                        append(o, bytes, part);
        }
}

/*
 * No engine looks for zeros, so the windows jump over them. Those at the hole's beginning end a window, and as they are
 * zeros they are also the overlap with the next one, at the hole's end.
 */
void content_add_hole(struct content_open *o, uint64_t n)
{
        static const uint8_t zeros[OVERLAP];
        size_t shown = (size_t)MIN(n, (uint64_t)OVERLAP);
        content_add(o, zeros, shown);
        n -= shown;
        if (!n)
                return;
        show_and_move_on(o);
        o->hole = n;
        o->offset += n;
        o->bytes += n;
        o->content->totals.bytes += n;
}

static struct str digest_finish(struct content_open *o, size_t i, bool is_wanted, uint8_t *ret)
{
        if (!is_wanted)
                return STR_NONE;
        digest_end(&o->digests[i], ret);
        return str_span(ret, digest_size(o->digests[i].kind));
}

void content_end(struct content_open *o, const struct content_digests *d, bool is_whole)
{
        struct content *c = o->content;
        bool is_member = o->parent != NULL;
        uint8_t md5[DIGEST_MAX], sha1[DIGEST_MAX], sha256[DIGEST_MAX];
        struct content_digests own = { .md5 = digest_finish(o, 0, o->md5, md5),
                                       .sha1 = digest_finish(o, 1, o->sha1, sha1),
                                       .sha256 = digest_finish(o, 2, o->sha256, sha256) };
        if (!o->is_over)
                show(o, str_span(o->window, o->n), true);
        for (size_t i = 0; i < c->plan->n; i++) {
                struct content_call call = call_of(o, i);
                if (call.engine->end)
                        call.engine->end(&call, d ? d : &own, is_whole);
        }
        if (!is_whole)
                note_incomplete(o);
        c->n_open--;
        o->parent = c->free[is_member];
        c->free[is_member] = o;
}
