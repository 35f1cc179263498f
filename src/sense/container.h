/*
 * The containers of the host by cgroup: which one a process belongs to, and what its engine says of it. The id stands
 * in the cgroup's path; name, image, labels and pod come from the files that engines and runtimes keep, through a
 * function that the owner of the table gives (those files are parsed elsewhere, in a sandbox).
 *
 * Found when the first program runs in a cgroup, before its event goes anywhere: runtimes write their state before they
 * start the first program. What was not found is looked for again, a few times.
 */
#ifndef SEKISHO_SENSE_CONTAINER_H
#define SEKISHO_SENSE_CONTAINER_H

#include "fact/fact.h"

#define CONTAINER_CGROUPS_MAX 16384u /* known at once; past it the table begins anew */
#define CONTAINER_TRIES_MAX   5u     /* times that files are looked for before it is given up */
#define CONTAINER_MOUNTS_MAX  256u

/* What engines say. Labels are "key=value": docker's labels, or a bundle's annotations. */
struct container_facts {
        struct str name, image, image_id;
        const char *engine; /* docker, podman, containerd, runc... */
        uint64_t pid;       /* of the first process, 0: not known */
        struct str_list labels;
        struct str_list settings; /* how it runs: fact "stored" says which there are */
};

/* True if there is such a container; texts go into the arena. */
typedef bool container_lookup(void *arg, struct str id, struct arena *arena, struct container_facts *ret);

/* One mount of the container, as its first process saw them. */
struct container_mount {
        struct str point, type;
        struct str device, dir; /* of its file system: the numbers, "254:0"; which directory of it is mounted */
        struct str upper;       /* overlay: its own layer's directory on the host */
        struct str lower;       /* overlay: the layers below, topmost first, with ":" between them */
};

struct container_entry {
        uint64_t cgroup_id;
        struct arena arena;
        struct str cgroup;
        struct str id; /* empty: not a container */
        bool is_described;
        unsigned tries;
        struct container_facts facts;
        struct str pod, pod_namespace, pod_uid;
        bool has_mounts;
        struct container_mount *mounts;
        size_t n_mounts;
        struct str root; /* on the host, of a root that is no overlay; empty: not known */
        struct container_entry *next;
};

struct container_table {
        struct container_entry **buckets;
        size_t n;
        container_lookup *lookup;
        void *lookup_arg;

        /*
         * Told of each cgroup that turns out to be a container's, and of its end, while it is still known. Must not ask
         * for cgroups that are new. May be NULL.
         */
        void (*mark)(void *arg, uint64_t cgroup_id, bool is_container);
        void *mark_arg;
};

void container_table_init(struct container_table *t);
void container_table_done(struct container_table *t);

/* What the process that runs there says by itself. */
enum container_hint {
        CONTAINER_UNLIKELY, /* it has the host's mounts and process ids */
        CONTAINER_LIKELY,   /* it has some of its own: worth looking again */
        CONTAINER_SURE,     /* it has both of its own */
};

/*
 * The entry of a cgroup, whose path (v2) is given, if it is a container's; NULL of the host. Where files tell nothing
 * (any more: a container can end before anybody looks) and the process is surely inside of one, the path is the id,
 * unless systemd made it: its services and sessions may hold sandboxes beside programs of the host. Valid until the
 * next call.
 */
struct container_entry *container_of_cgroup(struct container_table *t, uint64_t cgroup_id, struct str cgroup,
                                            enum container_hint hint);

/* The same of a cgroup that was seen before; NULL if it was not, or is the host's. */
struct container_entry *container_known(const struct container_table *t, uint64_t cgroup_id);

/* Looks again for the files of containers of which not all was found, as long as that is not given up. */
void container_look_again(struct container_table *t);

/* Forgets the cgroups that are not there any more, below where the hierarchy is mounted ("/sys/fs/cgroup"). */
void container_forget_gone(struct container_table *t, const char *mounted_at);

/*
 * The ids that may stand in one name of a cgroup's path, "docker-<id>.scope", "cri-containerd-<id>.scope", "<id>":
 * the id, or STR_NONE if the name cannot be a container's. *ret_is_sure: 64 hexadecimal digits.
 */
struct str container_id_in(struct str name, bool *ret_is_sure);

/* Mounts out of the text of /proc/PID/mountinfo. */
void container_parse_mounts(struct container_entry *e, struct str mountinfo);

/* The mount that a path (absolute, normal) is on, or NULL. */
const struct container_mount *container_mount_of(const struct container_entry *e, struct str path);

/* Calls each for every cgroup that is a container's. */
void container_each(const struct container_table *t, void (*each)(void *arg, struct container_entry *e), void *arg);

/* The value of a label, STR_NONE without it. */
struct str container_label(const struct container_entry *e, struct str key);

/* The same of the nth setting of that name. */
struct str container_setting(const struct container_entry *e, const char *key, size_t n);

#endif
