/*
 * The paths that file events are wanted of, on the host and in containers: "/etc/cron.d" and all below it,
 * "container:/var/log", "container:/home/" + "*" + "/.ssh". A star stands for any part of one name. Small lists: they
 * are walked.
 */
#ifndef SEKISHO_SERVE_WATCH_PATHS_H
#define SEKISHO_SERVE_WATCH_PATHS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

#define WATCH_PATHS_MAX  256u
#define WATCH_PATH_BYTES 1024u

struct watch_path {
        struct str path; /* absolute, normal, without a slash at its end; "/" is empty */
        bool in_containers;
};

struct watch_paths {
        struct arena arena;
        bool all_names; /* of containers' other files too, what is not told by writing alone: "default" */
        VEC(struct watch_path) v;
};

/*
 * What "default" stands for: logs, accounts, what is run at start or by the clock, the directories of programs; and
 * all_names.
 */
extern const char *const watch_defaults[]; /* NULL-terminated */

void watch_paths_done(struct watch_paths *w);

/* Adds one, or all that "default" stands for. What is there already is not added again. -EINVAL, -E2BIG: words. */
int watch_paths_add(struct watch_paths *w, const char *text, struct error *err);

/* Whether the path is one of them, or below one. */
bool watch_paths_has(const struct watch_paths *w, struct str path, bool in_container);

/* Whether anything that happens in this directory may concern one: it is, is below, or is above one. */
bool watch_paths_may_be_in(const struct watch_paths *w, struct str dir, bool in_container);

/* One name against one with stars. */
bool watch_name_fits(struct str pattern, struct str name);

bool watch_paths_any(const struct watch_paths *w, bool in_container);

#endif
