/*
 * Digests over streams, and over very many small files at once.
 *
 * struct digest wraps OpenSSL's EVP: the algorithm is fetched once for the process, and a context is used again and
 * again. MD5 (RFC 1321) is bound by latency, not by throughput: one file at a time it runs at some 0.7 GB/s, while
 * struct md5_many digests LANES files side by side in vector registers.
 */
#ifndef SEKISHO_READ_DIGEST_H
#define SEKISHO_READ_DIGEST_H

#include "base/str.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };

#define DIGEST_MAX 32 /* bytes of the longest */

const char *digest_name(enum digest_kind kind); /* "md5", "sha1", "sha256" */
size_t digest_size(enum digest_kind kind);      /* in bytes */

struct digest {
        enum digest_kind kind;
        void *ctx; /* owned */
};

void digest_init(struct digest *d, enum digest_kind kind);
void digest_done(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, uint8_t *ret); /* digest_size bytes; d is then ready for the next content */

/* All in one call. */
void digest_of(enum digest_kind kind, struct str content, uint8_t *ret);

#define MD5_BYTES         16
#define MD5_MANY_FILE_MAX (512u << 10) /* larger files: struct digest */

struct md5_many;

/* Is called for each file that was added, in any order, during a later md5_many_* call. */
typedef void (*md5_many_result)(void *arg, uint64_t cookie, const uint8_t digest[static MD5_BYTES]);

struct md5_many *md5_many_new(md5_many_result result, void *arg);
void md5_many_free(struct md5_many *m); /* what was not flushed gets no result */

/*
 * A place for the content of the next file, n <= MD5_MANY_FILE_MAX bytes; may give results of earlier ones. Fill it and
 * call md5_many_put before anything else, or forget it.
 */
uint8_t *md5_many_room(struct md5_many *m, size_t n);
void md5_many_put(struct md5_many *m, uint64_t cookie, size_t n); /* n: as given to md5_many_room, or less */

/* Both, with a copy. */
void md5_many_add(struct md5_many *m, uint64_t cookie, struct str content);

void md5_many_flush(struct md5_many *m); /* gives all results that are owed */

#endif
