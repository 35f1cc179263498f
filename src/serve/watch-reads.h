/*
 * What is read of containers' secrets, which of their disks are opened, and what is written into their /proc and /sys,
 * in lean mode: of the part `watch`. Told as `openat` (of a descriptor, by the file's real path), as by the rules'
 * needs.
 *
 * Marked when the container's first program begins, and whatever of that name comes later.
 */
#ifndef SEKISHO_SERVE_WATCH_READS_H
#define SEKISHO_SERVE_WATCH_READS_H

#include "sense/file-reads.h"
#include "serve/watch-paths.h"
#include "serve/watched-names.h"

#include <sys/stat.h>

struct agent;
struct container_entry;
struct watch;

#define WATCH_READS_MARKS_MAX 1024u /* of one container */

/* An event that waits. */
struct watched_read {
        uint32_t pid;
        bool is_written;
        struct stat st;
        struct str path; /* as the kernel gives it: below the root of the file's mount namespace */
};

struct watch_reads {
        struct file_reads *reads; /* NULL: the kernel or the rights do not do, or nothing is watched */
        struct watch_paths paths;
        struct watched_names names; /* how marked files were called then: they may have others now */
        struct arena arena;
        VEC(struct watched_read) batch;
        struct file_reads_counts told;
};

/* 0, also where the kernel cannot: then it has been said. */
int watch_reads_start(struct watch *w, struct error *err);
void watch_reads_stop(struct watch *w);

/* A container has begun. */
void watch_reads_learn(struct watch *w, const struct container_entry *c);

/* Of this name there is a file now. */
void watch_reads_appeared(struct watch *w, uint64_t cgroup_id, struct str path);

void watch_reads_tick(struct watch *w);

#endif
