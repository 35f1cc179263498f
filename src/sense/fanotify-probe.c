/*
 * What fanotify can do here, found out by doing it: in a child that has mounts of its own, a tmpfs is marked, an
 * overlay is mounted above it, and a file is opened through the overlay; the open must raise an event of the tmpfs
 * below.
 */
#include "sense/fanotify.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE   "/proc" /* a directory that is there; what is mounted over it is seen by the child alone */
#define WAIT_MS 1000    /* for an event that should be there at once */

#define TRIAL_SECONDS 10

static int note(struct fanotify_can *can)
{
        if (can->r == 0)
                can->r = -errno;
        return -1;
}

static void try_group(struct fanotify_can *can, int *ret_group)
{
        unsigned flags = FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_NONBLOCK;
        int fd = fanotify_init(flags | FAN_REPORT_PIDFD, O_RDONLY | O_CLOEXEC);
        can->pidfd = fd >= 0;
        if (fd < 0)
                fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC);
        can->permission = fd >= 0;
        *ret_group = fd >= 0 ? fd : note(can);
}

static int make_file(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        return fd < 0 ? -1 : (int)write(fd, "x", 1);
}

static int mount_all(struct fanotify_can *can)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("sekisho", PLACE, "tmpfs", MS_NODEV | MS_NOSUID, "size=1m") < 0 || mkdir(PLACE "/lower", 0700) < 0 ||
            mkdir(PLACE "/upper", 0700) < 0 || mkdir(PLACE "/work", 0700) < 0 || mkdir(PLACE "/merged", 0700) < 0 ||
            make_file(PLACE "/lower/x") < 0)
                return note(can);
        return 0;
}

static void try_inode(struct fanotify_can *can, int group)
{
        _cleanup_(closep) int fd = open(PLACE "/lower/x", O_RDONLY | O_CLOEXEC);
        can->ignore = fd >= 0 && fanotify_ignore(group, fd) == 0 && fanotify_heed(group, fd) == 0;
        _cleanup_(closep) int writer = open(PLACE "/lower/x", O_WRONLY | O_CLOEXEC);
        bool refused = fd >= 0 && lease_take(fd, SIGRTMIN) == -EAGAIN;
        writer = close_fd(writer);
        can->lease = refused && lease_take(fd, SIGRTMIN) == 0;
        if (can->lease)
                lease_drop(fd);
}

/* Before anything asks: mounting an overlay opens files below it. */
static bool mount_overlay(void)
{
        return mount("sekisho", PLACE "/merged", "overlay", 0,
                     "lowerdir=" PLACE "/lower,upperdir=" PLACE "/upper,workdir=" PLACE "/work") == 0;
}

/* A file that is opened through the overlay: is there an event of the file system below? */
static void try_overlay(struct fanotify_can *can, int group)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(open(PLACE "/merged/x", O_RDONLY | O_CLOEXEC) < 0);
        struct pollfd wait = { .fd = group, .events = POLLIN };
        struct fanotify_event events[FANOTIFY_EVENTS_MAX];
        while (pid > 0 && !can->overlay && poll(&wait, 1, WAIT_MS) > 0) { /* others are there: of mounting */
                int n = fanotify_take(group, NULL, events);
                for (int i = 0; i < n; i++) {
                        can->overlay |= events[i].pid == pid;
                        (void)fanotify_answer(group, NULL, events[i].fd, true);
                }
        }
        if (pid > 0) {
                kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
        }
}

static void try_all(struct fanotify_can *can)
{
        int group;
        try_group(can, &group);
        if (group < 0 || mount_all(can) < 0)
                return;
        can->filesystem = fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM | FAN_CLOSE_WRITE,
                                        AT_FDCWD, PLACE "/lower") == 0;
        if (!can->filesystem)
                (void)note(can);
        try_inode(can, group);
        if (can->filesystem && mount_overlay() &&
            fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, AT_FDCWD, PLACE "/lower") == 0)
                try_overlay(can, group);
}

void fanotify_probe(struct fanotify_can *ret)
{
        int fds[2];
        *ret = (struct fanotify_can){ .r = -EIO };
        if (pipe2(fds, O_CLOEXEC) < 0)
                return;
        pid_t parent = getpid(), pid = fork();
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                if (getppid() != parent)
                        _exit(1);
                (void)alarm(TRIAL_SECONDS); /* whatever waits for an answer that does not come */
                struct fanotify_can can = { .r = 0 };
                try_all(&can);
                _exit(write_all(fds[1], &can, sizeof(can)) < 0);
        }
        close(fds[1]);
        struct fanotify_can can;
        if (pid > 0 && read(fds[0], &can, sizeof(can)) == sizeof(can))
                *ret = can;
        close(fds[0]);
        if (pid > 0)
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
}
