/*
 * Images in the store of a Docker daemon on disk, read without the daemon: image/<driver>/repositories.json, imagedb
 * and layerdb (each layer by the chain id of image-spec's config.md), drivers overlay2 and vfs. Where Docker leaves its
 * images to containerd they are not here, which is said.
 */
#include "base/fs.h"
#include "read/oci.h"
#include "source/digest.h"
#include "source/image.h"
#include "source/reference.h"
#include "source/socket.h"
#include "source/sources.h"
#include "source/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct driver {
        const char *name, *before_id, *after_id; /* the cache id between them: a layer's directory */
        enum treepack_mode mode;
} drivers[] = {
        { "overlay2", "overlay2/", "/diff", TREEPACK_OVERLAY },
        { "fuse-overlayfs", "fuse-overlayfs/", "/diff", TREEPACK_OVERLAY },
        { "vfs", "vfs/dir/", "", TREEPACK_CHANGES },
};

/* The chain id of a layer: its diff_id alone for the first, then the digest of "CHAIN DIFF_ID". */
static struct str chain_id(struct arena *arena, struct str below, struct str diff_id)
{
        char digest[DIGEST_TEXT_MAX];
        if (!below.n)
                return diff_id;
        digest_sha256(arena_printf(arena, "%.*s %.*s", STR_FMT(below), STR_FMT(diff_id)), digest);
        return arena_str(arena, str_of(digest));
}

static int read_cache_id(struct artefact *a, const struct store *s, const struct driver *driver, struct str chain,
                         struct str *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(256);
        struct str path = arena_printf(&a->arena, "image/%s/layerdb/sha256/%.*s/cache-id", driver->name,
                                       STR_FMT(digest_hex(chain)));
        int r = store_read_file(s->root_fd, path.p, &text, err);
        if (r < 0)
                return r;
        struct str id = str_trim(buf_str(&text));
        if (!store_is_id(id))
                return error_set(err, -EBADMSG, "%s holds no id", path.p);
        *ret = arena_str(&a->arena, id);
        return 0;
}

static int take_layers(struct artefact *a, struct store *s, const struct driver *driver, struct error *err)
{
        struct str chain = STR_NONE;
        s->n_layers = a->n_layers;
        s->layers = arena_array(&a->arena, s->n_layers, sizeof(*s->layers));
        for (size_t i = 0; i < s->n_layers; i++) {
                struct str cache_id;
                if (!digest_is_valid(a->layers[i].diff_id))
                        return error_set(err, -EBADMSG, "the configuration's layer %zu has no digest", i + 1);
                chain = chain_id(&a->arena, chain, a->layers[i].diff_id);
                int r = read_cache_id(a, s, driver, chain, &cache_id, err);
                if (r < 0)
                        return r;
                s->layers[i].dir =
                        arena_printf(&a->arena, "%s%.*s%s", driver->before_id, STR_FMT(cache_id), driver->after_id);
                if (s->mode == TREEPACK_CHANGES && i)
                        s->layers[i].below = s->layers[i - 1].dir;
                a->layers[i].member = s->layers[i].dir;
                a->layers[i].is_packed = true;
        }
        return 0;
}

static int take_image(struct artefact *a, struct store *s, const struct driver *driver, const struct fact_stored *image,
                      struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
        struct document config;
        if (!digest_is_valid(image->id))
                return error_set(err, -EBADMSG, "the image's id in the store is none");
        struct str path = arena_printf(&a->arena, "image/%s/imagedb/content/sha256/%.*s", driver->name,
                                       STR_FMT(digest_hex(image->id)));
        int r = store_read_file(s->root_fd, path.p, &bytes, err);
        if (r == 0)
                r = digest_check(image->id, buf_str(&bytes), err);
        if (r == 0)
                r = document_read(DOCUMENT_CONFIG, buf_str(&bytes), &a->arena, &config, err);
        if (r < 0)
                return error_prefix(err, r, "configuration %.*s", STR_FMT(image->id));
        size_t n = config.image.diff_ids.n;
        struct fact_descriptor *layers = arena_array(&a->arena, n, sizeof(*layers));
        image_fill(a, layers, n, &config);
        a->image_id = a->digest = image->id;
        a->tags = image->names;
        for (size_t i = 0; i < image->names.n; i++) {
                struct str name, tag, digest;
                reference_split(image->names.v[i], &name, &tag, &digest);
                if (digest.n)
                        a->digest = digest;
        }
        return take_layers(a, s, driver, err);
}

/* Images without a name are known by their id alone, as a file of the imagedb. */
static void add_nameless(struct artefact *a, int root_fd, const struct driver *driver, const char *target,
                         struct document *images)
{
        struct str asked = str_of(target);
        if (str_starts(asked, STR("sha256:")))
                asked = str_from(asked, 7);
        if (images->n_stored || asked.n < 4)
                return;
        struct str path = arena_printf(&a->arena, "image/%s/imagedb/content/sha256", driver->name);
        int fd = open_in_root(root_fd, path.p, O_RDONLY | O_DIRECTORY);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        for (struct dirent *d; dir && (d = readdir(dir));) {
                struct str id = str_of(d->d_name);
                if (!store_is_id(id) || !store_is_id_prefix(asked, id))
                        continue;
                struct fact_stored *more = arena_array(&a->arena, images->n_stored + 1, sizeof(*more));
                if (images->n_stored)
                        memcpy(more, images->stored, images->n_stored * sizeof(*more));
                more[images->n_stored++] =
                        (struct fact_stored){ .id = arena_printf(&a->arena, "sha256:%s", d->d_name) };
                images->stored = more;
        }
        if (dir)
                closedir(dir);
        else
                (void)close_fd(fd);
}

static int choose(struct artefact *a, struct store *s, const struct driver *driver, const char *target,
                  struct fact_stored *ret, struct error *err)
{
        struct document images;
        struct str path = arena_printf(&a->arena, "image/%s/repositories.json", driver->name);
        int r = store_document(s->root_fd, path.p, DOCUMENT_DOCKER_REPOSITORIES, &a->arena, &images, err);
        size_t i = 0;
        if (r == 0)
                r = store_choose_image(&images, target, &i, err);
        if (r == -ENOENT) {
                images = (struct document){ 0 };
                add_nameless(a, s->root_fd, driver, target, &images);
                r = store_choose_image(&images, target, &i, err);
        }
        if (r == 0)
                *ret = images.stored[i];
        return r;
}

static int docker_recognise(const char *target) { return reference_is_plausible(str_of(target)) ? 40 : 0; }

static int docker_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        const char *root = o->root ? o->root : "/var/lib/docker";
        struct store *s = arena_new(&ret->arena, struct store);
        s->root = arena_str(&ret->arena, str_of(root));
        s->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->root_fd < 0) {
                int r = error_set(err, -ENOENT, "docker's store has no image \"%s\": %s (%s)", target, root,
                                  strerror(errno));
                return socket_fallback(ENGINE_DOCKER, target, o, ret, r, err);
        }
        bool is_denied = faccessat(s->root_fd, ".", R_OK | X_OK, AT_EACCESS) < 0;
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                struct fact_stored image;
                struct error why = ERROR_NONE;
                s->mode = drivers[i].mode;
                int r = choose(ret, s, &drivers[i], target, &image, &why);
                if (r == -ENOENT)
                        continue;
                if (r == 0)
                        r = take_image(ret, s, &drivers[i], &image, &why);
                if (r == 0) {
                        ret->state = s;
                        ret->name = arena_str(&ret->arena, ret->tags.n ? ret->tags.v[0] : str_of(target));
                        return 0;
                }
                s->root_fd = close_fd(s->root_fd);
                return error_set(err, r == -ENOENT ? -EBADMSG : r, "%s: %s", root, why.text);
        }
        bool is_containerd = faccessat(s->root_fd, "image", F_OK, 0) < 0 && !is_denied;
        s->root_fd = close_fd(s->root_fd);
        int r = error_set(err, -ENOENT, "docker's store has no image \"%s\": %s (%s)", target, root,
                          is_denied       ? "not readable for you"
                          : is_containerd ? "no images in it; if Docker keeps them in containerd, use docker save"
                                          : "not in it");
        return is_denied || is_containerd ? socket_fallback(ENGINE_DOCKER, target, o, ret, r, err) : r;
}

const struct source source_docker = {
        .name = "docker",
        .prefix = "docker:",
        .summary = "image in the store of a Docker daemon on disk",
        .example = "docker:web:1.2",
        .recognise = docker_recognise,
        .open = docker_open,
        .open_layer = store_open_layer,
        .close = store_close,
};
