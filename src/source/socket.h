/*
 * Images that docker or podman hand out through their API sockets: for users who may ask the engine but not read its
 * store. The stores themselves are other sources.
 */
#ifndef SEKISHO_SOURCE_SOCKET_H
#define SEKISHO_SOURCE_SOCKET_H

#include "source/source.h"

enum engine { ENGINE_DOCKER, ENGINE_PODMAN };

/*
 * Opens the image `name` (a reference or an id) as a stream from the engine's socket: o->socket, $DOCKER_HOST or
 * $CONTAINER_HOST (unix://), or the usual places. Sets ret->source to that of the socket. -ENOENT: no socket, or no
 * such image; words in err say which.
 */
int socket_open(enum engine engine, const char *name, const struct source_options *o, struct artefact *ret,
                struct error *err);

/*
 * How the open of a store that cannot be read ends: asks the engine instead, unless the user named the store. r and err
 * are what the store had to say; r is returned, and the socket's words are added to err, if the socket does not help.
 */
int socket_fallback(enum engine engine, const char *name, const struct source_options *o, struct artefact *ret, int r,
                    struct error *err);

#endif
