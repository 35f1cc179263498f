/*
 * Images in the store of podman, CRI-O and buildah on disk (containers/storage), read without the engine: images.json
 * and layers.json, manifest and configuration beside them, each layer a directory. Drivers overlay and vfs.
 */
#include "source/podman.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "read/oci.h"
#include "source/digest.h"
#include "source/image.h"
#include "source/reference.h"
#include "source/socket.h"
#include "source/sources.h"
#include "source/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LAYERS_MAX 4096

static const struct driver {
        const char *name, *before_id, *after_id; /* the id between them: a layer's directory */
        enum treepack_mode mode;
} drivers[] = {
        { "overlay", "overlay/", "/diff", TREEPACK_OVERLAY },
        { "vfs", "vfs/dir/", "", TREEPACK_CHANGES },
};

/* --- where stores are --- */

/* `graphroot = "..."` of storage.conf: a line of TOML, in the first table that has it. Empty if there is none. */
static struct str graphroot_of(struct arena *arena, const char *path)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(1u << 20);
        if (read_file(path, &text, NULL) < 0)
                return STR_NONE;
        for (struct str rest = buf_str(&text); rest.n;) {
                struct str line = str_trim(str_line(&rest)), key = str_trim(str_cut(&line, '='));
                line = str_trim(line);
                if (!str_is(key, "graphroot") || line.n < 2 || (line.p[0] != '"' && line.p[0] != '\''))
                        continue;
                struct str value = str_from(line, 1);
                ptrdiff_t end = str_find_char(value, line.p[0]);
                if (end > 0)
                        return arena_str(arena, str_upto(value, (size_t)end));
        }
        return STR_NONE;
}

static void add_root(struct podman_roots *roots, struct arena *arena, struct str path)
{
        if (!path.n || roots->n == ARRAY_SIZE(roots->v))
                return;
        for (size_t i = 0; i < roots->n; i++)
                if (str_is(path, roots->v[i]))
                        return;
        roots->v[roots->n++] = arena_cstr(arena, path);
}

void podman_find_roots(const char *given, struct arena *arena, struct podman_roots *ret)
{
        *ret = (struct podman_roots){ 0 };
        if (given) {
                add_root(ret, arena, str_of(given));
                return;
        }
        const char *home = env_or("HOME", "/nonexistent"), *data = env_or("XDG_DATA_HOME", NULL);
        const char *conf = env_or("CONTAINERS_STORAGE_CONF", NULL);
        if (conf)
                add_root(ret, arena, graphroot_of(arena, conf));
        struct str own_conf = arena_printf(arena, "%s/.config/containers/storage.conf", home);
        add_root(ret, arena, graphroot_of(arena, own_conf.p));
        add_root(ret, arena,
                 data ? arena_printf(arena, "%s/containers/storage", data)
                      : arena_printf(arena, "%s/.local/share/containers/storage", home));
        struct str system = graphroot_of(arena, "/etc/containers/storage.conf");
        if (!system.n)
                system = graphroot_of(arena, "/usr/share/containers/storage.conf");
        add_root(ret, arena, system.n ? system : STR("/var/lib/containers/storage"));
}

/* --- an image --- */

/* The name of a document's file: as it is, or in base64 where it has other characters (containers/storage,
 * makeBigDataBaseName). */
static struct str part_file(struct arena *arena, struct str name)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bool is_plain = true;
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                is_plain &= c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        }
        if (is_plain)
                return name;
        char *out = arena_alloc(arena, name.n * 4 / 3 + 8);
        size_t n = 0;
        out[n++] = '=';
        for (size_t i = 0; i < name.n; i += 3) {
                unsigned char b[3] = { 0 };
                size_t have = MIN(name.n - i, (size_t)3);
                memcpy(b, name.p + i, have);
                unsigned v = (unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2];
                out[n++] = digits[v >> 18];
                out[n++] = digits[v >> 12 & 63];
                out[n++] = have > 1 ? digits[v >> 6 & 63] : '=';
                out[n++] = have > 2 ? digits[v & 63] : '=';
        }
        return str_span(out, n);
}

struct part_reader {
        const struct store *store;
        const struct driver *driver;
        struct str image_id;
        struct arena *arena;
};

static int read_part_named(const struct part_reader *x, struct str part, struct buf *ret, struct error *err)
{
        struct str file = part_file(x->arena, part);
        if (str_find_char(file, '/') >= 0)
                return error_set(err, -EBADMSG, "a document whose name cannot be a file's");
        struct str path =
                arena_printf(x->arena, "%s-images/%.*s/%.*s", x->driver->name, STR_FMT(x->image_id), STR_FMT(file));
        return store_read_file(x->store->root_fd, path.p, ret, err);
}

static int fetch_part(void *arg, const struct fact_descriptor *d, struct buf *ret, struct error *err)
{
        return read_part_named(arg, d->digest, ret, err);
}

/* The chain of directories from the image's top layer down, then turned over. */
static int take_layers(struct artefact *a, struct store *s, const struct driver *driver, struct str top,
                       struct error *err)
{
        _cleanup_(map_str_done) struct map_str by_id = { 0 };
        struct document layers;
        char path[64];
        snprintf(path, sizeof(path), "%s-layers/layers.json", driver->name);
        int r = store_document(s->root_fd, path, DOCUMENT_PODMAN_LAYERS, &a->arena, &layers, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < layers.n_stored; i++)
                *map_str_put(&by_id, layers.stored[i].id, NULL) = &layers.stored[i];
        VEC(const struct fact_stored *) chain = { 0 };
        for (struct str id = top; id.n && r == 0;) {
                const struct fact_stored *layer = map_str_get(&by_id, id);
                if (!layer || !store_is_id(id))
                        r = error_set(err, -EBADMSG, "%s has no layer \"%.*s\"", path, STR_FMT(str_upto(id, 80)));
                else if (chain.n == LAYERS_MAX)
                        r = error_set(err, -ELOOP, "%s: more than %d layers, one on the other", path, LAYERS_MAX);
                else
                        *vec_push(&chain) = layer;
                id = layer ? layer->parent : STR_NONE;
        }
        size_t n = chain.n;
        bool is_as_manifest = n == a->n_layers;
        struct layer *own = arena_array(&a->arena, n, sizeof(*own));
        s->layers = arena_array(&a->arena, n, sizeof(*s->layers));
        s->n_layers = n;
        for (size_t i = 0; i < n; i++) {
                const struct fact_stored *layer = chain.v[n - 1 - i];
                s->layers[i].dir =
                        arena_printf(&a->arena, "%s%.*s%s", driver->before_id, STR_FMT(layer->id), driver->after_id);
                if (s->mode == TREEPACK_CHANGES && i)
                        s->layers[i].below = s->layers[i - 1].dir;
                own[i] = is_as_manifest ? a->layers[i]
                                        : (struct layer){ .digest = layer->blob_digest, .diff_id = layer->digest };
                own[i].is_packed = true;
                own[i].is_foreign = false; /* it is here */
                own[i].size = layer->size;
                own[i].member = s->layers[i].dir;
        }
        if (r == 0 && !is_as_manifest)
                artefact_note(a, STR("manifest"), "corrupt", "it lists %zu layers, the store has %zu", a->n_layers, n);
        vec_done(&chain);
        a->layers = own;
        a->n_layers = n;
        return r;
}

static int take_image(struct artefact *a, struct store *s, const struct driver *driver, const struct fact_stored *image,
                      const struct source_options *o, struct error *err)
{
        if (!store_is_id(image->id))
                return error_set(err, -EBADMSG, "the image's id in the store is none");
        struct part_reader reader = { .store = s, .driver = driver, .image_id = image->id, .arena = &a->arena };
        struct image_fetch fetch = { .read = fetch_part, .arg = &reader };
        _cleanup_(buf_done) struct buf manifest = BUF_INIT(OCI_DOCUMENT_MAX);
        int r = read_part_named(&reader, STR("manifest"), &manifest, err);
        if (r == 0)
                r = image_from_bytes(a, buf_str(&manifest), o->platform, &fetch, err);
        if (r == 0)
                r = take_layers(a, s, driver, image->parent, err);
        a->tags = image->names;
        return r;
}

/* 0; -ENOENT without words: no such image in this store. */
static int open_in_store(const char *root, const char *target, const struct source_options *o, struct artefact *a,
                         struct error *err)
{
        struct store *s = arena_new(&a->arena, struct store);
        s->root = arena_str(&a->arena, str_of(root));
        s->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->root_fd < 0)
                return -errno;
        int result = -ENOENT;
        for (size_t i = 0; i < ARRAY_SIZE(drivers) && result == -ENOENT; i++) {
                struct document images;
                char path[64];
                size_t chosen = 0;
                snprintf(path, sizeof(path), "%s-images/images.json", drivers[i].name);
                s->mode = drivers[i].mode;
                struct error why = ERROR_NONE;
                int r = store_document(s->root_fd, path, DOCUMENT_PODMAN_IMAGES, &a->arena, &images, &why);
                if (r == -ENOENT)
                        continue;
                if (r == -EACCES) {
                        result = r; /* not ours to read: no reason to end the search */
                        break;
                }
                if (r == 0)
                        r = store_choose_image(&images, target, &chosen, &why);
                if (r == -ENOENT)
                        continue;
                if (r == 0)
                        r = take_image(a, s, &drivers[i], &images.stored[chosen], o, &why);
                result = r < 0 ? error_set(err, r == -ENOENT ? -EBADMSG : r, "%s: %s", root, why.text) : 0;
        }
        if (result < 0)
                s->root_fd = close_fd(s->root_fd);
        else
                a->state = s;
        return result;
}

static int podman_recognise(const char *target) { return reference_is_plausible(str_of(target)) ? 40 : 0; }

static int podman_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf looked = BUF_INIT(800);
        struct podman_roots roots;
        bool is_denied = false;
        podman_find_roots(o->root, &ret->arena, &roots);
        for (size_t i = 0; i < roots.n; i++) {
                int r = open_in_store(roots.v[i], target, o, ret, err);
                is_denied |= r == -EACCES;
                if (r == 0) {
                        ret->name = arena_str(&ret->arena, ret->tags.n ? ret->tags.v[0] : str_of(target));
                        return 0;
                }
                if (err && err->text[0])
                        return r;
                buf_printf(&looked, "%s%s (%s)", i ? ", " : "", roots.v[i],
                           r == -ENOENT && access(roots.v[i], F_OK) == 0 ? "not in it" : strerror(-r));
        }
        int r = error_set(err, -ENOENT, "podman's store has no image \"%s\": %s", target,
                          looked.n ? looked.p : "no store found");
        return is_denied ? socket_fallback(ENGINE_PODMAN, target, o, ret, r, err) : r;
}

const struct source source_podman = {
        .name = "podman",
        .prefix = "podman:",
        .summary = "image in the store of podman, CRI-O or buildah on disk",
        .example = "podman:localhost/web:1.2",
        .recognise = podman_recognise,
        .open = podman_open,
        .open_layer = store_open_layer,
        .close = store_close,
};
