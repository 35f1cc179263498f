/* See file.h. */
#include "source/file.h"

#include "base/arena.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int open_regular(int dir_fd, const char *path, uint64_t *ret_size)
{
        /* What it is gets looked at before it is opened for reading: opening a device can do things. */
        _cleanup_(closep) int at =
                dir_fd == AT_FDCWD ? open(path, O_PATH | O_CLOEXEC) : open_in_root(dir_fd, path, O_PATH);
        if (at < 0)
                return dir_fd == AT_FDCWD ? -errno : at;
        struct stat st;
        if (fstat(at, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -ENXIO;
        _cleanup_(closep) int fd = dir_fd == AT_FDCWD ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
                                                      : open_in_root(dir_fd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return dir_fd == AT_FDCWD ? -errno : fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENXIO;
        if (ret_size)
                *ret_size = (uint64_t)st.st_size;
        return TAKE_FD(fd);
}

int read_regular(int dir_fd, const char *path, struct buf *ret)
{
        _cleanup_(closep) int fd = open_regular(dir_fd, path, NULL);
        return fd < 0 ? fd : read_all(fd, ret);
}

int read_part(int fd, uint64_t offset, uint64_t n, struct buf *ret)
{
        char chunk[32 << 10];
        while (n) {
                ssize_t got = pread(fd, chunk, MIN(n, sizeof(chunk)), (off_t)offset);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        return -ENODATA;
                buf_add(ret, chunk, (size_t)got);
                if (buf_is_full(ret))
                        return -EFBIG;
                offset += (uint64_t)got;
                n -= (uint64_t)got;
        }
        return 0;
}

bool split_target(const char *target, char **ret_path, const char **ret_ref)
{
        size_t n = strlen(target);
        _cleanup_(freep) char *path = xstrdup(target);
        struct stat st;
        /* The whole name first: a file may well have a colon in its name. */
        if (n && stat(path, &st) == 0) {
                *ret_path = TAKE_PTR(path);
                *ret_ref = target + n;
                return true;
        }
        for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
                *colon = 0;
                if (*path && stat(path, &st) == 0) {
                        *ret_ref = target + (colon - path) + 1;
                        *ret_path = TAKE_PTR(path);
                        return true;
                }
                *colon = ':';
        }
        return false;
}
