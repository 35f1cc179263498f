/* See watched-names.h. */
#include "serve/watched-names.h"

void watched_names_done(struct watched_names *n)
{
        map64_done(&n->by_key);
        vec_done(&n->v);
        arena_done(&n->arena);
        n->n_texts = 0;
}

static uint64_t key_of(uint64_t cgroup_id, const struct stat *st)
{
        const uint64_t parts[] = { cgroup_id, (uint64_t)st->st_dev, (uint64_t)st->st_ino };
        return hash_str(str_span(parts, sizeof(parts)));
}

static void put(struct watched_names *n, uint64_t key, uint64_t cgroup_id, struct str path)
{
        bool is_new;
        uint64_t *at = map64_put(&n->by_key, key, &is_new);
        if (is_new) {
                *at = n->v.n;
                (void)vec_push(&n->v);
        } else if (str_eq(n->v.v[*at].path, path)) {
                return;
        }
        n->v.v[*at] = (struct watched_name){ key, cgroup_id, arena_str(&n->arena, path) };
        n->n_texts++;
}

void watched_names_put(struct watched_names *n, uint64_t cgroup_id, const struct stat *st, struct str path)
{
        if (n->n_texts >= WATCHED_NAMES_MAX)
                watched_names_done(n);
        put(n, key_of(cgroup_id, st), cgroup_id, path);
}

struct str watched_names_find(const struct watched_names *n, uint64_t cgroup_id, const struct stat *st)
{
        const uint64_t *at = map64_get(&n->by_key, key_of(cgroup_id, st));
        return at ? n->v.v[*at].path : STR_NONE;
}

void watched_names_forget(struct watched_names *n, bool (*is_there)(const void *arg, uint64_t cgroup_id),
                          const void *arg)
{
        struct watched_names kept = { 0 };
        for (size_t i = 0; i < n->v.n; i++) {
                const struct watched_name *w = &n->v.v[i];
                if (w->cgroup_id == 0 || is_there(arg, w->cgroup_id))
                        put(&kept, w->key, w->cgroup_id, w->path);
        }
        watched_names_done(n);
        *n = kept;
}
