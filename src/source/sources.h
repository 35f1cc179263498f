/* The sources of this program. The explicit list that joins them stands in sources.c. */
#ifndef SEKISHO_SOURCE_SOURCES_H
#define SEKISHO_SOURCE_SOURCES_H

#include "source/source.h"

extern const struct source source_oci_dir, source_docker_archive, source_oci_archive, source_dir, source_repo;
extern const struct source source_podman, source_docker, source_container;
extern const struct source source_registry, source_docker_api, source_podman_api;

#endif
