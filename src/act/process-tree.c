/* See process-tree.h. */
#include "act/process-tree.h"

#include "base/fs.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS  UINT64_C(1000000000)
#define FILE_MAX   ((size_t)1 << 20)
#define STAT_PPID  2u /* words after the name in /proc/PID/stat: state, parent... */
#define STAT_START 20u
#define ROUNDS_MAX 64u /* of looking for children that were forked meanwhile */

struct held {
        uint32_t pid;
        int fd;
};

VEC_TYPE(held_vec, struct held);

/* One word of /proc/PID/stat behind the name, which may hold anything but is followed by the last ')'. */
static bool stat_word(uint32_t pid, unsigned number, uint64_t *ret)
{
        char path[64];
        _cleanup_(buf_done) struct buf b = BUF_INIT(FILE_MAX);
        snprintf(path, sizeof(path), "/proc/%u/stat", pid);
        if (read_file(path, &b, NULL) < 0)
                return false;
        struct str rest = str_from(buf_str(&b), (size_t)(str_rfind_char(buf_str(&b), ')') + 2));
        for (unsigned i = 1; i < number; i++)
                str_cut(&rest, ' ');
        return str_u64(str_cut(&rest, ' '), ret);
}

static int hold(struct held_vec *all, uint32_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
        if (fd < 0)
                return -errno;
        *vec_push(all) = (struct held){ pid, fd };
        return 0;
}

static bool has(const struct held_vec *all, uint32_t pid)
{
        for (size_t i = 0; i < all->n; i++)
                if (all->v[i].pid == pid)
                        return true;
        return false;
}

/* Adds a child, if it still is one by the time that it is held. */
static int add_child(struct held_vec *all, uint32_t parent, uint32_t pid)
{
        uint64_t its;
        if (has(all, pid))
                return 0;
        if (all->n == ACT_TREE_MAX)
                return -E2BIG;
        int r = hold(all, pid);
        if (r == -EMFILE)
                return -E2BIG;
        if (r < 0)
                return 0; /* ended */
        if (!stat_word(pid, STAT_PPID, &its) || its != parent) {
                close_fd(all->v[--all->n].fd);
                return 0;
        }
        (void)syscall(SYS_pidfd_send_signal, all->v[all->n - 1].fd, SIGSTOP, NULL, 0);
        return 0;
}

/* The children of one process: each of its threads has some. */
static int add_children(struct held_vec *all, uint32_t parent)
{
        char path[300];
        int r = 0;
        snprintf(path, sizeof(path), "/proc/%u/task", parent);
        DIR *d = opendir(path);
        for (struct dirent *e; d && r == 0 && (e = readdir(d));) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(FILE_MAX);
                uint64_t pid;
                snprintf(path, sizeof(path), "/proc/%u/task/%s/children", parent, e->d_name);
                if (e->d_name[0] == '.' || read_file(path, &b, NULL) < 0)
                        continue;
                for (struct str rest = str_trim(buf_str(&b)); rest.n && r == 0;)
                        if (str_u64(str_cut(&rest, ' '), &pid))
                                r = add_child(all, parent, (uint32_t)pid);
        }
        if (d)
                closedir(d);
        return r;
}

/* All that descends from the first, until a round finds nobody new. */
static int gather(struct held_vec *all)
{
        size_t before = 0;
        int r = 0;
        for (unsigned i = 0; i < ROUNDS_MAX && before != all->n && r == 0; i++) {
                before = all->n;
                for (size_t k = 0; k < all->n && r == 0; k++)
                        r = add_children(all, all->v[k].pid);
        }
        return r;
}

int act_kill_tree(uint32_t pid, uint64_t started_ns, struct error *err)
{
        struct held_vec all = { 0 };
        uint64_t ticks;
        if (pid <= 1 || pid == (uint32_t)getpid())
                return error_set(err, -EPERM, "process %u is not killed: it is %s", pid,
                                 pid <= 1 ? "the host's first" : "sekisho itself");
        int r = hold(&all, pid);
        if (r == -ESRCH)
                return 0;
        if (r < 0)
                return error_errno(err, r, "process %u cannot be held", pid);
        if (!stat_word(pid, STAT_START, &ticks) || ticks != started_ns / (SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK))) {
                close_fd(all.v[0].fd); /* the number is another's by now */
                vec_done(&all);
                return 0;
        }
        (void)syscall(SYS_pidfd_send_signal, all.v[0].fd, SIGSTOP, NULL, 0);
        r = gather(&all);
        int n = 0;
        for (size_t i = 0; i < all.n; i++) {
                n += syscall(SYS_pidfd_send_signal, all.v[i].fd, SIGKILL, NULL, 0) == 0;
                close_fd(all.v[i].fd);
        }
        vec_done(&all);
        return r < 0 ? error_set(err, r, "%d processes were killed, and there are more: terminate the container", n)
                     : n;
}

int act_kill_tree_probe(struct error *err)
{
        _cleanup_(closep) int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0)
                return 0;
        return error_set(err, -EOPNOTSUPP, "this kernel has no pidfd (5.3)");
}
