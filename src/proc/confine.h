/*
 * Fewer rights for a process that must keep some: the agent. A worker gets the sandbox (worker.h), which leaves
 * nothing; this takes away what is not in a list. What a process gives up here, all that it forks has lost too.
 */
#ifndef SEKISHO_PROC_CONFINE_H
#define SEKISHO_PROC_CONFINE_H

#include "base/error.h"

#include <stdint.h>

/*
 * Keeps the capabilities whose bits (1 << CAP_...) are in `keep`, as far as there are any, and sets no_new_privs: no
 * program that is executed can bring more. 0 or -errno with words.
 */
int confine_capabilities(uint64_t keep, struct error *err);

/*
 * From now on the system calls that load code into the kernel, take other processes over, change mounts, the clock, the
 * machine's name or its running, execute programs, or are known for little but holes in kernels fail with EPERM, in all
 * threads and children. They do not end the process: a guess of ours that is wrong must not end what protects the host.
 * `may_mount` leaves mount(2). 0 or -errno with words.
 */
int confine_calls(bool may_mount, struct error *err);

#endif
