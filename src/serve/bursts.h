/*
 * What is only suspicious in numbers: connections to many ports or hosts, many files removed, many files that get a
 * suffix as what encrypts them gives it. Counted by session (setsid) within its container, in windows of BURST_SECONDS
 * that begin with their first event; rules ask for the number that the event has brought it to:
 *
 *         evt.type = connect and burst.ports = 20        once a window, at the twentieth port
 *
 * Counters see what the sensor sends, which is what the loaded rules ask for.
 */
#ifndef SEKISHO_SERVE_BURSTS_H
#define SEKISHO_SERVE_BURSTS_H

#include "base/map.h"
#include "base/vec.h"
#include "sense/process.h"

#define BURST_SECONDS    10
#define BURST_KEYS_MAX   4096u /* counters at once; past it all begin anew */
#define BURST_THINGS_MAX 4096u /* different things that one counter tells apart */

enum burst {
        BURST_PORTS,    /* different ports of one address */
        BURST_HOSTS,    /* different addresses of one /24 (IPv6: /64) */
        BURST_REMOVED,  /* files and directories removed */
        BURST_SUFFIXED, /* files renamed to their name and a suffix, or removed beside one that has it; not .gz and kin
                         */
        BURSTS
};

struct burst_counter {
        uint64_t key, begun_ns;
        int64_t n;
        struct set64 things;
};

struct bursts {
        bool is_wanted; /* a rule asks */
        struct map64 index;
        VEC(struct burst_counter) counters;
        int64_t now[BURSTS]; /* what the last event has brought each to; 0: it is no such event */
};

/* A zeroed struct is empty. */
void bursts_done(struct bursts *b);

/* Counts an event. paths: of a call, made absolute by name; p may be NULL. Does nothing unless it is wanted. */
void bursts_note(struct bursts *b, const struct event *e, const struct process *p, const struct str paths[2]);

/* Gives back the memory of counters whose window is over. now_ns: since boot, as in events. */
void bursts_rest(struct bursts *b, uint64_t now_ns);

#endif
