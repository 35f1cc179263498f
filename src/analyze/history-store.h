/* The objects of a repository, by number and by name; private to history*.c. */
#ifndef SEKISHO_ANALYZE_HISTORY_STORE_H
#define SEKISHO_ANALYZE_HISTORY_STORE_H

#include "analyze/history.h"
#include "base/map.h"
#include "base/vec.h"
#include "read/gitobject.h"

#define STORE_LOOSE UINT32_MAX /* in place of a pack's number */

struct stored_object {
        struct git_id id;
        uint64_t offset; /* in its pack; loose: index in loose */
        uint32_t pack;
        uint8_t type; /* enum git_type */
};

struct git_store_slot {
        uint64_t key; /* pack and offset; 0: free */
        uint8_t type;
        char *p;
        size_t n;
};

#define STORE_SLOTS     4096
#define STORE_CACHE_MAX (256u << 20)

struct git_store {
        enum git_hash hash;
        const struct history_pack *packs;
        size_t n_packs;
        VEC(struct str) loose; /* as they are stored; in the arena */
        VEC(struct stored_object) objects;
        struct map64 by_id;                       /* -> 1 + index in objects */
        struct git_store_slot slots[STORE_SLOTS]; /* contents that others build on */
        size_t cached;
        struct arena arena;
        uint64_t too_large;
};

void git_store_done(struct git_store *s);

/* The number of the object with this name, or SIZE_MAX. */
size_t store_find(const struct git_store *s, const struct git_id *id);

/* Adds an object; false if one of that name is there already, or HISTORY_OBJECTS_MAX are. */
bool git_store_add(struct git_store *s, const struct stored_object *o);

/*
 * What is at this offset of a pack, with all deltas applied. 0, -EBADMSG, -EFBIG, -ENOENT: its base is not known (yet).
 * *to is the caller's buffer.
 */
int git_store_packed(struct git_store *s, uint32_t pack, uint64_t offset, enum git_type *ret_type, struct buf *to);

/* The content of an object that was added. */
int git_store_read(struct git_store *s, size_t object, struct buf *to);

#endif
