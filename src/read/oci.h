/*
 * The JSON documents of container images: OCI image index, image manifest and image configuration (image-spec 1.1),
 * Docker's manifest list, manifest of schema 2 and configuration, and the manifest.json of `docker save`.
 *
 * Bytes in, plain structs in an arena out. What kind of document the bytes are is told by what they hold, not by what
 * somebody said: a document that could be two kinds at once is refused (image-spec, "media types", CVE-2021-41190).
 */
#ifndef SEKISHO_READ_OCI_H
#define SEKISHO_READ_OCI_H

#include "read/json.h"

#define OCI_DOCUMENT_MAX    (4u << 20) /* bytes of a document */
#define OCI_DESCRIPTORS_MAX 10000u     /* of all roles in a document */
#define OCI_STEPS_MAX       10000u
#define OCI_LIST_MAX        10000u /* labels, variables, diff_ids: each */

enum oci_kind { OCI_INDEX, OCI_MANIFEST, OCI_CONFIG, OCI_ARCHIVE /* docker's manifest.json */ };

const char *oci_kind_name(enum oci_kind kind); /* "image index", ... */

struct oci_descriptor {
        const char *role; /* manifest, config, layer */
        struct str media_type, digest;
        uint64_t size;
        struct str path; /* OCI_ARCHIVE: name of the archive's member */
        struct str os, arch, variant;
        struct str ref; /* annotation org.opencontainers.image.ref.name; OCI_ARCHIVE: one tag */
        uint64_t group; /* OCI_ARCHIVE: index of the image it belongs to */
};

struct oci_step {
        struct str created_by, created;
        bool empty_layer;
};

struct oci_config {
        struct str os, arch, variant, created, user;
        struct json_list entrypoint, cmd, env, ports, volumes, labels /* key=value, sorted */, diff_ids;
        bool healthcheck;
};

struct oci_document {
        enum oci_kind kind;
        /*
         * OCI_INDEX: role manifest. OCI_MANIFEST: the config first, then layers, base first. OCI_ARCHIVE: for each
         * image in order a config, one "manifest" without a path for each tag, then its layers.
         */
        struct oci_descriptor *descriptors;
        size_t n_descriptors;
        struct oci_config config; /* OCI_CONFIG */
        struct oci_step *steps;   /* OCI_CONFIG: its history */
        size_t n_steps;
};

/*
 * Reads one document. -EBADMSG: it is malformed or none of the kinds; -EFBIG: past a limit; -ENOTSUP: a schema 1
 * manifest. Words in err. Never reads outside of bytes; what it returns lives in the arena.
 */
int oci_read(struct str bytes, struct arena *arena, struct oci_document *ret, struct error *err);

#endif
