/*
 * What is mapped to be executed, by any process of the host: the kernel's own records of it (perf_event_open(2), a
 * counter of nothing with attr.mmap), in rings, one for each processor. Libraries that are loaded, code that a process
 * makes, and what a program that begins consists of; mprotect(2) too. Other mappings
 * raise no record.
 *
 * Also told is when a program takes another's place, since its first mappings come before the sensor tells of it.
 */
#ifndef SEKISHO_SENSE_MAPPINGS_H
#define SEKISHO_SENSE_MAPPINGS_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

struct mappings;

struct mapping {
        uint32_t pid;     /* of the process as the host counts */
        uint64_t time_ns; /* since boot */
        bool is_exec;     /* no mapping: another program begins in the process */
        uint64_t address;
        uint32_t prot, flags; /* as of mmap(2) */
        uint32_t dev;         /* major << 20 | minor; of anonymous memory 0 */
        uint64_t ino;
        struct str path; /* as the kernel tells it: "/opt/x.so", "/memfd:x (deleted)", "//anon" */
};

/* < 0 with words: this kernel or these rights do not do. */
int mappings_new(struct mappings **ret, struct error *err);
void mappings_free(struct mappings *m); /* NULL is fine */

/* Readable once some KiB wait; what is less wakes nobody. */
int mappings_fd(const struct mappings *m);

/*
 * Hands over what is not younger, oldest first; what is younger is kept. The view is valid during the call. The process
 * that the caller does not want costs least if wants() says so; NULL: all are wanted.
 */
void mappings_until(struct mappings *m, uint64_t time_ns, bool (*wants)(void *arg, uint32_t pid),
                    void (*each)(void *arg, const struct mapping *mapping), void *arg);

/* Records lost so far for want of room. */
uint64_t mappings_lost(const struct mappings *m);

#endif
