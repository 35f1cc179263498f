/*
 * The processes that run, with their ancestry. Filled from /proc when the sensor starts and after it lost something,
 * kept up by its events. A process is its number and the time that it started, so that a number that is used again is
 * another process.
 *
 * A child shares its parent's program until it runs one of its own.
 */
#ifndef SEKISHO_SENSE_PROCESS_H
#define SEKISHO_SENSE_PROCESS_H

#include "sense/decode.h"

#define PROCESSES_MAX     200000u /* more are not kept, and counted */
#define PROCESS_ANCESTORS 64u     /* how far up anybody looks */

/* What a process runs. Counted references; texts lie behind the struct. */
struct program {
        unsigned refs;
        bool is_known;        /* false: a process that was only ever seen from outside (a kernel thread) */
        enum exe_layer layer; /* EXE_LAYERS: not known */
        bool is_deleted;
        bool is_outside;                  /* it began with the mounts of the host: a runtime, wherever it is by now */
        bool is_writable;                 /* whoever ran it may write to it */
        uint64_t ino, ctime_ns, mtime_ns; /* since 1970; 0: not known */
        uint32_t dev;
        struct str exe_path, args, cwd;
        struct str variables;     /* of its environment those that are kept, "NAME=value" with a NUL behind each */
        uint32_t variables_round; /* for which names; 0: its environment was not seen */
};

struct process {
        struct process *next; /* of its bucket */
        uint32_t pid, ppid, vpid, sid, pgid, vpgid, tty;
        uint32_t uid, euid, gid, loginuid;
        uint64_t started_ns;      /* since boot; to 10 ms only of what came from /proc */
        uint64_t init_started_ns; /* of the first process of its pid namespace; 0: not known */
        uint64_t cap_effective, cap_permitted, cap_inheritable;
        uint64_t cgroup_id;
        char comm[16];
        struct program *program;
        uint32_t round; /* of the last filling that saw it */
};

struct process_table {
        struct process **buckets;
        size_t n_buckets;
        size_t n;
        uint64_t refused; /* for want of room */
        uint32_t round;
        const struct str *variables; /* names */
        size_t n_variables;
        uint32_t variables_round;
};

/* A zeroed struct is empty. */
void process_table_init(struct process_table *t);
void process_table_done(struct process_table *t);

/* By number; NULL if it is not known. Valid until the table is changed. */
struct process *process_find(const struct process_table *t, uint32_t pid);

/* Calls each() for every process, in no particular order. The table must not be changed meanwhile. */
void process_each(const struct process_table *t, void (*each)(void *arg, const struct process *p), void *arg);

/* The nth ancestor: 0 is the process itself, 1 its parent. NULL where the line ends, or after PROCESS_ANCESTORS. */
struct process *process_ancestor(const struct process_table *t, const struct process *p, uint32_t n);

/*
 * What an event says. Of an exec or a fork the process, which is new or has changed (NULL if there is no room). Of an
 * exit NULL; the process is forgotten: look at it before.
 */
struct process *process_apply(struct process_table *t, const struct event *e);

/*
 * From now on these variables are kept of the environment of each program that begins; the names must stay. For what is
 * asked of processes that have ended, or will have, before anybody could look into /proc.
 */
void process_keep_variables(struct process_table *t, const struct str *names, size_t n);

/* The value of a variable that is kept, STR_NONE if the program began without it. False: it is not known here. */
bool process_variable(const struct process_table *t, const struct process *p, struct str name, struct str *ret);

/* The value of a variable in an environment, NULs between; p is NULL if it is not there. */
struct str environment_find(struct str environment, struct str name);

/* Started at the same time (nanoseconds since boot), as exactly as /proc tells it? */
bool process_is_same_start(uint64_t a, uint64_t b);

/* Finds the process, or makes it. NULL if there is no room. For process_apply and process_fill. */
struct process *process_get(struct process_table *t, uint32_t pid);

/* Forgets what the filling of this round did not see. For process_fill. */
void process_forget_unseen(struct process_table *t);

/* All that is known of another process, whose program it shares. */
void process_become(struct process *p, const struct process *other);

/* Gives a process another program. Texts are copied. */
void process_set_program(struct process *p, const struct program *program);

/*
 * What /proc says of a process now: the file `name` of its directory ("status"), at most `max` bytes of it, in the
 * arena. Empty if the process is gone, or its number has become another's. For what nobody keeps of each process.
 */
struct str process_read(const struct process *p, const char *name, size_t max, struct arena *arena);

/* A number behind a name of status: "VmRSS:\t  123 kB"; 0 if it is not there. */
uint64_t process_status_number(struct str status, const char *name);

/* Where the table is filled from. */
struct process_source {
        const char *proc;    /* "/proc" */
        const char *cgroups; /* where the v2 hierarchy is mounted; NULL: nobody asks for cgroups */

        /* Told of the cgroup of each process that is new; may be NULL. */
        void (*on_cgroup)(void *arg, uint64_t id, struct str path);
        void *arg;
};

/*
 * Reads all of /proc: processes that are not there any more are forgotten, new ones added; what events said of the
 * others, which is more exact, stays. How many there are. Called after the sensor listens, so that what starts
 * meanwhile is not missed.
 */
size_t process_fill(struct process_table *t, const struct process_source *from);

#endif
