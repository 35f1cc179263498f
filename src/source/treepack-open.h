/* Looking at and opening what lies in a tree that may change or be hostile, for treepack.c. */
#ifndef SEKISHO_SOURCE_TREEPACK_OPEN_H
#define SEKISHO_SOURCE_TREEPACK_OPEN_H

#include "source/tarpack.h"

#include <sys/stat.h>

/* What an entry of a directory is, links not followed, automounts not triggered. 0 or -errno. */
int tree_look(int dir_fd, const char *name, struct statx *ret);

/*
 * Opens a regular file that tree_look described. First without opening it in earnest, to see that it still is that
 * file; then through /proc (where has_proc), so that nothing can be put in its place in between: opening a device can
 * do things. The descriptor, -ESTALE if it is another now, or -errno.
 */
int tree_open_file(bool has_proc, int dir_fd, const char *name, const struct statx *st);

/* Opens a directory for listing: no link followed, no mount entered (-EXDEV). */
int tree_open_directory(int dir_fd, const char *name);

/* The same by a path of any length below root_fd ("" is root_fd itself), in parts that the kernel takes. */
int tree_open_path(int root_fd, struct str path);

/*
 * Finds what of a file is data. *ret NULL and *ret_n 0: it has no holes, or the file system does not tell; else the
 * parts (the caller frees), and an empty one at the end of the file, as GNU tar writes it. -E2BIG: more parts than the
 * reader takes.
 */
int tree_find_extents(int fd, uint64_t size, const struct statx *st, struct tarpack_extent **ret, size_t *ret_n);

/* Compares two files from where they are read to their ends. False also where one cannot be read. */
bool tree_is_same_content(int a, int b);

#endif
