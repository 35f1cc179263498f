/*
 * The programs of bpf/observe, loaded and attached: records come out of their ring, answers go into their maps. When
 * the process ends, however it ends, the kernel takes everything away again, unless it is to be kept.
 *
 * A build without the tools for BPF has the same functions, which say so.
 */
#ifndef SEKISHO_SENSE_SENSOR_H
#define SEKISHO_SENSE_SENSOR_H

#include "base/error.h"
#include "base/str.h"
#include "bpf/shared/filter.h"
#include "bpf/shared/observe.h"

#define SENSOR_RING_MIN     (4u << 10)
#define SENSOR_RING_MAX     (256u << 20)
#define SENSOR_RING_DEFAULT (4u << 20)
#define SENSOR_PROGRAMS     5

struct sensor;

/*
 * Loads and attaches all programs. ring_bytes: a power of two within the limits above; 0: the default. From its return
 * on, every fork, exec and exit is in the ring. -EOPNOTSUPP: the kernel or the build cannot; -EPERM: not allowed; with
 * words.
 */
int sensor_open(uint32_t ring_bytes, struct sensor **ret, struct error *err);
void sensor_close(struct sensor *s); /* NULL is fine */

/*
 * The same, and the programs stay when the process ends: they are kept below `pins`, a directory of a BPF file system.
 * What an earlier one kept there is taken over: *ret_taken_over is true, what happened since waits in the ring, what
 * was to be killed was killed, and sensor_drops() counts on. A ring of another size, or what another version kept,
 * cannot be taken over: it is forgotten first.
 */
int sensor_open_kept(uint32_t ring_bytes, const char *pins, struct sensor **ret, bool *ret_taken_over,
                     struct error *err);

/*
 * Takes away what is kept, and nothing else that lies there: the programs are detached; the directory is removed if
 * that leaves it empty. 0, also if there is nothing.
 */
int sensor_forget(const char *pins, struct error *err);

/* Do the process ids here mean what they mean to the kernel? Not so inside of a container with ids of its own. */
bool sensor_sees_host(void);

/* Readable when records wait. */
int sensor_fd(const struct sensor *s);

/*
 * Hands over what waits, at most `most` records, in the order that it happened; the view is valid during the call. How
 * many there were.
 */
size_t sensor_read(struct sensor *s, size_t most, void (*each)(void *arg, struct str record), void *arg);

/* Records lost so far for want of room, by kind. */
void sensor_drops(const struct sensor *s, uint64_t ret[OBSERVE_KINDS]);

/* Tells the programs from now on what to kill at exec (exe_must_die()) and what to send. 0 or -errno. */
int sensor_set(struct sensor *s, const struct observe_settings *settings);

/* Marks a cgroup as a container's, or no longer. 0 or -errno (-E2BIG: OBSERVE_CONTAINERS_MAX are known). */
int sensor_mark_container(struct sensor *s, uint64_t cgroup_id, bool is_container);

/* ---------------------------------------------------------------------------------------------------- calls ---- */

/* Atoms of calls (bpf/shared/filter.h) that a text stands for. */
struct sensor_text {
        struct str text;
        uint64_t atoms;
};

/* Which system calls are sent, and which of them are worth it. */
struct sensor_recipes {
        bool wanted[OBSERVE_CALLS];
        struct call_filter filters[OBSERVE_CALLS]; /* of those that are wanted */

        /*
         * How paths begin (with a NUL at the end: whole paths; at most CALL_PREFIX_BYTES), how last names end
         * (CALL_SUFFIX_BYTES, or a whole name that is shorter), names of processes (at most 15 bytes). Each text once.
         */
        const struct sensor_text *prefixes, *suffixes, *comms;
        size_t n_prefixes, n_suffixes, n_comms;
};

/*
 * Full mode: system calls come too, by records of the kind OBSERVE_CALL. Or, in full mode already, by other recipes
 * from now on; what either of them wants is not missed on the way. 0, or < 0 with words: full mode goes on as it was,
 * and lean mode without calls, until sensor_go_lean().
 */
int sensor_go_full(struct sensor *s, const struct sensor_recipes *recipes, struct error *err);

/*
 * Lean mode: no system call is touched any more; what waits in the ring is still handed over. Of the calls that recipes
 * want, those come that ask the kernel for a right (sensor_call_asks()), at that moment, with the mark
 * OBSERVE_CALL_ASKED. 0, also where the kernel does not tell of rights (before 6.14; sensor_hears_rights()), or < 0
 * with words, and none come.
 */
int sensor_go_lean(struct sensor *s, const struct sensor_recipes *recipes, struct error *err);

bool sensor_is_full(const struct sensor *s);

bool sensor_hears_rights(const struct sensor *s);

/* Is the call told of in lean mode, since it asks for a right? */
enum sensor_asks { SENSOR_ASKS_NEVER, SENSOR_ASKS_SOMETIMES, SENSOR_ASKS_ALWAYS };
enum sensor_asks sensor_call_asks(enum observe_call_id call);

/* Calls lost so far for want of room, by class; all of them are OBSERVE_CALL's number in sensor_drops(). */
void sensor_call_drops(const struct sensor *s, uint64_t ret[CALL_CLASSES]);

/* ---------------------------------------------------------------------------------------------------- doctor ---- */

/* One program, loaded and attached alone and taken away again, for `doctor`. */
struct sensor_probe {
        const char *name, *gives; /* "sched_process_exec", "exec" */
        int r;                    /* 0, or -errno */
        char words[200];          /* why it does not work */
};

void sensor_probe(struct sensor_probe ret[SENSOR_PROGRAMS]);

#endif
