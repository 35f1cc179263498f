/*
 * The walker: goes through the guarded directories before anybody asks for what is in them, and hands each file that
 * can be executed (any x bit) or loaded by a program (".so" in its name) to the guardian, as a descriptor. It reads no
 * content and says nothing about any file; it is the least urgent process of the host, and waits whenever the guardian
 * has enough.
 *
 * Containers change their layers meanwhile. So each storage is walked through a detached copy of its mount, in which
 * nothing is mounted on anything (an engine that binds its own directory on itself hides none of it, and no other file
 * system is entered); names are resolved one at a time below open directories, symbolic links never; and what is no
 * regular file is never opened: opening a device can do things. open_tree(2), openat2(2), ioprio_set(2).
 */
#include "serve/guard-private.h"

#include "base/fs.h"
#include "proc/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mount.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX   256 /* directories in directories; deeper ones are counted as not opened */
#define NICE        19
#define OPEN_FLAGS  (O_RDONLY | O_NOATIME | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define IDLE        IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)
#define WAIT_MS     1000
#define RIGHTS_LEFT (UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_FOWNER) /* the second: O_NOATIME */

struct walk {
        int guardian;
        uint32_t storage;
        DIR *levels[DEPTH_MAX];
        size_t depth;
        uint64_t unread;
};

/* What has gone meanwhile is none of those that could not be opened. */
static void note_failure(struct walk *w, int r) { w->unread += r != -ENOENT && r != -ESTALE; }

static void say(struct walk *w, const struct guard_walked *said, int fd)
{
        struct pollfd p = { .fd = w->guardian, .events = POLLOUT };
        int r;
        while ((r = message_send(w->guardian, said, sizeof(*said), &fd, fd >= 0)) == -EAGAIN)
                (void)poll(&p, 1, WAIT_MS);
        if (r == -EPIPE || r == -ECONNRESET)
                _exit(0); /* nobody wants any more of them */
        if (r < 0)
                note_failure(w, r);
}

/* By the number of a descriptor that was looked at: nothing else can come in its place. */
static int open_place(int place, int flags)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
        int fd = open(path, OPEN_FLAGS | flags);
        return fd < 0 ? -errno : fd;
}

static void enter(struct walk *w, int place)
{
        int fd = w->depth == DEPTH_MAX ? -ELOOP : open_place(place, O_DIRECTORY);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (d) {
                w->levels[w->depth++] = d;
                return;
        }
        note_failure(w, fd < 0 ? fd : -errno);
        close_fd(fd);
}

static void hand_over(struct walk *w, int place)
{
        _cleanup_(closep) int fd = open_place(place, 0);
        if (fd < 0)
                note_failure(w, fd);
        else
                say(w, &(struct guard_walked){ .storage = w->storage }, fd);
}

static bool is_wanted(const struct stat *st, const char *name)
{
        return S_ISREG(st->st_mode) && st->st_size > 0 && ((st->st_mode & 0111) || strstr(name, ".so"));
}

static void look_at(struct walk *w, int dir_fd, const struct dirent *e)
{
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (e->d_type != DT_DIR && e->d_type != DT_REG && e->d_type != DT_UNKNOWN))
                return;
        int place = open_beneath(dir_fd, e->d_name, O_PATH | O_NOFOLLOW);
        if (place < 0 || fstat(place, &st) < 0)
                note_failure(w, place < 0 ? place : -errno);
        else if (S_ISDIR(st.st_mode))
                enter(w, place);
        else if (is_wanted(&st, e->d_name))
                hand_over(w, place);
        close_fd(place);
}

static void walk(struct walk *w, int tree)
{
        enter(w, tree);
        while (w->depth) {
                DIR *d = w->levels[w->depth - 1];
                const struct dirent *e = readdir(d);
                if (e) {
                        look_at(w, dirfd(d), e);
                } else {
                        closedir(d);
                        w->depth--;
                }
        }
}

void walker_run(void *config, int guardian_fd)
{
        const struct guard_config *c = config;
        struct walk w = { .guardian = guardian_fd };
        int trees[GUARD_STORAGES_MAX], few = 1; /* of the socket: the kernel makes it as small as it can be */
        (void)prctl(PR_SET_NAME, "sekisho-walker");
        (void)setpriority(PRIO_PROCESS, 0, NICE);
        (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IDLE);
        (void)setsockopt(guardian_fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)); /* few files wait in it */
        for (size_t i = 0; i < c->o.n_storages; i++) {
                trees[i] = (int)syscall(SYS_open_tree, AT_FDCWD, c->o.storages[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
                if (trees[i] < 0)
                        note_failure(&w, -errno);
        }
        (void)confine_capabilities(RIGHTS_LEFT, NULL);
        for (size_t i = 0; i < c->o.n_storages; i++) {
                w.storage = 1 + (uint32_t)i;
                if (trees[i] >= 0)
                        walk(&w, trees[i]);
                close_fd(trees[i]);
        }
        say(&w, &(struct guard_walked){ .unread = w.unread }, -1);
        _exit(0);
}
