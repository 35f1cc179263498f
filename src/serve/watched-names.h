/*
 * By which name a watched file is known that may be given others: container and inode lead to it. Bounded: past
 * WATCHED_NAMES_MAX all are forgotten.
 */
#ifndef SEKISHO_SERVE_WATCHED_NAMES_H
#define SEKISHO_SERVE_WATCHED_NAMES_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

#include <sys/stat.h>

#define WATCHED_NAMES_MAX 16384u

struct watched_name {
        uint64_t key, cgroup_id; /* cgroup_id 0: of the host */
        struct str path;
};

struct watched_names {
        struct map64 by_key; /* -> index in v */
        VEC(struct watched_name) v;
        struct arena arena;
        size_t n_texts; /* in the arena: a name may take another's place */
};

void watched_names_done(struct watched_names *n);

/* The name that was put last for a file counts. */
void watched_names_put(struct watched_names *n, uint64_t cgroup_id, const struct stat *st, struct str path);

/* STR_NONE: there is none. Numbers of inodes are used again: it may be of a file that is gone. */
struct str watched_names_find(const struct watched_names *n, uint64_t cgroup_id, const struct stat *st);

/* Forgets those of containers that is_there() does not know, and gives back their memory. */
void watched_names_forget(struct watched_names *n, bool (*is_there)(const void *arg, uint64_t cgroup_id),
                          const void *arg);

#endif
