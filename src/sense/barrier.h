/*
 * The programs of bpf/guard, loaded and attached: what may run in each container goes into their maps, what they found
 * and stopped comes out of their ring. One program kills at exec and loads wherever the sensor does; the others deny,
 * and need BPF LSM. Those that the kernel refuses are left out, one by one; barrier_can tells what is left.
 *
 * Nothing is pinned; when the process ends, however it ends, the kernel takes everything away again.
 */
#ifndef SEKISHO_SENSE_BARRIER_H
#define SEKISHO_SENSE_BARRIER_H

#include "base/arena.h"
#include "base/error.h"
#include "bpf/shared/guard.h"

struct barrier;

/* -EOPNOTSUPP or another -errno with words: not even the program that kills can be had. */
int barrier_open(struct barrier **ret, struct error *err);
void barrier_close(struct barrier *b); /* NULL is fine */

/* Can this act be denied here, and not only be told or killed for? */
bool barrier_can_deny(const struct barrier *b, enum guard_act act);

/* Readable when records wait. */
int barrier_fd(const struct barrier *b);

/* Hands over what waits, at most `most` records; the view is valid during the call. How many there were. */
size_t barrier_read(struct barrier *b, size_t most, void (*each)(void *arg, struct str record), void *arg);

/* Records lost so far for want of room. What they would have told was done all the same. */
uint64_t barrier_unheard(const struct barrier *b);

/* What the kernel does with the first program of a container that nobody has looked at. 0 or -errno. */
int barrier_set_unknown(struct barrier *b, enum guard_mode mode);

/* The policy of a cgroup: one that was set, or the one that the kernel began (GUARD_NEW). 0, -ENOENT or -errno. */
int barrier_policy(const struct barrier *b, uint64_t cgroup_id, struct guard_policy *ret);
int barrier_set_policy(struct barrier *b, uint64_t cgroup_id, const struct guard_policy *p);
int barrier_forget_policy(struct barrier *b, uint64_t cgroup_id);

struct barrier_file {
        uint64_t ino;
        struct guard_file file;
};

/*
 * A list is made a part at a time: of so many files at most, and nobody's yet (a descriptor, or -errno); files are
 * added to it; then it stands under a number (not 0), in the place of one that was there, in one step. The descriptor
 * stays the caller's to close. 0 or -errno.
 */
int barrier_list_new(size_t n_max);
int barrier_list_add(int list, const struct barrier_file *files, size_t n);
int barrier_set_list(struct barrier *b, uint32_t image, int list);
int barrier_forget_list(struct barrier *b, uint32_t image);

/* Takes one file off a list. */
int barrier_strike(struct barrier *b, uint32_t image, uint64_t ino);

/* A directory below which files only grow, or no longer. */
int barrier_set_folder(struct barrier *b, uint32_t dev, uint64_t ino, bool only_grows);

/* One of the programs that run scripts, by its name on disk. */
int barrier_set_interpreter(struct barrier *b, struct str name, const struct guard_interpreter *in);

/* A device number of stat as the kernel has it. */
uint32_t barrier_dev(uint64_t st_dev);

struct barrier_probe {
        const char *gives; /* "deny exec and mapping as code (BPF LSM)" */
        int r;             /* 0 or -errno */
        char words[200];   /* how, or why not */
};

#define BARRIER_PROBES 2

/* Each really loaded, attached, tried and taken away again, for `doctor`: kill by list, BPF LSM. */
void barrier_probe(struct barrier_probe ret[BARRIER_PROBES]);

#endif
