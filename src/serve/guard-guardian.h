/*
 * The guardian's state, for its files: guard-guardian.c is the loop, which reads events and looks after the scanner;
 * guard-job.c is what becomes of one file: lease, question, verdict, answers; guard-ahead.c brings files that nobody
 * has asked for yet.
 *
 * A job is one file that is being looked at; its waiters are the events that wait for its verdict. A waiter is answered
 * once, at the latest at its deadline; the job goes on until the scanner has spoken.
 */
#ifndef SEKISHO_SERVE_GUARD_GUARDIAN_H
#define SEKISHO_SERVE_GUARD_GUARDIAN_H

#include "serve/guard-private.h"

#define JOBS_MAX         2048 /* files that are looked at or wait for it; then events wait in the kernel's queue */
#define JOBS_WRITTEN_MAX 1024 /* of them those that nobody waits for; more are left for when they are opened */
#define WAITERS_MAX      4096
#define SENT_MAX         256 /* jobs that the scanner has at hand */
#define JOB_ROUNDS_MAX   3   /* looks at one file, for one event */
#define DEADLY_MAX       100 /* scanners that may die while they have one and the same file: then it is late */
#define LEASE_SIGNAL     (SIGRTMIN + 1)

/*
 * A program that somebody is about to write keeps him waiting for so long: whoever had been let through to execute it
 * has read it by then. On an overlay nothing else stops a file from being changed between the two.
 */
#define WRITER_WAITS_MS 25
#define ENDING_MAX      256

struct waiter {
        int fd, pidfd;
        pid_t pid;
        uint64_t mask;
        int64_t deadline_ns; /* CLOCK_MONOTONIC */
        struct waiter *next; /* of its job, or free */
};

struct job {
        uint64_t id; /* 0: free */
        int fd;      /* of the first event that asked for it; the job's own */
        struct file_key key;
        bool has_lease, is_unleased; /* the latter: there are none to be had, writer or not */
        bool is_sent, is_written;    /* the scanner has it; nobody waits for it */
        bool is_ahead;               /* of the latter: the walker brought it, not a writer */
        unsigned rounds, deaths;
        int64_t looked_ns; /* CLOCK_REALTIME, when this round began */
        struct guard_ask ask;
        int pidfd; /* of who is asked about */
        struct waiter *waiters;
        struct job *next; /* in the queue, or free */
};

struct ending_lease {
        int fd;
        int64_t end_ns;
};

struct job_queue {
        struct job *first, **last;
};

enum ahead_state { AHEAD_TOLD, AHEAD_WALKING, AHEAD_THROUGH, AHEAD_FULL, AHEAD_DIED };

struct ahead {
        enum ahead_state state;
        pid_t pid; /* of the walker; 0: none runs */
        int fd;    /* its socket; -1: it is not listened to any more */
        int64_t began_ns, due_ns;
        size_t n_jobs;
        uint64_t files, looked, unread; /* in this walk: met, looked at, not opened */
};

/* HANDOVER_LETS_GO: rows are given up. HANDOVER_ANSWERS: no event is read. HANDOVER_ENDS: the next one reads them. */
enum handover { HANDOVER_NONE, HANDOVER_LETS_GO, HANDOVER_ANSWERS, HANDOVER_ENDS };

struct guardian {
        const struct guard_config *c;
        int group, signals, scanner_fd, scanner_pidfd, report_fd;
        pid_t scanner; /* 0: none runs */
        struct scanner_start start;
        struct verdicts *verdicts;
        size_t held_max; /* descriptors that they may hold */
        struct ahead ahead;
        struct job jobs[JOBS_MAX];
        struct waiter waiters[WAITERS_MAX];
        struct job *free_jobs;
        struct waiter *free_waiters;
        struct job_queue wanted, written; /* not sent yet */
        size_t n_jobs, n_written, n_waiters, n_sent, n_sent_written;
        int job_of_fd_n;
        uint32_t *job_of_fd; /* of leased descriptors: 1 + number of the job */
        uint64_t last_id;
        struct ending_lease ending[ENDING_MAX];
        size_t n_ending;
        int64_t heard_ns, pinged_ns, born_ns; /* of the scanner */
        struct reporter reporter;
        uint64_t looks;   /* questions to the scanner: files that were looked at */
        uint64_t dropped; /* written files that were not looked at for want of room; not told yet */
        bool is_leaving, is_unleased_told;
        enum handover handover;
        int64_t handed_ns;
};

/* --- guard-job.c --- */

void jobs_init(struct guardian *g);
bool jobs_have_room(const struct guardian *g); /* for what one reading of events may bring */

/* The event's descriptors are the callee's from now on. */
void job_wanted(struct guardian *g, const struct fanotify_event *e);
void job_written(struct guardian *g, const struct fanotify_event *e);

/* A file that the walker met: the descriptor is the callee's. True if it is looked at now: nothing was known of it. */
bool job_ahead(struct guardian *g, int fd, uint32_t storage);

/* The next ones to the scanner, as many as it may have. */
void jobs_send(struct guardian *g);

/* What it said of one. */
void job_verdict(struct guardian *g, uint64_t id, enum verdict verdict);

/* It died: what it had is asked again. */
void jobs_unsend(struct guardian *g);

/* Answers those whose time is over. Returns ms until the next one is; -1: there is none. */
int jobs_expire(struct guardian *g);

/* A writer waits for the lease on this descriptor. */
void lease_broken(struct guardian *g, int fd);
void leases_look(struct guardian *g); /* signals were lost: all of them */
int leases_end(struct guardian *g);   /* those that are due. Returns ms until the next one is; -1: there is none */

/* A row lets go: release of verdicts_new. */
void lease_end(void *guardian, int fd);

/* --- guard-ahead.c --- */

void ahead_init(struct guardian *g);
bool ahead_listens(const struct guardian *g); /* then poll ahead.fd and call ahead_hear */
void ahead_hear(struct guardian *g);

/* Begins a walk, tells of one that is over. Returns ms until it has to be asked again; -1: after the next event. */
int ahead_look(struct guardian *g);
void ahead_end(struct guardian *g);

#endif
