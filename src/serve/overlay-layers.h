/* The layers of an overlay without what lies above them. */
#ifndef SEKISHO_SERVE_OVERLAY_LAYERS_H
#define SEKISHO_SERVE_OVERLAY_LAYERS_H

#include "base/error.h"
#include "base/str.h"

/*
 * A descriptor of the root that the layers make, read-only: of the one directory, or of an overlay that is mounted
 * nowhere and ends with the descriptor. lower: the overlay's option lowerdir, topmost first. -EINVAL: relative, as
 * engines write it that had no room; -errno of the kernel. Words in err.
 */
int overlay_layers_open(struct str lower, struct error *err);

#endif
