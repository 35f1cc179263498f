/*
 * Files, the careful way: reading with a bound, opening below a root without following what an image put there, and
 * writing so that a reader sees the old file or the whole new one.
 */
#ifndef SEKISHO_BASE_FS_H
#define SEKISHO_BASE_FS_H

#include "base/buf.h"
#include "base/error.h"

#include <stdio.h>
#include <sys/types.h>

/*
 * Opens `path` below the directory `root_fd` as if root_fd were "/": absolute links and ".." stay inside, magic links
 * of /proc are refused. Returns a descriptor (O_CLOEXEC is added) or -errno. Needs openat2 (Linux 5.6).
 */
int open_in_root(int root_fd, const char *path, int flags);

/* The same, but any symbolic link on the way is refused with -ELOOP, and so is leaving the file system (-EXDEV). */
int open_beneath(int dir_fd, const char *path, int flags);

/* Reads all of a descriptor / file into buf (whose max is the bound: more is -EFBIG). 0 or -errno. */
int read_all(int fd, struct buf *ret);
int read_file(const char *path, struct buf *ret, struct error *err);

/* Writes all n bytes, whatever write() returns in between. 0 or -errno. */
int write_all(int fd, const void *p, size_t n);

/*
 * A file that comes into being whole: written as a temporary file beside `path`, put in place by commit (fsync and
 * rename). abort, or the end of the process by a signal handled through output_abort_all, leaves nothing behind.
 * "-" is standard output, written through and never renamed; so are devices and pipes (/dev/null, /dev/stdout).
 */
struct output {
        FILE *stream;           /* write here */
        char *path, *temporary; /* NULL where it is written through: temporary; standard output: both */
};

int output_open(struct output *o, const char *path, struct error *err);
int output_commit(struct output *o, struct error *err); /* closes; on failure the temporary is removed */
void output_abort(struct output *o);                    /* closes and removes; does nothing after a commit */
void output_abort_all(void); /* async-signal-safe: unlinks the temporaries of all open outputs */

/* mkdir -p. 0 or -errno. */
int make_dirs(const char *path, mode_t mode);

/* $NAME, or the fallback; never NULL unless fallback is. Empty counts as unset. */
const char *env_or(const char *name, const char *fallback);

/* $XDG_CACHE_HOME/sekisho/NAME, or ~/.cache/sekisho/NAME. False if there is no home either, or it does not fit. */
bool cache_path(const char *name, struct buf *ret);

#endif
