/*
 * What hides what: for each entry of each layer, the layer that deleted or replaced it in the merged view.
 *
 * Paths are kept as 64-bit hashes under a seed of this process: 3 million files in one layer cost some 40 MB.
 */
#ifndef SEKISHO_FLOW_HIDDEN_H
#define SEKISHO_FLOW_HIDDEN_H

#include "flow/layers.h"

#define HIDDEN_LAYERS_MAX 0xfff0
#define HIDDEN_REPLACED                                                                                                \
        0xffff /* by a later entry of its own layer: only the last of equal names is there in the end                  \
                */

struct hidden {
        uint16_t **by; /* [layer][entry]: 0 if it is in the view, HIDDEN_REPLACED, or 1 + the layer that hides it */
        size_t n;
};

/*
 * Finds what hides each entry of the layers (at most HIDDEN_LAYERS_MAX). Calls visible for each entry that no layer
 * above hides (one that its own layer replaces later is among them), top layer first. 0 or -errno of a spool.
 */
int hidden_find(const struct layers *l,
                void (*visible)(void *arg, size_t layer, uint64_t path_hash, const struct fact_file *f), void *arg,
                struct hidden *ret);
void hidden_done(struct hidden *h);

/* Whiteouts and opaque marks say something of other entries, and are no files themselves. */
static inline bool is_marker(const struct fact_file *f) { return f->type == FILE_WHITEOUT || f->type == FILE_OPAQUE; }

#endif
