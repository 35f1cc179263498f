/*
 * Looking at files, and writing baselines, in a child of the agent: digesting what a scope holds takes as long as
 * reading it, and the agent's loop has events to judge. One child at a time; it has the agent's rights and reads only,
 * answers in lines of the baseline's format, and is nice(1) to everybody else.
 */
#ifndef SEKISHO_SERVE_INTEGRITY_CHILD_H
#define SEKISHO_SERVE_INTEGRITY_CHILD_H

#include "flow/integrity-contents.h"

#include <sys/types.h>

struct integrity_task {
        const struct integrity_config *config;
        struct str scope;
        int root_fd;
        struct str path;                   /* only this one; empty: everything of the scope */
        const struct integrity_set *known; /* files that are as they were there are not read again; may be NULL */

        /* Instead of looking: write this set to that file. */
        const struct integrity_set *set;
        const char *to;
};

struct integrity_child {
        pid_t pid; /* 0: none runs */
        int fd;    /* poll it */
        struct integrity_set found;
        bool is_whole;
        struct error failure; /* of writing */
};

/* Forks it: what the task points to may change afterwards. 0 or -errno with words. */
int integrity_child_start(struct integrity_child *c, const struct integrity_task *task, struct error *err);

/* Takes what it says, some at a time. 1: all came, `found` is whole; 0: not yet; < 0: it ended before, with words. */
int integrity_child_take(struct integrity_child *c, struct error *err);

/* Kills it if it runs, and frees what was found. */
void integrity_child_end(struct integrity_child *c);

#endif
