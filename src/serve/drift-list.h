/*
 * What may run in the containers of one image: the files of a manifest, found in the image's layers as a container has
 * them mounted, by inode. One list serves all containers with the same layers.
 *
 * A file is looked up in the layers alone, in an overlay of our own without anything above them: what a container made
 * or changed is not in the way. Where that cannot be had, in the container's root, and then the list is its alone.
 * Content is compared with the manifest's digest later, one file after the other, or when it first runs.
 *
 * Nothing here touches a file: a list puts questions (drift-look.h), and takes what is answered.
 */
#ifndef SEKISHO_SERVE_DRIFT_LIST_H
#define SEKISHO_SERVE_DRIFT_LIST_H

#include "base/map.h"
#include "read/manifest.h"
#include "sense/barrier.h"
#include "sense/container.h"
#include "serve/drift-look.h"

#define DRIFT_FILE_MAX ((size_t)1 << 30) /* larger files are not compared; they count as unverified */

enum drift_state {
        DRIFT_ABSENT,
        DRIFT_UNVERIFIED,
        DRIFT_VERIFIED,
        DRIFT_TOO_LARGE,
        DRIFT_HIDDEN, /* the container put another file over it before it was compared: the layers are not to be seen */
        DRIFT_DIFFERENT,
};

struct drift_file {
        uint64_t ino;
        struct guard_file file; /* as it was when it was found */
        enum drift_state state;
};

struct drift_list {
        struct drift_list *next;
        uint32_t image; /* its number in the kernel; 0: not there yet */
        unsigned refs;  /* containers that have it, or wait for it */
        const struct manifest *manifest;
        uint64_t cgroup_id; /* of the container that it was made for */
        bool is_own;        /* it is that container's alone */
        struct str layers;  /* what the overlay says of them; empty: they cannot be had */
        uint32_t pid;
        struct str exe_path; /* what ran first */
        uint64_t exe_ino;
        int root;                 /* descriptor of the layers' root; -1: not known yet */
        struct drift_file *files; /* as many as the manifest has, in its order */
        struct map64 by_ino;      /* places in files */
        size_t present;
        size_t n_asked, n_found; /* of files: up to which was asked, and answered */
        int map;                 /* the kernel's, while it is made; -1: there is none */
        size_t n_put;            /* of files: up to which it has them */
        size_t next_check;
        struct arena arena;
};

/*
 * A list of nothing yet. pid: a process of the container; exe_path, exe_ino: a program of the lower layers that just
 * ran there, by which the numbers are checked to mean the same (empty: unknown).
 */
struct drift_list *drift_list_new(const struct manifest *m, const struct container_entry *c, uint32_t pid,
                                  struct str exe_path, uint64_t exe_ino);
void drift_list_free(struct drift_list *l); /* NULL is fine */

/* Are all its files looked for? */
bool drift_list_is_found(const struct drift_list *l);

/* Of a list that is not: what to ask next. Then the answer, with its descriptor, which it takes. 0; < 0 with words. */
void drift_list_ask(struct drift_list *l, struct buf *to);
int drift_list_take(struct drift_list *l, struct str reply, int fd, struct error *err);

/* Can it serve this container too? */
bool drift_list_fits(const struct drift_list *l, const struct manifest *m, const struct container_entry *c);

/* Gives the kernel what was found since the last time, without what is absent or different. 0; < 0 with words. */
int drift_list_put(struct drift_list *l, struct error *err);

/* All was given: it stands under its number from now on. 0 or -errno. */
int drift_list_enter(struct drift_list *l, struct barrier *b);

/* Asks for the content of a file; and what follows for its state. Another file than was found is DRIFT_DIFFERENT. */
void drift_list_ask_content(const struct drift_list *l, size_t i, struct buf *to);
enum drift_state drift_list_take_content(struct drift_list *l, size_t i, struct str reply);

/* The place of an inode, or of a path (absolute); SIZE_MAX: not in it. */
size_t drift_list_by_ino(const struct drift_list *l, uint64_t ino);
size_t drift_list_by_path(const struct drift_list *l, struct str path);

#endif
