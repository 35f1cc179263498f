/* See file-reads.h. */
#include "sense/file-reads.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256u /* each is a descriptor until it is told of */

struct file_reads {
        int fd;
        struct file_reads_counts counts;
};

int file_reads_new(struct file_reads **ret, struct error *err)
{
        unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS;
        int fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NONBLOCK);
        if (fd < 0)
                return error_errno(err, -errno, "the kernel does not tell who reads a file (fanotify)");
        struct file_reads *f = xcalloc(1, sizeof(*f));
        f->fd = fd;
        *ret = f;
        return 0;
}

void file_reads_free(struct file_reads *f)
{
        if (!f)
                return;
        close(f->fd);
        free(f);
}

int file_reads_fd(const struct file_reads *f) { return f->fd; }

int file_reads_mark(struct file_reads *f, int fd, enum file_reads_mark what)
{
        static const struct {
                unsigned flags;
                uint64_t mask;
        } marks[] = {
                [FILE_READS_READ] = { 0, FAN_ACCESS | FAN_CLOSE_NOWRITE },
                [FILE_READS_WRITTEN] = { FAN_MARK_MOUNT, FAN_MODIFY },
        };
        char path[32];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return fanotify_mark(f->fd, FAN_MARK_ADD | marks[what].flags, marks[what].mask, AT_FDCWD, path) < 0 ? -errno
                                                                                                            : 0;
}

size_t file_reads_read(struct file_reads *f, size_t max, void (*each)(void *arg, const struct file_read *e), void *arg)
{
        struct fanotify_event_metadata buffer[EVENTS_AT_ONCE];
        size_t n = 0;
        while (n < max) {
                ssize_t left = read(f->fd, buffer, sizeof(buffer));
                if (left <= 0)
                        break;
                const struct fanotify_event_metadata *m = buffer;
                for (; FAN_EVENT_OK(m, left); m = FAN_EVENT_NEXT(m, left), n++) {
                        f->counts.overflows += (m->mask & FAN_Q_OVERFLOW) != 0;
                        f->counts.nameless += m->fd < 0 && !(m->mask & FAN_Q_OVERFLOW);
                        if (m->fd < 0)
                                continue;
                        each(arg, &(struct file_read){ .pid = (uint32_t)m->pid,
                                                       .fd = m->fd,
                                                       .is_written = (m->mask & FAN_MODIFY) != 0 });
                        close(m->fd);
                }
        }
        f->counts.events += n;
        return n;
}

void file_reads_counts(const struct file_reads *f, struct file_reads_counts *ret) { *ret = f->counts; }
