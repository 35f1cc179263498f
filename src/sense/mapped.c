/* See mapped.h. */
#include "sense/mapped.h"

#include "base/fs.h"
#include "sense/script.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define SMALL_TEXT_MAX ((size_t)64 << 10)
#define CMDLINE_MAX    ((size_t)64 << 10)
#define COMM_MAX       64u

const char *const mapped_words[MAPPED_HOWS] = { "runs", "maps", "interprets", "has open" };

void mapped_init(struct mapped *m) { *m = (struct mapped){ .arena = ARENA_INIT }; }

void mapped_done(struct mapped *m)
{
        arena_done(&m->arena);
        vec_done(&m->files);
        map64_done(&m->by_path);
        *m = (struct mapped){ 0 };
}

void mapped_add(struct mapped *m, const struct mapped_file *f)
{
        uint64_t hash = hash_str(f->path);
        const uint64_t *known = map64_get(&m->by_path, hash);
        struct mapped_file *to;
        if (known) {
                to = &m->files.v[*known - 1];
                to->is_replaced = to->is_replaced || f->is_replaced;
                if (to->how <= f->how)
                        return;
        } else {
                if (m->files.n >= MAPPED_FILES_MAX) {
                        m->dropped++;
                        return;
                }
                to = vec_push(&m->files);
                *to = (struct mapped_file){ .path = arena_str(&m->arena, f->path), .is_replaced = f->is_replaced };
                *map64_put(&m->by_path, hash, NULL) = m->files.n;
        }
        to->how = f->how;
        to->pid = f->pid;
        to->comm = arena_str(&m->arena, f->comm);
}

const struct mapped_file *mapped_find(const struct mapped *m, struct str path)
{
        const uint64_t *at = map64_get(&m->by_path, hash_str(path));
        return at ? &m->files.v[*at - 1] : NULL;
}

/* A path as the kernel writes it: absolute, perhaps " (deleted)" behind it. Sockets, memfds and the like are none. */
static void add_path(struct mapped *m, struct str path, enum mapped_how how, const struct mapped_file *who)
{
        static const char *const no_files[] = { "/memfd:", "/SYSV", "/dev/", "/proc/", "/sys/" };
        struct mapped_file f = { .how = how, .pid = who->pid, .comm = who->comm };
        for (size_t i = 0; i < ARRAY_SIZE(no_files); i++)
                if (str_starts(path, str_of(no_files[i])))
                        return;
        f.is_replaced = str_ends(path, STR(" (deleted)"));
        if (f.is_replaced)
                path = str_upto(path, path.n - strlen(" (deleted)"));
        if (path.n < 2 || path.p[0] != '/' || path.n > PATH_MAX)
                return;
        f.path = str_from(path, 1);
        mapped_add(m, &f);
}

/* "address perms offset dev inode    path" */
void mapped_parse(struct mapped *m, struct str maps, const struct mapped_file *who)
{
        struct str last = STR_NONE;
        while (maps.n) {
                struct str rest = str_line(&maps);
                for (size_t i = 0; i < 5; i++)
                        str_cut(&rest, ' ');
                while (rest.n && rest.p[0] == ' ')
                        rest = str_from(rest, 1);
                if (rest.n && rest.p[0] == '/' && !str_eq(rest, last)) /* a library has several lines in a row */
                        add_path(m, rest, MAPPED_LIBRARY, who);
                last = rest;
        }
}

/* ------------------------------------------------------------------------------------------------ one process ---- */

static struct str read_text(int dir, const char *name, struct buf *b)
{
        buf_clear(b);
        _cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read_all(fd, b) == 0 ? buf_str(b) : STR_NONE;
}

static struct str read_link(int dir, const char *name, char to[PATH_MAX])
{
        ssize_t n = readlinkat(dir, name, to, PATH_MAX);
        return str_span(to, n > 0 ? (size_t)n : 0);
}

static void read_fds(struct mapped *m, int dir, const struct mapped_file *who)
{
        int fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        char path[PATH_MAX];
        size_t n = 0;
        for (struct dirent *e; d && n < MAPPED_FDS_MAX && (e = readdir(d)); n++)
                if (e->d_name[0] != '.')
                        add_path(m, read_link(dirfd(d), e->d_name, path), MAPPED_OPEN, who);
        if (d)
                closedir(d);
        else if (fd >= 0)
                close(fd);
}

/* The file that an interpreter or ld.so was started with. Relative to where the process is now, which is a guess. */
static void read_script(struct mapped *m, int dir, struct str exe, const struct mapped_file *who)
{
        _cleanup_(buf_done) struct buf args = BUF_INIT(CMDLINE_MAX);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        char cwd[PATH_MAX];
        struct str script = script_of(exe, read_text(dir, "cmdline", &args));
        if (script.n)
                add_path(m, script_absolute(script, read_link(dir, "cwd", cwd), &arena), MAPPED_SCRIPT, who);
}

int mapped_read_process(struct mapped *m, const char *proc, uint32_t pid)
{
        char path[PATH_MAX], exe[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%u", proc, pid);
        _cleanup_(closep) int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        _cleanup_(buf_done) struct buf comm = BUF_INIT(COMM_MAX);
        struct mapped_file who = { .pid = pid, .comm = str_trim(read_text(dir, "comm", &comm)) };
        struct str program = read_link(dir, "exe", exe);
        m->processes++;
        if (program.n) {
                add_path(m, program, MAPPED_RUN, &who);
                read_script(m, dir, program, &who);
        }
        _cleanup_(buf_done) struct buf maps = BUF_INIT(MAPPED_TEXT_MAX);
        struct str text = read_text(dir, "maps", &maps);
        if (!text.n && program.n)
                m->unread++;
        mapped_parse(m, text, &who);
        read_fds(m, dir, &who);
        return 0;
}

/* --------------------------------------------------------------------------------------------- one container ---- */

/* The v2 cgroup: the line "0::/path" of /proc/PID/cgroup. */
static struct str cgroup_in(struct str text)
{
        while (text.n) {
                struct str line = str_line(&text);
                if (str_starts(line, STR("0::/")))
                        return str_from(line, 3);
        }
        return STR_NONE;
}

struct belonging {
        struct str cgroup, mounts; /* empty: says nothing */
};

static bool belongs(const struct belonging *to, int proc_fd, const char *pid)
{
        char path[PATH_MAX], link[PATH_MAX];
        snprintf(path, sizeof(path), "%s/ns/mnt", pid);
        if (to->mounts.n && str_eq(read_link(proc_fd, path, link), to->mounts))
                return true;
        _cleanup_(buf_done) struct buf b = BUF_INIT(SMALL_TEXT_MAX);
        snprintf(path, sizeof(path), "%s/cgroup", pid);
        struct str cgroup = to->cgroup.n ? cgroup_in(read_text(proc_fd, path, &b)) : STR_NONE;
        return cgroup.n && str_starts(cgroup, to->cgroup) &&
               (cgroup.n == to->cgroup.n || cgroup.p[to->cgroup.n] == '/');
}

/* What all of its processes share. The root of the hierarchy and our own mounts tell nothing: all the host has them. */
static int find_belonging(int proc_fd, uint32_t pid, struct arena *arena, struct belonging *ret)
{
        char path[64], own[PATH_MAX], its[PATH_MAX];
        _cleanup_(buf_done) struct buf b = BUF_INIT(SMALL_TEXT_MAX);
        snprintf(path, sizeof(path), "%u/ns/mnt", pid);
        struct str mounts = read_link(proc_fd, path, its);
        if (!mounts.n)
                return -errno;
        if (!str_eq(mounts, read_link(proc_fd, "self/ns/mnt", own)))
                ret->mounts = arena_str(arena, mounts);
        snprintf(path, sizeof(path), "%u/cgroup", pid);
        struct str cgroup = cgroup_in(read_text(proc_fd, path, &b));
        if (cgroup.n > 1)
                ret->cgroup = arena_str(arena, cgroup);
        return 0;
}

int mapped_read_container(struct mapped *m, const char *proc, uint32_t pid)
{
        _cleanup_(closep) int proc_fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct belonging to = { 0 };
        int r = proc_fd < 0 ? -errno : find_belonging(proc_fd, pid, &m->arena, &to);
        if (r < 0)
                return r;
        DIR *d = opendir(proc);
        for (struct dirent *e; d && m->processes < MAPPED_PROCESSES_MAX && (e = readdir(d));) {
                uint64_t n;
                bool is_process = str_u64(str_of(e->d_name), &n) && n > 0 && n <= INT32_MAX;
                if (is_process && (n == pid || belongs(&to, proc_fd, e->d_name)))
                        (void)mapped_read_process(m, proc, (uint32_t)n); /* it may have ended meanwhile */
        }
        if (d)
                closedir(d);
        return 0;
}
