/*
 * Children of the agent for what a privileged process must not do: speak HTTP, resolve names. A child is forked before
 * the sensor is loaded, keeps one end of a pair of sockets (messages with their borders) and the descriptors that it is
 * given, and loses everything else: descriptors, capabilities, root, the right to gain any (no_new_privs), and the
 * system calls that start programs or look into others.
 *
 * It ends when the agent's end is closed, however that came about; signals that people send to the group do not reach
 * it, so that what is under way can be finished.
 */
#ifndef SEKISHO_SERVE_CHILD_H
#define SEKISHO_SERVE_CHILD_H

#include "base/error.h"
#include "base/str.h"

#include <sys/types.h>

#define CHILD_USER         65534 /* nobody */
#define CHILD_SOCKET_BYTES (4 << 20)
#define CHILD_MESSAGE_MAX  ((size_t)2 << 20) /* bytes of one; longer ones are not sent */
#define CHILD_END_MS       6000              /* after which it is killed */

struct child {
        pid_t pid;
        int fd; /* the agent's end: non-blocking */
};

/*
 * Forks; in the child run(arg, fd) is called with its end of the sockets, and `keep` (-1: none) stays open. The agent
 * has no threads yet. 0 or -errno with words.
 */
int child_start(const char *name, void (*run)(void *arg, int fd), void *arg, int keep, struct child *ret,
                struct error *err);

/*
 * Says to the child that nothing more comes, shows what it says until it ends (take may be NULL), and waits; after
 * CHILD_END_MS it is killed.
 */
void child_end(struct child *c, void (*take)(void *arg, struct str message), void *arg);

#endif
