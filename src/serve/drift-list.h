/*
 * What may run in the containers of one image: the files of a manifest, found in the image's layers as a container has
 * them mounted, by inode. One list serves all containers with the same layers.
 *
 * A file is looked up in the layers alone, in an overlay of our own without anything above them: what a container made
 * or changed is not in the way. Where that cannot be had, in the container's root, and then the list is its alone.
 * Content is compared with the manifest's digest later, a piece at a time, or when it first runs.
 */
#ifndef SEKISHO_SERVE_DRIFT_LIST_H
#define SEKISHO_SERVE_DRIFT_LIST_H

#include "base/map.h"
#include "read/manifest.h"
#include "sense/barrier.h"
#include "sense/container.h"

#define DRIFT_DIGEST_BYTES ((size_t)8 << 20)  /* of files that are compared between two events */
#define DRIFT_FILE_MAX     ((size_t)1 << 30)  /* larger files are not compared; they count as unverified */
#define DRIFT_LOWER_MAX    ((size_t)16 << 10) /* bytes of an overlay's list of layers */

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
        uint32_t image; /* its number in the kernel */
        unsigned refs;  /* containers */
        const struct manifest *manifest;
        struct str layers;        /* what the overlay says of them; empty: not shared */
        int root;                 /* descriptor of the layers' root */
        struct drift_file *files; /* as many as the manifest has, in its order */
        struct map64 by_ino;      /* places in files */
        size_t present, next_check;
        struct arena arena;
};

/*
 * Finds the files. pid: a process of the container; exe_path, exe_ino: a program of the lower layers that just ran
 * there, by which the numbers are checked to mean the same (empty: unknown). Not yet in the kernel. -errno, words.
 */
int drift_list_new(const struct manifest *m, const struct container_entry *c, uint32_t pid, struct str exe_path,
                   uint64_t exe_ino, struct drift_list **ret, struct error *err);
void drift_list_free(struct drift_list *l); /* NULL is fine */

/* Can it serve this container too? */
bool drift_list_fits(const struct drift_list *l, const struct manifest *m, const struct container_entry *c);

/* Gives it to the kernel under its number, without what is absent or different. 0 or -errno. */
int drift_list_put(const struct drift_list *l, struct barrier *b);

/*
 * Compares one file with its digest now; its state. Content is read once: `*bytes` is reduced by what was read. Another
 * file than the one that was found is DRIFT_DIFFERENT.
 */
enum drift_state drift_list_verify(struct drift_list *l, size_t i, size_t *bytes);

/* The place of an inode, or of a path (absolute); SIZE_MAX: not in it. */
size_t drift_list_by_ino(const struct drift_list *l, uint64_t ino);
size_t drift_list_by_path(const struct drift_list *l, struct str path);

#endif
