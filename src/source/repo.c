/*
 * A git repository: the work tree as one layer, packed on the way like any directory (.git with it). What its objects
 * hold beside is read by the scan when it is asked for (flow/history.c), from the .git directory opened here.
 */
#include "base/fs.h"
#include "source/packed.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct repo {
        int fd;     /* the work tree; of a bare repository the directory itself */
        int git_fd; /* .git */
};

/* A directory is one of a root file system until repo: says otherwise: the work tree would read the same. */
static int repo_recognise(const char *target)
{
        (void)target;
        return 0;
}

static bool is_git_directory(int fd)
{
        struct stat st;
        return fstatat(fd, "objects", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
               fstatat(fd, "HEAD", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int repo_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        struct repo *r = arena_new(&ret->arena, struct repo);
        struct stat st;
        r->fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (r->fd < 0)
                return error_errno(err, -errno, "cannot open the directory %s", target);
        r->git_fd = is_git_directory(r->fd) ? fcntl(r->fd, F_DUPFD_CLOEXEC, 3)
                                            : open_beneath(r->fd, ".git", O_PATH | O_DIRECTORY);
        if (r->git_fd < 0 || !is_git_directory(r->git_fd)) {
                bool is_file = fstatat(r->fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
                r->fd = close_fd(r->fd);
                r->git_fd = close_fd(r->git_fd);
                return error_set(err, -ENOENT, "%s is no git repository: %s", target,
                                 is_file ? "its .git is a file that names another directory (a submodule or an added "
                                           "work tree): give the repository that it belongs to"
                                         : "there is no .git directory in it");
        }
        ret->state = r;
        ret->name = arena_str(&ret->arena, str_of(target));
        packed_single_layer(ret, ret->name);
        return 0;
}

static int repo_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct repo *r = a->state;
        struct treepack what = { .root_fd = r->fd, .below_fd = -1, .mode = TREEPACK_PLAIN, .process_fd = -1 };
        return packed_open(&what, ret, err);
}

static int repo_open_git(struct artefact *a)
{
        const struct repo *r = a->state;
        int fd = fcntl(r->git_fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

static void repo_close(struct artefact *a)
{
        struct repo *r = a->state;
        r->fd = close_fd(r->fd);
        r->git_fd = close_fd(r->git_fd);
}

const struct source source_repo = {
        .name = "repo",
        .prefix = "repo:",
        .summary = "git repository: its work tree, and with --history all of its objects",
        .example = "repo:/srv/src/shop --history",
        .recognise = repo_recognise,
        .open = repo_open,
        .open_layer = repo_open_layer,
        .close = repo_close,
        .open_git = repo_open_git,
};
