/*
 * Digests in tandem: SHA-256 of a stream and, of parts of it, MD5 and a SHA-256 of their own.
 *
 * Each of them is bound by the latency of its own chain of operations, and MD5 uses other units of the processor than
 * SHA-256. Interleaved in one loop all three take hardly longer than MD5 alone, where one after the other would take
 * the sum: a third of a whole scan. The two of SHA-256 share what is computed from the bytes, as parts begin at
 * multiples of a block. Needs the SHA extensions of x86-64; elsewhere OpenSSL computes them, one after the other.
 */
#ifndef SEKISHO_READ_TANDEM_H
#define SEKISHO_READ_TANDEM_H

#include "read/digest.h"

#define TANDEM_BLOCK 64

struct tandem_half { /* one digest on its way: FIPS 180-4 SHA-256 or RFC 1321 MD5 */
        uint32_t state[8];
        uint64_t bytes;
        uint8_t partial[TANDEM_BLOCK]; /* the last bytes % 64 */
};

struct tandem {
        bool is_fast;
        struct tandem_half stream, md5, sha256; /* is_fast; the last two are of a part */
        struct digest slow_stream, slow_md5, slow_sha256;
};

/* What a part gets: a set of these, the same for all its bytes. */
enum { TANDEM_MD5 = 1, TANDEM_SHA256 = 2 };

void tandem_init(struct tandem *t); /* of nothing yet */
void tandem_done(struct tandem *t);

void tandem_add(struct tandem *t, const void *p, size_t n); /* to the stream only */

/* Bytes of a part, to the stream too; and of a part's bytes that the stream lacks. Parts do not nest. */
void tandem_add_part(struct tandem *t, unsigned digests, const void *p, size_t n);
void tandem_add_alone(struct tandem *t, unsigned digests, const void *p, size_t n);

/* Gives the digests that are in the set, of nothing if nothing was added. The other may be NULL. */
void tandem_end_part(struct tandem *t, unsigned digests, uint8_t *ret_md5, uint8_t *ret_sha256);

void tandem_end(struct tandem *t, uint8_t ret_sha256[static 32]); /* t is then ready for the next stream */

#endif
