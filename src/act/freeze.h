/*
 * Stopping all processes of a container where they stand, and letting them go on: cgroup.freeze of the v2 hierarchy
 * (5.2), or the v1 freezer where the container's processes stand in that alone. What its engine paused by the v1
 * freezer is the engine's to let go on.
 */
#ifndef SEKISHO_ACT_FREEZE_H
#define SEKISHO_ACT_FREEZE_H

#include "act/target.h"

#define ACT_WAIT_MS 5000 /* until the kernel has done what was asked */

/* 0, -ETIMEDOUT: asked for, and a process has not stopped yet; other -errno; with words. Hasty: does not wait. */
int act_freeze(const struct act_target *t, bool is_hasty, struct error *err);
int act_thaw(const struct act_target *t, struct error *err);
bool act_is_frozen(const struct act_target *t);

/* Lets what waits in the v1 freezer go on, whoever stopped it: what was killed dies only then. */
void act_release_freezer(const struct act_target *t);

int act_freeze_probe(struct error *err);

/* Writes a word into a file of a cgroup's directory. 0 or -errno. */
int act_cgroup_write(const char *dir, const char *file, const char *word);

/* Has the file of a cgroup this line? */
bool act_cgroup_is(const char *dir, const char *file, const char *line);

/* Waits until a line of "cgroup.events" ("frozen 1") is there. 0, -ETIMEDOUT; -ENOENT: the cgroup is gone. */
int act_cgroup_wait(const char *dir, const char *line);

#endif
