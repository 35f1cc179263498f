/*
 * Names of users and groups, as the container's own /etc/passwd and /etc/group give them (the host's, of processes of
 * the host). The files are the container's and may say anything: they are looked up below the root of the process, read
 * with a bound, and understood by read/passwd.h.
 *
 * Kept by container. Files that have changed are read again, at most once a second, and at once if a number is not
 * found. Numbers are those of the host: in a container with a user namespace of its own they find nobody.
 */
#ifndef SEKISHO_SERVE_USERS_H
#define SEKISHO_SERVE_USERS_H

#include "base/vec.h"
#include "read/passwd.h"
#include "sense/container.h"

#define USERS_CONTAINERS_MAX 512u
#define USERS_FILE_MAX       ((size_t)1 << 20) /* of each file; a longer one counts as empty */

struct users_of; /* those of one container, or of the host */
VEC_TYPE(users, struct users_of);

/* A zeroed struct is empty. */
void users_done(struct users *u);

/* The container is gone. */
void users_forget(struct users *u, uint64_t cgroup_id);

/*
 * pid: a process in that root; now_ns: of any clock that does not go back. Views are valid until the next call. False:
 * nobody has the number, or the files cannot be read.
 */
bool users_user(struct users *u, const struct container_entry *c, uint32_t pid, uint64_t now_ns, uint32_t uid,
                struct passwd_user *ret);
bool users_group(struct users *u, const struct container_entry *c, uint32_t pid, uint64_t now_ns, uint32_t gid,
                 struct str *ret_name);

#endif
