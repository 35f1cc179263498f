/*
 * Writes a tar stream (POSIX.1-2001: ustar, with pax headers where a field does not fit; GNU sparse 1.0 for files with
 * holes). What it writes is the same bytes for the same entries. The first error is kept and ends all writing.
 */
#ifndef SEKISHO_SOURCE_TARPACK_H
#define SEKISHO_SOURCE_TARPACK_H

#include "base/buf.h"

#define TARPACK_BUFFER (128u << 10)

struct tarpack {
        int fd;
        int r; /* 0, or -errno of the first write that failed */
        size_t n;
        bool is_no_splice; /* fd is not a pipe */
        struct buf pax;
        char *buffer; /* owned */
};

struct tarpack_extent {
        uint64_t offset, size;
};

struct tarpack_entry {
        struct str name, link;
        char type; /* the type flag: '0' file, '1' hard link, '2' symbolic link, '3' char, '4' block, '5' directory, '6'
                      FIFO */
        uint32_t mode, uid, gid, dev_major, dev_minor;
        uint64_t size; /* of the content; other types than '0': 0 */
        int64_t mtime;
        struct str unread; /* "CODE DETAIL" in SEKISHO.unread, or empty; see README.md */
        bool is_literal;   /* SEKISHO.literal */
        /* Files with holes: the parts that are data, in order; NULL: all is. `size` is with the holes. */
        const struct tarpack_extent *extents;
        size_t n_extents;
};

#define TARPACK_NOTE 'U' /* a type of our own: not an entry, only its `unread` counts */

void tarpack_init(struct tarpack *t, int fd);
void tarpack_done(struct tarpack *t);

/* The header(s). Then come exactly `size` bytes of content (sparse: of the extents), then tarpack_pad. */
void tarpack_header(struct tarpack *t, const struct tarpack_entry *e);
void tarpack_bytes(struct tarpack *t, const void *p, size_t n);
void tarpack_zeros(struct tarpack *t, uint64_t n);

/* n bytes of a file from an offset on. Returns how many it had; the rest is the caller's to write. */
uint64_t tarpack_file(struct tarpack *t, int fd, uint64_t offset, uint64_t n);

void tarpack_pad(struct tarpack *t, uint64_t content_bytes); /* to a block's end */

/* The end of the archive; flushes. 0 or -errno. */
int tarpack_end(struct tarpack *t);

#endif
