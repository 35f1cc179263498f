/*
 * The quarantine: a directory (mode 0700) that keeps what was found to be malware so that it can neither run nor be
 * found again by a scanner, with all that is needed to put it back. Its layout is docs/format/quarantine.md:
 *
 *         key                     32 random bytes (mode 0600)
 *         objects/SHA256          content, encrypted with the key; once, however often it was found
 *         items/q-N.json          one find: struct fact_quarantined
 *         cleared/SHA256          an empty file: content that was restored, which is not to be taken again
 *
 * Every change is made under a lock, and whole or not at all. All functions return 0 or -errno with words.
 */
#ifndef SEKISHO_ACT_QUARANTINE_H
#define SEKISHO_ACT_QUARANTINE_H

#include "base/error.h"
#include "fact/fact.h"

#include <sys/stat.h>

#define QUARANTINE_DIRECTORY  "/var/lib/sekisho/quarantine"
#define QUARANTINE_ITEMS_MAX  20000u              /* finds in a store */
#define QUARANTINE_BYTES_MAX  (UINT64_C(8) << 30) /* of sealed content in a store: no container may fill the disk */
#define QUARANTINE_ITEM_BYTES (1u << 20)          /* of one description */
#define QUARANTINE_XATTRS_MAX 64u                 /* attributes of a file that are kept, of 64 KiB each at most */
#define QUARANTINE_ID_MAX     16
#define QUARANTINE_DIGEST     65 /* a digest as hexadecimal text */

struct quarantine {
        int dir, objects, items, cleared; /* descriptors */
        uint8_t key[32];
};

/* create: makes what is not there. Otherwise a store that is not there is -ENOENT. */
int quarantine_open(const char *directory, bool create, struct quarantine *ret, struct error *err);
void quarantine_close(struct quarantine *q);

/*
 * Puts the content of the open file there with what is known of it (q->id is not looked at, digest, size, owner, mode,
 * times and attributes are read from the file). *about is completed with them, ret_id becomes its id. -EDQUOT: the
 * store is full; nothing is kept of this one.
 */
int quarantine_put(const struct quarantine *q, int fd, struct fact_quarantined *about, struct arena *arena,
                   struct error *err);

/* Writes the description of an item anew. */
int quarantine_update(const struct quarantine *q, const struct fact_quarantined *item, struct error *err);

/* One item; text lives in the arena. -ENOENT: no such id. */
int quarantine_get(const struct quarantine *q, struct str id, struct arena *arena, struct fact_quarantined *ret,
                   struct error *err);

/* All of them, oldest first. What cannot be read is in ret_bad, as "items/q-3.json: why". */
int quarantine_list(const struct quarantine *q, struct arena *arena, struct fact_quarantined **ret, size_t *ret_n,
                    struct str_list *ret_bad, struct error *err);

/* Deletes the item, and its content once no other item has it. It cannot be undone. */
int quarantine_delete(const struct quarantine *q, struct str id, struct error *err);

/*
 * Writes an item's content to `path`, which is resolved below the directory root_fd as if that were "/", with mode,
 * owner, attributes and times. -EEXIST: something is there and force is not given. -EBADMSG: the sealed content is not
 * what its digest says. The item stays.
 */
int quarantine_restore(const struct quarantine *q, const struct fact_quarantined *item, int root_fd, const char *path,
                       bool force, struct error *err);

/* Content of this digest is not to be taken (any more, again). */
int quarantine_clear(const struct quarantine *q, struct str sha256, struct error *err);
bool quarantine_is_cleared(const struct quarantine *q, struct str sha256);

/*
 * Removes the file at `path` below root_fd, if it is still the one that `is` describes (by inode number, or size, mode,
 * owner and time of modification: an overlay keeps a lower file's number when it copies it up). -ENOENT: nothing is
 * there. -ESTALE: something else is. -EROFS: a read-only root.
 */
int quarantine_remove(int root_fd, const char *path, const struct stat *is, struct error *err);

/* "0f3a..." of binary bytes; text has room for 2n + 1. */
void quarantine_hex(struct str bytes, char *text);

/* An item as JSON text (jansson's, indented), to be freed; and back. For the store, and its fuzzer. */
char *quarantine_item_print(const struct fact_quarantined *item);
int quarantine_item_parse(struct str text, struct arena *arena, struct fact_quarantined *ret, struct error *err);

#endif
