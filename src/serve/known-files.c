/* See known-files.h. */
#include "serve/known-files.h"

void known_files_done(struct known_files *k)
{
        map64_done(&k->by_key);
        vec_done(&k->v);
}

struct known_file known_file_of(const struct stat *st)
{
        return (struct known_file){ .size = st->st_size,
                                    .mtime_s = st->st_mtim.tv_sec,
                                    .mtime_ns = st->st_mtim.tv_nsec,
                                    .mode = st->st_mode,
                                    .uid = st->st_uid,
                                    .gid = st->st_gid };
}

bool known_files_remember(struct known_files *k, uint64_t key, uint64_t cgroup_id, const struct stat *st,
                          struct known_file *ret_before)
{
        if (k->v.n >= KNOWN_FILES_MAX)
                known_files_done(k);
        bool is_new;
        uint64_t *at = map64_put(&k->by_key, key, &is_new);
        if (is_new) {
                *at = k->v.n;
                (void)vec_push(&k->v);
        }
        struct known_file *f = &k->v.v[*at];
        *ret_before = is_new ? (struct known_file){ 0 } : *f;
        *f = known_file_of(st);
        f->key = key;
        f->cgroup_id = cgroup_id;
        f->told_mode = ret_before->told_mode;
        return !is_new;
}

void known_files_mode_told(struct known_files *k, uint64_t key, bool is_told)
{
        const uint64_t *at = map64_get(&k->by_key, key);
        if (at)
                k->v.v[*at].told_mode = is_told ? k->v.v[*at].mode : 0;
}

void known_files_forget(struct known_files *k, bool (*is_there)(const void *arg, uint64_t cgroup_id), const void *arg)
{
        for (size_t i = k->v.n; i-- > 0;) {
                struct known_file *f = &k->v.v[i];
                if (f->cgroup_id == 0 || is_there(arg, f->cgroup_id))
                        continue;
                map64_take_out(&k->by_key, f->key, i, k->v.v[k->v.n - 1].key);
                *f = k->v.v[--k->v.n];
        }
        vec_shrink(&k->v);
}
