/*
 * Where quarantined files come from and go back to: paths that a container chose, below its root. The directory is
 * resolved once, as the container would resolve it, and held; in it the last name is used, and no link is followed.
 */
#include "act/quarantine-private.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The directory of a path and its last name, which points into the path. */
static int open_directory(int root_fd, const char *path, int *ret_fd, const char **ret_name, struct error *err)
{
        char directory[PATH_MAX];
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        int n = slash ? (int)(slash - path) : 0;
        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > NAME_MAX || n >= PATH_MAX)
                return error_set(err, -EINVAL, "\"%s\" names no file", path);
        snprintf(directory, sizeof(directory), "%.*s/", n, path);
        int fd = open_in_root(root_fd, directory, O_PATH | O_DIRECTORY);
        if (fd < 0)
                return error_errno(err, fd, "%s: its directory", path);
        *ret_fd = fd;
        *ret_name = name;
        return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        if (!S_ISREG(a->st_mode) || !S_ISREG(b->st_mode) || a->st_size != b->st_size)
                return false;
        return a->st_ino == b->st_ino ||
               (a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
                a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
}

int quarantine_remove(int root_fd, const char *path, const struct stat *is, struct error *err)
{
        _cleanup_(closep) int directory = -1;
        const char *name;
        struct stat there;
        int r = open_directory(root_fd, path, &directory, &name, err);
        if (r < 0)
                return r;
        if (fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, -errno, "%s", path);
        if (!is_same(&there, is))
                return error_set(err, -ESTALE, "%s is another file by now", path);
        return unlinkat(directory, name, 0) < 0 ? error_errno(err, -errno, "%s cannot be removed", path) : 0;
}

static int set_xattrs(int fd, const struct str_list *xattrs, struct arena *arena, struct error *err)
{
        for (size_t i = 0; i < xattrs->n; i++) {
                struct str value = xattrs->v[i], name = str_cut(&value, '=');
                size_t n = value.n / 2;
                uint8_t *bytes = arena_alloc(arena, n + 1);
                if (!str_hex(value, n, bytes))
                        return error_set(err, -EBADMSG, "the attribute %.*s is damaged", STR_FMT(name));
                if (fsetxattr(fd, arena_cstr(arena, name), bytes, n, 0) < 0)
                        return error_errno(err, -errno, "the attribute %.*s cannot be set", STR_FMT(name));
        }
        return 0;
}

/* Owner before mode and attributes: changing it takes setuid and capabilities away. */
static int dress(int fd, const struct fact_quarantined *item, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct timespec times[2] = { { .tv_sec = item->atime, .tv_nsec = (long)item->atime_ns },
                                     { .tv_sec = item->mtime, .tv_nsec = (long)item->mtime_ns } };
        int r = 0;
        if (fchown(fd, (uid_t)item->uid, (gid_t)item->gid) < 0)
                r = error_errno(err, -errno, "its owner cannot be set");
        if (r == 0 && fchmod(fd, (mode_t)item->mode) < 0)
                r = error_errno(err, -errno, "its mode cannot be set");
        if (r == 0)
                r = set_xattrs(fd, &item->xattrs, &arena, err);
        if (r == 0 && (futimens(fd, times) < 0 || fsync(fd) < 0))
                r = error_errno(err, -errno, "cannot be written");
        arena_done(&arena);
        return r;
}

int quarantine_restore(const struct quarantine *q, const struct fact_quarantined *item, int root_fd, const char *path,
                       bool force, struct error *err)
{
        _cleanup_(closep) int directory = -1, from = -1, to = -1;
        const char *name;
        char temporary[TEMPORARY_NAME], digest[QUARANTINE_DIGEST];
        int r = open_directory(root_fd, path, &directory, &name, err);
        if (r < 0)
                return r;
        quarantine_hex(item->sha256, digest);
        from = openat(q->objects, digest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (from < 0)
                return error_errno(err, -errno, "objects/%s", digest);
        temporary_name(temporary);
        to = openat(directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return error_errno(err, -errno, "%s: no file can be made there", path);
        r = unseal_content(q->key, from, to, (const uint8_t *)item->sha256.p, err);
        if (r == 0)
                r = dress(to, item, err);
        if (r == 0 && renameat2(directory, temporary, directory, name, force ? 0 : RENAME_NOREPLACE) < 0)
                r = errno == EEXIST ? error_set(err, -EEXIST, "%s is there already; --force replaces it", path)
                                    : error_errno(err, -errno, "%s cannot be put in its place", path);
        if (r < 0)
                (void)unlinkat(directory, temporary, 0);
        return r;
}
