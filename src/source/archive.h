/* What sources that get an image archive as a stream (engines' sockets) share with the archives on disk. */
#ifndef SEKISHO_SOURCE_ARCHIVE_H
#define SEKISHO_SOURCE_ARCHIVE_H

#include "source/source.h"

/*
 * Makes configuration, history and layers of an artefact out of the members that the job which read its stream found:
 * of docker's manifest.json, or of an OCI layout's index.json. The archive must hold one image. Leaves a->source and
 * a->state as they are.
 */
int archive_resolve_stream(struct artefact *a, const struct stream_members *m, struct error *err);

#endif
