/* What the analyzers of package databases share: the paths and digests by which a package claims a file. */
#ifndef SEKISHO_ANALYZE_CLAIM_H
#define SEKISHO_ANALYZE_CLAIM_H

#include "analyze/analyzer.h"

/*
 * A path of a package database as facts have it: without leading "/" or "./". False if it names the root itself, or
 * has a ".." part, a NUL or nothing in it, and so claims no file.
 */
bool claim_path(struct str raw, struct str *ret);

/* Printable ASCII without blanks: what names and versions in package databases consist of; at least one byte. */
bool claim_is_word(struct str s);

#endif
