/* See container-root.h. Mounts as proc_pid_mountinfo(5) has them. */
#include "sense/container-root.h"

#include "base/buf.h"
#include "base/fs.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define MOUNTINFO_MAX ((size_t)4 << 20)

/* The host's path of a directory of a file system, by a mount of it; false: that mount does not show it. */
static bool path_by(const struct container_mount *by, struct str dir, char ret[PATH_MAX])
{
        struct str point = str_is(by->point, "/") ? STR_NONE : by->point;
        struct str top = str_is(by->dir, "/") ? STR_NONE : by->dir;
        if (!str_starts(dir, top) || (dir.n > top.n && dir.p[top.n] != '/'))
                return false;
        int n = snprintf(ret, PATH_MAX, "%.*s%.*s", STR_FMT(point), STR_FMT(str_from(dir, top.n)));
        return n > 0 && n < PATH_MAX;
}

/* By the first mount of the host that leads there, and to `shall` unless that is NULL. */
static bool find_on_host(const struct container_mount *m, struct str below, const struct stat *shall,
                         struct arena *arena, struct str *ret)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(MOUNTINFO_MAX);
        _cleanup_(buf_done) struct buf dir = BUF_INIT(PATH_MAX);
        struct container_entry host = { .arena = ARENA_INIT };
        char path[PATH_MAX];
        struct stat is;
        bool found = false;
        if (read_file("/proc/self/mountinfo", &text, NULL) < 0)
                return false;
        buf_printf(&dir, "%.*s%.*s", STR_FMT(str_is(m->dir, "/") ? STR_NONE : m->dir), STR_FMT(below));
        container_parse_mounts(&host, buf_str(&text));
        for (size_t i = 0; i < host.n_mounts && !found; i++)
                found = str_eq(host.mounts[i].device, m->device) && path_by(&host.mounts[i], buf_str(&dir), path) &&
                        lstat(path, &is) == 0 && (!shall || (is.st_dev == shall->st_dev && is.st_ino == shall->st_ino));
        if (found)
                *ret = arena_str(arena, str_of(path));
        arena_done(&host.arena);
        return found;
}

bool container_root(const struct container_entry *e, uint32_t pid, struct arena *arena, struct str *ret)
{
        const struct container_mount *m = container_mount_of(e, STR("/"));
        char inside[64];
        struct stat shall;
        snprintf(inside, sizeof(inside), "/proc/%u/root/.", pid);
        return m && !str_is(m->type, "overlay") && stat(inside, &shall) == 0 &&
               find_on_host(m, STR_NONE, &shall, arena, ret);
}

bool container_path_on_host(const struct container_entry *e, struct str path, struct arena *arena, struct str *ret)
{
        const struct container_mount *m = container_mount_of(e, path);
        if (!m || str_is(m->type, "overlay"))
                return false;
        return find_on_host(m, str_is(m->point, "/") ? path : str_from(path, m->point.n), NULL, arena, ret);
}
