/* In which layer of its container a file lies that an interpreter was given to run: the kernel did not say, so we look.
 */
#ifndef SEKISHO_SERVE_SCRIPT_LAYER_H
#define SEKISHO_SERVE_SCRIPT_LAYER_H

#include "sense/container.h"

/*
 * One of enum exe_layer, or EXE_LAYERS if it cannot be known; in *ret_ctime_ns, unless that is NULL, when the file was
 * last changed, in nanoseconds since 1970, or 0. Looked up below the root of the process while it lives, links
 * resolved; afterwards by name in the container's mounts. A process can replace the file between its exec and our look:
 * the answer is evidence, nothing is enforced by it.
 */
int script_layer(const struct container_entry *c, uint32_t pid, struct str path, int64_t *ret_ctime_ns);

#endif
