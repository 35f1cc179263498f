/* See running.h. */
#include "flow/running.h"

#include "base/fs.h"
#include "flow/loaded.h"
#include "sense/mapped-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const struct running_use not_known;

/* ---------------------------------------------------------------------------------------- of which artefact ---- */

static bool is_in(const struct book_item *item, struct str container)
{
        for (size_t i = 0; i < item->n_places; i++)
                if (str_eq(item->places[i].container, container))
                        return true;
        return false;
}

/* Its image, or the container itself, whichever was scanned last. */
static const struct book_item *item_of(const struct book_inventory *inventory, const struct container *c)
{
        const struct book_item *best = NULL;
        struct str image = str_without(c->image_id, STR("sha256:"));
        for (size_t i = 0; i < inventory->n; i++) {
                const struct book_item *item = &inventory->v[i];
                bool is_image = image.n && (str_eq(image, str_without(item->artefact.image_id, STR("sha256:"))) ||
                                            str_eq(image, str_without(item->artefact.digest, STR("sha256:"))));
                if (item->n_scans && (is_image || is_in(item, c->id)) && (!best || item->scanned > best->scanned))
                        best = item;
        }
        return best;
}

/* ------------------------------------------------------------------------------------------------------- uses ---- */

/* What the agent kept: there is none, or none that can be read, where it did not look. */
static bool read_kept(struct running *r, const char *dir, struct mapped *to)
{
        char path[PATH_MAX];
        _cleanup_(buf_done) struct buf text = BUF_INIT(MAPPED_FILE_MAX);
        int n = snprintf(path, sizeof(path), "%s/%.*s", dir, STR_FMT(r->c.id));
        return n > 0 && n < PATH_MAX && str_find_char(r->c.id, '/') < 0 && r->c.id.p[0] != '.' &&
               read_file(path, &text, NULL) == 0 && mapped_parse_file(to, buf_str(&text), &r->since);
}

struct tally { /* of one package */
        const struct mapped_file *best;
        bool has_any; /* of its programs there is at least one */
};

static bool is_there(int root, struct str path)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int fd = root < 0 ? -1 : open_in_root(root, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW);
        return fd >= 0 || (fd != -ENOENT && fd != -ENOTDIR); /* what cannot be looked at is not known to be gone */
}

/* name of a package -> struct tally */
static void tally_programs(const struct running *r, const struct mapped *mapped, const struct book_program *programs,
                           size_t n, struct arena *arena, struct map_str *ret)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)r->c.pid);
        _cleanup_(closep) int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < n; i++) {
                bool is_new;
                void **at = map_str_put(ret, programs[i].package, &is_new);
                if (is_new)
                        *at = arena_new(arena, struct tally);
                struct tally *t = *at;
                const struct mapped_file *f = mapped_find(mapped, programs[i].path);
                if (f && loaded_is_better(f, t->best))
                        t->best = f;
                t->has_any = t->has_any || is_there(root, programs[i].path);
        }
}

static void add_use(struct running *r, struct str name, const struct running_use *use, struct arena *arena)
{
        bool is_new;
        void **at = map_str_put(&r->by_name, name, &is_new);
        if (is_new)
                *at = arena_new(arena, struct running_use);
        struct running_use *to = *at;
        if (use->use > to->use)
                *to = *use;
}

static struct running_use use_of(const struct tally *t, struct arena *arena)
{
        if (!t) /* a package without programs: data and scripts are read and closed again */
                return not_known;
        if (t->best)
                return (struct running_use){ USE_LOADED, loaded_words(t->best, arena) };
        return (struct running_use){ .use = t->has_any ? USE_PRESENT : USE_ABSENT };
}

static int read_uses(struct book *b, struct running *r, const struct mapped *mapped, struct arena *arena,
                     struct error *err)
{
        struct book_program *programs;
        struct fact_package *packages;
        struct fact_os os;
        struct map_str tallies = { 0 };
        size_t n_programs, n;
        int e = book_programs(b, r->item->key, arena, &programs, &n_programs, err);
        if (e < 0)
                return e == -ENOENT ? 0 : e;
        r->has_programs = true;
        tally_programs(r, mapped, programs, n_programs, arena, &tallies);
        e = book_packages(b, r->item->key, arena, &os, &packages, &n, err);
        for (size_t i = 0; i < n && e == 0; i++) {
                struct running_use use = use_of(map_str_get(&tallies, packages[i].name), arena);
                add_use(r, packages[i].name, &use, arena);
                if (packages[i].source.n && !str_eq(packages[i].source, packages[i].name))
                        add_use(r, packages[i].source, &use, arena);
        }
        map_str_done(&tallies);
        return e;
}

/* ------------------------------------------------------------------------------------------------- containers ---- */

struct str running_name(const struct running *r) { return r->c.name.n ? r->c.name : r->c.id; }

static int by_name(const void *pa, const void *pb)
{
        const struct running *a = pa, *b = pb;
        int r = str_cmp(running_name(a), running_name(b));
        return r ? r : str_cmp(a->c.id, b->c.id);
}

static int describe(struct book *b, struct running *r, const char *dir, struct arena *arena, struct error *err)
{
        struct mapped mapped;
        mapped_init(&mapped);
        r->is_watched = read_kept(r, dir, &mapped);
        int e = r->item && r->is_watched ? read_uses(b, r, &mapped, arena, err) : 0;
        mapped_done(&mapped);
        return e;
}

int running_find(struct book *b, const struct book_inventory *inventory, const char *dir, struct arena *arena,
                 struct running_set *ret, struct error *err)
{
        struct container *containers;
        size_t n = container_list_running(arena, &containers);
        int r = 0;
        *ret = (struct running_set){ .v = arena_array(arena, n, sizeof(*ret->v)), .n = n };
        for (size_t i = 0; i < n; i++)
                ret->v[i] = (struct running){ .c = containers[i], .item = item_of(inventory, &containers[i]) };
        if (n)
                qsort(ret->v, n, sizeof(*ret->v), by_name);
        for (size_t i = 0; i < n && r == 0; i++)
                r = describe(b, &ret->v[i], dir ? dir : MAPPED_DIR, arena, err);
        return r;
}

void running_done(struct running_set *s)
{
        for (size_t i = 0; i < s->n; i++)
                map_str_done(&s->v[i].by_name);
        *s = (struct running_set){ 0 };
}

struct running_use running_use_of(const struct running *r, struct str package)
{
        const struct running_use *use = map_str_get(&r->by_name, package);
        return use ? *use : not_known;
}
