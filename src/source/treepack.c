/*
 * See treepack.h. The walk is a stack of frames on the heap, one for each directory on the way down; a frame holds the
 * sorted names that are still to do. Descriptors of frames far up are closed and opened again on the way back, and
 * only used if they still are the same directory.
 */
#include "source/treepack.h"

#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "read/tar.h"
#include "source/tarpack.h"
#include "source/treepack-names.h"
#include "source/treepack-open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MQUEUE_MAGIC   0x19800202          /* linux/magic.h has none */
#define PATH_BYTES_MAX (TAR_NAME_MAX - 64) /* room for ".wh..wh..opq" */

/* What a directory is, whatever its path. */
struct place {
        dev_t dev;
        ino_t ino;
};

struct frame {
        struct names names;
        size_t next;
        size_t path_n;    /* length of its path */
        int fd, below_fd; /* -1: closed meanwhile (see is_closed), or no such directory below */
        bool has_below, is_closed;
        struct place place, below;
};

struct walk {
        const struct treepack *what;
        struct tarpack out;
        struct buf path;
        VEC(struct frame) frames;
        size_t first_open; /* frames before this one may have closed descriptors */
        size_t names_bytes;
        struct map64 links; /* hash of device and inode: offset + 1 in link_names */
        struct buf link_names;
        bool has_proc; /* /proc/self/fd can be used to open what was looked at */
};

/* --- writing --- */

static struct tarpack_entry entry_of(const struct walk *w, struct str path, const struct statx *st, char type)
{
        return (struct tarpack_entry){
                .name = path,
                .type = type,
                .mode = st->stx_mode & 07777,
                .uid = st->stx_uid,
                .gid = st->stx_gid,
                .mtime = st->stx_mtime.tv_sec,
        };
}

static bool looks_like_whiteout(struct str path)
{
        return str_starts(str_from(path, (size_t)(str_rfind_char(path, '/') + 1)), STR(".wh."));
}

static void put(struct walk *w, struct tarpack_entry *e)
{
        e->is_literal = w->what->mode != TREEPACK_OVERLAY && e->type != TARPACK_NOTE && looks_like_whiteout(e->name);
        tarpack_header(&w->out, e);
}

/* An entry that stands for something that was not read; type TARPACK_NOTE where there is no entry to speak of. */
static void put_unread(struct walk *w, struct tarpack_entry *e, const char *code, const char *fmt, ...) _printf_(4, 5);
static void put_unread(struct walk *w, struct tarpack_entry *e, const char *code, const char *fmt, ...)
{
        char text[512];
        int n = snprintf(text, sizeof(text), "%s ", code);
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
        va_end(ap);
        e->unread = str_of(text);
        e->size = 0;
        put(w, e);
}

static void put_note(struct walk *w, struct str path, const char *code, const char *detail)
{
        struct tarpack_entry e = { .name = path.n ? path : STR("."), .type = TARPACK_NOTE };
        put_unread(w, &e, code, "%s", detail);
}

/* ".wh.NAME", or ".wh..wh..opq" for NAME ".wh..opq" (image-spec, layer.md). */
static void put_whiteout(struct walk *w, struct str dir, struct str name)
{
        _cleanup_(buf_done) struct buf path = BUF_INIT(TAR_NAME_MAX);
        buf_add_str(&path, dir);
        if (dir.n)
                buf_putc(&path, '/');
        buf_puts(&path, ".wh.");
        buf_add_str(&path, name);
        struct tarpack_entry e = { .name = buf_str(&path), .type = '0' };
        tarpack_header(&w->out, &e);
}

static const char *code_of(int r)
{
        return r == -EACCES || r == -EPERM ? "denied" : r == -ENOENT || r == -ESTALE || r == -ELOOP ? "changed" : "io";
}

static bool place_of(int fd, struct place *ret)
{
        struct stat st;
        if (fstat(fd, &st) < 0)
                return false;
        *ret = (struct place){ st.st_dev, st.st_ino };
        return true;
}

static bool place_is_same(const struct place *a, const struct place *b) { return a->dev == b->dev && a->ino == b->ino; }

static bool is_mount(const struct statx *st, const struct frame *in)
{
        if (st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
                return st->stx_attributes & STATX_ATTR_MOUNT_ROOT;
        return S_ISDIR(st->stx_mode) && makedev(st->stx_dev_major, st->stx_dev_minor) != in->place.dev;
}

/*
 * What is mounted there, for a person: which of the mounts matter is easier to see with their kind. The kernel's own
 * interfaces hold no files that anybody could have put there, and every container has them: no note.
 */
static void put_mount(struct walk *w, struct str path, int dir_fd, const char *name)
{
        static const struct {
                long magic;
                const char *kind; /* NULL: an interface of the kernel */
        } kinds[] = {
                { PROC_SUPER_MAGIC, NULL },   { SYSFS_MAGIC, NULL },         { DEVPTS_SUPER_MAGIC, NULL },
                { CGROUP_SUPER_MAGIC, NULL }, { CGROUP2_SUPER_MAGIC, NULL }, { MQUEUE_MAGIC, NULL },
                { TMPFS_MAGIC, "tmpfs" },     { NFS_SUPER_MAGIC, "nfs" },    { OVERLAYFS_SUPER_MAGIC, "overlay" },
        };
        _cleanup_(closep) int at = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        const char *kind = "a volume, a file or another disk";
        struct statfs fs;
        if (at >= 0 && fstatfs(at, &fs) == 0)
                for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                        if (fs.f_type == kinds[i].magic)
                                kind = kinds[i].kind;
        if (!kind)
                return;
        struct tarpack_entry e = { .name = path, .type = TARPACK_NOTE };
        put_unread(w, &e, "mount", "mounted here and not looked at: %s", kind);
}

/* --- files --- */

/* The content that the header promised. What is not there any more is zeros, and a note follows. */
static void put_content(struct walk *w, int fd, const struct tarpack_entry *e)
{
        struct tarpack_extent whole = { 0, e->size };
        const struct tarpack_extent *v = e->extents ? e->extents : &whole;
        size_t n = e->extents ? e->n_extents : 1;
        uint64_t total = 0, missing = 0;
        for (size_t i = 0; i < n; i++) {
                uint64_t had = tarpack_file(&w->out, fd, v[i].offset, v[i].size);
                tarpack_zeros(&w->out, v[i].size - had);
                total += v[i].size;
                missing += v[i].size - had;
        }
        tarpack_pad(&w->out, total);
        if (missing)
                put_note(w, e->name, "changed",
                         "it could not be read to its end: it became shorter, or the disk failed");
}

/* True if this inode was written before: then a link to it was written now. */
static bool put_link(struct walk *w, struct tarpack_entry *e, const struct statx *st)
{
        uint64_t key[3] = { st->stx_dev_major, st->stx_dev_minor, st->stx_ino };
        uint64_t hash = hash_str(str_span(key, sizeof(key)));
        uint64_t *at = map64_get(&w->links, hash);
        if (at) {
                e->type = '1';
                e->link = str_of(w->link_names.p + *at - 1);
                put(w, e);
                return true;
        }
        if (w->links.n < TREEPACK_LINKS_MAX) {
                size_t offset = w->link_names.n;
                buf_add_str(&w->link_names, e->name);
                buf_putc(&w->link_names, 0);
                if (!buf_is_full(&w->link_names))
                        *map64_put(&w->links, hash, NULL) = offset + 1;
        }
        return false;
}

static bool has_xattr(int fd, const char *const *names, size_t n, const char *value)
{
        char got[8] = { 0 };
        for (size_t i = 0; i < n; i++) {
                ssize_t r = fgetxattr(fd, names[i], got, sizeof(got) - 1);
                if (r >= 0 && (!value || (r == (ssize_t)strlen(value) && memcmp(got, value, (size_t)r) == 0)))
                        return true;
        }
        return false;
}

static bool is_metacopy(int fd)
{
        static const char *const names[] = { "trusted.overlay.metacopy", "user.overlay.metacopy" };
        return has_xattr(fd, names, ARRAY_SIZE(names), NULL);
}

static void put_file(struct walk *w, int dir_fd, const char *name, struct str path, const struct statx *st)
{
        struct tarpack_entry e = entry_of(w, path, st, '0');
        if (st->stx_nlink > 1 && put_link(w, &e, st))
                return;
        if (st->stx_size == 0) {
                put(w, &e);
                return;
        }
        _cleanup_(closep) int fd = tree_open_file(w->has_proc, dir_fd, name, st);
        if (fd < 0) {
                put_unread(w, &e, code_of(fd), "cannot open: %s",
                           fd == -ESTALE ? "it was replaced while it was looked at" : strerror(-fd));
                return;
        }
        if (w->what->mode == TREEPACK_OVERLAY && is_metacopy(fd)) {
                put_unread(w, &e, "unsupported",
                           "overlay metacopy: only the owner or mode changed here, the content lies in a layer below");
                return;
        }
        struct tarpack_extent *extents = NULL;
        e.size = st->stx_size;
        int r = tree_find_extents(fd, e.size, st, &extents, &e.n_extents);
        e.extents = extents;
        if (r < 0) {
                put_unread(w, &e, "limit", "a file with holes in more than %u places", TAR_EXTENTS_MAX);
                return;
        }
        put(w, &e);
        put_content(w, fd, &e);
        free(extents);
}

static void put_symlink(struct walk *w, int dir_fd, const char *name, struct str path, const struct statx *st)
{
        char target[TAR_NAME_MAX];
        struct tarpack_entry e = entry_of(w, path, st, '2');
        ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));
        e.link = str_span(target, n > 0 ? (size_t)n : 0);
        if (n < 0)
                put_unread(w, &e, code_of(-errno), "cannot read the link: %s", strerror(errno));
        else
                put(w, &e);
}

static void put_device(struct walk *w, struct str path, const struct statx *st)
{
        struct tarpack_entry e = entry_of(w, path, st, S_ISCHR(st->stx_mode) ? '3' : S_ISBLK(st->stx_mode) ? '4' : '6');
        e.dev_major = st->stx_rdev_major;
        e.dev_minor = st->stx_rdev_minor;
        put(w, &e);
}

static bool is_overlay_whiteout(const struct statx *st)
{
        return S_ISCHR(st->stx_mode) && st->stx_rdev_major == 0 && st->stx_rdev_minor == 0;
}

/* --- directories --- */

static struct frame *top(struct walk *w) { return &w->frames.v[w->frames.n - 1]; }

/* Closes the descriptors of the frame farthest up that still has some, once there are too many. */
static void keep_few_open(struct walk *w)
{
        while (w->frames.n - w->first_open > TREEPACK_OPEN_MAX) {
                struct frame *f = &w->frames.v[w->first_open++];
                f->fd = close_fd(f->fd);
                f->below_fd = close_fd(f->below_fd);
                f->is_closed = true;
        }
}

/* The parent of a directory again, closed meanwhile: by "..", or by its path; only if it still is the same one. */
static int go_up(int child_fd, int root_fd, struct str path, const struct place *want)
{
        struct place got;
        int fd = child_fd < 0 ? -1 : openat(child_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && place_of(fd, &got) && place_is_same(&got, want))
                return fd;
        (void)close_fd(fd);
        fd = tree_open_path(root_fd, path);
        if (fd >= 0 && place_of(fd, &got) && place_is_same(&got, want))
                return fd;
        (void)close_fd(fd);
        return -ESTALE;
}

static void reopen(struct walk *w, struct frame *f, const struct frame *child)
{
        struct str path = str_upto(buf_str(&w->path), f->path_n);
        w->first_open = w->frames.n - 1;
        f->is_closed = false;
        f->fd = go_up(child->fd, w->what->root_fd, path, &f->place);
        if (f->fd < 0) {
                put_note(w, path, "changed",
                         "the directory was moved away while it was read: the rest of it was not looked at");
                f->next = f->names.n;
        }
        if (f->has_below)
                f->below_fd = go_up(child->below_fd, w->what->below_fd, path, &f->below);
}

static void frame_done(struct frame *f)
{
        f->fd = close_fd(f->fd);
        f->below_fd = close_fd(f->below_fd);
        names_done(&f->names);
}

static void pop(struct walk *w)
{
        struct frame child = *top(w);
        w->names_bytes -= child.names.bytes;
        w->frames.n--;
        if (w->frames.n && top(w)->is_closed)
                reopen(w, top(w), &child);
        frame_done(&child);
}

static void put_missing(struct walk *w, struct str path, const struct names *here, int below_fd)
{
        struct names below = { 0 };
        if (names_read(below_fd, TREEPACK_NAMES_MAX, &below) < 0)
                put_note(w, path, "io",
                         "cannot list the same directory of the layer below: what was deleted is not known");
        for (size_t i = 0, k = 0; i < below.n; i++) {
                const char *name = names_at(&below, i);
                while (k < here->n && strcmp(names_at(here, k), name) < 0)
                        k++;
                if (k == here->n || strcmp(names_at(here, k), name) != 0)
                        put_whiteout(w, path, str_of(name));
        }
        names_done(&below);
}

/* Takes over both descriptors. The directory's own entry has been written. */
static void push(struct walk *w, int fd, int below_fd)
{
        struct str path = buf_str(&w->path);
        struct frame f = { .fd = fd, .below_fd = below_fd, .has_below = below_fd >= 0, .path_n = path.n };
        (void)place_of(fd, &f.place);
        if (f.has_below)
                (void)place_of(below_fd, &f.below);
        int r = names_read(fd, TREEPACK_NAMES_MAX - w->names_bytes, &f.names);
        w->names_bytes += f.names.bytes;
        if (r == -E2BIG)
                put_note(w, path, "limit",
                         "too many names on the way down: the rest of the directory was not looked at");
        else if (r < 0)
                put_note(w, path, code_of(r), "the directory could not be listed to its end");
        if (path.n + 256 > PATH_BYTES_MAX && f.names.n) {
                put_note(w, path, "limit", "the path is too long to go on: what is below was not looked at");
                f.next = f.names.n;
        } else if (f.has_below) {
                put_missing(w, path, &f.names, below_fd);
        }
        *vec_push(&w->frames) = f;
        keep_few_open(w);
}

/* What differs in an entry of the layer below, as far as metadata tells. */
static bool is_same_metadata(const struct statx *a, const struct statx *b)
{
        return a->stx_mode == b->stx_mode && a->stx_uid == b->stx_uid && a->stx_gid == b->stx_gid &&
               (S_ISDIR(a->stx_mode) || a->stx_size == b->stx_size) && a->stx_mtime.tv_sec == b->stx_mtime.tv_sec &&
               a->stx_mtime.tv_nsec == b->stx_mtime.tv_nsec && a->stx_rdev_major == b->stx_rdev_major &&
               a->stx_rdev_minor == b->stx_rdev_minor;
}

/* Same size and time do not mean same content: somebody may have set the time back. Both are read. */
static bool is_unchanged(const struct walk *w, const struct frame *f, const char *name, const struct statx *st)
{
        struct statx below;
        if (f->below_fd < 0 || tree_look(f->below_fd, name, &below) < 0 || !is_same_metadata(st, &below))
                return false;
        if (S_ISLNK(st->stx_mode)) {
                char x[4096], y[4096];
                ssize_t n = readlinkat(f->fd, name, x, sizeof(x)), m = readlinkat(f->below_fd, name, y, sizeof(y));
                return n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
        }
        if (!S_ISREG(st->stx_mode) || st->stx_size == 0)
                return true;
        _cleanup_(closep) int a = tree_open_file(w->has_proc, f->fd, name, st);
        _cleanup_(closep) int b = tree_open_file(w->has_proc, f->below_fd, name, &below);
        return a >= 0 && b >= 0 && tree_is_same_content(a, b);
}

static void put_directory(struct walk *w, const char *name, const struct statx *st)
{
        static const char *const opaque[] = { "trusted.overlay.opaque", "user.overlay.opaque",
                                              "user.fuseoverlayfs.opaque" };
        static const char *const redirect[] = { "trusted.overlay.redirect", "user.overlay.redirect" };
        const struct frame *f = top(w);
        struct str path = buf_str(&w->path);
        struct tarpack_entry e = entry_of(w, path, st, '5');
        bool is_unwritten = w->what->mode == TREEPACK_CHANGES && is_unchanged(w, f, name, st);
        int fd = tree_open_directory(f->fd, name);
        if (fd == -EXDEV) {
                put_mount(w, path, f->fd, name);
                return;
        }
        if (fd < 0) {
                put_unread(w, &e, code_of(fd), "cannot open: %s", strerror(-fd));
                return;
        }
        if (!is_unwritten)
                put(w, &e);
        if (w->what->mode == TREEPACK_OVERLAY) {
                if (has_xattr(fd, opaque, ARRAY_SIZE(opaque), "y"))
                        put_whiteout(w, path, STR(".wh..opq"));
                if (has_xattr(fd, redirect, ARRAY_SIZE(redirect), NULL))
                        put_note(w, path, "unsupported",
                                 "overlay redirect: what the directory held before it was renamed lies in a layer "
                                 "below");
        }
        int below_fd = f->below_fd >= 0 ? tree_open_directory(f->below_fd, name) : -1;
        push(w, fd, below_fd < 0 ? -1 : below_fd);
}

static void put_one(struct walk *w, const char *name)
{
        const struct frame *f = top(w);
        struct str dir = str_upto(buf_str(&w->path), f->path_n), path;
        struct statx st;
        w->path.n = f->path_n;
        if (dir.n)
                buf_putc(&w->path, '/');
        buf_puts(&w->path, name);
        path = buf_str(&w->path);
        int r = tree_look(f->fd, name, &st);
        if (r < 0) {
                put_note(w, path, code_of(r),
                         r == -ENOENT ? "it was deleted while the directory was read" : strerror(-r));
        } else if (is_mount(&st, f)) {
                put_mount(w, path, f->fd, name);
        } else if (S_ISDIR(st.stx_mode)) {
                put_directory(w, name, &st);
        } else if (w->what->mode == TREEPACK_OVERLAY && is_overlay_whiteout(&st)) {
                put_whiteout(w, str_upto(path, f->path_n), str_of(name));
        } else if (w->what->mode == TREEPACK_CHANGES && is_unchanged(w, f, name, &st)) {
                return;
        } else if (S_ISREG(st.stx_mode)) {
                put_file(w, f->fd, name, path, &st);
        } else if (S_ISLNK(st.stx_mode)) {
                put_symlink(w, f->fd, name, path, &st);
        } else if (!S_ISSOCK(st.stx_mode)) {
                put_device(w, path, &st);
        }
}

int treepack_write(const struct treepack *what, int out_fd, struct error *err)
{
        struct walk w = { .what = what, .path = BUF_INIT(TAR_NAME_MAX), .link_names = BUF_INIT(256u << 20) };
        int fd = tree_open_directory(what->root_fd, ".");
        if (fd < 0)
                return error_errno(err, fd, "cannot open the directory");
        w.has_proc = access("/proc/self/fd", X_OK) == 0;
        tarpack_init(&w.out, out_fd);
        int below_fd =
                what->below_fd >= 0 && what->mode == TREEPACK_CHANGES ? tree_open_directory(what->below_fd, ".") : -1;
        buf_puts(&w.path, "");
        push(&w, fd, below_fd < 0 ? -1 : below_fd);
        while (w.frames.n && w.out.r == 0) {
                struct frame *f = top(&w);
                w.path.n = f->path_n;
                if (f->next == f->names.n)
                        pop(&w);
                else
                        put_one(&w, names_at(&f->names, f->next++));
        }
        while (w.frames.n)
                frame_done(&w.frames.v[--w.frames.n]);
        if (what->process_fd >= 0 && faccessat(what->process_fd, "root/.", F_OK, 0) < 0)
                put_note(&w, STR("."), "changed", "the container ended while it was read: what is here may not be all");
        int r = tarpack_end(&w.out);
        tarpack_done(&w.out);
        vec_done(&w.frames);
        map64_done(&w.links);
        buf_done(&w.link_names);
        buf_done(&w.path);
        return r < 0 ? error_errno(err, r, "cannot write the packed directory") : 0;
}
