/*
 * What the files of the agent share: the agent itself, the way out for alerts, and its parts.
 *
 * A part is what an option or a rule switches on beside judging: a guard, incidents, answers. It is a const struct in a
 * file of its own, joined by the list in agent-parts.c. The loop knows parts by this struct alone, and parts know each
 * other not at all: what one has to say to another is an alert, or a fact of a table.
 */
#ifndef SEKISHO_SERVE_AGENT_PRIVATE_H
#define SEKISHO_SERVE_AGENT_PRIVATE_H

#include "sense/file-events.h"
#include "sense/sensor.h"
#include "serve/agent.h"
#include "serve/limit.h"
#include "serve/record.h"
#include "serve/rules.h"
#include "serve/stats.h"
#include "serve/watch-paths.h"
#include "source/container-find.h"

#include <time.h>

#define AGENT_SOURCES_MAX 64u
#define AGENT_PARTS_MAX   16u

struct agent;

struct agent_part {
        const char *name;

        /* Starts before the sensor: processes that it forks hold nothing of the kernel's programs and their ring. */
        bool is_early;

        /*
         * Starts it, before the first event: 0, and *ret is its state, or NULL if nobody asked for it; < 0: words, and
         * the agent does not start. The sensor is there, the tables are filled after.
         */
        int (*start)(struct agent *a, void **ret, struct error *err);

        /* All of these may be NULL, and are called only with a state. */
        void (*on_event)(void *state, const struct event_record *r);
        void (*before_alert)(void *state, struct alert *alert); /* may say what incident it belongs to */
        void (*on_alert)(void *state, const struct alert *alert);

        /*
         * Asked at each hit of a rule that has an action, before the alert is written and whether or not it is held
         * back: what was done, or ALERT_NOTHING if the action is not this part's.
         */
        enum alert_action (*respond)(void *state, const struct rule *rule, const struct event_record *r);

        /* In a word or two what it does for that container right now, for `sekisho ps`; NULL: nothing. */
        const char *(*protects)(void *state, const struct container_entry *c);

        void (*on_container)(void *state, struct container_entry *c); /* seen first; its files were read */
        void (*on_container_end)(void *state, uint64_t cgroup_id);    /* its cgroup is gone */
        void (*on_rules)(void *state);                                /* a->rules are others */
        void (*on_reload)(void *state);                               /* the operator wants files read anew */
        void (*on_reloaded)(void *state, bool is_loaded); /* so much for the rules; false: the old ones stay */
        void (*tick)(void *state, int64_t now_ns);        /* every AGENT_TICK_MS, CLOCK_MONOTONIC */
        void (*stop)(void *state);                        /* frees the state */
};

/* NULL-terminated, in the order that they start and hear of things. */
extern const struct agent_part *const agent_parts[];

#define AGENT_TICK_MS 500

struct agent_source {
        int fd;
        short events; /* POLLIN, POLLOUT */
        void (*ready)(void *arg);
        void *arg;
};

struct agent {
        const struct agent_options *o;
        struct agent_rules rules;
        struct respond_modes modes;
        struct sensor *sensor;
        struct process_table processes;
        struct container_table containers;
        struct document_servant documents; /* reads what engines say of a container */
        struct users users;
        struct bursts bursts;
        struct alert_sink sink;
        struct limiter limiter;
        struct agent_counts counts;
        struct arena arena; /* of one event */
        char hostname[256];
        int64_t boot_ns;
        struct str cgroup_mount;
        struct arena kept;
        int64_t next_forget_ns;
        int64_t started_ns; /* CLOCK_MONOTONIC */
        bool is_stopping;
        struct rules_trial *trial; /* of a reload; NULL: there is none */
        bool must_reload_again;    /* asked for meanwhile */
        struct rule_needs *needs;  /* of each rule */
        struct arena needs_arena;
        struct stats stats;
        void *part_states[AGENT_PARTS_MAX];
        struct agent_source sources[AGENT_SOURCES_MAX];
        size_t n_sources;
        struct watch_paths watched; /* of which file events are wanted; parts that start before `watch` add to it */
        bool hears_reads;           /* of secrets, by the part `watch` */
        bool hears_mappings;        /* of code, by the part `mapped-code` */
        unsigned file_losses;       /* times that file events were lost */
};

int64_t agent_now_ns(clockid_t clock);

uint64_t agent_memory_bytes(void); /* resident */

/* A line for the operator. */
void agent_tell(struct agent *a, const char *fmt, ...) _printf_(2, 3);

/*
 * The loop calls `ready` whenever the descriptor is readable, or writable too once that is asked for. 0, or -E2BIG. The
 * descriptor stays the caller's.
 */
int agent_add_source(struct agent *a, int fd, void (*ready)(void *arg), void *arg);
void agent_watch_source(struct agent *a, int fd, bool is_for_writing);
void agent_remove_source(struct agent *a, int fd);

/*
 * Every alert leaves here: to the file, the stream, and each part that listens (what is less urgent than the operator's
 * `least` goes nowhere). Texts need to live during the call only. Hostname and time are filled in where they are
 * absent.
 */
void agent_emit(struct agent *a, const struct alert *alert);

/* The alert that so many of something were lost; the field holds how many. */
void agent_emit_loss(struct agent *a, const char *rule, const char *field, uint64_t lost, const char *words);

/*
 * Full mode (true) or lean mode; says so, or why it stays as it was (agent-calls.c). The rules that need system calls
 * are named in lean mode.
 */
int agent_set_mode(struct agent *a, bool is_full, struct error *err);

/* An event with its process and container through the rules (agent-judge.c). */
void agent_judge(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c);

/* The same for the parts only: rules have seen it as another event. */
void agent_show(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c);

/* Reads what is in the ring now. For parts with events of their own, to which the ring knows the processes. */
void agent_drain(struct agent *a);

/* Tells of what was held back: of what has gone quiet, or with `all` of everything. */
void agent_tell_held(struct agent *a, bool all);

/*
 * Loads the rules and opens the file of alerts anew, as SIGHUP does. The rules are tried first, which may take a while:
 * parts hear of the end (on_reloaded), and it is told.
 */
void agent_reload(struct agent *a);

/* For the agent itself (agent-rules.c): loads the rules and waits for it: 0, RULES_WRONG or < 0 with words. */
int agent_load_rules(struct agent *a, struct error *err);
int agent_apply_rules(struct agent *a, struct error *err); /* what they want of the programs in the kernel */
void agent_reload_look(struct agent *a);                   /* the time may be over for a trial */
void agent_reload_end(struct agent *a);

/* A counter or gauge for metrics: stats_counter(). Its address stays. */
static inline uint64_t *agent_counter(struct agent *a, enum stats_kind kind, const char *name, const char *help,
                                      const char *labels)
{
        return stats_counter(&a->stats, kind, name, help, labels);
}

/* Looks for the files of all processes and of their cgroups again; how many processes. */
size_t agent_fill_processes(struct agent *a);

#endif
