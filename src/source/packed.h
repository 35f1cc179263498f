/* A layer that is made from a directory on the way: the producer that packs it (source/treepack.h). */
#ifndef SEKISHO_SOURCE_PACKED_H
#define SEKISHO_SOURCE_PACKED_H

#include "source/source.h"
#include "source/treepack.h"

/*
 * Starts a producer that packs `what` and gives its pipe. The caller may close its descriptors as soon as this returns.
 */
int packed_open(const struct treepack *what, struct layer_input *ret, struct error *err);

/* The one layer of an artefact that is a directory. `name`: the directory, for people. */
void packed_single_layer(struct artefact *a, struct str name);

#endif
