/*
 * JSON documents that describe artefacts, read where they can do no harm: the bytes are parsed by a worker in the
 * sandbox (proc/worker.h) with the readers of read/, and come back as facts.
 */
#ifndef SEKISHO_SOURCE_DOCUMENT_H
#define SEKISHO_SOURCE_DOCUMENT_H

#include "base/error.h"
#include "fact/fact.h"
#include "fact/sink.h"

enum document_kind {
        DOCUMENT_INDEX,    /* OCI image index, Docker manifest list: descriptors of role manifest */
        DOCUMENT_MANIFEST, /* OCI or Docker image manifest: the config's descriptor, then the layers', base first */
        DOCUMENT_CONFIG,   /* image configuration: image and steps */
        DOCUMENT_ARCHIVE,  /* manifest.json of docker save: see read/oci.h */
        DOCUMENT_ANY,      /* one of the above, told by what it holds */

        /* Files of engines' stores (read/store.h): entries in `stored`. */
        DOCUMENT_PODMAN_IMAGES,
        DOCUMENT_PODMAN_LAYERS,
        DOCUMENT_PODMAN_CONTAINERS,
        DOCUMENT_DOCKER_REPOSITORIES,
        DOCUMENT_DOCKER_CONTAINER,
        DOCUMENT_RUNTIME_STATE,
        DOCUMENT_BUNDLE,
};

struct document {
        enum document_kind kind; /* never DOCUMENT_ANY */
        struct fact_descriptor *descriptors;
        size_t n_descriptors;
        struct fact_image image;
        struct fact_step *steps;
        size_t n_steps;
        struct fact_stored *stored;
        size_t n_stored;
};

/*
 * Parses bytes as a document of that kind (of one of two where the caller cannot know: DOCUMENT_ANY). What comes out
 * lives in the arena. -EBADMSG: malformed, or another kind than asked for; -EFBIG: past a limit of read/oci.h; -EINTR:
 * the run was interrupted. Words in err; they do not name the document, which the caller prefixes.
 */
int document_read(enum document_kind kind, struct str bytes, struct arena *arena, struct document *ret,
                  struct error *err);

/* What the worker does: parses and puts facts. For the fuzzer and the tests; document_read is what sources call. */
int document_parse(enum document_kind kind, struct str bytes, struct sink *out, struct error *err);

#endif
