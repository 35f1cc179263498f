/* See treepack-open.h. */
#include "source/treepack-open.h"

#include "base/fs.h"
#include "base/vec.h"
#include "read/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int tree_open_file(bool has_proc, int dir_fd, const char *name, const struct statx *st)
{
        _cleanup_(closep) int at = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat now;
        if (at < 0 || fstat(at, &now) < 0)
                return -errno;
        if (!S_ISREG(now.st_mode) || now.st_ino != st->stx_ino)
                return -ESTALE;
        int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        char link[64];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
        for (int try_quiet = O_NOATIME;; try_quiet = 0) {
                int fd =
                        has_proc ? open(link, flags | try_quiet) : openat(dir_fd, name, flags | O_NOFOLLOW | try_quiet);
                if (fd >= 0 || errno != EPERM || !try_quiet) /* O_NOATIME is only for owners */
                        return fd < 0 ? -errno : fd;
        }
}

int tree_open_directory(int dir_fd, const char *name)
{
        int fd = open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
        return fd == -EPERM ? open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : fd;
}

int tree_open_path(int root_fd, struct str path)
{
        char part[4096];
        int fd = tree_open_directory(root_fd, ".");
        while (path.n && fd >= 0) {
                size_t n = MIN(path.n, sizeof(part) - 1);
                if (n < path.n) {
                        while (n && path.p[n] != '/')
                                n--;
                        if (!n) {
                                (void)close_fd(fd);
                                return -ENAMETOOLONG;
                        }
                }
                memcpy(part, path.p, n);
                part[n] = 0;
                int next = tree_open_directory(fd, part);
                (void)close_fd(fd);
                fd = next;
                path = str_from(path, MIN(path.n, n + 1));
        }
        return fd;
}

int tree_look(int dir_fd, const char *name, struct statx *ret)
{
        return statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, ret) < 0
                       ? -errno
                       : 0;
}

int tree_find_extents(int fd, uint64_t size, const struct statx *st, struct tarpack_extent **ret, size_t *ret_n)
{
        VEC(struct tarpack_extent) v = { 0 };
        *ret = NULL;
        *ret_n = 0;
        if (st->stx_blocks >= (size + 511) / 512)
                return 0;
        for (uint64_t at = 0; at < size;) {
                off_t data = lseek(fd, (off_t)at, SEEK_DATA);
                if (data < 0 && errno == ENXIO)
                        break;
                off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
                if (hole < 0) {
                        vec_done(&v);
                        return 0;
                }
                if ((uint64_t)data >= size)
                        break;
                if (v.n + 2 > TAR_EXTENTS_MAX) {
                        vec_done(&v);
                        return -E2BIG;
                }
                uint64_t end = MIN((uint64_t)hole, size);
                *vec_push(&v) = (struct tarpack_extent){ (uint64_t)data, end - (uint64_t)data };
                at = end;
        }
        if (v.n == 1 && v.v[0].size == size) {
                vec_done(&v);
                return 0;
        }
        *vec_push(&v) = (struct tarpack_extent){ size, 0 };
        *ret = v.v;
        *ret_n = v.n;
        return 0;
}

bool tree_is_same_content(int a, int b)
{
        static char x[64 << 10], y[64 << 10];
        for (;;) {
                ssize_t n = read(a, x, sizeof(x));
                if (n <= 0)
                        return n == 0 && read(b, y, 1) == 0;
                for (ssize_t at = 0; at < n;) {
                        ssize_t m = read(b, y, (size_t)(n - at));
                        if (m <= 0 || memcmp(x + at, y, (size_t)m) != 0)
                                return false;
                        at += m;
                }
        }
}
