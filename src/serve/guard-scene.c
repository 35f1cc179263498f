/*
 * Who wants a file, and where it is: out of /proc, whose files can be looked at while their process waits for an
 * answer. What a process says of itself (name, arguments) is its own to choose; its mounts, root and cgroup are not.
 */
#include "serve/guard-private.h"

#include "base/fs.h"
#include "sense/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX      4096
#define MOUNTINFO_MAX ((size_t)4 << 20)
#define ARGUMENTS_MS  100
#define ANCESTORS_MAX 64
#define STAT_PARENT   2 /* words of /proc/PID/stat after the name */
#define STAT_START    20

static struct str link_text(struct arena *arena, const char *path)
{
        char text[PATH_MAX];
        ssize_t n = readlink(path, text, sizeof(text));
        return n < 0 ? STR_NONE : arena_str(arena, str_span(text, (size_t)n));
}

/* The first TEXT_MAX bytes of a file of /proc. */
static struct str proc_text(struct arena *arena, pid_t pid, const char *name)
{
        char path[64], text[TEXT_MAX];
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
        return n <= 0 ? STR_NONE : arena_str(arena, str_span(text, (size_t)n));
}

static struct str proc_link(struct arena *arena, pid_t pid, const char *name)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        return link_text(arena, path);
}

/* "0::/x/y" */
static struct str cgroup_of(struct arena *arena, pid_t pid)
{
        for (struct str rest = proc_text(arena, pid, "cgroup"); rest.n;) {
                struct str line = str_line(&rest);
                if (str_starts(line, STR("0::")))
                        return str_from(line, 3);
        }
        return STR_NONE;
}

struct process_line {
        struct str name;
        pid_t parent;
        uint64_t started_ns;
};

/* Out of /proc/PID/stat: "pid (name) state parent ..."; the name may hold anything. */
static bool read_process(struct arena *arena, pid_t pid, struct process_line *ret)
{
        struct str text = proc_text(arena, pid, "stat");
        ptrdiff_t from = str_find_char(text, '('), to = str_rfind_char(text, ')');
        uint64_t words[STAT_START] = { 0 };
        if (from < 0 || to < from)
                return false;
        struct str rest = str_from(text, (size_t)to + 2);
        for (unsigned i = 0; i < STAT_START; i++)
                (void)str_u64(str_cut(&rest, ' '), &words[i]); /* some are letters, some negative */
        *ret = (struct process_line){ .name = str_span(text.p + from + 1, (size_t)(to - from - 1)),
                                      .parent = (pid_t)MIN(words[STAT_PARENT - 1], (uint64_t)INT_MAX),
                                      .started_ns = words[STAT_START - 1] *
                                                    (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK)) };
        return true;
}

static void take_chain(struct guard_scene *s)
{
        struct process_line p;
        if (!read_process(&s->arena, s->pid, &p))
                return;
        s->comm = p.name;
        s->started_ns = p.started_ns;
        s->chain.v = arena_array(&s->arena, GUARD_CHAIN_MAX, sizeof(*s->chain.v));
        while (p.parent > 0 && s->chain.n < GUARD_CHAIN_MAX && read_process(&s->arena, p.parent, &p))
                s->chain.v[s->chain.n++] = p.name;
}

static struct str spaced(struct arena *arena, struct str args)
{
        char *text = arena_cstr(arena, args);
        for (size_t i = 0; i < args.n; i++)
                if (!text[i])
                        text[i] = ' ';
        return str_trim(str_span(text, args.n));
}

static bool has_other(struct arena *arena, pid_t pid, const char *namespace)
{
        struct str theirs = proc_link(arena, pid, namespace), ours = proc_link(arena, getpid(), namespace);
        return theirs.n && !str_eq(theirs, ours);
}

/* An engine that unpacks an image has mounts of its own too; containers may have the host's process ids. */
static bool is_container_cgroup(struct str cgroup)
{
        while (cgroup.n) {
                bool is_sure;
                struct str name = str_from(cgroup, (size_t)(str_rfind_char(cgroup, '/') + 1));
                if (container_id_in(name, &is_sure).n && is_sure)
                        return true;
                cgroup = str_upto(cgroup, cgroup.n - name.n - (cgroup.n > name.n));
        }
        return false;
}

void guard_scene_take(struct guard_scene *s, int fd, pid_t pid, int pidfd)
{
        char path[64];
        *s = (struct guard_scene){ .arena = ARENA_INIT, .pid = pid, .root_fd = -1 };
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        s->name = link_text(&s->arena, path);
        (void)fstat(fd, &s->st);
        if (pid <= 0)
                return;
        snprintf(path, sizeof(path), "/proc/%d/root", pid);
        s->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        s->exe = proc_link(&s->arena, pid, "exe");
        s->cgroup = cgroup_of(&s->arena, pid);
        s->is_in_container = has_other(&s->arena, pid, "ns/mnt") &&
                             (has_other(&s->arena, pid, "ns/pid") || is_container_cgroup(s->cgroup));
        take_chain(s);
        if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0)
                return;
        s->root_fd = close_fd(s->root_fd);
        *s = (struct guard_scene){ .arena = s->arena, .pid = pid, .root_fd = -1, .name = s->name, .st = s->st };
}

static bool is_first_process(struct arena *arena, pid_t pid)
{
        for (struct str rest = proc_text(arena, pid, "status"); rest.n;) {
                struct str line = str_line(&rest);
                if (str_starts(line, STR("NSpid:")))
                        return str_is(str_from(line, (size_t)(str_rfind_char(line, '\t') + 1)), "1");
        }
        return true; /* gone, or older than what is asked: nothing is killed that might be the first */
}

static void take_top(struct guard_scene *s)
{
        struct str mounts = proc_link(&s->arena, s->pid, "ns/mnt"), pids = proc_link(&s->arena, s->pid, "ns/pid");
        struct process_line p;
        s->top = s->pid;
        s->top_started_ns = s->started_ns;
        for (unsigned i = 0; i < ANCESTORS_MAX && read_process(&s->arena, s->top, &p) && p.parent > 0; i++) {
                pid_t parent = p.parent;
                if (!mounts.n || !str_eq(proc_link(&s->arena, parent, "ns/mnt"), mounts) ||
                    !str_eq(proc_link(&s->arena, parent, "ns/pid"), pids) || is_first_process(&s->arena, parent) ||
                    !read_process(&s->arena, parent, &p))
                        break;
                s->top = parent;
                s->top_started_ns = p.started_ns;
        }
}

void guard_scene_take_container(struct guard_scene *s)
{
        char path[64];
        _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTINFO_MAX);
        snprintf(path, sizeof(path), "/proc/%d/mountinfo", s->pid);
        if (!s->is_in_container)
                return;
        if (read_file(path, &b, NULL) == 0)
                s->mounts = arena_str(&s->arena, buf_str(&b));
        take_top(s);
}

void guard_scene_take_arguments(struct guard_scene *s)
{
        char text[TEXT_MAX];
        int fds[2];
        if (s->pid <= 0 || pipe2(fds, O_CLOEXEC) < 0)
                return;
        pid_t child = fork();
        if (child == 0) {
                struct str args = proc_text(&s->arena, s->pid, "cmdline");
                _exit(write_all(fds[1], args.p, args.n) < 0);
        }
        close(fds[1]);
        struct pollfd p = { .fd = fds[0], .events = POLLIN };
        ssize_t n = child > 0 && poll(&p, 1, ARGUMENTS_MS) > 0 ? read(fds[0], text, sizeof(text)) : 0;
        close(fds[0]);
        if (n > 0)
                s->cmdline = spaced(&s->arena, str_span(text, (size_t)n));
        if (child > 0) {
                kill(child, SIGKILL);
                (void)waitpid(child, NULL, 0); /* its wait is one that SIGKILL ends */
        }
}

void guard_scene_done(struct guard_scene *s)
{
        s->root_fd = close_fd(s->root_fd);
        arena_done(&s->arena);
}

/* ------------------------------------------------------------------------------------------------------ places ---- */

struct mount_line {
        struct str device, root, point, type, options;
};

/* A line of proc_pid_mountinfo(5), its octal escapes undone. */
static struct str unescaped(struct arena *arena, struct str s)
{
        char *to = arena_alloc(arena, s.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '3') {
                        to[n++] = (char)((s.p[i + 1] - '0') * 64 + (s.p[i + 2] - '0') * 8 + (s.p[i + 3] - '0'));
                        i += 3;
                } else {
                        to[n++] = s.p[i];
                }
        }
        return str_span(to, n);
}

static struct mount_line parse_mount(struct arena *arena, struct str line)
{
        struct mount_line m = { .device = STR_NONE };
        str_cut(&line, ' ');
        str_cut(&line, ' ');
        m.device = str_cut(&line, ' ');
        m.root = unescaped(arena, str_cut(&line, ' '));
        m.point = unescaped(arena, str_cut(&line, ' '));
        while (line.p && !str_is(str_cut(&line, ' '), "-"))
                ;
        m.type = str_cut(&line, ' ');
        str_cut(&line, ' ');
        m.options = unescaped(arena, str_cut(&line, ' '));
        return m;
}

static bool is_below(struct str path, struct str directory)
{
        return str_is(directory, "/") ||
               (str_starts(path, directory) && (path.n == directory.n || path.p[directory.n] == '/'));
}

/* directory + the rest of path after prefix */
static struct str moved(struct arena *arena, struct str path, struct str prefix, struct str directory)
{
        struct str rest = str_from(path, str_is(prefix, "/") ? 0 : prefix.n);
        return arena_printf(arena, "%.*s%.*s", str_is(directory, "/") ? 0 : STR_FMT(directory), STR_FMT(rest));
}

static bool is_it(const struct guard_scene *s, int root_fd, struct str path)
{
        struct arena arena = ARENA_INIT;
        struct stat st;
        _cleanup_(closep) int fd = path.n ? open_in_root(root_fd, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW) : -1;
        arena_done(&arena);
        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == s->st.st_size &&
               (st.st_ino == s->st.st_ino ||
                (st.st_mtim.tv_sec == s->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec));
}

/* Of a file that is not in a layer, a volume's: the host's name of it, by what both have mounted of its file system. */
static struct str on_host(struct guard_scene *s)
{
        char device[32];
        _cleanup_(buf_done) struct buf ours = BUF_INIT(MOUNTINFO_MAX);
        _cleanup_(closep) int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct str inside = STR_NONE;
        size_t longest = 0;
        snprintf(device, sizeof(device), "%u:%u", major(s->st.st_dev), minor(s->st.st_dev));
        for (struct str rest = s->mounts; rest.n;) {
                struct mount_line m = parse_mount(&s->arena, str_line(&rest));
                if (!str_is(m.device, device) || !is_below(s->name, m.point) || m.point.n < longest)
                        continue;
                inside = moved(&s->arena, s->name, m.point, m.root);
                longest = m.point.n;
        }
        if (!inside.n || read_file("/proc/self/mountinfo", &ours, NULL) < 0)
                return STR_NONE;
        for (struct str rest = buf_str(&ours); rest.n;) {
                struct mount_line m = parse_mount(&s->arena, str_line(&rest));
                struct str path = str_is(m.device, device) && is_below(inside, m.root)
                                          ? moved(&s->arena, inside, m.root, m.point)
                                          : STR_NONE;
                if (path.n && is_it(s, host, path))
                        return path;
        }
        return STR_NONE;
}

/* Of a file in a layer: the host's name of the layer's directory, out of the options of the container's overlays. */
static struct str in_layers(struct guard_scene *s)
{
        _cleanup_(closep) int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (struct str rest = s->mounts; rest.n;) {
                struct mount_line m = parse_mount(&s->arena, str_line(&rest));
                if (!str_is(m.type, "overlay"))
                        continue;
                for (struct str options = m.options; options.n;) {
                        struct str value = str_cut(&options, ','), name = str_cut(&value, '=');
                        if (!str_is(name, "upperdir") && !str_is(name, "lowerdir"))
                                continue;
                        while (value.n) {
                                struct str layer = str_cut(&value, ':');
                                struct str path = arena_printf(&s->arena, "%.*s%.*s", STR_FMT(layer), STR_FMT(s->name));
                                if (path.p[0] == '/' && is_it(s, host, path))
                                        return path;
                        }
                }
        }
        return STR_NONE;
}

struct str guard_scene_upper(struct guard_scene *s)
{
        for (struct str rest = s->mounts; rest.n;) {
                struct mount_line m = parse_mount(&s->arena, str_line(&rest));
                if (!str_is(m.type, "overlay") || !str_is(m.point, "/"))
                        continue;
                for (struct str options = m.options; options.n;) {
                        struct str value = str_cut(&options, ',');
                        if (str_starts(value, STR("upperdir=/")))
                                return arena_str(&s->arena, str_from(value, 9));
                }
        }
        return STR_NONE;
}

void guard_scene_places(struct guard_scene *s, struct str *ret_path, struct str *ret_host_path)
{
        *ret_path = *ret_host_path = STR_NONE;
        if (!s->is_in_container) {
                *ret_path = *ret_host_path = s->name;
        } else if (s->root_fd >= 0 && is_it(s, s->root_fd, s->name)) {
                *ret_path = s->name;
                *ret_host_path = in_layers(s);
                if (!ret_host_path->n)
                        *ret_host_path = on_host(s);
        }
}
