/* What the-sample is, where it lies, who writes it; here it is a directory that holds a root file system in "rootfs".
 */
#include "source/packed.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct sample {
        int fd;
};

/* Only the prefix names it: no bare target looks like one. */
static int sample_recognise(const char *target) { return 0; }

static int sample_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct sample *s = arena_new(&ret->arena, struct sample);
        _cleanup_(closep) int fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "cannot open %s", target);
        s->fd = openat(fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (s->fd < 0)
                return error_errno(err, -errno, "%s has no root file system", target);
        ret->state = s;
        ret->name = arena_str(&ret->arena, str_of(target));
        packed_single_layer(ret, ret->name);
        return 0;
}

static int sample_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct sample *s = a->state;
        struct treepack what = { .root_fd = s->fd, .below_fd = -1, .mode = TREEPACK_PLAIN };
        return packed_open(&what, ret, err);
}

static void sample_close(struct artefact *a)
{
        struct sample *s = a->state;
        s->fd = close_fd(s->fd);
}

const struct source source_sample = {
        .name = "the-sample",
        .prefix = "the-sample:",
        .summary = "root file system in a the-sample",
        .example = "the-sample:/srv/one",
        .recognise = sample_recognise,
        .open = sample_open,
        .open_layer = sample_open_layer,
        .close = sample_close,
};
