/* Texts of a database that is being built, each once: appended to one buffer, found again by a hash table of offsets.
 */
#ifndef SEKISHO_INTEL_STRPOOL_H
#define SEKISHO_INTEL_STRPOOL_H

#include "base/buf.h"

struct strpool {
        struct buf bytes; /* LEB128 length and bytes each; offset 0 is the empty text */
        uint32_t *slots;
        size_t size, n;
};

void strpool_init(struct strpool *p);
void strpool_done(struct strpool *p);

/* The text's offset, the same for the same text. 0, and bytes is full, once the pool would pass 4 GiB. */
uint32_t strpool_add(struct strpool *p, struct str s);

/* The text at an offset that strpool_add gave; valid until the next add. */
struct str strpool_text(const struct strpool *p, uint32_t at);

#endif
