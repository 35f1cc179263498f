/*
 * Git's objects and packs out of untrusted bytes: loose objects (a zlib stream of "TYPE SIZE", a NUL, the content),
 * packfiles of version 2 and 3 (gitformat-pack(5)), commits, trees, deltas; of repositories with SHA-1 and with
 * SHA-256. A pack is read by itself: no index is needed, and none is believed.
 */
#ifndef SEKISHO_READ_GITOBJECT_H
#define SEKISHO_READ_GITOBJECT_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"

#define GIT_OBJECT_MAX  (64u << 20) /* bytes of an object; larger ones are said to be too large */
#define GIT_PARENTS_MAX 64          /* of a commit that are looked at */
#define GIT_ID_MAX      32

enum git_hash { GIT_SHA1, GIT_SHA256 };
enum git_type { GIT_COMMIT = 1, GIT_TREE = 2, GIT_BLOB = 3, GIT_TAG = 4, GIT_OFFSET_DELTA = 6, GIT_ID_DELTA = 7 };

struct git_id {
        uint8_t bytes[GIT_ID_MAX]; /* of SHA-1 the last twelve are 0 */
};

size_t git_id_size(enum git_hash h); /* 20, 32 */
bool git_id_parse(enum git_hash h, struct str hex, struct git_id *ret);
void git_id_text(enum git_hash h, const struct git_id *id, char ret[static 2 * GIT_ID_MAX + 1]);

/* The name of an object with this content. */
void git_id_of(enum git_hash h, enum git_type type, struct str content, struct git_id *ret);

/*
 * Inflates one zlib stream (RFC 1950) at the start of `stored`, to exactly `size` bytes, with its checksum. 0 and how
 * many bytes it had; -EBADMSG: not such a stream; -EFBIG: size is more than GIT_OBJECT_MAX.
 */
int git_inflate(struct str stored, uint64_t size, struct buf *to, size_t *ret_used);

/* A loose object: its type and content. -EBADMSG, -EFBIG. */
int git_loose(struct str stored, enum git_type *ret_type, struct buf *to);

/* --- packs --- */

#define GIT_PACK_HEADER 12

/* Checks the frame of a pack: magic, version. -EBADMSG and words. */
int git_pack_open(struct str pack, enum git_hash h, uint32_t *ret_objects, struct error *err);

/* Whether the pack's last bytes are the digest of all before them. */
bool git_pack_is_whole(struct str pack, enum git_hash h);

struct git_packed {
        enum git_type type;
        uint64_t size;        /* of the content; of a delta: of the delta */
        uint64_t data;        /* offset of the zlib stream in the pack */
        uint64_t base_offset; /* GIT_OFFSET_DELTA: of its base in the pack, less than its own */
        struct git_id base;   /* GIT_ID_DELTA */
};

/* The header of the object at this offset; false if there can be none. */
bool git_packed_at(struct str pack, enum git_hash h, uint64_t offset, struct git_packed *ret);

/* Applies a delta to its base. -EBADMSG: it does not fit; -EFBIG: the result would be more than GIT_OBJECT_MAX. */
int git_delta(struct str base, struct str delta, struct buf *to);

/* --- commits and trees --- */

struct git_commit {
        struct git_id tree, parents[GIT_PARENTS_MAX];
        size_t n_parents;
        int64_t authored, committed; /* seconds since 1970 */
};

bool git_commit_parse(enum git_hash h, struct str content, struct git_commit *ret);

struct git_entry {
        uint32_t mode; /* 0100644, 040000: a tree, 0160000: a submodule's commit */
        struct str name;
        struct git_id id;
};

/* The next entry of a tree: 1, 0 at its end, -EBADMSG. */
int git_tree_next(enum git_hash h, struct cursor *tree, struct git_entry *ret);

/* A name that a checkout would refuse, or that leads out of the work tree: "..", ".git", one with a slash or a NUL. */
bool git_name_is_unsafe(struct str name);

#endif
