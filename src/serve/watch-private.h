/* What the files of the part `watch` share: its state (watch.c), and what is told of an event (watch-tell.c). */
#ifndef SEKISHO_SERVE_WATCH_PRIVATE_H
#define SEKISHO_SERVE_WATCH_PRIVATE_H

#include "serve/agent-private.h"
#include "serve/downloads.h"
#include "serve/ended.h"
#include "serve/known-files.h"
#include "serve/watch-reads.h"
#include "serve/watched-names.h"

#define WATCH_BATCH_MAX 512u /* events between two looks at the ring: some ms */

/* Where a container's own layer lies. */
struct watched_place {
        uint64_t cgroup_id;
        char *upper; /* on the host, without a slash at its end; of a root that is no overlay, the root itself */
};

/* An event that waits. Texts live in the batch's arena. */
struct waiting {
        struct file_event e;
        uint64_t cgroup_id; /* 0: on the host */
        struct str root;    /* what stands before its paths, on the host */
        struct str path, to_path;
        bool is_again; /* rules have seen it */
};

struct watch {
        struct agent *a;
        struct file_events *events;
        VEC(struct watched_place *) places;
        struct ended ended;
        int64_t next_turn_ns;
        bool is_behind; /* the kernel has more events than were read the last time */
        struct known_files known;
        struct watched_names names;
        bool has_gone;       /* a container of which files may be known */
        struct set64 opened; /* process and path that were told, or are looked at again, since the last tick */
        VEC(struct waiting) batch, again;
        struct arena arena, again_arena; /* of the batch, of what is shown again */
        struct file_events_counts told;
        struct downloads downloads;
        struct watch_reads reads;
};

/* The process, if it is there or ended not long ago; or NULL. */
const struct process *watch_find_process(const struct watch *w, uint32_t pid);

/* How a file is that nothing has happened to yet. */
void watch_remember(struct watch *w, uint64_t cgroup_id, struct str path, const struct stat *st);

/* One call of the event's process, which the rules and the parts see. */
void watch_judge(struct watch *w, const struct waiting *x, enum observe_call_id call, struct event *e);

/* What is known of the call's file. */
void watch_describe(struct event *e, const struct stat *st);

/* An event becomes calls, which the rules and the parts see. */
void watch_tell(struct watch *w, const struct waiting *x);

/* At a tick: what is looked at again. See tell_again(). */
void watch_tell_again(struct watch *w);

#endif
