/* What the files of proc/ share with each other and nobody else. */
#ifndef SEKISHO_PROC_INTERNAL_H
#define SEKISHO_PROC_INTERNAL_H

#include "proc/worker.h"

#include <sys/types.h>

#define CHILD_KEEPS 3

/* In a child: closes every descriptor but these (-1: none); standard streams become /dev/null. */
void child_keep_only(const int keep[static CHILD_KEEPS]);

/* In a child: killed when the parent ends, also if it ended already. */
void child_dies_with(pid_t parent);

/*
 * Ends and reaps a producer whose pipe nobody reads any more. 0 if it had finished well, or was only cut off (its pipe
 * was closed on it); < 0 with its own words if it failed.
 */
int producer_finish(pid_t pid, struct error *err);

/* Starts a helper; *ret_fd is the end of its worker. */
int helper_start(const struct job_helper *h, int *ret_fd, pid_t *ret_pid, struct error *err);

/* Ends and reaps it. Its worker has ended: nobody waits for what it does. 0: there is none. */
void helper_end(pid_t pid);

#endif
