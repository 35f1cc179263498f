/* See terminate.h. */
#include "act/terminate.h"

#include "act/freeze.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS_MAX 500 /* of killing all that is there */
#define ROUND_MS   10
#define DEPTH_MAX  16u /* of cgroups below it */
#define PROCS_MAX  ((size_t)4 << 20)

/* Kills by descriptor: the number can be somebody else's by now, so it is looked for in the cgroup once more. */
static void kill_one(const char *path, uint64_t pid)
{
        _cleanup_(closep) int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
        _cleanup_(buf_done) struct buf b = BUF_INIT(PROCS_MAX);
        uint64_t again;
        if (fd < 0 || read_file(path, &b, NULL) < 0)
                return;
        for (struct str rest = buf_str(&b); rest.n;)
                if (str_u64(str_line(&rest), &again) && again == pid) {
                        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
                        return;
                }
}

/* One round over a cgroup and those below it: how many processes there were. */
static size_t kill_round(const char *dir, unsigned depth)
{
        char path[ACT_PATH_MAX + 32];
        _cleanup_(buf_done) struct buf b = BUF_INIT(PROCS_MAX);
        size_t n = 0;
        uint64_t pid;
        int length = snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
        if (depth > DEPTH_MAX || length < 0 || (size_t)length >= sizeof(path) || read_file(path, &b, NULL) < 0)
                return 0;
        for (struct str rest = buf_str(&b); rest.n;)
                if (str_u64(str_line(&rest), &pid) && pid > 1) { /* 0: of a process namespace that is not below ours */
                        kill_one(path, pid);
                        n++;
                }
        DIR *d = opendir(dir);
        for (struct dirent *e; d && (e = readdir(d));) {
                if (e->d_type != DT_DIR || e->d_name[0] == '.')
                        continue;
                length = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
                if (length > 0 && (size_t)length < ACT_PATH_MAX)
                        n += kill_round(path, depth + 1);
        }
        if (d)
                closedir(d);
        return n;
}

static int not_ended(const struct act_target *t, struct error *err)
{
        return error_set(err, -ETIMEDOUT, "container %s: killed, but a process has not ended within %d s", t->name,
                         ACT_WAIT_MS / 1000);
}

int act_terminate_by_signals(const struct act_target *t, struct error *err)
{
        const char *dir = t->unified[0] ? t->unified : t->freezer;
        bool was_frozen = act_is_frozen(t);
        if (!was_frozen)
                (void)act_freeze(t, false,
                                 NULL); /* so that nothing is forked meanwhile; without it the rounds have to do */
        for (unsigned i = 0; i < ROUNDS_MAX; i++) {
                if (kill_round(dir, 0) == 0)
                        return 0;
                act_release_freezer(t);
                poll(NULL, 0, ROUND_MS);
        }
        return not_ended(t, err);
}

int act_terminate(const struct act_target *t, bool is_hasty, struct error *err)
{
        int r = t->unified[0] ? act_cgroup_write(t->unified, "cgroup.kill", "1") : -ENOENT;
        if (r == -ENOENT)
                return act_terminate_by_signals(t, err);
        if (r < 0)
                return error_errno(err, r, "container %s cannot be terminated", t->name);
        act_release_freezer(t);
        r = is_hasty ? 0 : act_cgroup_wait(t->unified, "populated 0");
        if (r == -ETIMEDOUT)
                return not_ended(t, err);
        return 0; /* also -ENOENT, -ENODEV: its runtime has taken the cgroup away */
}
