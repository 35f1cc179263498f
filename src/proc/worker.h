/*
 * Workers: expendable processes that read hostile bytes. A worker is forked, loses everything but the descriptors it
 * is given, enters the sandbox (seccomp, Landlock, rlimits, no network, no new descriptors), runs one job and sends
 * facts back through a pipe. A worker that crashes, hangs or overruns its limits costs one job, never the run.
 */
#ifndef SEKISHO_PROC_WORKER_H
#define SEKISHO_PROC_WORKER_H

#include "base/error.h"
#include "fact/sink.h"

#include <sys/types.h>

/*
 * A helper: a child that keeps the caller's rights and does for one worker what its sandbox forbids, at its request,
 * over a pair of sockets. It is to trust nothing that it hears. It ends with the worker.
 */
struct job_helper {
        void (*serve)(void *arg, int fd); /* helper: until fd ends */
        void *arg;
        int *worker_fd; /* where the worker finds its end, before its job runs; elsewhere it is not written to */
};

struct job {
        const char *name; /* for messages: "layer 3" */

        /*
         * Parent: whether the job may start, because what it needs to know of earlier ones is there. NULL: at once.
         * Jobs start in their order; one that is not ready waits, and those behind it, until it is or nothing else
         * runs.
         */
        bool (*ready)(void *arg);

        /*
         * Parent, right before the fork: opens the job's input. May start a producer process that writes into it
         * (its pid is then waited for, or killed, by the pool). NULL: the job has no input. < 0: the job ends as
         * failed.
         */
        int (*open)(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err);

        /* Worker, in the sandbox. 0, or < 0 with words. May use `fd` (or -1) and what arg points to; nothing else. */
        int (*run)(void *arg, int fd, struct sink *out, struct error *err);

        /* Parent: one fact. Views are valid during the call only. */
        void (*on_fact)(void *arg, enum fact_kind kind, const void *fact);

        /* Parent: the end. r == 0: all facts came. r < 0: it failed, was killed or lied; words in why. Once a job. */
        void (*on_end)(void *arg, int r, const char *why);

        void *arg;
        const struct job_helper *helper; /* the worker gets one of its own; NULL: none */
        uint64_t memory_max;             /* RLIMIT_AS above what the process has at start; 0: 512 MiB */
        unsigned stall_seconds;          /* no fact, no progress for so long: killed; 0: 120 */
};

/*
 * Runs the jobs, at most `parallel` at once (0: one a core), in their order; returns when all ended. -EINTR when
 * workers_interrupt was called: the rest was killed and reaped, and no on_end is owed any more. Callbacks run in the
 * calling process only.
 */
int workers_run(const struct job *jobs, size_t n, unsigned parallel, struct error *err);

/* Async-signal-safe: makes workers_run kill what runs and return -EINTR; further runs return at once. */
void workers_interrupt(void);
bool workers_interrupted(void);

/*
 * Forks a producer: a child that keeps its privileges but nothing of the workers' pipes, dies with its parent and
 * runs run(arg, out_fd). Returns the read end and the pid. Its exit status other than 0 fails the job that reads it,
 * with the text that it wrote to its error pipe (run's err).
 */
int producer_start(int (*run)(void *arg, int out_fd, struct error *err), void *arg, int *ret_fd, pid_t *ret_pid,
                   struct error *err);

/*
 * Enters the worker sandbox in this process, for good. Threads may still be made. Refuses to go on (-EPERM and words)
 * if neither seccomp nor Landlock can be had; `ret_missing` names what the kernel lacks ("" if nothing).
 */
int sandbox_enter(uint64_t memory_max, char ret_missing[64], struct error *err);

/* The same, but messages may be taken from this one socket (companion.h): how descriptors of files come in. */
int sandbox_enter_receiving(uint64_t memory_max, int receive_fd, char ret_missing[64], struct error *err);

/* Tries the sandbox in a child of its own, for `doctor`: the same result and words. */
int sandbox_probe(char ret_missing[64], struct error *err);

#endif
