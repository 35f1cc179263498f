/*
 * How files of containers and of the host were when they were last looked at: what differs tells what was done.
 * Bounded: past KNOWN_FILES_MAX all are forgotten, and what comes next is like what was never seen.
 */
#ifndef SEKISHO_SERVE_KNOWN_FILES_H
#define SEKISHO_SERVE_KNOWN_FILES_H

#include "base/map.h"
#include "base/vec.h"

#include <sys/stat.h>

#define KNOWN_FILES_MAX 65536u

struct known_file {
        uint64_t key, cgroup_id; /* cgroup_id 0: of the host */
        int64_t size, mtime_s, mtime_ns;
        uint32_t mode, uid, gid;
        uint32_t told_mode; /* that nobody needs to be told of any more; 0: none */
};

struct known_files {
        struct map64 by_key; /* -> index in v */
        VEC(struct known_file) v;
};

void known_files_done(struct known_files *k);

struct known_file known_file_of(const struct stat *st); /* without its key */

/* Remembers how the file of this key is now. True, and how it was, if it was known. */
bool known_files_remember(struct known_files *k, uint64_t key, uint64_t cgroup_id, const struct stat *st,
                          struct known_file *ret_before);

/* Has the file's mode, as it is remembered, been told of (or did nobody set it)? */
void known_files_mode_told(struct known_files *k, uint64_t key, bool is_told);

/* Those of containers that is_there() does not know. */
void known_files_forget(struct known_files *k, bool (*is_there)(const void *arg, uint64_t cgroup_id), const void *arg);

#endif
