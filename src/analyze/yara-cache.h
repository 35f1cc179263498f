/*
 * Compiled YARA rules kept between runs: a file for each set of rules, named after the digest of what it was made of.
 *
 * A compiled file is code for libyara, so it is only believed where nobody else can have written it: the directory and
 * the file must belong to this user and be writable for nobody else, and no link is followed. The file holds a digest
 * of itself, so that one that was cut or damaged is told before libyara sees it.
 */
#ifndef SEKISHO_ANALYZE_YARA_CACHE_H
#define SEKISHO_ANALYZE_YARA_CACHE_H

#include "base/error.h"

#include <yara.h>

#define YARA_CACHE_KEY       32           /* bytes: a SHA-256 */
#define YARA_CACHE_FILES     8            /* kept; the one that was used the longest ago goes first */
#define YARA_CACHE_BYTES_MAX (256u << 20) /* of one */

/*
 * Rules of this key. 0; -ENOENT: there are none, the usual case; any other -errno and words: there is a file or a
 * directory that is not believed.
 */
int yara_cache_load(const char *directory, const uint8_t key[static YARA_CACHE_KEY], YR_RULES **ret, struct error *err);

/* Keeps them, whole or not at all; makes the directory. 0 or -errno and words. */
int yara_cache_save(const char *directory, const uint8_t key[static YARA_CACHE_KEY], YR_RULES *rules,
                    struct error *err);

#endif
