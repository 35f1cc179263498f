/*
 * A set of paths for pmatch: a tree by path components. A path matches if one of the set is it or a directory above it.
 * Components with * ? [ in them are patterns within their component.
 */
#ifndef SEKISHO_RULE_PATHSET_H
#define SEKISHO_RULE_PATHSET_H

#include "fact/value.h"

struct pathset;

struct pathset *pathset_new(struct arena *arena, const struct value *paths, size_t n);
bool pathset_match(const struct pathset *s, struct str path);

#endif
