/*
 * Comparisons: a value against the constants of a check, which were made ready before. Nothing here allocates or fails
 * while records are looked at, and each comparison takes linear time (glob: pattern times text).
 */
#ifndef SEKISHO_RULE_MATCH_H
#define SEKISHO_RULE_MATCH_H

#include "rule/operator.h"
#include "rule/syntax.h"

struct matcher;

/*
 * Makes the constants ready. All are of the given type; texts must live as long as the arena. NULL with words: a
 * constant cannot be used so (a malformed regular expression, odd hexadecimal digits); *ret_which says which.
 */
struct matcher *matcher_new(struct arena *arena, const struct operator* op, enum quantifier quantifier,
                            const struct value *constants, size_t n, char words[200], size_t *ret_which);

/* What the matcher needs as scratch memory, zeroed before first use. */
size_t matcher_scratch_size(const struct matcher *m);

/* One value, neither absent nor a list. Of another type than the constants: false, but true for !=. */
bool matcher_match(const struct matcher *m, const struct value *v, void *scratch);

/* The same with one value on the right, for comparisons of field with field. */
bool values_match(enum operator_id op, const struct value *a, const struct value *b);

/* fnmatch(3) without flags: * and ? match a slash too. Case only matters for ASCII letters. */
bool glob_match(struct str pattern, struct str text, bool any_case);

#endif
