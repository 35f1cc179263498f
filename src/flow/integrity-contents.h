/*
 * What small text files of a baseline held, so that a change can be told as a diff: files named by the SHA-256 of what
 * they hold, in a directory beside the baseline (mode 0700, files 0600). What is secret by nature is never kept.
 */
#ifndef SEKISHO_FLOW_INTEGRITY_CONTENTS_H
#define SEKISHO_FLOW_INTEGRITY_CONTENTS_H

#include "flow/integrity.h"

#define INTEGRITY_TEXT_MAX     65536u                /* bytes of a file; larger ones are not kept */
#define INTEGRITY_CONTENTS_MAX ((uint64_t)128 << 20) /* bytes of all; what comes after is not kept */

struct integrity_contents {
        int dir;       /* -1: nothing is kept */
        uint64_t used; /* bytes */
};

/* The directory of this baseline, which is made. 0 or -errno with words: nothing is kept then. */
int integrity_contents_open(struct integrity_contents *c, const char *baseline, struct error *err);

/* The same for who only looks: nothing is made or cleaned up. 0; -errno: there is none, so nothing is found in it. */
int integrity_contents_open_to_read(struct integrity_contents *c, const char *baseline);
void integrity_contents_close(struct integrity_contents *c);

/* Keeps bytes whose SHA-256 in hex is `digest`, if they are text and may be. `path` is the file that holds them. */
void integrity_contents_keep(struct integrity_contents *c, struct str path, struct str digest, struct str bytes);

/* A descriptor of what has this digest; -ENOENT: it was not kept. */
int integrity_contents_find(const struct integrity_contents *c, struct str digest);

/* Removes what no entry of these sets holds, and counts what is used anew. */
void integrity_contents_prune(struct integrity_contents *c, const struct integrity_set *const *sets, size_t n);

/* Files that hold passwords' hashes and private keys, by their names. Of contents integrity-diff.h decides. */
bool integrity_is_secret(struct str path);

#endif
