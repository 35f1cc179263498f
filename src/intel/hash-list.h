/*
 * Lists of digests of files: what is known to be malware, and what is known to be clean. Text, one file a line, in any
 * of the forms that are in use:
 *
 *         DIGEST                      SHA-256, SHA-1 or MD5 in hexadecimal, told apart by their length
 *         DIGEST  NAME                as sha256sum writes it; also with one blank and a star
 *         DIGEST:SIZE:NAME            ClamAV's .hdb and .hsb (more fields may follow); SIZE may be *
 *
 * Empty lines and those that begin with # are left out. A line of another form is an error with its number. Files of
 * the compiled form (hash-map.h) are mapped.
 */
#ifndef SEKISHO_INTEL_HASH_LIST_H
#define SEKISHO_INTEL_HASH_LIST_H

#include "base/error.h"
#include "base/str.h"
#include "read/digest.h"

#include <stdio.h>

#define HASH_LIST_BYTES_MAX (UINT64_C(1) << 30) /* of one file */
#define HASH_LIST_MAX       20000000            /* digests, of all texts together */
#define HASH_ANY_SIZE       UINT64_MAX

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_KINDS };

extern const size_t hash_lengths[HASH_KINDS]; /* bytes of a digest */

struct hash_list;

struct hash_list *hash_list_new(void);
void hash_list_free(struct hash_list *l); /* NULL is fine */

/* Adds the lines of text; name: of the file, for the words. -EINVAL, -E2BIG and words. */
int hash_list_add(struct hash_list *l, struct str text, const char *name, struct error *err);
int hash_list_add_file(struct hash_list *l, const char *path, struct error *err);

/* Sorts: after the last add, before the first look-up. */
void hash_list_seal(struct hash_list *l);

/* Adds all of a sealed list to a digest. */
void hash_list_digest(const struct hash_list *l, struct digest *d);

size_t hash_list_count(const struct hash_list *l, enum hash_kind kind);

/*
 * Whether a file of this size may be on the list, so that its digest of this kind is worth its making. Where lines
 * tell no size, or a file of the list is compiled: always true.
 */
bool hash_list_may_have(const struct hash_list *l, enum hash_kind kind, uint64_t size);

bool hash_list_is_compiled(const struct hash_list *l); /* whether one of its files is */

/*
 * Writes the compiled form of a sealed list, which must hold texts only. -EIO: the stream failed; -E2BIG: too many
 * names.
 */
int hash_list_write(const struct hash_list *l, FILE *out, struct error *err);

/*
 * Whether a digest (binary, of the kind's length) of a file of this size is listed: 1, and the name that the list gives
 * it, or the empty view; 0: it is not. -EBADMSG: nobody knows, a compiled list is out of order there.
 */
int hash_list_find(const struct hash_list *l, enum hash_kind kind, struct str digest, uint64_t size,
                   struct str *ret_name);

#endif
