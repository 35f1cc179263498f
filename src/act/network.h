/*
 * Cutting a container off from the network: programs that refuse (bpf/network/contain.bpf.c), attached to its cgroup
 * and pinned below a directory of a BPF file system, so that they stay when sekisho ends, however it ends, and are
 * taken away by removing their files. What is in force is what is pinned; there is no other state.
 *
 * Not reached: AF_PACKET sockets (they have no such hook; a container without CAP_NET_RAW cannot make one), sockets of
 * other families than IP, and sockets that were made outside of the container's cgroup and handed in.
 */
#ifndef SEKISHO_ACT_NETWORK_H
#define SEKISHO_ACT_NETWORK_H

#include "act/target.h"

#define ACT_PINS_DEFAULT "/sys/fs/bpf/sekisho"

enum act_cut {
        ACT_CUT_CONNECT = 1, /* connect: EPERM */
        ACT_CUT_BIND = 2,    /* bind: EPERM */
        ACT_CUT_SEND = 4,    /* sendto and sendmsg to an address of their own: EPERM */
        ACT_CUT_PACKETS = 8, /* what comes and goes through open connections is dropped, on loopback too */
        ACT_CUT_ALL = 15,
};

/* Adds these to what is cut already. 0 or -errno, words; what was not there before is taken away again on failure. */
int act_cut(const struct act_target *t, unsigned what, const char *pins, struct error *err);

/* Takes everything of the container away. 0 or -errno, words. */
int act_rejoin(const struct act_target *t, const char *pins, struct error *err);

/* What is in force, of enum act_cut. */
unsigned act_cuts(uint64_t cgroup_id, const char *pins);

/*
 * Each cgroup that has something in force; those that are gone are forgotten on the way. `path` is its own in the v2
 * hierarchy. 0, also where nothing ever was; -errno.
 */
int act_cut_each(const char *pins, void (*each)(void *arg, uint64_t cgroup_id, const char *path, unsigned what),
                 void *arg);

/* Loads and attaches all of it to a cgroup that is made for this, and takes it away again. 0 or -errno, words. */
int act_cut_probe(struct error *err);

#endif
