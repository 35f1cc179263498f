/*
 * fanotify(7) for containers' files: one group, one mark on each superblock that backs containers' storage. Since Linux
 * 6.5 such a mark sees what is opened and executed through every overlay above it, in every mount and user namespace,
 * as the backing file (commit bc2473c90fca); before, only what is opened on the superblock itself.
 *
 * A permission event stops whoever caused it until it is answered, or until the last descriptor of the group is closed:
 * then it is allowed. Its descriptor raises no events itself (FMODE_NONOTIFY). Whoever answers opens nothing by path
 * meanwhile.
 *
 * Clean files are remembered by the kernel, as ignore marks on their inodes. Writing through a shared mapping raises no
 * event that would end such a mark, so each is anchored by a read lease (F_SETLEASE) on the same descriptor: who opens
 * the file for writing waits until mark and lease were taken away, in this order. A file that somebody may write
 * already gives no lease.
 */
#ifndef SEKISHO_SENSE_FANOTIFY_H
#define SEKISHO_SENSE_FANOTIFY_H

#include "base/error.h"

#include <signal.h>
#include <sys/fanotify.h>
#include <sys/types.h>

/* What this kernel can do, found out by doing it. */
struct fanotify_can {
        bool permission; /* a group of permission events without a limit to its queue and its marks */
        bool filesystem; /* a mark on a whole superblock (4.20) that asks at exec (5.0) */
        bool pidfd;      /* events name their process by a descriptor (5.15) */
        bool ignore;     /* ignore marks on inodes */
        bool lease;      /* read leases that refuse a file with a writer */
        bool overlay;    /* events of overlays reach the mark below them (6.5) */
        int r;           /* of what failed first: -errno; 0: nothing */
};

/* Tries each on file systems of its own, in a child with mounts of its own: nothing is left. Takes some ms. */
void fanotify_probe(struct fanotify_can *ret);

#define FANOTIFY_EVENTS_MAX 256 /* that one read gives at most */

struct fanotify_event {
        uint64_t mask; /* FAN_OPEN_EXEC_PERM, FAN_OPEN_PERM, FAN_CLOSE_WRITE */
        int fd;        /* the file, for reading; the receiver's to close. -1: the queue ran over */
        int pidfd;     /* of the process; -1 if it is gone or the kernel cannot tell */
        pid_t pid;     /* of the process (its thread group), in our namespace; 0: not in it */
};

/* A group. The descriptor is non-blocking. It may be shared with another process, which keeps it alive. */
int fanotify_group(const struct fanotify_can *can, int *ret_fd, struct error *err);

/*
 * Marks the superblock that `dir` lies on. -EEXIST: another name of one that `seen` (devices, *n of them, room for
 * `max`) has already. -EPERM with words: it is that of the root directory and may_be_root is not given: a permission
 * event that nobody answers then stops the whole machine.
 */
int fanotify_mark_storage(int group, const char *dir, uint64_t mask, bool may_be_root, dev_t *seen, size_t *n,
                          size_t max, struct error *err);

/*
 * Which descriptors' numbers wait for an answer, in memory that the readers of a group share (a process and its
 * children): whoever takes over from one that died knows what he left.
 */
struct fanotify_desk;

struct fanotify_desk *fanotify_desk_new(void); /* NULL: there is no memory for it */
void fanotify_desk_free(struct fanotify_desk *d);

/*
 * Reads what is there, and notes on the desk (NULL: nowhere) who waits. How many events, 0 if none, or -errno; -EMFILE:
 * no descriptors left (the kernel denies then).
 */
int fanotify_take(int group, struct fanotify_desk *desk, struct fanotify_event ret[static FANOTIFY_EVENTS_MAX]);

/* 0, or -ENOENT: nobody waits for it (any more). The event's descriptor stays open. */
int fanotify_answer(int group, struct fanotify_desk *desk, int event_fd, bool allow);

/*
 * Answers all events that a reader who died has left unanswered: by the numbers on the desk, which is empty then;
 * without one, or if he died while he was reading, by all numbers up to `last`, which takes half a microsecond each.
 * How many there were.
 */
size_t fanotify_answer_orphans(int group, struct fanotify_desk *desk, int last, bool allow);

/* Opening and executing this file raise no event of this group any more. */
int fanotify_ignore(int group, int fd);
int fanotify_heed(int group, int fd); /* the end of that; 0 too if there was none */

/* Opening this file is asked for, also where the superblock's mark asks at exec only. */
int fanotify_watch(int group, int fd);
int fanotify_unwatch(int group, int fd); /* 0 too if there was none */

/* Takes away all marks of inodes: those that ignore and those that watch. Marks of superblocks stay. */
int fanotify_forget_inodes(int group);

/*
 * A read lease on the open file; a writer's coming is told to this process by `signal`, a real-time signal whose
 * si_fd is the descriptor. -EAGAIN: somebody has it open for writing, or mapped so.
 */
int lease_take(int fd, int signal);
void lease_drop(int fd);
bool lease_is_breaking(int fd); /* a writer waits */

#endif
