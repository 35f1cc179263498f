/*
 * What can be done to a running container, as a table: each action with what it does, whether it works here, whether it
 * is in force already, and which other one undoes it. Doing one is idempotent, has a dry run, and leaves a line in the
 * journal (docs/format/actions.md). Actions that need no container (killing a process tree, quarantine) have files of
 * their own.
 */
#ifndef SEKISHO_ACT_ACTIONS_H
#define SEKISHO_ACT_ACTIONS_H

#include "act/target.h"

struct act_order {
        const char *pins;     /* where what cuts off is kept (network.h) */
        const char *journal;  /* file, or NULL */
        const char *by, *why; /* who asked for it, and the reason: "rule \"...\"" */
        bool is_dry_run;
        bool is_hasty; /* asks the kernel, and does not wait until the last process has stopped */
};

struct act_action {
        const char *name; /* "freeze": also the word of the command */
        const char *does; /* "stops all its processes where they stand" */
        const char *done; /* "frozen" */
        const char *how;  /* by what the kernel offers */
        const char *undo; /* name of the action that undoes it; NULL: there is none, or it undoes one itself */
        int (*probe)(struct error *err); /* 0, or -errno and words: it does not work here. NULL: it undoes another */
        bool (*is_done)(const struct act_target *t, const struct act_order *o);
        int (*run)(const struct act_target *t, const struct act_order *o, struct error *err);
};

/* NULL-terminated by name. */
extern const struct act_action act_actions[];

const struct act_action *act_find(const char *name); /* or NULL */

enum {
        ACT_DONE,
        ACT_ALREADY, /* it was in force: nothing was done */
        ACT_WOULD,   /* a dry run: it would have been done */
};

/*
 * Does it, or says that it would, and writes it down. One of the above, or -errno with words. That the journal cannot
 * be written does not hold the action up: *ret_unwritten says so (err has the words).
 */
int act_do(const struct act_action *a, const struct act_target *t, const struct act_order *o, bool *ret_unwritten,
           struct error *err);

#endif
