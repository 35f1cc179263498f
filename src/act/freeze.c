/* See freeze.h. */
#include "act/freeze.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4096)
#define STEP_MS  10 /* between two looks where the kernel tells nothing by itself */

int act_cgroup_write(const char *dir, const char *file, const char *word)
{
        char path[ACT_PATH_MAX + 32];
        snprintf(path, sizeof(path), "%s/%s", dir, file);
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : write_all(fd, word, strlen(word));
}

/* Has the file a line like this? 1, 0 or -errno. */
static int has_line(const char *dir, const char *file, const char *line)
{
        char path[ACT_PATH_MAX + 32];
        _cleanup_(buf_done) struct buf b = BUF_INIT(FILE_MAX);
        snprintf(path, sizeof(path), "%s/%s", dir, file);
        int r = read_file(path, &b, NULL);
        for (struct str rest = buf_str(&b); r == 0 && rest.n;)
                if (str_is(str_line(&rest), line))
                        return 1;
        return r;
}

bool act_cgroup_is(const char *dir, const char *file, const char *line) { return has_line(dir, file, line) == 1; }

int act_cgroup_wait(const char *dir, const char *line)
{
        char path[ACT_PATH_MAX + 32];
        snprintf(path, sizeof(path), "%s/cgroup.events", dir);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        int64_t end = monotonic_ms() + ACT_WAIT_MS;
        int r;
        if (fd < 0)
                return -errno;
        while ((r = has_line(dir, "cgroup.events", line)) == 0) {
                struct pollfd p = { fd, POLLPRI, 0 };
                int64_t left = end - monotonic_ms();
                if (left <= 0)
                        return -ETIMEDOUT;
                poll(&p, 1, (int)MIN(left, 100)); /* the kernel wakes us when a line changes */
        }
        return r < 0 ? r : 0;
}

static bool has_unified(const struct act_target *t)
{
        return t->unified[0] && has_line(t->unified, "cgroup.freeze", "0") >= 0;
}

bool act_is_frozen(const struct act_target *t)
{
        return has_unified(t) ? has_line(t->unified, "cgroup.freeze", "1") == 1
                              : t->freezer[0] && has_line(t->freezer, "freezer.self_freezing", "1") == 1;
}

static int no_freezer(const struct act_target *t, struct error *err)
{
        return error_set(err, -EOPNOTSUPP,
                         "container %s: no freezer: neither cgroup.freeze (5.2) nor that of cgroup v1", t->name);
}

static int freeze_v1(const struct act_target *t, const char *word, bool is_hasty)
{
        int64_t end = monotonic_ms() + ACT_WAIT_MS;
        int r = act_cgroup_write(t->freezer, "freezer.state", word);
        while (r == 0 && !is_hasty && (r = has_line(t->freezer, "freezer.state", word)) == 0) {
                if (monotonic_ms() > end)
                        return -ETIMEDOUT;
                poll(NULL, 0, STEP_MS);
                r = act_cgroup_write(t->freezer, "freezer.state", word); /* those that were forked meanwhile */
        }
        return r < 0 ? r : 0;
}

int act_freeze(const struct act_target *t, bool is_hasty, struct error *err)
{
        int r;
        if (has_unified(t)) {
                r = act_cgroup_write(t->unified, "cgroup.freeze", "1");
                if (r == 0 && !is_hasty)
                        r = act_cgroup_wait(t->unified, "frozen 1");
        } else if (t->freezer[0]) {
                r = freeze_v1(t, "FROZEN", is_hasty);
        } else {
                return no_freezer(t, err);
        }
        if (r == -ETIMEDOUT)
                return error_set(err, r,
                                 "container %s: a process has not stopped within %d s; it will once it leaves the "
                                 "kernel",
                                 t->name, ACT_WAIT_MS / 1000);
        return r < 0 ? error_errno(err, r, "container %s cannot be frozen", t->name) : 0;
}

int act_thaw(const struct act_target *t, struct error *err)
{
        int r;
        if (has_unified(t))
                r = act_cgroup_write(t->unified, "cgroup.freeze", "0");
        else if (t->freezer[0])
                r = freeze_v1(t, "THAWED", false);
        else
                return no_freezer(t, err);
        return r < 0 ? error_errno(err, r, "container %s cannot be thawed", t->name) : 0;
}

void act_release_freezer(const struct act_target *t)
{
        if (t->freezer[0])
                (void)act_cgroup_write(t->freezer, "freezer.state", "THAWED");
}

int act_freeze_probe(struct error *err)
{
        char mount[ACT_PATH_MAX];
        if (act_cgroup_mount(NULL, mount)) /* the root has no cgroup.freeze; since the same kernel it has cgroup.stat */
                return 0;
        return act_cgroup_mount("freezer", mount) ? 0 : error_set(err, -EOPNOTSUPP, "no cgroup hierarchy is mounted");
}
