/* Where on the host lies what a container sees: mounts that are no overlay show a directory of the host's file systems.
 */
#ifndef SEKISHO_SENSE_CONTAINER_ROOT_H
#define SEKISHO_SENSE_CONTAINER_ROOT_H

#include "sense/container.h"

/*
 * The directory of the host that is the root of the container of process `pid`, in *ret (in the arena), without a slash
 * at its end. False: its root is an overlay, or it cannot be told. It is the very directory that the process has.
 */
bool container_root(const struct container_entry *e, uint32_t pid, struct arena *arena, struct str *ret);

/*
 * The host's path of a path in the container, by name, for when none of its processes lives any more. False: it lies on
 * an overlay, or on no mount of the host. What it leads to is for the caller to look at.
 */
bool container_path_on_host(const struct container_entry *e, struct str path, struct arena *arena, struct str *ret);

#endif
