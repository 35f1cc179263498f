/*
 * Manifests: what an image holds that can run, as `sekisho scan --manifest` writes it and the agent enforces it. The
 * format, JSON lines, is docs/format/manifest.md. A manifest that was cut, or changed by accident, is refused whole:
 * half a list of what may run would stop the other half.
 */
#ifndef SEKISHO_READ_MANIFEST_H
#define SEKISHO_READ_MANIFEST_H

#include "base/arena.h"
#include "base/error.h"

#define MANIFEST_VERSION    1
#define MANIFEST_BYTES_MAX  (64u << 20)
#define MANIFEST_FILES_MAX  65536u
#define MANIFEST_LAYERS_MAX 1024u
#define MANIFEST_LINE_MAX   65536u

struct manifest_file {
        struct str path;    /* without a leading slash */
        struct str kind;    /* elf, script, pe, program (nothing but its mode says that it runs) */
        struct str package; /* that owns it; empty: none */
        uint64_t size;
        uint64_t layer;     /* that brought it, from 1 */
        uint8_t sha256[32]; /* of the content */
};

struct manifest {
        struct str target, name;     /* as the scan was told, as it found it */
        struct str digest, image_id; /* "sha256:..." or empty */
        struct str *tags;
        size_t n_tags;
        struct str *layers; /* diff ids, base first; empty where not known */
        size_t n_layers;
        struct manifest_file *files; /* sorted by path, each path once */
        size_t n_files;
};

/* Texts live in the arena. -EBADMSG: no such manifest, words say which line; -EFBIG: past a limit above. */
int manifest_parse(struct str text, struct arena *arena, struct manifest *ret, struct error *err);

/* The file of that path, or NULL. */
const struct manifest_file *manifest_find(const struct manifest *m, struct str path);

#endif
