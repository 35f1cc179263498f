/* See stop.h. Processes are held by descriptors, so that a number that is used again is nobody's death. */
#include "act/stop.h"

#include "base/fs.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILDREN_MAX ((size_t)1 << 20)
#define MOUNTS_MAX   ((size_t)4 << 20)

struct held {
        int fd;
        pid_t pid;
};

VEC_TYPE(held_vec, struct held);

static int signal_to(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

static void hold(struct held_vec *all, int fd, pid_t pid)
{
        *vec_push(all) = (struct held){ fd, pid };
        (void)signal_to(fd, SIGSTOP);
}

static void hold_children_of_thread(struct held_vec *all, const char *path)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(CHILDREN_MAX);
        if (read_file(path, &text, NULL) < 0)
                return;
        for (struct str rest = buf_str(&text); rest.p;) {
                uint64_t pid;
                if (!str_u64(str_cut(&rest, ' '), &pid) || pid > INT_MAX || all->n >= STOP_PROCESSES_MAX)
                        continue;
                int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
                if (fd >= 0)
                        hold(all, fd, (pid_t)pid);
        }
}

static void hold_children(struct held_vec *all, pid_t pid)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "/proc/%d/task", pid);
        DIR *threads = opendir(path);
        if (!threads)
                return;
        for (const struct dirent *e; (e = readdir(threads));) {
                if (e->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, e->d_name);
                hold_children_of_thread(all, path);
        }
        closedir(threads);
}

size_t stop_tree(int pidfd, pid_t pid)
{
        struct held_vec all = { 0 };
        size_t killed = 0;
        int first = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
        if (first < 0)
                return 0;
        hold(&all, first, pid);
        for (size_t i = 0; i < all.n; i++)
                if (signal_to(all.v[i].fd, 0) == 0) /* it still has the number */
                        hold_children(&all, all.v[i].pid);
        for (size_t i = 0; i < all.n; i++) {
                killed += signal_to(all.v[i].fd, SIGKILL) == 0;
                close(all.v[i].fd);
        }
        vec_done(&all);
        return killed;
}

/* Where the v2 hierarchy is mounted: /sys/fs/cgroup, or beside the old ones. */
static void cgroup_mount(char path[static PATH_MAX])
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(MOUNTS_MAX);
        snprintf(path, PATH_MAX, "/sys/fs/cgroup");
        if (read_file("/proc/self/mounts", &b, NULL) < 0)
                return;
        for (struct str rest = buf_str(&b); rest.n;) {
                struct str line = str_line(&rest);
                str_cut(&line, ' ');
                struct str point = str_cut(&line, ' ');
                if (str_is(str_cut(&line, ' '), "cgroup2")) {
                        snprintf(path, PATH_MAX, "%.*s", STR_FMT(point));
                        return;
                }
        }
}

int stop_freeze(struct str cgroup, bool frozen, struct error *err)
{
        char mount[PATH_MAX], path[2 * PATH_MAX];
        if (cgroup.n < 2 || cgroup.p[0] != '/' || cgroup.n > PATH_MAX / 2 || str_find(cgroup, STR("..")) >= 0)
                return error_set(err, -EPERM, "\"%.*s\" is no cgroup of a container", STR_FMT(cgroup));
        cgroup_mount(mount);
        snprintf(path, sizeof(path), "%s%.*s/cgroup.freeze", mount, STR_FMT(cgroup));
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : write_all(fd, frozen ? "1" : "0", 1);
        return r < 0 ? error_errno(err, r, "%s", path) : 0;
}
