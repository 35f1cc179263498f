/*
 * Ending a process with all that descends from it. They are stopped first, parents before children, so that nothing is
 * forked while the list is made; each is held by a descriptor (pidfd), so that nobody else's number is hit. What left
 * the tree before (its parent has ended) is not in it: terminating the container gets that too.
 */
#ifndef SEKISHO_ACT_PROCESS_TREE_H
#define SEKISHO_ACT_PROCESS_TREE_H

#include "base/error.h"

#define ACT_TREE_MAX 512u /* processes */

/*
 * pid, and when it began (nanoseconds since boot; the two name one process for ever). How many got SIGKILL; 0: it has
 * ended by itself. -E2BIG: the first ACT_TREE_MAX did, there are more; -EPERM: process 1, or our own; with words.
 */
int act_kill_tree(uint32_t pid, uint64_t started_ns, struct error *err);

int act_kill_tree_probe(struct error *err);

#endif
