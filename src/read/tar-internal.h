/* What the files of the tar reader share. Only tar*.c include this. */
#ifndef SEKISHO_READ_TAR_INTERNAL_H
#define SEKISHO_READ_TAR_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "read/tar.h"

#define TAR_BLOCK_BYTES 512
#define TAR_SIZE_MAX    (INT64_MAX - 2 * TAR_BLOCK_BYTES) /* so that sizes can be rounded up to blocks */

/* The fields of a header: offset and length. */
#define TAR_NAME     0, 100
#define TAR_MODE     100, 8
#define TAR_UID      108, 8
#define TAR_GID      116, 8
#define TAR_SIZE     124, 12
#define TAR_MTIME    136, 12
#define TAR_CHECKSUM 148, 8
#define TAR_TYPE     156
#define TAR_LINK     157, 100
#define TAR_MAGIC    257, 8
#define TAR_MAJOR    329, 8
#define TAR_MINOR    337, 8
#define TAR_PREFIX   345, 155
#define TAR_STAR     508, 4
/* star keeps times in the end of the prefix. */
#define TAR_STAR_PREFIX 345, 131

static inline struct str tar_field(const uint8_t *block, size_t at, size_t n) { return str_span(block + at, n); }

static inline struct str tar_text_field(const uint8_t *block, size_t at, size_t n) /* up to a NUL, if there is one */
{
        return str_span(block + at, strnlen((const char *)block + at, n));
}

enum tar_format { TAR_FORMAT_V7, TAR_FORMAT_USTAR, TAR_FORMAT_STAR, TAR_FORMAT_GNU };

/* A part of a sparse file that has data. */
struct tar_extent {
        uint64_t offset, length;
};

VEC_TYPE(tar_extents, struct tar_extent);

/* What a pax header says. Views into its body. */
struct tar_pax {
        struct str path, link, opaque, capability, unread, sparse_name;
        bool has_size, has_mtime, has_uid, has_gid, has_real_size, has_map, has_sparse, is_literal;
        uint64_t size, real_size;
        int64_t mtime;
        uint32_t uid, gid;
        uint64_t sparse_major, sparse_minor;
};

enum tar_state { TAR_STATE_ENTRIES, TAR_STATE_ENDED, TAR_STATE_MALFORMED, TAR_STATE_FAILED };

struct tar {
        piece_pull pull;
        void *pull_arg;
        tar_pull copy_pull; /* of tar_new: fills `buffer` */
        void *copy_arg;
        uint8_t *buffer; /* owned, or NULL */

        const uint8_t *piece; /* the rest of the piece that was pulled last */
        size_t piece_n;
        uint64_t offset; /* in the archive, of *piece */
        uint64_t header_offset;

        enum tar_state state;
        int failed; /* of the pull, if TAR_STATE_FAILED */
        bool is_cut;

        /* The current entry's content. */
        uint64_t size, position; /* with holes */
        uint64_t stored_left;    /* without holes */
        unsigned padding;        /* behind the stored bytes */
        bool is_sparse;
        struct tar_extents extents; /* ordered, disjoint, within size */
        size_t extent;              /* the first one that does not end before position */

        /* Headers that stand before an entry and are about it; the global one is about all that follow. */
        struct buf pax_body, long_name, long_link, scratch;
        struct tar_pax pax, global;
        bool has_pax, has_long_name, has_long_link, global_names;

        uint8_t block[TAR_BLOCK_BYTES]; /* of a block that does not lie in one piece */
        char raw[256 + 2];              /* prefix and name of a header */
        char *name, *link;              /* TAR_NAME_MAX each, owned */
        char where[160];
};

/* Makes the archive malformed, with words; returns TAR_MALFORMED. */
int tar_malformed(struct tar *t, const char *what);

/* The next whole block: TAR_ENTRY, TAR_END (nothing is left), TAR_MALFORMED (cut) or < 0. Valid until the next pull. */
int tar_block(struct tar *t, const uint8_t **ret);

/*
 * A number of a header: octal digits between spaces and NULs, or base-256 where the top bit is set. An empty field is
 * 0. False if it is no number or does not fit.
 */
bool tar_number(struct str field, int64_t *ret);

/* The same for an id, mode or device: 0xffffffff where it is none or does not fit. */
uint32_t tar_small_number(struct str field);

bool tar_header_size(const uint8_t *block, uint64_t *ret); /* false: no number, negative, or above TAR_SIZE_MAX */
bool tar_checksum_fits(const uint8_t *block);
enum tar_type tar_type_of(char c);
enum tar_format tar_format_of(const uint8_t *block);

/*
 * Normalises a path into `to`, which has room for all of it. False if it is unsafe, and then it is copied as it is.
 * Paths with nothing to remove, the usual ones, cost one memchr a part.
 */
bool tar_normalise(struct str path, char *to, struct str *ret);

/*
 * Reads the body of a pax header; extents of GNU.sparse 0.0 and 0.1 go to map (NULL: GNU.sparse is not read). NULL, or
 * what is wrong with it.
 */
const char *tar_pax_read(struct str body, struct tar_pax *ret, struct tar_extents *map);

/* Adds an extent; NULL, or what is wrong: too many. */
const char *tar_extent_add(struct tar_extents *map, uint64_t offset, uint64_t length);

/* The map of an old GNU header (type S) and the extension blocks behind it. TAR_ENTRY, TAR_MALFORMED or < 0. */
int tar_sparse_old(struct tar *t, const uint8_t *block, uint64_t *ret_real_size);

/* The map that GNU.sparse 1.0 puts before the data, taken off *stored. TAR_ENTRY, TAR_MALFORMED or < 0. */
int tar_sparse_1_0(struct tar *t, uint64_t *stored);

/* Holds t->extents against the file's sizes: NULL if all is in order, or what is wrong. */
const char *tar_sparse_check(const struct tar *t, uint64_t real_size, uint64_t stored);

#endif
