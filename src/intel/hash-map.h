/*
 * The compiled form of lists of hashes (hash-list.h): sorted tables in a file that is mapped, not read, so that opening
 * it takes no time whatever its size, and a look-up touches a few pages. Format: docs/format/hash-map.md.
 *
 * On opening, the file's header and size are checked; of the order of its rows as much as a look-up sees.
 */
#ifndef SEKISHO_INTEL_HASH_MAP_H
#define SEKISHO_INTEL_HASH_MAP_H

#include "base/buf.h"
#include "intel/hash-list.h"

#define HASH_MAP_MAGIC   "sekisho hashes\n" /* with its NUL */
#define HASH_MAP_VERSION 1u
#define HASH_MAP_HEADER  56u /* bytes */
#define HASH_MAP_ROW     12u /* bytes of a row beside its digest: size, and where its name is */

struct hash_map;

/* -EBADMSG, -EPROTO (of another version) or -errno, and words. */
int hash_map_open(const char *path, struct hash_map **ret, struct error *err);
int hash_map_open_memory(struct str bytes, struct hash_map **ret, struct error *err); /* bytes must outlive it */
void hash_map_close(struct hash_map *m);                                              /* NULL is fine */

bool hash_map_is(struct str start); /* whether a file that starts like this is one, of whatever version */

void hash_map_digest(const struct hash_map *m, struct digest *d); /* adds all of the file */

uint64_t hash_map_count(const struct hash_map *m, enum hash_kind kind);

/* Like hash_list_find. */
int hash_map_find(const struct hash_map *m, enum hash_kind kind, struct str digest, uint64_t size,
                  struct str *ret_name);

/* The header of a file with so many rows of each kind, and so many bytes of names. */
void hash_map_header(const uint64_t counts[static HASH_KINDS], uint64_t names, struct buf *ret);

#endif
