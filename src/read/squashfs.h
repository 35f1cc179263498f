/*
 * A reader of squashfs 4.0 file systems (Linux's Documentation/filesystems/squashfs.rst and fs/squashfs/squashfs_fs.h):
 * each regular file by path, its content block by block. The whole image lies in memory; gzip, xz, zstd and lz4 blocks
 * are inflated, of lzo and lzma1 it is said that they are not.
 */
#ifndef SEKISHO_READ_SQUASHFS_H
#define SEKISHO_READ_SQUASHFS_H

#include "base/arena.h"
#include "base/buf.h"

#define SQUASHFS_BLOCK_MAX   (1u << 20)
#define SQUASHFS_DEPTH_MAX   100u        /* directories in each other */
#define SQUASHFS_ENTRIES_MAX (1u << 20)  /* of all directories together */
#define SQUASHFS_TABLE_MAX   (64u << 20) /* bytes of inodes, and of directories, inflated */

enum { SQUASHFS_END = 0, SQUASHFS_ENTRY = 1, SQUASHFS_MALFORMED = 2, SQUASHFS_UNSUPPORTED = 3 };

struct squashfs_file {   /* a regular file */
        struct str path; /* without a leading slash */
        uint32_t mode;   /* permission bits with setuid, setgid and sticky */
        uint64_t size;
        uint64_t blocks_at; /* the rest is for squashfs_read */
        size_t sizes_at;
        uint32_t n_blocks, fragment, fragment_offset;
};

struct squashfs;

bool squashfs_is(struct str first); /* has it the magic number? 4 bytes are enough */

/* SQUASHFS_ENTRY: *ret is open and squashfs_free is due; else an outcome and words in *ret_why. */
int squashfs_open(struct str image, struct squashfs **ret, const char **ret_why);
void squashfs_free(struct squashfs *q);

size_t squashfs_bytes(const struct squashfs *q); /* of the image, as its superblock has it; what follows is no part */

/*
 * The next regular file: SQUASHFS_ENTRY, SQUASHFS_END; SQUASHFS_MALFORMED with words in *ret_why for a directory or a
 * file that could not be read, and the next call goes on with the next one. A file with several names comes with each.
 */
int squashfs_next(struct squashfs *q, struct squashfs_file *ret, const char **ret_why);

/*
 * Gives the file's content to `each`, in order, holes as zeros, until it returns false. SQUASHFS_END: all was given, or
 * `each` had enough; SQUASHFS_MALFORMED: damaged from there on, words in *ret_why.
 */
int squashfs_read(struct squashfs *q, const struct squashfs_file *f, bool (*each)(void *arg, struct str bytes),
                  void *arg, const char **ret_why);

#endif
