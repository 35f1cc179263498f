/*
 * YARA rules of the user's, compiled in the parent before anything hostile is read; or taken from the cache
 * (yara-cache.h), if they are the same as in an earlier run.
 */
#ifndef SEKISHO_ANALYZE_YARA_RULES_H
#define SEKISHO_ANALYZE_YARA_RULES_H

#include "base/error.h"

#include <yara.h>

#define YARA_FILES_MAX   10000        /* files of rules in a directory, all levels */
#define YARA_SOURCES_MAX (256u << 20) /* bytes of them all */
#define YARA_DEPTH_MAX   16

/* The variables that rules may ask for, all of them strings: the scan sets them for each file. */
extern const char *const yara_variables[]; /* ends with NULL */

struct yara_rules {
        YR_RULES *compiled;
        size_t n;
        char origin[ERROR_TEXT_MAX + 512]; /* words: whether they were compiled or cached, and where; why not cached */
};

/*
 * The rules of files, and of all *.yar and *.yara below directories. A rule's name space is the path of its file.
 * cache: a directory for what was compiled; NULL: none. A cache that cannot be used is no error: `origin` tells of it.
 * -EINVAL and words with file and line for a rule that is wrong.
 */
int yara_rules_load(const char *const *paths, size_t n, const char *cache, struct yara_rules *ret, struct error *err);
void yara_rules_done(struct yara_rules *r);

#endif
