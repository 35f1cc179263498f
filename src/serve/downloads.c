/* See downloads.h. */
#include "serve/downloads.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void downloads_done(struct downloads *d)
{
        set64_done(&d->connected[0]);
        set64_done(&d->connected[1]);
}

static uint64_t key_of(const struct process *p)
{
        return hash_str_more(hash_str(str_span(&p->cgroup_id, sizeof(p->cgroup_id))),
                             str_span(&p->pgid, sizeof(p->pgid)));
}

static bool is_connection(const struct event *e)
{
        const struct observe_fd *fd = &e->call.fd;
        return e->kind == OBSERVE_CALL && e->call.call == CALL_connect &&
               (e->call.result == 0 || e->call.result == -EINPROGRESS) &&
               (fd->family == AF_INET || fd->family == AF_INET6) && fd->type == SOCK_STREAM;
}

void downloads_on_event(struct downloads *d, const struct event_record *r)
{
        if (!r->process || !is_connection(r->event))
                return;
        uint64_t now_ns = r->event->head.time_ns;
        if (now_ns - d->since_ns >= DOWNLOADS_GENERATION_NS || d->connected[0].n >= DOWNLOADS_MAX) {
                set64_done(&d->connected[1]);
                d->connected[1] = d->connected[0];
                d->connected[0] = (struct set64){ 0 };
                d->since_ns = now_ns;
        }
        (void)set64_add(&d->connected[0], key_of(r->process));
}

bool downloads_has(const struct downloads *d, const struct process *p)
{
        uint64_t key = key_of(p);
        return set64_has(&d->connected[0], key) || set64_has(&d->connected[1], key);
}

const char *download_format(const uint8_t *head, size_t n)
{
        if (n >= DOWNLOAD_HEAD && memcmp(head, "\177ELF", 4) == 0)
                return "elf";
        return n >= 3 && memcmp(head, "#!", 2) == 0 ? "script" : NULL;
}

size_t download_head(struct str dir, struct str inside, struct stat *ret, uint8_t head[static DOWNLOAD_HEAD])
{
        char root[PATH_MAX], path[PATH_MAX];
        snprintf(root, sizeof(root), "%.*s", STR_FMT(dir));
        snprintf(path, sizeof(path), "%.*s", STR_FMT(inside));
        _cleanup_(closep) int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = root_fd < 0 ? -1 : open_in_root(root_fd, path, O_PATH | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode))
                return 0;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        /* O_NONBLOCK: who has a lease on the file (fcntl(2)) would hold us up for as long as the kernel lets him. */
        _cleanup_(closep) int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ssize_t n = file < 0 ? 0 : pread(file, head, DOWNLOAD_HEAD, 0);
        return n > 0 ? (size_t)n : 0;
}
