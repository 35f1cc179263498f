/*
 * From documents to an artefact: which manifest of an index is meant, what its configuration says, what its layers are.
 * Shared by all sources that speak OCI or Docker manifests (layouts, archives, registry, stores).
 */
#ifndef SEKISHO_SOURCE_IMAGE_H
#define SEKISHO_SOURCE_IMAGE_H

#include "source/document.h"
#include "source/source.h"

#define IMAGE_INDEX_DEPTH_MAX 4 /* indexes that point to indexes */

/* How a source gets a document: by its descriptor, whole, into ret (whose max is OCI_DOCUMENT_MAX). Words in err. */
struct image_fetch {
        int (*read)(void *arg, const struct fact_descriptor *d, struct buf *ret, struct error *err);
        void *arg;
};

/*
 * Follows an index that was read to one image and fills in digest, image_id, config, steps and layers. Each document is
 * checked against its digest before it is parsed. `platform`: as in struct source_options. With `ref` (may be empty)
 * only descriptors that carry it count. Several that differ and are not told apart by platform: -EINVAL with their refs
 * in words. None: -ENOENT.
 */
int image_from_index(struct artefact *a, const struct document *index, struct str ref, struct str platform,
                     const struct image_fetch *fetch, struct error *err);

/*
 * From the bytes of a manifest or an index that the caller got under a name (a registry's tag): what it is gets told by
 * its content. Sets a->digest to that of the bytes (of the manifest that was chosen, where it is an index).
 */
int image_from_bytes(struct artefact *a, struct str bytes, struct str platform, const struct image_fetch *fetch,
                     struct error *err);

/*
 * Fills a->layers from the manifest's layer descriptors (member: from path), then steps and config from the document of
 * the configuration (NULL: there is none). Where both lists agree in length, layers get their diff_id and created_by;
 * where not, that is noted. Everything is copied into a->arena.
 */
void image_fill(struct artefact *a, const struct fact_descriptor *layers, size_t n_layers,
                const struct document *config);

/* This machine's platform as images name it: "linux/amd64", "linux/arm64", "linux/arm/v7". */
const char *platform_here(void);

/* How well os/arch/variant fit "os/arch[/variant]": 0 not, 1 fits, 2 fits with its variant. Empty platform: this
 * machine's. */
int platform_fits(struct str platform, struct str os, struct str arch, struct str variant);

/* "os/arch[/variant]" with at least os and arch? */
bool platform_is_valid(struct str platform);

#endif
