/*
 * OCI image layouts in a directory (image-spec, image-layout.md): oci-layout, index.json, blobs/<algorithm>/<hex>.
 * Links inside the directory are followed only as far as they stay inside it.
 */
#include "source/file.h"
#include "source/image.h"
#include "source/sources.h"

#include "read/oci.h"
#include "source/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct oci_dir {
        int fd;
};

static bool blob_path(struct str digest, char *path, size_t size)
{
        return digest_is_valid(digest) && snprintf(path, size, "blobs/%.*s/%.*s", STR_FMT(digest_algorithm(digest)),
                                                   STR_FMT(digest_hex(digest))) < (int)size;
}

static int read_blob(void *arg, const struct fact_descriptor *d, struct buf *ret, struct error *err)
{
        const struct oci_dir *dir = arg;
        char path[256];
        if (!blob_path(d->digest, path, sizeof(path)))
                return error_set(err, -EBADMSG, "\"%.*s\" is not a digest", STR_FMT(str_upto(d->digest, 200)));
        int r = read_regular(dir->fd, path, ret);
        if (r == -ENOENT)
                return error_set(err, -EBADMSG, "the layout has no %s", path);
        return r < 0 ? error_errno(err, r, "cannot read %s", path) : 0;
}

static int oci_dir_recognise(const char *target)
{
        _cleanup_(freep) char *path = NULL;
        const char *ref;
        if (!split_target(target, &path, &ref))
                return 0;
        _cleanup_(closep) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 && faccessat(fd, "index.json", F_OK, 0) == 0 && faccessat(fd, "blobs", F_OK, 0) == 0 ? 90 : 0;
}

static int load(struct oci_dir *dir, const char *ref, const struct source_options *o, struct artefact *a,
                struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
        struct document index;
        int r = read_regular(dir->fd, "index.json", &bytes);
        if (r == -ENOENT)
                return error_set(err, -EBADMSG, "not an OCI layout: it has no index.json");
        if (r < 0)
                return error_errno(err, r, "not an OCI layout: cannot read index.json");
        r = document_read(DOCUMENT_INDEX, buf_str(&bytes), &a->arena, &index, err);
        if (r < 0)
                return error_prefix(err, r, "index.json");
        struct image_fetch fetch = { .read = read_blob, .arg = dir };
        return image_from_index(a, &index, str_of(ref), o->platform, &fetch, err);
}

static int oci_dir_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        _cleanup_(freep) char *path = NULL;
        const char *ref;
        if (!split_target(target, &path, &ref))
                return error_set(err, -ENOENT, "there is no directory %s", target);
        struct oci_dir *dir = arena_new(&ret->arena, struct oci_dir);
        dir->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir->fd < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        int r = load(dir, ref, o, ret, err);
        if (r < 0) {
                dir->fd = close_fd(dir->fd);
                return error_prefix(err, r, "%s", path);
        }
        ret->state = dir;
        ret->name = arena_str(&ret->arena, str_of(target));
        if (*ref) {
                ret->tags = (struct str_list){ .v = arena_new(&ret->arena, struct str), .n = 1 };
                ret->tags.v[0] = arena_str(&ret->arena, str_of(ref));
        }
        return 0;
}

static int oci_dir_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct oci_dir *dir = a->state;
        char path[256];
        if (!blob_path(a->layers[i].digest, path, sizeof(path)))
                return error_set(err, -EBADMSG, "\"%.*s\" is not a digest",
                                 STR_FMT(str_upto(a->layers[i].digest, 200)));
        uint64_t size;
        int fd = open_regular(dir->fd, path, &size);
        if (fd == -ENOENT)
                return error_set(err, fd, "the layout has no %s%s", path,
                                 a->layers[i].is_foreign ? " (a layer that may not be distributed)" : "");
        if (fd < 0)
                return error_errno(err, fd, "cannot read %s", path);
        *ret = (struct layer_input){ .fd = fd, .is_seekable = true, .size = size };
        return 0;
}

static void oci_dir_close(struct artefact *a)
{
        struct oci_dir *dir = a->state;
        dir->fd = close_fd(dir->fd);
}

const struct source source_oci_dir = {
        .name = "oci-dir",
        .prefix = "oci-dir:",
        .summary = "OCI image layout in a directory",
        .example = "oci-dir:./layout:1.2",
        .recognise = oci_dir_recognise,
        .open = oci_dir_open,
        .open_layer = oci_dir_open_layer,
        .close = oci_dir_close,
};
