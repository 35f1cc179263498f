/* Looking at files, and comparing. See integrity.h. */
#include "flow/integrity.h"

#include "base/fs.h"
#include "flow/integrity-contents.h"
#include "read/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define READ_BYTES  ((size_t)256 << 10)
#define XATTRS_MAX  ((size_t)64 << 10)
#define SECOND_NS   INT64_C(1000000000)
#define UNREADABLE  "!"
#define TOO_LARGE   "-"
#define OVERLAYS    "trusted.overlay."
#define OVERLAYS_OF "user.overlay."

struct looking {
        const struct integrity_config *config;
        struct str scope;
        int root_fd;
        bool in_container;
        const struct integrity_set *known;
        struct integrity_set *to;
};

static struct str hex_of(const uint8_t *p, size_t n, struct arena *arena)
{
        char *text = arena_alloc(arena, 2 * n + 1);
        for (size_t i = 0; i < n; i++)
                snprintf(text + 2 * i, 3, "%02x", p[i]);
        return str_span(text, 2 * n);
}

/* fd: an O_PATH descriptor of a regular file. */
static struct str digest_file(int fd, struct str path, uint64_t size, struct integrity_contents *keep,
                              struct arena *arena)
{
        char link[64];
        uint8_t result[DIGEST_MAX];
        if (size > INTEGRITY_FILE_MAX)
                return STR(TOO_LARGE);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        _cleanup_(closep) int file = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
        if (file < 0)
                file = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        char *buffer = xmalloc(READ_BYTES);
        struct digest d;
        uint64_t left = INTEGRITY_FILE_MAX;
        size_t first = 0; /* bytes of the first piece, which may be all */
        ssize_t n = file < 0 ? -1 : 1;
        digest_init(&d, DIGEST_SHA256);
        while (n > 0 && left > 0) {
                n = read(file, buffer, READ_BYTES);
                if (n > 0 && left == INTEGRITY_FILE_MAX)
                        first = (size_t)n;
                if (n > 0) {
                        digest_add(&d, buffer, (size_t)n);
                        left -= MIN(left, (uint64_t)n);
                }
        }
        digest_end(&d, result);
        digest_done(&d);
        struct str hex = n < 0 ? STR(UNREADABLE) : hex_of(result, digest_size(DIGEST_SHA256), arena);
        if (keep && n == 0 && left + first == INTEGRITY_FILE_MAX)
                integrity_contents_keep(keep, path, hex, str_span(buffer, first));
        free(buffer);
        return hex;
}

static int by_name(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* Names and values in the order of names; what an overlay keeps there for itself is not the file's. */
static struct str digest_xattrs(int fd, struct arena *arena)
{
        char link[64];
        uint8_t result[DIGEST_MAX];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        char *names = arena_alloc(arena, XATTRS_MAX), *value = arena_alloc(arena, XATTRS_MAX);
        ssize_t size = listxattr(link, names, XATTRS_MAX);
        if (size <= 0)
                return size == 0 || errno == EOPNOTSUPP ? STR_NONE : STR(UNREADABLE);
        struct str *v = arena_array(arena, (size_t)size, sizeof(*v)), rest = str_span(names, (size_t)size);
        size_t n = 0;
        while (rest.n) {
                struct str name = str_cut(&rest, '\0');
                if (name.n && !str_starts(name, STR(OVERLAYS)) && !str_starts(name, STR(OVERLAYS_OF)))
                        v[n++] = name;
        }
        if (n == 0)
                return STR_NONE;
        qsort(v, n, sizeof(*v), by_name);
        struct digest d;
        digest_init(&d, DIGEST_SHA256);
        for (size_t i = 0; i < n; i++) {
                ssize_t bytes = getxattr(link, v[i].p, value, XATTRS_MAX); /* names in the list end with NUL */
                uint64_t length = bytes < 0 ? UINT64_MAX : (uint64_t)bytes;
                digest_add(&d, v[i].p, v[i].n + 1);
                digest_add(&d, &length, sizeof(length));
                digest_add(&d, value, bytes > 0 ? (size_t)bytes : 0);
        }
        digest_end(&d, result);
        digest_done(&d);
        return hex_of(result, digest_size(DIGEST_SHA256), arena);
}

static struct str target_of(int fd, struct arena *arena)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(fd, "", target, sizeof(target));
        return n < 0 ? STR(UNREADABLE) : arena_str(arena, str_span(target, (size_t)n));
}

static bool is_as_before(const struct integrity_entry *known, const struct integrity_entry *now)
{
        return known && known->ino == now->ino && known->ctime_ns == now->ctime_ns && known->size == now->size &&
               known->mtime == now->mtime && known->mode == now->mode && !str_is(known->content, UNREADABLE);
}

/* fd: an O_PATH descriptor of the thing itself. */
static void describe(int fd, const struct stat *st, unsigned compare, const struct integrity_entry *known,
                     struct integrity_contents *keep, struct arena *arena, struct integrity_entry *e)
{
        e->mode = st->st_mode;
        e->uid = st->st_uid;
        e->gid = st->st_gid;
        e->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
        e->mtime = st->st_mtim.tv_sec;
        e->ino = st->st_ino;
        e->ctime_ns = st->st_ctim.tv_sec * SECOND_NS + st->st_ctim.tv_nsec;
        if (is_as_before(known, e)) {
                e->content = known->content;
                e->xattrs = known->xattrs;
                return;
        }
        if (compare & COMPARE_CONTENT)
                e->content = S_ISREG(st->st_mode)   ? digest_file(fd, e->path, e->size, keep, arena)
                             : S_ISLNK(st->st_mode) ? target_of(fd, arena)
                                                    : STR_NONE;
        if (compare & COMPARE_XATTRS && !S_ISLNK(st->st_mode))
                e->xattrs = digest_xattrs(fd, arena);
}

static void look_in(struct looking *l, int dir_fd, struct str path, unsigned depth);

/* One thing, by its name in an open directory; directories are entered. `rule` NULL: only what is below is wanted. */
static void look_one(struct looking *l, int dir_fd, const char *name, struct str path, unsigned depth)
{
        const struct integrity_rule *rule = integrity_rule_of(l->config, path, l->in_container);
        _cleanup_(closep) int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0) {
                l->to->unread += errno != ENOENT;
                return;
        }
        if (!rule)
                return;
        struct integrity_entry e = { .scope = l->scope, .path = path };
        describe(fd, &st, rule->compare, l->known ? integrity_find(l->known, l->scope, path) : NULL, l->config->keep,
                 &arena, &e);
        l->to->unread += str_is(e.content, UNREADABLE);
        integrity_put(l->to, &e);
        if (!S_ISDIR(st.st_mode) || (!rule->recursive && path.n > rule->path.n))
                return;
        int inside = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (inside < 0 || depth == INTEGRITY_DEPTH_MAX) {
                l->to->unread++;
                close_fd(inside);
                return;
        }
        look_in(l, inside, path, depth + 1);
}

static void look_in(struct looking *l, int dir_fd, struct str path, unsigned depth)
{
        struct stat own, its;
        DIR *d = fdopendir(dir_fd);
        if (!d || fstat(dirfd(d), &own) < 0) {
                l->to->unread++;
                close_fd(d ? -1 : dir_fd);
                if (d)
                        closedir(d);
                return;
        }
        for (struct dirent *e; (e = readdir(d));) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                if (str_is(str_of(e->d_name), ".") || str_is(str_of(e->d_name), ".."))
                        continue;
                /* What is mounted here is another file system's. */
                if (fstatat(dirfd(d), e->d_name, &its, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(its.st_mode) &&
                    its.st_dev != own.st_dev)
                        continue;
                look_one(l, dirfd(d), e->d_name, arena_printf(&arena, "%.*s/%s", STR_FMT(path), e->d_name), depth);
        }
        closedir(d);
}

static bool is_host(struct str scope) { return str_is(scope, INTEGRITY_HOST); }

void integrity_look(const struct integrity_config *c, struct str scope, int root_fd, const struct integrity_set *known,
                    struct integrity_set *to)
{
        struct looking l = { c, scope, root_fd, !is_host(scope), known, to };
        for (size_t i = 0; i < c->rules.n; i++) {
                const struct integrity_rule *rule = &c->rules.v[i];
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                if (rule->in_containers != l.in_container)
                        continue;
                ptrdiff_t slash = str_rfind_char(rule->path, '/');
                const char *above = slash > 0 ? arena_cstr(&arena, str_upto(rule->path, (size_t)slash)) : "/";
                _cleanup_(closep) int dir = open_in_root(root_fd, above, O_PATH | O_DIRECTORY);
                if (dir < 0)
                        to->unread += dir != -ENOENT && dir != -ENOTDIR;
                else if (rule->path.n == 0)
                        look_in(&l, openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), STR_NONE, 0);
                else
                        look_one(&l, dir, arena_cstr(&arena, str_from(rule->path, (size_t)slash + 1)), rule->path, 0);
        }
}

bool integrity_look_at(const struct integrity_config *c, struct str scope, int root_fd, struct str path,
                       struct arena *arena, struct integrity_entry *ret)
{
        const struct integrity_rule *rule = integrity_rule_of(c, path, !is_host(scope));
        struct stat st;
        if (!rule || path.n < 2)
                return false;
        ptrdiff_t slash = str_rfind_char(path, '/');
        const char *above = slash > 0 ? arena_cstr(arena, str_upto(path, (size_t)slash)) : "/";
        _cleanup_(closep) int dir = open_in_root(root_fd, above, O_PATH | O_DIRECTORY);
        _cleanup_(closep) int fd = dir < 0 ? -1
                                           : openat(dir, arena_cstr(arena, str_from(path, (size_t)slash + 1)),
                                                    O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return false;
        *ret = (struct integrity_entry){ .scope = scope, .path = path };
        describe(fd, &st, rule->compare, NULL, c->keep, arena, ret);
        return true;
}

/* -------------------------------------------------------------------------------------------------- comparing ---- */

static const char *type_word(uint32_t mode)
{
        return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "special file";
}

struct str integrity_difference(const struct integrity_rule *rule, const struct integrity_entry *b,
                                const struct integrity_entry *a, struct arena *arena)
{
        _cleanup_(buf_done) struct buf words = BUF_INIT((size_t)16 << 10);
        bool same_type = (b->mode & S_IFMT) == (a->mode & S_IFMT);
        if (!same_type)
                buf_printf(&words, ", a %s became a %s", type_word(b->mode), type_word(a->mode));
        if (rule->compare & COMPARE_CONTENT && same_type && S_ISLNK(a->mode) && !str_eq(b->content, a->content))
                buf_printf(&words, ", link to %.*s -> %.*s", STR_FMT(b->content), STR_FMT(a->content));
        else if (rule->compare & COMPARE_CONTENT && same_type &&
                 (!str_eq(b->content, a->content) || b->size != a->size))
                buf_printf(&words, ", content (%llu -> %llu bytes)", (unsigned long long)b->size,
                           (unsigned long long)a->size);
        if (rule->compare & COMPARE_MODE && same_type && b->mode != a->mode)
                buf_printf(&words, ", mode %04o -> %04o", b->mode & 07777, a->mode & 07777);
        if (rule->compare & COMPARE_OWNER && (b->uid != a->uid || b->gid != a->gid))
                buf_printf(&words, ", owner %u:%u -> %u:%u", b->uid, b->gid, a->uid, a->gid);
        if (rule->compare & COMPARE_XATTRS && same_type && !str_eq(b->xattrs, a->xattrs))
                buf_puts(&words, ", extended attributes");
        if (rule->compare & COMPARE_MTIME && b->mtime != a->mtime)
                buf_printf(&words, ", time %lld -> %lld", (long long)b->mtime, (long long)a->mtime);
        return arena_str(arena, str_from(buf_str(&words), 2));
}

static int by_path(const void *a, const void *b)
{
        const struct integrity_change *x = a, *y = b;
        return str_cmp(x->after ? x->after->path : x->before->path, y->after ? y->after->path : y->before->path);
}

size_t integrity_compare(const struct integrity_config *c, struct str scope, const struct integrity_set *before,
                         const struct integrity_set *after, struct arena *arena, struct integrity_change **ret)
{
        VEC(struct integrity_change) found = { 0 };
        for (size_t i = 0; i < after->v.n; i++) {
                const struct integrity_entry *a = &after->v.v[i], *b;
                const struct integrity_rule *rule;
                if (!a->path.n || !str_eq(a->scope, scope) || !(rule = integrity_rule_of(c, a->path, !is_host(scope))))
                        continue;
                b = integrity_find(before, scope, a->path);
                struct str words = b ? integrity_difference(rule, b, a, arena) : STR("added");
                if (words.n)
                        *vec_push(&found) = (struct integrity_change){ b, a, words };
        }
        for (size_t i = 0; i < before->v.n; i++) {
                const struct integrity_entry *b = &before->v.v[i];
                if (b->path.n && str_eq(b->scope, scope) && integrity_rule_of(c, b->path, !is_host(scope)) &&
                    !integrity_find(after, scope, b->path))
                        *vec_push(&found) = (struct integrity_change){ b, NULL, STR("removed") };
        }
        if (found.n)
                qsort(found.v, found.n, sizeof(*found.v), by_path);
        *ret = arena_array(arena, found.n, sizeof(**ret));
        if (found.n)
                memcpy(*ret, found.v, found.n * sizeof(**ret));
        size_t n = found.n;
        vec_done(&found);
        return n;
}
