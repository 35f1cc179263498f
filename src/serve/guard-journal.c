/* The journal of guarded logs, and the attribute itself. See log-guard.h. */
#include "base/fs.h"
#include "base/octal.h"
#include "serve/log-guard.h"
#include "source/container-find.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define JOURNAL_BYTES_MAX ((size_t)64 << 20)

/* ----------------------------------------------------------------------------------------------------- journal ---- */

void guard_journal_done(struct guard_journal *j)
{
        arena_done(&j->arena);
        vec_done(&j->v);
        *j = (struct guard_journal){ 0 };
}

void guard_journal_add(struct guard_journal *j, struct str id, struct str upper, struct str inside)
{
        for (size_t i = 0; i < j->v.n; i++)
                if (str_eq(j->v.v[i].inside, inside) && str_eq(j->v.v[i].upper, upper))
                        return;
        *vec_push(&j->v) = (struct guarded_file){ arena_str(&j->arena, id), arena_str(&j->arena, upper),
                                                  arena_str(&j->arena, inside) };
}

static bool is_path(struct str s) { return str_starts(s, STR("/")) && !memchr(s.p, 0, s.n); }

int guard_journal_parse(struct guard_journal *j, struct str text, struct error *err)
{
        for (unsigned line = 1; text.n; line++) {
                struct str rest = str_line(&text), id, upper, inside;
                if (!octal_read(str_cut(&rest, '\t'), &j->arena, &id) ||
                    !octal_read(str_cut(&rest, '\t'), &j->arena, &upper) || !octal_read(rest, &j->arena, &inside) ||
                    id.n == 0 || !is_path(upper) || !is_path(inside))
                        return error_set(err, -EINVAL, "line %u is none of a journal of guarded logs", line);
                if (j->v.n == LOG_GUARD_FILES_MAX)
                        return error_set(err, -E2BIG, "more than %u files", LOG_GUARD_FILES_MAX);
                *vec_push(&j->v) = (struct guarded_file){ id, upper, inside };
        }
        return 0;
}

int guard_journal_read(struct guard_journal *j, const char *path, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(JOURNAL_BYTES_MAX);
        *j = (struct guard_journal){ .path = path, .arena = ARENA_INIT };
        int r = read_file(path, &text, err);
        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = guard_journal_parse(j, buf_str(&text), err);
        return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

int guard_journal_write(const struct guard_journal *j, struct error *err)
{
        struct output o;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        ptrdiff_t slash = str_rfind_char(str_of(j->path), '/');
        if (slash > 0)
                (void)make_dirs(arena_cstr(&arena, str_upto(str_of(j->path), (size_t)slash)), 0700);
        int r = output_open(&o, j->path, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < j->v.n; i++) {
                octal_print(o.stream, j->v.v[i].id);
                putc('\t', o.stream);
                octal_print(o.stream, j->v.v[i].upper);
                putc('\t', o.stream);
                octal_print(o.stream, j->v.v[i].inside);
                putc('\n', o.stream);
        }
        return output_commit(&o, err);
}

/* --------------------------------------------------------------------------------------------------- attribute ---- */

/* A regular file, opened without side effects of what it might have become meanwhile. -errno; -ENOENT of other kinds.
 */
static int open_file(int root_fd, struct str inside)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        char link[64];
        struct stat st;
        _cleanup_(closep) int fd = open_beneath(root_fd, arena_cstr(&arena, str_from(inside, 1)), O_PATH | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return -ENOENT;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        int file = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        return file < 0 ? -errno : file;
}

int guard_set(int root_fd, struct str inside, bool is_guarded)
{
        _cleanup_(closep) int fd = open_file(root_fd, inside);
        int flags;
        if (fd < 0)
                return fd == -ENOENT || fd == -ELOOP ? 0 : fd;
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return -errno;
        if (!!(flags & FS_APPEND_FL) == is_guarded)
                return 0;
        flags = is_guarded ? flags | FS_APPEND_FL : flags & ~FS_APPEND_FL;
        return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 1;
}

bool guard_is_set(int root_fd, struct str inside)
{
        _cleanup_(closep) int fd = open_file(root_fd, inside);
        int flags;
        return fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & FS_APPEND_FL;
}

/* An overlay keeps it in an attribute of its own ("a", "ai"), not on the file (fs/overlayfs, ovl_set_protattr). */
int guard_clear_upper(const struct guarded_file *f)
{
        static const char *const names[] = { "trusted.overlay.protattr", "user.overlay.protattr" };
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int upper = open(arena_cstr(&arena, f->upper), O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = upper < 0 ? -errno : open_file(upper, f->inside);
        if (fd < 0)
                return fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR ? 0 : fd;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char old[8], new[8];
                size_t kept = 0;
                ssize_t n = fgetxattr(fd, names[i], old, sizeof(old));
                for (ssize_t k = 0; k < n; k++)
                        if (old[k] != 'a')
                                new[kept++] = old[k];
                if (n <= 0 || kept == (size_t)n)
                        continue;
                int r = kept ? fsetxattr(fd, names[i], new, kept, XATTR_REPLACE) : fremovexattr(fd, names[i]);
                return r < 0 ? -errno : 1;
        }
        return 0;
}

static int root_of(struct str id)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct container c;
        char path[64];
        if (container_find_id("", id, &arena, &c) < 0 || c.pid == 0)
                return -ESRCH;
        snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)c.pid);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int guard_undo(const char *journal, struct error *err)
{
        struct guard_journal j;
        int n = 0, r = guard_journal_read(&j, journal, err), failed = 0;
        size_t left = 0;
        for (size_t i = 0; r == 0 && i < j.v.n; i++) {
                struct guarded_file *f = &j.v.v[i];
                _cleanup_(closep) int root = root_of(f->id);
                int done = root >= 0 ? guard_set(root, f->inside, false) : guard_clear_upper(f);
                n += done > 0;
                if (done < 0) {
                        failed = done;
                        j.v.v[left++] = *f;
                }
        }
        if (r == 0 && j.v.n) {
                j.v.n = left;
                r = guard_journal_write(&j, err);
        }
        if (r == 0 && left)
                r = error_errno(err, failed, "%zu logs are still guarded", left);
        guard_journal_done(&j);
        return r < 0 ? r : n;
}
