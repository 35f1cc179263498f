/*
 * Many literals found in one pass over bytes: the set is compiled once, never changes, and may be used by any number of
 * threads and forked workers at the same time.
 *
 * Every occurrence of every literal is found, also those that overlap; hits are exactly what a naive search gives. For
 * N literals and n bytes the expected cost is n/4 probes of a bitmap that fits into the processor's cache. In the worst
 * case (text written against the set) each 4th byte costs the literals that share their rarest piece with others, see
 * LITERALS_SHARE_MAX, times their length: linear in n, whatever the text.
 */
#ifndef SEKISHO_INTEL_LITERALS_H
#define SEKISHO_INTEL_LITERALS_H

#include "base/error.h"
#include "base/str.h"

#define LITERAL_BYTES_MIN  2
#define LITERAL_BYTES_MAX  256
#define LITERALS_MAX       (1u << 18)
#define LITERALS_BYTES_MAX (8u << 20) /* of all literals together */
#define LITERALS_SHARE_MAX 16 /* literals that look for one piece of 4 bytes, as long as each has another choice */

struct literal {
        struct str bytes; /* any bytes */
        bool nocase;      /* ASCII letters match in either case */
};

struct literals; /* a compiled set */

/*
 * Compiles v[0..n). The bytes are copied. Equal literals are all reported. n may be 0. -EINVAL and words: a literal
 * that is too short or too long (with its index); -E2BIG: too many, or too many bytes.
 */
int literals_new(const struct literal *v, size_t n, struct literals **ret, struct error *err);
void literals_free(struct literals *l); /* NULL is fine */

size_t literals_longest(const struct literals *l); /* bytes; 0 of an empty set */
size_t literals_memory(const struct literals *l);  /* bytes that the compiled set takes */

/* An occurrence: index is the literal's place in v, start the offset of its first byte in the text. */
typedef void (*literals_found)(void *arg, uint32_t index, size_t start);

/*
 * Calls found for every occurrence in the text that starts at from or later and before to, in no order that means
 * something. Text that is scanned in windows: let each begin (longest - 1) bytes or more before the end of the one
 * before, and give each window the starts that the others do not have.
 */
void literals_scan(const struct literals *l, struct str text, size_t from, size_t to, literals_found found, void *arg);

/* The same by portable code only, whatever the processor can do. For tests and for comparing. */
void literals_scan_portable(const struct literals *l, struct str text, size_t from, size_t to, literals_found found,
                            void *arg);

#endif
