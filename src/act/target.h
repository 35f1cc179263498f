/*
 * Whom an action is for: a container's cgroup, in the v2 hierarchy and, where the two stand side by side, in that of
 * the v1 freezer. Found by the container's first process or by its cgroup's path, and refused if it could be more than
 * the container: the root, a slice, a service, the cgroup of process 1 or our own, or one that holds programs of the
 * host.
 */
#ifndef SEKISHO_ACT_TARGET_H
#define SEKISHO_ACT_TARGET_H

#include "base/error.h"
#include "base/str.h"

#define ACT_PATH_MAX 4096u
#define ACT_NAME_MAX 256u

/* What is known of the container; views of the caller. */
struct act_subject {
        struct str id, name, image;
        uint64_t pid;      /* of its first process, 0: not known */
        struct str cgroup; /* its path in the v2 hierarchy, asked only where pid is 0 */
};

struct act_target {
        char id[ACT_NAME_MAX], name[ACT_NAME_MAX], image[ACT_NAME_MAX];
        char cgroup[ACT_PATH_MAX];  /* path in the hierarchy: "/libpod_parent/libpod-..." */
        char unified[ACT_PATH_MAX]; /* directory of the v2 hierarchy; "": its processes stand in the root of it */
        char freezer[ACT_PATH_MAX]; /* directory of the v1 freezer, "": there is none */
        uint64_t cgroup_id;         /* of the v2 directory, 0 without one */
};

/* 0; -ESRCH: the container does not run; -EPERM: it is not only a container, words say why; other -errno, words. */
int act_target_find(const struct act_subject *who, struct act_target *ret, struct error *err);

/* Where a hierarchy is mounted: false if it is not. `controller` NULL: v2. */
bool act_cgroup_mount(const char *controller, char ret[ACT_PATH_MAX]);

/* ---- pure parts, for tests ---- */

/* The path of a hierarchy in the text of /proc/PID/cgroup; `controller` NULL: v2. STR_NONE without one. */
struct str act_cgroup_line(struct str text, const char *controller);

/* The path up to its outermost name that is the container's ("ID", "docker-ID.scope"), or STR_NONE. */
struct str act_cgroup_of_id(struct str path, struct str id);

/* Why nothing may be done to this cgroup ("/", "system.slice", "ssh.service"), or NULL. */
const char *act_cgroup_refusal(struct str path);

/* Is the path `inner` that of the cgroup `outer` or below it? */
bool act_cgroup_holds(struct str outer, struct str inner);

#endif
