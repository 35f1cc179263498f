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
        struct drift_list *list; /* NULL: none is of its image */
        bool has_layers;         /* its root is an overlay: what is new in it can be told */
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

/* Gives a container the list that is its now. Where that cannot be had the old one stays, and it is told. */
void drift_relist(struct drift *d, struct drift_container *g, const struct container_entry *c, uint32_t pid);

/* A copy of an entry with the mounts that this process has; its arena is the caller's to free. */
bool drift_with_mounts(const struct container_entry *c, uint32_t pid, struct container_entry *ret);

/* drift-manifests.c: reads those of the options; the one of a container's image, or NULL. */
int drift_manifests_read(struct drift *d, struct error *err);
const struct drift_manifest *drift_manifest_of(const struct drift *d, const struct container_entry *c);
void drift_manifests_done(struct drift *d);

/* Reads them anew, and gives the containers of those that are others their new lists. */
void drift_manifests_reload(struct drift *d);

/* Compares some files with their manifest; tells of those that differ, and takes them off the list. */
void drift_check(struct drift *d, struct drift_list *l, size_t i, size_t *bytes);

#endif
