/*
 * Ending all processes of a container at once: cgroup.kill (5.14), which no fork outruns; without it every process of
 * the frozen cgroup by SIGKILL, again and again until it is empty. There is no undo: the engine starts it anew, or not.
 */
#ifndef SEKISHO_ACT_TERMINATE_H
#define SEKISHO_ACT_TERMINATE_H

#include "act/target.h"

/* 0: nothing of it runs any more (hasty: or will, in a moment). -ETIMEDOUT: killed, and something has not ended yet;
 * other -errno; with words. */
int act_terminate(const struct act_target *t, bool is_hasty, struct error *err);

/* The same by signals alone, as on kernels without cgroup.kill. */
int act_terminate_by_signals(const struct act_target *t, struct error *err);

#endif
