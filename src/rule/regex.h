/*
 * Regular expressions in time linear in the text: an automaton, without backtracking, that is made before anything
 * runs. POSIX extended syntax as RE2 takes it in its POSIX mode, matched against the whole text as Falco does; besides
 * it \d \w \s and their opposites. Text is UTF-8; bytes that are not count as U+FFFD. No back-references, no
 * look-around.
 */
#ifndef SEKISHO_RULE_REGEX_H
#define SEKISHO_RULE_REGEX_H

#include "base/arena.h"

struct rule_regex;

/*
 * Compiles into the arena. NULL with words (at most 160 bytes, NUL-terminated) and the offset in the pattern:
 * malformed, or larger than RULE_REGEX_STATES_MAX when repetitions are written out.
 */
struct rule_regex *rule_regex_new(struct arena *arena, struct str pattern, char words[160], size_t *ret_at);

/* The bytes of memory that rule_regex_match needs, zeroed before its first use; 0 for most expressions. */
size_t rule_regex_scratch_size(const struct rule_regex *re);

bool rule_regex_match(const struct rule_regex *re, struct str text, void *scratch);

#endif
