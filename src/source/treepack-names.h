/* The names in a directory, sorted, in little memory: one block of text and an offset for each. */
#ifndef SEKISHO_SOURCE_TREEPACK_NAMES_H
#define SEKISHO_SOURCE_TREEPACK_NAMES_H

#include "base/macros.h"

struct names {
        char *text;
        uint32_t *at; /* offsets in text, sorted by the names' bytes */
        size_t n, bytes;
};

/* Lists a directory, without "." and "..". -E2BIG: more than max_bytes; what came before is there. -errno likewise. */
int names_read(int dir_fd, size_t max_bytes, struct names *ret);
void names_done(struct names *l);

static inline const char *names_at(const struct names *l, size_t i) { return l->text + l->at[i]; }

#endif
