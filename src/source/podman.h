/* Where containers/storage keeps its stores. For the sources podman and container. */
#ifndef SEKISHO_SOURCE_PODMAN_H
#define SEKISHO_SOURCE_PODMAN_H

#include "base/arena.h"

struct podman_roots {
        const char *v[4];
        size_t n;
};

/*
 * `given` alone, if it is not NULL; else the user's own store and the system's, as storage.conf names them (graphroot)
 * or by default. They need not exist. Text lives in the arena.
 */
void podman_find_roots(const char *given, struct arena *arena, struct podman_roots *ret);

#endif
