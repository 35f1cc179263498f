/* Makes one comparison of alternatives that ask the same of one text: see merge.c. */
#ifndef SEKISHO_RULE_MERGE_H
#define SEKISHO_RULE_MERGE_H

#include "rule/graph.h"

/* Replaces each of the n gates by one that means the same. Once the graph is too large, the rest stays as it is. */
void graph_merge(struct graph *g, uint32_t *gates, size_t n);

#endif
