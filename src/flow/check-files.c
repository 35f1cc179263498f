/*
 * The files that are to be checked: named ones whatever they are called, and those of directories that a checker wants
 * by name. Directories are read in the order of their names, without following links, to a depth and in a number that
 * have limits; what was passed over for a reason is an `unread` fact.
 */
#include "flow/check.h"

#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct directory { /* one that is still to be read */
        struct str path;
        unsigned depth;
};

struct walk {
        struct check_run *run;
        VEC(struct directory) todo;
        size_t entries;
        bool is_full;
};

static void unread(struct check_run *run, struct str path, const char *code, const char *fmt, ...) _printf_(4, 5);

static void unread(struct check_run *run, struct str path, const char *code, const char *fmt, ...)
{
        char text[256];
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        *vec_push(&run->unread) = (struct fact_unread){ .path = arena_str(&run->arena, path),
                                                        .code = str_of(code),
                                                        .detail = arena_str(&run->arena, str_of(text)) };
}

static bool is_wanted(struct str name)
{
        for (size_t i = 0; checkers[i]; i++)
                if (checkers[i]->wants(name))
                        return true;
        return false;
}

/* Reads all of an open regular file, pipe or the like into the run. */
static void add_open(struct check_run *run, int fd, struct str path, bool is_named)
{
        if (run->files.n == CHECK_FILES_MAX || run->bytes > CHECK_BYTES_MAX) {
                unread(run, path, "limit", "more than %u files or %u MiB in one run", CHECK_FILES_MAX,
                       CHECK_BYTES_MAX >> 20);
                return;
        }
        struct buf bytes = BUF_INIT(CHECK_FILE_MAX);
        int r = read_all(fd, &bytes);
        if (r == -EFBIG)
                unread(run, path, "too-large", "larger than %u MiB", CHECK_FILE_MAX >> 20);
        else if (r < 0)
                unread(run, path, "denied", "%s", strerror(-r));
        else
                *vec_push(&run->files) = (struct check_file){ arena_str(&run->arena, path),
                                                              arena_str(&run->arena, buf_str(&bytes)), is_named };
        run->bytes += bytes.n;
        buf_done(&bytes);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void visit(struct walk *w, int dir_fd, const struct directory *dir, const char *name)
{
        struct check_run *run = w->run;
        struct stat st;
        struct str path = arena_printf(&run->arena, "%.*s/%s", STR_FMT(dir->path), name);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                unread(run, path, "denied", "%s", strerror(errno));
        } else if (S_ISDIR(st.st_mode) && strcmp(name, ".git") == 0) {
                unread(run, path, "skipped",
                       "the store of a git repository: its files are checked where they are checked out");
        } else if (S_ISDIR(st.st_mode) && dir->depth == CHECK_DEPTH_MAX) {
                unread(run, path, "limit", "more than %u directories deep", CHECK_DEPTH_MAX);
        } else if (S_ISDIR(st.st_mode)) {
                *vec_push(&w->todo) = (struct directory){ path, dir->depth + 1 };
        } else if (!is_wanted(str_of(name))) {
                run->n_ignored_names++;
        } else if (S_ISLNK(st.st_mode)) {
                unread(run, path, "skipped", "a symbolic link: name it, or the file it leads to");
        } else if (S_ISREG(st.st_mode)) {
                _cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                if (fd < 0)
                        unread(run, path, "denied", "%s", strerror(errno));
                else
                        add_open(run, fd, path, false);
        }
}

/* The names of a directory, sorted; they are the caller's to free. */
static char **names_of(struct walk *w, DIR *d, size_t *ret_n)
{
        VEC(char *) names = { 0 };
        struct dirent *e;
        while ((e = readdir(d))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                if (++w->entries > CHECK_ENTRIES_MAX) {
                        w->is_full = true;
                        break;
                }
                *vec_push(&names) = xstrdup(e->d_name);
        }
        if (names.n)
                qsort(names.v, names.n, sizeof(*names.v), by_name);
        *ret_n = names.n;
        return names.v;
}

static void read_directory(struct walk *w, int fd, const struct directory *dir)
{
        DIR *d = fdopendir(fd);
        if (!d) {
                unread(w->run, dir->path, "denied", "%s", strerror(errno));
                (void)close_fd(fd);
                return;
        }
        size_t n, first = w->todo.n;
        char **names = names_of(w, d, &n);
        for (size_t i = 0; i < n; i++) {
                visit(w, dirfd(d), dir, names[i]);
                free(names[i]);
        }
        free(names);
        closedir(d);
        /* A stack: the first name's directory must lie on top. */
        for (size_t i = first, k = w->todo.n; i + 1 < k; i++, k--) {
                struct directory t = w->todo.v[i];
                w->todo.v[i] = w->todo.v[k - 1];
                w->todo.v[k - 1] = t;
        }
        if (w->is_full)
                unread(w->run, dir->path, "limit", "more than %u entries in all: the rest was not looked at",
                       CHECK_ENTRIES_MAX);
}

static int add_directory(struct check_run *run, int root, struct str path)
{
        struct walk w = { .run = run };
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        size_t prefix = path.n + 1;
        read_directory(&w, root, &(struct directory){ path, 0 });
        while (w.todo.n && !w.is_full) {
                struct directory dir = w.todo.v[--w.todo.n];
                _cleanup_(closep) int top = open(arena_cstr(&run->arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                int fd = top < 0 ? -errno
                                 : open_beneath(top, arena_cstr(&run->arena, str_from(dir.path, prefix)),
                                                O_RDONLY | O_DIRECTORY);
                if (fd < 0)
                        unread(run, dir.path, "denied", "%s", strerror(-fd));
                else
                        read_directory(&w, fd, &dir);
        }
        vec_done(&w.todo);
        return 0;
}

int check_add_path(struct check_run *run, const char *path, struct error *err)
{
        struct stat st;
        if (strcmp(path, "-") == 0) {
                add_open(run, STDIN_FILENO, STR("-"), true);
                return 0;
        }
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        if (fstat(fd, &st) < 0) {
                int r = error_errno(err, -errno, "cannot look at %s", path);
                (void)close_fd(fd);
                return r;
        }
        if (S_ISDIR(st.st_mode))
                return add_directory(run, fd, arena_str(&run->arena, str_of(path)));
        add_open(run, fd, str_of(path), true);
        (void)close_fd(fd);
        return 0;
}
