/* See script-layer.h. */
#include "serve/script-layer.h"

#include "base/fs.h"
#include "bpf/shared/exe.h"
#include "sense/container-root.h"
#include "serve/named-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum in_upper { UPPER_NOTHING, UPPER_REMOVAL, UPPER_FILE };

/* What the upper layer has of that name. A link on the way was made by the container too. */
static enum in_upper look_in_upper(struct str upper, struct str below)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int dir = open(arena_cstr(&arena, upper), O_PATH | O_DIRECTORY | O_CLOEXEC);
        while (below.n && below.p[0] == '/')
                below = str_from(below, 1);
        if (dir < 0 || below.n == 0)
                return UPPER_NOTHING;
        int fd = open_beneath(dir, arena_cstr(&arena, below), O_PATH | O_NOFOLLOW);
        struct stat st;
        enum in_upper found = fd == -ELOOP ? UPPER_FILE : UPPER_NOTHING;
        if (fd >= 0 && fstat(fd, &st) == 0)
                found = S_ISCHR(st.st_mode) && st.st_rdev == 0 ? UPPER_REMOVAL : UPPER_FILE;
        close_fd(fd);
        return found;
}

/* `is_gone`: no layer has it now, so what has begun to run was in the upper one, unless that says that it was removed.
 */
static int layer_by_name(const struct container_entry *c, struct str path, bool is_gone)
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
        enum in_upper found = look_in_upper(m->upper, is_root ? path : str_from(path, m->point.n));
        return found == UPPER_FILE || (is_gone && found == UPPER_NOTHING) ? EXE_LAYER_UPPER : EXE_LAYER_LOWER;
}

static bool is_memfd(int fd)
{
        struct statfs fs;
        struct stat st;
        return fd >= 0 && fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == EXE_MAGIC_TMPFS && fstat(fd, &st) == 0 &&
               st.st_nlink == 0;
}

int script_layer(const struct container_entry *c, uint32_t pid, struct str path, int64_t *ret_ctime_ns)
{
        char name[64], real[PATH_MAX];
        struct statfs fs;
        struct stat st;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        if (ret_ctime_ns)
                *ret_ctime_ns = 0;
        if (path.n == 0 || path.p[0] != '/')
                return EXE_LAYERS;
        _cleanup_(closep) int descriptor = open_named_descriptor(pid, path);
        if (is_memfd(descriptor))
                return EXE_LAYER_MEMFD;
        snprintf(name, sizeof(name), "/proc/%u/root", pid);
        _cleanup_(closep) int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = root >= 0 ? open_in_root(root, arena_cstr(&arena, path), O_PATH) : -ENOENT;
        struct str host;
        bool is_there =
                fd >= 0 ? fstat(fd, &st) == 0
                        : container_path_on_host(c, path, &arena, &host) && lstat(arena_cstr(&arena, host), &st) == 0;
        if (ret_ctime_ns && is_there)
                *ret_ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
        if (fd < 0)
                return c->has_mounts ? layer_by_name(c, path, root >= 0 && fd == -ENOENT) : EXE_LAYERS;
        if (fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == EXE_MAGIC_TMPFS)
                return EXE_LAYER_TMPFS;
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, real, sizeof(real));
        if (n <= 0 || !c->has_mounts)
                return EXE_LAYERS;
        return layer_by_name(c, str_span(real, (size_t)n), false);
}
