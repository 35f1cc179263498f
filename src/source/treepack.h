/*
 * A directory tree as a tar stream: walked from a descriptor, written to a pipe, nothing copied to disk. Runs in a
 * producer (proc/worker.h): it keeps the caller's rights and parses no content.
 *
 * - Names are sorted in each directory, so the same tree gives the same bytes.
 * - Links are never followed, devices, FIFOs and sockets never opened, other mounts never entered.
 * - Files that share an inode become hard links to the first of them (as far as TREEPACK_LINKS_MAX remembers).
 * - Files with holes are written sparse. A file that shrinks meanwhile is padded with zeros and noted.
 * - What could not be read is an entry with the pax record SEKISHO.unread (see README.md). Sockets are left out.
 * - No recursion; at most TREEPACK_OPEN_MAX directories are open at once, whatever the depth.
 */
#ifndef SEKISHO_SOURCE_TREEPACK_H
#define SEKISHO_SOURCE_TREEPACK_H

#include "base/error.h"

#define TREEPACK_OPEN_MAX  48
#define TREEPACK_LINKS_MAX 1000000u     /* inodes with several names that are remembered */
#define TREEPACK_NAMES_MAX (256u << 20) /* bytes of names of all directories on the way down */

enum treepack_mode {
        TREEPACK_PLAIN,   /* a root file system: names that look like whiteouts are files */
        TREEPACK_OVERLAY, /* an upper directory of overlayfs or fuse-overlayfs: its whiteouts and opaque marks are
                             converted */
        TREEPACK_CHANGES, /* only what differs from `below_fd`, and whiteouts for what is missing ("vfs" layers) */
};

struct treepack {
        int root_fd;  /* the directory; O_PATH is enough. Not closed */
        int below_fd; /* TREEPACK_CHANGES: the directory of the layer below; -1: none, all is new */
        enum treepack_mode mode;
        int process_fd; /* running containers: /proc/PID, whose end meanwhile is noted; -1: none */
};

/* Writes the whole stream. 0, or < 0 where nothing can be read or written at all (-EPIPE: the reader has gone). */
int treepack_write(const struct treepack *what, int out_fd, struct error *err);

#endif
