/* See drift-list.h. */
#include "serve/drift-list.h"

#include "base/fs.h"
#include "base/vec.h"
#include "read/digest.h"
#include "serve/overlay-layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND_NS  UINT64_C(1000000000)
#define READ_BYTES 65536u

static const struct container_mount *root_of(const struct container_entry *c)
{
        return container_mount_of(c, STR("/"));
}

static struct guard_file attributes(const struct stat *st)
{
        return (struct guard_file){ .size = (uint64_t)st->st_size,
                                    .ctime_ns =
                                            (uint64_t)st->st_ctim.tv_sec * SECOND_NS + (uint64_t)st->st_ctim.tv_nsec };
}

static bool find_file(int root, struct str path, struct stat *ret)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(closep) int fd = open_in_root(root, arena_cstr(&arena, path), O_PATH | O_NOFOLLOW);
        return fd >= 0 && fstat(fd, ret) == 0 && S_ISREG(ret->st_mode);
}

/* Do the numbers that the layers' root shows mean what the container's root means by them? */
static bool agrees(int root, struct str exe_path, uint64_t exe_ino)
{
        struct stat st;
        if (exe_path.n < 2 || exe_path.p[0] != '/')
                return true;
        return find_file(root, str_from(exe_path, 1), &st) && st.st_ino == exe_ino;
}

/* The root below which to look, and whether the list can be shared. */
static int open_root(struct drift_list *l, const struct container_entry *c, uint32_t pid, struct str exe_path,
                     uint64_t exe_ino, struct error *err)
{
        const struct container_mount *m = root_of(c);
        char path[64];
        if (m && m->lower.n) {
                l->root = overlay_layers_open(m->lower, NULL);
                if (l->root >= 0 && agrees(l->root, exe_path, exe_ino)) {
                        l->layers = arena_str(&l->arena, m->lower);
                        return 0;
                }
                l->root = close_fd(l->root);
        }
        snprintf(path, sizeof(path), "/proc/%u/root/", pid);
        l->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return l->root < 0 ? error_errno(err, -errno, "%s", path) : 0;
}

int drift_list_new(const struct manifest *m, const struct container_entry *c, uint32_t pid, struct str exe_path,
                   uint64_t exe_ino, struct drift_list **ret, struct error *err)
{
        struct drift_list *l = xcalloc(1, sizeof(*l));
        *l = (struct drift_list){ .manifest = m, .root = -1 };
        int r = open_root(l, c, pid, exe_path, exe_ino, err);
        if (r < 0) {
                drift_list_free(l);
                return r;
        }
        l->files = arena_array(&l->arena, m->n_files, sizeof(*l->files));
        for (size_t i = 0; i < m->n_files; i++) {
                struct stat st;
                if (!find_file(l->root, m->files[i].path, &st))
                        continue;
                l->files[i] =
                        (struct drift_file){ .ino = st.st_ino, .file = attributes(&st), .state = DRIFT_UNVERIFIED };
                if (l->files[i].file.size != m->files[i].size)
                        l->files[i].state = DRIFT_DIFFERENT;
                else if (l->files[i].file.size > DRIFT_FILE_MAX)
                        l->files[i].state = DRIFT_TOO_LARGE;
                l->present++;
                *map64_put(&l->by_ino, st.st_ino, NULL) = i;
        }
        *ret = l;
        return 0;
}

void drift_list_free(struct drift_list *l)
{
        if (!l)
                return;
        close_fd(l->root);
        map64_done(&l->by_ino);
        arena_done(&l->arena);
        free(l);
}

bool drift_list_fits(const struct drift_list *l, const struct manifest *m, const struct container_entry *c)
{
        const struct container_mount *root = root_of(c);
        return l->manifest == m && l->layers.n && root && str_eq(root->lower, l->layers);
}

int drift_list_put(const struct drift_list *l, struct barrier *b)
{
        VEC(struct barrier_file) files = { 0 };
        for (size_t i = 0; i < l->manifest->n_files; i++)
                if (l->files[i].state != DRIFT_ABSENT && l->files[i].state != DRIFT_DIFFERENT)
                        *vec_push(&files) = (struct barrier_file){ l->files[i].ino, l->files[i].file };
        int r = barrier_set_list(b, l->image, files.v, files.n);
        vec_done(&files);
        return r;
}

static bool is_as_found(const struct drift_file *f, const struct stat *st)
{
        struct guard_file now = attributes(st);
        return S_ISREG(st->st_mode) && st->st_ino == f->ino && now.size == f->file.size &&
               now.ctime_ns == f->file.ctime_ns;
}

/* The digest of a file that is as it was found, before and after it was read. */
static bool digest_file(const struct drift_list *l, size_t i, uint8_t ret[static DIGEST_MAX], size_t *bytes)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const struct drift_file *f = &l->files[i];
        const char *path = arena_cstr(&arena, l->manifest->files[i].path);
        _cleanup_(closep) int fd = open_in_root(l->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0 || !is_as_found(f, &st))
                return false;
        struct digest d;
        uint8_t *buffer = arena_alloc(&arena, READ_BYTES);
        ssize_t n;
        digest_init(&d, DIGEST_SHA256);
        while ((n = read(fd, buffer, READ_BYTES)) > 0) {
                digest_add(&d, buffer, (size_t)n);
                *bytes -= MIN(*bytes, (size_t)n);
        }
        digest_end(&d, ret);
        digest_done(&d);
        return n == 0 && fstat(fd, &st) == 0 && is_as_found(f, &st);
}

enum drift_state drift_list_verify(struct drift_list *l, size_t i, size_t *bytes)
{
        struct drift_file *f = &l->files[i];
        const uint8_t *wanted = l->manifest->files[i].sha256;
        uint8_t digest[DIGEST_MAX];
        if (f->state != DRIFT_UNVERIFIED)
                return f->state;
        if (digest_file(l, i, digest, bytes))
                f->state = memcmp(digest, wanted, sizeof(l->manifest->files[i].sha256)) == 0 ? DRIFT_VERIFIED
                                                                                             : DRIFT_DIFFERENT;
        else
                f->state = l->layers.n ? DRIFT_DIFFERENT : DRIFT_HIDDEN;
        return f->state;
}

size_t drift_list_by_ino(const struct drift_list *l, uint64_t ino)
{
        const uint64_t *i = map64_get(&l->by_ino, ino);
        return i ? (size_t)*i : SIZE_MAX;
}

size_t drift_list_by_path(const struct drift_list *l, struct str path)
{
        const struct manifest_file *f = path.n ? manifest_find(l->manifest, str_from(path, 1)) : NULL;
        return f ? (size_t)(f - l->manifest->files) : SIZE_MAX;
}
