/*
 * See hidden.h. From the top layer down, each layer is read twice: first to find what hides each of its entries, then
 * to add it to what hides things below. (In one reading, a layer's own marks would hide its own files.)
 */
#include "flow/hidden.h"

#include "base/map.h"

#include <stdlib.h>

/* What the layers above say of a path; layers are counted from 1, 0 is none. */
struct shadow {
        uint16_t nearest; /* the lowest layer above that has, or deletes, this path */
        uint16_t cover;   /* the lowest layer above that hides all below this path */
};

struct finder {
        const struct layers *layers;
        struct hidden *hidden;
        void (*visible)(void *arg, size_t layer, uint64_t path_hash, const struct fact_file *f);
        void *arg;
        struct map64 shadows;      /* path -> struct shadow */
        struct set64 base_seen;    /* duplicates of the base layer, which hides nothing */
        struct str last_directory; /* memo of cover_of */
        char last_directory_text[4096];
        uint16_t last_cover;
};

struct pass {
        struct finder *f;
        size_t layer;
        struct set64 twice;   /* paths that come more than once */
        struct map64 last_of; /* path -> 1 + index of its last entry so far */
};

static struct shadow shadow_of(uint64_t value)
{
        return (struct shadow){ .nearest = (uint16_t)value, .cover = (uint16_t)(value >> 16) };
}

static uint64_t shadow_value(struct shadow s) { return s.nearest | (uint64_t)s.cover << 16; }

static uint16_t lower_of(uint16_t a, uint16_t b) { return a == 0 ? b : b == 0 ? a : MIN(a, b); }

struct cover {
        const struct map64 *shadows;
        uint16_t layer, lowest;
};

static void add_cover(void *arg, uint64_t directory)
{
        struct cover *c = arg;
        const uint64_t *v = map64_get(c->shadows, directory);
        uint16_t here = v ? shadow_of(*v).cover : 0;
        if (here > c->layer)
                c->lowest = lower_of(c->lowest, here);
}

/* The lowest layer above `layer` that hides everything below one of the path's directories; 0: none. */
static uint16_t cover_of(struct finder *f, struct str path, uint16_t layer)
{
        ptrdiff_t slash = str_rfind_char(path, '/');
        struct str directory = str_upto(path, slash < 0 ? 0 : (size_t)slash);
        if (f->last_directory.p && str_eq(directory, f->last_directory))
                return f->last_cover;
        struct cover c = { .shadows = &f->shadows, .layer = layer };
        hash_directories(path, add_cover, &c);
        f->last_directory = STR_NONE;
        if (directory.n <= sizeof(f->last_directory_text)) {
                memcpy(f->last_directory_text, directory.n ? directory.p : "", directory.n);
                f->last_directory = str_span(f->last_directory_text, directory.n);
                f->last_cover = c.lowest;
        }
        return c.lowest;
}

static int find_hider(void *arg, uint64_t i, const struct fact_file *file)
{
        struct pass *p = arg;
        struct finder *f = p->f;
        uint16_t me = (uint16_t)(p->layer + 1), hider = 0;
        if (is_marker(file))
                return 0;
        uint64_t h = hash_str(file->path);
        if (f->shadows.n || f->shadows.has_zero) {
                const uint64_t *v = map64_get(&f->shadows, h);
                uint16_t nearest = v ? shadow_of(*v).nearest : 0;
                hider = lower_of(nearest > me ? nearest : 0, cover_of(f, file->path, me));
        }
        if (hider) /* the pages of a layer that nothing hides are never touched */
                f->hidden->by[p->layer][i] = hider;
        else
                f->visible(f->arg, p->layer, h, file);
        return 0;
}

static int add_shadow(void *arg, uint64_t i, const struct fact_file *file)
{
        struct pass *p = arg;
        struct finder *f = p->f;
        uint64_t h = hash_str(file->path);
        if (p->layer == 0) {
                if (!is_marker(file) && !set64_add(&f->base_seen, h))
                        set64_add(&p->twice, h);
                return 0;
        }
        uint64_t *v = map64_put(&f->shadows, h, NULL);
        struct shadow s = shadow_of(*v);
        uint16_t me = (uint16_t)(p->layer + 1);
        if (s.nearest == me && !is_marker(file))
                set64_add(&p->twice, h);
        if (file->type != FILE_OPAQUE)
                s.nearest = me;
        if (file->type != FILE_DIRECTORY)
                s.cover = me;
        *v = shadow_value(s);
        return 0;
}

static int keep_last(void *arg, uint64_t i, const struct fact_file *file)
{
        struct pass *p = arg;
        uint64_t h = hash_str(file->path);
        if (is_marker(file) || !set64_has(&p->twice, h))
                return 0;
        uint64_t *last = map64_put(&p->last_of, h, NULL);
        if (*last)
                p->f->hidden->by[p->layer][*last - 1] = HIDDEN_REPLACED;
        *last = i + 1;
        return 0;
}

static int find_in_layer(struct finder *f, size_t k)
{
        struct pass p = { .f = f, .layer = k };
        struct spool *files = &f->layers->v[k].files;
        f->hidden->by[k] = xcalloc((size_t)files->records + 1, sizeof(uint16_t));
        f->last_directory = STR_NONE;
        int r = layer_each_file(files, find_hider, &p);
        if (k == 0)
                set64_reserve(&f->base_seen, (size_t)files->records);
        if (r == 0)
                r = layer_each_file(files, add_shadow, &p);
        if (r == 0 && (p.twice.n || p.twice.has_zero))
                r = layer_each_file(files, keep_last, &p);
        set64_done(&p.twice);
        map64_done(&p.last_of);
        return r;
}

int hidden_find(const struct layers *l,
                void (*visible)(void *arg, size_t layer, uint64_t path_hash, const struct fact_file *f), void *arg,
                struct hidden *ret)
{
        *ret = (struct hidden){ .by = xcalloc(l->n + 1, sizeof(*ret->by)), .n = l->n };
        struct finder f = { .layers = l, .hidden = ret, .visible = visible, .arg = arg };
        int r = 0;
        for (size_t k = l->n; k-- > 0 && r == 0;)
                r = find_in_layer(&f, k);
        map64_done(&f.shadows);
        set64_done(&f.base_seen);
        return r;
}

void hidden_done(struct hidden *h)
{
        for (size_t k = 0; k < h->n; k++)
                free(h->by[k]);
        free(h->by);
        *h = (struct hidden){ 0 };
}
