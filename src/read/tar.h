/*
 * A tar reader: POSIX.1-2001 ustar and pax, GNU long names and links, old GNU sparse and the three pax sparse forms,
 * base-256 numbers, v7. It pulls its bytes through a callback, copies no content, and seeks nowhere.
 *
 * Malformed input is an outcome, not an error: TAR_MALFORMED says what and where, and is final for this archive.
 * Names come out normalised: no leading "/" or "./", no empty or "." parts, no trailing "/" (the root itself is empty);
 * a name with a ".." part or a NUL is reported as it is with `is_unsafe`, so that the caller can say so and must not
 * use it as a path.
 *
 * Where readers of tar disagree, this one follows Go's archive/tar, which is what container engines unpack layers with,
 * and sets `is_ambiguous`, since such an entry may hide something from one reader or another:
 * - a link, device, directory or FIFO has no content, whatever size its header gives;
 * - a global pax header changes times and owners, but no names, link targets or sizes;
 * - a trailing slash makes a directory only of the old type NUL; of type "0" it is dropped and the file stays a file.
 */
#ifndef SEKISHO_READ_TAR_H
#define SEKISHO_READ_TAR_H

#include "base/budget.h"
#include "base/str.h"
#include "read/piece.h"

#include <sys/types.h>

#define TAR_NAME_MAX    (64u << 10) /* of a name or link target; longer is malformed */
#define TAR_PAX_MAX     (1u << 20)  /* of a pax header's body */
#define TAR_EXTENTS_MAX (1u << 18)  /* data parts of one sparse file; more is malformed */

enum { TAR_ENTRY = 1, TAR_END = 0, TAR_MALFORMED = 2 };

enum tar_type { TAR_REGULAR, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIRECTORY, TAR_FIFO, TAR_OTHER };

struct tar_entry {
        struct str name; /* valid until the next tar_next */
        struct str link; /* target of links, as stored; hard links normalised like names */
        enum tar_type type;
        bool is_unsafe;    /* the name (or hard link target) has "..", or a NUL */
        bool is_ambiguous; /* other readers may see another name, type or size, see above */
        bool is_sparse;
        uint32_t mode;     /* the permission bits, 07777; of mode, uid and gid: */
        uint32_t uid, gid; /* 0xffffffff where the number does not fit or is none */
        int64_t mtime;     /* 0 where the number is none */
        uint64_t size;     /* of the content as tar_read gives it, holes included; up to 2^63 if the archive lies */
        uint64_t stored;   /* bytes of it in the archive */
        uint32_t dev_major, dev_minor;
        uint64_t offset;         /* of the content in the archive */
        struct str opaque_xattr; /* value of SCHILY.xattr.trusted.overlay.opaque, or empty */
        struct str capability;   /* value of SCHILY.xattr.security.capability (capabilities(7)), or empty */
        struct str unread; /* value of the pax record SEKISHO.unread, "CODE DETAIL" (see source/README.md), or empty */
        bool is_literal;   /* has the pax record SEKISHO.literal: a name that looks like a whiteout but is a file */
};

/* Gives up to n bytes: > 0 that many, 0 end, < 0 an errno, which tar_next and tar_read hand on. */
typedef ssize_t (*tar_pull)(void *arg, void *p, size_t n);

struct tar;

struct tar *tar_new(tar_pull pull, void *arg);
struct tar *tar_new_pieces(piece_pull pull, void *arg); /* the faster way: content is not copied even once */
void tar_free(struct tar *t);
void tar_freep(struct tar **t);

/* Skips what is left of the entry before, then: TAR_ENTRY, TAR_END, TAR_MALFORMED, or < 0 from the pull. */
int tar_next(struct tar *t, struct tar_entry *ret);

/*
 * The next part of the current entry's content, at most n bytes: > 0, or 0 at its end, or -EBADMSG (truncated, see
 * tar_where), or < 0 from the pull. Holes of sparse files come as zeros.
 */
ssize_t tar_read(struct tar *t, void *p, size_t n);

/*
 * The same without a copy: *ret_p points into the reader's own buffer (or the piece that was pulled) until the next
 * call. Gives at least one byte unless at the end. A hole is given as a run of zeros (from a static page). With t as
 * its argument and a cast it is a piece_pull, for an archive in an archive.
 */
ssize_t tar_peek(struct tar *t, const void **ret_p);

/* Goes over the hole of a sparse file that stands here, if it has at least so many bytes; returns its length, or 0. */
uint64_t tar_pass_hole(struct tar *t, uint64_t least);

const char *tar_where(const struct tar *t); /* after TAR_MALFORMED or -EBADMSG: what and at which offset */
uint64_t tar_offset(const struct tar *t);   /* bytes pulled and used so far */

/*
 * After TAR_END. True for two zero blocks or plain end of file after a whole number of entries; false if the end was
 * cut. What follows the two zero blocks is not looked at: who digests the stream pulls it to its end.
 */
bool tar_ended_cleanly(const struct tar *t);

/* After TAR_END: the next piece of what follows the two zero blocks, or 0 at its end, or < 0 from the pull. */
ssize_t tar_rest(struct tar *t, const void **ret_p);

#endif
