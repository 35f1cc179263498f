/*
 * A manifest of a scan: the files of the merged view that can run, each with its digest, its layer and its package, as
 * docs/format/manifest.md has it and read/manifest.h reads it. It listens to the view as one ledger more.
 */
#ifndef SEKISHO_FLOW_MANIFEST_H
#define SEKISHO_FLOW_MANIFEST_H

#include "analyze/content.h"
#include "base/map.h"
#include "base/vec.h"
#include "flow/scan.h"
#include "flow/view.h"

/* Has the walk compute the digest of every file that can run; a plan with it in finds nothing more than without. */
extern const struct content_engine programs_engine;

struct manifest_writer {
        struct ledger ledger; /* give it to the scan */
        const struct ledger *next;
        struct arena arena;
        VEC(struct manifest_candidate) files;
        struct map_str by_place; /* layer and path, to what stands there: what a hard link means */
        size_t undigested;       /* files that can run, whose content was not read to its end */
};

/* next: is told of everything too; may be NULL. */
void manifest_begin(struct manifest_writer *w, const struct ledger *next);

/* After the scan: the manifest. 0 or -errno of the stream; -E2BIG with words: more files than a manifest may have. */
int manifest_write(struct manifest_writer *w, const struct scan *s, FILE *to, struct error *err);
void manifest_done(struct manifest_writer *w);

#endif
