/*
 * Texts searched together: one automaton (Aho and Corasick's) for all literals of a set, or one tree for all prefixes,
 * so that a text is gone through once however many literals there are.
 */
#ifndef SEKISHO_RULE_LITERALS_H
#define SEKISHO_RULE_LITERALS_H

#include "fact/value.h"

struct rule_literals;

enum rule_literals_kind { LITERALS_ANYWHERE, LITERALS_ANYWHERE_ANY_CASE, LITERALS_AT_START };

/* Of texts; NULL if the automaton would take more than LITERALS_CELLS_MAX cells. */
#define LITERALS_CELLS_MAX (4u << 20)
struct rule_literals *rule_literals_new(struct arena *arena, const struct value *texts, size_t n,
                                        enum rule_literals_kind kind);

/* True if one of the literals stands in the text, or at its start. An empty literal stands everywhere. */
bool rule_literals_match(const struct rule_literals *l, struct str text);

#endif
