/*
 * A view of bytes that somebody else owns: a pointer and a length, not NUL-terminated, never modified through it.
 * The same type serves text and binary input. A view with n == 0 may have p == NULL.
 */
#ifndef SEKISHO_BASE_STR_H
#define SEKISHO_BASE_STR_H

#include "base/macros.h"

#include <string.h>

struct str {
        const char *p;
        size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

/* The same as an initialiser, for static tables, where STR() is no constant. */
#define STR_INIT(literal)                                                                                              \
        {                                                                                                              \
                (literal), sizeof(literal) - 1                                                                         \
        }
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf("%.*s", STR_FMT(s)). */
#define STR_FMT(s) (int)MIN((s).n, (size_t)1 << 20), (s).p ? (s).p : ""

static inline struct str str_of(const char *s) /* of a C string; NULL gives STR_NONE */
{
        return (struct str){ s, s ? strlen(s) : 0 };
}

static inline struct str str_span(const void *p, size_t n) { return (struct str){ p, n }; }

static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

static inline bool str_is(struct str a, const char *b) { return str_eq(a, str_of(b)); }

/* Byte order (memcmp, then the shorter first): < 0, 0, > 0. The order of every sorted output. */
int str_cmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_without(struct str s, struct str prefix); /* what follows the prefix; all of s, if it has none */
bool str_eq_nocase(struct str a, struct str b);          /* ASCII only */

/* Whether it ends in one of n texts, ASCII without regard to case. */
bool str_ends_in_nocase(struct str s, const char *const *ends, size_t n);

/* Where c (needle) first stands, or -1. */
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_rfind_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);

/* The part from `from` on / up to `to`; out of range is cut, never undefined. */
struct str str_from(struct str s, size_t from);
struct str str_upto(struct str s, size_t to);

/* Without ASCII white space (space, tab, CR, LF, VT, FF) at both ends. */
struct str str_trim(struct str s);

/*
 * Cuts s at the first c: the part before it is returned, s becomes the part after it. Without c, all of s is returned
 * and s becomes STR_NONE with p == NULL, so `while (s.p)` walks all parts, the empty ones too.
 */
struct str str_cut(struct str *s, char c);

/* The next line of s without its "\n" or "\r\n"; walk with `while (s.n)`. */
struct str str_line(struct str *s);

/* Decimal digits only, all of s, at least one, no overflow. */
bool str_u64(struct str s, uint64_t *ret);

int hex_digit(char c); /* the value of a hexadecimal digit of either case; -1: it is none */

/* n bytes out of exactly 2n hexadecimal digits, of either case. */
bool str_hex(struct str s, size_t n, uint8_t *ret);

/* A new NUL-terminated copy on the heap (caller frees), or NULL without memory. Embedded NULs are kept as they are. */
char *str_dup(struct str s);

#endif
