/*
 * See fanotify.h. Input: events of the kernel, which are checked for their lengths and version and otherwise believed.
 */
#include "sense/fanotify.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define NUMBERS_MAX (1 << 20) /* of descriptors: what Linux allows a process, unless the administrator raised it */
#define EVENT_BYTES 64        /* an event with the record of its pidfd, and some room */

/* O_NONBLOCK: a FIFO that is opened gives an event too, and opening its descriptor must not wait for a writer. */
#define EVENT_FLAGS (O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK)

int fanotify_group(const struct fanotify_can *can, int *ret_fd, struct error *err)
{
        unsigned flags = FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS;
        int fd = fanotify_init(flags | (can->pidfd ? FAN_REPORT_PIDFD : 0), EVENT_FLAGS);
        if (fd < 0)
                return error_errno(err, -errno, "the kernel gives no fanotify group (it needs CAP_SYS_ADMIN)");
        *ret_fd = fd;
        return 0;
}

int fanotify_mark_storage(int group, const char *dir, uint64_t mask, bool may_be_root, dev_t *seen, size_t *n,
                          size_t max, struct error *err)
{
        struct stat st, root;
        _cleanup_(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "%s", dir);
        for (size_t i = 0; i < *n; i++)
                if (seen[i] == st.st_dev)
                        return -EEXIST;
        if (*n == max)
                return error_set(err, -E2BIG, "%s: more than %zu file systems are not guarded", dir, max);
        if (!may_be_root && stat("/", &root) == 0 && root.st_dev == st.st_dev)
                return error_set(err, -EPERM,
                                 "%s lies on the root file system: every program of the host would wait for the guard "
                                 "then. Put the containers' storage on a file system of its own, or say --guard-root",
                                 dir);
        if (fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, fd, NULL) < 0)
                return error_errno(err, -errno, "%s: its file system cannot be marked", dir);
        seen[(*n)++] = st.st_dev;
        return 0;
}

/* ------------------------------------------------------------------------------------------------------ desk ---- */

/* Touched where numbers are in use: a page for 4,096 of them. */
struct fanotify_desk {
        _Atomic bool is_reading; /* numbers may have been given that do not stand here yet */
        _Atomic bool is_unsure;  /* ...and never will: what was read was not understood */
        _Atomic int end;         /* all that ever stood here are below */
        /* Events of that number. While one guardian hands over to another both answer, each with numbers of its own. */
        _Atomic uint8_t waiting[NUMBERS_MAX];
};

struct fanotify_desk *fanotify_desk_new(void)
{
        void *p = mmap(NULL, sizeof(struct fanotify_desk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        return p == MAP_FAILED ? NULL : p;
}

void fanotify_desk_free(struct fanotify_desk *d)
{
        if (d)
                munmap(d, sizeof(*d));
}

static void desk_put(struct fanotify_desk *d, int fd)
{
        if (fd < NUMBERS_MAX)
                d->waiting[fd]++;
        d->end = MAX(d->end, MIN(fd + 1, NUMBERS_MAX));
}

static void desk_take(struct fanotify_desk *d, int fd)
{
        if (fd < NUMBERS_MAX && d->waiting[fd])
                d->waiting[fd]--;
}

/* ---------------------------------------------------------------------------------------------------- events ---- */

/* The pidfd out of an event's records; -1. */
static int find_pidfd(const uint8_t *record, const uint8_t *end)
{
        int found = -1;
        while ((size_t)(end - record) >= sizeof(struct fanotify_event_info_header)) {
                struct fanotify_event_info_header head;
                memcpy(&head, record, sizeof(head));
                if (head.len < sizeof(head) || head.len > (size_t)(end - record))
                        break;
                if (head.info_type == FAN_EVENT_INFO_TYPE_PIDFD &&
                    head.len >= sizeof(struct fanotify_event_info_pidfd)) {
                        struct fanotify_event_info_pidfd info;
                        memcpy(&info, record, sizeof(info));
                        found = info.pidfd;
                }
                record += head.len;
        }
        return found < 0 ? -1 : found; /* FAN_NOPIDFD, FAN_EPIDFD */
}

static int take(int group, struct fanotify_event ret[static FANOTIFY_EVENTS_MAX])
{
        uint8_t bytes[FANOTIFY_EVENTS_MAX * EVENT_BYTES] __attribute__((aligned(8)));
        /* An event is at least its metadata long, so that no more come than there is room for. */
        _Static_assert(sizeof(struct fanotify_event_metadata) == FAN_EVENT_METADATA_LEN, "as the kernel's");
        ssize_t n = read(group, bytes, MIN(sizeof(bytes), FANOTIFY_EVENTS_MAX * (size_t)FAN_EVENT_METADATA_LEN));
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        int count = 0;
        for (const uint8_t *at = bytes, *end = bytes + n; (size_t)(end - at) >= FAN_EVENT_METADATA_LEN;) {
                struct fanotify_event_metadata m;
                memcpy(&m, at, sizeof(m));
                if (m.vers != FANOTIFY_METADATA_VERSION || m.event_len < m.metadata_len ||
                    m.metadata_len < FAN_EVENT_METADATA_LEN || m.event_len > (size_t)(end - at))
                        return -EPROTO;
                ret[count++] = (struct fanotify_event){ .mask = m.mask,
                                                        .fd = m.fd,
                                                        .pid = m.pid,
                                                        .pidfd = find_pidfd(at + m.metadata_len, at + m.event_len) };
                at += m.event_len;
        }
        return count;
}

int fanotify_take(int group, struct fanotify_desk *desk, struct fanotify_event ret[static FANOTIFY_EVENTS_MAX])
{
        if (desk)
                desk->is_reading = true;
        int n = take(group, ret);
        for (int i = 0; desk && i < n; i++)
                if (ret[i].fd >= 0 && ret[i].mask & (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM))
                        desk_put(desk, ret[i].fd);
        if (desk && n == -EPROTO)
                desk->is_unsure = true;
        if (desk)
                desk->is_reading = false;
        return n;
}

static int answer(int group, int event_fd, bool allow)
{
        /* FAN_DENY and nothing beside it: an answer that the kernel refuses leaves the process waiting. */
        struct fanotify_response response = { .fd = event_fd, .response = allow ? FAN_ALLOW : FAN_DENY };
        ssize_t n;
        do
                n = write(group, &response, sizeof(response));
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int fanotify_answer(int group, struct fanotify_desk *desk, int event_fd, bool allow)
{
        int r = answer(group, event_fd, allow);
        if (desk)
                desk_take(desk, event_fd);
        return r;
}

size_t fanotify_answer_orphans(int group, struct fanotify_desk *desk, int last, bool allow)
{
        size_t n = 0;
        bool are_known = desk && !desk->is_reading && !desk->is_unsure;
        if (are_known)
                last = desk->end - 1;
        /* A number can stand there more than once: the dead reader had closed it, and got it again. */
        for (int fd = 0; fd <= last; fd++)
                while ((!are_known || desk->waiting[fd]) && answer(group, fd, allow) == 0)
                        n++;
        if (desk)
                memset(desk, 0, offsetof(struct fanotify_desk, waiting) + (size_t)desk->end);
        return n;
}

static int mark_inode(int group, unsigned flags, uint64_t mask, int fd)
{
        if (fanotify_mark(group, flags, mask, fd, NULL) == 0)
                return 0;
        return errno == ENOENT && (flags & FAN_MARK_REMOVE) ? 0 : -errno;
}

int fanotify_ignore(int group, int fd)
{
        return mark_inode(group, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM, fd);
}

int fanotify_heed(int group, int fd)
{
        return mark_inode(group, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM, fd);
}

int fanotify_watch(int group, int fd) { return mark_inode(group, FAN_MARK_ADD, FAN_OPEN_PERM, fd); }

int fanotify_unwatch(int group, int fd) { return mark_inode(group, FAN_MARK_REMOVE, FAN_OPEN_PERM, fd); }

int fanotify_forget_inodes(int group)
{
        return fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, "/") < 0 ? -errno : 0;
}

int lease_take(int fd, int signal)
{
        struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = getpid() };
        if (fcntl(fd, F_SETSIG, signal) < 0 || fcntl(fd, F_SETOWN_EX, &owner) < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
                return -errno;
        return 0;
}

void lease_drop(int fd) { (void)fcntl(fd, F_SETLEASE, F_UNLCK); }

bool lease_is_breaking(int fd) { return fcntl(fd, F_GETLEASE) != F_RDLCK; }
