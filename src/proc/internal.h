/* What the files of proc/ share with each other and nobody else. */
#ifndef SEKISHO_PROC_INTERNAL_H
#define SEKISHO_PROC_INTERNAL_H

#include "base/error.h"

#include <sys/types.h>

/* In a child: closes every descriptor but these two (-1: none); standard streams become /dev/null. */
void child_keep_only(int a, int b);

/* In a child: killed when the parent ends, also if it ended already. */
void child_dies_with(pid_t parent);

/*
 * Ends and reaps a producer whose pipe nobody reads any more. 0 if it had finished well, or was only cut off (its pipe
 * was closed on it); < 0 with its own words if it failed.
 */
int producer_finish(pid_t pid, struct error *err);

#endif
