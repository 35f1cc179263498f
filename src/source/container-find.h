/*
 * Running containers, as the files say that engines and runtimes keep: podman and CRI-O (containers/storage), Docker
 * (config.v2.json), containerd (its tasks' bundles), runc and crun (their states). No daemon is asked.
 */
#ifndef SEKISHO_SOURCE_CONTAINER_FIND_H
#define SEKISHO_SOURCE_CONTAINER_FIND_H

#include "base/arena.h"
#include "base/error.h"
#include "fact/fact.h"
#include "source/document-servant.h"

struct container {
        struct str id, name;
        struct str image, image_id; /* as the engine names it; the id without "sha256:"; both may be empty */
        const char *engine;         /* podman, docker, containerd, or the runtime: runc */
        const char *root;           /* podman and docker: the storage root that knows it; else NULL */
        uint64_t pid;               /* of its first process; 0: not running */
        uint64_t started;           /* start of that process, in clock ticks after boot; 0: not known */
        struct str_list labels;     /* "key=value": labels of docker, annotations of a bundle */
        struct str_list settings;   /* "key=value": how it runs (read/store-settings.h); the first of a key counts */
};

/*
 * Finds the container with this id, start of an id, or name. `root`: as in struct source_options. -ENOENT: there is
 * none, words say where was looked; -EINVAL: several. Text lives in the arena.
 */
int container_find(const char *asked, const char *root, struct arena *arena, struct container *ret, struct error *err);

/*
 * The container with exactly this id, by the files that are named after it; nothing else is listed, so it may be asked
 * for every cgroup that appears. `host` stands before every path: "", or where a host's root is mounted. -ENOENT
 * (without words): there is none. Text lives in the arena.
 */
int container_find_id(const char *host, struct str id, struct arena *arena, struct container *ret);

/*
 * The same, without starting a worker for each file: the servant reads them, which holds nobody for longer than
 * DOCUMENT_ANSWER_MS a file. Of a file that it does not answer for, nothing is known this time.
 */
int container_ask_id(struct document_servant *servant, const char *host, struct str id, struct arena *arena,
                     struct container *ret);

/* All containers whose first process is there, of every engine of this host, in no order; how many. */
size_t container_list_running(struct arena *arena, struct container **ret);

#endif
