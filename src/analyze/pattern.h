/*
 * The patterns by which analyzers name the files that they want. A path without wildcard is compared whole; "*" stands
 * for any bytes, or none, within one part of the path; a pattern that starts with a double star and a slash matches
 * what follows at any depth, the top included. Nothing else is special, and case counts.
 */
#ifndef SEKISHO_ANALYZE_PATTERN_H
#define SEKISHO_ANALYZE_PATTERN_H

#include "base/str.h"

bool pattern_matches(struct str pattern, struct str path);

/* What every path that matches ends in: the bytes after the last star, or after the leading double star. */
struct str pattern_tail(struct str pattern);

#endif
