/* See script-layer.h. */
#include "serve/script-layer.h"

#include "base/fs.h"
#include "bpf/shared/exe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Has the upper layer something of that name? A link on the way was made by the container too. */
static bool is_in_upper(struct str upper, struct str below)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int dir = open(arena_cstr(&arena, upper), O_PATH | O_DIRECTORY | O_CLOEXEC);
        while (below.n && below.p[0] == '/')
                below = str_from(below, 1);
        if (dir < 0 || below.n == 0)
                return false;
        int fd = open_beneath(dir, arena_cstr(&arena, below), O_PATH | O_NOFOLLOW);
        struct stat st;
        bool is_there = fd == -ELOOP || (fd >= 0 && fstat(fd, &st) == 0 && !(S_ISCHR(st.st_mode) && st.st_rdev == 0));
        close_fd(fd);
        return is_there;
}

static int layer_by_name(const struct container_entry *c, struct str path)
{
        const struct container_mount *m = container_mount_of(c, path);
        if (!m)
                return EXE_LAYERS;
        if (str_is(m->type, "tmpfs") || str_is(m->type, "ramfs"))
                return EXE_LAYER_TMPFS;
        bool is_root = str_is(m->point, "/");
        if (!str_is(m->type, "overlay"))
                return is_root ? EXE_LAYER_ROOT : EXE_LAYER_MOUNT;
        if (m->upper.n == 0) /* a read-only overlay */
                return EXE_LAYER_LOWER;
        return is_in_upper(m->upper, is_root ? path : str_from(path, m->point.n)) ? EXE_LAYER_UPPER : EXE_LAYER_LOWER;
}

int script_layer(const struct container_entry *c, uint32_t pid, struct str path)
{
        char name[64], real[PATH_MAX];
        struct statfs fs;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (path.n == 0 || path.p[0] != '/')
                return EXE_LAYERS;
        snprintf(name, sizeof(name), "/proc/%u/root", pid);
        _cleanup_(closep) int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = root >= 0 ? open_in_root(root, arena_cstr(&arena, path), O_PATH) : -1;
        if (fd < 0)
                return c->has_mounts ? layer_by_name(c, path) : EXE_LAYERS;
        if (fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == EXE_MAGIC_TMPFS)
                return EXE_LAYER_TMPFS;
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, real, sizeof(real));
        if (n <= 0 || !c->has_mounts)
                return EXE_LAYERS;
        return layer_by_name(c, str_span(real, (size_t)n));
}
