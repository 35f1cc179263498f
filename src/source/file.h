/* Opening what an artefact is kept in: a regular file or nothing, told in words. */
#ifndef SEKISHO_SOURCE_FILE_H
#define SEKISHO_SOURCE_FILE_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Opens a regular file for reading, below dir_fd as if that were "/" (links stay inside), or by path where dir_fd is
 * AT_FDCWD. Never waits for a FIFO, never touches a device. The descriptor or -errno; no words.
 */
int open_regular(int dir_fd, const char *path, uint64_t *ret_size);

/* The whole file, at most ret->max bytes. 0 or -errno; no words. */
int read_regular(int dir_fd, const char *path, struct buf *ret);

/* Reads n bytes at an offset of a descriptor into ret. 0, -errno, -ENODATA where the file ends early; no words. */
int read_part(int fd, uint64_t offset, uint64_t n, struct buf *ret);

/*
 * Cuts "PATH[:REF]" where PATH exists: at the first ":" that leaves something that is there. REF is "" if there is
 * none. path has room for all of target. False if nothing of that name exists.
 */
bool split_target(const char *target, char **ret_path, const char **ret_ref);

#endif
