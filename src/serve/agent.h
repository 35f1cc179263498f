/*
 * The agent: events of the host out of sense/, with their process and container, through the rules, into alerts. One
 * process, one loop; it waits for the ring, for signals and for its next look at the counters, and for nothing else.
 */
#ifndef SEKISHO_SERVE_AGENT_H
#define SEKISHO_SERVE_AGENT_H

#include "serve/alert.h"
#include "serve/drift-options.h"
#include "serve/faces.h"
#include "serve/files-options.h"
#include "serve/guard.h"
#include "serve/respond-modes.h"

struct agent_options {
        const char *const *rules; /* files; n_rules == 0: the embedded ones */
        size_t n_rules;
        const char *alerts;       /* file, or NULL */
        FILE *stream;             /* alerts of `least` and above, or NULL */
        bool is_json;             /* on the stream */
        enum rule_priority least; /* the least urgent that is told */
        const char *incidents;    /* file of the log of incidents, or NULL: they are numbered only */
        struct faces_options faces;
        struct files_options files;
        uint32_t ring_bytes; /* of each ring; 0: the default */
        const char *keep;    /* where what is in the kernel stays when the agent ends; NULL: it does not */
        bool is_full;        /* begins in full mode; SIGUSR1 and SIGUSR2 change it */
        struct guard_options guard;
        struct respond_options respond;

        /* Only what the image contains may run. */
        struct drift_options drift;

        /* What the operator should know, a line each: started, rules loaded anew, what is wrong with them. */
        void (*tell)(void *arg, const char *words);
        void (*tell_problems)(void *arg, const struct problems *p);
        void *arg;
};

struct agent_counts {
        uint64_t events, malformed, alerts, killed, lost[4]; /* lost: of exec, fork, exit, calls */
        uint64_t held;                                       /* alerts held back: repetition, told as a number */
        uint64_t unwritten;                                  /* alerts that the file did not take */
};

/*
 * Runs until SIGTERM or SIGINT; SIGHUP loads the rules anew (and opens the file of alerts anew); SIGUSR1 changes to
 * full mode, SIGUSR2 to lean mode. Nothing is left in the kernel. 0: ended by a signal. RULES_WRONG: the rules do not
 * load. < 0: words in err. The counts are set either way.
 */
int agent_run(const struct agent_options *o, struct agent_counts *ret, struct error *err);

#endif
