/* See fs.h. */
#include "base/fs.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_how(int fd, const char *path, int flags, uint64_t resolve)
{
        struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };
        if (flags & O_CREAT)
                how.mode = 0600;
        for (int tries = 0;; tries++) {
                long r = syscall(SYS_openat2, fd, path, &how, sizeof(how));
                if (r >= 0)
                        return (int)r;
                if (errno != EAGAIN || tries == 16) /* EAGAIN: a rename raced with "..", try again */
                        return -errno;
        }
}

int open_in_root(int root_fd, const char *path, int flags)
{
        return open_how(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_beneath(int dir_fd, const char *path, int flags)
{
        return open_how(dir_fd, path, flags,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

int read_all(int fd, struct buf *ret)
{
        char chunk[64 << 10];
        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                buf_add(ret, chunk, (size_t)n);
                if (buf_is_full(ret))
                        return -EFBIG;
        }
}

int read_file(const char *path, struct buf *ret, struct error *err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        int r = read_all(fd, ret);
        if (r == -EFBIG)
                return error_set(err, r, "%s is larger than the %zu bytes allowed", path, ret->max);
        if (r < 0)
                return error_errno(err, r, "cannot read %s", path);
        return 0;
}

int write_all(int fd, const void *p, size_t n)
{
        const char *at = p;
        while (n) {
                ssize_t w = write(fd, at, n);
                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        return -errno;
                at += w;
                n -= (size_t)w;
        }
        return 0;
}

/* The temporaries of open outputs, for the signal handler. A slot is written once whole, then read. */
#define OPEN_MAX 16
static const char *volatile open_temporaries[OPEN_MAX];

static void remember(const char *temporary)
{
        for (size_t i = 0; i < OPEN_MAX; i++)
                if (!open_temporaries[i]) {
                        open_temporaries[i] = temporary;
                        return;
                }
}

static void forget(const char *temporary)
{
        for (size_t i = 0; i < OPEN_MAX; i++)
                if (open_temporaries[i] == temporary)
                        open_temporaries[i] = NULL;
}

void output_abort_all(void)
{
        for (size_t i = 0; i < OPEN_MAX; i++)
                if (open_temporaries[i])
                        unlink(open_temporaries[i]);
}

static void output_forget(struct output *o)
{
        if (o->temporary)
                forget(o->temporary);
        free(o->path);
        free(o->temporary);
        *o = (struct output){ 0 };
}

/* Written through: a rename would put a file in the place of /dev/null. */
static int open_device(struct output *o, const char *path, struct error *err)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        o->stream = fd < 0 ? NULL : fdopen(fd, "w");
        if (!o->stream) {
                int r = error_errno(err, -errno, "cannot write %s", path);
                (void)close_fd(fd);
                return r;
        }
        o->path = xstrdup(path);
        return 0;
}

int output_open(struct output *o, const char *path, struct error *err)
{
        *o = (struct output){ 0 };
        if (strcmp(path, "-") == 0) {
                int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
                o->stream = fd < 0 ? NULL : fdopen(fd, "w");
                if (!o->stream) {
                        int r = -errno;
                        (void)close_fd(fd);
                        return error_errno(err, r, "cannot write to standard output");
                }
                return 0;
        }
        struct stat st;
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                return open_device(o, path, err);
        if (asprintf(&o->temporary, "%s.XXXXXX", path) < 0)
                return error_errno(err, -ENOMEM, "%s", path);
        o->path = xstrdup(path);
        int fd = mkostemp(o->temporary, O_CLOEXEC);
        if (fd < 0) {
                int r = error_errno(err, -errno, "cannot write %s", path);
                output_forget(o);
                return r;
        }
        remember(o->temporary);
        mode_t mask = umask(0);
        umask(mask);
        (void)fchmod(fd, 0666 & ~mask);
        o->stream = fdopen(fd, "w");
        if (!o->stream) {
                int r = error_errno(err, -errno, "cannot write %s", path);
                (void)close_fd(fd);
                output_abort(o);
                return r;
        }
        return 0;
}

int output_commit(struct output *o, struct error *err)
{
        int r = 0;
        const char *name = o->path ? o->path : "standard output";
        errno = 0;
        if (fflush(o->stream) != 0 || ferror(o->stream))
                r = errno ? -errno : -EIO;
        if (r == 0 && o->temporary && fsync(fileno(o->stream)) < 0 && errno != EINVAL && errno != EROFS)
                r = -errno;
        if (fclose(TAKE_PTR(o->stream)) != 0 && r == 0)
                r = -errno;
        if (r == 0 && o->temporary && rename(o->temporary, o->path) < 0)
                r = -errno;
        if (r < 0) {
                (void)error_errno(err, r, "cannot write %s", name);
                output_abort(o);
                return r;
        }
        output_forget(o);
        return 0;
}

void output_abort(struct output *o)
{
        if (o->stream)
                fclose(o->stream);
        if (o->temporary)
                unlink(o->temporary);
        output_forget(o);
}

int make_dirs(const char *path, mode_t mode)
{
        _cleanup_(freep) char *copy = xstrdup(path);
        for (char *at = copy + 1; *copy && *at; at++) {
                if (*at != '/')
                        continue;
                *at = 0;
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *at = '/';
        }
        return *copy && mkdir(copy, mode) < 0 && errno != EEXIST ? -errno : 0;
}

const char *env_or(const char *name, const char *fallback)
{
        const char *value = getenv(name);
        return value && *value ? value : fallback;
}

bool cache_path(const char *name, struct buf *ret)
{
        const char *cache = env_or("XDG_CACHE_HOME", NULL), *home = env_or("HOME", NULL);
        if (!cache && !home)
                return false;
        buf_clear(ret);
        buf_printf(ret, "%s%s/sekisho/%s", cache ? cache : home, cache ? "" : "/.cache", name);
        return !buf_is_full(ret);
}
