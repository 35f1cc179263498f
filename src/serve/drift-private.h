/* What the files of drift share: its state, the containers that it guards, and a finding on its way to an alert. */
#ifndef SEKISHO_SERVE_DRIFT_PRIVATE_H
#define SEKISHO_SERVE_DRIFT_PRIVATE_H

#include "base/vec.h"
#include "serve/agent-private.h"
#include "serve/drift-list.h"
#include "serve/drift-options.h"

struct drift_manifest {
        struct str pattern; /* of containers; empty: those of its image */
        const char *path;
        struct manifest m;
        uint64_t sum; /* of the file */
        struct arena arena;
};

#define DRIFT_BUCKETS 1024u /* a power of two */

struct drift_container {
        struct drift_container *next; /* of its bucket */
        uint64_t cgroup_id;
        struct guard_policy policy;
        struct drift_list *list;   /* in force; NULL: none */
        struct drift_list *wanted; /* its files are being looked for: it takes the place of `list`; NULL: none */
        bool has_layers;           /* its root is an overlay: what is new in it can be told */
        VEC(struct guard_folder) folders;
};

/* Something that the kernel told, or that was found here. Texts live during the call. */
struct finding {
        enum guard_act act;
        enum guard_verdict verdict;
        enum guard_answer answer;
        enum guard_mode mode;
        bool is_late; /* the answer came after the program had begun: from here, and not from the kernel */
        uint64_t cgroup_id, started, time_ns, ino; /* time_ns: since boot */
        uint32_t pid, uid;
        struct str path, program;
        struct str address; /* of a connection, with its port */
};

struct drift_pending { /* told by the kernel before its container was known */
        struct guard_event event;
        struct str path; /* on the heap */
        int64_t since_ns;
};

#define DRIFT_BEGAN_MAX 4096u

/* A program that began before it could be judged by a list: whose files are not found yet, or are not compared. */
struct drift_began {
        uint64_t cgroup_id;
        struct drift_list *list; /* NULL: the container's is being looked for */
        size_t file;             /* of the list */
        struct exe_facts facts;
        uint32_t dev;
        struct finding f; /* its path is on the heap, its program's name is `comm` */
        char comm[16];
};

/* Who looks at what; each is one companion, with one question at a time. */
enum drift_looker_kind {
        DRIFT_FINDS,    /* the files of lists */
        DRIFT_COMPARES, /* programs that began, with their digests */
        DRIFT_IDLES,    /* compares all files in their turn */
        DRIFT_LOOKERS
};

struct drift_looker {
        struct drift *drift;
        enum drift_looker_kind kind;
        struct drift_companion companion;
        bool is_busy, was_busy;  /* now; since the last tick */
        bool has_failed;         /* to start: told once */
        struct drift_list *list; /* of the question; NULL: nobody waits for its answer */
        size_t file;
};

struct drift {
        struct agent *agent;
        const struct drift_options *o;
        struct barrier *barrier;
        struct drift_manifest *manifests[DRIFT_WORDS_MAX]; /* one for each option */
        size_t n_manifests;
        struct drift_list *lists;
        uint32_t last_image;
        struct drift_container *containers[DRIFT_BUCKETS]; /* by cgroup */
        enum guard_mode unknown_mode;
        VEC(struct drift_pending) pending;
        VEC(struct drift_began) began; /* in their order */
        uint64_t n_unchecked;          /* began when there was no room for more of them, since the last tick */
        struct drift_looker lookers[DRIFT_LOOKERS];
        size_t idle_bytes;      /* that may still be compared in their turn until the next tick */
        struct limiter limiter; /* by act */
        uint64_t unheard;
        VEC(struct drift_manifest *) retired; /* others took their place; lists may rest on them */
};

/* NULL: it is not guarded (yet). */
struct drift_container *drift_find(const struct drift *d, uint64_t cgroup_id);

/* One alert, unless too many of its kind came; c and guarded may be NULL. drift-alert.c. */
void drift_report(struct drift *d, const struct finding *f, const struct container_entry *c,
                  const struct drift_container *guarded);

/* Tells of what was held back: of what has gone quiet, or with `all` of everything. */
void drift_report_held(struct drift *d, bool all);

/* Kills a process if it is still the one that began then. What came of it. */
enum guard_answer drift_kill(uint32_t pid, uint64_t started, const struct process_table *processes);

/* The kernel's side of one container: policy, list, folders. drift-container.c. */
struct drift_container *drift_guard(struct drift *d, const struct container_entry *c, uint64_t cgroup_id, uint32_t pid,
                                    const struct event *exec);
void drift_unguard(struct drift *d, uint64_t cgroup_id);

/* Has the list looked for that is a container's now. Until it is found, and where it cannot be, the old one stays. */
void drift_relist(struct drift *d, struct drift_container *g, const struct container_entry *c, uint32_t pid);

/*
 * The files of a list are found, or (err has words) cannot be: it comes into force in the containers that wait for it,
 * or those are told.
 */
void drift_list_ready(struct drift *d, struct drift_list *l, const struct error *err);

/* A copy of an entry with the mounts that this process has; its arena is the caller's to free. */
bool drift_with_mounts(const struct container_entry *c, uint32_t pid, struct container_entry *ret);

/* drift-manifests.c: reads those of the options; the one of a container's image, or NULL. */
int drift_manifests_read(struct drift *d, struct error *err);
const struct drift_manifest *drift_manifest_of(const struct drift *d, const struct container_entry *c);
void drift_manifests_done(struct drift *d);

/* Frees those that others took the place of, once no list rests on them any more. */
void drift_manifests_forget(struct drift *d);

/* Reads them anew, and gives the containers of those that are others their new lists. */
void drift_manifests_reload(struct drift *d);

/* Gives the container the list of the manifest that is its now, by one of its processes, if there is any. */
void drift_look_again(struct drift *d, struct drift_container *g);

/* drift-began.c: remembers a program that began in a guarded container, if it cannot be judged yet. */
void drift_began(struct drift *d, const struct drift_container *g, const struct event *e, bool is_first);

/* A container's list came into force: those that began before are judged by it. Nothing, if it has none. */
void drift_judge_began(struct drift *d, const struct drift_container *g);

/* A file was compared: if it is another, it is struck off its list, and those that run it are acted on. */
void drift_compared(struct drift *d, struct drift_list *l, size_t i, enum drift_state state);

/* Forgets what began in a container; all, at the end. */
void drift_forget_began(struct drift *d, uint64_t cgroup_id);
void drift_began_done(struct drift *d);

/* Something was found here, and not by the kernel: kills if that is the mode, and tells. drift.c. */
void drift_act_on(struct drift *d, struct finding *f, const struct container_entry *c, const struct drift_container *g);
struct finding drift_finding_of(const struct drift_container *g, const struct event *e, enum guard_act act,
                                enum guard_verdict verdict, struct str path);

/* drift-looks.c: asks what there is to ask. To be called when there is more of it. */
void drift_look(struct drift *d);
void drift_looks_tick(struct drift *d);

/* Nobody waits for what is asked of this list: it is about to be freed. */
void drift_looks_forget(struct drift *d, const struct drift_list *l);

void drift_looks_init(struct drift *d);
void drift_looks_done(struct drift *d);

#endif
