/*
 * Two digests in tandem: SHA-256 of a stream and, of parts of it, MD5 too.
 *
 * Each of the two is bound by the latency of its own chain of operations, and they use different units of the
 * processor. Interleaved in one loop they take hardly longer than MD5 alone, where one after the other would take the
 * sum: 20 % of a whole scan. Needs the SHA extensions of x86-64; elsewhere OpenSSL computes both, one after the other.
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
        struct tandem_half sha256, md5; /* is_fast */
        struct digest slow_sha256, slow_md5;
};

void tandem_init(struct tandem *t); /* of nothing yet */
void tandem_done(struct tandem *t);

void tandem_add(struct tandem *t, const void *p, size_t n);     /* SHA-256 only */
void tandem_add_md5(struct tandem *t, const void *p, size_t n); /* MD5 only: of a part's bytes that the stream lacks */

/* A part that gets MD5 too. Parts do not nest; tandem_end_part may be called for none, and gives the MD5 of nothing. */
void tandem_add_part(struct tandem *t, const void *p, size_t n);
void tandem_end_part(struct tandem *t, uint8_t ret_md5[static MD5_BYTES]);

void tandem_end(struct tandem *t, uint8_t ret_sha256[static 32]); /* t is then ready for the next stream */

#endif
