/*
 * The JSON files in which container engines keep what they know: containers/storage (podman, CRI-O, buildah), Docker,
 * runc's state, and the config.json of an OCI bundle. They are written by engines, but a root directory that somebody
 * else owns can hold anything, and names in them come from images: bytes in, plain structs out.
 */
#ifndef SEKISHO_READ_STORE_H
#define SEKISHO_READ_STORE_H

#include "read/json.h"

#define STORE_DOCUMENT_MAX (32u << 20)
#define STORE_ENTRIES_MAX  200000u
#define STORE_NAMES_MAX    10000u /* of one entry */

enum store_kind {
        STORE_PODMAN_IMAGES,       /* <driver>-images/images.json */
        STORE_PODMAN_LAYERS,       /* <driver>-layers/layers.json */
        STORE_PODMAN_CONTAINERS,   /* <driver>-containers/containers.json */
        STORE_DOCKER_REPOSITORIES, /* image/<driver>/repositories.json: one image for each id */
        STORE_DOCKER_CONTAINER,    /* containers/<id>/config.v2.json */
        STORE_RUNTIME_STATE,       /* runc: <root>/<id>/state.json; crun: <root>/<id>/status */
        STORE_BUNDLE,              /* config.json of a bundle: what its annotations say of name and image */
};

struct store_entry {
        const char *role; /* image, layer, container */
        struct str id;
        struct json_list names; /* images: references; containers: names */
        struct str digest, blob_digest, parent, image, path;
        uint64_t pid, started, size;
        struct json_list parts;
        struct json_list settings; /* of containers: store-settings.h */
        struct json_list labels;   /* of containers, "key=value": docker's labels, a bundle's annotations */
};

/* The entries in the file's order (repositories: in the order of ids). -EBADMSG or -EFBIG with words. */
int store_read(enum store_kind kind, struct str bytes, struct arena *arena, struct store_entry **ret, size_t *ret_n,
               struct error *err);

#endif
