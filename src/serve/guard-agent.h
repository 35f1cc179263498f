/*
 * The guard's part in the agent, for its files: guard.c sets up, starts and ends; guard-alert.c makes alerts out of
 * reports; guard-reload.c brings another set of rules; guard-set.c loads one.
 */
#ifndef SEKISHO_SERVE_GUARD_AGENT_H
#define SEKISHO_SERVE_GUARD_AGENT_H

#include "serve/agent-private.h"
#include "serve/guard-private.h"

#define SET_DIGEST 32

/* What malware is: rules, lists, YARA's rules. Guardians inherit it, by fork. */
struct guard_set {
        struct malware *malware;
        struct content_plan *plan;
        uint8_t digest[SET_DIGEST]; /* of all that files brought into it */
};

int guard_set_load(const struct malware_options *o, struct guard_set *ret, struct error *err);
void guard_set_done(struct guard_set *s);

struct guardian_process {
        struct guard *guard;
        pid_t pid; /* 0: none runs */
        int report_fd, pidfd;
        int64_t born_ns;
};

enum reload_state { RELOAD_NONE, RELOAD_TRYING, RELOAD_HANDING_OVER };

struct guard {
        struct agent *agent;
        struct guard_config config;
        struct guard_set set, next; /* next.malware: NULL, or what the next guardian gets */
        struct guardian_process guardians[2];
        struct guardian_process *guardian; /* the one that reads events; the other one finishes, or is none */
        enum reload_state reload;
        bool is_asked_again; /* to reload, while one was under way */
        pid_t trial;         /* the process that tries a set; 0: none */
        int trial_fd;
        int64_t reload_ns;                  /* when the reload's state began */
        uint64_t *n_walks, *n_ahead;        /* of the walker */
        char *storages[GUARD_STORAGES_MAX]; /* as they are called after all links */
        dev_t marked[GUARD_STORAGES_MAX];   /* superblocks */
        size_t n_marked;
};

/* Reads what there is of it. */
void guard_reports(struct guardian_process *p);

/* Of a guardian that handed its events over: the next one may read. */
void guard_handed_over(struct guard *g);

/* Starts the next guardian, with the set that is due. If there can be none, that is told, and it is tried again. */
void guard_start_next(struct guard *g, enum takeover from);

/* It has ended, or is made to: what it had reported is read, its descriptors are closed. */
void guard_forget(struct guardian_process *p);

/* The agent was told to reload; and what has to be looked at meanwhile. */
void guard_reload(void *guard);
void guard_reload_tick(struct guard *g, int64_t now_ns);
void guard_reload_end(struct guard *g);

#endif
