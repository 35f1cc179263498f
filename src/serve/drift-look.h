/*
 * Looking at files for drift: where a container's layers lie, which of a manifest's files are there, and whether one
 * still is what the scan saw. It takes as long as the disk takes, so it is done by a companion of the agent
 * (proc/companion.h) that answers one question after the other: it has the agent's rights, remembers nothing, and
 * parses nothing of what it reads. Questions and answers are messages of a bounded size.
 */
#ifndef SEKISHO_SERVE_DRIFT_LOOK_H
#define SEKISHO_SERVE_DRIFT_LOOK_H

#include "base/buf.h"
#include "base/error.h"
#include "bpf/shared/guard.h"
#include "read/manifest.h"

#include <sys/types.h>

#define DRIFT_LOOK_FILES 1024u              /* of one question, at most */
#define DRIFT_LOWER_MAX  ((size_t)16 << 10) /* bytes of an overlay's list of layers */

/* ------------------------------------------------------------------------------------------------- questions ---- */

/*
 * The root below which to look: the overlay's layers alone, if `lower` is not empty and they show exe_path (a program
 * of the lower layers that just ran; empty: unknown) under the number that it has in the container; else the root of
 * the process.
 */
void drift_ask_root(struct buf *to, uint32_t pid, struct str lower, struct str exe_path, uint64_t exe_ino);

/* How files are now; so many of these n as one question holds. */
size_t drift_ask_files(struct buf *to, const struct manifest_file *files, size_t n);

/* Does this file still have that content? `as` is how it was found. */
void drift_ask_content(struct buf *to, const struct manifest_file *file, uint64_t ino, const struct guard_file *as);

/* --------------------------------------------------------------------------------------------------- answers ---- */

/* 0, and whether it is the layers' root; -EPROTO: it is no answer; another -errno: there is no root. */
int drift_told_root(struct str reply, bool *ret_is_layers);

struct drift_seen {
        bool is_there; /* as a regular file */
        uint64_t ino;
        struct guard_file file;
};

/* Of exactly n files, in their order. False: it is no answer. */
bool drift_told_files(struct str reply, size_t n, struct drift_seen *ret);

enum drift_content {
        DRIFT_CONTENT_SAME,
        DRIFT_CONTENT_OTHER,
        DRIFT_CONTENT_GONE, /* it cannot be read, or is not the file any more that was found */
};

/* DRIFT_CONTENT_GONE of what is no answer. */
enum drift_content drift_told_content(struct str reply);

/* What the companion does: root is the descriptor that came with the question (-1: none). *ret_fd goes with the reply.
 */
void drift_look_answer(struct str question, int root, struct buf *reply, int *ret_fd);

/* ------------------------------------------------------------------------------------------------- companion ---- */

struct drift_companion {
        pid_t pid; /* 0: there is none */
        int fd;    /* poll it for the answer */
};

/* niceness: as of nice(2). 0 or -errno with words. */
int drift_companion_start(struct drift_companion *c, int niceness, struct error *err);

/* One question at a time. 0 or -errno: it is gone. */
int drift_companion_ask(const struct drift_companion *c, const struct buf *question, int root);

/* Its answer, with its descriptor (-1: none; the caller's): 1, 0: not yet, < 0: it is gone. */
int drift_companion_take(const struct drift_companion *c, struct buf *reply, int *ret_fd);
void drift_companion_end(struct drift_companion *c);

#endif
