/*
 * Where a file is whose writer has ended, or whose name was not its own yet (an overlay copies files up under no name):
 * it is looked for in the upper layers of the containers that run. And who runs it, of a file that is known to be
 * malware only now. For responders, which nobody waits for.
 */
#include "serve/guard-private.h"

#include "base/map.h"

#include <dirent.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ENTRIES_MAX 500000u /* of a layer that are looked at */
#define DELETED     " (deleted)"

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Its path in the layer, "/x/y": by its name there or on the host, else by its number. Empty: it is not there. */
static struct str find_in_layer(const struct guard_scene *s, struct arena *arena, struct str layer)
{
        struct stat st;
        struct str found = STR_NONE, by_name = arena_printf(arena, "%.*s%.*s", STR_FMT(layer), STR_FMT(s->name));
        if (lstat(by_name.p, &st) == 0 && is_same(&st, &s->st))
                return s->name;
        if (str_starts(s->name, layer) && s->name.p[layer.n] == '/' && lstat(arena_cstr(arena, s->name), &st) == 0 &&
            is_same(&st, &s->st))
                return arena_str(arena, str_from(s->name, layer.n));
        if (!str_ends(s->name, STR(DELETED)) || s->st.st_nlink == 0)
                return STR_NONE;
        char *const paths[] = { arena_cstr(arena, layer), NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
        unsigned seen = 0;
        for (const FTSENT *e; tree && !found.n && seen++ < ENTRIES_MAX && (e = fts_read(tree));)
                if (e->fts_info == FTS_F && is_same(e->fts_statp, &s->st))
                        found = arena_str(arena, str_from(str_of(e->fts_path), layer.n));
        if (tree)
                fts_close(tree);
        return found;
}

/* The scene moves to this process, if the file is in its container. */
static bool is_here(struct guard_scene *s, pid_t pid)
{
        struct guard_scene there;
        guard_scene_take(&there, -1, pid, -1);
        there.name = s->name;
        there.st = s->st;
        guard_scene_take_container(&there);
        struct str layer = there.is_in_container ? guard_scene_upper(&there) : STR_NONE;
        struct str path = layer.n ? find_in_layer(s, &there.arena, layer) : STR_NONE;
        if (!path.n) {
                guard_scene_done(&there);
                return false;
        }
        there.name = arena_str(&there.arena, path);
        there.comm = arena_str(&there.arena, s->comm); /* who wrote it stays who wrote it */
        there.exe = arena_str(&there.arena, s->exe);
        there.chain = (struct str_list){ .n = 0 };
        there.top = there.pid = s->pid; /* and the others in there have done nothing */
        there.top_started_ns = there.started_ns = 0;
        guard_scene_done(s);
        *s = there;
        return true;
}

void guard_scene_search(struct guard_scene *s)
{
        struct set64 namespaces = { .n = 0 };
        DIR *processes = opendir("/proc");
        bool is_found = false;
        for (const struct dirent *e; processes && !is_found && (e = readdir(processes));) {
                uint64_t pid;
                char path[64], text[64];
                if (!str_u64(str_of(e->d_name), &pid) || pid > INT32_MAX)
                        continue;
                snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (pid_t)pid);
                ssize_t n = readlink(path, text, sizeof(text));
                if (n > 0 && set64_add(&namespaces, hash_str(str_span(text, (size_t)n))))
                        is_found = is_here(s, (pid_t)pid);
        }
        if (processes)
                closedir(processes);
        set64_done(&namespaces);
}

/*
 * Whether the program of that process is the file. An overlay shows the times and size of the file below it, and its
 * number too unless it was copied up; then the file is looked for in the upper layer.
 */
static bool is_run_by(const struct guard_scene *s, struct guard_scene *there)
{
        char path[64];
        struct stat st, below;
        struct statfs fs;
        snprintf(path, sizeof(path), "/proc/%d/exe", there->pid);
        if (stat(path, &st) < 0 || st.st_size != s->st.st_size || st.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
            st.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec || st.st_ctim.tv_sec != s->st.st_ctim.tv_sec ||
            st.st_ctim.tv_nsec != s->st.st_ctim.tv_nsec)
                return false;
        if (is_same(&st, &s->st))
                return true;
        if (statfs(path, &fs) < 0 || fs.f_type != OVERLAYFS_SUPER_MAGIC)
                return false;
        if (st.st_ino == s->st.st_ino)
                return true;
        guard_scene_take_container(there);
        struct str upper = guard_scene_upper(there);
        struct str name = arena_printf(&there->arena, "%.*s%.*s", STR_FMT(upper), STR_FMT(there->exe));
        return upper.n && lstat(name.p, &below) == 0 && is_same(&below, &s->st);
}

size_t guard_scene_runners(const struct guard_scene *s, bool (*each)(void *arg, struct guard_scene *runner), void *arg)
{
        size_t n = 0;
        DIR *processes = opendir("/proc");
        for (const struct dirent *e; processes && (e = readdir(processes));) {
                struct guard_scene there;
                uint64_t pid;
                if (!str_u64(str_of(e->d_name), &pid) || pid > INT32_MAX)
                        continue;
                guard_scene_take(&there, -1, (pid_t)pid, -1);
                bool is_kept = false;
                if (there.started_ns && is_run_by(s, &there)) {
                        n++;
                        there.name = there.exe;
                        there.st = s->st;
                        is_kept = each(arg, &there);
                }
                if (!is_kept)
                        guard_scene_done(&there);
        }
        if (processes)
                closedir(processes);
        return n;
}
