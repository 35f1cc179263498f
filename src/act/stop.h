/* Ending and freezing processes. */
#ifndef SEKISHO_ACT_STOP_H
#define SEKISHO_ACT_STOP_H

#include "base/error.h"
#include "base/str.h"

#include <sys/types.h>

#define STOP_PROCESSES_MAX 4096u /* that one call ends */

/*
 * Kills a process and all that descend from it: they are stopped first, so that none begins another meanwhile. pidfd is
 * the process's (it is that one, whoever has the number by now). How many were killed. It cannot be undone; a process
 * that is gone already is no error.
 */
size_t stop_tree(int pidfd, pid_t pid);

/*
 * Freezes all of a cgroup (its path in the hierarchy of version 2, "/x/y"), or lets it go on. Undone by the other.
 * -EPERM: the root, where the host itself is. 0 or -errno with words.
 */
int stop_freeze(struct str cgroup, bool frozen, struct error *err);

#endif
