/* A root file system in a directory: unpacked, mounted, a chroot. One layer, packed on the way. */
#include "source/packed.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct dir {
        int fd;
};

static int dir_recognise(const char *target)
{
        struct stat st;
        return stat(target, &st) == 0 && S_ISDIR(st.st_mode) ? 60 : 0;
}

static int dir_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct dir *d = arena_new(&ret->arena, struct dir);
        d->fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (d->fd < 0)
                return error_errno(err, -errno, "cannot open the directory %s", target);
        ret->state = d;
        ret->name = arena_str(&ret->arena, str_of(target));
        packed_single_layer(ret, ret->name);
        return 0;
}

static int dir_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct dir *d = a->state;
        struct treepack what = { .root_fd = d->fd, .below_fd = -1, .mode = TREEPACK_PLAIN, .process_fd = -1 };
        return packed_open(&what, ret, err);
}

static void dir_close(struct artefact *a)
{
        struct dir *d = a->state;
        d->fd = close_fd(d->fd);
}

const struct source source_dir = {
        .name = "dir",
        .prefix = "dir:",
        .summary = "root file system in a directory",
        .example = "dir:/srv/chroot/web",
        .recognise = dir_recognise,
        .open = dir_open,
        .open_layer = dir_open_layer,
        .close = dir_close,
};
