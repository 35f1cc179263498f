/* See drift-list.h. */
#include "serve/drift-list.h"

#include <errno.h>
#include <stdlib.h>

static struct str layers_of(const struct container_entry *c)
{
        const struct container_mount *root = container_mount_of(c, STR("/"));
        return root ? root->lower : STR_NONE;
}

struct drift_list *drift_list_new(const struct manifest *m, const struct container_entry *c, uint32_t pid,
                                  struct str exe_path, uint64_t exe_ino)
{
        struct drift_list *l = xcalloc(1, sizeof(*l));
        *l = (struct drift_list){
                .manifest = m, .root = -1, .map = -1, .cgroup_id = c->cgroup_id, .pid = pid, .exe_ino = exe_ino
        };
        l->layers = arena_str(&l->arena, layers_of(c));
        l->is_own = l->layers.n == 0;
        l->exe_path = arena_str(&l->arena, exe_path);
        l->files = arena_array(&l->arena, m->n_files, sizeof(*l->files));
        return l;
}

void drift_list_free(struct drift_list *l)
{
        if (!l)
                return;
        close_fd(l->root);
        close_fd(l->map);
        map64_done(&l->by_ino);
        arena_done(&l->arena);
        free(l);
}

bool drift_list_fits(const struct drift_list *l, const struct manifest *m, const struct container_entry *c)
{
        return l->manifest == m && !l->is_own && str_eq(layers_of(c), l->layers);
}

/* --------------------------------------------------------------------------------------------------- finding ---- */

bool drift_list_is_found(const struct drift_list *l) { return l->root >= 0 && l->n_found == l->manifest->n_files; }

void drift_list_ask(struct drift_list *l, struct buf *to)
{
        if (l->root < 0)
                drift_ask_root(to, l->pid, l->layers, l->exe_path, l->exe_ino);
        else
                l->n_asked = l->n_found +
                             drift_ask_files(to, l->manifest->files + l->n_found, l->manifest->n_files - l->n_found);
}

static int take_root(struct drift_list *l, struct str reply, int fd, struct error *err)
{
        bool is_layers = false;
        int r = drift_told_root(reply, &is_layers);
        if (r == 0 && fd < 0)
                r = -EPROTO;
        if (r < 0) {
                close_fd(fd);
                return error_errno(err, r, "/proc/%u/root/", l->pid);
        }
        l->root = fd;
        if (!is_layers) {
                l->is_own = true;
                l->layers = STR_NONE;
        }
        return 0;
}

static void take_file(struct drift_list *l, size_t i, const struct drift_seen *seen)
{
        struct drift_file *f = &l->files[i];
        if (!seen->is_there)
                return;
        *f = (struct drift_file){ .ino = seen->ino, .file = seen->file, .state = DRIFT_UNVERIFIED };
        if (f->file.size != l->manifest->files[i].size)
                f->state = DRIFT_DIFFERENT;
        else if (f->file.size > DRIFT_FILE_MAX)
                f->state = DRIFT_TOO_LARGE;
        l->present++;
        *map64_put(&l->by_ino, f->ino, NULL) = i;
}

int drift_list_take(struct drift_list *l, struct str reply, int fd, struct error *err)
{
        struct drift_seen seen[DRIFT_LOOK_FILES];
        if (l->root < 0)
                return take_root(l, reply, fd, err);
        close_fd(fd);
        if (!drift_told_files(reply, l->n_asked - l->n_found, seen))
                return error_set(err, -EPROTO, "the process that looks for its files gave no answer");
        for (size_t i = l->n_found; i < l->n_asked; i++)
                take_file(l, i, &seen[i - l->n_found]);
        l->n_found = l->n_asked;
        return 0;
}

int drift_list_put(struct drift_list *l, struct error *err)
{
        struct barrier_file files[DRIFT_LOOK_FILES];
        size_t n = 0;
        if (l->map < 0)
                l->map = barrier_list_new(l->manifest->n_files);
        int r = MIN(l->map, 0);
        for (; r == 0 && l->n_put < l->n_found; l->n_put++) {
                const struct drift_file *f = &l->files[l->n_put];
                if (f->state != DRIFT_ABSENT && f->state != DRIFT_DIFFERENT)
                        files[n++] = (struct barrier_file){ f->ino, f->file };
        }
        if (r == 0)
                r = barrier_list_add(l->map, files, n);
        return r < 0 ? error_errno(err, r, "the kernel does not take its list") : 0;
}

int drift_list_enter(struct drift_list *l, struct barrier *b)
{
        int r = barrier_set_list(b, l->image, l->map);
        l->map = close_fd(l->map); /* the kernel's map of lists holds it */
        return r;
}

/* --------------------------------------------------------------------------------------------------- content ---- */

void drift_list_ask_content(const struct drift_list *l, size_t i, struct buf *to)
{
        drift_ask_content(to, &l->manifest->files[i], l->files[i].ino, &l->files[i].file);
}

enum drift_state drift_list_take_content(struct drift_list *l, size_t i, struct str reply)
{
        struct drift_file *f = &l->files[i];
        enum drift_content content = drift_told_content(reply);
        if (content == DRIFT_CONTENT_GONE)
                f->state = l->layers.n ? DRIFT_DIFFERENT : DRIFT_HIDDEN;
        else
                f->state = content == DRIFT_CONTENT_SAME ? DRIFT_VERIFIED : DRIFT_DIFFERENT;
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
