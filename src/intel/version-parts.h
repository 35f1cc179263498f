/*
 * What the version orders share: classes of characters that do not depend on the locale, and runs of digits compared as
 * numbers of any length. Private to intel/version*.c.
 */
#ifndef SEKISHO_INTEL_VERSION_PARTS_H
#define SEKISHO_INTEL_VERSION_PARTS_H

#include "base/str.h"

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
static inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }
static inline int sign_of(int r) { return (r > 0) - (r < 0); }

/* True for one digit or more and nothing else. */
bool part_is_number(struct str s);

/* The numbers that two runs of digits stand for, whatever their length; an empty run is 0. */
int part_compare_numbers(struct str a, struct str b);

/* Like str_cmp with ASCII letters in lower case. */
int part_compare_nocase(struct str a, struct str b);

/* Cuts the digits (letters) off the front of s and returns them; may be empty. */
struct str part_take_digits(struct str *s);
struct str part_take_letters(struct str *s);

/* True if s stood at the front of *from, and cuts it off. */
bool part_take(struct str *from, const char *s);
bool part_take_nocase(struct str *from, const char *lower_case);

/*
 * Numbers between dots, and what follows the last of them: "v1.02..3-rc" is 1, 2, 3 and "-rc". Leading zeros and empty
 * parts do not count. One "v" or "V" in front is dropped. Walks without memory: copy it to look ahead.
 */
struct part_numbers {
        struct str left;
};

struct part_numbers part_numbers_from(struct str s);
bool part_numbers_next(struct part_numbers *n, struct str *ret_digits); /* false: no more; n->left is the rest */

/* Number by number; the shorter list is filled up with zeros. Leaves what follows the numbers in the two rests. */
int part_compare_number_lists(struct str a, struct str b, struct str *ret_rest_a, struct str *ret_rest_b);

/*
 * Identifiers between dots by the rules of semver 2.0.0 section 11: numbers below words, numbers by value, words by
 * their bytes (or without regard to case), the longer list above its own beginning.
 */
int part_compare_identifiers(struct str a, struct str b, bool ignore_case);

/*
 * Semantic Versioning 2.0.0 section 11 over any count of numbers, missing ones being 0: what follows them up to a "+"
 * is the pre-release, with or without its hyphen, and an empty one is none.
 */
int part_compare_semver(struct str a, struct str b, bool ignore_case);
bool part_is_semver(struct str s, size_t min_numbers, size_t max_numbers);

/*
 * Numbers between single separators (any byte of the C string), the longer list above its own beginning ("1.0" above
 * "1"); what follows the numbers is ordered by its bytes, last.
 */
int part_compare_sequences(struct str a, struct str b, const char *separators);
bool part_is_sequence(struct str s, const char *separators);

#endif
