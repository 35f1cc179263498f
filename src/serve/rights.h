/*
 * What rights the agent keeps, and until when: a table, which docs/agent.md shows (tests/cli/test-rights.py holds the
 * two together). Everything else it gives up before it starts anything.
 */
#ifndef SEKISHO_SERVE_RIGHTS_H
#define SEKISHO_SERVE_RIGHTS_H

#include "serve/agent.h"

/* Before the first part starts: what is kept is what some part needs, now or later. 0 or -errno with words. */
int rights_begin(const struct agent_options *o, struct error *err);

/*
 * Once everything has started: gives up what only starting needed, and the system calls that the loop never makes
 * (proc/confine.h). A kernel without seccomp is told by > 0: RIGHTS_UNFILTERED, with words in err. 0 or -errno.
 */
enum { RIGHTS_UNFILTERED = 1 };
int rights_settle(const struct agent_options *o, struct error *err);

#endif
