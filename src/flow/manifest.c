/*
 * See manifest.h. Candidates of every layer are kept, those too that a later layer deleted: a hard link of that layer
 * may still lead to one's content.
 */
#include "flow/manifest.h"

#include "base/utf8.h"
#include "read/digest.h"
#include "read/manifest.h"
#include "report/document.h"

#include <errno.h>
#include <stdlib.h>

struct manifest_candidate {
        struct str path, link, package, sha256; /* link: a hard link, whose content is that of this path */
        uint64_t size, mode, format;
        size_t layer;
        bool is_seen; /* in the view */
};

const struct content_engine programs_engine = { .name = "programs", .wants_programs = true };

static bool can_run(uint64_t format, uint64_t mode)
{
        return format == FORMAT_ELF || format == FORMAT_SCRIPT || format == FORMAT_PE || (mode & 0111);
}

static struct str place(struct arena *arena, size_t layer, struct str path)
{
        return arena_printf(arena, "%zu/%.*s", layer, STR_FMT(path));
}

static int on_entry(void *arg, const struct ledger_entry *e)
{
        struct manifest_writer *w = arg;
        const struct fact_file *f = e->file;
        bool is_link = f->type == FILE_HARDLINK;
        if (is_link || (f->type == FILE_REGULAR && can_run(f->format, f->mode))) {
                *vec_push(&w->files) = (struct manifest_candidate){
                        .path = arena_str(&w->arena, f->path),
                        .link = is_link ? arena_str(&w->arena, f->link) : STR_NONE,
                        .package = arena_str(&w->arena, e->package),
                        .sha256 = arena_str(&w->arena, f->sha256),
                        .size = f->size,
                        .mode = f->mode,
                        .format = f->format,
                        .layer = e->layer,
                        .is_seen = e->deleted_by == NONE,
                };
        }
        return w->next && w->next->entry ? w->next->entry(w->next->arg, e) : 0;
}

static void on_directory(void *arg, const struct fact_file *f, size_t layer)
{
        struct manifest_writer *w = arg;
        if (w->next && w->next->directory)
                w->next->directory(w->next->arg, f, layer);
}

void manifest_begin(struct manifest_writer *w, const struct ledger *next)
{
        *w = (struct manifest_writer){ .ledger = { .entry = on_entry, .directory = on_directory, .arg = w },
                                       .next = next };
}

void manifest_done(struct manifest_writer *w)
{
        vec_done(&w->files);
        map_str_done(&w->by_place);
        arena_done(&w->arena);
}

#define LINKS_MAX 8 /* of hard links to hard links */

/* Hard links become what they lead to, in their own layer. */
static void follow_links(struct manifest_writer *w)
{
        for (size_t i = 0; i < w->files.n; i++)
                *map_str_put(&w->by_place, place(&w->arena, w->files.v[i].layer, w->files.v[i].path), NULL) =
                        &w->files.v[i];
        for (size_t i = 0; i < w->files.n; i++) {
                struct manifest_candidate *f = &w->files.v[i];
                const struct manifest_candidate *to = f;
                for (size_t k = 0; to && to->link.n && k < LINKS_MAX; k++)
                        to = map_str_get(&w->by_place, place(&w->arena, to->layer, to->link));
                if (!to || to == f || to->link.n)
                        continue;
                f->link = STR_NONE;
                f->sha256 = to->sha256;
                f->size = to->size;
                f->mode = to->mode;
                f->format = to->format;
                f->package = f->package.n ? f->package : to->package;
        }
}

static int by_path(const void *a, const void *b)
{
        return str_cmp(((const struct manifest_candidate *)a)->path, ((const struct manifest_candidate *)b)->path);
}

static const char *kind_of(const struct manifest_candidate *f)
{
        return f->format == FORMAT_ELF      ? "elf"
               : f->format == FORMAT_SCRIPT ? "script"
               : f->format == FORMAT_PE     ? "pe"
                                            : "program";
}

static struct str hex(struct arena *arena, struct str bytes)
{
        struct buf b = BUF_INIT(SIZE_MAX);
        buf_hex(&b, bytes);
        struct str ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return ret;
}

static void put_line(struct buf *to, json_t *o)
{
        char *line = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(o);
        buf_puts(to, line ? line : "{}");
        buf_putc(to, '\n');
        free(line);
}

static void put_head(struct buf *to, const struct scan *s)
{
        json_t *o = doc_object(), *layers = doc_array();
        doc_set(o, "sekisho_manifest", doc_number(MANIFEST_VERSION));
        doc_set(o, "target", doc_text(s->report.target));
        doc_set(o, "name", doc_text(s->report.name));
        doc_set(o, "digest", doc_text(s->report.digest));
        doc_set(o, "image_id", doc_text(s->report.image_id));
        doc_set(o, "tags", doc_list(s->report.tags));
        for (size_t i = 0; i < s->artefact.n_layers; i++)
                doc_add(layers, doc_text(s->artefact.layers[i].diff_id));
        doc_set(o, "layers", layers);
        put_line(to, o);
}

static bool is_utf8(struct str s)
{
        uint32_t c;
        size_t n;
        while (s.n && (n = utf8_decode(s, &c)) > 0)
                s = str_from(s, n);
        return s.n == 0;
}

static void put_file(struct manifest_writer *w, struct buf *to, const struct manifest_candidate *f)
{
        json_t *o = doc_object();
        if (is_utf8(f->path))
                doc_set(o, "path", doc_text(f->path));
        else
                doc_set(o, "path_hex", doc_text(hex(&w->arena, f->path)));
        doc_set(o, "kind", doc_cstr(kind_of(f)));
        doc_set(o, "size", doc_number(f->size));
        doc_set(o, "layer", doc_number(f->layer + 1));
        if (f->package.n)
                doc_set(o, "package", doc_text(f->package));
        doc_set(o, "sha256", doc_text(hex(&w->arena, f->sha256)));
        put_line(to, o);
}

int manifest_write(struct manifest_writer *w, const struct scan *s, FILE *to, struct error *err)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(MANIFEST_BYTES_MAX);
        uint8_t digest[DIGEST_MAX];
        size_t n = 0;
        follow_links(w);
        if (w->files.n)
                qsort(w->files.v, w->files.n, sizeof(*w->files.v), by_path);
        put_head(&b, s);
        for (size_t i = 0; i < w->files.n; i++) {
                const struct manifest_candidate *f = &w->files.v[i];
                if (!f->is_seen || f->link.n || !can_run(f->format, f->mode))
                        continue;
                if (f->sha256.n == 0) {
                        w->undigested++;
                        continue;
                }
                put_file(w, &b, f);
                n++;
        }
        if (n > MANIFEST_FILES_MAX || buf_is_full(&b))
                return error_set(err, -E2BIG, "%zu files can run: a manifest takes %u", n, MANIFEST_FILES_MAX);
        json_t *end = doc_object();
        digest_of(DIGEST_SHA256, buf_str(&b), digest);
        doc_set(end, "end", doc_number(n));
        doc_set(end, "sha256", doc_text(hex(&w->arena, str_span(digest, 32))));
        put_line(&b, end);
        return fwrite(b.p, 1, b.n, to) == b.n && fflush(to) == 0 ? 0 : error_errno(err, -errno, "cannot be written");
}
